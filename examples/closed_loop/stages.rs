//! The stages of a run. Each can be started again after a kill: what was done stays done, the rest follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use xynergy::allocation::{
    AdEvidence, Allocation, AllocationRequest, Constraints, DEFAULT_DRAWS, OwnerBudget,
};
use xynergy::attribution::AdParents;
use xynergy::execution::{AccountLimits, StepOutcome};
use xynergy::hubspot::Delivery;
use xynergy::sandbox::BudgetLevel;
use xynergy::{Error, ErrorKind, Result, Timestamp};

use crate::clock::HORIZON;
use crate::inputs::{Inputs, lines};
use crate::options::{Options, PlatformOption};
use crate::world::{RunClock, World};

/// Clicks in one transaction.
const CLICK_BATCH: usize = 1_000;

/// Why a run ended before its end.
pub(crate) enum Stopped {
    /// Ctrl-C; what was in flight is settled.
    Interrupted,
    /// Something failed.
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// One run, from the first click to the last change.
pub(crate) struct Run<'a> {
    pub(crate) options: &'a Options,
    pub(crate) inputs: &'a Inputs,
    pub(crate) world: &'a World,
    pub(crate) id: String,
    /// Set by Ctrl-C, looked at between two steps.
    pub(crate) interrupted: Arc<AtomicBool>,
    /// Bad lines and refused deliveries, in the order of the inputs.
    pub(crate) problems: Vec<String>,
    /// Counts that follow from the inputs alone.
    pub(crate) counts: InputCounts,
}

/// What the inputs hold, whatever was stored before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InputCounts {
    pub(crate) clicks: u64,
    pub(crate) rejected_clicks: u64,
    pub(crate) verified: u64,
    pub(crate) rejected_deliveries: u64,
    pub(crate) events: u64,
}

