//! OpenAI's API as far as chat needs it: answers composed from the prompt, the same for the same request and time.

mod answer;
mod chat;
mod embed;

use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use xynergy_core::Timestamp;
use xynergy_core::config::Secret;

use super::incoming::Incoming;
use super::record::Surface;
use super::reply::{Handled, Reply};

pub(super) fn handle(request: &Incoming, now: Timestamp) -> Handled {
    // A self-hosted model asks for no key.
    match request.bearer.as_ref().map(Secret::expose) {
        None if request.surface != Surface::Internal => {
            return error(401, "You didn't provide an API key: send it as Authorization: Bearer KEY", None)
                .into();
        }
        Some("expired") => return error(401, "Incorrect API key provided", Some("invalid_api_key")).into(),
        _ => {}
    }
    match (&request.method, request.segments().as_slice()) {
        (&Method::POST, ["v1", "chat", "completions"]) => chat::complete(request, now),
        (&Method::POST, ["v1", "embeddings"]) => embed::embed(request),
        (&Method::GET, ["v1", "models"]) => models(request.surface).into(),
        (method, _) => error(
            404,
            &format!("Invalid URL ({method} {}); GET /_sandbox/ says what is served", request.path),
            None,
        )
        .into(),
    }
}

/// An error in OpenAI's shape.
pub(super) fn error(status: u16, message: &str, code: Option<&str>) -> Reply {
    let kind = if status == 413 || status < 500 { "invalid_request_error" } else { "server_error" };
    Reply::json(status, &json!({"error": {"message": message, "type": kind, "param": null, "code": code}}))
}

fn bad(param: &str, message: &str) -> Reply {
    Reply::json(
        400,
        &json!({"error": {
            "message": format!("{param}: {message}"), "type": "invalid_request_error", "param": param, "code": null,
        }}),
    )
}

fn models(surface: Surface) -> Reply {
    let (owner, names): (&str, &[&str]) = match surface {
        Surface::Abacus => ("abacus", &["route-llm"]),
        Surface::Internal => ("internal", &["llama-3.1-8b"]),
        _ => ("openai", &["gpt-4o-mini", "text-embedding-3-small"]),
    };
    let data: Vec<Value> = names
        .iter()
        .map(|name| json!({"id": name, "object": "model", "created": 1_700_000_000, "owned_by": owner}))
        .collect();
    Reply::json(200, &json!({"object": "list", "data": data}))
}

/// The sandbox's count of tokens: four bytes each, rounded up.
fn tokens(bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(4)).unwrap_or(u64::MAX)
}

/// 24 hex digits of the request and the time.
fn fingerprint(request: &Incoming, seconds: i64) -> String {
    let mut hash = Sha256::new();
    hash.update(request.path.as_bytes());
    hash.update(seconds.to_be_bytes());
    hash.update(request.bytes());
    hash.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}
