//! Calls of AI providers, so that what is read off given bytes, or off a given server, can be compared: one line of JSON in
//! (`{"ai": the configuration, "secrets": {name: value}, "call": "chat", "request"}`), one out.
//! `cargo run --example ai_wire < calls.jsonl`.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::Arc;

use futures_util::StreamExt;
use serde::Deserialize;
use serde_json::{Value, json};
use xynergy::ai::AiConfig;
use xynergy::embed::EmbedRequest;
use xynergy::provider::{Assembler, ChatRequest, ChatResponse};
use xynergy::secrets::{Secret, StaticSecrets};
use xynergy::{Client, Config, Error};

type Failure = Box<dyn std::error::Error>;

#[derive(Deserialize)]
struct Line {
    ai: AiConfig,
    #[serde(default)]
    secrets: BTreeMap<String, String>,
    #[serde(flatten)]
    call: Call,
}

#[derive(Deserialize)]
#[serde(tag = "call", content = "request", rename_all = "snake_case")]
enum Call {
    Chat(Box<ChatRequest>),
    Stream(Box<ChatRequest>),
    Embed(Box<EmbedRequest>),
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    for line in std::io::stdin().lock().lines() {
        let answer = answer(serde_json::from_str(&line?)?).await?.unwrap_or_else(|error| {
            // What people see of it as well, so that a key in it is found.
            json!({"error": error, "shown": format!("{error} {error:?}")})
        });
        println!("{answer}");
    }
    Ok(())
}

async fn answer(line: Line) -> Result<Result<Value, Error>, Failure> {
    let secrets = line
        .secrets
        .into_iter()
        .fold(StaticSecrets::default(), |secrets, (name, value)| secrets.with(name, Secret::new(value)));
    let config = Config { ai: line.ai, ..Config::default() };
    let client = Client::builder(config).secrets(Arc::new(secrets)).build()?;
    Ok(match line.call {
        Call::Chat(request) => client.ai().chat(*request).await.map(|answer| json!(answer)),
        Call::Stream(request) => streamed(&client, *request).await,
        Call::Embed(request) => client.ai().embed(*request).await.map(|answer| json!(answer)),
    })
}

async fn streamed(client: &Client, request: ChatRequest) -> Result<Value, Error> {
    let mut chunks = client.ai().stream(request).await?;
    let (mut seen, mut report) = (Assembler::default(), None);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        seen.push(&chunk);
        report = chunk.report.or(report);
    }
    Ok(json!(ChatResponse { report: *report.unwrap_or_default(), ..seen.response() }))
}
