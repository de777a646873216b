//! The cases of `tests/vectors` against the public API of the Rust library: each call by its typed method, each value through its own type.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

#[path = "vectors/rust/dispatch.rs"]
mod dispatch;
#[path = "vectors/rust/hosts.rs"]
mod hosts;
#[path = "vectors/rust/platform.rs"]
mod platform;
#[path = "vectors/runner/mod.rs"]
mod runner;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::{Value, json};
use xynergy::env::{Clock, ManualClock, SeededEntropy};
use xynergy::sandbox::{self, AdsFile, CrmFile, Sandbox, SandboxClock, SandboxConfig, SandboxLog};
use xynergy::secrets::{Secret, StaticSecrets};
use xynergy::{Client, ClientBuilder, Config, Error, Stores, TenantId};

use hosts::{Scripted, Seen};
use runner::{Call, Script, Setup, Subject, merge};

/// The account of a sandbox that is given none, as the bindings have it.
const ADS: &str = include_str!("../bindings/common/src/sandbox/ads.json");

struct Native {
    client: Option<Client>,
    setup: Setup,
    hosts: BTreeMap<String, Arc<Scripted>>,
    sandbox: Option<Sandbox>,
    clock: Option<Arc<ManualClock>>,
}

impl Subject for Native {
    const LANGUAGE: &'static str = "rust";

    async fn build(setup: Setup) -> Result<Self, Value> {
        let clock = setup.now.as_ref().map(|now| Arc::new(ManualClock::new(now.parse().unwrap())));
        let sandbox = match &setup.sandbox {
            None => None,
            Some(options) => Some(start(options, clock.clone()).await.map_err(shape)?),
        };
        let hosts = scripted(&setup, clock.as_ref());
        let mut native = Self { client: None, setup, hosts, sandbox, clock };
        match native.open() {
            Ok(client) => native.client = Some(client),
            Err(error) => {
                native.end().await;
                return Err(shape(error));
            }
        }
        Ok(native)
    }

    async fn call(&self, call: Call) -> Result<Value, Value> {
        let client = self.client.as_ref().expect("the client is open");
        assert!(call.timeout_ms.is_none(), "a Rust program drops the future: add `not_in`");
        let scope = match &call.scope.tenant {
            None => (**client).clone(),
            Some(tenant) => client.scope(TenantId::new(tenant).map_err(shape)?),
        };
        let scope = match &call.scope.actor {
            Some(actor) => scope.with_actor(actor),
            None => scope,
        };
        let scope = match &call.scope.request_id {
            Some(request_id) => scope.with_request_id(request_id),
            None => scope,
        };
        let work = async {
            if call.method == "ai.stream" {
                return read(&scope, call.args, call.take).await;
            }
            dispatch::call(client, &scope, &call.method, call.args).await
        };
        match call.cancel_after_ms {
            None => work.await.map_err(shape),
            // Rust cancels a call by dropping its future.
            Some(after) => match tokio::time::timeout(Duration::from_millis(after), work).await {
                Ok(outcome) => outcome.map_err(shape),
                Err(_) => Err(json!({"kind": "cancelled"})),
            },
        }
    }

    fn clock(&self, to: Option<&str>, advance_ms: i64) {
        let clock = self.clock.as_ref().expect("the case has no frozen clock");
        if let Some(to) = to {
            clock.set(to.parse().unwrap());
        }
        clock.advance(Duration::from_millis(advance_ms.unsigned_abs()));
    }

    async fn sandbox(&self, what: &str) -> Value {
        match (&self.sandbox, what) {
            (None, _) => Value::Null,
            (Some(sandbox), "next_due") => json!(sandbox.next_due()),
            (Some(sandbox), _) => serde_json::to_value(sandbox.state().await.unwrap()).unwrap(),
        }
    }

    fn seen(&self, host: &str) -> Value {
        self.hosts[host].seen().to_json()
    }

    async fn close(&self) {
        if let Some(client) = &self.client {
            client.drain().await;
        }
    }

    async fn reopen(&mut self) -> Result<(), Value> {
        self.close().await;
        self.client = None;
        self.client = Some(self.open().map_err(shape)?);
        Ok(())
    }

    async fn end(self) {
        self.close().await;
        drop(self.client);
        if let Some(sandbox) = self.sandbox {
            sandbox.shutdown().await;
        }
    }
}

impl Native {
    fn open(&self) -> xynergy::Result<Client> {
        let mut builder = Client::builder(self.config()?);
        builder = self.places(builder);
        if let Some(clock) = &self.clock {
            builder = builder.clock(clock.clone());
        }
        if let Some(seed) = self.setup.seed {
            builder = builder.entropy(Arc::new(SeededEntropy::new(seed)));
        }
        if let Some(secrets) = self.hosts.get("secrets") {
            builder = builder.secrets(secrets.clone());
        } else if self.setup.secrets.is_some() || self.sandbox.is_some() {
            let fixed =
                if self.sandbox.is_some() { sandbox::secrets(None) } else { StaticSecrets::default() };
            let given = self.setup.secrets.iter().flatten();
            let fixed = given.fold(fixed, |fixed, (name, value)| fixed.with(name, Secret::new(value)));
            builder = builder.secrets(Arc::new(fixed));
        }
        builder.build()
    }

