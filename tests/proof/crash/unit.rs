//! The units of work that a process can be killed in.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use xynergy::execution::{
    AccountLimits, AdChange, ChangeFilter, ChangeStatus, HumanVerdict, KillScope, Reason, RunOptions,
    plan_digest,
};
use xynergy::sandbox::FaultRule;
use xynergy::{Currency, ErrorKind, Scope, TenantId};

use crate::site::{ACCOUNT, Site, change};

/// What a process does when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Unit {
    /// It gives up a claim that another process left behind.
    Abandon,
    /// It applies a change: picks, reserves, begins, sends, settles.
    Apply,
    /// It applies a change whose answer is lost, before or after the effect.
    ApplyLost(Lost),
    /// It applies a change that the platform refuses.
    ApplyRejected,
    /// It applies a change that the platform is too busy for.
    ApplyThrottled,
    /// It approves a plan.
    Approve,
    /// It cancels the first step of a ramp, and with it the others.
    Cancel,
    /// It switches a kill switch off, under which changes wait.
    KillOff,
    /// It switches a kill switch on.
    KillOn,
    /// It finds a request that landed after the verdict that it had not.
    Late,
    /// It sets limits.
    Limits,
    /// It makes the tables, and queues.
    Open,
    /// It queues a cut and a raise of one allocation; the cut takes the place of an older change.
    Queue,
    /// It queues a ramp.
    QueueRamped,
    /// It finds out what became of a request whose answer was lost.
    Reconcile(Lost),
    /// It is told that the limit on movement holds a change back.
    Refuse,
    /// It takes a person's verdict.
    Resolve(HumanVerdict),
    /// It sends a change again that failed.
    Retry,
    /// It does everything that is due, with two workers.
    Tick,
    /// It sees an edit, which ends the changes that wait for that object.
    Yield,
}

/// Where a change stands when it is over.
type End = (ChangeStatus, Option<Reason>);

/// Where the answer of a request is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Lost {
    /// Before the effect: there is none.
    Before,
    /// After the effect.
    After,
}

impl Unit {
    pub(crate) const ALL: [Self; 23] = [
        Self::Abandon,
        Self::Apply,
        Self::ApplyLost(Lost::Before),
        Self::ApplyLost(Lost::After),
        Self::ApplyRejected,
        Self::ApplyThrottled,
        Self::Approve,
        Self::Cancel,
        Self::KillOff,
        Self::KillOn,
        Self::Late,
        Self::Limits,
        Self::Open,
        Self::Queue,
        Self::QueueRamped,
        Self::Reconcile(Lost::Before),
        Self::Reconcile(Lost::After),
        Self::Refuse,
        Self::Resolve(HumanVerdict::Applied),
        Self::Resolve(HumanVerdict::NotApplied),
        Self::Retry,
        Self::Tick,
        Self::Yield,
    ];

    pub(crate) fn requires_approval(self) -> bool {
        self == Self::Approve
    }

    /// What goes wrong on the platform.
    pub(crate) fn faults(self) -> Vec<FaultRule> {
        let fault = match self {
            Self::ApplyLost(Lost::Before) | Self::Reconcile(Lost::Before) | Self::Resolve(_) => {
                json!({"cut": "before"})
            }
            Self::ApplyLost(Lost::After) | Self::Reconcile(Lost::After) => json!({"cut": "after"}),
            Self::ApplyRejected | Self::Retry => json!({"graph_error": {"code": 100}}),
            Self::ApplyThrottled => json!({"graph_error": {"code": 17}}),
            // The lease is over after a minute, and nothing lands later than two more, it is said.
            Self::Late => json!({"late_ms": 200_000}),
            _ => return Vec::new(),
        };
        let rule = json!([{"method": "POST", "path": "/v*/s1", "nth": 1, "fault": fault}]);
        xynergy::sandbox::parse_faults(&rule.to_string()).unwrap()
    }

