//! The same run of the loop on every store: the same clicks, events, deals, changes and history, and the same budgets on
//! the platform.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use xynergy::env::{ManualClock, SeededEntropy};
use xynergy::execution::{ChangeFilter, HistoryFilter};
use xynergy::hubspot::Delivery;
use xynergy::sandbox::{self, AdsFile, CrmFile, Sandbox, SandboxClock, SandboxConfig};
use xynergy::store::Tracked;
use xynergy::{Client, ErrorKind, Scope, StoreConfig, TenantId, Timestamp};

#[derive(Deserialize)]
struct Line {
    received_at: Timestamp,
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: String,
}

/// What a run leaves that somebody can see.
#[derive(Debug, PartialEq)]
struct Left {
    clicks: Vec<u64>,
    events: Vec<u64>,
    deals: Value,
    totals: Value,
    allocations: Vec<Value>,
    changes: Vec<Value>,
    history: Vec<Value>,
    budgets: Value,
}

/// Everything twice over, then two allocations of which the second starts from what the first left.
async fn run(store: StoreConfig) -> Left {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let (ads, _) = AdsFile::load(&data.join("ads.json")).unwrap();
    let (crm, _) = CrmFile::load(&data.join("crm.json")).unwrap();
    let account = sandbox::ad_account(&ads);
    let clock = Arc::new(ManualClock::new("2026-03-31T18:00:00Z".parse().unwrap()));
    let config = SandboxConfig { clock: SandboxClock::Shared(clock.clone()), ..SandboxConfig::new(ads, crm) };
    let sandbox = sandbox::start(config).await.unwrap();
    let mut config = sandbox::config(sandbox.urls());
    config.store = store;
    let client = Client::builder(config)
        .secrets(Arc::new(sandbox::secrets(None)))
        .clock(clock.clone())
        .entropy(Arc::new(SeededEntropy::new(5)))
        .build()
        .unwrap();
    let scope = client.scope(TenantId::new("acme").unwrap());
    track(&client, &scope, &data).await;
    accept(&scope, &data).await;

    let mut allocations = Vec::new();
    for (id, seed) in [("april", 7), ("may", 8)] {
        loop {
            let tick = scope.closed_loop(&account).tick(id, seed).await.unwrap();
            match tick.next_due {
                Some(at) => clock.set(at),
                None => {
                    allocations.push(json(&tick.allocation));
                    break;
                }
            }
        }
    }
    left(&scope, &sandbox, &account.account_id, allocations).await
}

/// The click log in pieces, all of it and then half of it again.
async fn track(client: &Client, scope: &Scope, data: &Path) {
    let log = std::fs::read(data.join("clicks.ndjson")).unwrap();
    let mut clicks = Vec::new();
    for line in log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        clicks.extend(scope.attribution().parse_click(line).await.unwrap());
    }
    assert!(clicks.len() > 5_000);
    let mut tracked = Tracked::default();
    for (source, clicks) in [("first", &clicks[..]), ("again", &clicks[clicks.len() / 2..])] {
        for batch in clicks.chunks(999) {
            let batch = scope.attribution().track_clicks(batch, source).await.unwrap();
            tracked.inserted += batch.inserted;
            tracked.duplicates += batch.duplicates;
        }
    }
    assert!(tracked.inserted > 5_000 && tracked.duplicates > 2_500, "{tracked:?}");
    assert_eq!(client.attribution().count_clicks(None).await.unwrap(), 0, "another tenant has none");
}

/// The deliveries backwards, and then forwards.
async fn accept(scope: &Scope, data: &Path) {
    let webhooks = std::fs::read_to_string(data.join("webhooks.ndjson")).unwrap();
    let lines: Vec<Line> = webhooks.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (source, line) in lines.iter().rev().map(|l| ("first", l)).chain(lines.iter().map(|l| ("again", l))) {
        let delivery = Delivery {
            method: &line.method,
            url: &line.url,
            headers: &line.headers,
            body: line.body.as_bytes(),
            received_at: Some(line.received_at),
            source,
        };
        match scope.hubspot().accept(&delivery).await {
            Ok(accepted) => assert!(source == "first" || accepted.events == 0),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}"),
        }
    }
}

async fn left(scope: &Scope, sandbox: &Sandbox, account_id: &str, allocations: Vec<Value>) -> Left {
    let (attribution, hubspot, execution) = (scope.attribution(), scope.hubspot(), scope.execution());
    let sources = [None, Some("first"), Some("again")];
    let (mut clicks, mut events) = (Vec::new(), Vec::new());
    for source in sources {
        clicks.push(attribution.count_clicks(source).await.unwrap());
        events.push(hubspot.count_events(source).await.unwrap());
    }
    let deals = attribution.deals().await.unwrap();
    assert_eq!(deals.len(), 400);
    let changes = execution.list(&ChangeFilter::default()).await.unwrap();
    assert!(changes.len() > 10, "{}", changes.len());
    let history = execution.history(account_id, &HistoryFilter::default()).await.unwrap();
    assert!(history.len() > changes.len(), "{} of {}", history.len(), changes.len());
    assert!(execution.verify_audit().await.unwrap().chain_ok);
    Left {
        clicks,
        events,
        deals: json(&deals),
        totals: json(&attribution.totals().await.unwrap()),
        allocations,
        changes: changes.iter().map(json).collect(),
        history: history.iter().map(json).collect(),
        budgets: json(&sandbox.state().await.unwrap().budgets),
    }
}

fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

/// Field by field: the whole would be a page without end.
fn same(one: &Left, other: &Left) {
    assert_eq!(one.clicks, other.clicks);
    assert_eq!(one.events, other.events);
    assert_eq!(one.totals, other.totals);
    assert_eq!(one.deals, other.deals);
    assert_eq!(one.allocations, other.allocations);
    for (one, other) in one.changes.iter().zip(&other.changes) {
        assert_eq!(one, other);
    }
    for (one, other) in one.history.iter().zip(&other.history) {
        assert_eq!(one, other);
    }
    assert_eq!(one, other);
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite_leaves_what_memory_does() {
    let directory = tempfile::tempdir().unwrap();
    let sqlite = run(StoreConfig::Sqlite { path: directory.path().join("loop.sqlite") }).await;
    same(&run(StoreConfig::Memory).await, &sqlite);
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_leaves_what_memory_does() {
    use xynergy::env::{Entropy, SystemEntropy};
    use xynergy::{DatabaseUrl, PostgresConfig};

    let Ok(url) = std::env::var("XYNERGY_TEST_POSTGRES") else {
        println!("skipped: XYNERGY_TEST_POSTGRES is not set (tests/services start DIR)");
        return;
    };
    let schema = format!("test_{:016x}", SystemEntropy.next_u64());
    let config =
        PostgresConfig { schema: schema.clone(), ..PostgresConfig::new(DatabaseUrl::Text(url.clone())) };
    let postgres = run(StoreConfig::Postgres(config)).await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client.batch_execute(&format!("DROP SCHEMA {schema} CASCADE")).await.unwrap();
    same(&run(StoreConfig::Memory).await, &postgres);
}
