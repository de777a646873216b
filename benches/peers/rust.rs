//! Rust's side of the benches against peers: the library with every layer on, and bare reqwest, on one upstream.
//!
//! Reads orders from its input, one a line, and answers each with a line of JSON: `one CONTENDER CALLS` the seconds of each call, one
//! after the other; `flight CONTENDER CALLS WIDTH` calls a second; `streams COUNT` the memory that so many streams at once take;
//! `memory CALLS` the memory while so many calls are made; `overhead CALLS` the seconds of calls to a provider that answers at once.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::io::BufRead;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use xynergy::provider::{ChatRequest, MemoryProvider};
use xynergy::secrets::{Secret, StaticSecrets};
use xynergy::{Client, Config};

const PROMPT: &str = "Tell an advertiser in one plain sentence: the change of a daily budget was applied: a raise of about 20 %. \
    The reason was that deals worth more than the share of the budget came from these ads.";

/// Every layer has something to do and nothing to refuse: limits of rate, tokens and money, breaker, retries, hedging, the account
/// and the event. Only the cache is passed by, because a hit would measure nothing.
const CONFIG: &str = r#"
version = 1
[ai]
rate_limit = { requests_per_minute = 50000000, tokens_per_minute = 50000000 }
[ai.providers.openai]
base_url = "URL"
api_key = { env = "BENCH_KEY" }
model = "gpt-4o-mini"
rate_limit = { requests_per_minute = 50000000, tokens_per_minute = 50000000 }
[[ai.limits]]
window = "month"
amount_nano_usd = 1000000000000000
[ai.hedge]
enabled = true
[ai.concurrency]
max = 20000
per_provider = 20000
"#;

fn request() -> ChatRequest {
    let mut request = ChatRequest::prompt(PROMPT);
    request.max_tokens = Some(64);
    request.options.cache = Some(false);
    request
}

fn client(url: &str) -> Client {
    let config: Config = toml::from_str(&CONFIG.replace("URL", url)).unwrap();
    let secrets = StaticSecrets::default().with("BENCH_KEY", Secret::new("bench"));
    Client::builder(config).secrets(Arc::new(secrets)).build().unwrap()
}

/// The same client over a provider in memory: what is measured is the library alone.
fn client_alone() -> Client {
    let mut config: Config = toml::from_str(&CONFIG.replace("URL", "http://localhost/v1")).unwrap();
    config.ai.providers.clear();
    let provider =
        MemoryProvider::new("openai", "gpt-4o-mini", |_| Ok("Paris is the capital of France.".to_owned()));
    Client::builder(config).provider(Arc::new(provider)).build().unwrap()
}

/// One of those that make the call.
#[derive(Clone)]
enum Contender {
    Xynergy(Client),
    Reqwest { client: reqwest::Client, url: String, body: String },
}

impl Contender {
    async fn call(&self) {
        match self {
            Self::Xynergy(client) => drop(client.ai().chat(request()).await.unwrap()),
            Self::Reqwest { client, url, body } => {
                let post = client
                    .post(url)
                    .header("content-type", "application/json")
                    .header("authorization", "Bearer bench");
                let answer = post.body(body.clone()).send().await.unwrap().bytes().await.unwrap();
                let _: serde_json::Value = serde_json::from_slice(&answer).unwrap();
            }
        }
    }
}

async fn one_by_one(contender: &Contender, calls: usize) -> Vec<f64> {
    let mut taken = Vec::with_capacity(calls);
    for _ in 0..calls {
        let begun = Instant::now();
        contender.call().await;
        taken.push(begun.elapsed().as_secs_f64());
    }
    taken
}

