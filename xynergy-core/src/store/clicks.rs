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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// What of a click is kept only with the consent of the person who clicked.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Personal {
    /// The host's id of the click.
    pub click_id: String,
    /// The hash of address, user agent and language: the key of layer 2.
    pub fingerprint: Option<KeyedHash>,
    /// The hash of address and user agent: the key of layer 3.
    pub address: Option<KeyedHash>,
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
        let personal = self.personal.iter().flat_map(|p| p.fingerprint.into_iter().chain(p.address));
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
}

/// The clicks, found by key and time.
#[async_trait]
pub trait ClickStore: Send + Sync + fmt::Debug + 'static {
    /// Stores a batch at once or not at all; the first click of a key stays. `source` names the ingest, for
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

    /// How many clicks were stored, by one ingest or by all.
    async fn count(&self, tenant: &TenantId, source: Option<&str>) -> Result<u64>;
}