    fn config(&self) -> xynergy::Result<Config> {
        if let Some(toml) = &self.setup.config_toml {
            return Config::from_toml(toml);
        }
        let given = self.setup.config.clone().unwrap_or_default();
        match &self.sandbox {
            None if self.setup.config.is_none() => Ok(Config::default()),
            None => Config::from_value(&given),
            Some(sandbox) => {
                let described = serde_json::to_value(sandbox::config(sandbox.urls())).unwrap();
                Config::from_value(&merge(&described, &given))
            }
        }
    }

    fn places(&self, mut builder: ClientBuilder) -> ClientBuilder {
        let mut stores = Stores::memory();
        let mut own_stores = false;
        for (place, host) in &self.hosts {
            match place.split_once('.') {
                Some(("providers", _)) => builder = builder.provider(host.clone()),
                Some(("caches", _)) => builder = builder.cache(host.clone()),
                Some(("crms", _)) => builder = builder.crm(host.clone()),
                Some(("ad_platforms", _)) => builder = builder.ad_platform(host.clone()),
                Some(("stores", store)) => {
                    own_stores = true;
                    match store {
                        "state" => stores.state = host.clone(),
                        "clicks" => stores.clicks = host.clone(),
                        _ => stores.revenue = host.clone(),
                    }
                }
                _ => {}
            }
        }
        if own_stores { builder.stores(stores) } else { builder }
    }
}

/// Reads a stream as every language's runner does: to its end, or so many pieces.
async fn read(scope: &xynergy::Scope, args: Value, take: Option<usize>) -> xynergy::Result<Value> {
    let request = serde_json::from_value(args["request"].clone()).expect("a chat request");
    let mut stream = scope.ai().stream(request).await?;
    let (mut text, mut last, mut read) = (String::new(), Value::Null, 0);
    while take.is_none_or(|take| read < take) {
        let Some(chunk) = stream.next().await else { break };
        last = serde_json::to_value(chunk?).unwrap();
        text += last["choices"][0]["delta"]["content"].as_str().unwrap_or_default();
        read += 1;
    }
    Ok(json!({"text": text, "last": last}))
}

async fn start(options: &Value, clock: Option<Arc<ManualClock>>) -> xynergy::Result<Sandbox> {
    let text = |name: &str, default: &str| {
        options.get(name).map_or_else(|| default.to_owned(), std::string::ToString::to_string)
    };
    let (ads, _) = AdsFile::parse(&text("ads", ADS))?;
    let (crm, _) = CrmFile::parse(&text("crm", r#"{"deals": {}, "contacts": {}}"#))?;
    let faults = sandbox::parse_faults(&text("faults", "[]"))?;
    let clock = clock.map_or(SandboxClock::System, SandboxClock::Shared);
    sandbox::start(SandboxConfig { faults, log: SandboxLog::Memory, clock, ..SandboxConfig::new(ads, crm) })
        .await
}

fn scripted(setup: &Setup, clock: Option<&Arc<ManualClock>>) -> BTreeMap<String, Arc<Scripted>> {
    let hosts = &setup.hosts;
    let places = [
        ("providers", &hosts.providers),
        ("caches", &hosts.caches),
        ("stores", &hosts.stores),
        ("crms", &hosts.crms),
        ("ad_platforms", &hosts.ad_platforms),
    ];
    let now = clock.map(|clock| clock.clone() as Arc<dyn Clock>);
    let make = |name: &str, script: &Script| {
        Arc::new(Scripted::new(name, script.clone(), Seen::default(), now.clone()))
    };
    let mut all: BTreeMap<String, Arc<Scripted>> = places
        .into_iter()
        .flat_map(|(kind, scripts)| {
            scripts.iter().map(move |(name, script)| (format!("{kind}.{name}"), name, script))
        })
        .map(|(place, name, script)| (place, make(name, script)))
        .collect();
    if let Some(script) = &hosts.secrets {
        all.insert("secrets".to_owned(), make("secrets", script));
    }
    all
}

fn shape(error: Error) -> Value {
    serde_json::to_value(error).unwrap()
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors"))
}

#[test]
fn matchers_match_what_they_should_and_nothing_else() {
    runner::check_matchers(&folder());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_holds_and_every_method_is_called() {
    let report = runner::run_all::<Native>(&folder()).await;
    runner::conclude::<Native>(&report);
    if runner::chosen().is_none() {
        let missing = runner::never_called(&folder(), &report.called);
        assert!(missing.is_empty(), "no case calls {missing:?}");
    }
}
