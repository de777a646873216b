use serde_json::json;

use crate::ctx::TenantId;
use crate::error::ErrorKind;
use crate::vector::{Added, Metadata, MetadataFilter, VectorEntry, VectorIndex};

fn object(value: serde_json::Value) -> Metadata {
    let serde_json::Value::Object(map) = value else { panic!("{value} is no object") };
    map
}

fn entry(id: &str, embedding: [f32; 3], metadata: serde_json::Value) -> VectorEntry {
    VectorEntry { id: id.to_owned(), embedding: embedding.to_vec(), metadata: object(metadata) }
}

/// The behaviour of a [`VectorIndex`] of 3 dimensions; `index` is empty.
///
/// # Panics
/// At the first behaviour that differs.
pub async fn vector_index(index: &dyn VectorIndex) {
    let (a, b) = (TenantId::new("a").unwrap(), TenantId::new("A").unwrap());
    let all = MetadataFilter::default();
    let found = async |tenant: &TenantId, embedding: [f32; 3], k: usize, filter: &MetadataFilter| {
        let mut found = index.search(tenant, &[embedding.to_vec()], k, filter).await.unwrap();
        let found = found.pop().expect("an answer for each embedding");
        found.into_iter().map(|one| (one.id, one.similarity)).collect::<Vec<_>>()
    };
    assert_eq!(found(&a, [1.0, 0.0, 0.0], 5, &all).await, [], "nothing is near in an empty index");
    assert_eq!(index.get(&a, "1").await.unwrap(), None);
    assert!(!index.remove(&a, "1").await.unwrap(), "what is not there is not removed");

    let entries = vec![
        entry("10", [3.0, 0.0, 4.0], json!({"campaign": "x", "roas": 2.5})),
        entry("video é", [0.0, 2.0, 0.0], json!({"campaign": "y", "roas": 4})),
        entry("9", [6.0, 0.0, 8.0], json!({"campaign": "x"})),
    ];
    let added = index.add(&a, entries).await.unwrap();
    assert_eq!(added, Added { inserted: 3, replaced_count: 0 });
    assert_eq!(
        found(&a, [0.3, 0.0, 0.4], 5, &all).await,
        [("10".to_owned(), 1.0), ("9".to_owned(), 1.0), ("video é".to_owned(), 0.0)],
        "length does not count, and equally near ones are in the order of their ids"
    );
    assert_eq!(found(&a, [0.0, -1.0, 0.0], 5, &all).await.last().unwrap().1, -1.0);
    assert_eq!(found(&a, [1.0, 0.0, 0.0], 1, &all).await.len(), 1, "no more than asked for");
    let dear = MetadataFilter::parse("t", &object(json!({"roas": {"min": 2.5}}))).unwrap();
    assert_eq!(found(&a, [1.0, 0.0, 0.0], 5, &dear).await.len(), 2, "what has no such field is in no range");
    let none = MetadataFilter::parse("t", &object(json!({"campaign": "z"}))).unwrap();
    assert_eq!(found(&a, [1.0, 0.0, 0.0], 5, &none).await, []);
    let both = index.search(&a, &[vec![0.0, 1.0, 0.0], vec![3.0, 0.0, 4.0]], 1, &all).await.unwrap();
    assert_eq!([&both[0][0].id, &both[1][0].id], ["video é", "10"], "an answer for each, in their order");
    assert_eq!(both[0][0].metadata, object(json!({"campaign": "y", "roas": 4})));

    assert_eq!(found(&b, [1.0, 0.0, 0.0], 5, &all).await, [], "tenants never see each other");
    assert_eq!(index.get(&b, "10").await.unwrap(), None);
    assert!(!index.remove(&b, "10").await.unwrap());

    let kept = index.get(&a, "10").await.unwrap().unwrap();
    assert_eq!(kept, entry("10", [0.6, 0.0, 0.8], json!({"campaign": "x", "roas": 2.5})), "at length 1");
    let added = index.add(&a, vec![entry("10", [0.0, 0.0, 1.0], json!({}))]).await.unwrap();
    assert_eq!(added, Added { inserted: 0, replaced_count: 1 }, "an id that is there is replaced");
    assert_eq!(index.get(&a, "10").await.unwrap().unwrap(), entry("10", [0.0, 0.0, 1.0], json!({})));
    assert_eq!(index.stats(&a).await.unwrap().vector_count, 3);

    let good = || entry("new", [1.0, 0.0, 0.0], json!({}));
    for (bad, named) in [
        (entry("bad", [f32::NAN, 0.0, 0.0], json!({})), "embedding[0]"),
        (entry("bad", [0.0, f32::INFINITY, 0.0], json!({})), "embedding[1]"),
        (entry("bad", [0.0; 3], json!({})), "embedding"),
        (VectorEntry { embedding: vec![1.0; 2], ..good() }, "2 numbers"),
        (entry("", [1.0; 3], json!({})), "id"),
        (entry("a\nb", [1.0; 3], json!({})), "id"),
        (entry("bad", [1.0; 3], json!({"text": "x".repeat(20_000)})), "metadata"),
    ] {
        let error = index.add(&a, vec![good(), bad]).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.message().contains(named) && error.message().contains("[1]"), "{error}");
        assert_eq!(index.get(&a, "new").await.unwrap(), None, "all are added or none");
    }
    for (embedding, k) in [(vec![1.0; 4], 5), (vec![0.0; 3], 5), (vec![1.0; 3], 0), (vec![1.0; 3], 1 << 40)] {
        let error = index.search(&a, &[embedding], k, &all).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }

    assert!(index.remove(&a, "9").await.unwrap());
    assert!(!index.remove(&a, "9").await.unwrap());
    let left = found(&a, [1.0, 1.0, 1.0], 5, &all).await;
    assert_eq!(left.iter().map(|(id, _)| id.as_str()).collect::<Vec<_>>(), ["10", "video é"]);
}
