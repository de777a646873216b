//! Second calls beside slow ones.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::FutureExt;
use xynergy_core::ErrorKind;
use xynergy_core::Retry;
use xynergy_core::config::AiConfig;
use xynergy_core::provider::{AttemptStatus, Outcome};

use crate::support::{PRICE, Player, Script, Step, World, fails, says, world};

fn takes(ms: u64, words: &str) -> Script {
    Script { before: vec![Step::Wait(Duration::from_millis(ms))], ..says(words) }
}

fn hedged(config: &mut AiConfig) {
    config.hedge.enabled = true;
}

/// A primary that took 100 ms twenty times, and what it does from then on.
async fn measured(next: Vec<Script>, second: Script) -> World {
    let mut scripts = vec![takes(100, "first"); 20];
    scripts.extend(next);
    let world = world(vec![Player::new("a", scripts), Player::new("b", vec![second])], hedged);
    for _ in 0..20 {
        world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    }
    assert_eq!(world.players[1].calls(), 0, "nothing is measured yet");
    world.events.drain();
    world
}

#[tokio::test(start_paused = true)]
async fn the_second_model_is_asked_after_the_measured_p95_and_both_are_paid_for() {
    for stream in [false, true] {
        let world = measured(vec![takes(10_000, "late")], takes(50, "second")).await;
        let started = tokio::time::Instant::now();
        let report = if stream {
            let seen = world.stream("Hi").await;
            assert_eq!((seen.text.as_str(), seen.outcome), ("second", Some(Outcome::Complete)));
            seen.report
        } else {
            world.ai.chat(&world.ctx, "Hi".into()).await.unwrap().report
        };
        assert_eq!((started.elapsed(), report.provider.as_str()), (Duration::from_millis(150), "b"));
        let lost = report.attempts.iter().find(|attempt| attempt.provider == "a").unwrap();
        assert_eq!((lost.status, lost.error.as_deref()), (AttemptStatus::Failed, Some("cancelled")));
        assert_eq!(lost.reason.as_deref(), Some("another call was faster"));
        assert_eq!(world.players[0].in_flight.load(Ordering::SeqCst), 0, "the loser is aborted");
        let spend = world.ai.spend(&world.ctx, None).await.unwrap();
        assert_eq!((spend.by_provider["a"].requests, spend.by_provider["b"].requests), (21, 1));
        assert_eq!(world.settled_and_reserved().await, (22 * PRICE, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_model_may_still_win() {
    let world = measured(vec![takes(200, "first")], takes(5_000, "late")).await;
    let answer = world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    assert_eq!((answer.first_text().as_str(), world.players[1].calls()), ("first", 1));
    assert_eq!(world.players[1].in_flight.load(Ordering::SeqCst), 0);
    assert_eq!(world.settled_and_reserved().await, (22 * PRICE, 0));
}

#[tokio::test(start_paused = true)]
async fn a_second_call_that_fails_leaves_the_first() {
    let world = measured(vec![takes(2_000, "first")], fails(ErrorKind::Rejected, Retry::Never)).await;
    let answer = world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    assert_eq!((answer.first_text().as_str(), world.players[1].calls()), ("first", 1));
    assert_eq!(world.settled_and_reserved().await, (21 * PRICE, 0), "who failed is not paid");
}

#[tokio::test(start_paused = true)]
async fn the_budget_bounds_them() {
    let world = measured(vec![takes(10_000, "late")], takes(50, "second")).await;
    for _ in 0..200 {
        world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    }
    let second = world.players[1].calls();
    assert!((2..=12).contains(&second), "one to start with and five for a hundred requests: {second}");
    assert_eq!(world.settled_and_reserved().await.1, 0);
}

#[tokio::test(start_paused = true)]
async fn there_are_none_unless_asked_for() {
    let scripts = (0..20).map(|_| takes(100, "first")).chain([takes(10_000, "late")]).collect();
    let world = world(vec![Player::new("a", scripts), Player::new("b", vec![says("never")])], |_| {});
    for _ in 0..21 {
        world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    }
    assert_eq!(world.players[1].calls(), 0);
}

/// A caller that goes away while two calls race is refunded both.
#[tokio::test(start_paused = true)]
async fn a_caller_may_go_in_the_middle() {
    let world = measured(vec![takes(10_000, "late")], takes(5_000, "late as well")).await;
    {
        let mut call = Box::pin(world.ai.chat(&world.ctx, "Hi".into()));
        assert!((&mut call).now_or_never().is_none());
        tokio::time::advance(Duration::from_millis(101)).await;
        assert!((&mut call).now_or_never().is_none());
        assert_eq!(world.players[1].calls(), 1);
    }
    assert_eq!(world.settled_and_reserved().await, (20 * PRICE, 0));
    for player in &world.players {
        assert_eq!(player.in_flight.load(Ordering::SeqCst), 0);
    }
}