impl Run<'_> {
    /// Runs every stage up to the last change that is due within an hour.
    pub(crate) async fn go(&mut self) -> Result<(), Stopped> {
        self.ingest_clicks().await?;
        self.accept_webhooks().await?;
        self.process_deals().await?;
        let allocation = self.allocate().await?;
        if self.options.platform == PlatformOption::Meta && !self.options.apply {
            return Ok(());
        }
        self.queue(&allocation).await?;
        self.execute().await?;
        Ok(())
    }

    async fn ingest_clicks(&mut self) -> Result<(), Stopped> {
        let attribution = self.world.client.attribution();
        let total = lines(&self.inputs.clicks).count();
        let bar = progress("clicks", total);
        let mut batch = Vec::with_capacity(CLICK_BATCH);
        for (number, line) in lines(&self.inputs.clicks) {
            bar.inc(1);
            match attribution.parse_click(line).await? {
                Ok(click) => {
                    self.counts.clicks += 1;
                    batch.push(click);
                }
                Err(problem) => {
                    self.counts.rejected_clicks += 1;
                    self.problems.push(format!("clicks, line {number}: {problem}"));
                }
            }
            if batch.len() == CLICK_BATCH {
                attribution.track_clicks(&batch, &self.id).await?;
                batch.clear();
                self.look_for_interrupt()?;
            }
        }
        attribution.track_clicks(&batch, &self.id).await?;
        bar.finish();
        Ok(())
    }

    async fn accept_webhooks(&mut self) -> Result<(), Stopped> {
        let hubspot = self.world.client.hubspot();
        let bar = progress("webhooks", self.inputs.deliveries.len());
        self.counts.rejected_deliveries = self.inputs.broken_deliveries;
        for (number, delivery) in &self.inputs.deliveries {
            bar.inc(1);
            let accepted = hubspot
                .accept(&Delivery {
                    method: &delivery.method,
                    url: &delivery.url,
                    headers: &delivery.headers,
                    body: delivery.body.as_bytes(),
                    received_at: Some(delivery.received_at),
                    source: &self.id,
                })
                .await;
            match accepted {
                Ok(accepted) => {
                    self.counts.verified += 1;
                    self.counts.events += accepted.events + accepted.duplicates;
                    self.problems.extend(
                        accepted.skipped.iter().map(|skipped| format!("webhooks, line {number}: {skipped}")),
                    );
                }
                Err(error) if matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::InvalidInput) => {
                    self.counts.rejected_deliveries += 1;
                    self.problems.push(format!("webhooks, line {number}: {}", error.message()));
                }
                Err(error) => return Err(error.into()),
            }
            self.look_for_interrupt()?;
        }
        bar.finish();
        Ok(())
    }

    async fn process_deals(&self) -> Result<(), Stopped> {
        let hubspot = self.world.client.hubspot();
        let ads = self
            .inputs
            .ads
            .ads
            .iter()
            .map(|ad| {
                let parents = AdParents {
                    adset_id: Some(ad.adset_id.clone()),
                    campaign_id: Some(ad.campaign_id.clone()),
                };
                (ad.ad_id.clone(), parents)
            })
            .collect();
        let bar = spinner("deals");
        loop {
            let processed = hubspot.process(&ads, 100).await?;
            if processed == 0 {
                break;
            }
            bar.inc(processed as u64);
            self.look_for_interrupt()?;
        }
        bar.finish();
        Ok(())
    }

    /// Reads the live budgets and draws the next ones, once a run.
    async fn allocate(&self) -> Result<Allocation, Stopped> {
        let allocation = self.world.client.allocation();
        if let Some(stored) = allocation.get(&self.id).await? {
            return Ok(stored);
        }
        let request = self.allocation_request().await?;
        Ok(allocation.select(&self.id, &request).await?)
    }

    async fn allocation_request(&self) -> Result<AllocationRequest> {
        let client = &self.world.client;
        let pipeline = client.allocation().pipeline().await?;
        let live = client.execution().owners(&self.world.account_id).await?;
        let mut owners = Vec::new();
        for (owner_id, owner) in self.inputs.ads.owners() {
            let Some(state) = live.iter().find(|state| state.owner.id == owner_id) else {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    "allocation.select",
                    format!(
                        "the ad platform has no owner {owner_id}: --ads must be of the account {}",
                        self.world.account_id
                    ),
                ));
            };
            let Some(current_minor) = state.daily_budget_minor else {
                return Err(Error::invalid(
                    "allocation.select",
                    format!(
                        "{owner_id} has no daily budget on the ad platform: set its budget_level in --ads to where it sits"
                    ),
                ));
            };
            let ads = self.inputs.ads.ads.iter().filter(|ad| ad.owner_id() == owner_id);
            owners.push(OwnerBudget {
                level: level(owner.level),
                current_minor,
                ads: ads
                    .map(|ad| {
                        let pipeline = pipeline.get(&ad.ad_id).copied().unwrap_or_default();
                        AdEvidence {
                            ad_id: ad.ad_id.clone(),
                            active: ad.status == "ACTIVE",
                            impressions: i64::try_from(ad.impressions).unwrap_or(i64::MAX),
                            clicks: i64::try_from(ad.clicks).unwrap_or(i64::MAX),
                            spend_minor: ad.spend_minor,
                            deals: pipeline.deals,
                            value_minor: pipeline.value_minor,
                        }
                    })
                    .collect(),
                owner_id,
            });
        }
        let constraints = &self.inputs.ads.constraints;
        Ok(AllocationRequest {
            currency: self.inputs.ads.account.currency,
            owners,
            constraints: Constraints {
                total_daily_minor: constraints.total_daily_minor,
                min_minor: constraints.min_minor,
                max_minor: constraints.max_minor,
            },
            seed: self.options.seed,
            draws: DEFAULT_DRAWS,
        })
    }

    /// Queues one change for each owner whose budget moves.
    async fn queue(&self, allocation: &Allocation) -> Result<(), Stopped> {
        let execution = self.world.client.execution();
        let constraints = &self.inputs.ads.constraints;
        let limits = AccountLimits {
            currency: self.inputs.ads.account.currency,
            total_daily_minor: Some(constraints.total_daily_minor),
            min_minor: Some(constraints.min_minor),
            max_minor: Some(constraints.max_minor),
        };
        execution.set_limits(&self.world.account_id, &limits).await?;
        let changes = execution.propose(&self.id, &self.world.account_id, allocation, &self.campaigns());
        execution.queue(&changes).await?;
        Ok(())
    }

    /// The campaign of each owner.
    fn campaigns(&self) -> std::collections::BTreeMap<String, String> {
        self.inputs.ads.owners().into_iter().map(|(id, owner)| (id, owner.campaign_id)).collect()
    }

    /// Does what is due, moves the clock to what is due next, and ends when nothing is due within an hour.
    async fn execute(&self) -> Result<(), Stopped> {
        let execution = self.world.client.execution();
        let bar = spinner("changes");
        loop {
            while let Some(step) = execution.run_once().await? {
                bar.inc(1);
                if let StepOutcome::Settled { .. } = step.outcome {
                    bar.set_message(format!("changes: {}", step.summary()));
                }
                self.look_for_interrupt()?;
            }
            let next =
                [execution.next_due().await?, self.world.sandbox.next_due()].into_iter().flatten().min();
            match next {
                Some(at) if at <= self.world.now().plus(HORIZON) => self.wait_until(at).await?,
                _ => break,
            }
            self.look_for_interrupt()?;
        }
        bar.finish();
        Ok(())
    }

    /// Simulated time jumps; real time is waited for.
    async fn wait_until(&self, at: Timestamp) -> Result<()> {
        match &self.world.clock {
            RunClock::Simulated(clock) => {
                if at <= clock.now() {
                    return Err(Error::new(
                        ErrorKind::Unexpected,
                        "closed_loop",
                        format!("something is due at {at}, but nothing was done: the run would never end"),
                    ));
                }
                clock.jump(at).await?;
                self.world.sandbox.apply_due().await
            }
            RunClock::System => {
                // In slices, so that Ctrl-C is seen.
                let rest = at.since(self.world.now());
                tokio::time::sleep(rest.min(std::time::Duration::from_millis(200))).await;
                Ok(())
            }
        }
    }

    fn look_for_interrupt(&self) -> Result<(), Stopped> {
        if self.interrupted.load(Ordering::SeqCst) { Err(Stopped::Interrupted) } else { Ok(()) }
    }
}

pub(crate) fn level(level: BudgetLevel) -> xynergy::ads::OwnerLevel {
    match level {
        BudgetLevel::Adset => xynergy::ads::OwnerLevel::AdSet,
        BudgetLevel::Campaign => xynergy::ads::OwnerLevel::Campaign,
    }
}

/// A bar on standard error; nothing when that is no terminal.
pub(crate) fn progress(name: &'static str, length: usize) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg:10} {bar:30} {pos}/{len}").unwrap_or(ProgressStyle::default_bar());
    ProgressBar::new(length as u64).with_style(style).with_message(name)
}

fn spinner(name: &'static str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{msg:10} {spinner} {pos}").unwrap_or(ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style).with_message(name)
}
