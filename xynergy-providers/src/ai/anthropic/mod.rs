//! Anthropic by its Messages API, in the shape of chat completions.
//!
//! What has no counterpart there is refused as `Unsupported`, so that a router moves on: several answers, log probabilities,
//! audio, JSON without a schema. A JSON schema becomes `output_config.format`. Blocks that chat completions have no place for
//! (thinking with its signature, server tools, citations) travel in the message's `anthropic_content` and go back untouched.
//! Fields of the Messages API that a request has beside OpenAI's pass as they are, `betas` as the header `anthropic-beta`.

mod backend;
mod config;
mod error;
mod model;
mod wire;

pub use backend::Anthropic;

/// The field of a message with the blocks of an answer as they came, where chat completions have no place for them.
pub(super) const CONTENT: &str = "anthropic_content";