    /// What happened before the process that is killed was started.
    pub(crate) async fn prepare(self, site: &Site) {
        if self == Self::Open {
            return;
        }
        let scope = site.scope().await;
        scope.execution().set_limits(ACCOUNT, &limits(10_000)).await.unwrap();
        match self {
            Self::Limits | Self::Open | Self::QueueRamped => {}
            Self::Queue => queue(&scope, vec![site.change("older", "s1", 1_000, 1_010)]).await,
            Self::Cancel => {
                scope.execution().queue_ramped(vec![ramp(&site.tenant)]).await.unwrap();
            }
            Self::Approve => queue(&scope, plan(&site.tenant)).await,
            Self::Refuse => queue(&scope, vec![site.change("one", "s1", 1_000, 1_500)]).await,
            Self::Tick => {
                queue(
                    &scope,
                    vec![site.change("one", "s1", 1_000, 1_100), site.change("two", "c2", 2_000, 2_100)],
                )
                .await;
            }
            Self::Yield => {
                queue(&scope, vec![site.change("one", "s1", 1_000, 1_100)]).await;
                site.edit("s1", 1_005).await;
            }
            _ => queue(&scope, vec![site.change("one", "s1", 1_000, 1_100)]).await,
        }
        self.prepare_further(site, &scope).await;
        // What waits for an approval is due when it expires.
        if self != Self::Approve {
            let due = scope.execution().next_due().await.unwrap();
            site.clock.set(due.unwrap_or(site.now()).max(site.now()));
        }
    }

    async fn prepare_further(self, site: &Site, scope: &Scope) {
        match self {
            Self::Abandon => abandon_claim(site).await,
            Self::KillOff => {
                scope.execution().kill(&KillScope::Tenant, true).await.unwrap();
                queue(scope, vec![site.change("two", "c2", 2_000, 2_100)]).await;
                for _ in 0..2 {
                    assert_eq!(site.step(scope).await.row.reason, Some(Reason::KillSwitch));
                }
            }
            Self::Late => {
                assert_eq!(site.step(scope).await.row.reason, Some(Reason::Unknown));
                assert_eq!(site.step(scope).await.row.reason, Some(Reason::NotApplied));
                // Somebody withdraws it, so that it is not sent again; then it lands.
                assert!(scope.execution().cancel(site.id("one")).await.unwrap().moved);
                site.clock.advance(Duration::from_secs(60));
                site.sandbox.apply_due().await.unwrap();
            }
            Self::Reconcile(_) => {
                assert_eq!(site.step(scope).await.row.reason, Some(Reason::Unknown));
            }
            Self::Resolve(_) => {
                assert_eq!(site.step(scope).await.row.reason, Some(Reason::Unknown));
                site.edit("s1", 1_050).await;
                assert_eq!(site.step(scope).await.row.reason, Some(Reason::Conflict));
            }
            Self::Retry => {
                assert_eq!(site.step(scope).await.row.reason, Some(Reason::PlatformRejected));
            }
            _ => {}
        }
    }

    /// What the process does that is killed.
    pub(crate) async fn work(self, scope: &Scope) -> xynergy::Result<()> {
        let execution = scope.execution();
        let tenant = scope.tenant();
        match self {
            Self::Abandon
            | Self::Apply
            | Self::ApplyLost(_)
            | Self::ApplyRejected
            | Self::ApplyThrottled
            | Self::Reconcile(_)
            | Self::Refuse
            | Self::Yield => {
                execution.run_once().await?.expect("it is due");
            }
            Self::Approve => drop(execution.approve(&plan_digest(&plan(tenant)).unwrap()).await?),
            Self::Cancel => drop(execution.cancel(ramp(tenant).id).await?),
            Self::KillOff => execution.kill(&KillScope::Tenant, false).await?,
            Self::KillOn => execution.kill(&KillScope::Tenant, true).await?,
            Self::Late => assert_eq!(execution.reconcile().await?.late, 1),
            Self::Limits => execution.set_limits(ACCOUNT, &limits(9_000)).await?,
            Self::Open => drop(execution.queue(vec![change(tenant, "one", "s1", 1_000, 1_100)]).await?),
            Self::Queue => drop(execution.queue(plan(tenant)).await?),
            Self::QueueRamped => drop(execution.queue_ramped(vec![ramp(tenant)]).await?),
            Self::Resolve(verdict) => {
                execution.resolve(first(tenant), verdict, "seen by a person").await?;
            }
            Self::Retry => drop(execution.retry(first(tenant)).await?),
            Self::Tick => {
                let options = RunOptions { workers: 2, ..RunOptions::default() };
                assert_eq!(execution.tick(options).await?.errors, 0);
            }
        }
        Ok(())
    }

