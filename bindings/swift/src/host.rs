use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::StreamExt;
use xynergy_bindings::host::{Host, HostFailure, HostStream};

use crate::failure::HostError;

/// An object of the host's. A future that is dropped cancels the Swift task behind it.
#[uniffi::export(foreign)]
#[async_trait]
pub trait HostObject: Send + Sync {
    /// Calls a method and waits for its result.
    async fn call(&self, method: String, arguments: String) -> Result<String, HostError>;

    /// Calls a method that answers in pieces.
    async fn open(&self, method: String, arguments: String) -> Result<Arc<dyn HostPieces>, HostError>;
}

/// The pieces of an answer. Releasing it ends the work behind it.
#[uniffi::export(foreign)]
#[async_trait]
pub trait HostPieces: Send + Sync {
    /// The next piece; none at the end.
    async fn next(&self) -> Result<Option<String>, HostError>;
}

/// A Swift object in its place behind a trait.
pub(crate) struct SwiftHost(pub(crate) Arc<dyn HostObject>);

impl fmt::Debug for SwiftHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SwiftHost")
    }
}

#[async_trait]
impl Host for SwiftHost {
    async fn call(&self, method: &'static str, arguments: String) -> Result<String, HostFailure> {
        Ok(self.0.call(method.to_owned(), arguments).await?)
    }

    async fn stream(&self, method: &'static str, arguments: String) -> Result<HostStream, HostFailure> {
        let pieces = self.0.open(method.to_owned(), arguments).await?;
        let stream = futures_util::stream::unfold(Some(pieces), |pieces| async move {
            let pieces = pieces?;
            match pieces.next().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(pieces))),
                Ok(None) => None,
                Err(error) => Some((Err(error.into()), None)),
            }
        });
        Ok(stream.boxed())
    }
}
