//! One plain-language line on each applied or blocked change, from the AI router.

use serde::{Deserialize, Serialize};
use xynergy::ai::GenerateRequest;
use xynergy::execution::{ChangeRow, ChangeStatus, Reason};
use xynergy::{Error, ErrorKind, Result, TenantId};

use super::stages::{Run, Stopped, progress};

const COLLECTION: &str = "explanations";

/// A line and what it cost, as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Explanation {
    /// The status and reason that the line is about; another one asks again.
    state: String,
    pub(crate) line: String,
    pub(crate) provider: String,
    pub(crate) cost_nano_usd: u64,
    pub(crate) cache_hit: bool,
}

impl Run<'_> {
    /// Asks for the lines that the store does not have yet, in the order of the changes.
    pub(crate) async fn explain(&mut self, changes: &[ChangeRow]) -> Result<(), Stopped> {
        let client = self.world.client.clone();
        let bar = progress("sentences", changes.len());
        for change in changes {
            bar.inc(1);
            self.look_for_interrupt()?;
            if !matches!(change.status, ChangeStatus::Completed | ChangeStatus::Blocked) {
                continue;
            }
            let state = state_of(change);
            if self.explanation(change).await?.is_some_and(|known| known.state == state) {
                continue;
            }
            let request =
                GenerateRequest { prompt: prompt(change), temperature: Some(0.0), ..Default::default() };
            let answer = match client.ai().generate(request).await {
                Ok(answer) => answer,
                // The changes are done and audited; a sentence on them is a courtesy.
                Err(error) => {
                    self.problems.push(format!("the sentence on {}: {error}", change.change.owner.id));
                    continue;
                }
            };
            let explanation = Explanation {
                state,
                line: answer.text.split_whitespace().collect::<Vec<_>>().join(" "),
                provider: answer.provider,
                cost_nano_usd: answer.cost_nano_usd.unwrap_or_default(),
                cache_hit: answer.cache_hit,
            };
            let text = serde_json::to_string(&explanation).map_err(unreadable)?;
            self.world
                .stores
                .state
                .put(&TenantId::default(), COLLECTION, &self.key(change), None, &text)
                .await?;
        }
        bar.finish();
        Ok(())
    }

    /// The stored line of a change.
    pub(crate) async fn explanation(&self, change: &ChangeRow) -> Result<Option<Explanation>> {
        let stored = self.world.stores.state.get(&TenantId::default(), COLLECTION, &self.key(change)).await?;
        stored.map(|document| serde_json::from_str(&document.value)).transpose().map_err(unreadable)
    }

    fn key(&self, change: &ChangeRow) -> String {
        format!("{}/{}", self.id, change.change.id)
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Corrupt, "closed_loop", "a stored line cannot be read").with_source(error)
}

fn state_of(change: &ChangeRow) -> String {
    format!("{}:{}", change.status.as_str(), change.reason.map_or("", |reason| reason.as_str()))
}

/// The prompt of a change. It has the reason and a rounded percentage and no name, so that equal cases are one prompt
/// and the second is answered from the cache.
fn prompt(change: &ChangeRow) -> String {
    let (from, target) = (change.change.expected_from, change.change.target);
    let direction = if target < from { "cut" } else { "raise" };
    let percent = rounded_percent(from, target);
    let done = if change.status == ChangeStatus::Completed { "was applied" } else { "was blocked" };
    let because = change.reason.map_or(String::new(), |reason| format!(", {}", because(reason)));
    format!(
        "Tell an advertiser in one plain sentence: a {direction} of the daily budget by about {percent} % {done}{because}."
    )
}

/// A reason as part of a sentence.
fn because(reason: Reason) -> String {
    let known = match reason {
        Reason::AboveCeiling => "because it is above the ceiling that was set for it",
        Reason::AccountCap => "because the account's daily total would be exceeded",
        Reason::AwaitingCuts => "because the cuts that make room for it are not done yet",
        Reason::BelowFloor => "because it is below the floor that was set for it",
        Reason::Conflict => "because what became of it cannot be told without a person looking",
        Reason::Drifted => "because somebody had changed the budget by hand since it was proposed",
        Reason::Edited => "because somebody edited the object by hand after it was proposed",
        Reason::Expired => "because it had waited for too long",
        Reason::KillSwitch => "because changes are switched off",
        Reason::LandedLate => "although its reply was lost and it took effect later than expected",
        Reason::LearningPhase => "because it would start the platform's learning phase anew",
        Reason::RateLimitAccount | Reason::RateLimitCampaign | Reason::RateLimitOwner => {
            "because too many changes were made within the hour"
        }
        Reason::Reconciled => "although the reply was lost: reading the platform showed that it had happened",
        Reason::Throttled => "because the ad platform asked to slow down",
        Reason::Velocity => "because the budget would have moved by more than 20 % within six hours",
        other => return format!("because of {}", other.as_str().replace('_', " ")),
    };
    known.to_owned()
}

/// The change in percent of `from`, to the nearest 5.
fn rounded_percent(from: i64, target: i64) -> i64 {
    let twentieths = (target - from).abs().saturating_mul(40) / from.max(1);
    (twentieths + 1) / 2 * 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_to_five() {
        for (from, target, percent) in [(1000, 1200, 20), (1000, 1199, 20), (1000, 970, 5), (1000, 976, 0)] {
            assert_eq!(rounded_percent(from, target), percent, "{from} to {target}");
        }
    }
}