    /// Another process goes on: it does again what whoever asked for the unit was not told the end of.
    pub(crate) async fn go_on(self, site: &Site, scope: &Scope) {
        let execution = scope.execution();
        match self {
            Self::Approve => match execution.approve(&plan_digest(&plan(&site.tenant)).unwrap()).await {
                Ok(released) => assert_eq!(released.len(), 2, "all of it or nothing"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::NotFound),
            },
            Self::Cancel => drop(execution.cancel(ramp(&site.tenant).id).await.unwrap()),
            Self::KillOn => {
                execution.kill(&KillScope::Tenant, true).await.unwrap();
                site.run(scope, Duration::from_secs(60)).await;
                assert_eq!(site.get(scope, "one").await.reason, Some(Reason::KillSwitch));
                execution.kill(&KillScope::Tenant, false).await.unwrap();
            }
            Self::Open => self.work(scope).await.unwrap(),
            Self::KillOff | Self::Limits | Self::Queue | Self::QueueRamped => {
                let waiting = execution.list(&ChangeFilter::default()).await.unwrap().len();
                let whole = match self {
                    Self::Queue => waiting == 1 || waiting == 3,
                    Self::QueueRamped => waiting == 0 || waiting == 3,
                    _ => true,
                };
                assert!(whole, "all of it is queued or nothing: {waiting}");
                self.work(scope).await.unwrap();
            }
            Self::Late => drop(execution.reconcile().await.unwrap()),
            Self::Resolve(verdict) => {
                let told = execution.resolve(site.id("one"), verdict, "seen by a person").await;
                assert!(told.is_ok() || told.unwrap_err().kind() == ErrorKind::Conflict);
            }
            Self::Retry => {
                let told = execution.retry(site.id("one")).await;
                assert!(told.is_ok() || told.unwrap_err().kind() == ErrorKind::Conflict);
            }
            _ => {}
        }
        site.run(scope, Duration::from_secs(48 * 3_600)).await;
    }

    /// Where its changes may end, by name.
    pub(crate) fn ends(self) -> Vec<(&'static str, &'static [End])> {
        use ChangeStatus::{Blocked, Completed, Failed};
        const APPLIED: &[End] = &[(Completed, None), (Completed, Some(Reason::Reconciled))];
        match self {
            Self::Abandon
            | Self::Apply
            | Self::ApplyLost(_)
            | Self::ApplyThrottled
            | Self::KillOn
            | Self::Open
            | Self::Reconcile(_)
            | Self::Retry => vec![("one", APPLIED)],
            Self::KillOff | Self::Tick => vec![("one", APPLIED), ("two", APPLIED)],
            // The refusal comes once: whoever was killed before it was written down may send again.
            Self::ApplyRejected => {
                vec![("one", &[(Failed, Some(Reason::PlatformRejected)), (Completed, None)])]
            }
            Self::Approve => vec![("cut", APPLIED), ("raise", APPLIED)],
            Self::Queue => {
                vec![("cut", APPLIED), ("raise", APPLIED), ("older", &[(Blocked, Some(Reason::Superseded))])]
            }
            Self::Cancel => vec![("ramp", &[(Blocked, Some(Reason::Cancelled))])],
            Self::QueueRamped => vec![("ramp", APPLIED)],
            Self::Late => vec![("one", &[(Completed, Some(Reason::LandedLate))])],
            Self::Limits => vec![],
            Self::Refuse => vec![("one", &[(Blocked, Some(Reason::Velocity))])],
            Self::Resolve(HumanVerdict::Applied) => vec![("one", &[(Completed, Some(Reason::Resolved))])],
            Self::Resolve(HumanVerdict::NotApplied) => vec![("one", &[(Failed, Some(Reason::NotApplied))])],
            Self::Yield => {
                vec![("one", &[(Blocked, Some(Reason::Edited)), (Blocked, Some(Reason::Drifted))])]
            }
        }
    }

