//! What the sandbox shows of its state.

use std::collections::BTreeMap;

use serde::Serialize;
use xynergy_core::{Currency, Minor, Timestamp};

use super::fault::FaultRule;
use super::record::{ObjectKind, ScheduledLine};
use super::world::{World, in_window};

/// The state of a sandbox: what `GET /_sandbox/state` answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SandboxState {
    /// The sandbox's time.
    pub now: Timestamp,
    /// The number of the last line of the log.
    pub seq: u64,
    /// The ad account, without `act_`.
    pub account: String,
    /// Its currency.
    pub currency: Currency,
    /// The daily budget of each owner, in minor units.
    pub budgets: BTreeMap<String, Minor>,
    /// Campaigns, ad sets and ads.
    pub objects: BTreeMap<String, ObjectState>,
    /// Ad sets whose budget changed in the last hour or is blocked.
    pub budget_limits: BTreeMap<String, BudgetLimitState>,
    /// Effects that have not landed, by landing time.
    pub late: Vec<ScheduledLine>,
    /// The fault rules in their order.
    pub faults: Vec<FaultState>,
    /// Requests answered or cut since the start or the last reset.
    pub requests: u64,
    /// Values changed since the start or the last reset.
    pub effects: usize,
}

/// A campaign, ad set or ad.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObjectState {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// Its own status.
    pub status: String,
    /// Its daily budget in minor units, where it owns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub daily_budget: Option<Minor>,
    /// Its budget for its whole life in minor units, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lifetime_budget: Option<Minor>,
    /// Its bid in minor units, where one is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bid_amount: Option<Minor>,
    /// Its campaign.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub campaign_id: String,
    /// Its ad set.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub adset_id: String,
}

/// How an ad set stands against Meta's limit of four budget changes an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BudgetLimitState {
    /// The changes of the last hour.
    pub changes: Vec<Timestamp>,
    /// The end of the block, while there is one.
    pub blocked_until: Option<Timestamp>,
}

/// A fault rule with its counters.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FaultState {
    /// The rule.
    pub rule: FaultRule,
    /// The requests that matched method and path.
    pub counted: u64,
    /// How often the fault befell one.
    pub fired: u64,
}

impl SandboxState {
    pub(super) fn of(world: &World, now: Timestamp) -> Self {
        let mut budget_limits: BTreeMap<String, BudgetLimitState> = BTreeMap::new();
        for (id, times) in &world.budget_changes {
            let changes: Vec<_> = times.iter().copied().filter(|t| in_window(*t, now)).collect();
            if !changes.is_empty() {
                budget_limits.entry(id.clone()).or_default().changes = changes;
            }
        }
        for (id, until) in world.blocked_until.iter().filter(|(_, until)| now < **until) {
            budget_limits.entry(id.clone()).or_default().blocked_until = Some(*until);
        }
        let mut late: Vec<_> = world.late.values().cloned().collect();
        late.sort_by_key(|line| (line.due, line.late));
        Self {
            now,
            seq: world.seq,
            account: world.seed.ads.account.number().to_owned(),
            currency: world.seed.ads.account.currency,
            budgets: world
                .objects
                .iter()
                .filter_map(|(id, object)| Some((id.clone(), object.daily_budget?)))
                .collect(),
            objects: world.objects.iter().map(|(id, object)| (id.clone(), shown(object))).collect(),
            budget_limits,
            late,
            faults: world
                .rules
                .iter()
                .map(|s| FaultState { rule: s.rule.clone(), counted: s.counted, fired: s.fired })
                .collect(),
            requests: world.requests,
            effects: world.activities.len(),
        }
    }
}

fn shown(object: &super::world::Object) -> ObjectState {
    ObjectState {
        kind: object.kind,
        name: object.name.clone(),
        status: object.status.clone(),
        daily_budget: object.daily_budget,
        lifetime_budget: object.lifetime_budget,
        bid_amount: object.bid_amount,
        campaign_id: object.campaign_id.clone(),
        adset_id: object.adset_id.clone(),
    }
}
