//! The executor over several tenants: workers, fairness, people's decisions, what lands late.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use xynergy_core::ads::{
    ChangeField, MemoryPlatform, Owner, ThrottleScope, WriteClass, WriteFailure, WriteFault,
};
use xynergy_core::env::{Clock, Entropy, Env, ManualClock, MemoryEvents, SeededEntropy};
use xynergy_core::execution::machine::{HumanVerdict, KillScope};
use xynergy_core::execution::{
    AdChange, AuditKind, ChangeId, ChangeRow, ChangeStatus, DrawKey, Executor, Policy, Reason, Role, Roles,
    RunOptions, RunReport, TenantExecutors, run, tick,
};
use xynergy_core::store::memory::MemoryChanges;
use xynergy_core::store::{ChangeFilter, ChangeStore, HistoryFilter};
use xynergy_core::{Ctx, Currency, Error, ErrorKind, Result, TenantId, Timestamp};

const ACCOUNT: &str = "act_1";
const HOUR: Duration = Duration::from_secs(3_600);

/// Tenants with an account each on platforms of their own, over one store.
#[derive(Debug)]
struct Tenants {
    store: Arc<dyn ChangeStore>,
    clock: Arc<ManualClock>,
    env: Env,
    policy: Policy,
    roles: Roles,
    /// A tenant whose executor cannot be had.
    keyless: Option<TenantId>,
    platforms: Vec<(TenantId, MemoryPlatform)>,
}

impl Tenants {
    fn new(count: usize, policy: Policy) -> Self {
        let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_770_000_000_000)));
        let env = Env {
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            entropy: Arc::new(SeededEntropy::new(3)) as Arc<dyn Entropy>,
            events: Arc::new(MemoryEvents::default()),
        };
        let platform = || {
            (0..40).fold(MemoryPlatform::new(ACCOUNT, Currency::USD), |platform, n| {
                platform.with_owner(Owner::ad_set(format!("s{n}")), &format!("c{}", n / 10), 1_000)
            })
        };
        let id =
            |n: usize| if n == 0 { TenantId::default() } else { TenantId::new(format!("t{n}")).unwrap() };
        let platforms = (0..count).map(|n| (id(n), platform())).collect();
        let store = Arc::new(MemoryChanges::default());
        Self { store, clock, env, policy, roles: Roles::default(), keyless: None, platforms }
    }

    fn platform(&self, n: usize) -> &MemoryPlatform {
        &self.platforms[n].1
    }

    fn of(&self, n: usize) -> (Executor, Ctx) {
        let (tenant, platform) = &self.platforms[n];
        let ctx = Ctx::new(&self.env, tenant.clone()).with_actor("alice");
        let platform = Arc::new(platform.clone());
        let executor =
            Executor::new(Arc::clone(&self.store), platform, self.policy, DrawKey::from_seed(1)).unwrap();
        (executor.with_roles(self.roles.clone()), ctx)
    }

    async fn queue(&self, n: usize, changes: Vec<AdChange>) -> Vec<ChangeRow> {
        let (executor, ctx) = self.of(n);
        executor.queue(&ctx, changes).await.unwrap()
    }

    async fn row(&self, n: usize, name: &str) -> ChangeRow {
        let (executor, ctx) = self.of(n);
        executor.get(&ctx, ChangeId::derive(&[name])).await.unwrap().unwrap()
    }

    async fn tick(&self, workers: usize) -> RunReport {
        let options = RunOptions { workers, ..RunOptions::default() };
        tick(&self.store, self, &self.env, options).await.unwrap()
    }

    /// Ticks at each time at which something is due.
    async fn pass(&self, time: Duration) {
        let end = self.clock.now().plus(time);
        while let Some(due) = self.store.next_due_of_any().await.unwrap().filter(|due| *due <= end) {
            self.clock.set(due.max(self.clock.now().plus(Duration::from_millis(1))));
            self.tick(4).await;
        }
        self.clock.set(end);
    }
}

#[async_trait]
impl TenantExecutors for Tenants {
    async fn executor(&self, tenant: &TenantId) -> Result<(Executor, Ctx)> {
        if self.keyless.as_ref() == Some(tenant) {
            return Err(Error::new(ErrorKind::ConfigInvalid, "test", "no key"));
        }
        Ok(self.of(self.platforms.iter().position(|(id, _)| id == tenant).unwrap()))
    }
}

