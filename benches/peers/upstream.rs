//! The upstream of the benches: answers every POST at once with the same chat completion, or with a stream of 20 pieces, one a
//! second, and does nothing else.
//!
//! `cargo run --release --example bench_upstream` prints its address and serves until its input ends.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::io::Read;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use std::convert::Infallible;
use std::time::Duration;

const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"bench-1","choices":[{"index":0,"message":{"role":"assistant","content":"Paris is the capital of France."},"finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":50,"completion_tokens":8,"total_tokens":58}}"#;

const PIECE: &str = r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"bench-1","choices":[{"index":0,"delta":{"content":" Paris"},"finish_reason":null}]}"#;
const LAST: &str = r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1700000000,"model":"bench-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":50,"completion_tokens":20,"total_tokens":70}}"#;

async fn answer(body: Bytes) -> Response {
    if !body.windows(13).any(|part| part == b"\"stream\":true") {
        return ([(CONTENT_TYPE, "application/json")], ANSWER).into_response();
    }
    let pieces = futures_util::stream::unfold(0, |sent| async move {
        match sent {
            0 => {}
            1..=19 => tokio::time::sleep(Duration::from_secs(1)).await,
            20 => return Some((Ok::<_, Infallible>(format!("{LAST}\n\ndata: [DONE]\n\n")), 21)),
            _ => return None,
        }
        Some((Ok(format!("{PIECE}\n\n")), sent + 1))
    });
    ([(CONTENT_TYPE, "text/event-stream")], Body::from_stream(pieces)).into_response()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    println!("http://{}/v1", listener.local_addr().unwrap());
    // Whoever started it holds its input; it must not outlive them.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let app = Router::new().fallback(any(answer));
    axum::serve(listener, app).await.unwrap();
}
