use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crm::CrmEvent;
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::money::Minor;
use crate::store::KeyedHash;

/// How a click was recognised, from the surest to the least sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// An equal click id, or an ad named by the first URL.
    Layer1,
    /// An equal fingerprint.
    Layer2,
    /// An equal address and user agent.
    Layer3,
}

impl Layer {
    /// 1, 2 or 3.
    pub const fn number(self) -> u8 {
        match self {
            Self::Layer1 => 1,
            Self::Layer2 => 2,
            Self::Layer3 => 3,
        }
    }

    /// The layer of this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Layer1),
            2 => Some(Self::Layer2),
            3 => Some(Self::Layer3),
            _ => None,
        }
    }

    /// The confidence of the tier in thousandths: 1000, 900 or 700.
    pub const fn confidence_permille(self) -> u16 {
        match self {
            Self::Layer1 => 1000,
            Self::Layer2 => 900,
            Self::Layer3 => 700,
        }
    }
}

/// The ad that a deal is attributed to, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attributed {
    /// How.
    pub layer: Layer,
    /// The click, as [`Click::id`](crate::store::Click::id) shows it; `None` when the first URL named the ad.
    pub click_id: Option<String>,
    /// The ad.
    pub ad_id: String,
    /// The ad's ad set, where it is known.
    pub adset_id: Option<String>,
    /// The ad set's campaign, where it is known.
    pub campaign_id: Option<String>,
    /// The click's `utm_term`.
    pub keyword: Option<String>,
    /// The click's `utm_content`, or that of the first URL which named the ad.
    pub content: Option<String>,
}

/// The answer to which click a deal belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Match {
    /// The ad, or `None` when no click is behind the deal.
    pub found: Option<Attributed>,
    /// The time of the conversion: only clicks up to it were considered.
    pub anchor: Timestamp,
    /// The rules that decided.
    pub rule_version: String,
    /// How probable it is that this click is behind the deal, in parts per million; `None` without a trained model.
    #[serde(default)]
    pub probability: Option<u32>,
    /// How probable it is that no click is behind it, in parts per million; `None` without a trained model.
    #[serde(default)]
    pub p_none: Option<u32>,
    /// The evidence as a JSON object: the candidates with layer, time and weight, without anything that identifies a person, and last
    /// the SHA-256 `digest` of what is before it.
    pub receipt: String,
}

/// The members of a receipt that the match states too.
#[derive(Deserialize)]
struct Stated {
    #[serde(default)]
    probability: Option<u32>,
    #[serde(default)]
    p_none: Option<u32>,
}

impl Match {
    /// As a store keeps it: the probabilities are those of the receipt, which is sealed.
    pub fn stored(
        found: Option<Attributed>,
        anchor: Timestamp,
        rule_version: String,
        receipt: String,
    ) -> Self {
        let (probability, p_none) =
            serde_json::from_str(&receipt).map_or((None, None), |s: Stated| (s.probability, s.p_none));
        Self { found, anchor, rule_version, probability, p_none, receipt }
    }

    /// The layer, or `None` without a match.
    pub fn layer(&self) -> Option<Layer> {
        self.found.as_ref().map(|f| f.layer)
    }

    /// `url`, `click_id`, `fingerprint`, `probabilistic` or `none`.
    pub fn method(&self) -> &'static str {
        match self.found.as_ref().map(|f| (f.layer, f.click_id.is_some())) {
            None => "none",
            Some((Layer::Layer1, false)) => "url",
            Some((Layer::Layer1, true)) => "click_id",
            Some((Layer::Layer2, _)) => "fingerprint",
            Some((Layer::Layer3, _)) => "probabilistic",
        }
    }

    /// The confidence of the tier in thousandths; 0 without a match.
    pub fn confidence_permille(&self) -> u16 {
        self.layer().map_or(0, Layer::confidence_permille)
    }
}

/// Why a line of the ledger was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryCause {
    /// The deal went to another stage.
    Stage,
    /// It went to another pipeline.
    Pipeline,
    /// Its amount changed.
    Amount,
    /// Its currency changed.
    Currency,
    /// It was made.
    Created,
    /// It was deleted.
    Deleted,
    /// It was restored.
    Restored,
    /// Deals were merged.
    Merged,
    /// The customer got money back.
    Refund,
    /// The stages got other values.
    Revalued,
}

impl EntryCause {
    /// Every cause.
    pub const ALL: [Self; 10] = [
        Self::Stage,
        Self::Pipeline,
        Self::Amount,
        Self::Currency,
        Self::Created,
        Self::Deleted,
        Self::Restored,
        Self::Merged,
        Self::Refund,
        Self::Revalued,
    ];

