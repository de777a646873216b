use std::collections::BTreeSet;
use std::time::Duration;

use crate::ctx::TenantId;
use crate::env::{Entropy, SeededEntropy, Timestamp};
use crate::spend::{LimitScope, Reserve, Settlement, SpendLedger, SpendLimit, Window, Zone};

fn below(entropy: &SeededEntropy, bound: u64) -> u64 {
    entropy.next_u64() % bound
}

fn pick<T: Clone>(entropy: &SeededEntropy, of: &[T]) -> T {
    of[usize::try_from(below(entropy, of.len() as u64)).unwrap()].clone()
}

/// Drives two ledgers with the same random calls and compares every answer and all that is reported. Both are empty; `steps`
/// calls are made from `seed`.
///
/// # Panics
/// At the first difference, with the seed and the step.
pub async fn agree(a: &dyn SpendLedger, b: &dyn SpendLedger, seed: u64, steps: usize) {
    let entropy = SeededEntropy::new(seed);
    let tenants =
        [TenantId::new(format!("one{seed}")).unwrap(), TenantId::new(format!("two{seed}")).unwrap()];
    // Before a change of clocks and of months, in pieces that cross both.
    let mut now: Timestamp = "2026-10-24T20:30:00Z".parse().unwrap();
    let mut made: Vec<(TenantId, u128)> = Vec::new();
    for step in 0..steps {
        let context = format!("seed {seed}, step {step}, {now}");
        let tenant = pick(&entropy, &tenants);
        let seconds = pick(&entropy, &[0, 0, 0, 1, 7, 50, 600, 4_000]);
        now = now.plus(Duration::from_secs(seconds));
        match below(&entropy, 12) {
            0 => {
                let limit = limit(&entropy);
                a.set_limit(&tenant, limit.clone()).await.unwrap();
                b.set_limit(&tenant, limit).await.unwrap();
            }
            1 => {
                let SpendLimit { scope, window, .. } = limit(&entropy);
                let removed = a.remove_limit(&tenant, &scope, window).await.unwrap();
                assert_eq!(
                    removed,
                    b.remove_limit(&tenant, &scope, window).await.unwrap(),
                    "remove: {context}"
                );
            }
            2..=6 => {
                let id = 1 + u128::from(seed) * 1_000_000 + step as u128;
                let request = reserve(&entropy, id, now);
                let (x, y) = (a.reserve(&tenant, &request).await, b.reserve(&tenant, &request).await);
                if x.is_ok() || below(&entropy, 4) == 0 {
                    made.push((tenant.clone(), id));
                }
                let shown = |answer| match answer {
                    Ok(crossed) => Ok(sorted(crossed)),
                    // Which of several limits refuses is free.
                    Err(crate::Error { .. }) => Err("refused"),
                };
                if let (Err(x), Err(y)) = (&x, &y) {
                    assert_eq!(x.kind(), y.kind(), "reserve: {context}: {y}");
                }
                assert_eq!(shown(x), shown(y), "reserve {request:?}: {context}");
            }
            7..=9 if !made.is_empty() => {
                let (tenant, id) = pick(&entropy, &made);
                let used = settlement(&entropy);
                if below(&entropy, 2) == 0 {
                    a.settle(&tenant, id, &used).await.unwrap();
                    b.settle(&tenant, id, &used).await.unwrap();
                } else {
                    let used = (below(&entropy, 2) == 0).then_some(used);
                    a.close(&tenant, id, used.clone());
                    b.close(&tenant, id, used);
                }
            }
            _ => {
                let back = pick(&entropy, &[60, 3_600, 90_000, 9_000_000]);
                let since = (below(&entropy, 2) == 0).then(|| now.minus(Duration::from_secs(back)));
                let (x, y) = (
                    a.spend(&tenant, since, now).await.unwrap(),
                    b.spend(&tenant, since, now).await.unwrap(),
                );
                assert_eq!(x, y, "spend since {since:?}: {context}");
                let (x, y) = (a.limits(&tenant).await.unwrap(), b.limits(&tenant).await.unwrap());
                assert_eq!(x, y, "limits: {context}");
            }
        }
    }
}

fn sorted(mut limits: Vec<SpendLimit>) -> Vec<SpendLimit> {
    limits.sort_by(|a, b| (&a.scope, a.window).cmp(&(&b.scope, b.window)));
    limits
}

fn scope(entropy: &SeededEntropy) -> LimitScope {
    match below(entropy, 4) {
        0 | 1 => LimitScope::Tenant,
        2 => LimitScope::Tag(pick(entropy, &["a", "b"]).to_owned()),
        _ => LimitScope::Key(pick(entropy, &["a", "k"]).to_owned()),
    }
}

fn limit(entropy: &SeededEntropy) -> SpendLimit {
    let zone = pick(entropy, &["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu"]);
    SpendLimit {
        scope: scope(entropy),
        window: pick(entropy, &Window::ALL),
        zone: zone.parse::<Zone>().unwrap(),
        amount_nano_usd: 50 + below(entropy, 600),
        hard: below(entropy, 3) > 0,
    }
}

fn reserve(entropy: &SeededEntropy, id: u128, at: Timestamp) -> Reserve {
    let mut tags = BTreeSet::new();
    for tag in ["a", "b"] {
        if below(entropy, 3) == 0 {
            tags.insert(tag.to_owned());
        }
    }
    Reserve {
        id,
        amount_nano_usd: below(entropy, 100),
        tags,
        key: (below(entropy, 2) == 0).then(|| pick(entropy, &["a", "k"]).to_owned()),
        standing: if below(entropy, 4) == 0 { vec![limit(entropy)] } else { Vec::new() },
        at,
        lease: Duration::from_secs(pick(entropy, &[30, 3_600])),
    }
}

fn settlement(entropy: &SeededEntropy) -> Settlement {
    Settlement {
        provider: pick(entropy, &["p", "q"]).to_owned(),
        model: pick(entropy, &["m", "n"]).to_owned(),
        cost_nano_usd: (below(entropy, 5) > 0).then(|| below(entropy, 120)),
        tokens: below(entropy, 50),
    }
}
