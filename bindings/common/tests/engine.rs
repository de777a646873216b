//! The engine as a binding sees it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::needless_pass_by_value)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use serde_json::{Value, json};
use xynergy_bindings::host::{Host, HostFailure, HostStream};
use xynergy_bindings::{Backends, CallInfo, Engine, ErrorKind, Options, Outcome, SandboxHandle, testing};

/// A provider written by a host; the prompt says what it does.
#[derive(Debug, Default)]
struct Scripted {
    dropped: Arc<AtomicUsize>,
}

struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Host for Scripted {
    async fn call(&self, method: &'static str, arguments: String) -> Result<String, HostFailure> {
        let arguments: Value = serde_json::from_str(&arguments).unwrap();
        let prompt = arguments["request"]["messages"][0]["content"].as_str().unwrap_or(method).to_owned();
        match prompt.as_str() {
            "hang" => {
                let _dropped = Dropped(self.dropped.clone());
                std::future::pending().await
            }
            "throw" => Err(HostFailure { message: "boom".into(), token: Some(7), ..HostFailure::default() }),
            "nonsense" => Ok(r#"{"choices": 3}"#.into()),
            "empty" => Ok(r#"{"choices": []}"#.into()),
            "panic" => panic!("a defect"),
            "no json" => Ok("{".into()),
            text => Ok(json!(format!("You said: {text}; {}", arguments["ctx"]["tenant"])).to_string()),
        }
    }

    async fn stream(&self, _: &'static str, arguments: String) -> Result<HostStream, HostFailure> {
        let mut pieces: Vec<_> = ["One ", "two."].map(|text| Ok(json!(text).to_string())).into();
        if arguments.contains("break off") {
            pieces.push(Err(HostFailure {
                message: "boom".into(),
                token: Some(8),
                ..HostFailure::default()
            }));
        }
        Ok(futures_util::stream::iter(pieces).boxed())
    }
}

fn engine(dropped: &Arc<AtomicUsize>) -> Engine {
    let options = json!({
        "config": {"version": 1},
        "providers": {"mine": {"streaming": true}},
        "host_timeout_ms": 300,
    });
    let host: Arc<dyn Host> = Arc::new(Scripted { dropped: dropped.clone() });
    let backends = Backends { providers: BTreeMap::from([("mine".to_owned(), host)]), ..Backends::default() };
    Engine::new(Options::from_json(&options.to_string()).unwrap(), backends).unwrap()
}

fn plain() -> Engine {
    engine(&Arc::default())
}

fn call(engine: &Engine, method: &str, arguments: Value) -> Outcome {
    engine.call_blocking(method, &CallInfo::default(), &arguments.to_string(), || false)
}

fn chat(prompt: &str) -> Value {
    json!({"request": {"messages": [{"role": "user", "content": prompt}]}})
}

fn failure(outcome: Outcome) -> Value {
    outcome.unwrap_err().to_value()
}

#[test]
fn a_hosts_provider_answers() {
    let engine = plain();
    let info =
        CallInfo { tenant: Some("acme".into()), request_id: Some("r-1".into()), ..CallInfo::default() };
    let answer = engine.call_blocking("ai.chat", &info, &chat("hi").to_string(), || false).unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "You said: hi; \"acme\"");
    assert_eq!((&answer["outcome"], &answer["xynergy"]["request_id"]), (&json!("complete"), &json!("r-1")));
}

/// Embeds by the length of each text, but for what begins with `bad`.
#[derive(Debug)]
struct Lengths;

#[async_trait]
impl Host for Lengths {
    async fn call(&self, method: &'static str, arguments: String) -> Result<String, HostFailure> {
        assert_eq!(method, "embed");
        let arguments: Value = serde_json::from_str(&arguments).unwrap();
        let texts = arguments["request"]["input"].as_array().unwrap();
        let texts: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
        match texts[0] {
            "bad shape" => Ok(r#"{"vectors": "none"}"#.into()),
            "bad count" => Ok(r#"{"vectors": []}"#.into()),
            "bad number" => Ok(r#"{"vectors": [[1e99]]}"#.into()),
            "bad throw" => {
                Err(HostFailure { message: "boom".into(), token: Some(9), ..HostFailure::default() })
            }
            _ => {
                let vectors: Vec<Value> =
                    texts.iter().map(|text| json!([text.len(), 0.1, text.as_bytes()[0]])).collect();
                Ok(json!({"vectors": vectors, "tokens": texts.len()}).to_string())
            }
        }
    }

    async fn stream(&self, _: &'static str, _: String) -> Result<HostStream, HostFailure> {
        Err(HostFailure::default())
    }
}

fn embedding(max_inputs: u32) -> Result<Engine, xynergy_bindings::Failure> {
    let options = json!({
        "config": {"version": 1},
        "embedders": {"mine": {"default_model": "lengths", "max_inputs": max_inputs}},
    });
    let embedders = BTreeMap::from([("mine".to_owned(), Arc::new(Lengths) as Arc<dyn Host>)]);
    Engine::new(
        Options::from_json(&options.to_string()).unwrap(),
        Backends { embedders, ..Backends::default() },
    )
}

#[test]
fn a_hosts_embedder_answers() {
    let engine = embedding(2).unwrap();
    let arguments = json!({"input": ["a", "bb", "ccc"], "tags": ["search"]});
    let answer = call(&engine, "ai.embed", arguments).unwrap();
    assert!(answer.contains("\"vectors\":[[1.0,0.1,97.0],[2.0,0.1,98.0],[3.0,0.1,99.0]]"), "{answer}");
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(
        (&answer["provider"], &answer["model"], &answer["dimensions"], &answer["tokens_used"]),
        (&json!("mine"), &json!("lengths"), &json!(3), &json!(3))
    );
    assert_eq!(answer["attempts"].as_array().unwrap().len(), 2);

    for (text, kind, named) in [
        ("bad shape", "unavailable", "embedders.mine.embed"),
        ("bad count", "corrupt", "0 vectors came for 1 texts"),
        ("bad number", "corrupt", "input[0]"),
        ("bad throw", "unavailable", "embedders.mine.embed: boom"),
        ("", "invalid_input", "input[0]: blank"),
    ] {
        let error = failure(call(&embedding(2).unwrap(), "ai.embed", json!({"input": [text]})));
        assert!(error["kind"] == kind && error.to_string().contains(named), "{text}: {error}");
        assert_eq!(error["operation"], "ai.embed");
    }
    let error = failure(call(&engine, "ai.embed", json!({"input": ["a", 5]})));
    assert!(error["message"].as_str().unwrap().starts_with("input[1]"), "{error}");
    assert!(embedding(0).unwrap_err().to_value().to_string().contains("embedders.mine.max_inputs"));
}

#[test]
fn what_a_host_does_wrong_is_an_error_that_names_it() {
    for (prompt, kind, named) in [
        ("throw", "unavailable", "providers.mine.chat: boom"),
        ("nonsense", "unavailable", "choices"),
        ("empty", "unavailable", "choice"),
        ("no json", "unavailable", "providers.mine.chat"),
        ("hang", "timeout", "300 ms"),
        ("panic", "unexpected", "a defect"),
    ] {
        // A fresh one each: the breaker of one that failed too often would answer.
        let error = failure(call(&plain(), "ai.chat", chat(prompt)));
        assert_eq!(error["kind"], kind, "{prompt}: {error}");
        let text = error.to_string();
        assert!(text.contains(named), "{prompt}: {error}");
    }
    let error = failure(call(&plain(), "ai.chat", chat("throw")));
    assert_eq!(error["host_token"], 7, "the binding finds the exception again: {error}");
}

#[test]
fn wrong_arguments_are_named_before_anything_starts() {
    let engine = plain();
    for (method, arguments, named) in [
        ("ai.generate", json!({}), "prompt"),
        ("ai.generate", json!({"prompt": 3}), "prompt"),
        ("ai.generate", json!({"prompt": "x", "max_tokens": 1e30}), "max_tokens"),
        ("ai.generate", json!({"prompt": "x", "speed": 1}), "speed"),
        (
            "ai.chat",
            json!({"request": {"messages": [{"role": "user", "content": 3}]}}),
            "request.messages[0]",
        ),
        ("execution.get", json!({"id": "zz"}), "id"),
        ("hubspot.accept", json!({"method": "POST", "url": "u", "headers": {}, "body": 3}), "body"),
    ] {
        let id = engine.next_call_id();
        let started = engine
            .start(id, method, &CallInfo::default(), &arguments.to_string(), |_| panic!("it was refused"));
        let error = failure(started.expect("it is refused at once"));
        assert_eq!(error["kind"], "invalid_input", "{error}");
        assert!(error["message"].as_str().unwrap().contains(named), "{method}: {error}");
        assert_eq!(engine.in_flight(), 0);
    }
    assert_eq!(failure(call(&engine, "ai.sing", json!({})))["kind"], "unsupported");
    assert_eq!(
        failure(engine.call_blocking("ai.cache_stats", &CallInfo::default(), "{", || false))["kind"],
        "invalid_input"
    );
}

#[test]
fn a_hit_is_answered_on_the_calling_thread() {
    let engine = plain();
    call(&engine, "ai.chat", chat("again")).unwrap();
    let hit = engine.start(
        engine.next_call_id(),
        "ai.chat",
        &CallInfo::default(),
        &chat("again").to_string(),
        |_| (),
    );
    let hit: Value = serde_json::from_str(&hit.expect("nothing has to be waited for").unwrap()).unwrap();
    assert_eq!(hit["xynergy"]["cache_hit"], true);
}

#[test]
fn a_cancelled_call_completes_and_the_hosts_work_is_dropped() {
    let dropped = Arc::default();
    let engine = engine(&dropped);
    let (sender, receiver) = std::sync::mpsc::channel();
    let id = engine.next_call_id();
    let started = engine.start(id, "ai.chat", &CallInfo::default(), &chat("hang").to_string(), move |o| {
        sender.send(o).unwrap();
    });
    assert!(started.is_none());
    assert!(engine.cancel(id));
    assert!(!engine.cancel(id), "there is no such call any more");
    let outcome = receiver.recv_timeout(Duration::from_secs(5)).unwrap();
    assert_eq!(failure(outcome)["kind"], "cancelled");
    while dropped.load(Ordering::SeqCst) == 0 {
        std::thread::yield_now();
    }
    let interrupted =
        engine.call_blocking("ai.chat", &CallInfo::default(), &chat("hang").to_string(), || true);
    assert_eq!(failure(interrupted)["kind"], "cancelled");
    let info = CallInfo { timeout_ms: Some(20), ..CallInfo::default() };
    let late = engine.call_blocking("ai.chat", &info, &chat("hang").to_string(), || false);
    assert_eq!(failure(late)["kind"], "timeout");
}

#[test]
fn a_stream_that_breaks_says_what_had_come() {
    let engine = plain();
    let opened: Value =
        serde_json::from_str(&call(&engine, "ai.stream", chat("break off")).unwrap()).unwrap();
    let error = loop {
        let read: Value =
            serde_json::from_str(&call(&engine, "stream.next", opened.clone()).unwrap()).unwrap();
        assert!(read["done"] != true || !read["error"].is_null(), "{read}");
        if !read["error"].is_null() {
            break read["error"].clone();
        }
    };
    assert_eq!(error["partial_text"], "One two.", "{error}");
    assert_eq!(error["host_token"], 8);
    assert!(!error["message"].as_str().unwrap().contains("One"));
}

#[test]
fn a_stream_is_read_piece_by_piece_and_ends() {
    let engine = plain();
    let opened: Value = serde_json::from_str(&call(&engine, "ai.stream", chat("hi")).unwrap()).unwrap();
    let (mut text, mut last) = (String::new(), Value::Null);
    loop {
        let read: Value =
            serde_json::from_str(&call(&engine, "stream.next", opened.clone()).unwrap()).unwrap();
        for chunk in read["chunks"].as_array().unwrap() {
            text += chunk["choices"][0]["delta"]["content"].as_str().unwrap_or("");
            last = chunk.clone();
        }
        assert!(read["error"].is_null(), "{read}");
        if read["done"] == true {
            break;
        }
    }
    assert_eq!((text.as_str(), &last["outcome"]), ("One two.", &json!("complete")));
    assert_eq!(failure(call(&engine, "stream.next", opened))["kind"], "not_found");
    engine.close_stream(99);
}

#[test]
fn a_closed_engine_refuses() {
    let engine = plain();
    engine.close_blocking(Duration::from_secs(1));
    engine.close_blocking(Duration::from_secs(1));
    let error = failure(call(&engine, "ai.cache_stats", json!({})));
    assert!(error["message"].as_str().unwrap().contains("closed"), "{error}");
}

#[test]
fn wrong_options_are_named() {
    for (options, named) in [
        (json!({"config": {"version": 2}}), "version"),
        (json!({"config": {}}), "version"),
        (json!({"config": {"version": 1, "ai": {"cache": {"ttl": "long"}}}}), "ai.cache"),
        (json!({"config": {"version": 1}, "from_env": true}), "config"),
        (json!({"cofnig": 1}), "cofnig"),
        (json!({"secrets": {"A": 3}}), "secrets.A"),
    ] {
        let built = Options::from_json(&options.to_string())
            .map_err(Into::into)
            .and_then(|o| Engine::new(o, Backends::default()));
        let error = built.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{error}");
        assert!(error.to_string().contains(named), "{options}: {error}");
    }
    let options = Options::from_json(&json!({"secrets": {"A": "hush"}}).to_string()).unwrap();
    assert!(!format!("{options:?}").contains("hush"));
}

#[tokio::test]
async fn a_client_against_the_sandbox_runs_the_loop() {
    let sandbox = SandboxHandle::start("{}", None).await.unwrap();
    let described: Value = serde_json::from_str(&sandbox.describe()).unwrap();
    let options = json!({"config": described["config"], "secrets": described["secrets"], "seed": 7});
    let engine = Engine::new(Options::from_json(&options.to_string()).unwrap(), Backends::default()).unwrap();
    let id = engine.next_call_id();
    let arguments = json!({"account": described["account"], "allocation_id": "first", "seed": 7});
    let tick =
        engine.call(id, "closed_loop.tick", &CallInfo::default(), &arguments.to_string()).await.unwrap();
    let tick: Value = serde_json::from_str(&tick).unwrap();
    assert_eq!(tick["allocation"]["rows"].as_array().unwrap().len(), 3, "{tick}");
    let answer = engine
        .call(engine.next_call_id(), "ai.generate", &CallInfo::default(), r#"{"prompt": "hi"}"#)
        .await
        .unwrap();
    assert!(answer.contains("internal"), "{answer}");
    let health = engine.call(engine.next_call_id(), "health", &CallInfo::default(), "{}").await.unwrap();
    assert!(health.contains("\"status\":\"healthy\""), "{health}");
    engine.close(Duration::from_secs(1)).await;
    sandbox.stop().await;
    sandbox.stop().await;
    assert!(sandbox.state().await.unwrap_err().to_string().contains("stopped"));
}

/// A worker without a time of its own ends with the client, and what it had sent is settled before.
#[tokio::test]
async fn a_run_ends_when_the_client_closes() {
    let slow = r#"{"faults": [{"method": "POST", "path": "/v*/11", "nth": 1, "fault": {"delay_ms": 600}}]}"#;
    let sandbox = SandboxHandle::start(slow, None).await.unwrap();
    let described: Value = serde_json::from_str(&sandbox.describe()).unwrap();
    let mut config = described["config"].clone();
    config["execution"] = json!({"preset": "exact"});
    let options = json!({"config": config, "secrets": described["secrets"]}).to_string();
    let engine = Engine::new(Options::from_json(&options).unwrap(), Backends::default()).unwrap();
    let info = CallInfo::default();
    let change = json!({"id": "1".repeat(32), "account_id": "act_1001", "campaign_id": "1", "currency": "USD",
        "owner": {"level": "adset", "id": "11"}, "field": "budget", "expected_from": 6000, "target": 6600});
    let queued = json!({"changes": [change]}).to_string();
    engine.call(engine.next_call_id(), "execution.queue", &info, &queued).await.unwrap();

    let run = {
        let (engine, info) = (engine.clone(), info.clone());
        let run = async move { engine.call(engine.next_call_id(), "execution.run", &info, "{}").await };
        tokio::spawn(run)
    };
    let sent = || async {
        let state: Value = serde_json::from_str(&sandbox.state().await.unwrap()).unwrap();
        state["faults"][0]["fired"] == 1
    };
    while !sent().await {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let closing = std::time::Instant::now();
    engine.close(Duration::from_secs(30)).await;
    assert!(closing.elapsed() < Duration::from_secs(10), "{:?}", closing.elapsed());
    let report: Value = serde_json::from_str(&run.await.unwrap().unwrap()).unwrap();
    assert_eq!((&report["steps"], &report["completed"]), (&json!(1), &json!(1)), "{report}");
    sandbox.stop().await;
}

#[tokio::test]
async fn the_suites_judge_a_hosts_object() {
    let good: Arc<dyn Host> = Arc::new(Scripted::default());
    testing::check("provider", good, r#"{"streaming": true}"#).await.unwrap();

    #[derive(Debug)]
    struct Forgetful;
    #[async_trait]
    impl Host for Forgetful {
        async fn call(&self, method: &'static str, _: String) -> Result<String, HostFailure> {
            Ok(if method == "invalidate" { "0" } else { "null" }.into())
        }
        async fn stream(&self, _: &'static str, _: String) -> Result<HostStream, HostFailure> {
            Err(HostFailure::default())
        }
    }
    let error = testing::check("cache", Arc::new(Forgetful), "{}").await.unwrap_err();
    assert!(error.to_string().contains("contract"), "{error}");
    let error = testing::check("cash", Arc::new(Forgetful), "{}").await.unwrap_err();
    assert!(error.to_string().contains("choose provider"), "{error}");
}

/// Keeps what it is given.
#[derive(Debug, Default)]
struct Clicks(std::sync::Mutex<Vec<Value>>);

#[async_trait]
impl Host for Clicks {
    async fn call(&self, _: &'static str, arguments: String) -> Result<String, HostFailure> {
        let arguments: Value = serde_json::from_str(&arguments).unwrap();
        self.0.lock().unwrap().push(arguments["clicks"][0]["personal"].clone());
        Ok(r#"{"inserted": 1, "duplicates": 0}"#.into())
    }

    async fn stream(&self, _: &'static str, _: String) -> Result<HostStream, HostFailure> {
        Err(HostFailure::default())
    }
}

/// A host's platform may forbid layers; the configuration has the last word.
#[test]
fn layers_that_are_not_used_leave_no_trace_in_a_click() {
    let click = json!({
        "ts": "2026-03-01T12:00:00Z", "url": "https://shop.example/?gclid=g-1", "ad_id": "a", "adset_id": "s",
        "campaign_id": "c", "ip": "192.0.2.1", "user_agent": "agent", "consent": true,
    });
    for (default, configured, kept) in [
        (Value::Null, Value::Null, [true, true]),
        (json!([1]), Value::Null, [false, false]),
        (json!([1]), json!([1, 3]), [false, true]),
        (Value::Null, json!([2]), [true, false]),
    ] {
        let store = Arc::new(Clicks::default());
        let options = json!({
            "config": {"version": 1, "attribution": {"layers": configured}}, "default_layers": default,
        });
        let backends = Backends { clicks: Some(store.clone()), ..Backends::default() };
        let engine = Engine::new(Options::from_json(&options.to_string()).unwrap(), backends).unwrap();
        call(&engine, "attribution.track_click", json!({"click": click})).unwrap();
        let personal = store.0.lock().unwrap().pop().unwrap();
        let found = ["fingerprint", "address"].map(|field| !personal[field].is_null());
        assert_eq!(found, kept, "{options}: {personal}");
    }
}

#[test]
fn a_vault_that_answers_nonsense_shows_nothing_of_it() {
    #[derive(Debug)]
    struct Vault;
    #[async_trait]
    impl Host for Vault {
        async fn call(&self, _: &'static str, _: String) -> Result<String, HostFailure> {
            Ok(r#"{"value": "hush"}"#.into())
        }
        async fn stream(&self, _: &'static str, _: String) -> Result<HostStream, HostFailure> {
            Err(HostFailure::default())
        }
    }
    let provider = json!({"base_url": "http://127.0.0.1:9/v1", "api_key": {"env": "KEY"}, "model": "m"});
    let options = json!({"config": {"version": 1, "ai": {"providers": {"one": provider}}}});
    let backends = Backends { secrets: Some(Arc::new(Vault)), ..Backends::default() };
    let engine = Engine::new(Options::from_json(&options.to_string()).unwrap(), backends).unwrap();
    let error = failure(call(&engine, "ai.chat", chat("hi")));
    assert_eq!(error["kind"], "unauthorized", "{error}");
    assert!(error.to_string().contains("secrets.get") && !error.to_string().contains("hush"), "{error}");
}

#[test]
fn health_is_asked_for_the_callers_tenant() {
    #[derive(Debug, Default)]
    struct Tenants(Arc<std::sync::Mutex<Vec<Value>>>);
    #[async_trait]
    impl Host for Tenants {
        async fn call(&self, _: &'static str, arguments: String) -> Result<String, HostFailure> {
            let arguments: Value = serde_json::from_str(&arguments).unwrap();
            self.0.lock().unwrap().push(arguments["tenant"].clone());
            Ok("1".into())
        }
        async fn stream(&self, _: &'static str, _: String) -> Result<HostStream, HostFailure> {
            Err(HostFailure::default())
        }
    }
    let seen = Arc::default();
    let backends = Backends { state: Some(Arc::new(Tenants(Arc::clone(&seen)))), ..Backends::default() };
    let engine = Engine::new(Options::default(), backends).unwrap();
    let info = CallInfo { tenant: Some("acme".into()), ..CallInfo::default() };
    engine.call_blocking("health", &info, "{}", || false).unwrap();
    assert!(!seen.lock().unwrap().is_empty());
    assert!(seen.lock().unwrap().iter().all(|tenant| tenant == "acme"), "{seen:?}");
}
