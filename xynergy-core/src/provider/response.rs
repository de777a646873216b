use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::open::open_enum;
use super::{Attempt, CallReport, Message, Role, Usage, lenient};
use crate::tokens::TokenOptimization;

open_enum! {
    /// Why the model stopped.
    FinishReason {
        /// It was done.
        Stop = "stop",
        /// It met the limit of tokens.
        Length = "length",
        /// It calls tools.
        ToolCalls = "tool_calls",
        /// It calls a function, in older models.
        FunctionCall = "function_call",
        /// A content filter cut it.
        ContentFilter = "content_filter",
        /// The provider failed on the way.
        Error = "error",
    }
}

impl FinishReason {
    /// What an answer that ended so is.
    pub fn outcome(&self) -> Outcome {
        match self {
            Self::Length | Self::ContentFilter => Outcome::Truncated,
            Self::Error => Outcome::Errored,
            Self::Other(text) => outcome_by_name(text),
            Self::Stop | Self::ToolCalls | Self::FunctionCall => Outcome::Complete,
        }
    }
}

/// Other names of an end that is no whole answer: Mistral's, DeepSeek's, vLLM's and those of gateways in front of others.
/// What is not known is an end that the model chose, as `eos_token`. `pause_turn` and `compaction` are Anthropic's for a turn that has to
/// be sent again to go on.
fn outcome_by_name(name: &str) -> Outcome {
    match name.to_ascii_lowercase().as_str() {
        "" | "null" | "pause_turn" | "compaction" | "model_length" | "max_tokens" | "max_output_tokens"
        | "safety" | "recitation" | "blocklist" | "prohibited_content" | "timeout" | "cancelled" => {
            Outcome::Truncated
        }
        "insufficient_system_resource" | "abort" => Outcome::Errored,
        _ => Outcome::Complete,
    }
}

/// Whether an answer is whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The model said that it was done.
    Complete,
    /// It is whole, joined from the answers of two calls.
    Spliced,
    /// It was cut: by a limit of tokens, by a filter, or without a reason given.
    #[default]
    Truncated,
    /// It broke off with an error.
    Errored,
}

impl Outcome {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Spliced => "spliced",
            Self::Truncated => "truncated",
            Self::Errored => "errored",
        }
    }
}

/// A chat completion, in OpenAI's shape, with what became of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChatResponse {
    /// The provider's id of the answer.
    #[serde(default, deserialize_with = "lenient::text")]
    pub id: String,
    /// The model that answered, as the provider names it.
    #[serde(default, deserialize_with = "lenient::text")]
    pub model: String,
    /// The answers, one unless more were asked for.
    #[serde(default, deserialize_with = "lenient::list")]
    pub choices: Vec<Choice>,
    /// The tokens used, as the provider counts them.
    #[serde(default, deserialize_with = "lenient::usage", skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Whether it is whole: the worst of the choices. Truncated until it is set.
    #[serde(default)]
    pub outcome: Outcome,
    /// Who answered, at what cost, by which way.
    #[serde(rename = "xynergy", default)]
    pub report: CallReport,
    /// Every other field, as it came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl ChatResponse {
    /// A complete answer of plain text, for providers that a host writes.
    pub fn text(model: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            model: model.into(),
            choices: vec![Choice {
                index: 0,
                message: Message::text(Role::Assistant, text),
                finish_reason: Some(FinishReason::Stop),
                extra: Map::new(),
            }],
            outcome: Outcome::Complete,
            ..Self::default()
        }
    }

    /// The text of the first answer, empty when it has none.
    pub fn first_text(&self) -> String {
        self.choices.first().map(|choice| choice.message.texts().collect()).unwrap_or_default()
    }

    /// Why the first answer ended.
    pub fn finish(&self) -> Option<&FinishReason> {
        self.choices.first().and_then(|choice| choice.finish_reason.as_ref())
    }

    /// Sets the outcome from the finish reasons: complete only if every choice says that it is.
    #[must_use]
    pub fn judged(mut self) -> Self {
        let of_choice =
            |choice: &Choice| choice.finish_reason.as_ref().map_or(Outcome::Truncated, FinishReason::outcome);
        self.outcome = self.choices.iter().map(of_choice).max().unwrap_or(Outcome::Errored);
        self
    }
}

