//! The one HTTP client of all backends, on reqwest: it follows no redirect and repeats nothing.

#[cfg(any(feature = "hubspot", feature = "meta"))]
pub(crate) mod api;
#[cfg(any(feature = "hubspot", feature = "meta"))]
mod repeat;

use std::error::Error as StdError;
use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use reqwest::redirect;
use url::Url;
use xynergy_core::config::is_loopback;
use xynergy_core::env::{HttpBody, HttpFailure, HttpPhase, HttpRequest, HttpResponse, HttpSend};

#[cfg(any(feature = "hubspot", feature = "meta"))]
pub(crate) use repeat::repeat_read;

/// The time until a connection stands, unless another is given.
pub const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the body of an error is waited for: the status has said what matters.
const ERROR_BODY: Duration = Duration::from_secs(2);

/// [`HttpSend`] by reqwest. Connections are pooled per instance: make one and share it.
///
/// The proxies of the environment are used, except for loopback addresses, where none can be meant. Building one does
/// no I/O: certificates are read at the first call.
pub struct ReqwestHttp {
    connect_timeout: Duration,
    outside: OnceLock<Result<reqwest::Client, String>>,
    loopback: OnceLock<Result<reqwest::Client, String>>,
}

impl ReqwestHttp {
    /// A client that waits at most [`DEFAULT_CONNECT_TIMEOUT`] for a connection.
    pub fn new() -> Self {
        Self::with_connect_timeout(DEFAULT_CONNECT_TIMEOUT)
    }

    /// A client that waits at most `connect_timeout` for a connection.
    pub fn with_connect_timeout(connect_timeout: Duration) -> Self {
        Self { connect_timeout, outside: OnceLock::new(), loopback: OnceLock::new() }
    }

    fn client_for(&self, url: &Url) -> Result<&reqwest::Client, HttpFailure> {
        let loopback = is_loopback(url);
        let slot = if loopback { &self.loopback } else { &self.outside };
        let built = slot.get_or_init(|| {
            let builder = reqwest::Client::builder()
                .user_agent(concat!("xynergy/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(self.connect_timeout)
                .redirect(redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false);
            let builder = if loopback { builder.no_proxy() } else { builder };
            // Without it the choice is reqwest's.
            #[cfg(feature = "ring")]
            let builder = {
                let tls = crate::tls::of_the_web().map_err(|error| error.to_string())?;
                builder.tls_backend_preconfigured(tls)
            };
            builder.build().map_err(|error| root_cause(&error))
        });
        built.as_ref().map_err(|message| HttpFailure {
            phase: HttpPhase::NotSent,
            timed_out: false,
            message: format!("the HTTP client cannot be built: {message}"),
            status: None,
        })
    }

    /// Sends and waits for the head.
    async fn head(&self, request: HttpRequest) -> Result<reqwest::Response, HttpFailure> {
        let client = self.client_for(&request.url)?;
        // The span of an AI attempt has these fields; any other leaves them out.
        let span = tracing::Span::current();
        if !span.is_disabled() {
            span.record("server.address", request.url.host_str());
            span.record("server.port", request.url.port_or_known_default());
        }
        let sent = client.request(request.method, request.url).headers(request.headers).body(request.body);
        sent.send().await.map_err(failure)
    }

    async fn collected(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        let limit = request.max_response_bytes;
        let mut response = self.head(request).await?;
        if response.content_length().is_some_and(|length| usize::try_from(length).map_or(true, |l| l > limit))
        {
            return Err(too_large(limit));
        }
        let status = response.status();
        let collecting = collected(&mut response, limit);
        let body = if status.is_success() { collecting.await } else { within(ERROR_BODY, collecting).await };
        let body = body.map_err(|failure| HttpFailure { status: Some(status), ..failure })?;
        Ok(HttpResponse { status, headers: std::mem::take(response.headers_mut()), body })
    }
}

impl Default for ReqwestHttp {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ReqwestHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestHttp").field("connect_timeout", &self.connect_timeout).finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpSend for ReqwestHttp {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        within(request.timeout, self.collected(request)).await
    }

    /// The head has `timeout`, and the pieces are limited to `max_response_bytes` together as well.
    async fn stream(&self, request: HttpRequest) -> Result<HttpBody, HttpFailure> {
        let limit = request.max_response_bytes;
        let mut response = within(request.timeout, self.head(request)).await?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let pieces = response.bytes_stream();
        let chunks = futures_util::stream::unfold(Some((pieces, 0_usize)), move |state| async move {
            let (mut pieces, received) = state?;
            let piece = match pieces.next().await? {
                Ok(piece) if piece.len() <= limit - received => piece,
                Ok(_) => return Some((Err(too_large(limit)), None)),
                Err(error) => return Some((Err(failure(error)), None)),
            };
            let received = received + piece.len();
            Some((Ok::<Bytes, HttpFailure>(piece), Some((pieces, received))))
        });
        Ok(HttpBody { status, headers, chunks: chunks.boxed() })
    }
}

/// The body, of at most `limit` bytes. Most come in one piece, which need not be copied.
async fn collected(response: &mut reqwest::Response, limit: usize) -> Result<Bytes, HttpFailure> {
    let first = response.chunk().await.map_err(failure)?.unwrap_or_default();
    if first.len() > limit {
        return Err(too_large(limit));
    }
    let Some(second) = response.chunk().await.map_err(failure)? else { return Ok(first) };
    let mut body = BytesMut::from(first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if chunk.len() > limit - body.len() {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
        next = response.chunk().await.map_err(failure)?;
    }
    Ok(body.freeze())
}

#[allow(clippy::needless_pass_by_value)] // The shape that map_err asks for.
fn failure(error: reqwest::Error) -> HttpFailure {
    // Only a connection that never stood proves that nothing was sent.
    let unsent = error.is_connect() || error.is_builder();
    HttpFailure {
        phase: if unsent { HttpPhase::NotSent } else { HttpPhase::MaybeSent },
        timed_out: error.is_timeout(),
        message: root_cause(&error),
        status: None,
    }
}

/// The innermost message: the outer ones repeat the address.
fn root_cause(error: &reqwest::Error) -> String {
    let Some(mut cause) = StdError::source(error) else {
        return "the request cannot be built".to_owned();
    };
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

async fn within<T>(
    timeout: Duration,
    work: impl Future<Output = Result<T, HttpFailure>>,
) -> Result<T, HttpFailure> {
    tokio::time::timeout(timeout, work).await.unwrap_or_else(|_| {
        Err(HttpFailure {
            phase: HttpPhase::MaybeSent,
            timed_out: true,
            message: format!("no answer within {} ms", timeout.as_millis()),
            status: None,
        })
    })
}

fn too_large(limit: usize) -> HttpFailure {
    HttpFailure {
        phase: HttpPhase::MaybeSent,
        timed_out: false,
        message: format!("the answer is larger than {limit} bytes"),
        status: None,
    }
}
