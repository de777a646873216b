//! The stores in memory: gone with the process, shared by the clones of one handle.

mod changes;
mod state;

pub use changes::MemoryChanges;
pub use state::MemoryState;
