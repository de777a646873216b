use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use xynergy::ai::{LimitScope, SpendLimit, Window, Zone};
use xynergy::env::ManualClock;
use xynergy::provider::{CallOptions, ChatRequest, MemoryProvider};
use xynergy::{Client, Config, Error, ErrorKind};

use super::Told;

/// Calls that are answered, that fail until a breaker opens and closes again, that two canaries see, and that cross a limit.
pub(crate) async fn told() -> Told {
    let prices = tempfile::NamedTempFile::new().unwrap();
    let price = r#"{"m": {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-6, "output_cost_per_token": 1e-6}}"#;
    std::fs::write(prices.path(), price).unwrap();
    let config = format!(
        "version = 1
        [ai]
        price_file = {:?}
        cache.enabled = false
        retry.max_retries = 0
        breaker.failures = 60
        breaker.rate_percent = 0
        routes.up = {{strategy = 'canary', baseline = 'internal/old', candidate = 'internal/new', stages = [50, 100], min_calls = 10}}
        routes.down = {{strategy = 'canary', baseline = 'internal/old', candidate = 'internal/bad', stages = [50, 100], min_calls = 10}}",
        prices.path()
    );
    let away = Arc::new(AtomicBool::new(true));
    let fails = Arc::clone(&away);
    let own = MemoryProvider::new("internal", "old", move |request| {
        let broken = request.model == "bad" || request.model == "away" && fails.load(Ordering::SeqCst);
        if broken {
            return Err(Error::new(ErrorKind::Unavailable, "ai.chat", "it is away"));
        }
        Ok("the answer of it".to_owned())
    });
    let (events, clock) =
        (super::sink(), Arc::new(ManualClock::new("2026-03-31T18:00:00Z".parse().unwrap())));
    let client = Client::builder(Config::from_toml(&config).unwrap())
        .provider(Arc::new(own))
        .on_event(events.clone())
        .clock(clock.clone())
        .build()
        .unwrap();
    let scope = super::scope(&client);
    let mut calls = 0;
    let mut ask = async |model: &str, session: u32| {
        let options = CallOptions { session: Some(session.to_string()), ..CallOptions::default() };
        let request =
            ChatRequest { model: model.to_owned(), options, ..ChatRequest::prompt("a secret plan") };
        calls += 1;
        scope.ai().chat(request).await
    };
    for session in 0..60 {
        ask("up", session).await.unwrap();
        ask("down", session).await.unwrap();
        ask("internal/away", session).await.unwrap_err();
    }
    away.store(false, Ordering::SeqCst);
    clock.advance(Duration::from_secs(120));
    for session in 0..3 {
        ask("internal/away", session).await.unwrap();
    }
    let limit = SpendLimit {
        scope: LimitScope::Tenant,
        window: Window::Day,
        zone: Zone::default(),
        amount_nano_usd: 1,
        hard: false,
    };
    scope.ai().set_limit(limit).await.unwrap();
    ask("internal/old", 0).await.unwrap();
    let times = BTreeMap::from([
        ("ai.request", calls),
        ("breaker.opened", 1),
        ("breaker.closed", 1),
        ("canary.advanced", 1),
        ("canary.rolled_back", 1),
        ("spend.limit_crossed", 1),
        ("prices.loaded", 1),
    ]);
    Told { events: events.drain(), times }
}
