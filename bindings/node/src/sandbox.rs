use std::sync::{Arc, OnceLock};

use napi_derive::napi;
use serde_json::json;
use xynergy_bindings::{Error, Failure, SandboxHandle};

use crate::clock::Clock;
use crate::environment::{Environment, Shared, spawn};
use crate::refused;

/// A sandbox, started or not.
#[napi]
pub struct NativeSandbox {
    shared: Arc<Shared>,
    clock: Option<Arc<xynergy_bindings::ManualClock>>,
    running: Arc<OnceLock<SandboxHandle>>,
}

#[napi]
impl NativeSandbox {
    /// One that is not started yet.
    #[napi(constructor)]
    pub fn new(environment: &Environment, clock: Option<&Clock>) -> Self {
        Self {
            shared: environment.shared().clone(),
            clock: clock.map(Clock::shared),
            running: Arc::default(),
        }
    }

    /// Starts it; completes with its description.
    ///
    /// # Errors
    /// There are no threads.
    #[napi(catch_unwind)]
    pub fn start(&self, options: String) -> napi::Result<f64> {
        let (running, clock) = (self.running.clone(), self.clock.clone());
        self.spawn(async move {
            let handle = SandboxHandle::start(&options, clock).await?;
            let description = handle.describe();
            drop(running.set(handle));
            Ok(description)
        })
    }

    /// Its state; what is due has landed.
    ///
    /// # Errors
    /// There are no threads.
    #[napi(catch_unwind)]
    pub fn state(&self) -> napi::Result<f64> {
        let running = self.running.clone();
        self.spawn(async move { here(&running)?.state().await })
    }

    /// Lets land what is due.
    ///
    /// # Errors
    /// There are no threads.
    #[napi(catch_unwind)]
    pub fn apply_due(&self) -> napi::Result<f64> {
        let running = self.running.clone();
        self.spawn(async move { here(&running)?.apply_due().await.map(|()| "null".to_owned()) })
    }

    /// When the next late effect lands.
    ///
    /// # Errors
    /// There are no threads.
    #[napi(catch_unwind)]
    pub fn next_due(&self) -> napi::Result<f64> {
        let running = self.running.clone();
        self.spawn(async move { Ok(json!(here(&running)?.next_due().await).to_string()) })
    }

    /// Stops it.
    ///
    /// # Errors
    /// There are no threads.
    #[napi(catch_unwind)]
    pub fn stop(&self) -> napi::Result<f64> {
        let running = self.running.clone();
        self.spawn(async move {
            if let Some(handle) = running.get() {
                handle.stop().await;
            }
            Ok("null".to_owned())
        })
    }

    fn spawn(
        &self,
        work: impl Future<Output = Result<String, Failure>> + Send + 'static,
    ) -> napi::Result<f64> {
        spawn(self.shared.mailbox.clone(), work).map_err(refused)
    }
}

fn here(running: &OnceLock<SandboxHandle>) -> Result<&SandboxHandle, Failure> {
    running.get().ok_or_else(|| Error::invalid("sandbox", "sandbox: it is not started").into())
}