    /// The budgets at the end that do not depend on where it was killed.
    pub(crate) fn budgets(self) -> &'static [(&'static str, i64)] {
        match self {
            Self::ApplyRejected => &[],
            Self::Approve | Self::Queue => &[("s1", 900), ("s2", 1_100)],
            Self::Cancel | Self::Limits | Self::Refuse => &[("s1", 1_000)],
            Self::KillOff | Self::Tick => &[("s1", 1_100), ("c2", 2_100)],
            Self::QueueRamped => &[("s1", 1_500)],
            Self::Resolve(_) => &[("s1", 1_050)],
            Self::Yield => &[("s1", 1_005)],
            _ => &[("s1", 1_100)],
        }
    }
}

fn first(tenant: &TenantId) -> xynergy::execution::ChangeId {
    change(tenant, "one", "s1", 1_000, 1_100).id
}

/// A cut and a raise of one allocation.
fn plan(tenant: &TenantId) -> Vec<AdChange> {
    let of_allocation =
        |change: AdChange| AdChange { allocation_id: Some("allocation_1".to_owned()), ..change };
    vec![
        of_allocation(change(tenant, "cut", "s1", 1_000, 900)),
        of_allocation(change(tenant, "raise", "s2", 1_000, 1_100)),
    ]
}

/// A change that takes three steps.
fn ramp(tenant: &TenantId) -> AdChange {
    change(tenant, "ramp", "s1", 1_000, 1_500)
}

fn limits(total: i64) -> AccountLimits {
    AccountLimits {
        currency: Currency::USD,
        total_daily_minor: Some(total),
        min_minor: Some(100),
        max_minor: None,
    }
}

async fn queue(scope: &Scope, changes: Vec<AdChange>) {
    scope.execution().queue(changes).await.unwrap();
}

/// A process claims the change and ends while it reads the platform for the last time.
async fn abandon_claim(site: &Site) {
    let scope = site.scope().await;
    let due = scope.execution().next_due().await.unwrap().unwrap();
    site.clock.set(due.max(site.now()));
    let (graph, place, clock) = (site.sandbox.urls().graph.clone(), site.place.clone(), site.clock.clone());
    let tenant = site.tenant.clone();
    let rule =
        json!({"rules": [{"method": "GET", "path": "/v*/s1", "nth": 2, "fault": {"delay_ms": 3_000}}]});
    let url = format!("{}/_sandbox/faults", site.sandbox.urls().base);
    let http = reqwest::Client::new();
    assert_eq!(http.post(&url).body(rule.to_string()).send().await.unwrap().status(), 200);
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let worker = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let scope = crate::site::scope(place.open().await, &graph, clock, &tenant, false);
            let execution = scope.execution();
            let mut step = std::pin::pin!(execution.run_once());
            loop {
                tokio::select! {
                    _ = &mut step => panic!("it was to be held up"),
                    () = tokio::time::sleep(Duration::from_millis(2)) => {}
                }
                if ended.try_recv().is_ok() {
                    return;
                }
            }
        });
        // Every task of it ends here, as in a process that dies.
        drop(runtime);
    });
    while site.get(&scope, "one").await.status != ChangeStatus::Claimed {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    end.send(()).unwrap();
    tokio::task::spawn_blocking(move || worker.join().unwrap()).await.unwrap();
    assert_eq!(http.post(&url).body(r#"{"rules": []}"#).send().await.unwrap().status(), 200);
}
