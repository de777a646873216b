//! AI providers.

pub mod anthropic;
pub mod openai_compatible;
mod sse;
