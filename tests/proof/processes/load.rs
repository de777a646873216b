//! The process that queues: single changes, allocations of cuts and raises, ramps, changes of mind.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use xynergy::ads::Owner;
use xynergy::env::{Clock, Entropy, SeededEntropy, SystemClock, SystemEntropy};
use xynergy::execution::{AdChange, ChangeFilter, ChangeId, HumanVerdict};
use xynergy::{Client, Result, Scope, TenantId};

use crate::field::{ACCOUNT, TENANTS, change, owners};

pub(crate) async fn until(client: &Client, seed: u64, end: impl Future<Output = ()>) {
    let draw = SeededEntropy::new(seed);
    let mut end = pin!(end);
    for round in 0_usize.. {
        let scope = client.scope(TenantId::new(TENANTS[round % TENANTS.len()]).unwrap()).with_actor("load");
        tokio::select! {
            biased;
            () = &mut end => return,
            // What fails, as while the database restarts, is left out.
            _ = one_round(&scope, &draw) => {}
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
}

fn below(draw: &SeededEntropy, bound: i64) -> i64 {
    i64::try_from(draw.next_u64() % bound.cast_unsigned()).unwrap_or(0)
}

async fn one_round(scope: &Scope, draw: &SeededEntropy) -> Result<()> {
    let execution = scope.execution();
    let live = execution.owners(ACCOUNT).await?;
    let live: BTreeMap<&Owner, i64> =
        live.iter().filter_map(|o| Some((&o.owner, o.daily_budget_minor?))).collect();
    let mine = owners(scope.tenant().as_str());
    let pick = || {
        let most = if below(draw, 4) == 0 { mine.len() } else { 8 };
        &mine[usize::try_from(below(draw, i64::try_from(most).unwrap_or(1))).unwrap_or(0)]
    };
    let wish = |owner: &(Owner, String), per_mille: i64| -> Option<AdChange> {
        let from = *live.get(&owner.0)?;
        let target = (from + from * per_mille / 1_000).clamp(1_000, 5_000_000);
        let id = ChangeId::fresh(SystemClock.now(), &SystemEntropy);
        (target != from).then(|| change(id, owner, from, target))
    };
    let signed = |most: i64| below(draw, 2 * most) - most;
    match below(draw, 10) {
        // A cut and a raise of one allocation.
        0 | 1 => {
            let allocation = format!("a_{:x}", draw.next_u64());
            let (cut, raise) = (pick(), pick());
            let both = [wish(cut, -1 - below(draw, 40)), wish(raise, 1 + below(draw, 40))];
            let both = both.into_iter().flatten().filter(|_| cut.0 != raise.0);
            let of_allocation = |c| AdChange { allocation_id: Some(allocation.clone()), ..c };
            execution.queue(both.map(of_allocation).collect()).await?;
        }
        // Too far for one window.
        2 => {
            let step = wish(pick(), 300 + below(draw, 200)).into_iter().collect();
            execution.queue_ramped(step).await?;
        }
        3 => drop(execution.queue(wish(pick(), 250).into_iter().collect()).await?),
        // A change of mind: about the same field, or altogether.
        4 => {
            let owner = pick();
            execution.queue(wish(owner, signed(30)).into_iter().collect()).await?;
            execution.queue(wish(owner, signed(30)).into_iter().collect()).await?;
        }
        5 => {
            let queued = execution.queue(wish(pick(), signed(30)).into_iter().collect()).await?;
            for row in queued {
                execution.cancel(row.change.id).await?;
            }
        }
        6 => verdicts(scope).await?,
        7 => burst(scope, &mine[mine.len() - 1 - usize::try_from(below(draw, 6)).unwrap_or(0)]).await?,
        _ => drop(execution.queue(wish(pick(), signed(60)).into_iter().collect()).await?),
    }
    Ok(())
}

/// More changes of one ad set in a short time than its limit allows.
async fn burst(scope: &Scope, owner: &(Owner, String)) -> Result<()> {
    for _ in 0..5 {
        let live = scope.execution().owners(ACCOUNT).await?;
        let now = live.iter().find(|o| o.owner == owner.0).and_then(|o| o.daily_budget_minor);
        let Some(from) = now else { return Ok(()) };
        let id = ChangeId::fresh(SystemClock.now(), &SystemEntropy);
        scope.execution().queue(vec![change(id, owner, from, from + 10)]).await?;
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    Ok(())
}

/// A person says what became of what reading could not tell, or has it sent again.
async fn verdicts(scope: &Scope) -> Result<()> {
    let execution = scope.execution();
    let waiting = ChangeFilter { needs_human: true, limit: Some(3), ..ChangeFilter::default() };
    for row in execution.list(&waiting).await? {
        // The person knows from the ads manager; here nobody does, and "applied" never leads to another request.
        if row.not_applied() {
            let _ = execution.retry(row.change.id).await;
        } else {
            let _ = execution.resolve(row.change.id, HumanVerdict::Applied, "seen in the ads manager").await;
        }
    }
    Ok(())
}
