use std::cell::OnceCell;

use crate::ctx::TenantId;
use crate::provider::{ChatRequest, Content, ContentPart};
use crate::spend::PriceBook;
use crate::tokens::TokenCounter;

use super::ModelChoice;

/// Whether a request fits models.
pub(super) struct Fitting<'a> {
    prices: &'a PriceBook,
    counter: &'a TokenCounter,
    tenant: &'a TenantId,
    request: &'a ChatRequest,
    most: OnceCell<Option<u64>>,
}

/// What is too long for a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    /// The prompt's tokens.
    pub(super) prompt: u64,
    /// What the model holds, in tokens.
    pub(super) holds: u64,
}

impl<'a> Fitting<'a> {
    pub(super) fn new(
        prices: &'a PriceBook,
        counter: &'a TokenCounter,
        tenant: &'a TenantId,
        request: &'a ChatRequest,
    ) -> Self {
        Self { prices, counter, tenant, request, most: OnceCell::new() }
    }

    /// `None` where it fits, or where nobody knows. `window` is what the user says that prompt and answer may have together; a price
    /// list says what the prompt may have. An estimate is taken at its lower end: what may fit is the model's to judge.
    pub(super) fn misfit(&self, choice: &ModelChoice, window: Option<u64>) -> Option<Misfit> {
        let asked = u64::from(self.request.token_limit().unwrap_or(0));
        let (holds, answer) = match window {
            Some(window) => (window, asked),
            None => (self.prices.longest_prompt(&choice.provider, &choice.model)?, 0),
        };
        let room = holds.saturating_sub(answer);
        if self.most.get_or_init(|| most_tokens(self.request)).is_some_and(|most| most <= room) {
            return None;
        }
        let count = self.counter.count(self.tenant, self.request, &choice.model);
        let off = u128::from(count.tokens) * u128::from(count.error_percent.min(100)) / 100;
        let least = count.tokens.saturating_sub(u64::try_from(off).unwrap_or(u64::MAX));
        (least > room).then_some(Misfit { prompt: count.tokens, holds })
    }
}

/// More tokens than any tokenizer makes of a prompt, without counting them, so that short prompts cost nothing: no tokenizer makes
/// more than there are bytes. `None` where it holds more than text and tools.
fn most_tokens(request: &ChatRequest) -> Option<u64> {
    let is_text = |part: &ContentPart| part.kind == "text" && part.extra.is_empty();
    let mut bytes = 64;
    for message in &request.messages {
        if !message.is_only_content() {
            return None;
        }
        if let Some(Content::Parts(parts)) = &message.content
            && !parts.iter().all(is_text)
        {
            return None;
        }
        bytes += 16 + message.texts().map(|text| text.len() as u64).sum::<u64>();
    }
    for schema in request.tools.iter().chain(&request.response_format) {
        // Providers write tools in forms of their own, never several times as long.
        bytes += 256 + 4 * schema.to_string().len() as u64;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(text: &str, model: &str, answer: Option<u32>, window: Option<u64>) -> Option<Misfit> {
        let (prices, counter, tenant) = Default::default();
        let request = ChatRequest { max_tokens: answer, ..ChatRequest::prompt(text) };
        let choice = ModelChoice { provider: "openai".into(), model: model.into() };
        Fitting::new(&prices, &counter, &tenant, &request).misfit(&choice, window)
    }

    #[test]
    fn exact_counts_are_held_to_the_token() {
        let text = "hello world ".repeat(50);
        let counter = TokenCounter::new();
        let tokens = counter.count(&TenantId::default(), &ChatRequest::prompt(&*text), "gpt-4o").tokens;
        assert_eq!(fits(&text, "gpt-4o", None, Some(tokens)), None);
        let misfit = Misfit { prompt: tokens, holds: tokens - 1 };
        assert_eq!(fits(&text, "gpt-4o", None, Some(tokens - 1)), Some(misfit));
        assert_eq!(fits(&text, "gpt-4o", Some(10), Some(tokens + 10)), None);
        assert!(fits(&text, "gpt-4o", Some(11), Some(tokens + 10)).is_some());
    }

    #[test]
    fn estimates_give_the_model_the_benefit_of_the_doubt() {
        let text = "hello world ".repeat(50);
        let counter = TokenCounter::new();
        let count = counter.count(&TenantId::default(), &ChatRequest::prompt(&*text), "unheard-of");
        assert!(count.error_percent > 0);
        assert_eq!(fits(&text, "unheard-of", None, Some(count.tokens - 1)), None);
        assert!(fits(&text, "unheard-of", None, Some(count.tokens / 4)).is_some());
    }

    #[test]
    fn lists_know_windows_and_what_nobody_knows_fits() {
        // The embedded list says 8,192 tokens for it.
        assert_eq!(fits(&"word ".repeat(8_000), "gpt-4", None, None), None);
        let misfit = fits(&"word ".repeat(9_000), "gpt-4", None, None).unwrap();
        assert_eq!(misfit.holds, 8_192);
        assert_eq!(fits(&"word ".repeat(9_000), "gpt-4", None, Some(20_000)), None, "the user's own wins");
        assert_eq!(fits(&"word ".repeat(9_000), "unheard-of", None, None), None);
    }

    #[test]
    fn the_bound_is_above_every_count() {
        let counter = TokenCounter::new();
        for json in [
            serde_json::json!({"messages": [{"role": "user", "content": "\u{1F600}\u{4e00} a1b2c3!?;"}]}),
            serde_json::json!({"messages": [{"role": "user", "content": ""}, {"role": "system", "content": "x"}],
                "tools": [{"type": "function", "function": {"name": "f", "parameters": {"a": {"type": "string"}}}}]}),
            serde_json::json!({"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
                "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}}),
        ] {
            let request: ChatRequest = serde_json::from_value(json).unwrap();
            let most = most_tokens(&request).unwrap();
            for model in ["gpt-4o", "gpt-4", "claude-haiku-4-5", "unheard-of"] {
                assert!(counter.count(&TenantId::default(), &request, model).tokens <= most);
            }
        }
    }
}
