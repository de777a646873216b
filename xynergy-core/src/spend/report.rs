use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Settlement, Span, SpendLimit, Window, Zone, dollars};
use crate::env::Timestamp;

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
    pub by_provider: BTreeMap<String, SpendTotal>,
    /// By `PROVIDER/MODEL`.
    pub by_model: BTreeMap<String, SpendTotal>,
    /// By tag. A call with several counts under each; one without counts under none.
    pub by_tag: BTreeMap<String, SpendTotal>,
    /// By the caller's key. A call without one counts under none.
    pub by_key: BTreeMap<String, SpendTotal>,
    /// By day in UTC, as `2026-03-01`.
    pub by_day: BTreeMap<String, SpendTotal>,
    /// Where the tenant's own limits stand.
    pub limits: Vec<LimitState>,
}

/// Calls, and what they came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SpendTotal {
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

impl SpendTotal {
    /// One settled call.
    pub fn of(settlement: &Settlement) -> Self {
        let cost = settlement.cost_nano_usd;
        Self::new(1, u64::from(cost.is_none()), settlement.tokens, cost.unwrap_or(0))
    }

    /// Of these figures.
    pub fn new(requests: u64, unpriced_requests: u64, tokens: u64, cost_nano_usd: u64) -> Self {
        Self { requests, unpriced_requests, tokens, cost: dollars(cost_nano_usd), cost_nano_usd }
    }

    /// Adds another.
    pub fn add(&mut self, other: &Self) {
        *self = Self::new(
            self.requests.saturating_add(other.requests),
            self.unpriced_requests.saturating_add(other.unpriced_requests),
            self.tokens.saturating_add(other.tokens),
            self.cost_nano_usd.saturating_add(other.cost_nano_usd),
        );
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
    /// When the window ends.
    pub resets_at: Timestamp,
}

/// What was settled alike within a minute: the row that ledgers keep.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpendCell {
    /// The start of the minute.
    pub minute: Timestamp,
    /// The provider that answered.
    pub provider: String,
    /// The model there.
    pub model: String,
    /// The caller's key.
    pub key: Option<String>,
    /// The tags.
    pub tags: BTreeSet<String>,
}

/// A reservation that is not settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenReserve {
    /// What it holds, in billionths of a dollar.
    pub amount_nano_usd: u64,
    /// When it was made.
    pub at: Timestamp,
    /// When it is given back.
    pub expires: Timestamp,
    /// The tags of the call.
    pub tags: BTreeSet<String>,
    /// The caller's key.
    pub key: Option<String>,
}

impl OpenReserve {
    /// What it holds at a time.
    pub fn held(&self, now: Timestamp) -> u64 {
        if self.expires <= now { 0 } else { self.amount_nano_usd }
    }
}

impl SpendCell {
    /// The row that a call which was reserved at `at` is settled in.
    pub fn of(at: Timestamp, tags: &BTreeSet<String>, key: Option<&str>, used: &Settlement) -> Self {
        Self {
            minute: minute(at),
            provider: used.provider.clone(),
            model: used.model.clone(),
            key: key.map(str::to_owned),
            tags: tags.clone(),
        }
    }
}

/// The start of a minute.
pub fn minute(at: Timestamp) -> Timestamp {
    Window::Minute.bounds(at, &Zone::UTC).0
}

/// From when on a report needs the history: `since`, and the windows of the limits.
pub fn history_start(limits: &[SpendLimit], since: Option<Timestamp>, now: Timestamp) -> Timestamp {
    let Some(since) = since else { return Timestamp::from_micros(i64::MIN) };
    let starts = limits.iter().map(|limit| Span::of(limit, now).start);
    starts.fold(minute(since), Timestamp::min)
}

impl Spend {
    /// The report of what a ledger keeps: all rows from [`history_start`] on, what is open, and the tenant's limits.
    pub fn report<'a>(
        cells: impl IntoIterator<Item = (&'a SpendCell, &'a SpendTotal)>,
        open: &[OpenReserve],
        limits: &[SpendLimit],
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let mut spend = Self { since, ..Self::default() };
        let mut states: Vec<(Span, u64)> = limits.iter().map(|limit| (Span::of(limit, now), 0)).collect();
        let from = since.map_or(Timestamp::from_micros(i64::MIN), minute);
        for (cell, total) in cells {
            if cell.minute >= from {
                spend.add(cell, total);
            }
            for (span, settled) in &mut states {
                if within(span, cell.minute) && span.limit.scope.covers(&cell.tags, cell.key.as_deref()) {
                    *settled = settled.saturating_add(total.cost_nano_usd);
                }
            }
        }
        spend.reserved_nano_usd = open.iter().fold(0, |sum, open| sum.saturating_add(open.held(now)));
        spend.limits = states
            .into_iter()
            .map(|(span, settled_nano_usd)| {
                let of_it = open.iter().filter(|open| {
                    within(&span, open.at) && span.limit.scope.covers(&open.tags, open.key.as_deref())
                });
                let reserved_nano_usd = of_it.fold(0_u64, |sum, open| sum.saturating_add(open.held(now)));
                LimitState { limit: span.limit, settled_nano_usd, reserved_nano_usd, resets_at: span.end }
            })
            .collect();
        spend
    }

    fn add(&mut self, cell: &SpendCell, total: &SpendTotal) {
        let SpendCell { minute, provider, model, key, tags } = cell;
        let mut whole =
            SpendTotal::new(self.requests, self.unpriced_requests, self.tokens, self.cost_nano_usd);
        whole.add(total);
        SpendTotal {
            requests: self.requests,
            unpriced_requests: self.unpriced_requests,
            tokens: self.tokens,
            cost: self.cost,
            cost_nano_usd: self.cost_nano_usd,
        } = whole;
        let add = |map: &mut BTreeMap<String, SpendTotal>, name: &str| match map.get_mut(name) {
            Some(sum) => sum.add(total),
            None => drop(map.insert(name.to_owned(), total.clone())),
        };
        add(&mut self.by_provider, provider);
        add(&mut self.by_model, &format!("{provider}/{model}"));
        tags.iter().for_each(|tag| add(&mut self.by_tag, tag));
        if let Some(key) = key {
            add(&mut self.by_key, key);
        }
        let time = minute.to_string();
        add(&mut self.by_day, time.split('T').next().unwrap_or(&time));
    }
}

fn within(span: &Span, at: Timestamp) -> bool {
    span.start <= at && at < span.end
}
