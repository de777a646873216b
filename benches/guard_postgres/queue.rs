//! A long queue of many owners and several tenants, worked off: how fast, and how long anybody waits for the others.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use xynergy::TenantId;
use xynergy_core::env::SystemEntropy;
use xynergy_core::execution::machine::CallTime;
use xynergy_core::execution::{AdChange, ChangeId, ChangeStatus, LeaseToken, RampStep};
use xynergy_core::store::ChangeStore;

use crate::World;
use crate::world::{WORKERS, applied, at, begin, change, reserve};

const TENANTS: usize = 4;
const ACCOUNTS: usize = 5;
const OWNERS: usize = 50;
const EACH: usize = 10;

pub(crate) async fn run(url: &str) {
    let world = World::new(url).await;
    let tenants: Vec<TenantId> = (0..TENANTS).map(|n| TenantId::new(format!("tenant{n}")).unwrap()).collect();
    let mut rank = BTreeMap::new();
    for tenant in &tenants {
        for account in 0..ACCOUNTS {
            let account = format!("{tenant}-act_{account}");
            let changes = (0..OWNERS).flat_map(|set| steps(&account, set)).collect();
            world.queue(tenant, &account, changes, CallTime::bound(at(0))).await;
        }
    }
    let client = world.client().await;
    for tenant in &tenants {
        let rows = client
            .query(
                "SELECT id FROM pending_ad_changes WHERE tenant_id = $1 ORDER BY due_at, id",
                &[&tenant.as_str()],
            )
            .await
            .unwrap();
        for (place, row) in rows.iter().enumerate() {
            rank.insert(row.get::<_, String>(0).parse::<ChangeId>().unwrap(), place);
        }
    }
    let total = rank.len();
    assert_eq!(total, TENANTS * ACCOUNTS * OWNERS * EACH);
    let picked: Arc<Mutex<Vec<(TenantId, ChangeId)>>> = Arc::default();
    let began = Instant::now();
    let workers: Vec<_> = (0..WORKERS)
        .map(|n| tokio::spawn(work(world.store.clone(), tenants.clone(), n, picked.clone())))
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let took = began.elapsed();
    let picked = picked.lock().await;
    assert_eq!(picked.len(), total, "each change was picked once");
    let mut places: BTreeMap<&TenantId, usize> = BTreeMap::new();
    let (mut most, mut ended) = (0, Vec::new());
    for (order, (tenant, id)) in picked.iter().enumerate() {
        let place = places.entry(tenant).or_insert(0);
        // By how many picks of its tenant it came later than its due time says.
        most = most.max(place.saturating_sub(rank[id]));
        *place += 1;
        if *place == total / TENANTS {
            ended.push(order + 1);
        }
    }
    println!(
        "queue: {total} changes of {} owners in {TENANTS} tenants, {WORKERS} workers: pick, reserve, begin and settle",
        TENANTS * ACCOUNTS * OWNERS
    );
    println!(
        "{:.0} changes a second; nobody was passed by more than {most} others of its tenant; the tenants' last picks \
         were {ended:?} of {total}",
        total as f64 / took.as_secs_f64()
    );
    world.drop().await;
}

/// The changes of one owner as steps of a ramp: other changes of one field would take the place of those before.
fn steps(account: &str, set: usize) -> impl Iterator<Item = (AdChange, Duration)> {
    let id = change(account, set, 0).id;
    let count = u32::try_from(EACH).unwrap();
    (0..EACH).map(move |n| {
        let step = u32::try_from(n).unwrap() + 1;
        let change = change(account, set, n);
        let ramp = Some(RampStep { id, step, steps: count, target: 10_000 + i64::from(count) });
        (AdChange { ramp, ..change }, Duration::from_secs(step.into()))
    })
}

/// Takes one change of each tenant in turn until nothing is left.
async fn work(
    store: impl ChangeStore,
    tenants: Vec<TenantId>,
    first: usize,
    picked: Arc<Mutex<Vec<(TenantId, ChangeId)>>>,
) {
    let now = CallTime::bound(at(1_000));
    let mut idle = 0;
    for turn in first.. {
        let tenant = &tenants[turn % tenants.len()];
        let rows = store.pick(tenant, now, Duration::from_secs(60), 1).await.unwrap();
        let Some(row) = rows.into_iter().next() else {
            idle += 1;
            if idle > 2 * tenants.len() && store.tenants_due(now).await.unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        };
        idle = 0;
        let token = LeaseToken::fresh(&SystemEntropy);
        let id = row.change.id;
        let claimed = store.transition(tenant, id, reserve(&row.change, now, token)).await.unwrap();
        // Somebody else may have been faster, which costs a pick and nothing else.
        if !claimed.taken || claimed.row.status != ChangeStatus::Claimed {
            continue;
        }
        picked.lock().await.push((tenant.clone(), id));
        for asked in [begin(&row.change, now, token), applied(now, token)] {
            let moved = store.transition(tenant, id, asked).await.unwrap();
            assert!(moved.taken, "{moved:?}");
        }
    }
}
