//! AI providers.

pub mod anthropic;
mod exchange;
pub mod headers;
mod key_ring;
mod keys;
pub mod openai_compatible;
pub mod openai_responses;
mod pieces;
mod sse;
