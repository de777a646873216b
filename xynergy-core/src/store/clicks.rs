use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

use async_trait::async_trait;

use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::{Error, Result};

/// A keyed hash, cut to 128 bits: what identifies a click, or what it shares with a conversion.
///
/// Who lacks the key cannot turn it back, not even by trying every address there is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct KeyedHash([u8; 16]);

impl KeyedHash {
    /// From its bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl TryFrom<String> for KeyedHash {
    type Error = Error;

    /// From 32 hex digits.
    fn try_from(text: String) -> Result<Self> {
        let hex = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = hex.then(|| u128::from_str_radix(&text, 16).ok()).flatten();
        number.map(|n| Self(n.to_be_bytes())).ok_or_else(|| {
            let shown: String = text.chars().take(40).collect();
            Error::invalid("store", format!("hash: {shown:?} is not 32 hex digits"))
        })
    }
}

impl From<KeyedHash> for String {
    fn from(hash: KeyedHash) -> Self {
        hash.to_string()
    }
}

impl fmt::Display for KeyedHash {
    /// 32 hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyedHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The UTM parameters of a click's URL, as they stood there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Utm {
    /// `utm_source`.
    pub source: Option<String>,
    /// `utm_medium`.
    pub medium: Option<String>,
    /// `utm_campaign`.
    pub campaign: Option<String>,
    /// `utm_content`.
    pub content: Option<String>,
    /// `utm_term`.
    pub term: Option<String>,
}

/// What an address is, as far as the address itself tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NetworkKind {
    /// One IPv4 address: of a home, an office, or a carrier that puts thousands behind it.
    Ipv4,
    /// The first 64 bits of an IPv6 address: of one line, or one mobile device.
    Ipv6,
}

/// What two visits are compared by beyond equal keys. It exists only with consent, and only when it is asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Device {
    /// The hash of the address alone: an IPv4 address whole, of an IPv6 address the first 64 bits.
    pub network: KeyedHash,
    /// Which of the two it is.
    pub kind: NetworkKind,
    /// The browser with its major version, as `chrome 120`; `None` when it does not tell.
    pub browser: Option<String>,
    /// The class of the platform, as `android`; `None` when it does not tell.
    pub platform: Option<String>,
    /// The first language that it asks for, in small letters, as `de-ch`.
    pub language: Option<String>,
}

impl fmt::Debug for Device {
    /// Nothing of the person, as [`Personal`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Device(***)")
    }
}

/// What of a click is kept only with the consent of the person who clicked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Personal {
    /// The host's id of the click.
    pub click_id: String,
    /// The hash of address, user agent and language: the key of layer 2.
    pub fingerprint: Option<KeyedHash>,
    /// The hash of address and user agent: the key of layer 3.
    pub address: Option<KeyedHash>,
    /// What is compared of the device, where that is kept.
    pub device: Option<Device>,
    /// Address, user agent, language, URL and every unknown field, as a JSON object.
    pub raw: String,
}

impl fmt::Debug for Personal {
    /// Nothing of the person: a log is no place that consent was given for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(***)")
    }
}

/// A click on an ad. Without [`Personal`], nothing in it identifies a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Click {
    /// What makes the click one: a further click of the same key is a duplicate.
    pub key: KeyedHash,
    /// When it happened.
    pub at: Timestamp,
    /// The ad.
    pub ad_id: String,
    /// The ad's ad set.
    pub adset_id: String,
    /// The ad set's campaign.
    pub campaign_id: String,
    /// The UTM parameters.
    pub utm: Utm,
    /// The hashes of the ad platforms' click ids in the URL: the keys of layer 1.
    pub id_keys: Vec<KeyedHash>,
    /// The rest, with consent.
    pub personal: Option<Personal>,
}

impl Click {
    /// The id that people see: the host's with consent, the key's hex digits without.
    pub fn id(&self) -> String {
        self.personal.as_ref().map_or_else(|| self.key.to_string(), |p| p.click_id.clone())
    }

    /// Every key under which a conversion may find it.
    pub fn match_keys(&self) -> impl Iterator<Item = KeyedHash> + '_ {
        let network = |p: &Personal| p.device.as_ref().map(|device| device.network);
        let personal = self
            .personal
            .iter()
            .flat_map(move |p| p.fingerprint.into_iter().chain(p.address).chain(network(p)));
        self.id_keys.iter().copied().chain(personal)
    }
}

