use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use http::{HeaderMap, Method, StatusCode};
use url::Url;

/// A request as a backend's pure `wire` module builds it.
#[derive(Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The whole address, query included. No secret belongs in it.
    pub url: Url,
    /// The headers; credentials are marked sensitive, so that no Debug shows them.
    pub headers: HeaderMap,
    /// The body, empty for none.
    pub body: Bytes,
    /// The time until the response's head is there, or the whole response when it is collected.
    pub timeout: Duration,
    /// The greatest body that is collected, in bytes; a greater one is an error.
    pub max_response_bytes: usize,
}

impl fmt::Debug for HttpRequest {
    /// Method and address only: bodies hold prompts and headers hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url.as_str())
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// A response whose body was collected.
#[derive(Clone)]
pub struct HttpResponse {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl fmt::Debug for HttpResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("body_bytes", &self.body.len())
            .finish()
    }
}

/// A response whose body arrives in pieces.
pub struct HttpBody {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The pieces as they arrive; dropping it aborts the transfer.
    pub chunks: BoxStream<'static, Result<Bytes, HttpFailure>>,
}

impl fmt::Debug for HttpBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpBody").field("status", &self.status).finish_non_exhaustive()
    }
}

/// How far a failed request came. It decides whether a write may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpPhase {
    /// No byte of the request reached the other side (no address, no connection).
    NotSent,
    /// It may have been received, and it may have taken effect.
    MaybeSent,
}

/// A request without a usable response.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct HttpFailure {
    /// How far it came.
    pub phase: HttpPhase,
    /// Whether it was our timeout.
    pub timed_out: bool,
    /// One line, without address or credentials.
    pub message: String,
    /// The status, where the head of an answer came and its body did not.
    pub status: Option<StatusCode>,
}

/// The HTTP client that every backend uses: redirects are not followed, nothing is retried.
#[async_trait]
pub trait HttpSend: Send + Sync + fmt::Debug + 'static {
    /// Sends and collects the response. Any status is a response. Dropping the future aborts the call.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure>;

    /// Sends and returns when the response's head is there.
    async fn stream(&self, request: HttpRequest) -> Result<HttpBody, HttpFailure>;
}
