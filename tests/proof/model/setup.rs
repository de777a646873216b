//! One world to explore: who works, what is wanted, what may go wrong, and which rule is broken on purpose.

use std::time::Duration;

use xynergy_core::ads::{ChangeField, DeliveryStatus, Owner, OwnerState};
use xynergy_core::ctx::TenantId;
use xynergy_core::env::Timestamp;
use xynergy_core::execution::machine::{self, AccountView, CallTime, QueueBatch, QueueView};
use xynergy_core::execution::{AccountLimits, AdChange, ChangeId, ChangeRow, Policy};
use xynergy_core::money::Currency;

const ACCOUNT: &str = "act_1";
const CAMPAIGN: &str = "c1";

/// One tick of the model is one second of the library.
pub(crate) fn at(tick: u8) -> Timestamp {
    Timestamp::from_millis(i64::from(tick) * 1_000)
}

/// The first tick at or after a time.
pub(crate) fn tick(time: Timestamp) -> u8 {
    let (whole, rest) = (time.millis().div_euclid(1_000), time.micros().rem_euclid(1_000_000));
    u8::try_from(whole + i64::from(rest > 0)).unwrap_or(u8::MAX)
}

/// A duration of the policy in ticks.
pub(crate) fn ticks(millis: u64) -> u8 {
    u8::try_from(millis / 1_000).unwrap_or(u8::MAX)
}

/// Money of the model: small, so that a state is small.
pub(crate) fn small(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// The figures of the guards in ticks: leases of 2, landing 1 after them, windows of 3.
pub(crate) fn policy() -> Policy {
    Policy {
        expires_after_ms: 100_000,
        snapshot_max_age_ms: 1_500,
        lease_ms: 2_000,
        send_timeout_ms: 1_000,
        landing_ms: 1_000,
        clock_skew_ms: 0,
        rate_window_ms: 3_000,
        campaign_changes: 15,
        adset_budget_changes: 15,
        account_changes: 15,
        learned_limit_ms: 3_000,
        late_watch_ms: 9_000,
        velocity_window_ms: 3_000,
        account_cap_retry_ms: 2_000,
        throttled_retry_ms: 1_000,
        unreachable_retry_ms: 1_000,
        unauthorized_retry_ms: 2_000,
        kill_switch_retry_ms: 2_000,
        max_attempts: 2,
        ..Policy::exact()
    }
}

/// A change that somebody will queue.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    /// Which of the ad sets.
    pub(crate) owner: usize,
    /// The value that the decision is made on.
    pub(crate) from: i64,
    /// The value wanted.
    pub(crate) target: i64,
    /// What the keyed draw moves it by.
    pub(crate) fuzz: i64,
    /// When it is not applied any more.
    pub(crate) expires: Option<u8>,
}

impl Wish {
    /// To move the only ad set.
    pub(crate) const fn new(from: i64, target: i64) -> Self {
        Self { owner: 0, from, target, fuzz: 0, expires: None }
    }

    /// The same, of another ad set.
    pub(crate) const fn of(self, owner: usize) -> Self {
        Self { owner, ..self }
    }

    /// The same with fuzz.
    pub(crate) const fn fuzzed(self, fuzz: i64) -> Self {
        Self { fuzz, ..self }
    }

    /// The same, valid until a tick.
    pub(crate) const fn until(self, tick: u8) -> Self {
        Self { expires: Some(tick), ..self }
    }
}

/// A rule broken on purpose, around the library's functions: the invariants must notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The value is moved after the guard has checked it.
    FuzzAfterCheck,
    /// Requests may land at any time.
    LateLanding,
    /// An expired lease makes the change pending again.
    NaiveRescue,
    /// The live value is not read again before sending.
    NoReread,
    /// A transaction locks its ad set alone: those of two ad sets do not see each other.
    OwnerLockAlone,
    /// Requests of one ad set do not exclude each other.
    TwoInFlight,
    /// What became of a request is told by the live value, as if the platform's log were empty.
    ValueOnly,
    /// Movements are stamped with the time of their reservation.
    WindowFromReservation,
}

/// A world to explore.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// Workers, all alike.
    pub(crate) workers: usize,
    /// The ad sets' daily budgets; all are of one campaign.
    pub(crate) start: Vec<i64>,
    /// What is queued, in this order, each at any time.
    pub(crate) wishes: Vec<Wish>,
    /// The last tick.
    pub(crate) horizon: u8,
    /// How many workers may die.
    pub(crate) crashes: u8,
    /// How many replies may be lost.
    pub(crate) lost_replies: u8,
    /// How many requests may be lost.
    pub(crate) lost_requests: u8,
    /// What somebody else may set, and on which ad set.
    pub(crate) edits: Vec<(usize, i64)>,
    /// How many of those edits happen at most.
    pub(crate) max_edits: u8,
    /// How many times the platform may refuse or throttle.
    pub(crate) refusals: u8,
    /// Whether a kill switch may be switched on, and off again.
    pub(crate) kill: bool,
    /// Whether the platform keeps a log of edits.
    pub(crate) log: bool,
    /// Whether a worker that takes a change hides its ad set from the others for a lease. Nothing that is promised may
    /// depend on it: a worker may be slower.
    pub(crate) hiding: bool,
    /// Whether workers search for requests that landed after the verdict that they had not.
    pub(crate) searching: bool,
    /// The figures of the guards.
    pub(crate) policy: Policy,
    /// What the user allows.
    pub(crate) limits: Option<AccountLimits>,
    /// The rule that is broken.
    pub(crate) flaw: Option<Flaw>,
    /// The rows that the library makes of the wishes.
    pub(crate) rows: Vec<ChangeRow>,
    /// Whose changes they are.
    pub(crate) tenant: TenantId,
}

