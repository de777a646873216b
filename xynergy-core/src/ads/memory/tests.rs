use super::*;
use crate::ads::ThrottleScope;
use crate::ctx::TenantId;
use crate::env::{Clock, Env, ManualClock};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

fn set() -> Owner {
    Owner::ad_set("s1")
}

struct World {
    platform: MemoryPlatform,
    clock: Arc<ManualClock>,
    ctx: Ctx,
    sent: std::cell::Cell<u32>,
}

impl World {
    fn new(platform: MemoryPlatform) -> Self {
        let clock = Arc::new(ManualClock::new("2026-03-01T12:00:00Z".parse().unwrap()));
        let env = Env { clock: clock.clone(), ..Env::default() };
        let ctx = Ctx::new(&env, TenantId::default());
        Self { platform: platform.with_owner(set(), "c1", 1_000), clock, ctx, sent: Default::default() }
    }

    async fn budget(&self) -> Option<i64> {
        self.platform.owner(&self.ctx, &set()).await.unwrap().daily_budget_minor
    }

    async fn send(&self, value: i64) -> Result<(), WriteFailure> {
        self.sent.set(self.sent.get() + 1);
        let write = AdWrite {
            owner: set(),
            field: ChangeField::Budget,
            value,
            change_id: ChangeId::derive(&["a", &self.sent.get().to_string()]),
            attempt: 1,
        };
        self.platform.set(&self.ctx, &write).await
    }

    async fn log(&self) -> Vec<Option<i64>> {
        let log = self.platform.activities(&self.ctx, "act_1", &set(), Timestamp::default()).await.unwrap();
        log.into_iter().map(|a| a.after).collect()
    }
}

fn world() -> World {
    World::new(MemoryPlatform::new("act_1", Currency::USD))
}

#[tokio::test]
async fn keeps_the_contract() {
    let platform = MemoryPlatform::new("act_1", Currency::USD)
        .with_owner(Owner::campaign("c2"), "c2", 5_000)
        .with_lifetime_owner(Owner::ad_set("s9"), "c9", 70_000)
        .with_owner(set(), "c1", 1_000);
    let ctx = Ctx::new(&Env::default(), TenantId::default());
    crate::conformance::ad_platform(&platform, &ctx, "act_1", &set()).await;
}

#[tokio::test]
async fn a_late_write_lands_at_its_time_and_in_the_order_of_times() {
    let world = world();
    world
        .platform
        .fault_writes([Some(WriteFault::LandAt(60 * SECOND)), Some(WriteFault::LandAt(30 * SECOND))]);
    for value in [1_100, 1_200] {
        assert_eq!(world.send(value).await.unwrap_err().class, WriteClass::Ambiguous);
    }
    assert_eq!(world.platform.next_landing(), Some(world.clock.now().plus(30 * SECOND)));
    world.clock.advance(29 * SECOND);
    assert_eq!(world.budget().await, Some(1_000));
    world.clock.advance(SECOND);
    assert_eq!(world.budget().await, Some(1_200), "the second was the first to land");
    let edited = world.clock.now().plus(20 * SECOND);
    world.clock.advance(HOUR);
    world.platform.edit(&set(), ChangeField::Budget, 1_300, edited);
    assert_eq!(world.budget().await, Some(1_100), "the first landed after the person's edit");
    let started: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    let effects = world.platform.effects();
    let shown: Vec<_> = effects.iter().map(|e| (e.at.since(started).as_secs(), e.before, e.after)).collect();
    assert_eq!(shown, [(30, 1_000, 1_200), (50, 1_200, 1_300), (60, 1_300, 1_100)]);
    assert_eq!((world.platform.next_landing(), world.platform.requests()), (None, 2));
}

