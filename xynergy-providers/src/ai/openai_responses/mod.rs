//! OpenAI's Responses API, asked and read as chat completions.
//!
//! One request is one response: nothing is kept at OpenAI unless the request says `store`. Reasoning that comes sealed
//! (`include: ["reasoning.encrypted_content"]`) stands in the message's `reasoning_items` and goes back with it; other items, as of tools
//! that OpenAI runs itself, stand in `output_items`.

mod answer;
mod backend;
mod request;
mod stream;
#[cfg(test)]
mod tests;

pub use backend::OpenAiResponses;

/// Where a message keeps sealed reasoning.
const REASONING_ITEMS: &str = "reasoning_items";
/// Where a message keeps the items of an output that chat completions have no place for.
const OUTPUT_ITEMS: &str = "output_items";
