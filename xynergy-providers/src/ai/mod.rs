//! AI providers.

pub mod headers;
pub mod openai_compatible;
mod sse;
