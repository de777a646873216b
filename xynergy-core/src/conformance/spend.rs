//! What every [`SpendLedger`] must do.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::{ErrorKind, Retry};
use crate::spend::{LimitScope, Reserve, Settlement, SpendLedger, SpendLimit, Window};

struct Suite {
    ledger: Arc<dyn SpendLedger>,
    tenant: TenantId,
    now: Timestamp,
}

fn of(id: u128, amount_nano_usd: u64, at: Timestamp) -> Reserve {
    Reserve { id, amount_nano_usd, tags: BTreeSet::new(), standing: Vec::new(), at }
}

fn cost(nano_usd: u64) -> Settlement {
    Settlement { provider: "p".into(), model: "m".into(), cost_nano_usd: Some(nano_usd), tokens: 10 }
}

impl Suite {
    async fn limit(&self, scope: LimitScope, window: Window, amount_nano_usd: u64, hard: bool) {
        self.ledger
            .set_limit(&self.tenant, SpendLimit { scope, window, amount_nano_usd, hard })
            .await
            .unwrap();
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
    let standing =
        vec![SpendLimit { scope: LimitScope::Tenant, window: Window::Day, amount_nano_usd: 10, hard: true }];
    let standing = |id| Reserve { standing: standing.clone(), ..of(id, 20, suite.now) };
    assert!(suite.reserve(&standing(1)).await.is_err());
    suite.limit(LimitScope::Tenant, Window::Day, 30, true).await;
    suite.reserve(&standing(2)).await.unwrap();
}
