use crate::ctx::TenantId;
use crate::error::ErrorKind;
use crate::store::StateStore;

/// The behaviour of a [`StateStore`]; `store` is empty.
///
/// # Panics
/// At the first behaviour that differs.
pub async fn state_store(store: &dyn StateStore) {
    let (a, b) = (TenantId::new("a").unwrap(), TenantId::new("b").unwrap());
    assert_eq!(store.get(&a, "runs", "1").await.unwrap(), None, "an absent document is None");

    assert_eq!(store.put(&a, "runs", "1", Some(0), "{}").await.unwrap(), 1, "0 expects absence");
    let stale = store.put(&a, "runs", "1", Some(0), "stale").await.unwrap_err();
    assert_eq!(stale.kind(), ErrorKind::Conflict, "a stale version is a conflict");
    assert_eq!(store.get(&a, "runs", "1").await.unwrap().unwrap().value, "{}", "a conflict writes nothing");
    assert_eq!(store.put(&a, "runs", "1", Some(1), "second").await.unwrap(), 2);
    assert_eq!(store.put(&a, "runs", "1", None, "third").await.unwrap(), 3, "None overwrites");

    assert_eq!(store.get(&b, "runs", "1").await.unwrap(), None, "tenants never see each other");
    assert_eq!(store.get(&a, "other", "1").await.unwrap(), None, "collections are apart");

    store.put(&a, "runs", "é", None, "accent").await.unwrap();
    store.put(&a, "runs", "10", None, "ten").await.unwrap();
    let keys: Vec<_> = store.list(&a, "runs").await.unwrap().into_iter().map(|(k, _)| k).collect();
    assert_eq!(keys, ["1", "10", "é"], "a list is in byte order of the keys");
    assert!(store.list(&b, "runs").await.unwrap().is_empty());
}
