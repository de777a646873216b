//! The stores in memory: gone with the process, shared by the clones of one handle.

mod changes;
mod clicks;
mod revenue;
mod state;

pub use changes::MemoryChanges;
pub use clicks::MemoryClicks;
pub use revenue::MemoryRevenue;
pub use state::MemoryState;
