//! Which click is behind a deal: consent first, then three layers from the surest to the least sure.

mod evidence;
mod layers;
mod used;

pub use evidence::{ContactProperties, Evidence};
pub use layers::{AdParents, KnownAds, RULE_VERSION, choose, window};
pub use used::Layers;
