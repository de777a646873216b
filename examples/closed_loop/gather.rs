//! The report of a run, read from the store: the process that ran it does not matter.

use std::collections::{BTreeMap, BTreeSet};

use xynergy::allocation::{Allocation, Millionths};
use xynergy::execution::{
    ChangeFilter, ChangeRow as Change, ChangeStatus, HistoryFilter, PlannedChange, PlannedOutcome,
};
use xynergy::{Result, Timestamp};

use super::report::{
    AdShare, Ai, AllocationRow, Audit, ChangeRow, Changes, Clicks, Details, Matches, Report, Revenue,
    Webhooks,
};
use super::stages::Run;
use super::world::line;

impl Run<'_> {
    /// The changes of this run by owner.
    pub(crate) async fn changes(&self) -> Result<Vec<Change>> {
        let filter = ChangeFilter { allocation_id: Some(self.id.clone()), ..ChangeFilter::default() };
        let mut changes = self.world.client.execution().list(&filter).await?;
        changes.sort_by(|a, b| a.change.owner.id.cmp(&b.change.owner.id));
        Ok(changes)
    }

    /// Everything the run reports.
    pub(crate) async fn report(&self) -> Result<Report> {
        let client = &self.world.client;
        let changes = self.changes().await?;
        let allocation = client.allocation().get(&self.id).await?;
        let ingested = client.attribution().count_clicks(Some(&self.id)).await?;
        let events = client.hubspot().count_events(Some(&self.id)).await?;
        let totals = client.attribution().totals().await?;
        let audit = client.execution().verify_audit().await?;
        let (ai, lines) = self.ai(&changes).await?;

        let mut by_ad: BTreeMap<String, i64> =
            self.inputs.ads.ads.iter().map(|ad| (ad.ad_id.clone(), 0)).collect();
        by_ad.extend(totals.by_ad);
        // Added, since a click may name an ad of just this id.
        *by_ad.entry("unattributed".to_owned()).or_default() += totals.unattributed_minor;
        // A platform that cannot be read now takes nothing from what the store tells.
        let platform = match self.live(allocation.as_ref()).await {
            Ok(live) => live,
            Err(error) => {
                eprintln!("{}: the report goes without live budgets: {}", self.host.name, line(&error));
                BTreeMap::new()
            }
        };
        Ok(Report {
            clicks: Clicks {
                ingested,
                duplicates: self.counts.clicks - ingested,
                rejected: self.counts.rejected_clicks,
            },
            webhooks: Webhooks {
                received: self.counts.verified + self.counts.rejected_deliveries,
                verified: self.counts.verified,
                rejected: self.counts.rejected_deliveries,
                events,
                duplicates: self.counts.events - events,
            },
            matches: Matches {
                layer1: totals.matches.layer1,
                layer2: totals.matches.layer2,
                layer3: totals.matches.layer3,
                none: totals.matches.none,
            },
            revenue: Revenue { total_minor: by_ad.values().sum(), by_ad },
            allocation: allocation.as_ref().map(rows).unwrap_or_default(),
            changes: self.counted(&changes).await?,
            platform,
            audit: Audit { rows: audit.rows, chain_ok: audit.chain_ok },
            ai,
            details: self.details(&changes, lines),
        })
    }

    /// How the changes ended, and how many met each reason on the way.
    async fn counted(&self, changes: &[Change]) -> Result<Changes> {
        let with = |status| changes.iter().filter(|change| change.status == status).count() as u64;
        let mut met = BTreeSet::new();
        for change in changes {
            met.extend(change.reason.map(|reason| (reason.as_str(), change.change.id)));
            let filter = HistoryFilter { change_id: Some(change.change.id), ..HistoryFilter::default() };
            let rows = self.world.client.execution().history(&change.change.account_id, &filter).await?;
            met.extend(rows.iter().filter_map(|row| Some((row.reason?.as_str(), change.change.id))));
        }
        let mut by_reason = BTreeMap::new();
        for (reason, _) in met {
            *by_reason.entry(reason.to_owned()).or_default() += 1;
        }
        Ok(Changes {
            queued: changes.len() as u64,
            completed: with(ChangeStatus::Completed),
            blocked: with(ChangeStatus::Blocked),
            failed: with(ChangeStatus::Failed),
            by_reason,
        })
    }

    /// The live budget of each owner.
    async fn live(&self, allocation: Option<&Allocation>) -> Result<BTreeMap<String, i64>> {
        let known = self.inputs.ads.owners();
        let live = self.world.client.execution().owners(&self.world.account.account_id).await?;
        let allocated =
            |id: &String| allocation.is_some_and(|a| a.rows.iter().any(|row| row.owner_id == *id));
        Ok(live
            .into_iter()
            .filter(|state| known.contains_key(&state.owner.id) || allocated(&state.owner.id))
            .filter_map(|state| Some((state.owner.id, state.daily_budget_minor?)))
            .collect())
    }

    async fn ai(&self, changes: &[Change]) -> Result<(Ai, BTreeMap<String, String>)> {
        let (mut ai, mut lines) = (Ai::default(), BTreeMap::new());
        for change in changes {
            let Some(explanation) = self.explanation(change).await? else { continue };
            ai.requests += 1;
            ai.cost_nano_usd += explanation.cost_nano_usd;
            if explanation.cache_hit {
                ai.cache_hits += 1;
            } else {
                let used = ai.by_provider.entry(explanation.provider).or_default();
                used.requests += 1;
                used.cost_nano_usd += explanation.cost_nano_usd;
            }
            lines.insert(change.change.id.to_string(), explanation.line);
        }
        Ok((ai, lines))
    }

    fn details(&self, changes: &[Change], mut lines: BTreeMap<String, String>) -> Details {
        let second =
            |time: Timestamp| Timestamp::from_micros(time.micros() / 1_000_000 * 1_000_000).to_string();
        Details {
            run_id: self.id.clone(),
            started: second(self.world.asked),
            ended: second(self.world.now()),
            store: self.world.store_name.clone(),
            command: self.host.command,
            currency: self.inputs.ads.account.currency,
            total_daily_minor: self.inputs.ads.constraints.total_daily_minor,
            ad_names: self.inputs.ads.ads.iter().map(|ad| (ad.ad_id.clone(), ad.name.clone())).collect(),
            planned: self.plan.is_some(),
            changes: self
                .plan
                .iter()
                .flat_map(|plan| plan.changes.iter().map(planned))
                .chain(changes.iter().map(|record| ChangeRow {
                    owner_id: record.change.owner.id.clone(),
                    before: record.change.expected_from,
                    requested: record.change.target,
                    applied: record.sent_value.filter(|_| record.status == ChangeStatus::Completed),
                    status: record.status.as_str().to_owned(),
                    reason: record.reason.map_or_else(String::new, |reason| reason.as_str().to_owned()),
                    line: lines.remove(&record.change.id.to_string()).unwrap_or_default(),
                }))
                .collect(),
            problems: self.inputs.problems.iter().chain(&self.problems).cloned().collect(),
        }
    }
}

