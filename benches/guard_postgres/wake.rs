//! From queueing a change to its claim by another process that sleeps.

use std::time::{Duration, Instant};

use xynergy_core::env::{SystemClock, SystemEntropy};
use xynergy_core::execution::LeaseToken;
use xynergy_core::execution::machine::CallTime;
use xynergy_core::store::ChangeStore;

use crate::percentile;
use crate::world::{World, change, reserve, tenant};

const CHANGES: usize = 400;

pub(crate) async fn run(url: &str) {
    let world = World::new(url).await;
    let other = world.another().await;
    let (claimed, mut claims) = tokio::sync::mpsc::unbounded_channel();
    let worker = tokio::spawn(async move {
        loop {
            let now = CallTime::of(&SystemClock);
            for row in other.pick(&tenant(), now, Duration::from_secs(60), 1).await.unwrap() {
                let token = LeaseToken::fresh(&SystemEntropy);
                let moved = other
                    .transition(&tenant(), row.change.id, reserve(&row.change, now, token))
                    .await
                    .unwrap();
                assert!(moved.taken, "{moved:?}");
                claimed.send(Instant::now()).unwrap();
            }
            let _ = tokio::time::timeout(Duration::from_secs(1), other.woken()).await;
        }
    });
    let (mut from_call, mut from_commit) = (Vec::new(), Vec::new());
    for n in 0..CHANGES {
        // The worker is asleep again, and not about to poll by itself.
        tokio::time::sleep(Duration::from_millis(10)).await;
        let called = Instant::now();
        let now = CallTime::of(&SystemClock);
        world.queue(&tenant(), "act_0", vec![(change("act_0", n * 8, 0), Duration::ZERO)], now).await;
        let queued = Instant::now();
        let claimed = claims.recv().await.unwrap();
        from_call.push(claimed - called);
        from_commit.push(claimed.saturating_duration_since(queued));
    }
    worker.abort();
    let _ = worker.await;
    println!("wake: {CHANGES} changes, each queued while a worker of another pool sleeps");
    for (name, times) in
        [("from the call of queue to the claim", &mut from_call), ("from its return", &mut from_commit)]
    {
        times.sort_unstable();
        println!(
            "{name:<40} p50 {:>6.2} ms   p99 {:>6.2} ms   most {:>6.2} ms",
            percentile(times, 50).as_secs_f64() * 1e3,
            percentile(times, 99).as_secs_f64() * 1e3,
            times[times.len() - 1].as_secs_f64() * 1e3
        );
    }
    world.drop().await;
}