impl Setup {
    /// A world without faults.
    pub(crate) fn new(workers: usize, start: &[i64], wishes: &[Wish], horizon: u8) -> Self {
        let mut setup = Self {
            workers,
            start: start.to_vec(),
            wishes: wishes.to_vec(),
            horizon,
            crashes: 0,
            lost_replies: 0,
            lost_requests: 0,
            edits: Vec::new(),
            max_edits: 0,
            refusals: 0,
            kill: false,
            log: true,
            hiding: true,
            searching: false,
            policy: policy(),
            limits: None,
            flaw: None,
            rows: Vec::new(),
            tenant: TenantId::default(),
        };
        setup.rows = (0..wishes.len()).map(|w| setup.queued(w)).collect();
        setup
    }

    /// The same with so many crashes, lost replies and lost requests.
    pub(crate) fn faults(self, crashes: u8, lost_replies: u8, lost_requests: u8) -> Self {
        Self { crashes, lost_replies, lost_requests, ..self }
    }

    /// The same with one edit by somebody else, of the first ad set to one of the values.
    pub(crate) fn edited(self, values: &[i64]) -> Self {
        Self { edits: values.iter().map(|v| (0, *v)).collect(), max_edits: 1, ..self }
    }

    /// The same with at most so many changes of the campaign in a window.
    pub(crate) fn rate(mut self, campaign_changes: u32) -> Self {
        self.policy.campaign_changes = campaign_changes;
        self
    }

    /// The same with a most for the account's daily total.
    pub(crate) fn cap(self, total: i64) -> Self {
        let limits = AccountLimits {
            currency: Currency::USD,
            total_daily_minor: Some(total),
            min_minor: None,
            max_minor: None,
        };
        Self { limits: Some(limits), ..self }
    }

    /// The same, where workers do not hide from each other what they have taken.
    pub(crate) fn unhidden(self) -> Self {
        Self { hiding: false, ..self }
    }

    /// The same with a rule broken.
    pub(crate) fn broken(self, flaw: Flaw) -> Self {
        Self { flaw: Some(flaw), ..self }
    }

    /// Whether this rule is broken.
    pub(crate) fn breaks(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }

    /// Whether the guard needs the whole account.
    pub(crate) fn capped(&self) -> bool {
        self.limits.as_ref().is_some_and(|l| l.total_daily_minor.is_some())
    }

    /// Whether reading the log and reading the value have to be two steps: something may move between them.
    pub(crate) fn two_readings(&self) -> bool {
        self.max_edits > 0 || self.breaks(Flaw::LateLanding)
    }

    /// The longest time that anything looks back over.
    pub(crate) fn longest_window(&self) -> Duration {
        let watch = Duration::from_millis(if self.searching { self.policy.late_watch_ms } else { 0 });
        self.policy.longest_window().max(watch)
    }

    /// An ad set's name.
    pub(crate) fn owner(owner: usize) -> Owner {
        Owner::ad_set(format!("s{owner}"))
    }

    /// What the platform shows of an ad set. It was asked just before the tick, so that whatever is settled in the tick
    /// is settled after it.
    pub(crate) fn shown(owner: usize, budget: i32, read_at: u8) -> OwnerState {
        OwnerState {
            owner: Self::owner(owner),
            account_id: ACCOUNT.to_owned(),
            campaign_id: CAMPAIGN.to_owned(),
            name: String::new(),
            currency: Currency::USD,
            daily_budget_minor: Some(i64::from(budget)),
            lifetime_budget_minor: None,
            bid_minor: None,
            status: DeliveryStatus::Active,
            learning: false,
            read_at: at(read_at).minus(Duration::from_micros(1)),
        }
    }

    /// The request to queue a wish.
    pub(crate) fn batch(&self, wish: usize, now: u8) -> QueueBatch {
        let Wish { owner, from, target, expires, .. } = self.wishes[wish];
        let change = AdChange {
            id: ChangeId::derive(&["wish", &wish.to_string()]),
            account_id: ACCOUNT.to_owned(),
            campaign_id: CAMPAIGN.to_owned(),
            owner: Self::owner(owner),
            field: ChangeField::Budget,
            expected_from: from,
            target,
            currency: Currency::USD,
            allocation_id: None,
            causation_id: None,
            reason: String::new(),
            expires_at: Some(at(expires.unwrap_or(u8::MAX))),
            ramp: None,
        };
        QueueBatch {
            at: CallTime::bound(at(now)),
            policy: self.policy,
            actor: None,
            request_id: String::new(),
            account_id: ACCOUNT.to_owned(),
            changes: vec![(change, Duration::ZERO)],
            plan_digest: None,
        }
    }

    /// A row as the library makes it of a wish.
    fn queued(&self, wish: usize) -> ChangeRow {
        let view =
            QueueView { account: AccountView { now: at(0), ..AccountView::default() }, existing: Vec::new() };
        match machine::queue(&self.tenant, view, &self.batch(wish, 0)) {
            Ok((_, mut queued)) if queued.rows.len() == 1 => queued.rows.remove(0),
            other => panic!("the wish cannot be queued: {other:?}"),
        }
    }
}
