//! An answer before it is on the wire, and what handling a request comes to.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use serde_json::Value;

use super::record::{AiUsage, BudgetBlock, ErrorCode, FieldChange, ObjectWrite, ReportLine, Write};

/// An answer.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: ReplyBody,
}

#[derive(Clone, Debug)]
pub(super) enum ReplyBody {
    Whole(&'static str, Vec<u8>),
    /// Events of a stream, each with its end; with `cut` it breaks off after so many.
    Events {
        events: Vec<String>,
        cut: Option<usize>,
    },
}

impl Reply {
    pub(super) fn json(status: u16, body: &Value) -> Self {
        let mut bytes = body.to_string().into_bytes();
        bytes.push(b'\n');
        Self::whole(status, "application/json", bytes)
    }

    pub(super) fn whole(status: u16, content_type: &'static str, bytes: Vec<u8>) -> Self {
        Self { status, headers: Vec::new(), body: ReplyBody::Whole(content_type, bytes) }
    }

    pub(super) fn events(events: Vec<String>) -> Self {
        Self { status: 200, headers: Vec::new(), body: ReplyBody::Events { events, cut: None } }
    }

    #[must_use]
    pub(super) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(super) fn into_response(self) -> Response {
        let (content_type, body) = match self.body {
            ReplyBody::Whole(content_type, bytes) => (content_type, Body::from(bytes)),
            ReplyBody::Events { events, cut } => {
                ("text/event-stream; charset=utf-8", event_stream(events, cut))
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        for (name, value) in self.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

/// A body that sends event by event. It yields between them, so that each is flushed before the next, and before a cut.
fn event_stream(events: Vec<String>, cut: Option<usize>) -> Body {
    let kept = cut.unwrap_or(usize::MAX).min(events.len());
    let sent = events.into_iter().take(kept).map(|event| Ok(Bytes::from(event)));
    let end = cut.map(|_| Err(std::io::Error::other("the sandbox cut the stream")));
    Body::from_stream(stream::iter(sent.chain(end)).then(|event| async {
        tokio::task::yield_now().await;
        event
    }))
}

/// What handling a request comes to: the answer, and what it changes once it is taken up into the log.
#[derive(Debug)]
pub(super) struct Handled {
    pub(super) reply: Reply,
    pub(super) changes: Vec<FieldChange>,
    pub(super) block: Option<BudgetBlock>,
    /// What a Graph write sets, so that it can land late instead.
    pub(super) write: Option<Write>,
    /// What it creates, or which other fields it sets.
    pub(super) object: Option<ObjectWrite>,
    /// A report that it orders.
    pub(super) report: Option<ReportLine>,
    pub(super) error: Option<ErrorCode>,
    pub(super) usage: Option<AiUsage>,
}

impl From<Reply> for Handled {
    fn from(reply: Reply) -> Self {
        Self {
            reply,
            changes: Vec::new(),
            block: None,
            write: None,
            object: None,
            report: None,
            error: None,
            usage: None,
        }
    }
}
