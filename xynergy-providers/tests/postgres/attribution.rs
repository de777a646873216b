//! The click and revenue stores.

use crate::support::Place;

#[tokio::test]
async fn keeps_the_contract_of_a_click_store() {
    let Some((_place, store)) = Place::with_store().await else { return };
    xynergy_core::conformance::click_store(&store).await;
}

#[tokio::test]
async fn keeps_the_contract_of_a_revenue_store() {
    let Some((_place, store)) = Place::with_store().await else { return };
    xynergy_core::conformance::revenue_store(&store).await;
}
