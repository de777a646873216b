//! The stages of a run. Each can be started again after a kill: what was done stays done, the rest follows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use xynergy::closed_loop::ClosedLoop;
use xynergy::execution::Plan;
use xynergy::hubspot::Delivery;
use xynergy::{Error, ErrorKind, Result, Timestamp};

use super::Host;
use super::clock::HORIZON;
use super::inputs::{Inputs, lines};
use super::options::{Options, PlatformOption};
use super::world::{RunClock, World};

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
    pub(crate) host: &'a Host,
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
    /// What would be changed, when nothing is.
    pub(crate) plan: Option<Plan>,
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
        let allocation = self.closed_loop().allocate(&self.id, self.options.seed).await?;
        let changes = self.closed_loop().changes(&self.id, &allocation).await?;
        if self.options.platform == PlatformOption::Meta && !self.options.apply {
            self.plan = Some(self.world.client.execution().plan(&changes, false).await?);
            return Ok(());
        }
        self.world.client.execution().queue(changes).await?;
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
        let bar = spinner("deals");
        loop {
            let processed = self.closed_loop().process(100).await?;
            if processed == 0 {
                break;
            }
            bar.inc(processed as u64);
            self.look_for_interrupt()?;
        }
        bar.finish();
        Ok(())
    }

    fn closed_loop(&self) -> ClosedLoop<'_> {
        self.world.client.closed_loop(&self.world.account)
    }

    /// Does what is due, moves the clock to what is due next, and ends when nothing is due within an hour.
    async fn execute(&self) -> Result<(), Stopped> {
        let execution = self.world.client.execution();
        let bar = spinner("changes");
        loop {
            while let Some(step) = execution.run_once().await? {
                bar.inc(1);
                bar.set_message(format!("{} {}", step.row.change.owner.id, step.row.status.as_str()));
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

    pub(crate) fn look_for_interrupt(&self) -> Result<(), Stopped> {
        if self.interrupted.load(Ordering::SeqCst) { Err(Stopped::Interrupted) } else { Ok(()) }
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
        ProgressStyle::with_template("{spinner} {msg} {pos}").unwrap_or(ProgressStyle::default_spinner());
    ProgressBar::new_spinner().with_style(style).with_message(name)
}
