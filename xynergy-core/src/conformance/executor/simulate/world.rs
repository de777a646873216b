use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::bend::Flaw;
use super::clock::StoreClock;
use super::dice::Dice;
use super::ledger::Ledger;
use super::profile::{Delivery, Profile};
use crate::ads::{ChangeField, MemoryPlatform, Owner};
use crate::ctx::TenantId;
use crate::env::{Clock, ManualClock, Timestamp};
use crate::execution::AccountLimits;
use crate::money::Currency;
use crate::store::ChangeStore;

/// All that one simulation shares.
#[derive(Debug)]
pub(super) struct World {
    pub(super) clock: Arc<ManualClock>,
    pub(super) store_clock: StoreClock,
    pub(super) dice: Dice,
    pub(super) profile: Profile,
    pub(super) flaw: Option<Flaw>,
    /// The bare store.
    pub(super) store: Arc<dyn ChangeStore>,
    pub(super) tenants: Vec<Tenant>,
    ledger: Mutex<Ledger>,
    faulty: AtomicBool,
}

/// A tenant with its account.
#[derive(Debug)]
pub(super) struct Tenant {
    pub(super) id: TenantId,
    pub(super) account: String,
    pub(super) platform: MemoryPlatform,
    pub(super) objects: Vec<Object>,
    /// Its changes wait for an approval.
    pub(super) approves: bool,
    /// Nobody edits its account, and its readings never lag: totals can be checked to the minor unit.
    pub(super) calm: bool,
    /// What its platform shows may lag.
    pub(super) lags: bool,
    pub(super) trouble: Mutex<Trouble>,
}

/// What is wrong with a tenant's platform now, and what ever was.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    pub(super) log_away_until: Timestamp,
    pub(super) unreadable_until: Timestamp,
    pub(super) token_dead_until: Timestamp,
    pub(super) had_dead_token: bool,
    pub(super) had_throttle: bool,
    pub(super) had_unreadable: bool,
    pub(super) had_kill: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Object {
    pub(super) owner: Owner,
    pub(super) campaign: String,
    pub(super) bid: bool,
    pub(super) lifetime: bool,
}

/// How much of the promised time a request leaves for what lags.
const MOST_LAG: Duration = Duration::from_secs(45);

