use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient;

/// The tokens of one call, as OpenAI counts: the prompt's include the cached ones, the completion's the reasoning.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Tokens of the prompt, cached ones included.
    #[serde(default, deserialize_with = "lenient::count")]
    pub prompt_tokens: u64,
    /// Tokens of the answer, reasoning included.
    #[serde(default, deserialize_with = "lenient::count")]
    pub completion_tokens: u64,
    /// Both together, as the provider says.
    #[serde(default, deserialize_with = "lenient::count")]
    pub total_tokens: u64,
    /// Every other field, as it came: `prompt_tokens_details`, `completion_tokens_details`.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Usage {
    /// Usage of these counts.
    pub fn new(prompt_tokens: u64, completion_tokens: u64) -> Self {
        Self {
            prompt_tokens,
            completion_tokens,
            total_tokens: prompt_tokens.saturating_add(completion_tokens),
            extra: Map::new(),
        }
    }

    /// The part of the prompt that was read from the provider's cache, never more than the prompt.
    pub fn cached_tokens(&self) -> u64 {
        // DeepSeek has a name of its own beside the details.
        let hits = || self.extra.get("prompt_cache_hit_tokens").and_then(Value::as_u64);
        let cached = self.detail("prompt_tokens_details", "cached_tokens").or_else(hits);
        cached.unwrap_or(0).min(self.prompt_tokens)
    }

    /// The part of the answer that was reasoning, never more than the answer.
    pub fn reasoning_tokens(&self) -> u64 {
        self.detail("completion_tokens_details", "reasoning_tokens").unwrap_or(0).min(self.completion_tokens)
    }

    /// The tokens that count: the provider's total, or the sum where it says none.
    pub fn total(&self) -> u64 {
        self.total_tokens.max(self.prompt_tokens.saturating_add(self.completion_tokens))
    }

    /// Whether it says anything: some providers send an empty object.
    pub fn is_known(&self) -> bool {
        self.total() > 0
    }

    fn detail(&self, group: &str, name: &str) -> Option<u64> {
        self.extra.get(group)?.get(name)?.as_u64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_read_and_kept() {
        let json = serde_json::json!({
            "prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 99}
        });
        let usage: Usage = serde_json::from_value(json.clone()).unwrap();
        assert_eq!((usage.cached_tokens(), usage.reasoning_tokens()), (4, 5));
        assert_eq!(serde_json::to_value(usage).unwrap(), json);
    }

    #[test]
    fn odd_counts_are_read_and_deepseek_cache_hits_found() {
        let json = serde_json::json!({
            "prompt_tokens": 10.0, "completion_tokens": null, "total_tokens": -3, "prompt_cache_hit_tokens": 6
        });
        let usage: Usage = serde_json::from_value(json).unwrap();
        assert_eq!((usage.total(), usage.cached_tokens()), (10, 6));
    }
}
