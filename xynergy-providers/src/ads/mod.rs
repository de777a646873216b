//! Ad platforms.

pub mod meta;
