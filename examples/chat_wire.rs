//! What the public API makes of the answers of a server, so that it can be looked at. Each NAME is asked at `ADDRESS/NAME`, a
//! stream where it begins with `stream-`: `cargo run --example chat_wire -- http://127.0.0.1:8787 stream-1 2`.
#![allow(clippy::print_stdout)]

use futures_util::StreamExt;
use serde_json::{Value, json};
use xynergy::ai::AiConfig;
use xynergy::provider::{Assembler, CallOptions, ChatRequest};
use xynergy::{Client, Config, Error};

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let Some(address) = arguments.next() else { return Err("usage: chat_wire ADDRESS NAME...".into()) };
    for name in arguments {
        println!("{}", json!({"name": name, "read": read(&address, &name).await?}));
    }
    Ok(())
}

/// The answer and the error that ended it, if one did.
async fn read(address: &str, name: &str) -> Result<Value, Failure> {
    let base_url = format!("{address}/{name}");
    let ai: AiConfig = serde_json::from_value(json!({
        "providers": {"wire": {"base_url": base_url, "model": "m"}}, "retry": {"max_retries": 0}
    }))?;
    let client = Client::new(Config { ai, ..Config::default() })?;
    let options = CallOptions { cache: Some(false), ..CallOptions::default() };
    let request = ChatRequest { options, ..ChatRequest::prompt("Hi") };
    if !name.starts_with("stream-") {
        return Ok(match client.ai().chat(request).await {
            Ok(answer) => json!({"answer": answer}),
            Err(error) => json!({"error": error}),
        });
    }
    let mut seen = Assembler::default();
    let mut ended: Option<Error> = None;
    match client.ai().stream(request).await {
        Ok(mut chunks) => {
            while let Some(chunk) = chunks.next().await {
                match chunk {
                    Ok(chunk) => seen.push(&chunk),
                    Err(error) => ended = Some(error),
                }
            }
        }
        Err(error) => ended = Some(error),
    }
    Ok(json!({"answer": seen.response(), "error": ended}))
}
