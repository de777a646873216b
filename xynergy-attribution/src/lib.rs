//! Clicks, matching, synthetic revenue, credit of channels and budget sampling, without I/O: stores and the CRM arrive as traits of
//! `xynergy-core`, and every decision here is a pure function.

#![forbid(unsafe_code)]

#[cfg(feature = "arrow")]
pub mod batch;
pub mod click;
pub mod credit;
pub mod ctr;
mod distributions;
pub mod evaluate;
pub mod experiments;
pub mod matching;
pub mod revenue;
pub mod sampler;
pub mod winners;
