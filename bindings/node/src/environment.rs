use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::Function;
use napi_derive::napi;
use serde::Deserialize;
use xynergy_bindings::host::HostFailure;
use xynergy_bindings::{Engine, Failure, runtime, testing};

use crate::host::JsObject;
use crate::mailbox::{Mailbox, Reply};
use crate::{refused, router};

/// What one Node environment (the main thread, or a worker) has: its mailbox and its engines.
#[napi]
pub struct Environment {
    shared: Arc<Shared>,
}

/// Shared with the hook that runs when the environment ends.
pub(crate) struct Shared {
    pub(crate) mailbox: Arc<Mailbox>,
    engines: Mutex<Vec<(u64, Engine)>>,
}

impl Shared {
    pub(crate) fn add(&self, engine: &Engine) {
        self.lock().push((engine.id(), engine.clone()));
    }

    pub(crate) fn remove(&self, engine: u64) {
        // Its end is not to be run under the lock.
        let removed = {
            let mut engines = self.lock();
            let at = engines.iter().position(|(id, _)| *id == engine);
            at.map(|at| engines.swap_remove(at))
        };
        drop(removed);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Engine)>> {
        self.engines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends what belongs to an environment that is gone. A worker may end in the middle of anything.
    fn end(&self) {
        self.mailbox.close();
        let engines = std::mem::take(&mut *self.lock());
        if let Ok(pool) = runtime::pool() {
            for (_, engine) in engines {
                drop(pool.handle().spawn(async move { engine.close(Duration::ZERO).await }));
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Thrown {
    kind: Option<String>,
    message: String,
    retry_after_ms: Option<u64>,
    token: Option<u64>,
}

#[napi]
impl Environment {
    /// One for each environment, made when the module is loaded. `wake` is called when the mailbox is no longer empty.
    ///
    /// # Errors
    /// Node refuses the function.
    #[napi(constructor)]
    #[allow(clippy::needless_pass_by_value, reason = "as a value from JavaScript arrives")]
    pub fn new(env: Env, wake: Function<'_, (), ()>) -> napi::Result<Self> {
        quiet_panics();
        // A strong one would keep the process alive for ever.
        let wake = wake.build_threadsafe_function().weak::<true>().build()?;
        let shared = Arc::new(Shared { mailbox: Arc::new(Mailbox::new(wake)), engines: Mutex::default() });
        env.add_env_cleanup_hook(shared.clone(), |shared| shared.end())?;
        Ok(Self { shared })
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Everything that waits, as one JSON array; empty text when there is nothing.
    #[napi(catch_unwind)]
    pub fn take(&self) -> String {
        self.shared.mailbox.take()
    }

    /// Answers a question: with JSON, or, without, with the end of a stream.
    #[napi(catch_unwind)]
    pub fn reply(&self, question: f64, json: Option<String>) {
        self.shared.mailbox.reply(id(question), json.map_or(Reply::Done, Reply::Value));
    }

    /// Answers a question with what was thrown: `{kind, message, retry_after_ms, token}`.
    #[napi(catch_unwind)]
    #[allow(clippy::needless_pass_by_value, reason = "a string from JavaScript arrives owned")]
    pub fn fail(&self, question: f64, thrown: String) {
        let failure = match serde_json::from_str(&thrown) {
            Ok(Thrown { kind, message, retry_after_ms, token }) => {
                HostFailure { kind, message, retry_after_ms, token }
            }
            Err(_) => {
                HostFailure { message: "it threw what cannot be shown".to_owned(), ..HostFailure::default() }
            }
        };
        self.shared.mailbox.reply(id(question), Reply::Failure(failure));
    }

    /// Sends log lines here from now on, or no longer.
    ///
    /// # Errors
    /// There are no threads.
    #[napi(catch_unwind)]
    pub fn take_logs(&self, on: bool) -> napi::Result<()> {
        router::leave(None, &self.shared.mailbox);
        if on { router::join(None, &self.shared.mailbox).map_err(refused) } else { Ok(()) }
    }

    /// Runs a behaviour suite against an object; completes as a call does.
    ///
    /// # Errors
    /// There are no threads.
    #[napi(catch_unwind)]
    pub fn check(&self, suite: String, object: u32, options: String) -> napi::Result<f64> {
        let mailbox = self.shared.mailbox.clone();
        let host = JsObject::host(object, mailbox.clone());
        let work = async move { testing::check(&suite, host, &options).await.map(|()| "null".to_owned()) };
        spawn(mailbox, work).map_err(refused)
    }
}

/// A panic reaches the caller as an error with its message; where it was goes to the log, not to standard error. The module has a standard
/// library of its own, so nobody else's hook is replaced.
fn quiet_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        std::panic::set_hook(Box::new(|panic| {
            let place = panic.location().map(ToString::to_string).unwrap_or_default();
            tracing::warn!(target: "xynergy_node", place, "a panic was caught");
        }));
    });
}

/// Runs `work` on the pool and completes under the number that is returned; it is negative, as calls of engines have the positive ones.
pub(crate) fn spawn(
    mailbox: Arc<Mailbox>,
    work: impl Future<Output = Result<String, Failure>> + Send + 'static,
) -> Result<f64, Failure> {
    let pool = runtime::pool()?;
    let call = mailbox.next_number();
    drop(pool.handle().spawn(async move {
        let outcome = work.await;
        mailbox.complete_other(call, outcome);
    }));
    Ok(-number(call))
}

/// Numbers are counted up from one, so they stay exact for longer than a process lives.
#[allow(clippy::cast_precision_loss)]
pub(crate) fn number(id: u64) -> f64 {
    id as f64
}

/// The other way round; a number that is none is one of nothing.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(crate) fn id(number: f64) -> u64 {
    number as u64
}
