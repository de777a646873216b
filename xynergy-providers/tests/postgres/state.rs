use xynergy_core::store::StateStore;
use xynergy_core::{ErrorKind, TenantId};

use crate::support::Place;

#[tokio::test]
async fn keeps_the_contract_of_a_state_store() {
    let Some((_place, store)) = Place::with_store().await else { return };
    xynergy_core::conformance::state_store(&store).await;
}

#[tokio::test]
async fn opens_again_with_what_was_written() {
    let Some((place, store)) = Place::with_store().await else { return };
    let tenant = TenantId::default();
    store.put(&tenant, "c", "k", None, "v").await.unwrap();
    let again = place.open().await;
    assert!(again.applied().is_empty(), "{:?}", again.applied());
    assert_eq!(again.get(&tenant, "c", "k").await.unwrap().unwrap().value, "v");
}

#[tokio::test]
async fn one_of_many_writers_wins_each_version() {
    let Some((_place, store)) = Place::with_store().await else { return };
    let tenant = TenantId::default();
    let writers = (0..8).map(|_| {
        let (store, tenant) = (store.clone(), tenant.clone());
        tokio::spawn(async move {
            let mut won = 0;
            while won < 10 {
                let version = store.get(&tenant, "c", "k").await.unwrap().map_or(0, |d| d.version);
                match store.put(&tenant, "c", "k", Some(version), "v").await {
                    Ok(written) => {
                        assert_eq!(written, version + 1);
                        won += 1;
                    }
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Conflict, "{error}"),
                }
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert_eq!(store.get(&tenant, "c", "k").await.unwrap().unwrap().version, 80);
}

#[tokio::test]
async fn a_nul_character_is_refused_by_name() {
    let Some((_place, store)) = Place::with_store().await else { return };
    let error = store.put(&TenantId::default(), "c", "k", None, "a\0b").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.message().contains("NUL"), "{error}");
}
