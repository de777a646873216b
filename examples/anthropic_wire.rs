//! Calls of a provider of type `anthropic`, so that what is read off given bytes can be compared: one line of JSON in
//! (`{"base_url", "stream", "request"}`), one out. `cargo run --example anthropic_wire < calls.jsonl`.
#![allow(clippy::print_stdout)]

use std::io::BufRead;
use std::sync::Arc;

use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use xynergy::ai::AiConfig;
use xynergy::provider::{Assembler, ChatRequest};
use xynergy::secrets::{Secret, StaticSecrets};
use xynergy::{Client, Config, Error};

type Failure = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct Call {
    base_url: String,
    stream: bool,
    request: ChatRequest,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    for line in std::io::stdin().lock().lines() {
        let call: Call = serde_json::from_str(&line?)?;
        let answer = answer(call).await?.unwrap_or_else(|error| json!({ "error": error }));
        println!("{answer}");
    }
    Ok(())
}

async fn answer(call: Call) -> Result<Result<Value, Error>, Failure> {
    let ai: AiConfig = serde_json::from_value(json!({
        "providers": {"anthropic": {"base_url": call.base_url, "api_key": {"env": "KEY"}}},
        "retry": {"max_retries": 0}
    }))?;
    let secrets = StaticSecrets::default().with("KEY", Secret::new("KEY"));
    let config = Config { ai, ..Config::default() };
    let client = Client::builder(config).secrets(Arc::new(secrets)).build()?;
    Ok(if call.stream { streamed(&client, call.request).await } else { whole(&client, call.request).await })
}

async fn whole(client: &Client, request: ChatRequest) -> Result<Value, Error> {
    client.ai().chat(request).await.map(|response| json!(response))
}

async fn streamed(client: &Client, request: ChatRequest) -> Result<Value, Error> {
    let mut chunks = client.ai().stream(request).await?;
    let mut seen = Assembler::default();
    while let Some(chunk) = chunks.next().await {
        seen.push(&chunk?);
    }
    Ok(json!(seen.response()))
}