fn change(name: &str, set: usize, from: i64, target: i64) -> AdChange {
    AdChange {
        id: ChangeId::derive(&[name]),
        account_id: ACCOUNT.into(),
        campaign_id: format!("c{}", set / 10),
        owner: Owner::ad_set(format!("s{set}")),
        field: ChangeField::Budget,
        expected_from: from,
        target,
        currency: Currency::USD,
        allocation_id: None,
        causation_id: None,
        reason: String::new(),
        expires_at: None,
        ramp: None,
    }
}

fn throttled(scope: ThrottleScope, seconds: u64) -> WriteFault {
    WriteFault::Fail(WriteFailure {
        retry_after: Some(Duration::from_secs(seconds)),
        scope,
        ..WriteFailure::new(WriteClass::Throttled, "slow down")
    })
}

#[tokio::test]
async fn a_long_queue_of_one_tenant_keeps_no_other_waiting() {
    let tenants = Tenants::new(3, Policy { campaign_changes: 100, ..Policy::exact() });
    tenants.queue(0, (0..40).map(|n| change(&format!("a{n}"), n, 1_000, 1_100)).collect()).await;
    for n in [1, 2] {
        tenants.queue(n, vec![change("b", 0, 1_000, 1_100)]).await;
    }
    let mut order = Vec::new();
    loop {
        // One step at a time of one worker, as `tick` takes them.
        let before: Vec<_> = (0..3).map(|n| tenants.platform(n).effects().len()).collect();
        let report = tick_once(&tenants).await;
        if report == 0 {
            break;
        }
        let moved = (0..3).find(|n| tenants.platform(*n).effects().len() > before[*n]);
        order.extend(moved);
    }
    assert_eq!(order.len(), 42);
    for n in [1, 2] {
        let place = order.iter().position(|moved| *moved == n).unwrap();
        assert!(place < 3, "tenant {n} waited for {place} changes of others");
    }
}

/// Picks in the order of a run with one worker, and does the first.
async fn tick_once(tenants: &Tenants) -> u64 {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static TURN: AtomicUsize = AtomicUsize::new(0);
    for _ in 0..tenants.platforms.len() {
        let n = TURN.fetch_add(1, Ordering::SeqCst) % tenants.platforms.len();
        let (executor, ctx) = tenants.of(n);
        if executor.run_once(&ctx).await.unwrap().is_some() {
            return 1;
        }
    }
    0
}

#[tokio::test]
async fn a_tick_of_many_workers_does_all_that_is_due_once() {
    let tenants = Tenants::new(4, Policy { campaign_changes: 100, ..Policy::exact() });
    for n in 0..4 {
        tenants.queue(n, (0..30).map(|m| change(&format!("x{m}"), m, 1_000, 1_100)).collect()).await;
    }
    let report = tenants.tick(8).await;
    assert_eq!((report.completed, report.passed_by, report.errors), (120, 0, 0), "{report:?}");
    for n in 0..4 {
        assert_eq!(tenants.platform(n).effects().len(), 30);
        assert_eq!(tenants.platform(n).requests(), 30, "no worker trod on another's toes");
    }
    assert_eq!(tenants.tick(8).await, RunReport::default(), "nothing is left");
}

