use std::time::Duration;

use super::fixture::{ACCOUNT, approval, at, batch, below, change, live, transition};
use crate::ads::{ChangeField, Owner, ThrottleScope};
use crate::ctx::TenantId;
use crate::env::{Entropy, SeededEntropy, Timestamp};
use crate::execution::machine::{Action, CallTime, HumanVerdict, KillScope, QueueBatch, Settlement};
use crate::execution::reconcile::Finding;
use crate::execution::{AccountLimits, AdChange, ChangeId, ChangeRow, LeaseToken, Policy, RampStep, Reason};
use crate::money::Currency;
use crate::store::{ChangeFilter, ChangeStore, HistoryFilter};

/// Drives two stores with the same random calls and compares every answer and all that is stored. Both are empty;
/// `steps` calls are made from `seed`.
///
/// # Panics
/// At the first difference, with the seed and the step.
pub async fn change_stores_agree(a: &dyn ChangeStore, b: &dyn ChangeStore, seed: u64, steps: usize) {
    let entropy = SeededEntropy::new(seed);
    let tenants = [TenantId::new("one").unwrap(), TenantId::new("two").unwrap()];
    let mut now = at(0);
    let mut names = 0;
    for step in 0..steps {
        let context = format!("seed {seed}, step {step}");
        let tenant = &tenants[usize::try_from(below(&entropy, 10) / 8).unwrap()];
        now = moved(&entropy, now);
        match below(&entropy, 11) {
            0 | 1 => {
                let plan_digest = [None, None, Some("one"), Some("two")]
                    [usize::try_from(below(&entropy, 4)).unwrap()]
                .map(str::to_owned);
                let batch = QueueBatch { plan_digest, ..batch(now, random_changes(&entropy, &mut names)) };
                let (x, y) = (a.queue(tenant, batch.clone()).await, b.queue(tenant, batch).await);
                assert_eq!(format!("{x:?}"), format!("{y:?}"), "queue: {context}");
            }
            2 => {
                let scope = random_scope(&entropy);
                let on = below(&entropy, 4) == 0;
                a.set_kill(tenant, &scope, on).await.unwrap();
                b.set_kill(tenant, &scope, on).await.unwrap();
            }
            3 => {
                let limits = random_limits(&entropy);
                a.set_limits(tenant, ACCOUNT, &limits).await.unwrap();
                b.set_limits(tenant, ACCOUNT, &limits).await.unwrap();
            }
            10 => {
                let digest = ["one", "two", "three"][usize::try_from(below(&entropy, 3)).unwrap()];
                let (x, y) = (
                    a.approve(tenant, approval(now, digest)).await,
                    b.approve(tenant, approval(now, digest)).await,
                );
                assert_eq!(format!("{x:?}"), format!("{y:?}"), "approve {digest}: {context}");
            }
            _ => {
                let all = a.list(tenant, &ChangeFilter::default()).await.unwrap();
                let hold = Duration::from_secs([0, 0, 30, 600][usize::try_from(below(&entropy, 4)).unwrap()]);
                let limit = usize::try_from(below(&entropy, 3)).unwrap() + 1;
                let at = CallTime::bound(now);
                assert_eq!(a.tenants_due(at).await.unwrap(), b.tenants_due(at).await.unwrap(), "{context}");
                let due = a.pick(tenant, at, hold, limit).await.unwrap();
                assert_eq!(due, b.pick(tenant, at, hold, limit).await.unwrap(), "pick: {context}");
                let row = match due.into_iter().last() {
                    Some(row) if below(&entropy, 3) > 0 => row,
                    _ if all.is_empty() => continue,
                    _ => all[usize::try_from(below(&entropy, all.len() as u64)).unwrap()].clone(),
                };
                let action = random_action(&entropy, &row, now);
                let (x, y) = (
                    a.transition(tenant, row.change.id, transition(now, action.clone())).await,
                    b.transition(tenant, row.change.id, transition(now, action.clone())).await,
                );
                assert_eq!(format!("{x:?}"), format!("{y:?}"), "{action:?}: {context}");
            }
        }
        if step % 16 == 0 || step + 1 == steps {
            for tenant in &tenants {
                compare(a, b, tenant, now, &context).await;
            }
        }
    }
}

