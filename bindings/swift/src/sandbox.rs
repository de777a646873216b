//! The sandbox.

use std::future::Future;
use std::sync::Arc;

use xynergy_bindings::runtime::pool;
use xynergy_bindings::{Error, ErrorKind, SandboxHandle};

use crate::clock::NativeClock;
use crate::failure::NativeError;

/// A running sandbox.
#[derive(Debug, uniffi::Object)]
pub struct NativeSandbox(Arc<SandboxHandle>);

#[uniffi::export]
impl NativeSandbox {
    /// Starts one from options as JSON, in the time of the clock if there is one.
    ///
    /// # Errors
    /// A file that cannot be used, an address that is taken.
    #[uniffi::constructor]
    pub async fn start(options: String, clock: Option<Arc<NativeClock>>) -> Result<Arc<Self>, NativeError> {
        let handle = SandboxHandle::start(&options, clock.map(|clock| clock.0.clone())).await?;
        Ok(Arc::new(Self(Arc::new(handle))))
    }

    /// Its addresses, configuration, credentials, account and skipped rows, as JSON.
    ///
    /// # Errors
    /// None by itself; a panic would be one.
    pub fn describe(&self) -> Result<String, NativeError> {
        Ok(self.0.describe())
    }

    /// When the next late effect lands, in microseconds.
    ///
    /// # Errors
    /// None by itself; a panic would be one.
    pub async fn next_due(&self) -> Result<Option<i64>, NativeError> {
        Ok(self.0.next_due().await.map(xynergy_bindings::Timestamp::micros))
    }

    /// Lets late effects land whose time has come.
    ///
    /// # Errors
    /// It was stopped.
    pub async fn apply_due(&self) -> Result<(), NativeError> {
        let handle = self.0.clone();
        Ok(beside(move || SandboxHandle::wait_for(handle.apply_due())).await???)
    }

    /// Its state as JSON.
    ///
    /// # Errors
    /// It was stopped.
    pub async fn state(&self) -> Result<String, NativeError> {
        let handle = self.0.clone();
        Ok(beside(move || SandboxHandle::wait_for(handle.state())).await???)
    }

    /// Stops it. Stopping twice does nothing.
    ///
    /// # Errors
    /// None by itself; a panic would be one.
    pub async fn stop(&self) -> Result<(), NativeError> {
        self.0.stop().await;
        Ok(())
    }
}

/// Does what must not be moved between threads on one thread of the pool's.
fn beside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = Result<T, NativeError>> {
    let spawned = pool().map(|pool| pool.handle().spawn_blocking(work));
    async move {
        spawned?.await.map_err(|torn| {
            Error::new(ErrorKind::Unexpected, "sandbox", "the work was torn").with_source(torn).into()
        })
    }
}
