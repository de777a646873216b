//! A primary that fails as a test says, a healthy fallback, and a client over both.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use xynergy_core::client::{AiClient, AiParts};
use xynergy_core::config::{AiConfig, PriceConfig, ProviderConfig};
use xynergy_core::env::{ManualClock, MemoryEvents, SeededEntropy};
use xynergy_core::provider::{
    Assembler, AttemptStatus, CallReport, Capability, ChatChunk, ChatRequest, ChatResponse, ChatStream,
    FinishReason, Outcome, Provider, Usage,
};
use xynergy_core::{Ctx, Env, Error, ErrorKind, Result, Retry, TenantId, Timestamp};

/// What one call costs at any provider.
pub(crate) const PRICE: u64 = 1_000;

/// One thing that a provider does.
#[derive(Clone)]
pub(crate) enum Step {
    /// Answers, or fails, at once.
    Chunk(ChatChunk),
    Fail(ErrorKind, Retry),
    Wait(Duration),
    /// Waits for its task to be polled again.
    Pause,
    Hang,
    /// Pieces of nothing without end.
    Chatter,
}

/// How a call goes: what comes before the answer is accepted, the whole answer, and the pieces of a streamed one.
#[derive(Clone, Default)]
pub(crate) struct Script {
    pub(crate) before: Vec<Step>,
    pub(crate) answer: Option<ChatResponse>,
    pub(crate) pieces: Vec<Step>,
}

pub(crate) struct Player {
    name: &'static str,
    capability: Capability,
    scripts: Mutex<Vec<Script>>,
    calls: AtomicU32,
    pub(crate) in_flight: Arc<AtomicU32>,
    pub(crate) requests: Mutex<Vec<ChatRequest>>,
}

impl std::fmt::Debug for Player {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Counts a call while it lasts.
struct Flying(Arc<AtomicU32>);

impl Drop for Flying {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Player {
    /// Plays the scripts in turn, and the last one from then on.
    pub(crate) fn new(name: &'static str, scripts: Vec<Script>) -> Self {
        Self {
            name,
            capability: Capability { prefill: true, ..Capability::all(format!("{name}-1")) },
            scripts: Mutex::new(scripts),
            calls: AtomicU32::new(0),
            in_flight: Arc::default(),
            requests: Mutex::default(),
        }
    }

    pub(crate) fn with(mut self, change: impl Fn(&mut Capability)) -> Self {
        change(&mut self.capability);
        self
    }

    pub(crate) fn calls(&self) -> u32 {
        self.calls.load(Ordering::SeqCst)
    }

    pub(crate) fn request(&self, number: usize) -> ChatRequest {
        self.requests.lock().unwrap()[number].clone()
    }

    fn begin(&self, request: &ChatRequest) -> (Script, Flying) {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        self.requests.lock().unwrap().push(request.clone());
        let mut scripts = self.scripts.lock().unwrap();
        let script = if scripts.len() > 1 { scripts.remove(0) } else { scripts[0].clone() };
        (script, Flying(Arc::clone(&self.in_flight)))
    }
}

async fn perform(step: &Step) -> Result<()> {
    match step {
        Step::Fail(kind, retry) => Err(Error::new(*kind, "ai.chat", "as scripted").with_retry(*retry)),
        Step::Wait(time) => {
            tokio::time::sleep(*time).await;
            Ok(())
        }
        Step::Pause => {
            tokio::task::yield_now().await;
            Ok(())
        }
        Step::Hang => std::future::pending().await,
        Step::Chunk(_) | Step::Chatter => Ok(()),
    }
}

#[async_trait]
impl Provider for Player {
    fn name(&self) -> &str {
        self.name
    }

    fn capability(&self) -> Capability {
        self.capability.clone()
    }

    async fn chat(&self, _ctx: &Ctx, request: &ChatRequest) -> Result<ChatResponse> {
        let (script, _flying) = self.begin(request);
        for step in &script.before {
            perform(step).await?;
        }
        Ok(script.answer.unwrap())
    }