async fn compare(a: &dyn ChangeStore, b: &dyn ChangeStore, tenant: &TenantId, now: Timestamp, context: &str) {
    let filter = ChangeFilter::default();
    let rows = a.list(tenant, &filter).await.unwrap();
    assert_eq!(rows, b.list(tenant, &filter).await.unwrap(), "list: {context}");
    assert_eq!(a.next_due(tenant).await.unwrap(), b.next_due(tenant).await.unwrap(), "next_due: {context}");
    assert_eq!(a.high_water(tenant).await.unwrap(), b.high_water(tenant).await.unwrap(), "time: {context}");
    assert_eq!(a.kills(tenant).await.unwrap(), b.kills(tenant).await.unwrap(), "kills: {context}");
    let at = CallTime::bound(now);
    assert_eq!(
        a.rules(tenant, ACCOUNT, at).await.unwrap(),
        b.rules(tenant, ACCOUNT, at).await.unwrap(),
        "rules: {context}"
    );
    let since = now.minus(Duration::from_secs(40_000));
    assert_eq!(
        a.watched(tenant, since).await.unwrap(),
        b.watched(tenant, since).await.unwrap(),
        "watched: {context}"
    );
    assert_eq!(a.backlog(tenant).await.unwrap(), b.backlog(tenant).await.unwrap(), "backlog: {context}");
    assert_eq!(a.tenants().await.unwrap(), b.tenants().await.unwrap(), "tenants: {context}");
    assert_eq!(a.next_due_of_any().await.unwrap(), b.next_due_of_any().await.unwrap(), "due: {context}");
    let page = ChangeFilter {
        needs_human: rows.len() % 5 == 0,
        reason: rows.first().and_then(|row| row.reason).filter(|_| rows.len() % 3 == 0),
        after: rows.get(rows.len() / 2).map(|row| row.change.id),
        limit: Some(3),
        ..ChangeFilter::default()
    };
    assert_eq!(a.list(tenant, &page).await.unwrap(), b.list(tenant, &page).await.unwrap(), "page: {context}");
    assert_eq!(a.heads(tenant).await.unwrap(), b.heads(tenant).await.unwrap(), "heads: {context}");
    let history = HistoryFilter { limit: usize::MAX, ..HistoryFilter::default() };
    assert_eq!(
        a.history(tenant, ACCOUNT, &history).await.unwrap(),
        b.history(tenant, ACCOUNT, &history).await.unwrap(),
        "history: {context}"
    );
    for row in rows.iter().take(8) {
        let (at, policy) = (CallTime::bound(now), Policy::standard());
        let x = a.view(tenant, &row.change, at, &policy).await.unwrap();
        let y = b.view(tenant, &row.change, at, &policy).await.unwrap();
        assert_eq!(format!("{x:?}"), format!("{y:?}"), "view: {context}");
    }
}

/// Mostly a little later, at times a lot, at times back.
fn moved(entropy: &dyn Entropy, now: Timestamp) -> Timestamp {
    match below(entropy, 20) {
        0 => now.minus(Duration::from_secs(below(entropy, 4_000))),
        1 | 2 => now.plus(Duration::from_secs(below(entropy, 8_000))),
        _ => now.plus(Duration::from_millis(below(entropy, 60_000))),
    }
}

fn random_changes(entropy: &dyn Entropy, names: &mut u64) -> Vec<AdChange> {
    (0..=below(entropy, 3))
        .map(|_| {
            // Some names come again, so that stored ids are queued again.
            let name = if below(entropy, 6) == 0 { below(entropy, *names + 1) } else { *names };
            *names += 1;
            let set = below(entropy, 4);
            let target = [900, 950, 1000, 1050, 1100, 1300][usize::try_from(below(entropy, 6)).unwrap()];
            let mut change = change(&name.to_string(), &format!("s{set}"), 1001, target);
            change.campaign_id = format!("c{}", set % 2);
            if set == 0 {
                change.owner = Owner::campaign("c0");
            }
            if below(entropy, 8) == 0 {
                change = AdChange {
                    field: ChangeField::Status,
                    expected_from: target % 4 / 2,
                    target: 1,
                    ..change
                };
            }
            if below(entropy, 5) == 0 {
                let step = u32::try_from(below(entropy, 3)).unwrap() + 1;
                change.ramp =
                    Some(RampStep { id: ChangeId::derive(&["ramp"]), step, steps: 3, target: 2_000 });
            }
            if below(entropy, 2) == 0 {
                change.allocation_id = Some(format!("allocation {}", below(entropy, 2)));
            }
            change
        })
        .collect()
}