#[tokio::test]
async fn replicas_and_logs_lag() {
    let world = world();
    world.platform.lag_reads(10 * SECOND);
    world.platform.lag_activities(60 * SECOND);
    world.send(1_100).await.unwrap();
    world.clock.advance(5 * SECOND);
    world.send(1_200).await.unwrap();
    assert_eq!((world.budget().await, world.log().await), (Some(1_000), vec![]));
    world.clock.advance(5 * SECOND);
    assert_eq!(world.budget().await, Some(1_100));
    let listed = world.platform.owners(&world.ctx, "act_1").await.unwrap();
    assert_eq!((listed[0].daily_budget_minor, listed[0].read_at), (Some(1_100), world.clock.now()));
    assert_eq!(world.platform.value(&set(), ChangeField::Budget), Some(1_200));
    world.clock.advance(5 * SECOND);
    assert_eq!(world.budget().await, Some(1_200));
    world.clock.advance(45 * SECOND);
    assert_eq!(world.log().await, [Some(1_100)]);
    world.clock.advance(5 * SECOND);
    assert_eq!(world.log().await, [Some(1_100), Some(1_200)]);
}

#[tokio::test]
async fn a_dead_token_refuses_everything_for_a_while() {
    let world = world();
    let now = world.clock.now();
    world.platform.fault_token(now.plus(SECOND), now.plus(2 * SECOND));
    world.send(1_100).await.unwrap();
    world.clock.advance(SECOND);
    assert_eq!(world.send(1_200).await.unwrap_err().class, WriteClass::Unauthorized);
    let unread = world.platform.owner(&world.ctx, &set()).await.unwrap_err();
    assert_eq!(unread.kind(), ErrorKind::Unauthorized);
    world.clock.advance(SECOND);
    assert_eq!(world.budget().await, Some(1_100));
}

#[tokio::test]
async fn the_fifth_change_of_an_hour_blocks_the_budget_for_one() {
    let world = World::new(MemoryPlatform::new("act_1", Currency::USD).with_budget_changes_per_hour(4));
    for value in [1_010, 1_020, 1_030, 1_040] {
        world.send(value).await.unwrap();
        world.clock.advance(60 * SECOND);
    }
    world.send(1_040).await.unwrap();
    let refused = world.send(1_050).await.unwrap_err();
    assert_eq!((refused.class, refused.scope), (WriteClass::Throttled, ThrottleScope::Owner));
    assert_eq!(refused.retry_after, Some(HOUR));
    world.clock.advance(HOUR - SECOND);
    assert_eq!(world.send(1_050).await.unwrap_err().retry_after, Some(SECOND), "a try does not lengthen it");
    world.clock.advance(SECOND);
    world.send(1_050).await.unwrap();
    assert_eq!(world.budget().await, Some(1_050));
}

#[tokio::test]
async fn a_lifetime_budget_is_shown_and_takes_no_daily_one() {
    let platform = MemoryPlatform::new("act_1", Currency::USD)
        .with_lifetime_owner(set(), "c1", 70_000)
        .with_learning(&set())
        .with_bid(&set(), 250);
    let ctx = Ctx::new(&Env::default(), TenantId::default());
    let state = platform.owner(&ctx, &set()).await.unwrap();
    assert_eq!((state.daily_budget_minor, state.lifetime_budget_minor), (None, Some(70_000)));
    assert!(state.learning && state.bid_minor == Some(250));
    assert!(platform.owners(&ctx, "act_1").await.unwrap().is_empty());
    let write = AdWrite {
        owner: set(),
        field: ChangeField::Budget,
        value: 1_000,
        change_id: ChangeId::derive(&["a"]),
        attempt: 1,
    };
    for refused in [platform.set(&ctx, &write).await, platform.validate(&ctx, &write).await] {
        let refused = refused.unwrap_err();
        assert!(refused.class == WriteClass::Rejected && refused.message.contains("lifetime"), "{refused}");
    }
    platform.set_learning(&set(), false);
    assert!(!platform.owner(&ctx, &set()).await.unwrap().learning);
}