/// The row of a change that is only planned.
fn planned(planned: &PlannedChange) -> ChangeRow {
    let (status, reason) = match &planned.outcome {
        PlannedOutcome::Sent { .. } => ("planned", String::new()),
        PlannedOutcome::Blocked { reason, .. } => ("blocked", reason.as_str().to_owned()),
        PlannedOutcome::Refused { message } => ("failed", message.clone()),
    };
    ChangeRow {
        owner_id: planned.change.owner.id.clone(),
        before: planned.change.expected_from,
        requested: planned.change.target,
        applied: None,
        status: status.to_owned(),
        reason,
        line: String::new(),
    }
}

fn rows(allocation: &Allocation) -> Vec<AllocationRow> {
    let digits = |m: Millionths| format!("{}.{:06}", m.get() / 1_000_000, m.get() % 1_000_000);
    allocation
        .rows
        .iter()
        .map(|row| AllocationRow {
            owner_id: row.owner_id.clone(),
            current_minor: row.current_minor,
            proposed_minor: row.proposed_minor,
            ads: row
                .ads
                .iter()
                .map(|ad| AdShare {
                    ad_id: ad.ad_id.clone(),
                    share: digits(ad.share),
                    probability: digits(ad.probability),
                })
                .collect(),
            reason: row.reason.clone(),
        })
        .collect()
}
