//! AI providers.

pub mod openai_compatible;
