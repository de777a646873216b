//! More calls at once than there are places.

use std::time::Duration;

use futures_util::StreamExt;
use xynergy_core::provider::AttemptStatus;
use xynergy_core::{ErrorKind, Retry};

use crate::support::{PRICE, Player, Script, Step, World, says, world};

fn slow(name: &'static str) -> Player {
    Player::new(name, vec![Script { before: vec![Step::Wait(Duration::from_secs(1))], ..says("healthy") }])
}

async fn all_at_once(world: &World, calls: usize) -> (usize, Vec<xynergy_core::Error>) {
    let calls = (0..calls).map(|_| world.ai.chat(&world.ctx, "Hi".into()));
    let (answered, refused): (Vec<_>, Vec<_>) =
        futures_util::future::join_all(calls).await.into_iter().partition(Result::is_ok);
    (answered.len(), refused.into_iter().filter_map(Result::err).collect())
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_full_refuses_at_once() {
    let world = world(vec![slow("a")], |config| config.concurrency.max = 3);
    let started = tokio::time::Instant::now();
    let (answered, refused) = all_at_once(&world, 10).await;
    assert_eq!((answered, refused.len(), world.players[0].calls()), (3, 7, 3));
    assert_eq!(started.elapsed(), Duration::from_secs(1), "nothing queues");
    assert_eq!(refused[0].kind(), ErrorKind::Throttled);
    assert!(refused[0].message().contains("ai.concurrency.max"), "{}", refused[0]);
    assert!(matches!(refused[0].retry(), Retry::After(wait) if !wait.is_zero()));
    assert_eq!(world.settled_and_reserved().await, (3 * PRICE, 0));
    assert_eq!(all_at_once(&world, 3).await.0, 3, "the places are free again");
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_full_sends_on_to_the_next() {
    let world = world(vec![slow("a"), slow("b")], |config| config.concurrency.per_provider = 2);
    let (answered, refused) = all_at_once(&world, 5).await;
    assert_eq!((answered, refused.len()), (4, 1));
    assert_eq!((world.players[0].calls(), world.players[1].calls()), (2, 2));
    let later = world.ai.chat(&world.ctx, "Hi".into()).await.unwrap();
    assert_eq!(later.report.provider, "a", "a full provider has not asked to be left alone");
    assert_eq!(world.settled_and_reserved().await, (5 * PRICE, 0));
}

#[tokio::test(start_paused = true)]
async fn a_stream_holds_its_place_to_its_end() {
    let world = world(vec![slow("a"), slow("b")], |config| config.concurrency.per_provider = 1);
    let mut first = world.ai.stream(&world.ctx, "Hi".into()).await.unwrap();
    let second = world.stream("Hi").await;
    assert_eq!(second.report.provider, "b");
    assert_eq!(second.statuses(), [AttemptStatus::Skipped, AttemptStatus::Answered]);
    assert_eq!(second.report.attempts[0].reason.as_deref(), Some("too many in flight"));
    while first.next().await.is_some() {}
    assert_eq!(world.stream("Hi").await.report.provider, "a");

    let dropped = world.ai.stream(&world.ctx, "Hi".into()).await.unwrap();
    drop(dropped);
    assert_eq!(
        world.stream("Hi").await.report.provider,
        "a",
        "a stream that is dropped gives its place back"
    );
}