/// One answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Choice {
    /// Its number.
    #[serde(default, deserialize_with = "lenient::index")]
    pub index: u32,
    /// What the model said; empty where a filter took it away.
    #[serde(default = "Message::silent", deserialize_with = "message_or_silence")]
    pub message: Message,
    /// Why it stopped.
    #[serde(default, deserialize_with = "lenient::name")]
    pub finish_reason: Option<FinishReason>,
    /// Every other field, as it came.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The answer to a prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Generation {
    /// The answer.
    pub text: String,
    /// The provider that answered.
    pub provider: String,
    /// The model that answered.
    pub model: String,
    /// Tokens of prompt and answer.
    pub tokens_used: u64,
    /// The cost in dollars, for people; null when the price is not known.
    pub cost: Option<f64>,
    /// The cost in billionths of a dollar; null when the price is not known.
    pub cost_nano_usd: Option<u64>,
    /// Whether it came from the cache, which costs nothing.
    pub cache_hit: bool,
    /// What chose the model: `complexity`, `model`, `route`, or `cache`.
    pub routed_via: String,
    /// The id of the request.
    pub request_id: String,
    /// How the limit of the answer was sized.
    pub token_optimization: TokenOptimization,
    /// Why the model stopped.
    pub finish: Option<FinishReason>,
    /// Whether it is whole.
    pub outcome: Outcome,
    /// Whether a limit of ours had cut a first answer and the model was asked again without it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub continued: bool,
    /// Every attempt, in order.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
}

impl Generation {
    /// What a response says in this form; `sized` is how its limit was sized.
    pub fn from_response(response: ChatResponse, sized: TokenOptimization) -> Self {
        Self {
            text: response.first_text(),
            finish: response.finish().cloned(),
            outcome: response.outcome,
            tokens_used: response.usage.as_ref().map_or(0, Usage::total),
            provider: response.report.provider,
            model: response.report.model,
            cost: response.report.cost,
            cost_nano_usd: response.report.cost_nano_usd,
            cache_hit: response.report.cache_hit,
            routed_via: response.report.routed_via,
            request_id: response.report.request_id,
            continued: response.report.continued,
            attempts: response.report.attempts,
            token_optimization: sized,
        }
    }
}

fn message_or_silence<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Message, D::Error> {
    Ok(Option::<Message>::deserialize(deserializer)?.unwrap_or_else(Message::silent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: serde_json::Value) -> ChatResponse {
        serde_json::from_value::<ChatResponse>(json).unwrap().judged()
    }

    #[test]
    fn only_a_stated_end_is_complete() {
        let answer = |finish: Value| {
            of(serde_json::json!({"choices": [{"message": {"content": "x"}, "finish_reason": finish}]}))
        };
        for (finish, outcome) in [
            (Value::from("stop"), Outcome::Complete),
            (Value::from("eos_token"), Outcome::Complete),
            (Value::from("length"), Outcome::Truncated),
            (Value::from("model_length"), Outcome::Truncated),
            (Value::from("MAX_TOKENS"), Outcome::Truncated),
            (Value::from("insufficient_system_resource"), Outcome::Errored),
            (Value::from(""), Outcome::Truncated),
            (Value::Null, Outcome::Truncated),
            (Value::from("error"), Outcome::Errored),
        ] {
            assert_eq!(answer(finish.clone()).outcome, outcome, "{finish}");
        }
        assert_eq!(of(serde_json::json!({"choices": []})).outcome, Outcome::Errored);
    }

    #[test]
    fn the_worst_choice_decides() {
        let json = serde_json::json!({"choices": [
            {"message": {"content": "x"}, "finish_reason": "length"},
            {"message": {"content": "x"}, "finish_reason": "stop"}
        ]});
        assert_eq!(of(json).outcome, Outcome::Truncated);
    }

    #[test]
    fn nulls_and_odd_types_in_a_choice_do_not_spoil_it() {
        let response = of(serde_json::json!({"choices": [
            {"index": null, "message": {"role": null, "content": "x", "refusal": false, "tool_calls": null}, "finish_reason": "stop"},
            {"index": 1, "message": null, "finish_reason": 7}
        ]}));
        assert_eq!(response.first_text(), "x");
        assert_eq!((response.choices[0].index, &response.choices[0].message.role), (0, &Role::Assistant));
        assert_eq!(response.choices[1].finish_reason, Some(FinishReason::Other("7".into())));
    }

    #[test]
    fn odd_fields_do_not_spoil_an_answer() {
        let response =
            of(serde_json::json!({"id": 7, "model": null, "usage": {}, "choices": [], "citations": ["a"]}));
        assert_eq!((response.id.as_str(), response.usage), ("7", None));
        assert_eq!(response.extra["citations"][0], "a");
    }
}
