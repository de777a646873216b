//! AI providers.

pub mod openai_compatible;
mod sse;
