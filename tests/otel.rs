//! What a collector gets, from a real one on this machine.
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tracing_subscriber::layer::SubscriberExt;
use xynergy::otel::{Encoding, Exporter, OtelConfig};
use xynergy::provider::{ChatRequest, MemoryProvider};
use xynergy::{Client, Config, Error, ErrorKind, StoreConfig};

type Got = Arc<Mutex<Vec<Value>>>;

/// A collector that keeps the bodies of exports.
async fn collector() -> (String, Got) {
    let got = Got::default();
    let take = async |State(got): State<Got>, Json(body): Json<Value>| {
        got.lock().unwrap().push(body);
        Json(json!({}))
    };
    let app = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&got));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (endpoint, got)
}

fn spans(got: &Got) -> Vec<Value> {
    let bodies = got.lock().unwrap();
    let resources = bodies.iter().flat_map(|body| body["resourceSpans"].as_array().unwrap());
    let scopes = resources.flat_map(|resource| resource["scopeSpans"].as_array().unwrap());
    scopes.flat_map(|scope| scope["spans"].as_array().unwrap()).cloned().collect()
}

fn attribute(span: &Value, name: &str) -> Option<Value> {
    let attributes = span["attributes"].as_array().unwrap();
    attributes.iter().find(|attribute| attribute["key"] == name).map(|attribute| attribute["value"].clone())
}

fn client() -> Client {
    let provider = MemoryProvider::new("own", "m-1", |request| {
        let prompt = request.messages.last().unwrap().texts().next().unwrap_or_default();
        match prompt {
            "fail" => Err(Error::new(ErrorKind::Unauthorized, "ai.chat", "as scripted")),
            prompt => Ok(format!("an answer to {prompt}")),
        }
    });
    let config = Config { store: StoreConfig::Memory, ..Config::default() };
    Client::builder(config).provider(Arc::new(provider)).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_arrive_below_the_trace_of_their_caller() {
    let (endpoint, got) = collector().await;
    let config = OtelConfig {
        endpoint,
        service_name: "shop".into(),
        encoding: Encoding::Json,
        ..OtelConfig::default()
    };
    let exporter = Exporter::start(&config).unwrap();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(exporter.layer()));

    let client = client();
    let caller = client
        .scope(xynergy::TenantId::new("acme").unwrap())
        .with_request_id("req-7")
        .with_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    caller.ai().chat(ChatRequest::prompt("a secret prompt")).await.unwrap();
    client.ai().chat(ChatRequest::prompt("fail")).await.unwrap_err();
    tokio::task::spawn_blocking(move || exporter.shutdown()).await.unwrap().unwrap();

    let spans = spans(&got);
    let text = |value: &str| Some(json!({"stringValue": value}));
    let below = spans.iter().find(|span| span["parentSpanId"] == "b7ad6b7169203331").unwrap();
    assert_eq!(below["traceId"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!((&below["name"], &below["kind"]), (&json!("chat "), &json!(3)), "{below}");
    for (name, value) in [
        ("gen_ai.operation.name", "chat"),
        ("gen_ai.provider.name", "own"),
        ("gen_ai.response.finish_reasons", "stop"),
        ("request_id", "req-7"),
        ("tenant_id", "acme"),
    ] {
        assert_eq!(attribute(below, name), text(value), "{name} of {below}");
    }
    let attempt = spans.iter().find(|span| span["parentSpanId"] == below["spanId"]).unwrap();
    assert_eq!((&attempt["name"], &attempt["traceId"]), (&json!("attempt m-1"), &below["traceId"]));

    let failed: Vec<_> = spans.iter().filter(|span| attribute(span, "error.type").is_some()).collect();
    assert_eq!(failed.len(), 2, "the call and its attempt: {spans:#?}");
    for span in failed {
        assert_eq!(attribute(span, "error.type"), text("unauthorized"));
        assert_eq!(span["status"]["code"], 2);
        assert_ne!(span["traceId"], below["traceId"]);
    }
    let all = got.lock().unwrap().iter().map(Value::to_string).collect::<String>();
    assert!(all.contains("\"shop\"") && !all.contains("secret"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_is_told_and_harms_no_call() {
    let config = OtelConfig { endpoint: "http://127.0.0.1:9/v1/traces".into(), ..OtelConfig::default() };
    let exporter = Exporter::start(&config).unwrap();
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(exporter.layer()));
    client().ai().chat(ChatRequest::prompt("hello")).await.unwrap();
    let flushed = tokio::task::spawn_blocking(move || exporter.flush()).await.unwrap();
    assert_eq!(flushed.unwrap_err().kind(), ErrorKind::Unavailable);
    let wrong = Exporter::start(&OtelConfig { endpoint: "localhost".into(), ..OtelConfig::default() });
    assert!(wrong.unwrap_err().to_string().contains("otel.endpoint"));
}
