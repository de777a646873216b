//! The cases of `tests/vectors` against the engine, as each binding calls it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod hosts;
#[path = "../../../tests/vectors/runner/mod.rs"]
mod runner;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use xynergy_bindings::host::Host;
use xynergy_bindings::{Backends, CallInfo, Engine, Failure, ManualClock, Options, SandboxHandle, Timestamp};

use hosts::{Scripted, Seen};
use runner::{Call, Script, Setup, Subject};

/// A client as a binding has one: an engine, and what stands around it.
struct Bound {
    engine: Engine,
    options: String,
    backends: Backends,
    sandbox: Option<SandboxHandle>,
    clock: Option<Arc<ManualClock>>,
    seen: BTreeMap<String, Arc<Seen>>,
}

impl Subject for Bound {
    const LANGUAGE: &'static str = "engine";

    async fn build(setup: Setup) -> Result<Self, Value> {
        let clock = setup.now.as_ref().map(|now| Arc::new(ManualClock::new(now.parse().unwrap())));
        let sandbox = match &setup.sandbox {
            None => None,
            Some(options) => Some(
                SandboxHandle::start(&options.to_string(), clock.clone()).await.map_err(|f| f.to_value())?,
            ),
        };
        let mut seen = BTreeMap::new();
        let backends = backends(&setup, clock.as_ref(), &mut seen);
        let options = options(&setup, sandbox.as_ref()).to_string();
        let engine = engine(&options, &backends)?;
        Ok(Self { engine, options, backends, sandbox, clock, seen })
    }

    async fn call(&self, call: Call) -> Result<Value, Value> {
        let info = CallInfo {
            tenant: call.scope.tenant,
            actor: call.scope.actor,
            request_id: call.scope.request_id,
            traceparent: call.scope.traceparent,
            timeout_ms: call.timeout_ms,
        };
        let id = self.engine.next_call_id();
        let canceller = call.cancel_after_ms.map(|after| {
            let engine = self.engine.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(after)).await;
                engine.cancel(id);
            })
        });
        let outcome = self.engine.call(id, &call.method, &info, &call.args.to_string()).await;
        if let Some(canceller) = canceller {
            canceller.abort();
        }
        let value: Value = serde_json::from_str(&outcome.map_err(|f| f.to_value())?).unwrap();
        if call.method == "ai.stream" { self.read(&value, &info, call.take).await } else { Ok(value) }
    }

    fn clock(&self, to: Option<&str>, advance_ms: i64) {
        let clock = self.clock.as_ref().expect("the case has no frozen clock");
        if let Some(to) = to {
            clock.set(to.parse().unwrap());
        }
        clock.advance(Duration::from_millis(advance_ms.unsigned_abs()));
    }

    async fn sandbox(&self, what: &str) -> Value {
        let Some(sandbox) = &self.sandbox else { return Value::Null };
        match what {
            "next_due" => json!(sandbox.next_due().await.map(|at: Timestamp| at.to_string())),
            _ => serde_json::from_str(&sandbox.state().await.unwrap()).unwrap(),
        }
    }

    fn seen(&self, host: &str) -> Value {
        self.seen[host].to_json()
    }

    async fn close(&self) {
        self.engine.close(Duration::from_secs(1)).await;
    }

    async fn reopen(&mut self) -> Result<(), Value> {
        self.close().await;
        self.engine = engine(&self.options, &self.backends)?;
        Ok(())
    }

    async fn end(self) {
        self.close().await;
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
    }
}

