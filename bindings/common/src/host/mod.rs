//! Objects of the host's behind the library's traits.
//!
//! A binding implements [`Host`] once for the objects of its language; the adapters here turn it into each trait. What the host
//! gives back is read as strictly as what a server sends: nonsense is an error that names the object and the field, never a
//! crash. Every call has a time limit, since a host may never answer.

mod ads;
mod cache;
mod clicks;
mod crm;
#[cfg(feature = "describe")]
mod describe;
mod embedder;
mod provider;
mod revenue;
mod secrets;
mod state;

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use xynergy::{Ctx, Error, ErrorKind, Result, Retry};

pub use ads::HostAdPlatform;
pub use cache::HostCache;
pub use clicks::HostClicks;
pub use crm::HostCrm;
#[cfg(feature = "describe")]
pub use describe::{HostMethod, HostTrait, traits};
pub use embedder::{EmbedderTraits, HostEmbedder};
pub use provider::{HostProvider, ProviderTraits};
pub use revenue::HostRevenue;
pub use secrets::HostSecrets;
pub use state::HostState;

/// The pieces of a stream of the host's, as JSON.
pub type HostStream = BoxStream<'static, std::result::Result<String, HostFailure>>;

/// An object of the host's. Arguments are one JSON object by their names, results are JSON.
///
/// Dropping a future must cancel what it started in the host.
#[async_trait]
pub trait Host: Send + Sync + fmt::Debug + 'static {
    /// Calls a method and waits for its result, `null` for none.
    async fn call(&self, method: &'static str, arguments: String)
    -> std::result::Result<String, HostFailure>;

    /// Calls a method that answers in pieces.
    async fn stream(
        &self,
        method: &'static str,
        arguments: String,
    ) -> std::result::Result<HostStream, HostFailure>;
}

/// What a host's method threw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostFailure {
    /// The kind, when it threw an error of this library's.
    pub kind: Option<String>,
    /// What it said.
    pub message: String,
    /// After how many milliseconds it may be tried again.
    pub retry_after_ms: Option<u64>,
    /// The name by which the binding finds the exception itself again.
    pub token: Option<u64>,
}

/// The exception of the host's at the end of an error's chain.
#[derive(Debug)]
pub(crate) struct HostFault {
    message: String,
    pub(crate) token: Option<u64>,
}

impl fmt::Display for HostFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for HostFault {}

/// One object of the host's in its place in the library.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    /// What it stands for, as `providers.mine`.
    name: Arc<str>,
    host: Arc<dyn Host>,
    timeout: Duration,
}

impl Seat {
    pub(crate) fn new(name: impl Into<Arc<str>>, host: Arc<dyn Host>, timeout: Duration) -> Self {
        Self { name: name.into(), host, timeout }
    }

    /// Calls a method and reads its result.
    pub(crate) async fn call<T: DeserializeOwned>(
        &self,
        method: &'static str,
        arguments: &impl Serialize,
    ) -> Result<T> {
        let arguments = self.write(method, arguments)?;
        let answer = self.within(method, self.host.call(method, arguments)).await?;
        self.read(method, &answer)
    }

    pub(crate) async fn stream(
        &self,
        method: &'static str,
        arguments: &impl Serialize,
    ) -> Result<HostStream> {
        let arguments = self.write(method, arguments)?;
        self.within(method, self.host.stream(method, arguments)).await
    }

    /// Reads what the host gave.
    pub(crate) fn read<T: DeserializeOwned>(&self, method: &'static str, json: &str) -> Result<T> {
        crate::methods::read_as(ErrorKind::Unavailable, "host", json).map_err(|error| {
            let message =
                format!("{}.{method}: what it returned cannot be used: {}", self.name, error.message());
            Error::new(ErrorKind::Unavailable, "host", message)
        })
    }

    /// Waits for the host, but not for ever.
    pub(crate) async fn within<T>(
        &self,
        method: &'static str,
        work: impl Future<Output = std::result::Result<T, HostFailure>>,
    ) -> Result<T> {
        match tokio::time::timeout(self.timeout, work).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(failure)) => Err(self.failed(method, failure)),
            Err(_) => {
                let limit = self.timeout.as_millis();
                Err(Error::new(
                    ErrorKind::Timeout,
                    "host",
                    format!("{}.{method}: it did not answer within {limit} ms", self.name),
                ))
            }
        }
    }

    /// What the host threw as an error of the library's: of the kind that it gave, else as a dependency that is broken.
    pub(crate) fn failed(&self, method: &'static str, failure: HostFailure) -> Error {
        let HostFailure { kind, message, retry_after_ms, token } = failure;
        let kind = kind.as_deref().and_then(kind_of).unwrap_or(ErrorKind::Unavailable);
        let error = Error::new(kind, "host", format!("{}.{method}: {message}", self.name));
        let error = match retry_after_ms {
            Some(ms) => error.with_retry(Retry::After(Duration::from_millis(ms))),
            None => error,
        };
        error.with_source(HostFault { message, token })
    }

    fn write(&self, method: &'static str, arguments: &impl Serialize) -> Result<String> {
        serde_json::to_string(arguments).map_err(|e| {
            let message = format!("{}.{method}: its arguments cannot be written as JSON", self.name);
            Error::new(ErrorKind::Unexpected, "host", message).with_source(e)
        })
    }
}

/// The kind of this name.
pub(crate) fn kind_of(name: &str) -> Option<ErrorKind> {
    serde_json::from_value(serde_json::Value::from(name)).ok()
}

/// What a host's method is told of the call.
#[derive(Clone, Debug, Serialize, schemars::JsonSchema)]
pub(crate) struct CallContext {
    /// Whose call it is.
    tenant: String,
    /// The person or program that acts.
    actor: Option<String>,
    /// The id of the request.
    request_id: String,
    /// The W3C trace context to continue.
    traceparent: Option<String>,
}

impl From<&Ctx> for CallContext {
    fn from(ctx: &Ctx) -> Self {
        Self {
            tenant: ctx.tenant.to_string(),
            actor: ctx.actor.as_deref().map(str::to_owned),
            request_id: ctx.request_id.as_ref().to_owned(),
            traceparent: ctx.traceparent.as_deref().map(str::to_owned),
        }
    }
}
