use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long the futures of one call were at work: all of them, and those of the providers among them. What is not in it is waiting.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    call: AtomicU64,
    providers: AtomicU64,
}

impl Busy {
    /// Runs the work of a call, or a part of it.
    pub(crate) async fn call<F: Future>(&self, work: F) -> F::Output {
        timed(work, &self.call).await
    }

    /// Runs the work of a provider within it.
    pub(crate) async fn provider<F: Future>(&self, work: F) -> F::Output {
        timed(work, &self.providers).await
    }

    /// Adds what was done outside a future.
    pub(crate) fn add(&self, took: Duration) {
        add(&self.call, took);
    }

    /// What the library itself did: the work of the call without that of the providers.
    pub(crate) fn own(&self) -> Duration {
        let (call, providers) = (self.call.load(Ordering::Relaxed), self.providers.load(Ordering::Relaxed));
        Duration::from_nanos(call.saturating_sub(providers))
    }
}

async fn timed<F: Future>(work: F, spent: &AtomicU64) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|cx| {
        let began = Instant::now();
        let polled = work.as_mut().poll(cx);
        add(spent, began.elapsed());
        polled
    })
    .await
}

fn add(spent: &AtomicU64, took: Duration) {
    spent.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_own_work_counts() {
        let busy = Busy::default();
        let work = |time: Duration| {
            let began = Instant::now();
            while began.elapsed() < time {
                std::hint::spin_loop();
            }
        };
        let (own, provider) = (Duration::from_millis(4), Duration::from_millis(20));
        busy.call(async {
            work(own);
            busy.provider(async {
                work(provider);
                tokio::time::sleep(Duration::from_millis(30)).await;
            })
            .await;
            tokio::time::sleep(Duration::from_millis(30)).await;
        })
        .await;
        assert!(busy.own() >= own && busy.own() < provider, "{:?}", busy.own());
        busy.add(Duration::from_millis(3));
        assert!(busy.own() >= own + Duration::from_millis(3));
    }
}
