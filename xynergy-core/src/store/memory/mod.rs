//! The stores in memory: gone with the process, shared by the clones of one handle.

mod state;

pub use state::MemoryState;
