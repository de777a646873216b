//! The loop as a host embeds it: events in, ticks, guarded changes out.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use xynergy::closed_loop::AdAccount;
use xynergy::env::ManualClock;
use xynergy::execution::{ChangeFilter, ChangeStatus, KillScope, Reason};
use xynergy::hubspot::Delivery;
use xynergy::sandbox::{self, AdsFile, CrmFile, Sandbox, SandboxClock, SandboxConfig};
use xynergy::{Client, Config, ErrorKind, TenantId, Timestamp};

#[derive(Deserialize)]
struct Line {
    received_at: Timestamp,
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
}

struct World {
    client: Client,
    clock: Arc<ManualClock>,
    sandbox: Sandbox,
    account: AdAccount,
    deliveries: Vec<Line>,
}

async fn world() -> World {
    world_with(|_| {}).await
}

async fn world_with(configure: impl FnOnce(&mut Config)) -> World {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let (ads, _) = AdsFile::load(&data.join("ads.json")).unwrap();
    let (crm, _) = CrmFile::load(&data.join("crm.json")).unwrap();
    let webhooks = std::fs::read_to_string(data.join("webhooks.ndjson")).unwrap();
    let deliveries = webhooks.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let account = sandbox::ad_account(&ads);
    let clock = Arc::new(ManualClock::new("2026-03-31T18:00:00Z".parse().unwrap()));
    let config = SandboxConfig { clock: SandboxClock::Shared(clock.clone()), ..SandboxConfig::new(ads, crm) };
    let sandbox = sandbox::start(config).await.unwrap();
    let mut config = sandbox::config(sandbox.urls());
    configure(&mut config);
    let client = Client::builder(config)
        .secrets(Arc::new(sandbox::secrets(None)))
        .clock(clock.clone())
        .build()
        .unwrap();
    World { client, clock, sandbox, account, deliveries }
}

impl World {
    async fn accept(&self, tenant: &str) -> u64 {
        let scope = self.client.scope(TenantId::new(tenant).unwrap());
        let mut events = 0;
        for line in &self.deliveries {
            let delivery = Delivery {
                method: &line.method,
                url: &line.url,
                headers: &line.headers,
                body: line.body.as_bytes(),
                received_at: Some(line.received_at),
                source: "test",
            };
            match scope.hubspot().accept(&delivery).await {
                Ok(accepted) => events += accepted.events,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}"),
            }
        }
        events
    }
}

#[tokio::test]
async fn ticks_until_nothing_is_due() {
    let world = world().await;
    let scope = world.client.scope(TenantId::new("acme").unwrap());
    assert!(world.accept("acme").await > 1_000);
    let mut ticks = Vec::new();
    loop {
        let tick = scope.closed_loop(&world.account).tick("april", 7).await.unwrap();
        let next = tick.next_due;
        ticks.push(tick);
        match next {
            Some(at) => world.clock.set(at),
            None => break,
        }
    }
    assert_eq!(ticks[0].deals, 400);
    assert!(ticks[1..].iter().all(|tick| tick.deals == 0 && tick.allocation == ticks[0].allocation));
    let changes = scope.execution().list(&ChangeFilter::default()).await.unwrap();
    assert!(!changes.is_empty());
    assert!(changes.iter().all(|row| row.status == ChangeStatus::Completed), "{changes:#?}");
    let live = world.sandbox.state().await.unwrap().budgets;
    for row in &changes {
        assert_eq!(live[&row.change.owner.id], row.sent_value.unwrap());
    }
    assert!(scope.execution().verify_audit().await.unwrap().chain_ok);
}

#[tokio::test]
async fn another_tenant_has_another_loop() {
    let world = world().await;
    world.accept("acme").await;
    let other = world.client.scope(TenantId::new("other").unwrap());
    assert_eq!(other.closed_loop(&world.account).process(100).await.unwrap(), 0);
    assert!(other.allocation().pipeline().await.unwrap().is_empty());
    assert!(other.execution().list(&ChangeFilter::default()).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_owner_that_the_platform_lacks_is_named() {
    let mut world = world().await;
    world.account.ads[0].adset_id = "404".into();
    let error = world.client.closed_loop(&world.account).allocate("april", 7).await.unwrap_err();
    assert!(error.message().contains("adset:404"), "{error}");
    assert!(world.client.allocation().get("april").await.unwrap().is_none(), "nothing is stored");
}

#[tokio::test]
async fn with_approvals_nothing_moves_before_one() {
    let world = world_with(|config| config.execution.require_approval = true).await;
    let scope = world.client.scope(TenantId::new("acme").unwrap());
    assert!(world.accept("acme").await > 1_000);
    let before = world.sandbox.state().await.unwrap().budgets;
    for _ in 0..2 {
        let tick = scope.closed_loop(&world.account).tick("april", 7).await.unwrap();
        assert_eq!(tick.steps, 0);
        let rows = scope.execution().list(&ChangeFilter::default()).await.unwrap();
        assert!(!rows.is_empty());
        assert!(rows.iter().all(|row| row.reason == Some(Reason::AwaitingApproval)), "{rows:#?}");
        assert_eq!(tick.next_due, Some(rows[0].expires_at), "nothing is due before they expire");
        world.clock.advance(std::time::Duration::from_secs(3_600));
    }
    assert_eq!(world.sandbox.state().await.unwrap().budgets, before);

    let allocation = scope.allocation().get("april").await.unwrap().unwrap();
    let changes = scope.closed_loop(&world.account).changes("april", &allocation).await.unwrap();
    let digest = scope.execution().plan(&changes, false).await.unwrap().digest;
    let error = scope.execution().approve(&digest).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "an approval has an actor: {error}");
    let boss = scope.clone().with_actor("boss@example.com");
    let released = boss.execution().approve(&digest).await.unwrap();
    assert_eq!(released.len(), changes.len());
    loop {
        let tick = scope.closed_loop(&world.account).tick("april", 7).await.unwrap();
        match tick.next_due {
            Some(at) => world.clock.set(at),
            None => break,
        }
    }
    let live = world.sandbox.state().await.unwrap().budgets;
    for row in scope.execution().list(&ChangeFilter::default()).await.unwrap() {
        assert_eq!(row.status, ChangeStatus::Completed, "{row:#?}");
        assert_eq!(live[&row.change.owner.id], row.sent_value.unwrap());
        assert_eq!(row.approval.unwrap().approved_by.as_deref(), Some("boss@example.com"));
    }
    assert!(scope.execution().verify_audit().await.unwrap().chain_ok);
}

#[tokio::test]
async fn kill_switches_are_listed() {
    let world = world().await;
    let execution = world.client.execution();
    let account = KillScope::Account(world.account.account_id.clone());
    for (scope, on) in [(&account, true), (&KillScope::Tenant, true), (&KillScope::Tenant, false)] {
        execution.kill(scope, on).await.unwrap();
    }
    assert_eq!(execution.kills().await.unwrap(), [account]);
    let other = world.client.scope(TenantId::new("other").unwrap());
    assert!(other.execution().kills().await.unwrap().is_empty());
}
