use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use napi::Status;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use tokio::sync::oneshot;
use xynergy_bindings::Outcome;
use xynergy_bindings::host::HostFailure;

use crate::json::mark_great_integers;

/// Wakes the JavaScript side. It is weak: it never keeps a process alive that has nothing else to do.
pub(crate) type Wake = ThreadsafeFunction<(), (), (), Status, false, true>;

/// What JavaScript answers to a call of one of its objects.
#[derive(Debug)]
pub(crate) enum Reply {
    Value(String),
    /// A stream has ended.
    Done,
    Failure(HostFailure),
}

/// What waits for the JavaScript side of one environment.
///
/// It is kept as the inside of one JSON array, so that a hundred answers cost one wake-up, one string and one `JSON.parse`.
/// Entries start with a tag, which `lib/mailbox.cjs` knows too.
pub(crate) struct Mailbox {
    waiting: Mutex<String>,
    wake: Wake,
    /// Questions to JavaScript that have no answer yet.
    asked: Mutex<HashMap<u64, oneshot::Sender<Reply>>>,
    next: AtomicU64,
    closed: AtomicBool,
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailbox").finish_non_exhaustive()
    }
}

impl Mailbox {
    pub(crate) fn new(wake: Wake) -> Self {
        Self {
            waiting: Mutex::default(),
            wake,
            asked: Mutex::default(),
            next: AtomicU64::new(1),
            closed: AtomicBool::new(false),
        }
    }

    /// Everything that waits, as one JSON array; empty text when there is nothing.
    pub(crate) fn take(&self) -> String {
        let mut taken = std::mem::take(&mut *lock(&self.waiting));
        if !taken.is_empty() {
            taken.push(']');
        }
        taken
    }

    /// Adds the outcome of a call.
    pub(crate) fn complete(&self, call: u64, outcome: Outcome) {
        self.push(&completion(call, outcome));
    }

    /// A number for work that is no call of an engine.
    pub(crate) fn next_number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Adds the outcome of such work. The numbers of calls are another row, so these are negative on their way.
    pub(crate) fn complete_other(&self, number: u64, outcome: Outcome) {
        self.push(&completion(format_args!("-{number}"), outcome));
    }

    pub(crate) fn push(&self, entry: &str) {
        if self.closed.load(Ordering::Acquire) {
            return;
        }
        let mut waiting = lock(&self.waiting);
        let first = waiting.is_empty();
        waiting.push(if first { '[' } else { ',' });
        waiting.push_str(entry);
        drop(waiting);
        if first {
            self.wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }

    /// Puts a question and gives back where its answer will come; dropping that withdraws the question.
    pub(crate) fn ask(self: &Arc<Self>, entry: impl FnOnce(u64) -> String) -> Question {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = oneshot::channel();
        lock(&self.asked).insert(id, sender);
        let question = Question { mailbox: self.clone(), id, receiver };
        if self.closed.load(Ordering::Acquire) {
            lock(&self.asked).remove(&id);
        } else {
            self.push(&entry(id));
        }
        question
    }

    pub(crate) fn reply(&self, question: u64, reply: Reply) {
        let asked = lock(&self.asked).remove(&question);
        if let Some(sender) = asked {
            // Whoever asked may just have gone.
            let _ = sender.send(reply);
        }
    }

    /// The environment has ended: nothing is taken any more, and whoever waits for an answer is told so.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        lock(&self.asked).clear();
        lock(&self.waiting).clear();
    }
}

/// A question to JavaScript that is on its way.
pub(crate) struct Question {
    mailbox: Arc<Mailbox>,
    pub(crate) id: u64,
    receiver: oneshot::Receiver<Reply>,
}

impl Question {
    /// Waits for the answer.
    pub(crate) async fn answer(mut self) -> Reply {
        (&mut self.receiver).await.unwrap_or_else(|_| {
            Reply::Failure(HostFailure {
                message: "the Node environment that it lives in has ended".to_owned(),
                ..HostFailure::default()
            })
        })
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        let unanswered = lock(&self.mailbox.asked).remove(&self.id).is_some();
        if unanswered {
            self.mailbox.push(&format!("[4,{}]", self.id));
        }
    }
}

/// The entry of an outcome.
fn completion(call: impl fmt::Display, outcome: Outcome) -> String {
    match outcome {
        Ok(json) => match mark_great_integers(&json) {
            std::borrow::Cow::Borrowed(json) => format!("[0,{call},{json}]"),
            std::borrow::Cow::Owned(json) => format!("[1,{call},{json}]"),
        },
        Err(failure) => format!("[2,{call},{}]", failure.to_json()),
    }
}

/// The entry of an outcome that is handed over at once, without the mailbox.
pub(crate) fn at_once(outcome: Outcome) -> String {
    completion(0, outcome)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
