use xynergy_core::provider::{ChatRequest, Outcome};
use xynergy_core::{Error, ErrorKind};

use crate::support::{
    Answer, EVENTS, JSON, KEY, Server, at, ctx, http, provider, serve, serve_endless, streamed,
};

const MIB: usize = 1024 * 1024;
const CHUNK: &str = r#"{"choices":[{"index":0,"delta":{"content":"hi"}}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;

fn events(events: &[&str]) -> Vec<u8> {
    let events: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    http(200, EVENTS, events.as_bytes())
}

async fn whole_error(server: &Server) -> Error {
    let asked = provider("somebody", at(server.root.clone()));
    asked.chat(&ctx(), &ChatRequest::prompt("hi")).await.expect_err("no answer")
}

async fn stream_error(server: &Server) -> Error {
    let asked = provider("somebody", at(server.root.clone()));
    streamed(&asked, &ChatRequest::prompt("hi")).await.1.expect("an error")
}

#[tokio::test]
async fn what_has_no_end_is_cut_off_early() {
    let ever = |start: Vec<u8>, again: &str| Answer {
        start,
        again: again.repeat(64 * 1024 / again.len()).into(),
        most: 400 * MIB,
    };
    let endless = [
        // One event of 400 MB.
        (ever(http(200, EVENTS, b"data: "), "xxxxxxxx"), "8388608 bytes", 8),
        // Lines that never become an event.
        (ever(http(200, EVENTS, b""), "data: xxxxxxxxx\n"), "8388608 bytes", 8),
        // Nothing but signs of life.
        (ever(http(200, EVENTS, b""), ": still working\n\n"), "33554432 bytes", 32),
        // A whole answer where a stream was asked for.
        (ever(http(200, JSON, b"{\"choices\":\""), "xxxxxxxx"), "8 MiB", 8),
    ];
    for (answer, part, most) in endless {
        let server = serve_endless(answer).await;
        let error = stream_error(&server).await;
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains(part), "{error}");
        // What the client does not read stays in buffers of the system, of which there are a few MiB.
        assert!(server.sent() < (most + 24) * MIB, "{part}: {} bytes were sent", server.sent());
    }
    let server = serve_endless(ever(http(200, JSON, b"{\"choices\":\""), "xxxxxxxx")).await;
    let error = whole_error(&server).await;
    assert!(error.message().contains("33554432 bytes"), "{error}");
    assert!(server.sent() < 56 * MIB, "{} bytes were sent", server.sent());
    // An error is read no further than an error goes.
    let server = serve_endless(ever(http(500, JSON, b"{"), "xxxxxxxx")).await;
    assert_eq!(stream_error(&server).await.kind(), ErrorKind::Unavailable);
    assert!(server.sent() < 24 * MIB, "{} bytes were sent", server.sent());
}

#[tokio::test]
async fn a_bomb_is_not_unpacked() {
    // The head of a gzip file; nobody asked for one, so nobody unpacks it.
    let bomb = [&[0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3][..], &[0xED; 4096]].concat();
    let packed = "content-type: application/json\r\ncontent-encoding: gzip\r\n";
    let server = serve(http(200, packed, &bomb)).await;
    assert!(whole_error(&server).await.message().contains("compressed"));
    assert!(stream_error(&server).await.message().contains("compressed"));
    let server = serve(http(500, packed, &bomb)).await;
    assert!(whole_error(&server).await.message().contains("status 500"));
}

