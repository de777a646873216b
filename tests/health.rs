//! Health says what really works: with everything there, with parts away, and with parts that hang.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use xynergy::ai::GenerateRequest;
use xynergy::execution::MetaConfig;
use xynergy::health::{HealthCheck, HealthStatus, Performance};
use xynergy::hubspot::HubspotConfig;
use xynergy::provider::{CallOptions, ChatRequest, MemoryProvider};
use xynergy::sandbox::{self, SandboxConfig};
use xynergy::secrets::{Secret, SecretRef, StaticSecrets};
use xynergy::store::{Document, StateStore};
use xynergy::{Client, Config, Error, ErrorKind, Result, Stores, TenantId};

const TOKEN: &str = "s3cret-token";

/// A client whose CRM and ad platform are at these addresses.
fn at(crm: &str, ads: &str, account_id: &str) -> Client {
    let token = SecretRef::Env("TOKEN".into());
    let hubspot =
        HubspotConfig { base_url: crm.into(), access_token: token.clone(), ..HubspotConfig::default() };
    let meta = MetaConfig {
        base_url: ads.into(),
        access_token: token,
        account_id: account_id.into(),
        ..MetaConfig::default()
    };
    let config = Config { hubspot: Some(hubspot), meta: Some(meta), ..Config::default() };
    let secrets = StaticSecrets::default().with("TOKEN", Secret::new(TOKEN));
    Client::builder(config).secrets(Arc::new(secrets)).build().unwrap()
}

/// An address that refuses connections.
async fn refused() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

/// An address that accepts connections and answers each with `answer`, or never when `None`.
async fn answering(answer: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((mut stream, _)) = listener.accept().await {
            if let Some(answer) = answer {
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            }
            held.push(stream);
        }
    });
    url
}

#[tokio::test]
async fn everything_is_there() {
    let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let (ads, _) = sandbox::AdsFile::load(&data.join("ads.json")).unwrap();
    let (crm, _) = sandbox::CrmFile::load(&data.join("crm.json")).unwrap();
    let account = sandbox::ad_account(&ads).account_id;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("sandbox.ndjson");
    let log_to = sandbox::SandboxLog::File(log.clone());
    let sandbox =
        sandbox::start(SandboxConfig { log: log_to, ..SandboxConfig::new(ads, crm) }).await.unwrap();
    let mut config = sandbox::config(sandbox.urls());
    config.meta.as_mut().unwrap().account_id = account;
    let client = Client::builder(config).secrets(Arc::new(sandbox::secrets(None))).build().unwrap();
    let health = client.health().await;
    assert_eq!(health.status, HealthStatus::Healthy, "{health:#?}");
    let names: Vec<_> = health.checks.keys().map(String::as_str).collect();
    assert_eq!(names, ["ad_platform", "ai.abacus", "ai.internal", "ai.openai", "cache", "crm", "store"]);
    assert_eq!(health.performance, Performance::default());
    let asked = std::fs::read_to_string(&log).unwrap();
    for read in ["minimum_budgets", "deals/batch/read"] {
        assert!(asked.contains(read), "{read} was not asked: {asked}");
    }
}

#[tokio::test]
async fn what_is_away_or_refuses_degrades_and_no_secret_shows() {
    let unauthorized = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    let client = at(&refused().await, &answering(Some(unauthorized)).await, "act_1");
    let health = client.health().await;
    assert_eq!(health.status, HealthStatus::Degraded);
    assert_eq!(health.checks["store"].status, HealthStatus::Healthy);
    for (name, kind) in [("crm", "unavailable"), ("ad_platform", "unauthorized")] {
        let check = &health.checks[name];
        assert_eq!(check.status, HealthStatus::Unhealthy, "{name}: {check:?}");
        assert_eq!(check.detail.error.as_deref(), Some(kind), "{check:?}");
        assert!(check.detail.message.is_some());
    }
    let json = serde_json::to_string(&health).unwrap();
    assert!(!json.contains(TOKEN), "{json}");
}

#[tokio::test]
async fn what_hangs_is_not_waited_for() {
    let silent = answering(None).await;
    let client = at(&silent, &silent, "act_1");
    let started = Instant::now();
    let health = client.health().await;
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(health.status, HealthStatus::Degraded);
    for name in ["crm", "ad_platform"] {
        assert_eq!(health.checks[name].detail.error.as_deref(), Some("timeout"), "{health:#?}");
    }
}

#[tokio::test]
async fn without_an_account_the_platform_is_not_asked_and_says_so() {
    let health = at(&refused().await, &refused().await, "").health().await;
    let check = &health.checks["ad_platform"];
    assert_eq!(check.status, HealthStatus::Healthy);
    assert!(check.detail.message.as_ref().unwrap().contains("nothing was asked"));
}

/// A store that fails as it is told: it hangs, or forgets.
#[derive(Debug)]
enum BadState {
    Hangs,
    Forgets,
}

#[async_trait]
impl StateStore for BadState {
    async fn get(&self, _: &TenantId, _: &str, _: &str) -> Result<Option<Document>> {
        Ok(None)
    }

    async fn put(&self, _: &TenantId, _: &str, _: &str, _: Option<u64>, _: &str) -> Result<u64> {
        match self {
            Self::Hangs => std::future::pending().await,
            Self::Forgets => Ok(1),
        }
    }