/// What became of a batch of clicks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tracked {
    /// Clicks that are stored now and were not before.
    pub inserted: u64,
    /// Clicks whose key was already there; nothing was changed for them.
    pub duplicates: u64,
}

/// A click that shares a key with a conversion, and what a match needs of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Candidate {
    /// The key that was asked for.
    pub matched: KeyedHash,
    /// When it was clicked.
    pub at: Timestamp,
    /// The click's id, as [`Click::id`] shows it.
    pub id: String,
    /// The click.
    pub key: KeyedHash,
    /// The ad.
    pub ad_id: String,
    /// The ad's ad set.
    pub adset_id: String,
    /// The ad set's campaign.
    pub campaign_id: String,
    /// The UTM parameters.
    pub utm: Utm,
    /// What is compared of the device, where that is kept.
    pub device: Option<Device>,
}

/// The clicks of some networks in a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Around {
    /// The newest of them, newest first, each once per network.
    pub clicks: Vec<Candidate>,
    /// How many there are.
    pub total: u64,
}

/// What [`ClickStore::prune`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pruned {
    /// Clicks that are only counted now.
    pub clicks: u64,
}

/// A click that was erased: the names under which others may still hold it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct ErasedClick {
    /// Its key.
    pub key: KeyedHash,
    /// Its id, as [`Click::id`] showed it.
    pub id: String,
}

impl fmt::Debug for ErasedClick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ErasedClick(***)")
    }
}

/// What [`ClickStore::erase`] removed, in order of the keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Erased {
    /// The clicks, which are only counted now.
    pub clicks: Vec<ErasedClick>,
}

/// How often an ad was clicked on a day. It counts clicks that were erased or pruned since.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct AdClicks {
    /// The day's first moment, UTC.
    pub day: Timestamp,
    /// The ad.
    pub ad_id: String,
    /// The ad's ad set.
    pub adset_id: String,
    /// The ad set's campaign.
    pub campaign_id: String,
    /// The clicks.
    pub clicks: u64,
}

/// The clicks, found by key and time.
#[async_trait]
pub trait ClickStore: Send + Sync + fmt::Debug + 'static {
    /// Stores a batch at once or not at all; of the clicks of one key on one day (UTC) the first stays. `source` names the ingest, for
    /// [`count`](Self::count). Cancel safety: a dropped call has stored the whole batch or nothing; the same call
    /// again is safe.
    async fn track(&self, tenant: &TenantId, clicks: &[Click], source: &str) -> Result<Tracked>;

    /// The clicks that could win a match: of each key, those at its latest time within `from..=to`, all of them when
    /// several share it. In the order of [`Candidate`], each once per key.
    async fn candidates(
        &self,
        tenant: &TenantId,
        keys: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candidate>>;

    /// The clicks of these networks within `from..=to`: the newest, at most `limit`, and how many there are. Of clicks of
    /// one moment, those with the greater key come first.
    async fn around(
        &self,
        tenant: &TenantId,
        networks: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
        limit: usize,
    ) -> Result<Around> {
        let _ = (tenant, networks, from, to, limit);
        Err(unsupported())
    }

    /// Forgets the clicks of every day (UTC) that has ended by `before`: only how many an ad had on a day stays. Cancel
    /// safety: it may be done for some of the days; again does the rest.
    async fn prune(&self, tenant: &TenantId, before: Timestamp) -> Result<Pruned> {
        let _ = (tenant, before);
        Err(unsupported())
    }

    /// Forgets the clicks that have one of these keys, as [`Click::key`] or among [`Click::match_keys`]: only how many an
    /// ad had on a day stays. Cancel safety: it is done whole or not at all; again is safe.
    async fn erase(&self, tenant: &TenantId, keys: &[KeyedHash]) -> Result<Erased> {
        let _ = (tenant, keys);
        Err(unsupported())
    }

    /// How often each ad was clicked on each day (UTC) from that of `from` to that of `to`, both included, in order.
    /// Pruning and erasing change nothing of it.
    async fn clicks_by_ad(&self, tenant: &TenantId, from: Timestamp, to: Timestamp) -> Result<Vec<AdClicks>> {
        let _ = (tenant, from, to);
        Err(unsupported())
    }

    /// How many clicks were stored, by one ingest or by all.
    async fn count(&self, tenant: &TenantId, source: Option<&str>) -> Result<u64>;
}

fn unsupported() -> Error {
    Error::new(crate::ErrorKind::Unsupported, "clicks", "this store of clicks cannot do this")
}
