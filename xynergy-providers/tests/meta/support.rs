//! A small world, a sandbox of it, and Meta's backend before it.

use std::sync::Arc;

use serde_json::Value;
use xynergy_core::ads::{AdPlatform, AdWrite, ChangeField, Owner, WriteFailure};
use xynergy_core::config::{Secret, StaticSecrets};
use xynergy_core::env::{ManualClock, MemoryEvents};
use xynergy_core::execution::ChangeId;
use xynergy_core::{Clock, Ctx, Env, TenantId, Timestamp};
use xynergy_providers::ads::meta::{MetaAds, MetaConfig};
use xynergy_providers::http::ReqwestHttp;
use xynergy_providers::sandbox::{
    self, APP_ID, AdsFile, CrmFile, Sandbox, SandboxClock, SandboxConfig, parse_faults,
};

#[path = "../support/ads_file.rs"]
mod ads_file;

use ads_file::{ad, ads_file};

pub(crate) const TOKEN: &str = "EAABverysecret";

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) meta: MetaAds,
    pub(crate) ctx: Ctx,
    pub(crate) events: Arc<MemoryEvents>,
}

/// Ad set s1 with a budget of its own, campaign c2 with one for s3; a paused ad set s5.
pub(crate) fn ads() -> AdsFile {
    ads_file(&[
        ad("a1", "s1", "c1", "ACTIVE", 2500, "adset"),
        ad("a2", "s1", "c1", "PAUSED", 2500, "adset"),
        ad("a4", "s3", "c2", "ACTIVE", 9000, "campaign"),
        ad("a6", "s5", "c3", "PAUSED", 700, "adset"),
    ])
}

pub(crate) async fn world(faults: &Value) -> World {
    world_with(ads(), faults, |config| config).await
}

pub(crate) async fn world_with(
    ads: AdsFile,
    faults: &Value,
    change: impl Fn(MetaConfig) -> MetaConfig,
) -> World {
    let now: Timestamp = "2026-03-01T12:00:00.250Z".parse().unwrap();
    let clock = Arc::new(ManualClock::new(now));
    let crm = CrmFile::parse(r#"{"deals": {}, "contacts": {}}"#).unwrap().0;
    let sandbox = sandbox::start(SandboxConfig {
        faults: parse_faults(&faults.to_string()).unwrap(),
        clock: SandboxClock::Shared(clock.clone()),
        ..SandboxConfig::new(ads, crm)
    })
    .await
    .unwrap();
    let config = change(MetaConfig {
        base_url: sandbox.urls().graph.clone(),
        app_id: Some(APP_ID.to_owned()),
        ..MetaConfig::default()
    });
    let secrets = StaticSecrets::default()
        .with("META_ACCESS_TOKEN", Secret::new(TOKEN))
        .with("EXPIRED", Secret::new("expired"))
        .with("STRANGER", Secret::new("stranger"))
        .with("META_APP_SECRET", Secret::new("key"));
    let meta = MetaAds::new(config, Arc::new(ReqwestHttp::new()), Arc::new(secrets)).unwrap();
    let events = Arc::new(MemoryEvents::default());
    let env = Env { clock: clock.clone(), events: events.clone(), ..Env::default() };
    let ctx = Ctx::new(&env, TenantId::default()).with_request_id("req_meta");
    World { sandbox, clock, meta, ctx, events }
}

impl World {
    pub(crate) fn write(&self, owner: Owner, field: ChangeField, value: i64) -> AdWrite {
        let change_id = ChangeId::fresh(self.clock.now(), &*self.ctx.env.entropy);
        AdWrite { owner, field, value, change_id, attempt: 2 }
    }

    pub(crate) async fn set(&self, value: i64) -> Result<(), WriteFailure> {
        let write = self.write(Owner::ad_set("s1"), ChangeField::Budget, value);
        self.meta.set(&self.ctx, &write).await
    }

    pub(crate) async fn budget(&self, owner: &str) -> i64 {
        self.sandbox.state().await.unwrap().budgets[owner]
    }

    pub(crate) async fn control(&self, path: &str, body: Option<Value>) -> String {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/_sandbox/{path}", self.sandbox.urls().base);
        let request = match body {
            Some(body) => http.post(url).header("content-type", "application/json").body(body.to_string()),
            None => http.get(url),
        };
        let response = request.send().await.unwrap();
        assert!(response.status().is_success());
        response.text().await.unwrap()
    }

    /// The requests that the Graph API has seen.
    pub(crate) async fn requests(&self) -> Vec<Value> {
        let log = self.control("log", None).await;
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["kind"] == "request" && line["surface"] == "graph").collect()
    }

    pub(crate) async fn posts(&self) -> usize {
        self.requests().await.iter().filter(|line| line["method"] == "POST").count()
    }
}