    /// Its name, as it is stored and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Pipeline => "pipeline",
            Self::Amount => "amount",
            Self::Currency => "currency",
            Self::Created => "created",
            Self::Deleted => "deleted",
            Self::Restored => "restored",
            Self::Merged => "merged",
            Self::Refund => "refund",
            Self::Revalued => "revalued",
        }
    }

    /// The cause of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }
}

/// One signed line of the revenue ledger: what an event or a revaluation changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LedgerEntry {
    /// The event; of a revaluation [`Revaluation::entry_key`].
    pub event: KeyedHash,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// What it was.
    pub cause: EntryCause,
    /// The stage before it; `None` for a deal's first event.
    pub stage_from: Option<String>,
    /// The stage after it.
    pub stage_to: String,
    /// The value after it less the value before it, in minor units.
    pub delta_minor: Minor,
}

/// What the CRM said of a deal when it was read: it counts where no event tells otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DealFacts {
    /// The CRM's id of the pipeline.
    pub pipeline: Option<String>,
    /// The amount in major units, as decimal text.
    pub amount: Option<String>,
    /// The amount's currency by its three-letter code.
    pub currency: Option<String>,
}

/// What a deal is worth and whom it is due to: the fold of its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DealRevenue {
    /// The CRM's id of the deal.
    pub deal_id: String,
    /// The stage after all events; `None` for a deal that was in none yet: it is worth nothing and listed nowhere.
    pub stage: Option<String>,
    /// The CRM's id of the pipeline, where it is known.
    pub pipeline: Option<String>,
    /// What it is worth, in minor units: the sum of the entries.
    pub value_minor: Minor,
    /// What the CRM says that it would bring, less refunds, in minor units of the account's currency; `None` where that is not
    /// known, or not known in this currency.
    pub amount_minor: Option<Minor>,
    /// The deal that this one was merged into; its value is there.
    pub merged_into: Option<String>,
    /// Why it is worth another value than its amount would give: the field and what is wrong with it.
    pub problem: Option<String>,
    /// What the CRM said of it.
    pub facts: DealFacts,
    /// The ledger in the order of the events.
    pub entries: Vec<LedgerEntry>,
    /// The click behind it.
    pub matched: Match,
    /// How many of the events that concern it were folded, its click looked for included.
    pub events_seen: u64,
    /// The [sum](Revaluation::sum) of the revaluations that were folded.
    pub values_seen: u64,
}

impl DealRevenue {
    /// What a store answers when a deal claims to have seen events that are not in the inbox.
    pub fn unseen_events() -> Error {
        Error::invalid(
            "revenue.put_deals",
            "events_seen: more than the inbox has of the deal: append them first",
        )
    }
}

/// Other values of the stages from a time on: learned from the events up to then, applied to every deal by an entry of its
/// own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Revaluation {
    /// Events up to this time count, and the values hold after it.
    pub cut: Timestamp,
    /// When it was asked for.
    pub recorded_at: Timestamp,
    /// How many events that concern deals had happened up to the cut when the values were learned. A late event makes it
    /// more: the values are learned anew.
    pub events_seen: u64,
    /// The values, as JSON.
    pub stage_table: String,
}

impl Revaluation {
    /// The key of its entries in the ledgers.
    pub fn entry_key(cut: Timestamp) -> KeyedHash {
        let mut bytes = *b"revalued\0\0\0\0\0\0\0\0";
        bytes[8..].copy_from_slice(&cut.micros().to_be_bytes());
        KeyedHash::from_bytes(bytes)
    }

    /// What grows with every revaluation and with every event that changes one: a deal that has seen less is pending.
    pub fn sum<'a>(all: impl IntoIterator<Item = &'a Self>) -> u64 {
        all.into_iter().fold(0, |sum, one| sum.saturating_add(one.events_seen).saturating_add(1))
    }
}

/// What became of a batch of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Appended {
    /// Events that are stored now and were not before.
    pub inserted: u64,
    /// Events that were already there.
    pub duplicates: u64,
}

/// Deals by the layer of their match.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MatchCounts {
    /// By click id or first URL.
    pub layer1: u64,
    /// By fingerprint.
    pub layer2: u64,
    /// By address and user agent.
    pub layer3: u64,
    /// Without a click.
    pub none: u64,
}

impl MatchCounts {
    fn of(&mut self, layer: Option<Layer>) -> &mut u64 {
        match layer {
            Some(Layer::Layer1) => &mut self.layer1,
            Some(Layer::Layer2) => &mut self.layer2,
            Some(Layer::Layer3) => &mut self.layer3,
            None => &mut self.none,
        }
    }
}

