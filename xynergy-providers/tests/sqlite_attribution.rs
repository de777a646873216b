//! The click and revenue stores on SQLite.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

use xynergy_providers::store::sqlite::SqliteStore;

async fn temporary() -> (tempfile::TempDir, SqliteStore) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path().join("xynergy.sqlite")).await.unwrap();
    (directory, store)
}

#[tokio::test]
async fn keeps_the_contract_of_a_click_store() {
    let (_directory, store) = temporary().await;
    xynergy_core::conformance::click_store(&store).await;
}

#[tokio::test]
async fn keeps_the_contract_of_a_revenue_store() {
    let (_directory, store) = temporary().await;
    xynergy_core::conformance::revenue_store(&store).await;
}
