//! A small world, a sandbox of it, and a client that keeps nothing from the test.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use xynergy_core::Timestamp;
use xynergy_core::env::ManualClock;
use xynergy_providers::sandbox::record::{Entry, Record};
use xynergy_providers::sandbox::{
    self, AdsFile, CrmFile, Sandbox, SandboxClock, SandboxConfig, SandboxLog, parse_faults,
};

#[path = "../support/ads_file.rs"]
mod ads_file;

use ads_file::{ad, ads_file};

pub(crate) const NOON: &str = "2026-03-01T12:00:00Z";

pub(crate) fn noon() -> Timestamp {
    NOON.parse().unwrap()
}

/// Campaign c1 with ad sets s1 (ads a1, a2) and s2 (a3); c2 with its own budget for s3 (a4) and s4 (a5); c3 all paused.
pub(crate) fn ads() -> AdsFile {
    ads_file(&[
        ad("a1", "s1", "c1", "ACTIVE", 2500, "adset"),
        ad("a2", "s1", "c1", "PAUSED", 2500, "adset"),
        ad("a3", "s2", "c1", "ACTIVE", 5000, "adset"),
        ad("a4", "s3", "c2", "ACTIVE", 9000, "campaign"),
        ad("a5", "s4", "c2", "ACTIVE", 9000, "campaign"),
        ad("a6", "s5", "c3", "PAUSED", 700, "adset"),
    ])
}

pub(crate) fn crm() -> CrmFile {
    let file = json!({
        "deals": {
            "101": {"properties": {"dealstage": "closedwon", "amount": 120.5, "createdate": NOON}, "contacts": ["201", "202"]},
            "102": {"properties": {"dealstage": "appointmentscheduled"}, "contacts": []},
        },
        "contacts": {"201": {"properties": {"email": "a@example.com", "xynergy_consent": true}}, "202": {"properties": {}}},
    });
    CrmFile::parse(&file.to_string()).unwrap().0
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) client: Client,
}

pub(crate) async fn start() -> World {
    start_with("[]", SandboxLog::Memory).await
}

pub(crate) async fn start_with(faults: &str, log: SandboxLog) -> World {
    let clock = Arc::new(ManualClock::new(noon()));
    try_start(faults, log, clock).await.unwrap()
}

pub(crate) async fn start_on(path: &Path, clock: &Arc<ManualClock>) -> xynergy_core::Result<World> {
    try_start("[]", SandboxLog::File(path.to_owned()), clock.clone()).await
}

async fn try_start(faults: &str, log: SandboxLog, clock: Arc<ManualClock>) -> xynergy_core::Result<World> {
    let sandbox = sandbox::start(SandboxConfig {
        faults: parse_faults(faults).unwrap(),
        log,
        clock: SandboxClock::Shared(clock.clone()),
        ..SandboxConfig::new(ads(), crm())
    })
    .await?;
    // The package builds its own client with a provider; this one has the process's.
    #[cfg(feature = "rustls")]
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
    let client = Client { http, base: sandbox.urls().base.clone() };
    Ok(World { sandbox, clock, client })
}

/// A sandbox of another ads file, set up in another way.
pub(crate) async fn start_ads(ads: AdsFile, change: impl FnOnce(SandboxConfig) -> SandboxConfig) -> World {
    let clock = Arc::new(ManualClock::new(noon()));
    let config =
        SandboxConfig { clock: SandboxClock::Shared(clock.clone()), ..SandboxConfig::new(ads, crm()) };
    let sandbox = sandbox::start(change(config)).await.unwrap();
    // The package builds its own client with a provider; this one has the process's.
    #[cfg(feature = "rustls")]
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap();
    let client = Client { http, base: sandbox.urls().base.clone() };
    World { sandbox, clock, client }
}

impl World {
    /// Every line of the log, this look included.
    pub(crate) async fn records(&self) -> Vec<Record> {
        let text = self.client.get("/_sandbox/log").await.text;
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The changes of values as (object, before, after, actor), from the log.
    pub(crate) async fn effects(&self) -> Vec<(String, Value, Value, Value)> {
        let effect = |record: &Record| match &record.entry {
            Entry::Effect(line) => Some((
                line.change.object_id.clone(),
                json!(line.change.before),
                json!(line.change.after),
                json!(line.actor),
            )),
            _ => None,
        };
        self.records().await.iter().filter_map(effect).collect()
    }

    pub(crate) async fn budget(&self, owner: &str) -> i64 {
        self.sandbox.state().await.unwrap().budgets[owner]
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) base: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {}", self.text))
    }

    /// Meta's code and subcode.
    pub(crate) fn graph_error(&self) -> (u16, Value, Value) {
        let error = &self.json()["error"];
        (self.status, error["code"].clone(), error["error_subcode"].clone())
    }
}

impl Client {
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.try_send(self.request("GET", path)).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.try_post(path, body).await.unwrap()
    }

    pub(crate) async fn form(&self, path: &str, body: &str) -> Answer {
        self.try_form(path, body).await.unwrap()
    }

    pub(crate) async fn try_form(&self, path: &str, body: &str) -> reqwest::Result<Answer> {
        let form = "application/x-www-form-urlencoded";
        self.try_send(self.request("POST", path).header("content-type", form).body(body.to_owned())).await
    }

    pub(crate) async fn try_post(&self, path: &str, body: &Value) -> reqwest::Result<Answer> {
        let request = self.request("POST", path).header("content-type", "application/json");
        self.try_send(request.body(body.to_string())).await
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) };
        self.http.request(method.parse().unwrap(), url).header("authorization", "Bearer EAABtoken")
    }

    pub(crate) async fn try_send(&self, request: reqwest::RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, text: response.text().await? })
    }

    /// Sets the budget of an object and returns the status.
    pub(crate) async fn set(&self, id: &str, budget: i64) -> u16 {
        self.form(&format!("/graph/v26.0/{id}"), &format!("daily_budget={budget}")).await.status
    }
}
