use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SpendLimit, dollars};
use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::Result;

/// What is to be reserved.
#[derive(Clone, Debug)]
pub struct Reserve {
    /// A random id, made by the caller before the call, so that a reservation whose answer never came can be given back.
    pub id: u128,
    /// The most that the call may cost.
    pub amount_nano_usd: u64,
    /// The tags of the call.
    pub tags: BTreeSet<String>,
    /// Limits of the configuration, which hold for every tenant; a stored limit of the same scope and window replaces one.
    pub standing: Vec<SpendLimit>,
    /// When it is made; it counts in the windows of this time, whenever it is settled.
    pub at: Timestamp,
}

/// What a call really cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The provider that answered.
    pub provider: String,
    /// The model there.
    pub model: String,
    /// The cost; `None` when the price is not known.
    pub cost_nano_usd: Option<u64>,
    /// Tokens of prompt and answer.
    pub tokens: u64,
}

/// The account of reservations and settlements, per tenant.
///
/// At every moment, what is settled and reserved under a hard limit is at most the limit, as long as no call costs more than was
/// reserved for it; such a cost is recorded in full. `settle` and `close` of an id that is not open do nothing, so both may be repeated.
#[async_trait]
pub trait SpendLedger: Send + Sync + Debug + 'static {
    /// Sets a limit of `tenant`, replacing the one of the same scope and window. What was spent before counts.
    async fn set_limit(&self, tenant: &TenantId, limit: SpendLimit) -> Result<()>;

    /// The limits of `tenant`, ordered by scope and window.
    async fn limits(&self, tenant: &TenantId) -> Result<Vec<SpendLimit>>;

    /// Reserves, or refuses with `LimitExceeded` and when the window ends. Returns the soft limits that are crossed.
    ///
    /// When the future is dropped, the caller calls [`SpendLedger::close`] with the id, which must then win.
    async fn reserve(&self, tenant: &TenantId, request: &Reserve) -> Result<Vec<SpendLimit>>;

    /// Replaces a reservation by what the call cost.
    async fn settle(&self, tenant: &TenantId, id: u128, settlement: &Settlement) -> Result<()>;

    /// Closes a reservation from a destructor: with what was used so far, or with nothing. Never waits; a ledger with I/O takes
    /// note and writes with its next call.
    fn close(&self, tenant: &TenantId, id: u128, used: Option<Settlement>);

    /// What was spent since `since`, which is rounded down to the minute; everything that is kept when `None`.
    async fn spend(&self, tenant: &TenantId, since: Option<Timestamp>, now: Timestamp) -> Result<Spend>;
}

/// What a tenant spent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Spend {
    /// From when it counts; everything that is kept when null.
    pub since: Option<Timestamp>,
    /// Answered calls. Cache hits are none.
    pub requests: u64,
    /// Those whose price is not known; they count as free.
    pub unpriced_requests: u64,
    /// Tokens of prompts and answers.
    pub tokens: u64,
    /// Dollars, for people.
    pub cost: f64,
    /// Billionths of a dollar.
    pub cost_nano_usd: u64,
    /// Billionths of a dollar that calls in flight hold.
    pub reserved_nano_usd: u64,
    /// The same by provider.
    pub by_provider: BTreeMap<String, ProviderSpend>,
    /// Where the tenant's own limits stand.
    pub limits: Vec<LimitState>,
}

impl Spend {
    /// Adds what one provider cost.
    pub fn add(&mut self, provider: &str, spend: &ProviderSpend) {
        let mine = self.by_provider.entry(provider.to_owned()).or_default();
        mine.add(spend);
        self.requests += spend.requests;
        self.unpriced_requests += spend.unpriced_requests;
        self.tokens += spend.tokens;
        self.cost_nano_usd = self.cost_nano_usd.saturating_add(spend.cost_nano_usd);
        self.cost = dollars(self.cost_nano_usd);
    }
}

/// What was spent at one provider.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ProviderSpend {
    /// Answered calls.
    pub requests: u64,
    /// Those whose price is not known.
    pub unpriced_requests: u64,
    /// Tokens of prompts and answers.
    pub tokens: u64,
    /// Dollars, for people.
    pub cost: f64,
    /// Billionths of a dollar.
    pub cost_nano_usd: u64,
}

impl ProviderSpend {
    /// One settled call.
    pub fn of(settlement: &Settlement) -> Self {
        let cost_nano_usd = settlement.cost_nano_usd.unwrap_or(0);
        Self {
            requests: 1,
            unpriced_requests: u64::from(settlement.cost_nano_usd.is_none()),
            tokens: settlement.tokens,
            cost: dollars(cost_nano_usd),
            cost_nano_usd,
        }
    }

    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.unpriced_requests += other.unpriced_requests;
        self.tokens += other.tokens;
        self.cost_nano_usd = self.cost_nano_usd.saturating_add(other.cost_nano_usd);
        self.cost = dollars(self.cost_nano_usd);
    }
}

/// Where a limit stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LimitState {
    /// The limit.
    #[serde(flatten)]
    pub limit: SpendLimit,
    /// Settled in the window of now, in billionths of a dollar.
    pub settled_nano_usd: u64,
    /// Reserved in it, in billionths of a dollar.
    pub reserved_nano_usd: u64,
}