    async fn stream(&self, _ctx: &Ctx, request: &ChatRequest) -> Result<ChatStream> {
        let (script, flying) = self.begin(request);
        for step in &script.before {
            perform(step).await?;
        }
        let pieces = script.pieces.into_iter().flat_map(|step| match step {
            Step::Chatter => vec![step; 100_000],
            other => vec![other],
        });
        let played = stream::iter(pieces).filter_map(move |step| {
            let _flying = &flying;
            async move {
                match step {
                    Step::Chunk(chunk) => Some(Ok(chunk)),
                    Step::Chatter => Some(Ok(ChatChunk::text(""))),
                    other => perform(&other).await.err().map(Err),
                }
            }
        });
        Ok(played.boxed())
    }
}

pub(crate) fn text(text: &str) -> Step {
    Step::Chunk(ChatChunk::text(text))
}

pub(crate) fn stop() -> Step {
    Step::Chunk(ChatChunk::end(FinishReason::Stop))
}

pub(crate) fn chunk(json: serde_json::Value) -> Step {
    Step::Chunk(serde_json::from_value(json).unwrap())
}

pub(crate) fn usage(prompt: u64, completion: u64) -> Step {
    Step::Chunk(ChatChunk { usage: Some(Usage::new(prompt, completion)), ..ChatChunk::default() })
}

/// Answers with `words`, whole or in pieces.
pub(crate) fn says(words: &str) -> Script {
    let mut pieces: Vec<Step> = words.split_inclusive(' ').map(text).collect();
    pieces.push(stop());
    Script { before: Vec::new(), answer: Some(ChatResponse::text("m", words)), pieces }
}

/// Streams these.
pub(crate) fn streams(pieces: Vec<Step>) -> Script {
    Script { pieces, ..says("unused") }
}

/// Fails before it accepts.
pub(crate) fn fails(kind: ErrorKind, retry: Retry) -> Script {
    Script { before: vec![Step::Fail(kind, retry)], ..says("never") }
}

pub(crate) fn now() -> Retry {
    Retry::After(Duration::ZERO)
}

pub(crate) struct World {
    pub(crate) ai: AiClient,
    pub(crate) ctx: Ctx,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) events: Arc<MemoryEvents>,
    pub(crate) players: Vec<Arc<Player>>,
}

/// The players are asked in their order, simple request or complex.
pub(crate) fn world(players: Vec<Player>, change: impl Fn(&mut AiConfig)) -> World {
    let mut config = AiConfig::default();
    config.cache.enabled = false;
    config.order.simple = players.iter().map(|player| player.name.to_owned()).collect();
    config.order.complex.clone_from(&config.order.simple);
    for player in &players {
        let price = PriceConfig { per_request_nano_usd: Some(PRICE), ..PriceConfig::default() };
        let own = ProviderConfig { kind: "scripted".into(), price: Some(price), ..ProviderConfig::default() };
        config.providers.insert(player.name.to_owned(), own);
    }
    change(&mut config);
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(1_700_000_000_000)));
    let events = Arc::new(MemoryEvents::default());
    let env = Env {
        clock: Arc::clone(&clock) as _,
        entropy: Arc::new(SeededEntropy::new(7)),
        events: Arc::clone(&events) as _,
    };
    let players: Vec<Arc<Player>> = players.into_iter().map(Arc::new).collect();
    let parts = AiParts::new(players.iter().map(|player| Arc::clone(player) as _).collect());
    let ai = AiClient::new(config, parts).unwrap();
    World { ai, ctx: Ctx::new(&env, TenantId::default()), clock, events, players }
}

/// How a streamed call went.
pub(crate) struct Seen {
    pub(crate) text: String,
    pub(crate) outcome: Option<Outcome>,
    pub(crate) report: CallReport,
    pub(crate) usage: Option<Usage>,
    pub(crate) error: Option<Error>,
    pub(crate) chunks: Vec<ChatChunk>,
}

impl Seen {
    pub(crate) fn statuses(&self) -> Vec<AttemptStatus> {
        self.report.attempts.iter().map(|attempt| attempt.status).collect()
    }
}

impl World {
    pub(crate) async fn settled_and_reserved(&self) -> (u64, u64) {
        let spend = self.ai.spend(&self.ctx, None).await.unwrap();
        (spend.cost_nano_usd, spend.reserved_nano_usd)
    }

    pub(crate) async fn stream(&self, request: impl Into<ChatRequest>) -> Seen {
        let mut seen = Seen {
            text: String::new(),
            outcome: None,
            report: CallReport::default(),
            usage: None,
            error: None,
            chunks: Vec::new(),
        };
        let mut stream = match self.ai.stream(&self.ctx, request.into()).await {
            Ok(stream) => stream,
            Err(error) => {
                seen.error = Some(error);
                return seen;
            }
        };
        let mut whole = Assembler::default();
        while let Some(item) = stream.next().await {
            match item {
                Ok(chunk) => {
                    assert!(seen.outcome.is_none(), "a piece after the last one");
                    seen.outcome = chunk.outcome;
                    if let Some(report) = &chunk.report {
                        seen.report = (**report).clone();
                        seen.usage.clone_from(&chunk.usage);
                    }
                    whole.push(&chunk);
                    seen.chunks.push(chunk);
                }
                Err(error) => seen.error = Some(error),
            }
        }
        seen.text = whole.response().first_text();
        seen
    }
}