impl Bound {
    /// Reads a stream as every language's runner does: to its end, or so many pieces.
    async fn read(&self, opened: &Value, info: &CallInfo, take: Option<usize>) -> Result<Value, Value> {
        let (mut text, mut last, mut read) = (String::new(), Value::Null, 0);
        loop {
            let id = self.engine.next_call_id();
            let next = self.engine.call(id, "stream.next", info, &opened.to_string()).await;
            let next: Value = serde_json::from_str(&next.map_err(|f| f.to_value())?).unwrap();
            for chunk in next["chunks"].as_array().unwrap() {
                if take.is_some_and(|take| read >= take) {
                    break;
                }
                text += chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default();
                last = chunk.clone();
                read += 1;
            }
            if take.is_some_and(|take| read >= take) {
                self.engine.close_stream(opened["stream"].as_u64().unwrap());
                return Ok(json!({"text": text, "last": last}));
            }
            if !next["error"].is_null() {
                return Err(next["error"].clone());
            }
            if next["done"] == true {
                return Ok(json!({"text": text, "last": last}));
            }
        }
    }
}

fn engine(options: &str, backends: &Backends) -> Result<Engine, Value> {
    let options = Options::from_json(options).map_err(Failure::from);
    options.and_then(|options| Engine::new(options, backends.clone())).map_err(|f| f.to_value())
}

fn options(setup: &Setup, sandbox: Option<&SandboxHandle>) -> Value {
    let described: Value =
        sandbox.map_or(Value::Null, |sandbox| serde_json::from_str(&sandbox.describe()).unwrap());
    let mut options = Map::new();
    if let Some(toml) = &setup.config_toml {
        options.insert("config_toml".into(), json!(toml));
    } else if setup.config.is_some() || sandbox.is_some() {
        let given = setup.config.clone().unwrap_or_default();
        options.insert("config".into(), runner::merge(&described["config"], &given));
    }
    if setup.secrets.is_some() || sandbox.is_some() && setup.hosts.secrets.is_none() {
        options.insert("secrets".into(), runner::merge(&described["secrets"], &json!(setup.secrets.clone())));
    }
    let traits = |script: &Script| script.parameters.get("traits").cloned().unwrap_or_else(|| json!({}));
    let providers = setup.hosts.providers.iter().map(|(name, script)| (name.clone(), traits(script)));
    options.insert("providers".into(), providers.collect());
    options.insert("seed".into(), json!(setup.seed));
    options.insert("host_timeout_ms".into(), json!(setup.host_timeout_ms));
    Value::Object(options)
}

fn backends(
    setup: &Setup,
    clock: Option<&Arc<ManualClock>>,
    all_seen: &mut BTreeMap<String, Arc<Seen>>,
) -> Backends {
    let mut place = |name: String, script: &Script| -> Arc<dyn Host> {
        let seen = Arc::new(Seen::default());
        all_seen.insert(name, seen.clone());
        Arc::new(Scripted::new(script.clone(), seen, clock.cloned()))
    };
    let hosts = &setup.hosts;
    let providers: BTreeMap<_, _> = hosts
        .providers
        .iter()
        .map(|(name, script)| (name.clone(), place(format!("providers.{name}"), script)))
        .collect();
    let mut only = |kind: &str, scripts: &BTreeMap<String, Script>| {
        scripts.iter().next().map(|(name, script)| place(format!("{kind}.{name}"), script))
    };
    let cache = only("caches", &hosts.caches);
    let crm = only("crms", &hosts.crms);
    let ad_platform = only("ad_platforms", &hosts.ad_platforms);
    let mut store = |name: &str| hosts.stores.get(name).map(|script| place(format!("stores.{name}"), script));
    let (state, clicks, revenue) = (store("state"), store("clicks"), store("revenue"));
    let secrets = hosts.secrets.as_ref().map(|script| place("secrets".into(), script));
    let clock = clock.cloned();
    let embedders = BTreeMap::new();
    Backends { providers, embedders, cache, crm, ad_platform, secrets, state, clicks, revenue, clock }
}

fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/vectors"))
}

#[test]
fn matchers_match_what_they_should_and_nothing_else() {
    runner::check_matchers(&folder());
}

#[tokio::test]
async fn every_case_holds_and_every_method_is_called() {
    let report = runner::run_all::<Bound>(&folder()).await;
    runner::conclude::<Bound>(&report);
    if runner::chosen().is_none() {
        let missing = runner::never_called(&folder(), &report.called);
        assert!(missing.is_empty(), "no case calls {missing:?}");
    }
}
