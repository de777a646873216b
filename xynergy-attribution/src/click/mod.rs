//! Clicks as they come in: read, checked and stripped of what nobody consented to.

mod identity;
mod landing;
mod parse;

pub use identity::IdentityKey;
pub use landing::{ClickIdFamily, Landing};
pub use parse::{LineProblem, parse_line};
