use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::world::{ACCOUNT, World};
use crate::ads::{ChangeField, MemoryPlatform, Owner, WriteClass, WriteFailure, WriteFault};
use crate::env::{Entropy, Timestamp};
use crate::execution::{AccountLimits, AdChange, ChangeStatus, Policy};
use crate::money::Currency;
use crate::store::{ChangeFilter, ChangeStore};

const HOUR: Duration = Duration::from_secs(3_600);
const SETS: u64 = 5;
const CAP: i64 = 30_000;

/// What a simulation took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Simulated {
    /// Changes that were queued.
    pub queued: usize,
    /// Those that are completed.
    pub completed: usize,
    /// Edits by people.
    pub edits: usize,
    /// Requests that the platform saw.
    pub requests: usize,
}

/// One day of random changes, people's edits and faults on a simulated clock, then the invariants, read from what
/// the platform itself recorded. `store` may hold other seeds' days.
///
/// # Panics
/// At the first broken invariant, with the seed.
pub async fn executor_simulation(store: Arc<dyn ChangeStore>, seed: u64) -> Simulated {
    let platform = (0..SETS).fold(MemoryPlatform::new(ACCOUNT, Currency::USD), |platform, n| {
        platform.with_owner(Owner::ad_set(format!("s{n}")), &format!("c{}", n % 2), 4_000)
    });
    let world = World::with_platform(&store, &format!("day-{seed}"), Policy::seed(), seed, platform);
    let limits = AccountLimits {
        currency: Currency::USD,
        total_daily_minor: Some(CAP),
        min_minor: Some(1_000),
        max_minor: Some(9_000),
    };
    world.executor.set_limits(&world.ctx, ACCOUNT, &limits).await.unwrap();
    let entropy = Arc::clone(&world.ctx.env.entropy);
    let end = world.now().plus(24 * HOUR);
    let mut simulated = Simulated::default();
    while world.now() < end {
        simulated.queued += disturb(&world, &*entropy, simulated.queued, &mut simulated.edits).await;
        world.run(Duration::from_secs(below(&*entropy, 7_200))).await;
        world.clock.advance(Duration::from_secs(below(&*entropy, 3_600)));
    }
    // The faults stop: everything comes to rest.
    world.platform.fault_writes(vec![None; 0]);
    world.run(40 * HOUR).await;
    assert_eq!(world.executor.next_due(&world.ctx).await.unwrap(), None, "seed {seed}: something never ends");
    world.at_rest().await;
    invariants(&world, seed);
    let completed = ChangeFilter { status: Some(ChangeStatus::Completed), ..ChangeFilter::default() };
    simulated.completed = world.executor.list(&world.ctx, &completed).await.unwrap().len();
    simulated.requests = world.platform.requests();
    simulated
}

/// Queues an allocation, lets people edit, and arranges faults for the next writes.
async fn disturb(world: &World, entropy: &dyn Entropy, named: usize, edits: &mut usize) -> usize {
    for _ in 0..below(entropy, 3) {
        world.platform.fault_writes([random_fault(entropy)]);
    }
    if below(entropy, 6) == 0 {
        let owner = Owner::ad_set(format!("s{}", below(entropy, SETS)));
        let now = world.platform.value(&owner, ChangeField::Budget).unwrap();
        let value = now + now * (i64::try_from(below(entropy, 31)).unwrap() - 15) / 100;
        if below(entropy, 2) == 0 {
            world.platform.edit(&owner, ChangeField::Budget, value, world.now());
        } else {
            world.platform.edit_before_read(
                usize::try_from(below(entropy, 4)).unwrap(),
                owner,
                ChangeField::Budget,
                value,
            );
        }
        *edits += 1;
    }
    let allocation = (below(entropy, 2) == 0).then(|| format!("allocation {named}"));
    let percent = [3, 8, 20][usize::try_from(below(entropy, 3)).unwrap()];
    let reach = i64::try_from(percent).unwrap();
    let changes: Vec<_> = (0..below(entropy, SETS))
        .filter_map(|n| {
            let set = format!("s{n}");
            let from = world.budget(&set);
            let target =
                from + from * (i64::try_from(below(entropy, 2 * percent + 1)).unwrap() - reach) / 100;
            (target != from).then(|| AdChange {
                allocation_id: allocation.clone(),
                campaign_id: format!("c{}", n % 2),
                ..world.change(&format!("{named}-{n}"), &set, from, target)
            })
        })
        .collect();
    world.queue(changes).await.len()
}

fn random_fault(entropy: &dyn Entropy) -> Option<WriteFault> {
    let fail = |class, seconds: Option<u64>| {
        Some(WriteFault::Fail(WriteFailure {
            retry_after: seconds.map(Duration::from_secs),
            ..WriteFailure::new(class, "simulated")
        }))
    };
    match below(entropy, 10) {
        0 | 1 => Some(WriteFault::LostAfter),
        2 | 3 => Some(WriteFault::LostBefore),
        4 => fail(WriteClass::Throttled, Some(below(entropy, 4_000))),
        5 => fail(WriteClass::NotSent, None),
        6 => fail(WriteClass::Rejected, None),
        7 => fail(WriteClass::Unauthorized, None),
        _ => None,
    }
}

/// Velocity, rates and bounds of our own effects, and the total after each raise of ours.
fn invariants(world: &World, seed: u64) {
    let effects = world.platform.effects();
    let mut values: BTreeMap<String, i64> = (0..SETS).map(|n| (format!("s{n}"), 4_000)).collect();
    for (i, effect) in effects.iter().enumerate() {
        let before = values.insert(effect.owner.id.clone(), effect.after);
        assert_eq!(before, Some(effect.before), "seed {seed}: the platform's own record has a gap");
        if effect.change.is_none() {
            continue;
        }
        let since = |window: Duration| {
            let start: Timestamp = effect.at.minus(window);
            effects[..=i].iter().filter(move |e| e.at > start)
        };
        let of_owner = |window| since(window).filter(|e| e.owner == effect.owner);
        let own = |window| of_owner(window).filter(|e| e.change.is_some());
        // The promise is against what was observed: an edit that nobody could see before ours is no base.
        let base = own(6 * HOUR).next().map_or(0, |e| e.before);
        let moved: i64 = own(6 * HOUR).map(|e| (e.after - e.before).abs()).sum();
        assert!(moved * 5 <= base, "seed {seed}: {moved} of {base} within six hours: {effect:?}");
        assert!(own(HOUR).count() <= 3, "seed {seed}: more than 3 an hour: {effect:?}");
        let campaign = |id: &str| id.trim_start_matches('s').parse::<u64>().unwrap() % 2;
        let of_campaign =
            since(HOUR).filter(|e| e.change.is_some() && campaign(&e.owner.id) == campaign(&effect.owner.id));
        assert!(of_campaign.count() <= 15, "seed {seed}: more than 15 an hour: {effect:?}");
        assert!((1_000..=9_000).contains(&effect.after), "seed {seed}: out of bounds: {effect:?}");
        let total: i64 = values.values().sum();
        let raise = effect.after > effect.before;
        assert!(!raise || total <= CAP, "seed {seed}: {total} over the cap: {effect:?}");
    }
}

fn below(entropy: &dyn Entropy, bound: u64) -> u64 {
    entropy.next_u64() % bound.max(1)
}
