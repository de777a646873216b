//! What every [`SpendLedger`] must do.

mod agree;
mod race;

pub use agree::agree;
pub use race::race;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::{ErrorKind, Retry};
use crate::spend::{LEASE, LimitScope, Reserve, Settlement, SpendLedger, SpendLimit, Window, Zone};

struct Suite {
    ledger: Arc<dyn SpendLedger>,
    tenant: TenantId,
    now: Timestamp,
}

fn of(id: u128, amount_nano_usd: u64, at: Timestamp) -> Reserve {
    let (tags, standing) = (BTreeSet::new(), Vec::new());
    Reserve { id, amount_nano_usd, tags, key: None, standing, at, lease: LEASE }
}

fn cost(nano_usd: u64) -> Settlement {
    Settlement { provider: "p".into(), model: "m".into(), cost_nano_usd: Some(nano_usd), tokens: 10 }
}

impl Suite {
    async fn limit(&self, scope: LimitScope, window: Window, amount_nano_usd: u64, hard: bool) {
        self.zoned(scope, window, Zone::UTC, amount_nano_usd, hard).await;
    }

    async fn zoned(&self, scope: LimitScope, window: Window, zone: Zone, amount_nano_usd: u64, hard: bool) {
        let limit = SpendLimit { scope, window, zone, amount_nano_usd, hard };
        self.ledger.set_limit(&self.tenant, limit).await.unwrap();
    }

    async fn reserve(&self, request: &Reserve) -> Result<usize, crate::Error> {
        self.ledger.reserve(&self.tenant, request).await.map(|crossed| crossed.len())
    }

    /// Settled, reserved and the number of calls.
    async fn stand(&self) -> (u64, u64, u64) {
        let spend = self.ledger.spend(&self.tenant, None, self.now).await.unwrap();
        (spend.cost_nano_usd, spend.reserved_nano_usd, spend.requests)
    }
}

/// Runs the whole suite on an empty ledger.
pub async fn suite(ledger: Arc<dyn SpendLedger>) {
    let now: Timestamp = "2026-03-31T23:30:30Z".parse().unwrap();
    let suite = |name: &str| Suite { ledger: Arc::clone(&ledger), tenant: TenantId::new(name).unwrap(), now };
    settles_and_refunds(&suite("settles")).await;
    holds_hard_limits(&suite("hard")).await;
    tells_soft_limits(&suite("soft")).await;
    counts_by_window(&suite("windows")).await;
    counts_by_tag(&suite("tags")).await;
    counts_by_key(&suite("keys")).await;
    counts_by_the_calendar_of_a_zone(&suite("zones")).await;
    counts_what_is_open_when_a_limit_is_set(&suite("open")).await;
    removes_limits(&suite("removes")).await;
    gives_back_what_nobody_settled(&suite("leases")).await;
    lets_a_close_win(&suite("closes")).await;
    holds_great_amounts(&suite("great")).await;
    reports(&suite("reports")).await;
    heeds_standing_limits(&suite("standing")).await;
    let other = ledger.spend(&TenantId::new("nobody").unwrap(), None, now).await.unwrap();
    assert_eq!((other.requests, other.cost_nano_usd), (0, 0), "spend crossed a tenant");
}

async fn settles_and_refunds(suite: &Suite) {
    suite.reserve(&of(1, 100, suite.now)).await.unwrap();
    suite.reserve(&of(2, 50, suite.now)).await.unwrap();
    assert_eq!(suite.stand().await, (0, 150, 0));
    suite.ledger.settle(&suite.tenant, 1, &cost(40)).await.unwrap();
    suite.ledger.settle(&suite.tenant, 1, &cost(40)).await.unwrap();
    assert_eq!(suite.stand().await, (40, 50, 1), "settling twice counts once");
    suite.ledger.close(&suite.tenant, 2, None);
    suite.ledger.close(&suite.tenant, 2, Some(cost(9)));
    assert_eq!(suite.stand().await, (40, 0, 1), "a refund leaves nothing");
    suite.reserve(&of(3, 50, suite.now)).await.unwrap();
    suite.ledger.close(&suite.tenant, 3, Some(cost(20)));
    assert_eq!(suite.stand().await, (60, 0, 2), "a broken stream pays for what came");
    suite.ledger.close(&suite.tenant, 99, None);
    let unpriced = Settlement { cost_nano_usd: None, ..cost(0) };
    suite.reserve(&of(4, 0, suite.now)).await.unwrap();
    suite.ledger.settle(&suite.tenant, 4, &unpriced).await.unwrap();
    let spend = suite.ledger.spend(&suite.tenant, None, suite.now).await.unwrap();
    assert_eq!((spend.unpriced_requests, spend.tokens, spend.by_provider["p"].requests), (1, 30, 3));
    let since = Some(suite.now.plus(Duration::from_secs(60)));
    assert_eq!(
        suite.ledger.spend(&suite.tenant, since, suite.now).await.unwrap().requests,
        0,
        "since is heeded"
    );
}

