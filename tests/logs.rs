//! The log as lines of JSON.
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

use std::io;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use xynergy::provider::{ChatRequest, MemoryProvider};
use xynergy::{Client, Config, Error, ErrorKind, StoreConfig, TenantId};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn every_line_is_json_and_names_the_request_and_the_tenant() {
    let lines = Lines::default();
    let writer = lines.clone();
    let layer = xynergy::logs::json(move || writer.clone(), LevelFilter::WARN);
    let _guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));

    let provider = MemoryProvider::new("own", "m", |_| {
        Err(Error::new(ErrorKind::Unavailable, "ai.chat", "as \"scripted\"\nin two lines"))
    });
    let config = Config { store: StoreConfig::Memory, ..Config::default() };
    let client = Client::builder(config).provider(Arc::new(provider)).build().unwrap();
    let acme = client.scope(TenantId::new("acme").unwrap()).with_request_id("req-7");
    for _ in 0..5 {
        acme.ai().chat(ChatRequest::prompt("a secret prompt")).await.unwrap_err();
    }
    tracing::warn!("of another library");

    let bytes = lines.0.lock().unwrap().clone();
    let text = String::from_utf8(bytes).unwrap();
    let told: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let opened = told.iter().find(|line| line["event"] == "circuit_breaker_state_changed").unwrap();
    assert_eq!((&opened["level"], &opened["to"]), (&"WARN".into(), &"open".into()), "{opened}");
    assert!(opened["timestamp"].is_string());
    for line in &told {
        assert_eq!(line["span"]["request_id"], "req-7", "{line}");
        assert_eq!(line["span"]["tenant_id"], "acme", "{line}");
    }
    assert!(!text.contains("secret") && !text.contains("another library"), "{text}");
}
