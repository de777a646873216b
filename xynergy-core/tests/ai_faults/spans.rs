//! The spans and the event of a call.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use xynergy_core::provider::{ChatRequest, ChatResponse, FinishReason, Usage};
use xynergy_core::{ErrorKind, Retry};

use super::support::{Player, Script, Step, fails, says, streams, text, world};

/// A span: its name, that of its parent, and what was recorded.
#[derive(Clone, Debug, Default)]
struct Seen {
    name: String,
    parent: Option<String>,
    fields: BTreeMap<String, Value>,
}

#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<(Id, Seen)>>>);

impl Spans {
    fn named(&self, name: &str) -> Vec<Seen> {
        self.0.lock().unwrap().iter().map(|(_, seen)| seen.clone()).filter(|seen| seen.name == name).collect()
    }
}

impl<S: tracing::Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Spans {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).unwrap();
        let mut seen = Seen {
            name: span.name().to_owned(),
            parent: span.parent().map(|parent| parent.name().to_owned()),
            ..Seen::default()
        };
        attributes.record(&mut seen);
        self.0.lock().unwrap().push((id.clone(), seen));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut spans = self.0.lock().unwrap();
        let (_, seen) = spans.iter_mut().rfind(|(known, _)| known == id).unwrap();
        values.record(seen);
    }
}

