mod agree;
mod approve;
mod contract;
mod fixture;
mod person;
mod work;

pub use agree::change_stores_agree;
pub use contract::change_store;
