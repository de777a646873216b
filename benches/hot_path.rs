//! What a host pays on its hot paths: `cargo bench --bench hot_path`.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tokio::runtime::Runtime;
use xynergy::ads::OwnerLevel;
use xynergy::ai::GenerateRequest;
use xynergy::allocation::{AdEvidence, AllocationRequest, Constraints, OwnerBudget};
use xynergy::metrics::{AiMetrics, Ended};
use xynergy::provider::{Attempt, AttemptStatus, CallReport, ChatRequest, Outcome, Usage};
use xynergy::sandbox::{self, AdsFile, CrmFile, Sandbox, SandboxConfig};
use xynergy::secrets::{EnvSecrets, SecretSource};
use xynergy::{Client, Config, Currency, StoreConfig, Stores};

const PROMPT: &str = "Tell an advertiser in one plain sentence: the change of a daily budget was applied: a raise of about \
    20 %. The reason was that deals worth more than the share of the budget came from these ads last month.";

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

async fn against_sandbox() -> (Client, Sandbox) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data");
    let (ads, _) = AdsFile::load(&data.join("ads.json")).unwrap();
    let (crm, _) = CrmFile::load(&data.join("crm.json")).unwrap();
    let sandbox = sandbox::start(SandboxConfig::new(ads, crm)).await.unwrap();
    let client = Client::builder(sandbox::config(sandbox.urls()))
        .secrets(Arc::new(sandbox::secrets(None)))
        .build()
        .unwrap();
    (client, sandbox)
}

/// A cache hit beside the same call over HTTP and beside the bare HTTP client on the same upstream.
fn ai(c: &mut Criterion) {
    let runtime = runtime();
    let (client, sandbox) = runtime.block_on(against_sandbox());
    let mut group = c.benchmark_group("ai");
    runtime.block_on(client.ai().generate(GenerateRequest::new(PROMPT))).unwrap();
    group.bench_function("exact cache hit", |b| {
        b.to_async(&runtime).iter(|| async {
            black_box(client.ai().generate(GenerateRequest::new(PROMPT)).await.unwrap());
        });
    });
    let request = ChatRequest::prompt(PROMPT);
    group.bench_function("routing decision, 200 bytes", |b| {
        b.iter(|| black_box(client.ai().route(black_box(&request)).unwrap()));
    });
    group.bench_function("generate over loopback, no cache", |b| {
        b.to_async(&runtime).iter(|| async {
            let request = GenerateRequest { cache: Some(false), ..GenerateRequest::new(PROMPT) };
            black_box(client.ai().generate(request).await.unwrap());
        });
    });
    let raw = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/chat/completions", sandbox.urls().internal);
    let body = serde_json::json!({
        "model": "llama-3.1-8b-instruct",
        "messages": [{"role": "user", "content": PROMPT}],
        "max_tokens": 256,
        "temperature": 0.7,
    })
    .to_string();
    group.bench_function("the same request by bare reqwest", |b| {
        b.to_async(&runtime).iter(|| async {
            let request = raw.post(&url).header("content-type", "application/json").body(body.clone());
            black_box(request.send().await.unwrap().bytes().await.unwrap());
        });
    });
    group.finish();
    runtime.block_on(sandbox.shutdown());
}

