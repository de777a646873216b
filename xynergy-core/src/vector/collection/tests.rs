use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::vector::files::read_index;

const T: &str = "t";

/// A stream of numbers that looks like noise.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / 16_777_216.0 - 0.5
    }

    /// Bell-shaped enough for directions.
    fn vector(&mut self, d: usize) -> Vec<f32> {
        (0..d).map(|_| self.next() + self.next() + self.next()).collect()
    }
}

fn collection(dimensions: u32, exact_up_to: u32) -> Collection {
    Collection::new(VectorLimits { dimensions, exact_up_to })
}

fn entry(id: impl Into<String>, embedding: Vec<f32>) -> VectorEntry {
    VectorEntry { id: id.into(), embedding, metadata: Metadata::new() }
}

fn ids(collection: &Collection, query: &[f32], k: usize) -> Vec<String> {
    let found = collection.search(T, &[query.to_vec()], k, &MetadataFilter::default()).unwrap();
    found[0].iter().map(|one| one.id.clone()).collect()
}

/// What is written, read again.
fn again(collection: &Collection) -> Collection {
    let (mut vectors, mut metadata, mut graph) = (Vec::new(), Vec::new(), Vec::new());
    collection.write_vectors(&mut vectors).unwrap();
    collection.write_metadata(&mut metadata).unwrap();
    collection.write_graph(&mut graph).unwrap();
    let file = read_index(&*vectors, vectors.len() as u64).unwrap();
    let mut read = Collection::read(collection.limits, file, &*metadata).unwrap();
    read.read_graph(&*graph, graph.len() as u64).unwrap();
    read
}

fn same(a: &Collection, b: &Collection) {
    assert_eq!((&a.vectors, &a.ids, &a.metadata), (&b.vectors, &b.ids, &b.metadata));
    assert_eq!((&a.numbers, a.next_named, &a.rows), (&b.numbers, b.next_named, &b.rows));
    assert!(a.graph == b.graph, "the graphs differ");
}

/// Of the ten nearest of some queries the share that the graph finds.
fn recall(index: &Collection, noise: &mut Noise) -> f64 {
    let d = index.dimensions();
    let order = |a: u32, b: u32| a.cmp(&b);
    let rows = Rows { vectors: &index.vectors, dimensions: d, order: &order };
    let space = Space { vectors: &index.vectors, dimensions: d, level: dot::level() };
    let hits: usize = (0..50)
        .map(|_| {
            let query = unit(T, &noise.vector(d), d).unwrap();
            let truth = flat::search(rows, 0, &query, 10).pop().unwrap().finish(rows, &query);
            let found = index.graph.search(space, &query, 64);
            truth.iter().filter(|hit| found.contains(&hit.row)).count()
        })
        .sum();
    hits as f64 / 500.0
}

#[test]
fn the_graph_finds_what_comparing_all_finds() {
    const D: usize = 12;
    let mut noise = Noise(7);
    let mut index = collection(12, 200);
    let mut add = |index: &mut Collection, id: usize| {
        index.add(T, vec![entry(id.to_string(), noise.vector(D))]).unwrap();
    };
    (0..200).for_each(|id| add(&mut index, id));
    assert_eq!(index.graph.len(), 0, "few need no graph");
    (200..1_300).for_each(|id| add(&mut index, id));
    assert_eq!(index.graph.len(), 1_300, "it has caught up");
    assert!(index.stats().graph_breadth >= 32);
    assert!(recall(&index, &mut Noise(8)) >= 0.9);
    same(&again(&index), &index);
    // Removing and replacing many of them leaves nobody cut off.
    for id in 0..200 {
        assert!(index.remove(&id.to_string()));
        add(&mut index, id + 400);
    }
    assert_eq!((index.len(), index.graph.len()), (1_100, 1_100));
    assert!(recall(&index, &mut Noise(9)) >= 0.9);
    same(&again(&index), &index);
    // The graph stays until there are half as many as need one.
    for id in 200..1_199 {
        index.remove(&id.to_string());
    }
    assert_eq!((index.len(), index.graph.len()), (101, 101));
    index.remove("1199");
    assert_eq!((index.len(), index.graph.len()), (100, 0));
    assert_eq!(ids(&index, &[1.0; D], 3).len(), 3);
}

#[test]
fn a_large_collection_is_searched_by_its_graph() {
    let mut noise = Noise(5);
    let mut index = collection(2, 1_000);
    let entries = (0..2_400).map(|id| entry(id.to_string(), noise.vector(2)));
    index.add(T, entries.collect()).unwrap();
    assert_eq!((index.stats().kind, index.stats().graph_count), (IndexKind::Hnsw, 2_400));
    let (query, mut flat) = (noise.vector(2), index.clone());
    flat.graph = Graph::new();
    assert_eq!(ids(&index, &query, 5), ids(&flat, &query, 5));
}

#[test]
fn a_filter_holds_in_the_graph_too() {
    let mut noise = Noise(3);
    let mut index = collection(8, 100);
    for i in 0..2_200 {
        let metadata = serde_json::json!({"even": i % 2 == 0, "seventh": i % 97 == 0});
        let serde_json::Value::Object(metadata) = metadata else { unreachable!() };
        index.add(T, vec![VectorEntry { id: i.to_string(), embedding: noise.vector(8), metadata }]).unwrap();
    }
    for (field, divisor, count) in [("even", 2, 20), ("seventh", 97, 23)] {
        let filter = serde_json::json!({field: true});
        let filter = MetadataFilter::parse(T, filter.as_object().unwrap()).unwrap();
        let found = &index.search(T, &[noise.vector(8)], count, &filter).unwrap()[0];
        assert_eq!(found.len(), count, "{field}");
        assert!(found.iter().all(|one| one.id.parse::<i32>().unwrap() % divisor == 0));
    }
}

