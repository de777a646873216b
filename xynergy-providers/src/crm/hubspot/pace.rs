use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;
use xynergy_core::rate::{Admission, Ask, Rate, RateLimiter};
use xynergy_core::{Ctx, TenantId, Timestamp};

/// The time in which HubSpot counts.
const WINDOW: Duration = Duration::from_secs(10);
/// From how many tenants on those that have sent nothing for the time are dropped.
const MANY: usize = 4_096;
/// Into how many slots the window is cut where many processes share a limit.
const SLOTS: u32 = 10;
/// After so many slots their names come again; the bucket of each is full again by then.
const NAMES: u64 = 128;
/// In what time a limiter's bucket fills, in milliseconds.
const MINUTE: u64 = 60_000;

/// Keeps each tenant's reads below a number in any ten seconds. HubSpot's limit is a sliding window, which a bucket that refills
/// evenly would pass by half in the seconds after a pause. Many processes share the number by a [`RateLimiter`] that they share, to
/// the difference of their clocks; without one, by HubSpot's own answers.
#[derive(Debug)]
pub(super) struct Pacer {
    most: usize,
    shared: Option<(Arc<dyn RateLimiter>, Slots)>,
    tenants: Mutex<BTreeMap<TenantId, Sent>>,
}

/// Parts of the window, each with its share: as many as any ten seconds can touch have no more than the whole together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slots {
    millis: u64,
    names: u64,
    each: NonZeroU32,
}

impl Slots {
    fn of(most: u32) -> Self {
        let window = u64::try_from(WINDOW.as_millis()).unwrap_or(u64::MAX);
        let slots = most.saturating_sub(1).min(SLOTS);
        let Some(slots) = NonZeroU32::new(slots) else {
            // One in ten seconds is held by the one bucket alone, which lets one a minute through.
            return Self { millis: MINUTE, names: 1, each: NonZeroU32::MIN };
        };
        let millis = window.div_ceil(u64::from(slots.get()));
        let share = u64::from(most.min(Rate::MOST) / (slots.get() + 1));
        // What a bucket refills within its slot is let through as well.
        let passes = |each: u64| each + each * millis / MINUTE;
        let below = share * MINUTE / (MINUTE + millis);
        let each = if passes(below + 1) <= share { below + 1 } else { below };
        let each = u32::try_from(each).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
        Self { millis, names: NAMES, each }
    }

