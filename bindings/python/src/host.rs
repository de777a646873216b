//! The host's objects: each is a number, and is asked through the bridge of the loop that a call comes from.

use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use futures_util::StreamExt;
use tokio::sync::{mpsc, oneshot};
use xynergy_bindings::host::{Host, HostFailure, HostStream};
use xynergy_bindings::{current_call, current_origin};

use crate::bridge::{Message, Queue, Reply, background};

/// Pieces that a host object may be ahead of their reader.
pub(crate) const AHEAD: u32 = 64;

/// The loop that serves an engine's objects when the caller's cannot: the one that the client was made in.
pub(crate) type Home = Arc<ArcSwapOption<Queue>>;

pub(crate) struct PythonObject {
    key: u64,
    home: Home,
}

impl fmt::Debug for PythonObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PythonObject({})", self.key)
    }
}

impl PythonObject {
    pub(crate) fn new(key: u64, home: Home) -> Self {
        Self { key, home }
    }

    /// The caller's loop, else the client's, else the background's.
    fn queue(&self) -> Option<Arc<Queue>> {
        let callers = current_origin().and_then(|origin| origin.downcast::<Queue>().ok());
        callers
            .filter(|queue| queue.is_served())
            .or_else(|| self.home.load_full().filter(|queue| queue.is_served()))
            .or_else(background)
    }

    fn ask(&self, method: &'static str, arguments: String, reply: Reply) -> Result<Asked, HostFailure> {
        let asked = self.queue().and_then(|queue| {
            let id = queue.ask(self.key, method, arguments, current_call(), reply)?;
            Some(Asked { queue, id })
        });
        asked.ok_or_else(gone)
    }
}

fn gone() -> HostFailure {
    HostFailure { message: "the event loop that it runs in was closed".to_owned(), ..HostFailure::default() }
}

/// A question to a host object; dropping it cancels what the object does.
struct Asked {
    queue: Arc<Queue>,
    id: u64,
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.queue.withdraw(self.id);
    }
}

#[async_trait]
impl Host for PythonObject {
    async fn call(&self, method: &'static str, arguments: String) -> Result<String, HostFailure> {
        let (sender, receiver) = oneshot::channel();
        let asked = self.ask(method, arguments, Reply::Value(sender))?;
        let answer = receiver.await.unwrap_or_else(|_| Err(gone()));
        drop(asked);
        answer
    }

    async fn stream(&self, method: &'static str, arguments: String) -> Result<HostStream, HostFailure> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let asked = self.ask(method, arguments, Reply::Pieces(sender))?;
        let pieces =
            futures_util::stream::unfold((asked, receiver, 0), |(asked, mut receiver, read)| async move {
                let piece = receiver.recv().await?;
                // The object is asked for more when half of what it may be ahead was read.
                let read = if read + 1 == AHEAD / 2 {
                    asked.queue.push(Message::More(asked.id, AHEAD / 2));
                    0
                } else {
                    read + 1
                };
                Some((piece, (asked, receiver, read)))
            });
        Ok(pieces.boxed())
    }
}
