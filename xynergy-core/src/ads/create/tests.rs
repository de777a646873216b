use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::ads::{AdObjectKind, AdObjectQuery, MemoryPlatform, WriteClass, WriteFailure, WriteFault};
use crate::ctx::TenantId;
use crate::env::{Clock, Env, ManualClock};
use crate::money::Currency;
use crate::store::memory::MemoryState;

const LANDING: Duration = Duration::from_secs(180);
const SECOND: Duration = Duration::from_secs(1);

struct World {
    platform: MemoryPlatform,
    state: MemoryState,
    clock: Arc<ManualClock>,
    ctx: Ctx,
}

fn world(faults: impl IntoIterator<Item = Option<WriteFault>>) -> World {
    let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
    let env = Env { clock: clock.clone(), ..Env::default() };
    let platform = MemoryPlatform::new("act_1", Currency::USD);
    platform.fault_creates(faults);
    World { platform, state: MemoryState::default(), clock, ctx: Ctx::new(&env, TenantId::default()) }
}

fn spec(name: &str) -> AdObjectSpec {
    let fields = json!({"objective": "OUTCOME_LEADS"}).as_object().unwrap().clone();
    AdObjectSpec { kind: AdObjectKind::Campaign, account_id: "act_1".into(), name: name.into(), fields }
}

impl World {
    async fn create(&self, key: &str) -> Result<AdObject> {
        create_once(&self.platform, &self.state, &self.ctx, &spec("Spring"), key, LANDING).await
    }

    async fn objects(&self) -> usize {
        self.platform.land(self.clock.now());
        let query = AdObjectQuery {
            kind: AdObjectKind::Campaign,
            account_id: "act_1".into(),
            parent_id: None,
            fields: Vec::new(),
            limit: None,
            after: None,
        };
        self.platform.objects(&self.ctx, &query).await.unwrap().objects.len()
    }
}

fn waits(error: &Error) -> Duration {
    assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error}");
    match error.retry() {
        Retry::After(wait) => wait,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_key_is_the_same_object() {
    let world = world([]);
    let first = world.create("a").await.unwrap();
    assert_eq!(world.create("a").await.unwrap(), first);
    assert_eq!(world.platform.requests(), 1);
    assert_ne!(world.create("b").await.unwrap().id, first.id);
    let other = create_once(&world.platform, &world.state, &world.ctx, &spec("Autumn"), "a", LANDING).await;
    let other = other.unwrap_err();
    assert!(other.kind() == ErrorKind::Conflict && other.message().starts_with("key: "), "{other}");
    let unprefixed = AdObjectSpec { account_id: "1".into(), ..spec("Spring") };
    let same = create_once(&world.platform, &world.state, &world.ctx, &unprefixed, "a", LANDING).await;
    assert_eq!(same.unwrap(), first, "an account is the same with and without its prefix");
    assert!(world.create("a b").await.unwrap_err().message().starts_with("key: "));
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_looked_up_before_anything_is_sent_again() {
    let world = world([Some(WriteFault::LostAfter)]);
    let found = world.create("a").await.unwrap();
    assert!(found.name.starts_with("Spring [xy:"));
    assert_eq!((world.platform.requests(), world.objects().await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_never_arrived_is_sent_again_only_when_it_cannot_land_any_more() {
    let world = world([Some(WriteFault::LostBefore)]);
    assert_eq!(waits(&world.create("a").await.unwrap_err()), LANDING);
    world.clock.advance(LANDING - SECOND);
    assert_eq!(waits(&world.create("a").await.unwrap_err()), SECOND);
    assert_eq!(world.platform.requests(), 1, "nothing was sent again");
    world.clock.advance(SECOND);
    world.create("a").await.unwrap();
    assert_eq!((world.platform.requests(), world.objects().await), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn what_lands_late_is_found() {
    let world = world([Some(WriteFault::LandAt(60 * SECOND))]);
    waits(&world.create("a").await.unwrap_err());
    world.clock.advance(60 * SECOND);
    world.create("a").await.unwrap();
    world.clock.advance(10 * LANDING);
    world.create("a").await.unwrap();
    assert_eq!((world.platform.requests(), world.objects().await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_created_nothing_and_may_be_followed_at_once() {
    let throttled =
        WriteFailure { retry_after: Some(SECOND), ..WriteFailure::new(WriteClass::Throttled, "slow") };
    let world = world([Some(WriteFault::Fail(throttled))]);
    let refused = world.create("a").await.unwrap_err();
    assert_eq!((refused.kind(), refused.retry()), (ErrorKind::Throttled, Retry::After(SECOND)));
    world.create("a").await.unwrap();
    assert_eq!((world.platform.requests(), world.objects().await), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_vanished_in_between_leaves_one_object() {
    let world = world([Some(WriteFault::HangAfter)]);
    let dropped = tokio::time::timeout(SECOND, world.create("a")).await;
    assert!(dropped.is_err(), "the request hangs");
    world.create("a").await.unwrap();
    assert_eq!((world.platform.requests(), world.objects().await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn two_callers_with_one_key_create_one_object() {
    let world = world([]);
    let (one, two) = tokio::join!(world.create("a"), world.create("a"));
    let ids: Vec<String> = [one, two].into_iter().filter_map(|r| r.ok().map(|o| o.id)).collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| *id == ids[0]));
    assert_eq!((world.platform.requests(), world.objects().await), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_refused_before_anything_is_sent() {
    let world = world([]);
    let active =
        AdObjectSpec { fields: json!({"status": "ACTIVE"}).as_object().unwrap().clone(), ..spec("Spring") };
    let refused = create_once(&world.platform, &world.state, &world.ctx, &active, "a", LANDING).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(world.platform.requests(), 0);
}
