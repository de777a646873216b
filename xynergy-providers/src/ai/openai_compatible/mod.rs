//! Whoever speaks OpenAI's chat completions: OpenAI, Azure OpenAI, Abacus.AI's RouteLLM API, OpenRouter, Groq, Mistral,
//! DeepSeek, models of one's own behind Ollama, vLLM or llama.cpp, and many others.

mod backend;
mod config;
mod dialect;
mod echo;
mod embed;
mod embedder;
pub(super) mod error;
mod told;
pub(super) mod wire;

pub use backend::OpenAiCompatible;
pub(super) use embedder::OpenAiEmbedder;