/// What the figures cost a call, alone and with every thread at it.
fn figures(c: &mut Criterion) {
    let metrics = AiMetrics::new(&[("openai".to_owned(), "gpt-4o-mini".to_owned())]).unwrap();
    let attempts = [Attempt {
        provider: "openai".to_owned(),
        model: "gpt-4o-mini".to_owned(),
        status: AttemptStatus::Answered,
        error: None,
        reason: None,
        latency_ms: 420,
    }];
    let mut report = CallReport {
        provider: "openai".to_owned(),
        model: "gpt-4o-mini".to_owned(),
        ..CallReport::default()
    };
    report.set_cost(Some(25_000_000));
    let usage = Usage::new(50, 20);
    let record = || {
        metrics.began();
        metrics.ended(black_box(&Ended {
            operation: "ai.chat",
            outcome: Some(Outcome::Complete),
            error: None,
            report: Some(&report),
            usage: Some(&usage),
            attempts: &attempts,
            retries: 0,
            hedges: 0,
            cached: true,
            took: Duration::from_millis(420),
            first_token: None,
        }));
        metrics.worked("ai.chat", Duration::from_micros(9));
    };
    let mut group = c.benchmark_group("figures");
    group.bench_function("of one call", |b| b.iter(record));
    let threads = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let each = 1_000;
    group.throughput(Throughput::Elements((threads * each) as u64));
    group.bench_function(format!("of {each} calls on each of {threads} threads"), |b| {
        b.iter(|| {
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| (0..each).for_each(|_| record()));
                }
            });
        });
    });
    group.finish();
}

fn clicks(c: &mut Criterion) {
    let runtime = runtime();
    let file =
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/clicks.ndjson")).unwrap();
    let lines: Vec<&[u8]> = file.split(|b| *b == b'\n').filter(|line| !line.is_empty()).collect();
    let client = Client::new(Config::default()).unwrap();
    let clicks: Vec<_> = runtime.block_on(async {
        let mut clicks = Vec::new();
        for line in &lines {
            clicks.extend(client.attribution().parse_click(line).await.unwrap());
        }
        clicks
    });
    let mut group = c.benchmark_group("clicks");
    group.throughput(Throughput::Elements(lines.len() as u64));
    group.bench_function("parse", |b| {
        b.to_async(&runtime).iter(|| async {
            for line in &lines {
                let _ = black_box(client.attribution().parse_click(line).await.unwrap());
            }
        });
    });
    group.throughput(Throughput::Elements(clicks.len() as u64));
    group.sample_size(10);
    group.bench_function("store on SQLite, one batch", |b| {
        b.iter_batched(
            || {
                let folder = tempfile::tempdir().unwrap();
                let secrets: Arc<dyn SecretSource> = Arc::new(EnvSecrets);
                let config = StoreConfig::Sqlite { path: folder.path().join("bench.sqlite") };
                let stores = runtime.block_on(Stores::open(&config, &secrets)).unwrap();
                (folder, Client::builder(Config::default()).stores(stores).build().unwrap())
            },
            |(folder, client)| {
                runtime.block_on(client.attribution().track_clicks(&clicks, "bench")).unwrap();
                (folder, client)
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

fn allocation(c: &mut Criterion) {
    let owners = (0..250_i64)
        .map(|owner| {
            let ads = (0..4_i64)
                .map(|ad| AdEvidence {
                    ad_id: format!("{owner}-{ad}"),
                    active: true,
                    impressions: 10_000 + 37 * owner,
                    clicks: 100 + (owner * 7 + ad * 13) % 200,
                    spend_minor: 40_000 + 100 * owner,
                    deals: (owner + ad) % 9,
                    value_minor: (owner + ad) % 9 * 120_000,
                    ..AdEvidence::default()
                })
                .collect();
            OwnerBudget::new(format!("{owner}"), OwnerLevel::AdSet, 5_000 + owner * 10, ads)
        })
        .collect();
    let request = AllocationRequest {
        currency: Currency::USD,
        owners,
        constraints: Constraints {
            total_daily_minor: 1_560_000,
            min_minor: 1_000,
            max_minor: 30_000,
            ..Constraints::default()
        },
        seed: 7,
        draws: 10_000,
        sampler: None,
    };
    let mut group = c.benchmark_group("allocation");
    group.sample_size(10);
    group.bench_function("1,000 ads in 250 owners, 10,000 draws", |b| {
        b.iter(|| black_box(xynergy::allocation::allocate(black_box(&request)).unwrap()));
    });
    group.finish();
}

criterion_group!(benches, ai, figures, clicks, allocation);
criterion_main!(benches);