    /// The name of the slot of a time, and how long it lasts from then on.
    fn at(self, now: Timestamp) -> (u64, Duration) {
        let now = u64::try_from(now.millis()).unwrap_or_default();
        (now / self.millis % self.names, Duration::from_millis(self.millis - now % self.millis))
    }
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
        Self { most: usize::try_from(most).unwrap_or(usize::MAX), shared: None, tenants: Mutex::default() }
    }

    /// The same number for all processes that share this limiter.
    pub(super) fn shared_by(most: u32, limiter: Arc<dyn RateLimiter>) -> Self {
        Self { shared: Some((limiter, Slots::of(most))), ..Self::new(most) }
    }

    /// Waits for the tenant's turn. Cancel safe: at worst a turn is taken and not used.
    pub(super) async fn turn(&self, ctx: &Ctx) {
        // A clock that is not the machine's may stand still, and nobody else goes by it.
        if let Some((limiter, slots)) = self.shared.as_ref().filter(|_| ctx.env.clock.is_system()) {
            loop {
                let (name, left) = slots.at(ctx.env.clock.now());
                let rate = Rate { requests: Some(slots.each), tokens: None };
                let ask = Ask::new(ctx, format!("hubspot.reads.{name}"), rate, 0);
                match limiter.acquire(&ask).await {
                    Admission::Wait(..) => tokio::time::sleep(left).await,
                    Admission::Admitted | Admission::TooLarge => break,
                }
            }
        }
        while let Some(until) = self.take(&ctx.tenant, Instant::now()) {
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
    use proptest::prelude::*;
    use xynergy_core::rate::MemoryLimiter;
    use xynergy_core::{Clock, Env};

    use super::*;

    /// The machine's clock, as far as the runtime has moved it.
    #[derive(Debug)]
    struct Paused(Instant);

    impl Clock for Paused {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_772_366_400_700).plus(self.0.elapsed())
        }

        fn is_system(&self) -> bool {
            true
        }
    }

    fn ctx(name: &str) -> Ctx {
        let env = Env { clock: Arc::new(Paused(Instant::now())), ..Env::default() };
        Ctx::new(&env, tenant(name))
    }

    fn tenant(name: &str) -> TenantId {
        TenantId::new(name).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn no_ten_seconds_hold_more_than_the_limit() {
        let (pacer, acme) = (Pacer::new(7), ctx("acme"));
        let start = Instant::now();
        let mut sent = Vec::new();
        for n in 0..50_u64 {
            pacer.turn(&acme).await;
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
        pacer.turn(&ctx("other")).await;
        assert_eq!(start.elapsed(), before, "another tenant does not wait");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_kept_to_and_no_longer_than_the_window() {
        let (pacer, acme) = (Pacer::new(7), ctx("acme"));
        let start = Instant::now();
        pacer.pause(&tenant("acme"), Duration::from_secs(4));
        pacer.pause(&tenant("acme"), Duration::from_secs(1));
        pacer.turn(&acme).await;
        assert_eq!(start.elapsed(), Duration::from_secs(4));
        pacer.pause(&tenant("acme"), Duration::from_secs(86_400));
        pacer.turn(&acme).await;
        assert_eq!(start.elapsed(), Duration::from_secs(14));
    }

    /// Four workers with one limiter, at times of their own.
    #[tokio::test(start_paused = true)]
    async fn many_processes_share_one_limit() {
        let (limiter, acme) = (Arc::new(MemoryLimiter::default()), ctx("acme"));
        let (start, sent) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
        let workers = (0..4_u64).map(|worker| {
            let pacer = Pacer::shared_by(23, limiter.clone());
            let (acme, sent) = (acme.clone(), sent.clone());
            async move {
                for n in 0..50 {
                    pacer.turn(&acme).await;
                    sent.lock().unwrap().push(start.elapsed());
                    tokio::time::sleep(Duration::from_millis((worker * 61 + n * 37) % 500)).await;
                }
            }
        });
        futures_util::future::join_all(workers).await;
        let mut sent = sent.lock().unwrap().clone();
        sent.sort_unstable();
        let most = (0..sent.len())
            .map(|first| sent[first..].iter().take_while(|at| **at < sent[first] + WINDOW).count());
        assert_eq!(most.max(), Some(22), "of 23 in ten seconds, two in each second");
        assert!(start.elapsed() < Duration::from_secs(101), "{:?}", start.elapsed());
        let before = start.elapsed();
        Pacer::shared_by(23, limiter).turn(&Ctx { tenant: tenant("other"), ..acme }).await;
        assert_eq!(start.elapsed(), before, "another tenant does not wait");
    }

    proptest! {
        #[test]
        fn slots_that_ten_seconds_touch_hold_no_more_than_the_limit(most in prop_oneof![1_u32..300, any::<u32>()]) {
            let most = most.max(1);
            let slots = Slots::of(most);
            let touched = 10_000_u64.div_ceil(slots.millis) + 1;
            let each = u64::from(slots.each.get());
            let passes = each + each * slots.millis / MINUTE;
            if most > 1 {
                prop_assert!(touched * passes <= u64::from(most));
                prop_assert!(u64::from(most.min(Rate::MOST)) <= 4 * touched * each, "{:?} wastes", slots);
                prop_assert!(slots.names * slots.millis >= 2 * MINUTE);
            } else {
                prop_assert_eq!((slots.names, each), (1, 1));
            }
        }
    }
}
