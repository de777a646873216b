//! What a run reports: as JSON, as tables and as a page. All three show the same values.

pub(crate) mod charts;
pub(crate) mod page;
pub(crate) mod tables;

use std::collections::BTreeMap;

use serde::Serialize;
use xynergy::{Currency, Minor};

/// The report of a run, read from the store. Its fields are the document of `--json`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) clicks: Clicks,
    pub(crate) webhooks: Webhooks,
    pub(crate) matches: Matches,
    pub(crate) revenue: Revenue,
    pub(crate) allocation: Vec<AllocationRow>,
    pub(crate) changes: Changes,
    /// The live budget of each owner at the end of the run, in minor units.
    pub(crate) platform: BTreeMap<String, Minor>,
    pub(crate) audit: Audit,
    pub(crate) ai: Ai,
    #[serde(skip)]
    pub(crate) details: Details,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Clicks {
    pub(crate) ingested: u64,
    pub(crate) duplicates: u64,
    pub(crate) rejected: u64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Webhooks {
    /// Deliveries, one a line.
    pub(crate) received: u64,
    pub(crate) verified: u64,
    pub(crate) rejected: u64,
    /// Distinct events of verified deliveries.
    pub(crate) events: u64,
    /// Events that had been stored before.
    pub(crate) duplicates: u64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Matches {
    pub(crate) layer1: u64,
    pub(crate) layer2: u64,
    pub(crate) layer3: u64,
    pub(crate) none: u64,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Revenue {
    pub(crate) total_minor: Minor,
    /// By ad, and `unattributed`.
    pub(crate) by_ad: BTreeMap<String, Minor>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct AllocationRow {
    pub(crate) owner_id: String,
    pub(crate) current_minor: Minor,
    pub(crate) proposed_minor: Minor,
    pub(crate) ads: Vec<AdShare>,
    pub(crate) reason: String,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct AdShare {
    pub(crate) ad_id: String,
    /// Six digits after the point.
    pub(crate) share: String,
    /// The probability of being the best ad, six digits after the point.
    pub(crate) probability: String,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Changes {
    pub(crate) queued: u64,
    pub(crate) completed: u64,
    pub(crate) blocked: u64,
    pub(crate) failed: u64,
    /// How many changes met each reason on the way, whatever became of them: a throttled one may be completed later.
    pub(crate) by_reason: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Audit {
    pub(crate) rows: u64,
    pub(crate) chain_ok: bool,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Ai {
    pub(crate) requests: u64,
    pub(crate) cache_hits: u64,
    pub(crate) cost_nano_usd: u64,
    pub(crate) by_provider: BTreeMap<String, ProviderUse>,
}

#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct ProviderUse {
    pub(crate) requests: u64,
    pub(crate) cost_nano_usd: u64,
}

/// What only people read: names, sentences, where the run is kept.
#[derive(Clone, Debug)]
pub(crate) struct Details {
    pub(crate) run_id: String,
    pub(crate) started: String,
    pub(crate) ended: String,
    pub(crate) store: String,
    /// What a reader would type to have one of his own.
    pub(crate) command: &'static str,
    pub(crate) currency: Currency,
    pub(crate) total_daily_minor: Minor,
    /// The name of each ad by its id.
    pub(crate) ad_names: BTreeMap<String, String>,
    pub(crate) changes: Vec<ChangeRow>,
    /// Whether the changes are only planned.
    pub(crate) planned: bool,
    /// Bad lines of the inputs: where, and what.
    pub(crate) problems: Vec<String>,
}

/// One change as people see it.
#[derive(Clone, Debug)]
pub(crate) struct ChangeRow {
    pub(crate) owner_id: String,
    pub(crate) before: Minor,
    pub(crate) requested: Minor,
    /// What was set, with the fuzz; `None` when nothing was applied.
    pub(crate) applied: Option<Minor>,
    pub(crate) status: String,
    pub(crate) reason: String,
    /// The plain-language line of the AI router.
    pub(crate) line: String,
}

impl Report {
    /// One JSON document with sorted keys, ending in a line break.
    pub(crate) fn to_json(&self) -> Result<String, serde_json::Error> {
        // A `Value` keeps its keys in a BTreeMap, so they come out sorted.
        Ok(format!("{}\n", serde_json::to_value(self)?))
    }

    /// What an owner is called: its id and the names of its ads.
    pub(crate) fn owner_name(&self, owner_id: &str) -> String {
        let row = self.allocation.iter().find(|row| row.owner_id == owner_id);
        let first = row.and_then(|row| row.ads.first()).and_then(|ad| self.details.ad_names.get(&ad.ad_id));
        match (first, row.map_or(0, |row| row.ads.len())) {
            (Some(name), 0 | 1) => name.clone(),
            (Some(name), n) => format!("{name} +{}", n - 1),
            (None, _) => owner_id.to_owned(),
        }
    }
}

/// Dollars for people from nano-dollars.
pub(crate) fn dollars(nano: u64) -> String {
    format!("${}.{:04}", nano / 1_000_000_000, nano % 1_000_000_000 / 100_000)
}

/// A reason code as words.
pub(crate) fn words(reason: &str) -> String {
    reason.replace('_', " ")
}
