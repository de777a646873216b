use crate::store::ChangeStore;

/// The behaviour of a [`ChangeStore`]; `store` is empty.
///
/// # Panics
/// At the first behaviour that differs.
pub async fn change_store(_store: &dyn ChangeStore) {}

/// x
pub async fn change_stores_agree() {}
