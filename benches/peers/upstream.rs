//! The upstream of the benches: answers every POST at once with the same chat completion, and does nothing else.
//!
//! `cargo run --release --example bench_upstream` prints its address and serves until its input ends.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::io::Read;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::any;

const ANSWER: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"bench-1","choices":[{"index":0,"message":{"role":"assistant","content":"Paris is the capital of France."},"finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":50,"completion_tokens":8,"total_tokens":58}}"#;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    println!("http://{}/v1", listener.local_addr().unwrap());
    // Whoever started it holds its input; it must not outlive them.
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let app = Router::new().fallback(any(|| async { ([(CONTENT_TYPE, "application/json")], ANSWER) }));
    axum::serve(listener, app).await.unwrap();
}