async fn holds_hard_limits(suite: &Suite) {
    suite.limit(LimitScope::Tenant, Window::Hour, 100, true).await;
    suite.reserve(&of(1, 60, suite.now)).await.unwrap();
    let refused = suite.reserve(&of(2, 41, suite.now)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
    assert_eq!(refused.retry(), Retry::After(Duration::from_secs(29 * 60 + 30)), "until the hour ends");
    assert_eq!(suite.stand().await.1, 60, "a refusal reserves nothing");
    suite.reserve(&of(3, 40, suite.now)).await.unwrap();
    suite.ledger.settle(&suite.tenant, 1, &cost(10)).await.unwrap();
    suite.reserve(&of(4, 50, suite.now)).await.unwrap();
    suite.limit(LimitScope::Tenant, Window::Hour, 500, true).await;
    suite.reserve(&of(5, 400, suite.now)).await.unwrap();
    let limits = suite.ledger.limits(&suite.tenant).await.unwrap();
    assert_eq!(limits.len(), 1, "the same scope and window replaces");
    let state = &suite.ledger.spend(&suite.tenant, None, suite.now).await.unwrap().limits[0];
    assert_eq!((state.settled_nano_usd, state.reserved_nano_usd), (10, 490));
}

async fn tells_soft_limits(suite: &Suite) {
    suite.limit(LimitScope::Tenant, Window::Day, 10, false).await;
    assert_eq!(suite.reserve(&of(1, 10, suite.now)).await.unwrap(), 0);
    assert_eq!(suite.reserve(&of(2, 1, suite.now)).await.unwrap(), 1);
}

async fn counts_by_window(suite: &Suite) {
    suite.reserve(&of(1, 80, suite.now)).await.unwrap();
    suite.ledger.settle(&suite.tenant, 1, &cost(80)).await.unwrap();
    // Set afterwards: what was spent before counts.
    suite.limit(LimitScope::Tenant, Window::Minute, 100, true).await;
    suite.limit(LimitScope::Tenant, Window::Month, 150, true).await;
    assert!(suite.reserve(&of(2, 21, suite.now)).await.is_err());
    let next_minute = suite.now.plus(Duration::from_secs(30));
    suite.reserve(&of(3, 21, next_minute)).await.unwrap();
    suite.ledger.settle(&suite.tenant, 3, &cost(21)).await.unwrap();
    let refused = suite.reserve(&of(4, 50, next_minute)).await.unwrap_err();
    assert!(refused.message().contains("month"), "{refused}");
    let next_month = "2026-04-01T00:00:00Z".parse().unwrap();
    suite.reserve(&of(5, 50, next_month)).await.unwrap();
}

async fn counts_by_tag(suite: &Suite) {
    suite.limit(LimitScope::Tag("x".into()), Window::Day, 100, true).await;
    let tagged = |id, tag: &str| Reserve { tags: [tag.to_owned()].into(), ..of(id, 80, suite.now) };
    suite.reserve(&tagged(1, "x")).await.unwrap();
    assert!(suite.reserve(&tagged(2, "x")).await.is_err());
    suite.reserve(&tagged(3, "y")).await.unwrap();
    suite.reserve(&of(4, 1_000, suite.now)).await.unwrap();
}

async fn heeds_standing_limits(suite: &Suite) {
    let standing = vec![SpendLimit {
        scope: LimitScope::Tenant,
        window: Window::Day,
        zone: Zone::UTC,
        amount_nano_usd: 10,
        hard: true,
    }];
    let standing = |id| Reserve { standing: standing.clone(), ..of(id, 20, suite.now) };
    assert!(suite.reserve(&standing(1)).await.is_err());
    suite.limit(LimitScope::Tenant, Window::Day, 30, true).await;
    suite.reserve(&standing(2)).await.unwrap();
}

async fn counts_by_key(suite: &Suite) {
    suite.limit(LimitScope::Key("k".into()), Window::Month, 100, true).await;
    let keyed = |id, key: &str| Reserve { key: Some(key.to_owned()), ..of(id, 80, suite.now) };
    suite.reserve(&keyed(1, "k")).await.unwrap();
    let refused = suite.reserve(&keyed(2, "k")).await.unwrap_err();
    assert!(refused.message().contains("key \"k\""), "{refused}");
    suite.reserve(&keyed(3, "other")).await.unwrap();
    suite.reserve(&of(4, 1_000, suite.now)).await.unwrap();
    // A tag of the same name is another scope.
    suite.reserve(&Reserve { tags: ["k".to_owned()].into(), ..of(5, 80, suite.now) }).await.unwrap();
}

async fn counts_by_the_calendar_of_a_zone(suite: &Suite) {
    let zone: Zone = "Europe/Berlin".parse().unwrap();
    // 23:30 UTC on the last of March is the first of April in Berlin, since an hour and a half.
    suite.reserve(&of(1, 60, "2026-03-31T21:59:00Z".parse().unwrap())).await.unwrap();
    suite.ledger.settle(&suite.tenant, 1, &cost(60)).await.unwrap();
    suite.reserve(&of(2, 30, "2026-03-31T22:00:00Z".parse().unwrap())).await.unwrap();
    suite.ledger.settle(&suite.tenant, 2, &cost(30)).await.unwrap();
    suite.zoned(LimitScope::Tenant, Window::Month, zone, 100, true).await;
    suite.reserve(&of(3, 70, suite.now)).await.unwrap();
    let refused = suite.reserve(&of(4, 1, suite.now)).await.unwrap_err();
    let until = "2026-04-30T22:00:00Z".parse::<Timestamp>().unwrap().since(suite.now);
    assert_eq!(refused.retry(), Retry::After(until));
    let state = &suite.ledger.spend(&suite.tenant, None, suite.now).await.unwrap().limits[0];
    assert_eq!((state.settled_nano_usd, state.reserved_nano_usd), (30, 70));
    assert_eq!(state.limit.zone.as_str(), "Europe/Berlin");
    // The same limit by another calendar counts another span, with what was spent before.
    suite.limit(LimitScope::Tenant, Window::Month, 159, true).await;
    assert!(suite.reserve(&of(5, 1, suite.now)).await.is_err());
    suite.limit(LimitScope::Tenant, Window::Month, 161, true).await;
    suite.reserve(&of(6, 1, suite.now)).await.unwrap();
}

async fn counts_what_is_open_when_a_limit_is_set(suite: &Suite) {
    suite.reserve(&of(1, 70, suite.now)).await.unwrap();
    suite.limit(LimitScope::Tenant, Window::Day, 100, true).await;
    assert!(suite.reserve(&of(2, 31, suite.now)).await.is_err(), "what is in flight counts");
    suite.ledger.settle(&suite.tenant, 1, &cost(20)).await.unwrap();
    suite.reserve(&of(3, 80, suite.now)).await.unwrap();
    assert_eq!(suite.stand().await, (20, 80, 1));
    suite.limit(LimitScope::Tenant, Window::Day, 10, true).await;
    suite.ledger.close(&suite.tenant, 3, None);
    assert!(suite.reserve(&of(4, 1, suite.now)).await.is_err(), "a lowered limit holds at once");
}

async fn removes_limits(suite: &Suite) {
    suite.limit(LimitScope::Tenant, Window::Day, 10, true).await;
    assert!(suite.reserve(&of(1, 11, suite.now)).await.is_err());
    let remove = || suite.ledger.remove_limit(&suite.tenant, &LimitScope::Tenant, Window::Day);
    assert!(remove().await.unwrap());
    assert!(!remove().await.unwrap(), "there is none any more");
    suite.reserve(&of(1, 11, suite.now)).await.unwrap();
    assert!(suite.ledger.limits(&suite.tenant).await.unwrap().is_empty());
}

async fn gives_back_what_nobody_settled(suite: &Suite) {
    let lease = Duration::from_secs(60);
    let leased = |id, at| Reserve { lease, ..of(id, 80, at) };
    suite.limit(LimitScope::Tenant, Window::Month, 100, true).await;
    let early = "2026-03-31T12:00:00Z".parse::<Timestamp>().unwrap();
    suite.reserve(&leased(1, early)).await.unwrap();
    assert!(suite.reserve(&leased(2, early.plus(lease / 2))).await.is_err());
    suite.reserve(&leased(3, early.plus(lease))).await.unwrap();
    let held = suite.ledger.spend(&suite.tenant, None, early.plus(lease * 2)).await.unwrap();
    assert_eq!((held.reserved_nano_usd, held.limits[0].reserved_nano_usd), (0, 0), "nobody holds it");
    // Whoever comes late pays in full, and once.
    suite.ledger.settle(&suite.tenant, 1, &cost(90)).await.unwrap();
    suite.ledger.settle(&suite.tenant, 1, &cost(90)).await.unwrap();
    assert_eq!(suite.stand().await, (90, 0, 1));
    assert!(suite.reserve(&Reserve { amount_nano_usd: 11, ..leased(4, suite.now) }).await.is_err());
    suite.reserve(&Reserve { amount_nano_usd: 10, ..leased(5, suite.now) }).await.unwrap();
    suite.ledger.close(&suite.tenant, 3, None);
    suite.ledger.close(&suite.tenant, 5, None);
    assert_eq!(suite.stand().await, (90, 0, 1));
}

async fn lets_a_close_win(suite: &Suite) {
    suite.limit(LimitScope::Tenant, Window::Day, 100, true).await;
    suite.reserve(&of(1, 100, suite.now)).await.unwrap();
    suite.reserve(&of(1, 100, suite.now)).await.unwrap();
    assert_eq!(suite.stand().await, (0, 100, 0), "the same reservation again is one");
    for id in 2..50 {
        suite.ledger.close(&suite.tenant, 1, None);
        suite.reserve(&of(id, 100, suite.now)).await.unwrap();
        suite.ledger.close(&suite.tenant, id, (id == 49).then(|| cost(7)));
    }
    suite.ledger.drain().await.unwrap();
    assert_eq!(suite.stand().await, (7, 0, 1));
}

async fn holds_great_amounts(suite: &Suite) {
    // Above 2^53, where floating point skips integers, and at both ends of the range.
    const GREAT: u64 = (1 << 53) + 1;
    suite.limit(LimitScope::Tenant, Window::Day, GREAT, true).await;
    suite.reserve(&of(1, GREAT - 1, suite.now)).await.unwrap();
    assert!(suite.reserve(&of(2, 2, suite.now)).await.is_err());
    suite.reserve(&of(3, 1, suite.now)).await.unwrap();
    suite.ledger.settle(&suite.tenant, 1, &cost(GREAT - 1)).await.unwrap();
    assert!(suite.reserve(&of(4, 1, suite.now)).await.is_err());
    assert_eq!(suite.stand().await, (GREAT - 1, 1, 1));
    suite.limit(LimitScope::Tenant, Window::Day, u64::MAX, true).await;
    assert_eq!(suite.ledger.limits(&suite.tenant).await.unwrap()[0].amount_nano_usd, u64::MAX);
    suite.reserve(&of(5, 1_000, suite.now)).await.unwrap();
    suite.limit(LimitScope::Tenant, Window::Day, 0, true).await;
    assert!(suite.reserve(&of(6, 1, suite.now)).await.is_err());
}

async fn reports(suite: &Suite) {
    let used = |provider: &str, model: &str, nano| Settlement {
        provider: provider.into(),
        model: model.into(),
        ..cost(nano)
    };
    let yesterday = suite.now.minus(Duration::from_secs(86_400));
    let tagged = |id, at, tags: &[&str], key: Option<&str>| Reserve {
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        key: key.map(str::to_owned),
        ..of(id, 100, at)
    };
    let calls = [
        (tagged(1, yesterday, &["a", "\u{e9},\"b"], Some("k1")), used("p", "m", 1)),
        (tagged(2, suite.now, &["a"], Some("k1")), used("p", "n", 2)),
        (tagged(3, suite.now, &[], Some("k2")), used("q", "m", 4)),
        (tagged(4, suite.now, &["a"], None), used("q", "m", 8)),
        (tagged(5, suite.now, &["a"], None), used("q", "m", 16)),
    ];
    for (request, used) in &calls {
        suite.reserve(request).await.unwrap();
        suite.ledger.settle(&suite.tenant, request.id, used).await.unwrap();
    }
    suite.limit(LimitScope::Tag("a".into()), Window::Month, 1_000, false).await;
    let costs =
        |map: &std::collections::BTreeMap<String, crate::spend::SpendTotal>| -> Vec<(String, u64, u64)> {
            map.iter().map(|(name, sum)| (name.clone(), sum.requests, sum.cost_nano_usd)).collect()
        };
    let row = |name: &str, requests, nano| (name.to_owned(), requests, nano);
    let spend = suite.ledger.spend(&suite.tenant, None, suite.now).await.unwrap();
    assert_eq!((spend.requests, spend.cost_nano_usd, spend.tokens), (5, 31, 50));
    assert_eq!(costs(&spend.by_provider), [row("p", 2, 3), row("q", 3, 28)]);
    assert_eq!(costs(&spend.by_model), [row("p/m", 1, 1), row("p/n", 1, 2), row("q/m", 3, 28)]);
    assert_eq!(costs(&spend.by_tag), [row("a", 4, 27), row("\u{e9},\"b", 1, 1)]);
    assert_eq!(costs(&spend.by_key), [row("k1", 2, 3), row("k2", 1, 4)]);
    assert_eq!(costs(&spend.by_day), [row("2026-03-30", 1, 1), row("2026-03-31", 4, 30)]);
    let today = suite.ledger.spend(&suite.tenant, Some(suite.now), suite.now).await.unwrap();
    assert_eq!((today.requests, today.cost_nano_usd), (4, 30));
    assert_eq!(today.limits[0].settled_nano_usd, 27, "a limit counts its window, whatever is asked for");
    assert_eq!(today.limits[0].resets_at.to_string(), "2026-04-01T00:00:00Z");
}