async fn in_flight(contender: &Contender, calls: i64, width: usize) -> f64 {
    let left = Arc::new(AtomicI64::new(calls));
    let begun = Instant::now();
    let workers: Vec<_> = (0..width)
        .map(|_| {
            let (contender, left) = (contender.clone(), Arc::clone(&left));
            tokio::spawn(async move {
                while left.fetch_sub(1, Ordering::Relaxed) > 0 {
                    contender.call().await;
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    #[allow(clippy::cast_precision_loss)] // A rate for people.
    let calls = calls as f64;
    calls / begun.elapsed().as_secs_f64()
}

fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Opens so many streams, reads a piece of each, and reads them all to their end.
async fn streams(client: &Client, count: usize) -> serde_json::Value {
    let before = resident_kb();
    let begun = Instant::now();
    let open = Arc::new(AtomicUsize::new(0));
    let all_open = Arc::new(tokio::sync::Notify::new());
    let mut reading: FuturesUnordered<_> = (0..count)
        .map(|_| {
            let (client, open, all_open) = (client.clone(), Arc::clone(&open), Arc::clone(&all_open));
            tokio::spawn(async move {
                let mut stream = client.ai().stream(request()).await.unwrap();
                let mut chunks = usize::from(stream.next().await.unwrap().is_ok());
                let waits = all_open.notified();
                if open.fetch_add(1, Ordering::SeqCst) + 1 == count {
                    all_open.notify_waiters();
                } else {
                    let _ = tokio::time::timeout(Duration::from_secs(60), waits).await;
                }
                while let Some(chunk) = stream.next().await {
                    chunk.unwrap();
                    chunks += 1;
                }
                chunks
            })
        })
        .collect();
    let mut peak = before;
    let mut at_once = 0;
    let mut chunks = 0;
    loop {
        tokio::select! {
            ended = reading.next() => match ended {
                Some(ended) => chunks += ended.unwrap(),
                None => break,
            },
            () = tokio::time::sleep(Duration::from_millis(50)) => {}
        }
        peak = peak.max(resident_kb());
        at_once = at_once.max(open.load(Ordering::SeqCst));
    }
    serde_json::json!({
        "streams": count, "open_at_once": at_once, "chunks": chunks, "resident_kb_before": before, "resident_kb_peak": peak,
        "seconds": begun.elapsed().as_secs_f64(),
    })
}

async fn memory(contender: &Contender, calls: i64) -> serde_json::Value {
    in_flight(contender, 20_000, 32).await;
    let mut samples = vec![resident_kb()];
    for _ in 0..10 {
        in_flight(contender, calls / 10, 32).await;
        samples.push(resident_kb());
    }
    serde_json::json!({"calls": calls, "resident_kb": samples})
}

#[tokio::main]
async fn main() {
    let url = std::env::args().nth(1).unwrap();
    let body = serde_json::json!({
        "model": "gpt-4o-mini", "messages": [{"role": "user", "content": PROMPT}], "max_tokens": 64,
    });
    let xynergy = Contender::Xynergy(client(&url));
    let reqwest = Contender::Reqwest {
        client: reqwest::Client::builder().no_proxy().build().unwrap(),
        url: format!("{url}/chat/completions"),
        body: body.to_string(),
    };
    let alone = Contender::Xynergy(client_alone());
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<usize>().ok()).unwrap();
        let of = |at: usize| if words[at] == "reqwest" { &reqwest } else { &xynergy };
        let signed = |at: usize| i64::try_from(number(at)).unwrap();
        let said = match words[0] {
            "one" => serde_json::json!(one_by_one(of(1), number(2)).await),
            "flight" => serde_json::json!(in_flight(of(1), signed(2), number(3)).await),
            "streams" => match &xynergy {
                Contender::Xynergy(client) => streams(client, number(1)).await,
                Contender::Reqwest { .. } => serde_json::Value::Null,
            },
            "memory" => memory(&xynergy, signed(1)).await,
            "overhead" => serde_json::json!(one_by_one(&alone, number(1)).await),
            other => serde_json::json!({"error": format!("{other}: no such order")}),
        };
        println!("{said}");
    }
}