    async fn list(&self, _: &TenantId, _: &str) -> Result<Vec<(String, Document)>> {
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn without_its_store_nothing_can_be_done() {
    for (state, kind) in [(BadState::Hangs, "timeout"), (BadState::Forgets, "corrupt")] {
        let stores = Stores { state: Arc::new(state), ..Stores::memory() };
        let client = Client::builder(Config::default()).stores(stores).build().unwrap();
        let health = client.health().await;
        assert_eq!(health.status, HealthStatus::Unhealthy);
        assert_eq!(health.checks["store"].detail.error.as_deref(), Some(kind));
    }
    #[cfg(feature = "sqlite")]
    {
        let config =
            Config::from_toml("version = 1\n[store]\ntype = \"sqlite\"\npath = \"/nowhere/at/all/x.sqlite\"");
        let health = Client::new(config.unwrap()).unwrap().health().await;
        assert_eq!(health.status, HealthStatus::Unhealthy);
        assert_eq!(health.checks["store"].detail.error.as_deref(), Some("unavailable"));
    }
}

#[tokio::test]
async fn calls_are_counted_and_an_open_breaker_degrades() {
    let config = "version = 1\n[ai.breaker]\nfailures = 2\n[ai.retry]\nmax_retries = 0";
    let own = MemoryProvider::new("own", "own-1", |request| {
        let text: String = request.messages.iter().flat_map(xynergy::provider::Message::texts).collect();
        match text.as_str() {
            "fail" => Err(Error::new(ErrorKind::Unavailable, "ai.chat", "it is away")),
            _ => Ok("yes".to_owned()),
        }
    });
    let client = Client::builder(Config::from_toml(config).unwrap()).provider(Arc::new(own)).build().unwrap();
    client.ai().generate(GenerateRequest::new("works")).await.unwrap();
    let before = client.health().await;
    assert_eq!((before.performance.request_count, before.performance.error_count), (1, 0));
    assert_eq!(before.checks["ai.own"].detail.failure_count, Some(0));
    for _ in 0..2 {
        client.ai().generate(GenerateRequest::new("fail")).await.unwrap_err();
    }
    let health = client.health().await;
    assert_eq!((health.performance.request_count, health.performance.error_count), (3, 2));
    assert!((health.performance.error_rate - 200.0 / 3.0).abs() < 1e-9);
    assert_eq!(health.status, HealthStatus::Degraded);
    let json = serde_json::to_value(&health.checks["ai.own"].detail).unwrap();
    assert_eq!((json["state"].as_str(), json["failure_count"].as_u64()), (Some("open"), Some(2)));
    let other = client.scope(TenantId::new("other").unwrap()).health().await;
    assert_eq!(other.checks["ai.own"].status, HealthStatus::Healthy, "breakers belong to their tenant");
}

#[tokio::test]
async fn a_canary_is_seen_until_it_is_rolled_back_and_why() {
    let config = "version = 1
        [ai]
        cache.enabled = false
        retry.max_retries = 0
        breaker.failures = 1000
        breaker.rate_percent = 0
        routes.next = {strategy = 'canary', baseline = 'own/old', candidate = 'own/new', stages = [50, 100], min_calls = 20}
        routes.plain = ['own/old']";
    let own = MemoryProvider::new("own", "old", |request| match request.model.as_str() {
        "new" => Err(Error::new(ErrorKind::Unavailable, "ai.chat", "it is away")),
        _ => Ok("yes".to_owned()),
    });
    let client = Client::builder(Config::from_toml(config).unwrap()).provider(Arc::new(own)).build().unwrap();
    let figures = |text: &str| -> Vec<String> {
        let canary = text.lines().filter(|line| line.starts_with("xynergy_ai_canary_"));
        canary.map(|line| line.trim_start_matches("xynergy_ai_canary_").to_owned()).collect()
    };
    let health = client.health().await;
    let names: Vec<_> = health.checks.keys().map(String::as_str).collect();
    assert_eq!(names, ["ai.own", "cache", "canary.next", "store"]);
    let shown = |check: &HealthCheck| serde_json::to_value(check).unwrap();
    let mut expected = serde_json::json!({"status": "healthy", "latency_ms": 0, "detail": {"canary": {
        "route": "next", "state": "staged", "stage": 1, "stages": 2, "percent": 50,
        "baseline": {"provider": "own", "model": "old"}, "candidate": {"provider": "own", "model": "new"},
    }}});
    assert_eq!(shown(&health.checks["canary.next"]), expected);
    assert_eq!(
        figures(&client.metrics().await.unwrap()),
        ["share_percent{route=\"next\"} 50", "stage{route=\"next\"} 1", "state{route=\"next\"} 1"]
    );

    for number in 0..100 {
        let options = CallOptions { session: Some(number.to_string()), ..CallOptions::default() };
        let request = ChatRequest { model: "next".into(), options, ..ChatRequest::prompt("Hi") };
        client.ai().chat(request).await.unwrap();
    }
    let health = client.scope(TenantId::new("other").unwrap()).health().await;
    assert_eq!(health.status, HealthStatus::Healthy, "the baseline answers");
    let check = shown(&health.checks["canary.next"]);
    let why = check["detail"]["canary"]["reason"].as_str().unwrap();
    assert!(why.contains("calls failed, of the baseline 0 of"), "{why}");
    let detail = &mut expected["detail"];
    let told = [("state", "rolled_back".into()), ("percent", 0.into()), ("reason", why.into())];
    told.into_iter().for_each(|(name, value)| detail["canary"][name] = value);
    detail["message"] = format!("the candidate is rolled back, the baseline answers: {why}").into();
    assert_eq!(check, expected, "it is that of all tenants");
    assert_eq!(
        figures(&client.metrics().await.unwrap()),
        ["share_percent{route=\"next\"} 0", "stage{route=\"next\"} 1", "state{route=\"next\"} 0"]
    );
}
