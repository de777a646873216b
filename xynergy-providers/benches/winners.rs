//! What the winner index costs: `cargo bench -p xynergy-providers --features vector --bench winners`. `benches/peers/vectors.py` holds the searches
//! against a peer.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tempfile::TempDir;
use xynergy_core::TenantId;
use xynergy_core::vector::{Collection, Metadata, MetadataFilter, VectorEntry, VectorIndex, VectorLimits};
use xynergy_providers::vector::FileIndex;

const D: usize = 768;
const EXACT: VectorLimits = VectorLimits { dimensions: 768, exact_up_to: u32::MAX };

struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / 16_777_216.0 - 0.5
    }

    /// In clusters, as embeddings are.
    fn vector(&mut self, centres: &[Vec<f32>]) -> Vec<f32> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let at = usize::try_from(self.0 >> 33).unwrap() % centres.len();
        centres[at].iter().map(|x| x + 0.6 * self.next()).collect()
    }

    fn entries(&mut self, count: usize) -> Vec<VectorEntry> {
        let centres: Vec<Vec<f32>> = (0..200).map(|_| (0..D).map(|_| self.next()).collect()).collect();
        let metadata = || -> Metadata { [("roas".to_owned(), 2.5.into())].into_iter().collect() };
        (0..count)
            .map(|i| VectorEntry {
                id: i.to_string(),
                embedding: self.vector(&centres),
                metadata: metadata(),
            })
            .collect()
    }
}

fn flat(c: &mut Criterion) {
    let mut noise = Noise(1);
    let mut collection = Collection::new(EXACT);
    let mut entries = noise.entries(10_256);
    let queries: Vec<Vec<f32>> = entries.split_off(10_000).into_iter().map(|entry| entry.embedding).collect();
    collection.add("bench", entries).unwrap();
    let mut group = c.benchmark_group("winners");
    let all = MetadataFilter::default();
    let mut at = 0;
    group.bench_function("flat, 10,000 x 768, k = 5", |b| {
        b.iter(|| {
            at = (at + 1) % queries.len();
            black_box(collection.search("bench", &queries[at..=at], 5, &all).unwrap());
        });
    });
    group.sample_size(10).bench_function("flat, 10,000 x 768, k = 5, 256 queries at once", |b| {
        b.iter(|| black_box(collection.search("bench", &queries, 5, &all).unwrap()));
    });
    group.finish();
}

fn load(c: &mut Criterion) {
    let folder = TempDir::new().unwrap();
    let tenant = TenantId::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let index = FileIndex::new(folder.path(), EXACT);
        index.add(&tenant, Noise(2).entries(100_000)).await.unwrap();
        index.persist(&tenant).await.unwrap();
    });
    let mut group = c.benchmark_group("winners");
    group.sample_size(10).bench_function("load 100,000 x 768", |b| {
        b.iter(|| {
            let index = FileIndex::new(folder.path(), EXACT);
            let stats = runtime.block_on(index.stats(&tenant)).unwrap();
            assert_eq!(stats.vector_count, 100_000);
        });
    });
    group.finish();
}

/// 100,000 winners take minutes to be put into a graph: `XYNERGY_BENCH_GRAPH=1` does it.
fn graph(c: &mut Criterion) {
    if std::env::var_os("XYNERGY_BENCH_GRAPH").is_none() {
        return;
    }
    let mut entries = Noise(3).entries(100_256);
    let queries: Vec<Vec<f32>> =
        entries.split_off(100_000).into_iter().map(|entry| entry.embedding).collect();
    let [mut flat, mut graph] =
        [u32::MAX, 50_000].map(|exact_up_to| Collection::new(VectorLimits { exact_up_to, ..EXACT }));
    flat.add("bench", entries.clone()).unwrap();
    graph.add("bench", entries).unwrap();
    let all = MetadataFilter::default();
    let truth = flat.search("bench", &queries, 5, &all).unwrap();
    let found = graph.search("bench", &queries, 5, &all).unwrap();
    let hits =
        found.iter().zip(&truth).flat_map(|(f, t)| f.iter().filter(|one| t.iter().any(|t| t.id == one.id)));
    let recall = hits.count() as f64 / (5 * queries.len()) as f64;
    assert!(recall >= 0.9, "recall {recall}");
    let mut at = 0;
    c.bench_function(&format!("winners/graph, 100,000 x 768, k = 5, recall {recall:.3}"), |b| {
        b.iter(|| {
            at = (at + 1) % queries.len();
            black_box(graph.search("bench", &queries[at..=at], 5, &all).unwrap());
        });
    });
}

criterion_group!(benches, flat, load, graph);
criterion_main!(benches);
