mod approval;
mod crash;
mod edits;
mod faults;
mod flow;
mod gate;
mod limits;
pub mod simulate;
mod world;

use std::sync::Arc;

pub use crash::{executor_crashes, executor_zombies};
pub use edits::executor_edits;
pub use simulate::executor_simulation;

use crate::store::ChangeStore;

/// What the executor does over a store, faults of the platform included; `store` is empty.
///
/// # Panics
/// At the first behaviour that differs.
pub async fn executor(store: Arc<dyn ChangeStore>) {
    flow::all(&store).await;
    limits::all(&store).await;
    faults::all(&store).await;
    approval::all(&store).await;
    crash::dropped_caller(&store).await;
}