fn random_scope(entropy: &dyn Entropy) -> KillScope {
    match below(entropy, 4) {
        0 => KillScope::Account(ACCOUNT.into()),
        3 => KillScope::Global,
        1 => KillScope::Owner { account_id: ACCOUNT.into(), owner: Owner::ad_set("s1") },
        _ => KillScope::Tenant,
    }
}

fn random_limits(entropy: &dyn Entropy) -> AccountLimits {
    AccountLimits {
        currency: Currency::USD,
        total_daily_minor: [None, Some(4_000), Some(9_000)][usize::try_from(below(entropy, 3)).unwrap()],
        min_minor: [None, Some(920)][usize::try_from(below(entropy, 2)).unwrap()],
        max_minor: [None, Some(1_200)][usize::try_from(below(entropy, 2)).unwrap()],
    }
}

fn random_action(entropy: &dyn Entropy, row: &ChangeRow, now: Timestamp) -> Action {
    let token = match row.token {
        Some(token) if below(entropy, 8) > 0 => token,
        _ => LeaseToken::fresh(entropy),
    };
    let budget = match below(entropy, 6) {
        0 => 1_000 + i64::try_from(below(entropy, 60)).unwrap(),
        _ => row.observed_from.unwrap_or(row.change.expected_from),
    };
    let live = Box::new(live(&row.change, budget, now));
    match (row.in_flight(), below(entropy, 8)) {
        (false, 0) => Action::Cancel,
        (false, 1) => Action::Wake,
        (false, 2) => Action::Refuse {
            reason: Reason::Unreachable,
            retry_after: Some(Duration::from_secs(60)),
            detail: Some("away".into()),
        },
        (false, 3) if row.is_over() => match below(entropy, 4) {
            0 => Action::Retry { delay: Duration::from_secs(5) },
            1 => Action::Late { attempt: row.attempt, detail: "late".into() },
            2 => Action::Resolve { verdict: HumanVerdict::Applied, note: "seen".into() },
            _ => Action::Resolve { verdict: HumanVerdict::NotApplied, note: "seen".into() },
        },
        (false, n) => {
            let account = (n > 4).then(|| vec![(*live).clone()]);
            let fuzz = i64::try_from(below(entropy, 61)).unwrap() - 30;
            Action::Reserve { live, account, fuzz, token }
        }
        (true, 0) => Action::Abandon,
        (true, 1) => Action::Postpone { attempt: row.attempt, after: Duration::from_secs(30) },
        (true, 2) => {
            let finding = [Finding::Landed, Finding::NotApplied, Finding::Conflict]
                [usize::try_from(below(entropy, 3)).unwrap()];
            Action::Reconcile { attempt: row.attempt, finding, live: Some(live), detail: "read".into() }
        }
        (true, 3 | 4) => Action::Begin { attempt: row.attempt, token, live },
        (true, _) => {
            let settlement = match below(entropy, 4) {
                0 => Settlement::Ambiguous("cut".into()),
                1 => Settlement::Rejected("no".into()),
                2 => Settlement::Blocked {
                    reason: Reason::Throttled,
                    retry_after: Duration::from_secs(300),
                    detail: "slow down".into(),
                    pause: [None, Some(ThrottleScope::Account), Some(ThrottleScope::Owner)]
                        [usize::try_from(below(entropy, 3)).unwrap()],
                },
                _ => Settlement::Applied,
            };
            let took = (below(entropy, 2) == 0).then(|| Duration::from_millis(40));
            Action::Settle { attempt: row.attempt, token, settlement, took }
        }
    }
}
