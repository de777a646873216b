use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use xynergy_core::store::StateStore;
use xynergy_core::{Error, ErrorKind, Result, TenantId, Timestamp};

use super::FailedDeal;

const COLLECTION: &str = "crm";
const KEY: &str = "waiting";

/// The wait after the first failure; it doubles from there.
const FIRST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(6 * 3_600);
/// More deals than this do not fail each by itself.
const MOST: usize = 10_000;
/// How often a document that others write at the same time is tried.
const ATTEMPTS: usize = 64;

/// The deals that could not be booked, by id: one document, so that it is read and written at once.
#[derive(Clone, Debug, Default)]
pub(super) struct Waiting {
    version: u64,
    deals: BTreeMap<String, Wait>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Wait {
    attempts: u32,
    next_attempt_at: Timestamp,
    problem: String,
}

impl Waiting {
    pub(super) async fn load(state: &dyn StateStore, tenant: &TenantId) -> Result<Self> {
        let Some(stored) = state.get(tenant, COLLECTION, KEY).await? else { return Ok(Self::default()) };
        let deals = serde_json::from_str(&stored.value).map_err(|error| {
            Error::new(ErrorKind::Corrupt, "crm", "the deals that wait cannot be read back")
                .with_source(error)
        })?;
        Ok(Self { version: stored.version, deals })
    }

    pub(super) fn len(&self) -> usize {
        self.deals.len()
    }

    pub(super) fn is_due(&self, deal_id: &str, now: Timestamp) -> bool {
        self.deals.get(deal_id).is_none_or(|wait| wait.next_attempt_at <= now)
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.deals.values().map(|wait| wait.next_attempt_at).min()
    }

    /// Takes note of what was done and of what failed, beside what other workers note; what failed, and when something is due
    /// again.
    pub(super) async fn update(
        state: &dyn StateStore,
        tenant: &TenantId,
        mut known: Self,
        done: &[&str],
        failed: &BTreeMap<String, String>,
        now: Timestamp,
    ) -> Result<(Vec<FailedDeal>, Option<Timestamp>)> {
        for _ in 0..ATTEMPTS {
            let mut next = known.clone();
            next.deals.retain(|deal_id, _| !done.contains(&deal_id.as_str()));
            for (deal_id, problem) in failed {
                next.fail(deal_id, problem, now);
            }
            if next.deals.len() > MOST {
                return Err(Error::new(
                    ErrorKind::LimitExceeded,
                    "crm",
                    format!("more than {MOST} deals cannot be booked: look at what is wrong with the first of them"),
                )
                .with_context("problem", failed.values().next().cloned().unwrap_or_default()));
            }
            if next.deals == known.deals || next.save(state, tenant).await? {
                let told = failed.keys().filter_map(|deal_id| next.failed(deal_id)).collect();
                return Ok((told, next.next_due()));
            }
            known = Self::load(state, tenant).await?;
        }
        Err(Error::new(ErrorKind::Conflict, "crm", "others note deals that wait all the time"))
    }

    fn fail(&mut self, deal_id: &str, problem: &str, now: Timestamp) {
        let attempts = self.deals.get(deal_id).map_or(0, |wait| wait.attempts).saturating_add(1);
        let wait = FIRST.saturating_mul(1 << attempts.saturating_sub(1).min(16)).min(LONGEST);
        let wait = Wait { attempts, next_attempt_at: now.plus(wait), problem: problem.to_owned() };
        self.deals.insert(deal_id.to_owned(), wait);
    }

    fn failed(&self, deal_id: &str) -> Option<FailedDeal> {
        self.deals.get(deal_id).map(|wait| FailedDeal {
            deal_id: deal_id.to_owned(),
            attempts: wait.attempts,
            next_attempt_at: wait.next_attempt_at,
            problem: wait.problem.clone(),
        })
    }

    /// Whether nobody else wrote in between.
    async fn save(&self, state: &dyn StateStore, tenant: &TenantId) -> Result<bool> {
        let text = serde_json::to_string(&self.deals).map_err(|error| {
            Error::new(ErrorKind::Unexpected, "crm", "the deals that wait cannot be written")
                .with_source(error)
        })?;
        match state.put(tenant, COLLECTION, KEY, Some(self.version), &text).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use xynergy_core::store::memory::MemoryState;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1_000)
    }

    #[tokio::test]
    async fn waits_double_up_to_six_hours_and_end_with_success() {
        let (state, tenant) = (MemoryState::default(), TenantId::default());
        let failed: BTreeMap<String, String> = [("7".to_owned(), "no".to_owned())].into();
        let mut waits = Vec::new();
        for _ in 0..11 {
            let known = Waiting::load(&state, &tenant).await.unwrap();
            let (told, next) = Waiting::update(&state, &tenant, known, &[], &failed, at(0)).await.unwrap();
            assert_eq!(next, Some(told[0].next_attempt_at));
            waits.push(told[0].next_attempt_at.millis() / 60_000);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]);
        let known = Waiting::load(&state, &tenant).await.unwrap();
        assert!(
            !known.is_due("7", at(359 * 60)) && known.is_due("7", at(360 * 60)) && known.is_due("8", at(0))
        );
        let (_, next) =
            Waiting::update(&state, &tenant, known, &["7"], &BTreeMap::new(), at(0)).await.unwrap();
        assert_eq!((next, Waiting::load(&state, &tenant).await.unwrap().len()), (None, 0));
    }

    #[tokio::test]
    async fn two_workers_lose_nothing_of_each_other() {
        let (state, tenant) = (MemoryState::default(), TenantId::default());
        let known = Waiting::load(&state, &tenant).await.unwrap();
        for deal in ["7", "8"] {
            let failed = [(deal.to_owned(), "no".to_owned())].into();
            Waiting::update(&state, &tenant, known.clone(), &[], &failed, at(0)).await.unwrap();
        }
        assert_eq!(Waiting::load(&state, &tenant).await.unwrap().len(), 2);
        let other = TenantId::new("other").unwrap();
        assert_eq!(Waiting::load(&state, &other).await.unwrap().len(), 0);
    }
}
