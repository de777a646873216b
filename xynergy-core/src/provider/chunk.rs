use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient;
use super::{CallReport, Content, FinishReason, Outcome, Role, Usage};

/// A piece of a streamed answer, in OpenAI's shape.
///
/// The last one of a stream is the library's own: no choices, the usage, the outcome and the report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChatChunk {
    /// The provider's id of the answer.
    #[serde(default, deserialize_with = "lenient::text")]
    pub id: String,
    /// The model that answers, as the provider names it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub model: String,
    /// What is added to which answer; empty in chunks that only annotate.
    #[serde(default, deserialize_with = "lenient::list")]
    pub choices: Vec<ChunkChoice>,
    /// The tokens used so far, where the provider says so.
    #[serde(default, deserialize_with = "lenient::usage", skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Whether the answer is whole; only in the last chunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// Who answered, at what cost, by which way; only in the last chunk.
    #[serde(rename = "xynergy", default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<CallReport>>,
    /// Every other field, as it came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ChatChunk {
    /// A chunk that adds `text` to the first answer.
    pub fn text(text: impl Into<String>) -> Self {
        Self::of(Delta { content: Some(Content::Text(text.into())), ..Delta::default() }, None)
    }

    /// A chunk that ends the first answer.
    pub fn end(finish: FinishReason) -> Self {
        Self::of(Delta::default(), Some(finish))
    }

    /// The text that it adds to the first answer, empty when it adds none.
    pub fn added_text(&self) -> String {
        let first = self.choices.iter().filter(|choice| choice.index == 0);
        first.flat_map(|choice| choice.delta.content.iter().flat_map(Content::texts)).collect()
    }

    fn of(delta: Delta, finish_reason: Option<FinishReason>) -> Self {
        let choice = ChunkChoice { index: 0, delta, finish_reason, extra: Map::new() };
        Self { choices: vec![choice], ..Self::default() }
    }
}

/// What a chunk adds to one answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChunkChoice {
    /// Which answer.
    #[serde(default, deserialize_with = "lenient::index")]
    pub index: u32,
    /// What is added.
    #[serde(default, deserialize_with = "lenient::null_is_default")]
    pub delta: Delta,
    /// Why it ended, in its last chunk.
    #[serde(default, deserialize_with = "lenient::name")]
    pub finish_reason: Option<FinishReason>,
    /// Every other field, as it came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An addition to a message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Delta {
    /// Who speaks, in the first chunk.
    #[serde(default, deserialize_with = "lenient::name", skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// More of what is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// More of the refusal.
    #[serde(default, deserialize_with = "lenient::words", skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// More of the tool calls, as they came.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<Value>,
    /// Every other field, as it came: `reasoning_content`, `reasoning`.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
