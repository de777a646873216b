//! What Prometheus reads of it.

use std::collections::BTreeMap;
use std::time::Duration;

use xynergy_core::metrics;
use xynergy_core::provider::{ChatRequest, ChatResponse, Usage};
use xynergy_core::{ErrorKind, Retry, TenantId};

use super::support::{Player, Script, Step, World, fails, now, says, streams, text, usage, world};

/// The samples by their name and labels.
fn figures(world: &World) -> BTreeMap<String, f64> {
    let text = metrics::text(None, Some(&world.ai), world.ctx.env.clock.now()).unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.map(|line| line.rsplit_once(' ').unwrap()).map(|(k, v)| (k.into(), v.parse().unwrap())).collect()
}

fn holds(figures: &BTreeMap<String, f64>, expected: &[(&str, f64)]) {
    for (name, value) in expected {
        let name = format!("xynergy_ai_{name}");
        assert_eq!(figures.get(&name), Some(value), "{name} in\n{figures:#?}");
    }
}

fn says_and_counts(words: &str) -> Script {
    let mut answer = ChatResponse::text("m", words);
    answer.usage = Some(Usage::new(10, 20));
    Script { answer: Some(answer), ..says(words) }
}

#[tokio::test(start_paused = true)]
async fn attempts_retries_and_fallbacks_are_counted_by_model() {
    let scripts = vec![
        says_and_counts("well"),
        fails(ErrorKind::Unavailable, now()),
        says_and_counts("again"),
        fails(ErrorKind::Unauthorized, Retry::Never),
    ];
    let world = world(vec![Player::new("one", scripts), Player::new("two", vec![says("other")])], |_| {});
    for _ in 0..3 {
        world.ai.chat(&world.ctx, "hello".into()).await.unwrap();
    }
    holds(
        &figures(&world),
        &[
            (
                "requests_total{model=\"one-1\",operation=\"ai.chat\",outcome=\"complete\",provider=\"one\"}",
                2.0,
            ),
            (
                "requests_total{model=\"two-1\",operation=\"ai.chat\",outcome=\"complete\",provider=\"two\"}",
                1.0,
            ),
            ("attempts_total{error=\"\",model=\"one-1\",provider=\"one\",status=\"answered\"}", 2.0),
            ("attempts_total{error=\"unavailable\",model=\"one-1\",provider=\"one\",status=\"failed\"}", 1.0),
            (
                "attempts_total{error=\"unauthorized\",model=\"one-1\",provider=\"one\",status=\"failed\"}",
                1.0,
            ),
            ("attempts_total{error=\"\",model=\"two-1\",provider=\"two\",status=\"answered\"}", 1.0),
            ("retries_total", 1.0),
            ("fallbacks_total", 1.0),
            ("hedges_total", 0.0),
            ("tokens_total{model=\"one-1\",provider=\"one\",type=\"input\"}", 20.0),
            ("tokens_total{model=\"one-1\",provider=\"one\",type=\"output\"}", 40.0),
            ("cost_nano_usd_total{model=\"one-1\",provider=\"one\"}", 2_000.0),
            ("requests_in_flight", 0.0),
            ("request_error_ratio", 0.0),
            ("request_duration_seconds_count{model=\"one-1\",operation=\"ai.chat\",provider=\"one\"}", 2.0),
            ("overhead_seconds_count{operation=\"ai.chat\"}", 3.0),
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn errors_are_counted_by_kind_and_an_open_breaker_is_seen() {
    let world = world(vec![Player::new("one", vec![fails(ErrorKind::Unavailable, Retry::Never)])], |_| {});
    for _ in 0..5 {
        world.ai.chat(&world.ctx, "hello".into()).await.unwrap_err();
    }
    let breaker = "breaker_state{model=\"one-1\",provider=\"one\"}";
    holds(
        &figures(&world),
        &[
            (breaker, 2.0),
            ("request_errors_total{kind=\"unavailable\",operation=\"ai.chat\"}", 5.0),
            ("request_error_ratio", 1.0),
        ],
    );
    world.ai.chat(&world.ctx, "hello".into()).await.unwrap_err();
    let skipped = "attempts_total{error=\"unavailable\",model=\"one-1\",provider=\"one\",status=\"skipped\"}";
    holds(&figures(&world), &[(skipped, 1.0)]);
    world.clock.advance(Duration::from_secs(120));
    holds(&figures(&world), &[(breaker, 1.0)]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_timed_to_its_first_piece_and_counted_at_its_end() {
    let broken = streams(vec![text("half "), Step::Fail(ErrorKind::Unavailable, Retry::Never)]);
    let mut whole = says("one two");
    whole.pieces.push(usage(7, 2));
    let world = world(vec![Player::new("one", vec![whole, broken])], |_| {});
    assert_eq!(world.stream("hello").await.text, "one two");
    assert!(world.stream("hello").await.error.is_some());
    let stream = "model=\"one-1\",operation=\"ai.stream\",outcome";
    let first_token = "time_to_first_token_seconds_count{model=\"one-1\",provider=\"one\"}";
    holds(
        &figures(&world),
        &[
            (&format!("requests_total{{{stream}=\"complete\",provider=\"one\"}}"), 1.0),
            (&format!("requests_total{{{stream}=\"errored\",provider=\"one\"}}"), 1.0),
            (first_token, 2.0),
            ("request_errors_total{kind=\"unavailable\",operation=\"ai.stream\"}", 1.0),
        ],
    );
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_told_and_no_longer_in_flight() {
    let hangs = Script { before: vec![Step::Hang], ..says("never") };
    let world = world(vec![Player::new("one", vec![hangs])], |_| {});
    let call = world.ai.chat(&world.ctx, "hello".into());
    assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
    let figures = figures(&world);
    holds(&figures, &[("requests_in_flight", 0.0), ("request_error_ratio", 0.0)]);
    let cancelled =
        "requests_total{model=\"one-1\",operation=\"ai.chat\",outcome=\"cancelled\",provider=\"one\"}";
    holds(&figures, &[(cancelled, 1.0)]);
}

#[tokio::test(start_paused = true)]
async fn what_the_cache_answers_is_counted_and_not_paid_for() {
    let world = world(vec![Player::new("one", vec![says_and_counts("well")])], |c| c.cache.enabled = true);
    for _ in 0..4 {
        world.ai.chat(&world.ctx, "hello".into()).await.unwrap();
    }
    holds(
        &figures(&world),
        &[
            ("cache_requests_total{result=\"hit\"}", 3.0),
            ("cache_requests_total{result=\"miss\"}", 1.0),
            ("cache_hit_ratio", 0.75),
            ("tokens_total{model=\"one-1\",provider=\"one\",type=\"input\"}", 10.0),
            ("cost_nano_usd_total{model=\"one-1\",provider=\"one\"}", 1_000.0),
        ],
    );
}

/// Real time: the provider takes 30 ms of each call, and the library none of them.
#[tokio::test]
async fn the_quantiles_are_those_of_the_calls_and_the_overhead_has_no_waiting_in_it() {
    let slow = Script { before: vec![Step::Wait(Duration::from_millis(30))], ..says("well") };
    let world = world(vec![Player::new("one", vec![slow])], |_| {});
    for _ in 0..10 {
        world.ai.chat(&world.ctx, "hello".into()).await.unwrap();
    }
    let figures = figures(&world);
    let quantile = |family: &str, labels: &str, quantile: &str| {
        figures[&format!("xynergy_ai_{family}_quantile_seconds{{{labels}quantile=\"{quantile}\"}}")]
    };
    let model = "model=\"one-1\",operation=\"ai.chat\",provider=\"one\",";
    let p50 = quantile("request_duration", model, "0.5");
    assert!((0.029..0.5).contains(&p50), "{p50}");
    assert!(p50 <= quantile("request_duration", model, "0.95"));
    let own = quantile("overhead", "operation=\"ai.chat\",", "0.5");
    assert!(own > 0.0 && own < p50 / 3.0, "{own} of {p50}");
    assert_eq!(figures["xynergy_ai_overhead_seconds_bucket{operation=\"ai.chat\",le=\"+Inf\"}"], 10.0);
}

#[tokio::test(start_paused = true)]
async fn the_labels_are_bounded_and_name_no_tenant() {
    let mut world =
        world(vec![Player::new("one", vec![fails(ErrorKind::NotFound, Retry::Never), says("well")])], |_| {});
    world.ctx.tenant = TenantId::new("umbrella").unwrap();
    let ask = |model: &str| ChatRequest { model: format!("one/{model}"), ..ChatRequest::prompt("hello") };
    // A made-up model that nobody serves takes no series of its own; of those that answer, only so many have one.
    world.ai.chat(&world.ctx, ask("made-up")).await.unwrap_err();
    for number in 0..300 {
        world.ai.chat(&world.ctx, ask(&format!("m{number}"))).await.unwrap();
    }
    let figures = figures(&world);
    let models: std::collections::BTreeSet<_> =
        figures.keys().filter_map(|key| key.split("model=\"").nth(1)?.split('"').next()).collect();
    assert!(models.len() <= 103, "{}", models.len());
    assert!(models.contains("other") && models.contains("one-1") && models.contains("m99"), "{models:?}");
    assert!(!models.contains("made-up") && !models.contains("m100"), "{models:?}");
    assert!(figures.keys().all(|key| !key.contains("umbrella")));
    let other = "requests_total{model=\"other\",operation=\"ai.chat\",outcome=\"complete\",provider=\"one\"}";
    holds(&figures, &[(other, 200.0)]);
}