impl Visit for Seen {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.fields.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.fields.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.fields.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.fields.insert(field.name().to_owned(), value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.fields.insert(field.name().to_owned(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.fields.insert(field.name().to_owned(), format!("{value:?}").into());
    }
}

fn answers() -> Script {
    let mut answer = ChatResponse::text("one-1-2026", "a secret answer");
    answer.id = "resp_7".into();
    answer.usage = Some(Usage::new(11, 22));
    answer.choices[0].finish_reason = Some(FinishReason::Stop);
    Script { answer: Some(answer), ..says("unused") }
}

fn request() -> ChatRequest {
    let mut request = ChatRequest::prompt("a secret prompt");
    request.max_tokens = Some(300);
    request.temperature = Some(0.5);
    request.extra.insert("top_p".into(), json!(0.9));
    request
}

#[tokio::test(start_paused = true)]
async fn a_call_and_its_attempts_have_the_names_of_the_conventions() {
    let spans = Spans::default();
    let _guard = tracing::subscriber::set_default(Registry::default().with(spans.clone()));
    let broken = fails(ErrorKind::Unauthorized, Retry::Never);
    let world = world(vec![Player::new("down", vec![broken]), Player::new("one", vec![answers()])], |_| {});
    world.ai.chat(&world.ctx, request()).await.unwrap();

    let calls = spans.named("chat");
    let [call] = calls.as_slice() else { panic!("{calls:?}") };
    for (name, value) in [
        ("otel.kind", json!("client")),
        ("gen_ai.operation.name", json!("chat")),
        ("gen_ai.provider.name", json!("one")),
        ("gen_ai.request.max_tokens", json!(300)),
        ("gen_ai.request.temperature", json!(0.5)),
        ("gen_ai.request.top_p", json!(0.9)),
        ("gen_ai.response.id", json!("resp_7")),
        ("gen_ai.response.model", json!("one-1-2026")),
        ("gen_ai.response.finish_reasons", json!("stop")),
        ("gen_ai.usage.input_tokens", json!(11)),
        ("gen_ai.usage.output_tokens", json!(22)),
        ("request_id", json!(&*world.ctx.request_id)),
        ("tenant_id", json!("default")),
        ("xynergy.cost_nano_usd", json!(1_000)),
    ] {
        assert_eq!(call.fields.get(name), Some(&value), "{name} of {call:?}");
    }
    assert!(!call.fields.contains_key("error.type"), "{call:?}");
    let attempts = spans.named("attempt");
    let told: Vec<_> = attempts
        .iter()
        .map(|seen| {
            let field = |name: &str| seen.fields.get(name).and_then(Value::as_str);
            (seen.parent.as_deref(), field("gen_ai.provider.name"), field("otel.name"), field("error.type"))
        })
        .collect();
    let call = Some("chat");
    assert_eq!(
        told,
        [
            (call, Some("down"), Some("attempt down-1"), Some("unauthorized")),
            (call, Some("one"), Some("attempt one-1"), None)
        ]
    );
    assert!(!format!("{:?}", spans.0.lock().unwrap()).contains("secret"), "no prompt and no answer");
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_is_an_error_in_its_span_and_in_its_one_event() {
    let spans = Spans::default();
    let _guard = tracing::subscriber::set_default(Registry::default().with(spans.clone()));
    let script = streams(vec![text("a secret "), Step::Fail(ErrorKind::Unavailable, Retry::Never)]);
    let world = world(vec![Player::new("one", vec![script])], |_| {});
    assert!(world.stream(request()).await.error.is_some());
    let [call] = &spans.named("chat")[..] else { panic!() };
    assert_eq!(call.fields["error.type"], "unavailable");
    assert_eq!(call.fields["otel.status_code"], "ERROR");
    assert_eq!(call.fields["gen_ai.provider.name"], "one");

    let [event] = &world.events.drain()[..] else { panic!("one event") };
    let told = serde_json::to_value(event).unwrap();
    let keys: Vec<_> = told.as_object().unwrap().keys().collect();
    let envelope =
        ["event_id", "event_type", "metadata", "payload", "source_service", "tenant_id", "timestamp"];
    assert_eq!(keys, envelope);
    let metadata =
        json!({"correlation_id": &*world.ctx.request_id, "causation_id": null, "schema_version": 1});
    assert_eq!(told["metadata"], metadata);
    assert_eq!(told["payload"]["outcome"], "errored");
    assert_eq!(told["payload"]["error"], "unavailable");
    assert_eq!(told["payload"]["cost_nano_usd"], 1_000);
    assert!(told["payload"]["decision"]["reason"].is_string() && !told.to_string().contains("secret"));
}

#[tokio::test(start_paused = true)]
async fn breakers_and_spend_limits_tell_of_themselves() {
    use xynergy_core::spend::{LimitScope, SpendLimit, Window, Zone};
    let world = world(
        vec![Player::new(
            "one",
            vec![
                says("hi"),
                fails(ErrorKind::Unavailable, Retry::Never),
                fails(ErrorKind::Unavailable, Retry::Never),
                says("well"),
            ],
        )],
        |config| {
            config.breaker.failures = 2;
            config.breaker.probes = 1;
        },
    );
    let limit = SpendLimit {
        scope: LimitScope::Tenant,
        window: Window::Day,
        amount_nano_usd: 500,
        hard: false,
        zone: Zone::default(),
    };
    world.ai.set_limit(&world.ctx, limit).await.unwrap();
    let told = |kind: &str| -> Vec<Value> {
        let events = world.events.drain();
        events
            .iter()
            .filter(|e| e.event_type.starts_with(kind))
            .map(|e| json!([e.event_type, e.payload]))
            .collect()
    };
    world.ai.chat(&world.ctx, request()).await.unwrap();
    let crossed = json!({"scope": "tenant", "window": "day", "limit_nano_usd": 500});
    assert_eq!(told("spend"), [json!(["spend.limit_crossed", crossed])]);
    for _ in 0..2 {
        world.ai.chat(&world.ctx, request()).await.unwrap_err();
    }
    let of = |count| json!({"provider": "one", "model": "one-1", "failure_count": count});
    assert_eq!(told("breaker"), [json!(["breaker.opened", of(2)])]);
    world.clock.advance(std::time::Duration::from_secs(120));
    world.ai.chat(&world.ctx, request()).await.unwrap();
    assert_eq!(told("breaker"), [json!(["breaker.closed", of(0)])]);
}
