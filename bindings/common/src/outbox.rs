//! What the library tells the host without being asked: logs and events, through one bounded queue.
//!
//! Nothing here calls into the host from a thread of the library's: a host's logging may need a lock that the waiting side
//! holds. The host is woken, and takes what is there.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// Items that are kept for a host that does not take them; the oldest are dropped and counted.
const CAPACITY: usize = 4_096;

/// One thing to tell the host.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item {
    /// An event, for the engine that asked for them.
    Event {
        /// The engine's [id](crate::Engine::id).
        engine: u64,
        /// The event.
        event: serde_json::Value,
    },
    /// A line for the host's log.
    Log(LogRecord),
}

/// A line for the host's log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogRecord {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// The part of the library, as `xynergy_core::client`.
    pub target: String,
    /// The message.
    pub message: String,
    /// What belongs to it, as text.
    pub fields: serde_json::Map<String, serde_json::Value>,
}

type Waker = Box<dyn Fn() + Send + Sync>;

/// The queue of one process.
#[derive(Default)]
pub struct Outbox {
    queue: Mutex<Queue>,
    arrived: Condvar,
}

#[derive(Default)]
struct Queue {
    items: VecDeque<Item>,
    dropped: u64,
    closed: bool,
    waker: Option<Waker>,
}

impl fmt::Debug for Outbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outbox").field("waiting", &self.lock().items.len()).finish_non_exhaustive()
    }
}

impl Outbox {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an item. Never blocks; wakes the host when it is the first.
    pub fn push(&self, item: Item) {
        let mut queue = self.lock();
        if queue.closed {
            return;
        }
        if queue.items.len() == CAPACITY {
            queue.items.pop_front();
            queue.dropped += 1;
        }
        queue.items.push_back(item);
        if queue.items.len() == 1 {
            self.arrived.notify_one();
            if let Some(wake) = &queue.waker {
                wake();
            }
        }
    }

    /// Takes everything that waits, and how many were dropped since the last time.
    pub fn take(&self) -> (Vec<Item>, u64) {
        let mut queue = self.lock();
        let dropped = std::mem::take(&mut queue.dropped);
        (queue.items.drain(..).collect(), dropped)
    }

    /// Waits for something to take, at most `timeout`. `None` when the outbox is closed.
    pub fn wait(&self, timeout: Duration) -> Option<(Vec<Item>, u64)> {
        let waiting = self
            .arrived
            .wait_timeout_while(self.lock(), timeout, |queue| queue.items.is_empty() && !queue.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let closed = waiting.0.closed && waiting.0.items.is_empty();
        drop(waiting);
        (!closed).then(|| self.take())
    }

    /// Calls `waker` whenever something arrives in an empty queue. It must not block, and not call back into the outbox.
    pub fn set_waker(&self, waker: impl Fn() + Send + Sync + 'static) {
        self.lock().waker = Some(Box::new(waker));
    }

    /// Ends it: whoever waits returns, and what is pushed later is dropped.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(n: usize) -> Item {
        Item::Log(LogRecord {
            level: "info".into(),
            target: "t".into(),
            message: n.to_string(),
            fields: Default::default(),
        })
    }

    #[test]
    fn the_oldest_are_dropped_and_counted() {
        let outbox = Outbox::default();
        for n in 0..CAPACITY + 3 {
            outbox.push(line(n));
        }
        let (items, dropped) = outbox.take();
        assert_eq!((items.len(), dropped), (CAPACITY, 3));
        assert_eq!(items[0], line(3));
        assert_eq!(outbox.take(), (Vec::new(), 0));
    }

    #[test]
    fn whoever_waits_is_woken_and_released() {
        let outbox = std::sync::Arc::new(Outbox::default());
        assert_eq!(outbox.wait(Duration::ZERO), Some((Vec::new(), 0)));
        let other = outbox.clone();
        let waiting = std::thread::spawn(move || other.wait(Duration::from_secs(60)));
        outbox.push(line(1));
        assert_eq!(waiting.join().unwrap(), Some((vec![line(1)], 0)));
        let other = outbox.clone();
        let waiting = std::thread::spawn(move || other.wait(Duration::from_secs(60)));
        outbox.close();
        assert_eq!(waiting.join().unwrap(), None);
    }
}
