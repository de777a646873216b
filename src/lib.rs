#![forbid(unsafe_code)]
//! Xynergy.
pub use xynergy_core::*;
