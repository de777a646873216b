//! Whoever speaks OpenAI's chat completions: OpenAI, Abacus.AI's RouteLLM API, models of one's own, and many others.

mod backend;
mod config;
pub(super) mod error;
pub(super) mod wire;

pub use backend::OpenAiCompatible;
