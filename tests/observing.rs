//! `docs/observing.md` says what the code does.
#![cfg(feature = "ai")]
#![allow(clippy::unwrap_used)] // Helpers of tests are no tests to clippy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::StreamExt;
use xynergy::provider::{ChatRequest, MemoryProvider};
use xynergy::{Client, Config};

const PAGE: &str = include_str!("../docs/observing.md");

/// The cells of the rows of every table, without their first and last bar.
fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    let rows = PAGE.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    rows.map(|row| row.split(" | ").collect())
}

fn client() -> Client {
    let provider = MemoryProvider::new("own", "m", |request| {
        Ok(format!("to {}", request.messages.last().unwrap().texts().next().unwrap_or_default()))
    });
    let config =
        "version = 1\n[ai.routes]\nnext = {strategy = 'canary', baseline = 'own/m', candidate = 'own/n'}";
    let config = Config { store: xynergy::StoreConfig::Memory, ..Config::from_toml(config).unwrap() };
    Client::builder(config).provider(Arc::new(provider)).build().unwrap()
}

/// The families of AI calls with the names of their labels.
#[tokio::test]
async fn every_figure_of_ai_calls_is_told() {
    let client = client();
    client.ai().chat(ChatRequest::prompt("hello")).await.unwrap();
    client.ai().chat(ChatRequest { model: "nobody/m".into(), ..ChatRequest::prompt("x") }).await.unwrap_err();
    let stream = client.ai().stream(ChatRequest::prompt("stream")).await.unwrap();
    assert!(stream.collect::<Vec<_>>().await.iter().all(Result::is_ok));
    let text = client.metrics().await.unwrap();

    let mut exported: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("xynergy_ai_")) {
        let (name, labels) = line.rsplit_once(' ').unwrap().0.split_once('{').unwrap_or((line, ""));
        let name = name.split(' ').next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        let labels = labels.split("\",").filter_map(|label| Some(label.split_once("=\"")?.0));
        exported.entry(family.unwrap_or(name)).or_default().extend(labels.filter(|label| *label != "le"));
    }
    let told: BTreeMap<&str, BTreeSet<&str>> = rows()
        .filter_map(|cells| cells[0].strip_prefix('`')?.strip_suffix('`'))
        .filter(|name| name.starts_with("xynergy_ai_"))
        .map(|name| name.split_once('{').unwrap_or((name, "")))
        .map(|(name, labels)| {
            (name, labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty()).collect())
        })
        .collect();
    assert_eq!(told, exported);
}

#[test]
fn every_event_is_told() {
    let name = |text: &'static str| text.strip_prefix('`')?.strip_suffix('`');
    let told: BTreeSet<(&str, &str)> = rows()
        .filter(|cells| cells.len() == 5)
        .filter_map(|cells| Some((name(cells[0])?, name(cells[1])?)))
        .collect();
    let all = xynergy::env::EventType::ALL.iter();
    assert_eq!(told, all.map(|event| (event.name(), event.source_service())).collect());
}