#[tokio::test]
async fn what_is_no_answer_is_named() {
    let deep = format!("{{\"choices\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    for (name, answer, kind, part) in [
        (
            "HTML",
            http(200, "content-type: text/html\r\n", b"<!doctype html><p>Welcome"),
            ErrorKind::Unavailable,
            "HTML",
        ),
        ("HTML called JSON", http(200, JSON, b"\n <html>"), ErrorKind::Unavailable, "HTML"),
        (
            "HTML of a proxy",
            http(502, "content-type: text/html\r\n", b"<html>bad gateway"),
            ErrorKind::Unavailable,
            "status 502",
        ),
        (
            "HTML of a login",
            http(403, "content-type: text/html\r\n", b"<html>log in"),
            ErrorKind::Unauthorized,
            "API key",
        ),
        (
            "no UTF-8",
            http(200, JSON, b"{\"choices\":[{\"message\":{\"content\":\"\xFF\xFE\"}}]}"),
            ErrorKind::Unavailable,
            "UTF-8",
        ),
        ("nothing", http(200, JSON, b""), ErrorKind::Unavailable, "empty"),
        ("half", http(200, JSON, b"{\"choices\":[{\"mess"), ErrorKind::Unavailable, "a part of it"),
        ("too deep", http(200, JSON, deep.as_bytes()), ErrorKind::Unavailable, "no JSON"),
        (
            "an error under 200",
            http(200, JSON, br#"{"error":{"code":429,"message":"slow down"}}"#),
            ErrorKind::Throttled,
            "slow down",
        ),
        (
            "an error called events",
            http(200, EVENTS, br#"{"error":{"code":429,"message":"slow down"}}"#),
            ErrorKind::Throttled,
            "slow down",
        ),
        (
            "too long",
            http(400, JSON, br#"{"error":{"message":"x","code":"context_length_exceeded"}}"#),
            ErrorKind::ContextTooLong,
            "x",
        ),
        ("switching protocols away", http(304, "", b""), ErrorKind::Unavailable, "redirects"),
    ] {
        let server = serve(answer).await;
        for error in [whole_error(&server).await, stream_error(&server).await] {
            assert_eq!(error.kind(), kind, "{name}: {error}");
            assert!(error.message().contains(part), "{name}: {error}");
            assert!(error.context().contains(&("provider", "somebody".to_owned())), "{name}: {error}");
        }
    }
}

#[tokio::test]
async fn events_are_events_whatever_they_are_called() {
    for kind in ["", "content-type: text/plain\r\n", "content-type: application/json\r\n", EVENTS] {
        let body =
            format!(": hello\r\n\r\nevent: x\r\ndata: {CHUNK}\r\n\r\ndata:\r\n\r\ndata: {STOP}\r\n\r\n");
        let server = serve(http(200, kind, body.as_bytes())).await;
        let asked = provider("somebody", at(server.root.clone()));
        let (response, failed) = streamed(&asked, &ChatRequest::prompt("hi")).await;
        assert!(failed.is_none(), "{kind}: {failed:?}");
        assert_eq!((response.first_text().as_str(), response.outcome), ("hi", Outcome::Complete), "{kind}");
    }
}

#[tokio::test]
async fn an_error_on_the_way_ends_the_stream_and_nothing_after_it_counts() {
    let openrouter = r#"{"error":{"code":502,"message":"gone"},"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}]}"#;
    for (name, error, kind) in [
        ("OpenAI", r#"{"error":{"message":"gone","type":"server_error"}}"#, ErrorKind::Unavailable),
        ("OpenRouter", openrouter, ErrorKind::Unavailable),
        (
            "older vLLM",
            r#"{"object":"error","message":"gone","type":"BadRequestError","code":400}"#,
            ErrorKind::Rejected,
        ),
        ("a bare message", r#"{"message":"gone"}"#, ErrorKind::Unavailable),
        ("a number as text", r#"{"error":{"message":"gone","code":"429"}}"#, ErrorKind::Throttled),
        ("overload", r#"{"error":{"message":"gone","type":"overloaded_error"}}"#, ErrorKind::Unavailable),
    ] {
        let server = serve(events(&[CHUNK, error, STOP, "[DONE]"])).await;
        let asked = provider("somebody", at(server.root.clone()));
        let (response, failed) = streamed(&asked, &ChatRequest::prompt("hi")).await;
        let failed = failed.expect(name);
        assert_eq!((failed.kind(), failed.message()), (kind, "gone"), "{name}");
        assert_eq!((response.first_text().as_str(), response.outcome), ("hi", Outcome::Truncated), "{name}");
        let server = serve(events(&[error, "[DONE]"])).await;
        assert_eq!(stream_error(&server).await.kind(), kind, "{name}, first");
    }
}

#[tokio::test]
async fn a_redirect_takes_no_key_anywhere() {
    for status in [301, 302, 303, 307, 308] {
        let other = serve(http(200, JSON, b"{}")).await;
        let server = serve(http(status, &format!("location: {}/v1\r\n", other.root), b"")).await;
        for error in [whole_error(&server).await, stream_error(&server).await] {
            assert!(error.message().contains("redirects"), "{status}: {error}");
        }
        assert!(other.requests().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn no_error_shows_the_key() {
    let telltale = format!(
        r#"{{"error":{{"message":"{KEY} is wrong","code":"{KEY}","type":"{KEY}","param":"{KEY}"}}}}"#
    );
    for status in [200, 400, 401, 403, 404, 413, 429, 500] {
        let server = serve(http(status, JSON, telltale.as_bytes())).await;
        let asked = provider("somebody", at(server.root.clone()));
        for error in [whole_error(&server).await, stream_error(&server).await] {
            let shown = format!("{error} {error:?} {asked:?} {}", serde_json::to_string(&error).unwrap());
            assert!(!shown.contains("sesame"), "{status}: {shown}");
        }
    }
}
