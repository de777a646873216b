//! What counting tokens costs: `cargo bench --bench tokens`. `benches/peers/tokens.py` holds it against a peer.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use xynergy::ai::Encoding;
use xynergy::provider::{ChatRequest, Message, Role};
use xynergy::{Client, Config};

fn encodings(c: &mut Criterion) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut group = c.benchmark_group("tokens");
    for (name, file) in [("prose", "README.md"), ("code", "xynergy-core/src/execution/machine.rs")] {
        let text = std::fs::read_to_string(root.join(file)).unwrap();
        group.throughput(Throughput::Bytes(text.len() as u64));
        for encoding in [Encoding::O200k, Encoding::Cl100k] {
            group.bench_function(format!("{name}, {encoding}"), |b| {
                b.iter(|| black_box(encoding.count(black_box(&text))));
            });
        }
    }
    group.throughput(Throughput::Bytes(10_000_000));
    for (name, unit) in [("one letter", "a"), ("spaces", " "), ("emoji", "😀")] {
        let text = unit.repeat(10_000_000 / unit.len());
        group.sample_size(10);
        group.bench_function(format!("10 MB of {name}"), |b| {
            b.iter(|| black_box(Encoding::O200k.count(&text)));
        });
    }
    group.finish();
}

fn conversations(c: &mut Criterion) {
    let client = Client::new(Config::default()).unwrap();
    let message = |n: usize| {
        Message::text(Role::User, format!("{n}: {}", "What do the ads of last week bring? ".repeat(12)))
    };
    let mut request = ChatRequest { messages: (0..50).map(message).collect(), ..ChatRequest::prompt("") };
    let mut n = 50;
    c.bench_function("one more turn of 50", |b| {
        b.iter(|| {
            n += 1;
            request.messages[49] = message(n);
            black_box(client.ai().count_tokens(&request, Some("gpt-4o")).unwrap())
        });
    });
}

criterion_group!(benches, encodings, conversations);
criterion_main!(benches);
