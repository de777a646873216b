//! What opens a breaker, and what does not.

use std::time::Duration;

use futures_util::FutureExt;
use xynergy_core::layers::BreakerState;
use xynergy_core::{ErrorKind, Retry};

use crate::support::{Player, Script, Step, World, fails, says, stop, streams, text, world};

fn state(world: &World) -> (BreakerState, u32) {
    let breakers = world.ai.breakers(&world.ctx);
    let primary = breakers.iter().find(|breaker| breaker.provider == "primary").unwrap();
    (primary.state, primary.failure_count)
}

fn beside_a_healthy_one(scripts: Vec<Script>) -> World {
    let players = vec![Player::new("primary", scripts), Player::new("fallback", vec![says("healthy")])];
    world(players, |_| {})
}

#[tokio::test(start_paused = true)]
async fn only_faults_of_the_provider_count() {
    for (kind, opens) in [
        (ErrorKind::Unavailable, true),
        (ErrorKind::Timeout, true),
        (ErrorKind::Corrupt, true),
        (ErrorKind::Unauthorized, false),
        (ErrorKind::Throttled, false),
        (ErrorKind::Rejected, false),
        (ErrorKind::InvalidInput, false),
        (ErrorKind::ContextTooLong, false),
        (ErrorKind::ContentFiltered, false),
        (ErrorKind::Cancelled, false),
        (ErrorKind::LimitExceeded, false),
        (ErrorKind::NotFound, false),
        (ErrorKind::Unsupported, false),
    ] {
        let world = beside_a_healthy_one(vec![fails(kind, Retry::Never)]);
        for _ in 0..30 {
            let _ = world.ai.chat(&world.ctx, "Hi".into()).await;
        }
        let (expected, asked) = if opens { (BreakerState::Open, 5) } else { (BreakerState::Closed, 30) };
        assert_eq!((state(&world).0, world.players[0].calls()), (expected, asked), "{kind}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_their_caller_drops_do_not_count() {
    let world = beside_a_healthy_one(vec![Script { before: vec![Step::Hang], ..says("never") }]);
    for _ in 0..30 {
        assert!(world.ai.chat(&world.ctx, "Hi".into()).now_or_never().is_none());
        assert!(world.stream("Hi").now_or_never().is_none());
    }
    assert_eq!(state(&world), (BreakerState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn streams_that_break_off_count() {
    let breaks = streams(vec![text("half"), Step::Fail(ErrorKind::Unavailable, Retry::Never)]);
    let world = beside_a_healthy_one(vec![breaks]);
    for _ in 0..6 {
        world.stream("Hi").await;
    }
    assert_eq!((state(&world), world.players[0].calls()), ((BreakerState::Open, 5), 5));
}

#[tokio::test(start_paused = true)]
async fn a_slow_provider_is_left_alone() {
    let slow = Script { before: vec![Step::Wait(Duration::from_secs(16))], ..says("at last") };
    let world = beside_a_healthy_one(vec![slow]);
    for _ in 0..10 {
        assert_eq!(world.ai.chat(&world.ctx, "Hi".into()).await.unwrap().first_text(), "at last");
        assert_eq!(world.stream("Hi").await.text, "at last");
    }
    assert_eq!(state(&world).0, BreakerState::Open);
    assert_eq!(world.stream("Hi").await.text, "healthy");
}

#[tokio::test(start_paused = true)]
async fn a_long_stream_is_not_slow() {
    let pieces = vec![text("one "), Step::Wait(Duration::from_secs(16)), text("two"), stop()];
    let world = beside_a_healthy_one(vec![streams(pieces)]);
    for _ in 0..25 {
        assert_eq!(world.stream("Hi").await.text, "one two");
    }
    assert_eq!(state(&world), (BreakerState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn half_open_lets_three_probes_through_at_once() {
    let mut scripts = vec![fails(ErrorKind::Unavailable, Retry::Never); 5];
    scripts.push(Script { before: vec![Step::Wait(Duration::from_secs(1))], ..says("well again") });
    let world = beside_a_healthy_one(scripts);
    for _ in 0..5 {
        world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    }
    world.clock.advance(Duration::from_secs(53));
    world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    assert_eq!(world.players[0].calls(), 5, "it stays open for a minute less a tenth");
    world.clock.advance(Duration::from_secs(7));
    let calls = (0..10).map(|_| world.ai.chat(&world.ctx, "Hi".into()));
    futures_util::future::join_all(calls).await;
    assert_eq!((world.players[0].calls(), state(&world).0), (8, BreakerState::Closed));
}
