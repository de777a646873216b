//! Objects that Swift implements.

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

    /// Calls a method that answers in pieces, and names them. Not `open`: that is a keyword which uniffi 0.32 escapes in C as well.
    async fn start(&self, method: String, arguments: String) -> Result<u64, HostError>;

    /// The next piece; none at the end.
    async fn next(&self, pieces: u64) -> Result<Option<String>, HostError>;

    /// Ends the work behind pieces that nobody waits for any more.
    fn close(&self, pieces: u64) -> Result<(), HostError>;
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
        let id = self.0.start(method.to_owned(), arguments).await?;
        let pieces = Pieces { object: self.0.clone(), id };
        let stream = futures_util::stream::unfold(Some(pieces), |pieces| async move {
            let pieces = pieces?;
            match pieces.object.next(pieces.id).await {
                Ok(Some(piece)) => Some((Ok(piece), Some(pieces))),
                Ok(None) => None,
                Err(error) => Some((Err(error.into()), None)),
            }
        });
        Ok(stream.boxed())
    }
}

/// Pieces that are closed however their reading ends.
struct Pieces {
    object: Arc<dyn HostObject>,
    id: u64,
}

impl Drop for Pieces {
    fn drop(&mut self) {
        // It fails only in a host that is going down.
        let _ = self.object.close(self.id);
    }
}
