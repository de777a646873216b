//! One plain-language line on each applied or blocked change, from the AI router.

use serde::{Deserialize, Serialize};
use xynergy::ai::GenerateRequest;
use xynergy::execution::{ChangeRecord, ChangeStatus};
use xynergy::{Error, ErrorKind, Result, TenantId};

use crate::stages::{Run, progress};

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
    pub(crate) async fn explain(&self, changes: &[ChangeRecord]) -> Result<()> {
        let client = &self.world.client;
        let bar = progress("sentences", changes.len());
        for change in changes {
            bar.inc(1);
            if !matches!(change.status, ChangeStatus::Completed | ChangeStatus::Blocked) {
                continue;
            }
            let state = state_of(change);
            if self.explanation(change).await?.is_some_and(|known| known.state == state) {
                continue;
            }
            let request =
                GenerateRequest { prompt: prompt(change), temperature: Some(0.0), ..Default::default() };
            let answer = client.ai().generate(&request).await?;
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
    pub(crate) async fn explanation(&self, change: &ChangeRecord) -> Result<Option<Explanation>> {
        let stored = self.world.stores.state.get(&TenantId::default(), COLLECTION, &self.key(change)).await?;
        stored.map(|document| serde_json::from_str(&document.value)).transpose().map_err(unreadable)
    }

    fn key(&self, change: &ChangeRecord) -> String {
        format!("{}/{}", self.id, change.change.id)
    }
}

fn unreadable(error: serde_json::Error) -> Error {
    Error::new(ErrorKind::Corrupt, "closed_loop", "a stored line cannot be read").with_source(error)
}

fn state_of(change: &ChangeRecord) -> String {
    format!("{}:{}", change.status.as_str(), change.reason.map_or("", |reason| reason.as_str()))
}

/// The prompt of a change. It has the reason and a rounded percentage and no name, so that equal cases are one prompt
/// and the second is answered from the cache.
fn prompt(change: &ChangeRecord) -> String {
    let (from, target) = (change.change.expected_from, change.change.target);
    let direction = if target < from { "cut" } else { "raise" };
    let percent = rounded_percent(from, target);
    let what = match (change.status, change.reason) {
        (ChangeStatus::Completed, None) => format!("was applied: a {direction} of about {percent} %"),
        (ChangeStatus::Completed, Some(reason)) => {
            format!("was applied: a {direction} of about {percent} % ({})", words(reason.as_str()))
        }
        (_, reason) => format!(
            "was blocked: a {direction} of about {percent} %; reason: {}",
            words(reason.map_or("unknown", |reason| reason.as_str()))
        ),
    };
    format!("Tell an advertiser in one plain sentence: a change of a daily budget {what}.")
}

/// The change in percent of `from`, to the nearest 5.
fn rounded_percent(from: i64, target: i64) -> i64 {
    let twentieths = (target - from).abs().saturating_mul(40) / from.max(1);
    (twentieths + 1) / 2 * 5
}

fn words(reason: &str) -> String {
    reason.replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_to_five() {
        for (from, target, percent) in
            [(1000, 1200, 20), (1000, 1199, 20), (1000, 970, 5), (1000, 976, 0), (0, 5, 100)]
        {
            assert_eq!(rounded_percent(from, target), percent, "{from} to {target}");
        }
    }
}
