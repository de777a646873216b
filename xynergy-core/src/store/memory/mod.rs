//! The stores in memory: gone with the process, shared by the clones of one handle.

mod clicks;
mod revenue;
mod state;

pub use clicks::MemoryClicks;
pub use revenue::MemoryRevenue;
pub use state::MemoryState;
