use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Call, CallOptions, Message, Role, lenient};

/// A chat completion to be made, in OpenAI's shape.
///
/// `model` is a route, a provider, a provider's model (`openai/gpt-4o-mini`) or the model of one of the configured
/// providers; empty or `auto` lets the router choose.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ChatRequest {
    /// Which model.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// The conversation so far.
    pub messages: Vec<Message>,
    /// The greatest number of tokens of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// The newer name of `max_tokens`; it wins where both are given. Each provider is sent the name that it knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u32>,
    /// How freely the model chooses, 0 to 2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// The number of answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
    /// The tools that the model may call, as they came.
    #[serde(default, deserialize_with = "lenient::list", skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Value>,
    /// The format that the answer must have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_format: Option<Value>,
    /// What is meant for this library and sent to no provider.
    #[serde(rename = "xynergy", default, skip_serializing_if = "CallOptions::is_default")]
    pub options: CallOptions,
    /// Every other field, as it came. `stream` is not heeded: the method decides.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
    /// What the layers of one call tell one another.
    #[serde(skip)]
    pub call: Call,
}

impl ChatRequest {
    /// A request of one user message.
    pub fn prompt(text: impl Into<String>) -> Self {
        Self { messages: vec![Message::text(Role::User, text)], ..Self::default() }
    }

    /// The user's limit of the answer in tokens, by either name.
    pub fn token_limit(&self) -> Option<u32> {
        self.max_completion_tokens.or(self.max_tokens)
    }

    /// The same request with this limit and no other.
    #[must_use]
    pub fn with_token_limit(mut self, limit: Option<u32>) -> Self {
        self.max_completion_tokens = None;
        self.max_tokens = limit;
        self
    }
}

impl From<&str> for ChatRequest {
    fn from(prompt: &str) -> Self {
        Self::prompt(prompt)
    }
}

/// A prompt to be answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GenerateRequest {
    /// The prompt.
    pub prompt: String,
    /// The greatest number of tokens of the answer; obeyed as it is. None lets the library size it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u32>,
    /// How freely the model chooses, 0 to 2; 0.7 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// Names under which the spend is counted and limited.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    /// False neither reads nor fills the cache.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<bool>,
    /// A name of the caller's that the spend is counted and limited under, as that of an API key; never the secret itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A name of the caller's for the conversation that the prompt belongs to. By it `sticky` and `canary` routes keep a conversation
    /// at one model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

impl GenerateRequest {
    /// A prompt with every default.
    pub fn new(prompt: impl Into<String>) -> Self {
        Self { prompt: prompt.into(), ..Self::default() }
    }

    /// The chat request that it stands for.
    pub fn into_chat(self) -> ChatRequest {
        ChatRequest {
            max_tokens: self.max_tokens,
            temperature: Some(self.temperature.unwrap_or(0.7)),
            options: CallOptions {
                tags: self.tags,
                key: self.key,
                cache: self.cache,
                session: self.session,
                optimize_tokens: true,
            },
            ..ChatRequest::prompt(self.prompt)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_parameters_survive_and_the_call_does_not() {
        let json = serde_json::json!({
            "model": "auto", "messages": [{"role": "user", "content": "hi"}], "top_p": 0.5, "service_tier": "flex",
            "xynergy": {"tags": ["summary"], "cache": false}
        });
        let request: ChatRequest = serde_json::from_value(json.clone()).unwrap();
        assert_eq!(request.extra["top_p"], 0.5);
        assert_eq!(serde_json::to_value(&request).unwrap(), json);
    }

    #[test]
    fn a_negative_limit_is_no_request() {
        let json = r#"{"messages": [], "max_tokens": -1}"#;
        assert!(serde_json::from_str::<ChatRequest>(json).unwrap_err().to_string().contains("-1"));
    }
}