#[test]
fn numbers_are_their_own_ids_for_faiss_and_names_get_others() {
    let mut index = collection(1, 10);
    for id in ["120210000000000001", "summer", "007", "-3", "4611686018427387904", "0"] {
        index.add(T, vec![entry(id, vec![1.0])]).unwrap();
    }
    index.remove("summer");
    index.add(T, vec![entry("winter", vec![1.0])]).unwrap();
    let named = FIRST_NAMED;
    let mut expected: BTreeMap<&str, i64> = BTreeMap::new();
    expected.extend([("120210000000000001", 120_210_000_000_000_001), ("0", 0)]);
    expected.extend([
        ("007", named + 1),
        ("-3", named + 2),
        ("4611686018427387904", named + 3),
        ("winter", named + 4),
    ]);
    let read = again(&index);
    let numbers: BTreeMap<&str, i64> =
        read.ids.iter().map(|id| &**id).zip(read.numbers.iter().copied()).collect();
    assert_eq!(numbers, expected);
    assert_eq!(read.next_named, named + 5);
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let (mut one, mut two) = (collection(2, 1), collection(2, 1));
    one.add(T, vec![entry("a", vec![1.0, 0.0]), entry("b", vec![0.0, 1.0])]).unwrap();
    two.add(T, vec![entry("a", vec![1.0, 0.0])]).unwrap();
    let (mut vectors, mut metadata, mut graph) = (Vec::new(), Vec::new(), Vec::new());
    one.write_vectors(&mut vectors).unwrap();
    two.write_metadata(&mut metadata).unwrap();
    one.write_graph(&mut graph).unwrap();
    let file = || read_index(&*vectors, vectors.len() as u64).unwrap();
    let error = Collection::read(one.limits, file(), &*metadata).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let other = VectorLimits { dimensions: 3, ..one.limits };
    let error = Collection::read(other, file(), &*metadata).unwrap_err();
    assert!(error.kind() == ErrorKind::Conflict && error.message().contains("dimensions: 3"), "{error}");
    for text in ["", "{}", "{\"format\":\"xynergy-vectors\",\"version\":2,\"vector_count\":2}"] {
        let error = Collection::read(one.limits, file(), text.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    }
    assert_eq!(two.read_graph(&*graph, graph.len() as u64).unwrap_err().kind(), ErrorKind::Corrupt);
}

proptest! {
    /// Whatever is done, it is what a map of vectors would do, before and after it was written and read.
    #[test]
    fn it_does_what_a_map_does(
        steps in prop::collection::vec((0_u8..3, 0_u8..30, -3_i8..4, -3_i8..4), 1..120),
        exact_up_to in prop::sample::select(vec![3_u32, 10, 1_000]),
    ) {
        let mut index = collection(2, exact_up_to);
        let mut map: BTreeMap<String, [f32; 2]> = BTreeMap::new();
        for (what, id, x, y) in steps {
            let id = if id % 3 == 0 { format!("ad-{id}") } else { id.to_string() };
            if what == 0 {
                prop_assert_eq!(index.remove(&id), map.remove(&id).is_some());
            } else {
                let vector = [f32::from(x) + 0.5, f32::from(y)];
                let added = index.add(T, vec![entry(id.clone(), vector.to_vec())]).unwrap();
                prop_assert_eq!(added.replaced_count == 1, map.insert(id, vector).is_some());
            }
            if what == 2 {
                index = again(&index);
            }
            prop_assert_eq!(index.len(), map.len());
        }
        for (id, vector) in &map {
            let kept = index.get(id).unwrap().embedding;
            prop_assert_eq!(kept, unit(T, vector, 2).unwrap());
        }
        let found = ids(&index, &[1.0, 0.25], 100);
        prop_assert_eq!(found.len(), map.len());
        let first = map.iter().map(|(id, vector)| {
            let unit = unit(T, vector, 2).unwrap();
            (dot::exact(&unit, &super::unit(T, &[1.0, 0.25], 2).unwrap()), id)
        }).max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)));
        prop_assert_eq!(found.first(), first.map(|(_, id)| id));
    }

    /// Damage to a graph's file is found, or the graph works.
    #[test]
    fn a_damaged_graph_is_refused_or_works(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        cuts: bool,
    ) {
        let mut index = collection(4, 8);
        let mut noise = Noise(1);
        for i in 0..120 {
            index.add(T, vec![entry(i.to_string(), noise.vector(4))]).unwrap();
        }
        let mut graph = Vec::new();
        index.write_graph(&mut graph).unwrap();
        for (at, byte) in damage {
            let at = at.index(graph.len());
            graph[at] = byte;
        }
        if cuts {
            graph.truncate(cut.index(graph.len()));
            prop_assert_eq!(index.read_graph(&*graph, graph.len() as u64).unwrap_err().kind(), ErrorKind::Corrupt);
        } else if index.read_graph(&*graph, graph.len() as u64).is_ok() {
            let space = Space { vectors: &index.vectors, dimensions: 4, level: dot::level() };
            index.graph.search(space, &[1.0, 0.0, 0.0, 0.0], 16);
            for i in 0..60 {
                index.remove(&i.to_string());
                index.add(T, vec![entry(i.to_string(), noise.vector(4))]).unwrap();
            }
        }
    }
}
