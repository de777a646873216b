mod agree;
mod approve;
mod contract;
mod fixture;

pub use agree::change_stores_agree;
pub use contract::change_store;