#[tokio::test]
async fn a_run_wakes_at_what_is_queued_and_drains_at_its_end() {
    let tenants = Arc::new(Tenants::new(2, Policy::exact()));
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = Arc::clone(&tenants);
    let worker = tokio::spawn(async move {
        // A poll that never comes: only a wake-up can start the work.
        let options = RunOptions { workers: 2, poll_ms: 3_600_000, reconcile_ms: 0 };
        let until = async {
            let _ = stopped.await;
        };
        run(&running.store, &*running, &running.env, options, until).await.unwrap()
    });
    tokio::task::yield_now().await;
    tenants.queue(0, vec![change("one", 0, 1_000, 1_100)]).await;
    tenants.queue(1, vec![change("two", 0, 1_000, 1_100)]).await;
    tokio::time::timeout(Duration::from_secs(60), async {
        while tenants.row(0, "one").await.status != ChangeStatus::Completed
            || tenants.row(1, "two").await.status != ChangeStatus::Completed
        {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("it was woken");
    stop.send(()).unwrap();
    let report = worker.await.unwrap();
    assert_eq!((report.completed, report.steps), (2, 2), "{report:?}");
}

#[tokio::test]
async fn a_tenant_without_its_key_keeps_no_other_waiting() {
    let mut tenants = Tenants::new(3, Policy { campaign_changes: 100, ..Policy::exact() });
    for n in 0..3 {
        tenants.queue(n, (0..10).map(|m| change(&format!("x{m}"), m, 1_000, 1_100)).collect()).await;
    }
    tenants.keyless = Some(TenantId::default());
    let report = tenants.tick(2).await;
    assert_eq!(
        (report.completed, report.errors),
        (20, 2),
        "once by the search, once by the work: {report:?}"
    );
    tenants.keyless = None;
    assert_eq!(tenants.tick(2).await.completed, 10);
}

#[tokio::test]
async fn a_run_without_workers_is_refused() {
    let tenants = Tenants::new(1, Policy::exact());
    for options in [
        RunOptions { workers: 0, ..RunOptions::default() },
        RunOptions { workers: 300, ..RunOptions::default() },
        RunOptions { poll_ms: 0, ..RunOptions::default() },
    ] {
        let error = tick(&tenants.store, &tenants, &tenants.env, options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.message().starts_with("workers: ") || error.message().starts_with("poll_ms: "));
    }
}

#[tokio::test]
async fn a_dead_token_holds_back_its_tenant_alone() {
    let tenants = Tenants::new(2, Policy { campaign_changes: 100, ..Policy::exact() });
    for n in [0, 1] {
        tenants.queue(n, (0..20).map(|m| change(&format!("x{m}"), m, 1_000, 1_100)).collect()).await;
    }
    let dead = WriteFault::Fail(WriteFailure::new(WriteClass::Unauthorized, "190"));
    tenants.platform(0).fault_writes([None, None, Some(dead)]);
    tenants.tick(1).await;
    assert_eq!(tenants.platform(1).effects().len(), 20, "the other tenant goes on");
    assert_eq!(tenants.platform(0).requests(), 3, "nothing more is tried with a token that died");
    let (executor, ctx) = tenants.of(0);
    let rows = executor.list(&ctx, &ChangeFilter::default()).await.unwrap();
    let held = rows.iter().filter(|r| r.reason == Some(Reason::Unauthorized) && r.waiting());
    assert_eq!(held.count(), 18);
    tenants.pass(2 * HOUR).await;
    assert_eq!(tenants.platform(0).effects().len(), 20, "a new token brings the rest");
}

#[tokio::test]
async fn a_throttled_ad_set_is_left_alone_and_teaches_its_limit() {
    let policy = Policy { adset_budget_changes: 10, ..Policy::exact() };
    let tenants = Tenants::new(1, policy);
    tenants.queue(0, vec![change("a", 0, 1_000, 1_010)]).await;
    tenants.tick(1).await;
    tenants.platform(0).fault_writes([Some(throttled(ThrottleScope::Owner, 3_600))]);
    tenants.queue(0, vec![change("b", 0, 1_010, 1_020)]).await;
    tenants.tick(1).await;
    tenants.queue(0, vec![change("other", 1, 1_000, 1_100)]).await;
    tenants.tick(1).await;
    assert_eq!(tenants.row(0, "b").await.reason, Some(Reason::Throttled));
    assert_eq!(tenants.row(0, "other").await.status, ChangeStatus::Completed, "another ad set goes on");
    let requests = tenants.platform(0).requests();
    tenants.pass(Duration::from_secs(3_500)).await;
    assert_eq!(tenants.platform(0).requests(), requests, "nothing is sent in the pause");
    tenants.pass(Duration::from_secs(200)).await;
    assert_eq!(tenants.row(0, "b").await.status, ChangeStatus::Completed);
    tenants.queue(0, vec![change("c", 0, 1_020, 1_030)]).await;
    tenants.tick(1).await;
    assert_eq!(tenants.row(0, "c").await.reason, Some(Reason::RateLimitOwner), "one an hour is what it took");
}

#[tokio::test]
async fn a_far_target_is_reached_over_the_coming_windows() {
    let tenants = Tenants::new(1, Policy::seed());
    let (executor, ctx) = tenants.of(0);
    let far = change("far", 0, 1_000, 2_000);
    let rows = executor.queue_ramped(&ctx, vec![far.clone()]).await.unwrap();
    assert_eq!(rows.len(), 4);
    assert_eq!(executor.queue_ramped(&ctx, vec![far]).await.unwrap(), rows, "asking again queues nothing");
    tenants.pass(30 * HOUR).await;
    let effects = tenants.platform(0).effects();
    assert_eq!(effects.iter().map(|e| e.after).collect::<Vec<_>>(), [1_200, 1_440, 1_728, 2_000]);
    assert!(effects.windows(2).all(|w| w[1].at.since(w[0].at) >= 6 * HOUR));

    let rows = executor.queue_ramped(&ctx, vec![change("down", 0, 2_000, 900)]).await.unwrap();
    tenants.pass(7 * HOUR).await;
    let newer = executor.queue(&ctx, vec![change("newer", 0, 1_280, 1_300)]).await.unwrap();
    let left = executor.list(&ctx, &ChangeFilter::default()).await.unwrap();
    let superseded = left.iter().filter(|r| r.reason == Some(Reason::Superseded)).count();
    assert_eq!(superseded, rows.len() - 2, "all steps that still waited");
    assert!(newer[0].waiting());
}

#[tokio::test]
async fn people_edits_end_what_waits_for_the_object() {
    let tenants = Tenants::new(1, Policy::exact());
    let first = tenants.queue(0, vec![change("first", 0, 1_000, 1_050)]).await;
    tenants.tick(1).await;
    assert_eq!(tenants.row(0, "first").await.status, ChangeStatus::Completed, "{first:?}");
    let pause = AdChange { field: ChangeField::Status, expected_from: 1, ..change("pause", 0, 1, 0) };
    let later = AdChange { expected_from: 1, ..pause };
    tenants
        .queue(0, vec![change("raise", 0, 1_050, 1_100), later, change("elsewhere", 1, 1_000, 1_100)])
        .await;
    let owner = Owner::ad_set("s0");
    tenants.platform(0).edit(&owner, ChangeField::Budget, 1_070, tenants.clock.now());
    tenants.tick(1).await;
    let reasons: BTreeSet<_> =
        [tenants.row(0, "raise").await, tenants.row(0, "pause").await].iter().map(|r| r.reason).collect();
    assert!(reasons.is_subset(&BTreeSet::from([Some(Reason::Drifted), Some(Reason::Edited)])), "{reasons:?}");
    assert_eq!(tenants.row(0, "elsewhere").await.status, ChangeStatus::Completed, "other objects go on");
    assert_eq!(
        tenants.platform(0).value(&owner, ChangeField::Budget),
        Some(1_070),
        "the person's word stands"
    );
    tenants.queue(0, vec![change("after", 0, 1_070, 1_201)]).await;
    tenants.tick(1).await;
    assert_eq!(tenants.row(0, "after").await.reason, Some(Reason::Velocity), "the edit consumed velocity");
}

#[tokio::test]
async fn what_lands_after_its_verdict_is_found_and_counts() {
    let tenants = Tenants::new(1, Policy { max_attempts: 1, ..Policy::exact() });
    let late = WriteFault::LandAt(Duration::from_secs(600));
    tenants.platform(0).fault_writes([Some(late)]);
    tenants.queue(0, vec![change("late", 0, 1_000, 1_100)]).await;
    tenants.pass(Duration::from_secs(300)).await;
    let row = tenants.row(0, "late").await;
    assert_eq!((row.status, row.reason), (ChangeStatus::Failed, Some(Reason::AttemptsExhausted)));
    tenants.pass(Duration::from_secs(600)).await;
    let (executor, ctx) = tenants.of(0);
    // A worker whose clock is days ahead finds it too.
    tenants.clock.advance(48 * HOUR);
    let found = executor.reconcile(&ctx).await.unwrap();
    assert_eq!(found.late, 1);
    let row = tenants.row(0, "late").await;
    assert_eq!((row.status, row.reason), (ChangeStatus::Completed, Some(Reason::LandedLate)));
    assert_eq!(executor.reconcile(&ctx).await.unwrap().late, 0, "once");
    let history = executor.history(&ctx, ACCOUNT, &HistoryFilter::default()).await.unwrap();
    assert_eq!(history.last().unwrap().kind, AuditKind::Late);
    assert!(executor.verify_audit(&ctx).await.unwrap().chain_ok);
}

#[tokio::test]
async fn what_a_later_request_did_is_not_found_late_however_long_ago() {
    let tenants = Tenants::new(1, Policy::exact());
    tenants.platform(0).fault_writes([Some(WriteFault::LostBefore)]);
    tenants.queue(0, vec![change("again", 0, 1_000, 1_100)]).await;
    tenants.pass(HOUR).await;
    let row = tenants.row(0, "again").await;
    assert_eq!((row.status, row.attempt), (ChangeStatus::Completed, 2));
    let (executor, ctx) = tenants.of(0);
    // The tenant stands still, so what the store watches does not move on.
    for _ in 0..3 {
        tenants.clock.advance(20 * HOUR);
        assert_eq!(executor.reconcile(&ctx).await.unwrap().late, 0);
    }
}

#[tokio::test]
async fn a_verdict_and_a_retry_need_a_person_with_the_role() {
    let mut tenants = Tenants::new(1, Policy { max_attempts: 1, ..Policy::exact() });
    tenants.platform(0).fault_writes([Some(WriteFault::LostBefore)]);
    tenants.queue(0, vec![change("lost", 0, 1_000, 1_100)]).await;
    tenants.pass(HOUR).await;
    let id = ChangeId::derive(&["lost"]);
    let needs_human = ChangeFilter { needs_human: true, ..ChangeFilter::default() };
    let (executor, ctx) = tenants.of(0);
    assert_eq!(executor.list(&ctx, &needs_human).await.unwrap().len(), 1);

    tenants.roles = Roles::new([("bob".to_owned(), BTreeSet::from([Role::Operator]))]);
    let (executor, _) = tenants.of(0);
    let nobody = Ctx { actor: None, ..ctx.clone() };
    assert_eq!(executor.retry(&nobody, id).await.unwrap_err().kind(), ErrorKind::InvalidInput);
    let refused = executor.retry(&ctx, id).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unauthorized);
    assert!(refused.message().contains("operator"), "{refused}");
    let bob = ctx.clone().with_actor("bob");
    let resolved = executor.resolve(&bob, id, HumanVerdict::Applied, "saw it").await.unwrap_err();
    assert_eq!(resolved.kind(), ErrorKind::Conflict, "it has its verdict: not applied");
    assert_eq!(
        executor.resolve(&bob, id, HumanVerdict::Applied, " ").await.unwrap_err().kind(),
        ErrorKind::InvalidInput
    );
    executor.retry(&bob, id).await.unwrap();
    tenants.pass(HOUR).await;
    assert_eq!(tenants.row(0, "lost").await.status, ChangeStatus::Completed);
    assert_eq!(executor.retry(&bob, id).await.unwrap_err().kind(), ErrorKind::Conflict);
    assert_eq!(tenants.platform(0).effects().len(), 1);
    assert_eq!(executor.approve(&bob, &"0".repeat(64)).await.unwrap_err().kind(), ErrorKind::Unauthorized);
}

#[tokio::test]
async fn the_global_switch_stops_every_tenant() {
    let tenants = Tenants::new(3, Policy::exact());
    let (executor, ctx) = tenants.of(0);
    let (of_other, other) = tenants.of(1);
    assert_eq!(
        of_other.kill(&other, &KillScope::Global, true).await.unwrap_err().kind(),
        ErrorKind::Unauthorized
    );
    executor.kill(&ctx, &KillScope::Global, true).await.unwrap();
    for n in 0..3 {
        tenants.queue(n, vec![change("x", 0, 1_000, 1_100)]).await;
    }
    tenants.tick(4).await;
    assert!((0..3).all(|n| tenants.platform(n).requests() == 0));
    assert_eq!(tenants.row(2, "x").await.reason, Some(Reason::KillSwitch));
    executor.kill(&ctx, &KillScope::Global, false).await.unwrap();
    tenants.tick(4).await;
    assert!((0..3).all(|n| tenants.platform(n).effects().len() == 1));
}
