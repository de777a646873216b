//! The scripted objects of a host, as `tests/vectors/README.md` specifies them, behind the engine's [`Host`].

mod memory;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use xynergy_bindings::ManualClock;
use xynergy_bindings::host::{Host, HostFailure, HostStream};

use crate::runner::Script;
use memory::Memory;

/// What an object has seen of calls.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    calls: AtomicUsize,
    cancelled: AtomicUsize,
}

impl Seen {
    pub(crate) fn to_json(&self) -> Value {
        json!({"calls": self.calls.load(Ordering::SeqCst), "cancelled": self.cancelled.load(Ordering::SeqCst)})
    }
}

/// An object that behaves as its script says.
#[derive(Debug)]
pub(crate) struct Scripted {
    script: Script,
    seen: Arc<Seen>,
    memory: Memory,
}

impl Scripted {
    pub(crate) fn new(script: Script, seen: Arc<Seen>, clock: Option<Arc<ManualClock>>) -> Self {
        let memory = Memory::new(&script.parameters, clock);
        Self { script, seen, memory }
    }

    async fn behave(&self, method: &str, arguments: &Value) -> Result<Value, HostFailure> {
        self.seen.calls.fetch_add(1, Ordering::SeqCst);
        match self.script.script.as_str() {
            "echo" => Ok(json!(format!("echo: {}", last_message(arguments)))),
            "throw" => Err(thrown("boom")),
            "error" => Err(self.error()),
            "hang" => {
                let _counted = CountOnDrop(self.seen.clone());
                std::future::pending().await
            }
            "return" => Ok(self.script.parameters["value"].clone()),
            "memory" => self.memory.call(method, arguments),
            other => panic!("{other} is no script"),
        }
    }

    fn error(&self) -> HostFailure {
        let parameters = &self.script.parameters;
        HostFailure {
            kind: parameters["kind"].as_str().map(str::to_owned),
            message: parameters["message"].as_str().unwrap().to_owned(),
            retry_after_ms: parameters.get("retry_after_ms").and_then(Value::as_u64),
            token: None,
        }
    }

    /// The pieces of a stream: those of the script, or an echo's words.
    fn pieces(&self, arguments: &Value) -> Vec<Result<String, HostFailure>> {
        let words = || {
            let text = format!("echo: {}", last_message(arguments));
            text.split_inclusive(' ').map(|word| json!(word)).collect()
        };
        let pieces: Vec<Value> =
            self.script.parameters.get("pieces").and_then(Value::as_array).cloned().unwrap_or_else(words);
        let piece = |piece: Value| match piece.get("throw").and_then(Value::as_str) {
            Some(message) => Err(thrown(message)),
            None => Ok(piece.to_string()),
        };
        pieces.into_iter().map(piece).collect()
    }
}

#[async_trait]
impl Host for Scripted {
    async fn call(&self, method: &'static str, arguments: String) -> Result<String, HostFailure> {
        let arguments: Value = serde_json::from_str(&arguments).unwrap();
        self.behave(method, &arguments).await.map(|value| value.to_string())
    }

    async fn stream(&self, method: &'static str, arguments: String) -> Result<HostStream, HostFailure> {
        let arguments: Value = serde_json::from_str(&arguments).unwrap();
        if matches!(self.script.script.as_str(), "echo" | "return") {
            self.seen.calls.fetch_add(1, Ordering::SeqCst);
            let pieces = stream::iter(self.pieces(&arguments));
            return Ok(match self.script.parameters.get("then_hang") {
                Some(_) => pieces.chain(hanging(self.seen.clone())).boxed(),
                None => pieces.boxed(),
            });
        }
        self.behave(method, &arguments).await.map(|value| stream::iter([Ok(value.to_string())]).boxed())
    }
}

/// A stream without a piece or an end, which counts that it was dropped.
fn hanging(seen: Arc<Seen>) -> impl futures_util::Stream<Item = Result<String, HostFailure>> {
    let counted = CountOnDrop(seen);
    stream::once(async move {
        let _counted = counted;
        std::future::pending().await
    })
}

struct CountOnDrop(Arc<Seen>);

impl Drop for CountOnDrop {
    fn drop(&mut self) {
        self.0.cancelled.fetch_add(1, Ordering::SeqCst);
    }
}

fn thrown(message: &str) -> HostFailure {
    HostFailure { message: message.to_owned(), ..HostFailure::default() }
}

fn last_message(arguments: &Value) -> String {
    let messages = arguments["request"]["messages"].as_array();
    messages.and_then(|all| all.last()).and_then(|m| m["content"].as_str()).unwrap_or_default().to_owned()
}
