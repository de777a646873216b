use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use xynergy_core::TenantId;

/// The time in which HubSpot counts.
const WINDOW: Duration = Duration::from_secs(10);
/// From how many tenants on those that have sent nothing for the time are dropped.
const MANY: usize = 4_096;

/// Keeps each tenant's reads below a number in any ten seconds, in this process. HubSpot's limit is a sliding window, which a
/// bucket that refills evenly would pass by half in the seconds after a pause. Many processes share it by HubSpot's own answers.
#[derive(Debug)]
pub(super) struct Pacer {
    most: usize,
    tenants: Mutex<BTreeMap<TenantId, Sent>>,
}

/// What one tenant has sent lately.
#[derive(Debug, Default)]
struct Sent {
    /// When, oldest first.
    at: VecDeque<Instant>,
    /// Until when HubSpot asked to wait.
    paused_until: Option<Instant>,
}

impl Pacer {
    pub(super) fn new(most: u32) -> Self {
        Self { most: usize::try_from(most).unwrap_or(usize::MAX), tenants: Mutex::default() }
    }

    /// Waits for the tenant's turn. Cancel safe: a turn that is not taken is there for the next.
    pub(super) async fn turn(&self, tenant: &TenantId) {
        while let Some(until) = self.take(tenant, Instant::now()) {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Lets nothing of the tenant through for this long, for HubSpot asked so.
    pub(super) fn pause(&self, tenant: &TenantId, wait: Duration) {
        let until = Instant::now() + wait.min(WINDOW);
        let mut tenants = self.lock();
        let sent = tenants.entry(tenant.clone()).or_default();
        sent.paused_until = sent.paused_until.max(Some(until));
    }

    /// Takes a turn, or says when to ask again.
    fn take(&self, tenant: &TenantId, now: Instant) -> Option<Instant> {
        let mut tenants = self.lock();
        if tenants.len() >= MANY && !tenants.contains_key(tenant) {
            tenants.retain(|_, sent| !sent.is_idle(now));
        }
        let sent = tenants.entry(tenant.clone()).or_default();
        sent.forget(now);
        if let Some(until) = sent.paused_until {
            return Some(until);
        }
        if sent.at.len() >= self.most {
            return sent.at.front().map(|first| *first + WINDOW);
        }
        sent.at.push_back(now);
        None
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<TenantId, Sent>> {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sent {
    fn forget(&mut self, now: Instant) {
        while self.at.front().is_some_and(|first| *first + WINDOW <= now) {
            self.at.pop_front();
        }
        self.paused_until = self.paused_until.filter(|until| *until > now);
    }

    fn is_idle(&mut self, now: Instant) -> bool {
        self.forget(now);
        self.at.is_empty() && self.paused_until.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn no_ten_seconds_hold_more_than_the_limit() {
        let pacer = Pacer::new(7);
        let start = Instant::now();
        let mut sent = Vec::new();
        for n in 0..50_u64 {
            pacer.turn(&tenant("acme")).await;
            sent.push(start.elapsed());
            tokio::time::sleep(Duration::from_millis(n * 37 % 400)).await;
        }
        for (first, at) in sent.iter().enumerate() {
            let within = sent[first..].iter().take_while(|other| **other < *at + WINDOW).count();
            assert!(within <= 7, "{within} from {at:?}");
        }
        assert!(
            sent[6] < Duration::from_secs(10) && sent[7] >= Duration::from_secs(10),
            "a burst is not slowed"
        );
        let before = start.elapsed();
        pacer.turn(&tenant("other")).await;
        assert_eq!(start.elapsed(), before, "another tenant does not wait");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_kept_to_and_no_longer_than_the_window() {
        let pacer = Pacer::new(7);
        let start = Instant::now();
        pacer.pause(&tenant("acme"), Duration::from_secs(4));
        pacer.pause(&tenant("acme"), Duration::from_secs(1));
        pacer.turn(&tenant("acme")).await;
        assert_eq!(start.elapsed(), Duration::from_secs(4));
        pacer.pause(&tenant("acme"), Duration::from_secs(86_400));
        pacer.turn(&tenant("acme")).await;
        assert_eq!(start.elapsed(), Duration::from_secs(14));
    }
}
