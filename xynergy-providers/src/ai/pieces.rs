//! A body that arrives in pieces, and what it turns out to be.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use xynergy_core::Result;
use xynergy_core::env::HttpFailure;

use super::openai_compatible::error::{of_failure, unreadable};

/// No body begins with more blanks.
const MAX_START: usize = 64 * 1024;

/// The pieces as they come; fused, so that their end can be met twice.
pub(crate) type Pieces = BoxStream<'static, Result<Bytes, HttpFailure>>;

/// The first bytes that are no blank, as many as a name of a field of an event has.
pub(crate) async fn start_of(pieces: &mut Pieces) -> Result<Vec<u8>> {
    let mut start = Vec::new();
    while said(&start).len() < 6 && start.len() < MAX_START {
        match pieces.next().await {
            Some(piece) => start.extend_from_slice(&piece.map_err(of_failure)?),
            None => break,
        }
    }
    Ok(start)
}

fn said(start: &[u8]) -> &[u8] {
    start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start).trim_ascii_start()
}

/// By what comes rather than by what is said of it: servers say `text/plain` of events and `text/event-stream` of an error.
pub(crate) fn is_event_stream(headers: &HeaderMap, start: &[u8]) -> bool {
    let start = said(start);
    if [&b":"[..], b"data:", b"event:", b"id:", b"retry:"].iter().any(|field| start.starts_with(field)) {
        return true;
    }
    if matches!(start.first(), Some(b'{' | b'[' | b'<')) {
        return false;
    }
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    // A server that does not say is believed to do as asked.
    kind.is_none_or(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/event-stream"))
}

/// The body as far as it came, at most so many bytes and so long, and whether that was all.
pub(crate) async fn collected(
    start: Vec<u8>,
    pieces: &mut Pieces,
    (limit, time): (usize, Duration),
) -> (Vec<u8>, Result<()>) {
    let mut body = start;
    let until = tokio::time::Instant::now() + time;
    loop {
        let piece = match tokio::time::timeout_at(until, pieces.next()).await {
            Ok(Some(piece)) => piece,
            Ok(None) => break,
            Err(_) => return (body, Err(unreadable("the answer has no end"))),
        };
        match piece {
            Ok(piece) if body.len() + piece.len() <= limit => body.extend_from_slice(&piece),
            Ok(_) => return (body, Err(unreadable("the answer is larger than 8 MiB, and no stream"))),
            Err(failure) => return (body, Err(of_failure(failure))),
        }
    }
    (body, Ok(()))
}