/// Sums over the deals that were put.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RevenueTotals {
    /// Minor units by ad. Ads without a deal are absent.
    pub by_ad: BTreeMap<String, Minor>,
    /// Minor units of the deals without a match.
    pub unattributed_minor: Minor,
    /// The deals by layer.
    pub matches: MatchCounts,
}

impl RevenueTotals {
    /// Adds one deal's value, to the ad that it is attributed to if there is one.
    ///
    /// # Errors
    /// [`LimitExceeded`](ErrorKind::LimitExceeded) when the sum passes 64 bits.
    pub fn add(&mut self, found: Option<(Layer, &str)>, value_minor: Minor) -> Result<()> {
        *self.matches.of(found.map(|(layer, _)| layer)) += 1;
        let sum = match found {
            Some((_, ad_id)) => self.by_ad.entry(ad_id.to_owned()).or_default(),
            None => &mut self.unattributed_minor,
        };
        *sum = sum.checked_add(value_minor).ok_or_else(Self::past_64_bits)?;
        Ok(())
    }

    /// What a store answers when a sum passes 64 bits.
    pub fn past_64_bits() -> Error {
        Error::new(
            ErrorKind::LimitExceeded,
            "revenue.totals",
            "the revenue of one ad passes what 64 bits of minor units hold",
        )
    }
}

/// The durable inbox of CRM events, and the revenue ledger that is folded from it.
///
/// The inbox only grows, and a deal's state is replaced whole, so that any order, repetition or batching of the same
/// events ends in the same stored rows.
#[async_trait]
pub trait RevenueStore: Send + Sync + fmt::Debug + 'static {
    /// Stores a batch at once or not at all. `source` names the ingest, for [`count_events`](Self::count_events). Of
    /// events of the same key, the smallest [`raw`](CrmEvent::raw) and the earliest [`recorded_at`](CrmEvent::recorded_at)
    /// are kept. Cancel safety: a dropped call has stored the whole batch or nothing; the same call again is safe.
    async fn append_events(&self, tenant: &TenantId, events: &[CrmEvent], source: &str) -> Result<Appended>;

    /// Up to `limit` deals with events that their stored state has not seen, or whose state has seen less of the
    /// revaluations than their [sum](Revaluation::sum); by id in byte order.
    async fn pending_deals(&self, tenant: &TenantId, limit: usize) -> Result<Vec<String>>;

    /// The events that concern a deal, by key.
    async fn events(&self, tenant: &TenantId, deal_id: &str) -> Result<Vec<CrmEvent>>;

    /// The events that concern any deal, by key, from behind `after` on, up to `limit`.
    async fn events_after(
        &self,
        tenant: &TenantId,
        after: Option<KeyedHash>,
        limit: usize,
    ) -> Result<Vec<CrmEvent>>;

    /// How many events that concern deals happened at `until` or before.
    async fn count_until(&self, tenant: &TenantId, until: Timestamp) -> Result<u64>;

    /// Replaces the states and ledgers of these deals at once. A deal stays pending when it has more events than were
    /// folded. Returns false, and writes nothing, when the stored state of one of them has seen more events or more
    /// revaluations: deals that were merged hang together.
    ///
    /// # Errors
    /// [`InvalidInput`](crate::ErrorKind::InvalidInput) when the inbox has no event of the deal, or fewer than `events_seen`.
    async fn put_deals(&self, tenant: &TenantId, deals: &[DealRevenue]) -> Result<bool>;

    /// Every deal that was put with a stage, by id in byte order.
    async fn deals(&self, tenant: &TenantId) -> Result<Vec<DealRevenue>>;

    /// Those of these deals that were put, with a stage or without, by id in byte order.
    async fn find_deals(&self, tenant: &TenantId, ids: &[String]) -> Result<Vec<DealRevenue>>;

    /// The sums over the deals that were put with a stage and not merged into others.
    ///
    /// # Errors
    /// [`LimitExceeded`](crate::ErrorKind::LimitExceeded) when a sum passes 64 bits.
    async fn totals(&self, tenant: &TenantId) -> Result<RevenueTotals>;

    /// How many events were stored, by one ingest or by all.
    async fn count_events(&self, tenant: &TenantId, source: Option<&str>) -> Result<u64>;

    /// Stores a revaluation, one for each cut. Returns false, and writes nothing, when the stored one of this cut has seen
    /// more events; the earliest [`recorded_at`](Revaluation::recorded_at) of a cut is kept.
    async fn put_revaluation(&self, tenant: &TenantId, revaluation: &Revaluation) -> Result<bool>;

    /// Every revaluation, by cut.
    async fn revaluations(&self, tenant: &TenantId) -> Result<Vec<Revaluation>>;
}
