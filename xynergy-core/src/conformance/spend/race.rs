use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::ctx::{Ctx, TenantId};
use crate::env::{Entropy, Env, SeededEntropy, Timestamp};
use crate::error::ErrorKind;
use crate::spend::{
    LEASE, LimitScope, Reserve, Settlement, SpendGuard, SpendLedger, SpendLimit, Window, Zone,
};

const CAP: u64 = 10_000;

/// Sends `tasks` calls at once at one hard cap, over all `replicas` of one ledger; each is cancelled at a random moment, breaks
/// with something used, or settles. Looks on meanwhile: what is settled and reserved never exceeds the cap, and in the end
/// nothing is reserved and what is settled is the sum of what was.
///
/// # Panics
/// When any of that does not hold.
pub async fn race(replicas: &[Arc<dyn SpendLedger>], tasks: u64, seed: u64) {
    let tenant = TenantId::new(format!("race{seed}")).unwrap();
    let ctx = Ctx::new(&Env::default(), tenant.clone());
    let at: Timestamp = "2026-05-05T12:00:00Z".parse().unwrap();
    let (scope, window, zone) = (LimitScope::Tenant, Window::Day, Zone::UTC);
    let cap = SpendLimit { scope, window, zone, amount_nano_usd: CAP, hard: true };
    replicas[0].set_limit(&tenant, cap).await.unwrap();
    let sum = Arc::new(AtomicU64::new(0));
    let over = Arc::new(AtomicBool::new(false));
    let looking = tokio::spawn(look_on(Arc::clone(&replicas[0]), tenant.clone(), at, Arc::clone(&over)));
    let calls: Vec<_> = (0..tasks)
        .map(|task| {
            let ledger = Arc::clone(&replicas[usize::try_from(task).unwrap() % replicas.len()]);
            let entropy = SeededEntropy::new(seed * 1_000_000 + task);
            let patience = Duration::from_micros(entropy.next_u64() % 40_000);
            let (ctx, sum) = (ctx.clone(), Arc::clone(&sum));
            let cancelled = entropy.next_u64().is_multiple_of(3);
            let start = Duration::from_micros(entropy.next_u64() % 400_000);
            tokio::spawn(async move {
                tokio::time::sleep(start).await;
                let call = call(&ledger, &ctx, &entropy, at, &sum);
                if cancelled {
                    tokio::time::timeout(patience, call).await.is_ok()
                } else {
                    call.await;
                    true
                }
            })
        })
        .collect();
    let mut ended = 0;
    for call in calls {
        ended += u64::from(call.await.unwrap());
    }
    assert!(ended >= tasks / 2, "most calls come to their end: {ended}");
    for replica in replicas {
        replica.drain().await.unwrap();
    }
    over.store(true, Ordering::Relaxed);
    let looks = looking.await.unwrap();
    assert!(looks > 3, "it was looked on: {looks}");
    // A reservation whose caller went away may still be on its way: its closing note wins whenever it comes.
    for _ in 0..100 {
        if replicas[0].spend(&tenant, None, at).await.unwrap().reserved_nano_usd == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let spend = replicas[0].spend(&tenant, None, at).await.unwrap();
    assert_eq!(
        (spend.reserved_nano_usd, spend.limits[0].reserved_nano_usd),
        (0, 0),
        "at rest nothing is reserved"
    );
    assert_eq!(spend.cost_nano_usd, sum.load(Ordering::Relaxed), "what was used was settled, once");
    assert_eq!(spend.limits[0].settled_nano_usd, spend.cost_nano_usd);
    assert!(spend.cost_nano_usd > CAP / 4 && spend.cost_nano_usd <= CAP, "{}", spend.cost_nano_usd);
    // The counters say the same: exactly what is left can still be reserved.
    let left = CAP - spend.cost_nano_usd;
    let rest = |id, amount_nano_usd| Reserve { amount_nano_usd, ..reserve(id, at) };
    assert!(replicas[0].reserve(&tenant, &rest(1, left + 1)).await.is_err());
    replicas[0].reserve(&tenant, &rest(2, left)).await.unwrap();
    replicas[0].close(&tenant, 2, None);
    replicas[0].drain().await.unwrap();
}

fn reserve(id: u128, at: Timestamp) -> Reserve {
    let (tags, standing) = ([].into(), Vec::new());
    Reserve { id, amount_nano_usd: 0, tags, key: None, standing, at, lease: LEASE }
}

async fn look_on(
    ledger: Arc<dyn SpendLedger>,
    tenant: TenantId,
    at: Timestamp,
    over: Arc<AtomicBool>,
) -> u64 {
    let mut looks = 0;
    while !over.load(Ordering::Relaxed) {
        let spend = ledger.spend(&tenant, None, at).await.unwrap();
        let taken = spend.cost_nano_usd + spend.reserved_nano_usd;
        assert!(taken <= CAP, "settled {} and reserved {}", spend.cost_nano_usd, spend.reserved_nano_usd);
        looks += 1;
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    looks
}

/// One call. What it used is added to `sum` in the same breath as the guard is told, so that no cancel comes between.
async fn call(
    ledger: &Arc<dyn SpendLedger>,
    ctx: &Ctx,
    entropy: &SeededEntropy,
    at: Timestamp,
    sum: &AtomicU64,
) {
    let id = u128::from(entropy.next_u64()) << 64 | u128::from(entropy.next_u64());
    let amount_nano_usd = 1 + entropy.next_u64() % 200;
    let request = Reserve { amount_nano_usd, ..reserve(id, at) };
    let mut guard = match SpendGuard::reserve(ledger, ctx, &request).await {
        Ok((guard, _)) => guard,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
            return;
        }
    };
    let wait = entropy.next_u64() % 10;
    tokio::time::sleep(Duration::from_millis(wait)).await;
    let cost = entropy.next_u64() % (amount_nano_usd + 1);
    let used = Settlement { provider: "p".into(), model: "m".into(), cost_nano_usd: Some(cost), tokens: 1 };
    match entropy.next_u64() % 4 {
        0 => drop(guard),
        1 => {
            sum.fetch_add(cost, Ordering::Relaxed);
            guard.note(used);
        }
        _ => {
            sum.fetch_add(cost, Ordering::Relaxed);
            guard.settle(used).await.unwrap();
        }
    }
}
