use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::{Admission, Ask, Bucket, Rate, RateLimiter};
use crate::ctx::TenantId;
use crate::env::Timestamp;

/// How many buckets are kept at most.
const MOST: usize = 65_536;

/// Limits within this process. Buckets that are full again are forgotten when there are many; if there are too many all the same, so
/// are those that were not used for the longest time.
#[derive(Debug, Default)]
pub struct MemoryLimiter(Mutex<HashMap<(TenantId, String), (Bucket, Rate)>>);

impl MemoryLimiter {
    fn buckets(&self) -> MutexGuard<'_, HashMap<(TenantId, String), (Bucket, Rate)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<R>(&self, ask: &Ask, now: Timestamp, change: impl FnOnce(&mut Bucket) -> R) -> R {
        let mut buckets = self.buckets();
        if buckets.len() >= MOST {
            buckets.retain(|_, (bucket, rate)| !bucket.is_full(*rate, now));
            if buckets.len() > MOST / 2 {
                let mut times: Vec<Timestamp> = buckets.values().map(|(bucket, _)| bucket.at()).collect();
                let (_, middle, _) = times.select_nth_unstable(MOST / 4);
                let middle = *middle;
                buckets.retain(|_, (bucket, _)| bucket.at() > middle);
            }
        }
        let key = (ask.tenant.clone(), ask.key.clone());
        let (bucket, rate) = buckets.entry(key).or_insert_with(|| (Bucket::default(), ask.rate));
        *rate = ask.rate;
        change(bucket)
    }
}

#[async_trait]
impl RateLimiter for MemoryLimiter {
    async fn acquire(&self, ask: &Ask) -> Admission {
        self.with(ask, ask.at, |bucket| bucket.take(ask.rate, ask.tokens, ask.at))
    }

    fn correct(&self, ask: &Ask, used: u64, at: Timestamp) {
        self.with(ask, at, |bucket| bucket.correct(ask.rate, ask.tokens, used, at));
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    #[tokio::test]
    async fn it_is_bounded_over_tenants() {
        let limiter = MemoryLimiter::default();
        let rate = Rate { requests: NonZeroU32::new(1), tokens: None };
        let at = Timestamp::from_micros(1_772_366_400_000_000);
        let ask = |tenant: usize, micros: i64| Ask {
            tenant: TenantId::new(format!("t{tenant}")).unwrap(),
            key: String::new(),
            rate,
            tokens: 0,
            at: Timestamp::from_micros(at.micros() + micros),
            is_system_time: false,
        };
        for tenant in 0..2 * MOST {
            assert_eq!(
                limiter.acquire(&ask(tenant, i64::try_from(tenant).unwrap())).await,
                Admission::Admitted
            );
            assert!(limiter.buckets().len() <= MOST);
        }
        let last = 2 * MOST - 1;
        let again = limiter.acquire(&ask(last, i64::try_from(last).unwrap() + 1)).await;
        assert!(matches!(again, Admission::Wait(..)), "the latest were forgotten");
    }
}