impl World {
    pub(super) fn new(store: &Arc<dyn ChangeStore>, seed: u64, hours: u32, flaw: Option<Flaw>) -> Self {
        let dice = Dice::new(seed);
        let profile = Profile::draw(&dice);
        let start = Timestamp::from_millis(1_770_000_000_000);
        let clock = Arc::new(ManualClock::new(start));
        let store_clock = StoreClock {
            truth: Arc::clone(&clock),
            ahead: profile.store_ahead,
            corrected_at: start.plus(dice.seconds(0, u64::from(hours) * 3_600)),
        };
        let tenants: Vec<_> =
            (0..profile.tenants).map(|n| Tenant::new(&dice, n, seed, profile.delivery)).collect();
        let ledger = Mutex::new(Ledger::new(tenants.len()));
        let faulty = AtomicBool::new(true);
        Self { clock, store_clock, dice, profile, flaw, store: Arc::clone(store), tenants, ledger, faulty }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether things still go wrong.
    pub(super) fn faulty(&self) -> bool {
        self.faulty.load(Ordering::SeqCst)
    }

    pub(super) fn stop_faults(&self) {
        self.faulty.store(false, Ordering::SeqCst);
        let now = self.now();
        for tenant in &self.tenants {
            tenant.platform.lag_activities(Duration::ZERO);
            tenant.platform.lag_reads(Duration::ZERO);
            tenant.platform.fault_token(now, now);
            let mut trouble = tenant.trouble();
            trouble.log_away_until = now;
            trouble.unreadable_until = now;
            trouble.token_dead_until = now;
        }
    }

    pub(super) fn tenant(&self, id: &TenantId) -> usize {
        self.tenants.iter().position(|t| t.id == *id).expect("a tenant of the simulation")
    }

    pub(super) fn count(&self, path: &'static str) {
        self.ledger().count(path);
    }

    /// Writes down an event, for the one who has to understand a broken invariant.
    pub(super) fn tell(&self, event: impl FnOnce() -> String) {
        let elapsed = self.now().micros() - 1_770_000_000_000_000;
        let line = format!("{:>9}.{:03} s  {}", elapsed / 1_000_000, elapsed / 1_000 % 1_000, event());
        self.ledger().tell(line);
    }

    /// How long before the promised end a request of the tenant lands at the latest.
    pub(super) fn margin(&self, tenant: usize) -> Duration {
        if self.tenants[tenant].lags { MOST_LAG + Duration::from_secs(1) } else { Duration::from_millis(1) }
    }

    /// How long what is shown lags, drawn anew.
    pub(super) fn lag(&self) -> Duration {
        match self.profile.delivery {
            Delivery::Bounded => self.dice.time(Duration::from_secs(1), MOST_LAG),
            Delivery::Unbounded => self.dice.seconds(60, 7_200),
        }
    }
}

impl Tenant {
    fn new(dice: &Dice, number: usize, seed: u64, delivery: Delivery) -> Self {
        let account = format!("act_{seed}_{number}");
        let mut platform = MemoryPlatform::new(account.clone(), Currency::USD);
        let mut objects = Vec::new();
        let campaigns = dice.between(1, 2);
        for n in 0..dice.between(2, 6) {
            let campaign = format!("c{}", n % campaigns);
            let owner = Owner::ad_set(format!("s{n}"));
            let budget = i64::try_from(dice.between(1_000, 9_000)).unwrap();
            platform = platform.with_owner(owner.clone(), &campaign, budget);
            let bid = dice.percent(40);
            if bid {
                platform = platform.with_bid(&owner, i64::try_from(dice.between(50, 500)).unwrap());
            }
            objects.push(Object { owner, campaign, bid, lifetime: false });
        }
        if dice.percent(50) {
            let owner = Owner::campaign("shared");
            platform = platform.with_owner(owner.clone(), "shared", 20_000);
            objects.push(Object { owner, campaign: "shared".into(), bid: false, lifetime: false });
        }
        if dice.percent(30) {
            let owner = Owner::ad_set("lifetime");
            platform = platform.with_lifetime_owner(owner.clone(), "c0", 90_000);
            objects.push(Object { owner, campaign: "c0".into(), bid: false, lifetime: true });
        }
        let most = usize::try_from(dice.between(1, 4)).unwrap();
        let limited = dice.percent(40);
        if limited {
            platform = platform.with_budget_changes_per_hour(most);
        }
        let calm = dice.percent(30);
        let lags = !calm && delivery == Delivery::Bounded && dice.percent(50);
        Self {
            id: if number == 0 { TenantId::default() } else { TenantId::new(format!("t{number}")).unwrap() },
            account,
            platform,
            objects,
            approves: dice.percent(20),
            calm,
            lags,
            trouble: Mutex::new(Trouble { had_throttle: limited, ..Trouble::default() }),
        }
    }

    pub(super) fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn value(&self, owner: &Owner, field: ChangeField) -> Option<i64> {
        self.platform.value(owner, field)
    }

    /// What the user allows at first.
    pub(super) fn limits(&self, dice: &Dice) -> AccountLimits {
        let total: i64 = self.objects.iter().filter_map(|o| self.value(&o.owner, ChangeField::Budget)).sum();
        let percent = |least, most| i64::try_from(dice.between(least, most)).unwrap();
        AccountLimits {
            currency: Currency::USD,
            total_daily_minor: dice.percent(60).then(|| total * percent(100, 130) / 100),
            min_minor: dice.percent(40).then(|| percent(500, 3_000)),
            max_minor: dice.percent(40).then(|| percent(5_000, 25_000)),
        }
    }
}
