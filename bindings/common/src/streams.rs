//! Streams that the host reads piece by piece.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{FutureExt, StreamExt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy::provider::{ChatChunk, ChatStream};
use xynergy::{Error, ErrorKind, Result};

use crate::failure::Failure;

/// Pieces that one read takes at most, when they are there already.
const AT_ONCE: usize = 64;

/// The streams of an engine that are open, by id. One is gone when it ended, failed or was closed.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    open: Mutex<HashMap<u64, Slot>>,
    next: AtomicU64,
}

type Slot = Arc<tokio::sync::Mutex<Option<Boxed>>>;

struct Boxed(ChatStream);

impl std::fmt::Debug for Boxed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChatStream")
    }
}

/// A stream to read from.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamId {
    pub(crate) stream: u64,
}

/// What one read gave: the pieces that had arrived, and perhaps the end.
#[derive(Debug, Serialize)]
pub(crate) struct Pieces {
    chunks: Vec<ChatChunk>,
    done: bool,
    error: Option<serde_json::Value>,
}

impl Streams {
    pub(crate) fn add(&self, stream: ChatStream) -> StreamId {
        let id = self.next.fetch_add(1, Ordering::Relaxed) + 1;
        self.lock().insert(id, Arc::new(tokio::sync::Mutex::new(Some(Boxed(stream)))));
        StreamId { stream: id }
    }

    /// Ends a stream: the call to the provider is aborted, and what was not used is refunded.
    pub(crate) fn close(&self, id: u64) {
        self.lock().remove(&id);
    }

    pub(crate) fn close_all(&self) {
        self.lock().clear();
    }

    /// Waits for the next piece, and takes those that have arrived behind it. A read that is dropped has taken nothing.
    pub(crate) async fn next(&self, id: u64) -> Result<Pieces> {
        let slot = self.lock().get(&id).cloned().ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "ai.stream",
                "the stream has ended or was closed: open another one",
            )
        })?;
        let mut held = slot.lock().await;
        let mut pieces = Pieces { chunks: Vec::new(), done: false, error: None };
        let Some(Boxed(stream)) = held.as_mut() else {
            pieces.done = true;
            return Ok(pieces);
        };
        let mut arrived = Some(stream.next().await);
        while let Some(next) = arrived {
            match next {
                Some(Ok(chunk)) => pieces.chunks.push(chunk),
                Some(Err(error)) => {
                    pieces.error = Some(Failure::from(error).to_value());
                    pieces.done = true;
                }
                None => pieces.done = true,
            }
            if pieces.done || pieces.chunks.len() >= AT_ONCE {
                break;
            }
            arrived = stream.next().now_or_never();
        }
        if pieces.done {
            *held = None;
            drop(held);
            self.close(id);
        }
        Ok(pieces)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Slot>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
