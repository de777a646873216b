use crate::config::TokenConfig;
use crate::ctx::TenantId;
use crate::provider::{ChatRequest, Usage};
use crate::spend::{Price, PriceBook, Service};
use crate::tokens::TokenCounter;

use super::sticky::LEAST_CACHED;
use super::{Complexity, ModelChoice};

/// The order of expected costs; what is not known comes last, and of equal ones the earlier.
pub(super) fn order(costs: &[Option<u64>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..costs.len()).collect();
    order.sort_by_key(|place| (costs[*place].is_none(), costs[*place]));
    order
}

/// What a request is expected to cost at models.
pub(super) struct Expected<'a> {
    pub(super) prices: &'a PriceBook,
    pub(super) counter: &'a TokenCounter,
    pub(super) tenant: &'a TenantId,
    pub(super) request: &'a ChatRequest,
    /// How long each answer is expected to be, in tokens.
    pub(super) answer: u64,
}

impl Expected<'_> {
    /// In billionths of a dollar, for a prompt of which nothing is cached; `None` where the price is not known.
    pub(super) fn cost(&self, choice: &ModelChoice) -> Option<u64> {
        let price = self.prices.price(&choice.provider, &choice.model)?;
        Some(self.bill(&price, &Usage::new(self.prompt(choice), self.output(choice, self.answer))))
    }

    /// The same for a prompt of so many tokens of which some are `cached` and the rest is written to the cache, and for an answer of
    /// so many tokens. Some providers' lists have no price for writing, or 0, where it costs what any token of a prompt does.
    pub(super) fn cost_cached(
        &self,
        choice: &ModelChoice,
        prompt: u64,
        cached: u64,
        answer: u64,
    ) -> Option<u64> {
        let price = self.prices.price(&choice.provider, &choice.model)?;
        let usage = |written: u64| {
            let mut usage = Usage::new(prompt, self.output(choice, answer));
            let details = serde_json::json!({"cached_tokens": cached, "cache_write_tokens": written});
            usage.extra.insert("prompt_tokens_details".to_owned(), details);
            usage
        };
        let written = if prompt < LEAST_CACHED { 0 } else { prompt.saturating_sub(cached) };
        let costs = [0, written].map(|written| self.bill(&price, &usage(written)));
        Some(costs[0].max(costs[1]))
    }

    fn bill(&self, price: &Price, usage: &Usage) -> u64 {
        let images = self.request.messages.iter().map(|message| message.images() as u64).sum();
        price.cost_as(usage, Service::of(self.request.extra.get("service_tier")), images)
    }

    /// The prompt's tokens as this model counts them.
    pub(super) fn prompt(&self, choice: &ModelChoice) -> u64 {
        self.counter.count(self.tenant, self.request, &choice.model).tokens
    }

    /// The tokens of all answers.
    fn output(&self, choice: &ModelChoice, answer: u64) -> u64 {
        let longest = self.prices.longest_answer(&choice.provider, &choice.model);
        answer.min(longest).saturating_mul(u64::from(self.request.n.unwrap_or(1)))
    }
}

/// How long an answer is expected to be: the request's own limit, or what it would be sized to.
pub(super) fn expected_answer(request: &ChatRequest, tokens: &TokenConfig, complexity: Complexity) -> u64 {
    let sized = match complexity {
        Complexity::Simple => tokens.simple_limit.min(tokens.default_limit),
        Complexity::Complex => tokens.default_limit,
    };
    u64::from(request.token_limit().unwrap_or(sized))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unknown_ones_are_last_and_ties_stay() {
        assert_eq!(order(&[None, Some(5), Some(2), Some(5), None]), [2, 1, 3, 0, 4]);
        assert!(order(&[]).is_empty());
    }

    proptest! {
        #[test]
        fn never_a_dearer_one_before_a_cheaper_one(costs in proptest::collection::vec(proptest::option::of(0_u64..9), 0..9)) {
            let order = order(&costs);
            for pair in order.windows(2) {
                let of = |place: usize| (costs[place].is_none(), costs[place], place);
                prop_assert!(of(pair[0]) < of(pair[1]));
            }
            prop_assert_eq!(order.len(), costs.len());
        }
    }
}
