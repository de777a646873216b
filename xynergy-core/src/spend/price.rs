use std::collections::BTreeMap;

use crate::provider::Usage;

/// The longest answer that is reserved for when neither the request nor the table of models bounds it, in tokens.
pub const UNKNOWN_MAX_OUTPUT: u64 = 16_384;

/// What a model costs. Token prices are for a million tokens, so that they are integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Price {
    /// The same for every answer, in billionths of a dollar.
    PerRequest(u64),
    /// By tokens, in billionths of a dollar for a million.
    PerToken {
        /// Tokens of the prompt.
        input: u64,
        /// Those of them that were read from the provider's cache.
        cached_input: u64,
        /// Tokens of the answer.
        output: u64,
    },
}

impl Price {
    /// The cost of an answer in billionths of a dollar, rounded up.
    pub fn cost(self, usage: &Usage) -> u64 {
        self.of_tokens(usage.prompt_tokens, usage.cached_tokens(), usage.completion_tokens)
    }

    /// The most that an answer can cost.
    pub fn at_most(self, prompt_tokens: u64, output_tokens: u64) -> u64 {
        match self {
            Self::PerToken { input, cached_input, output } => {
                let input = input.max(cached_input);
                Self::PerToken { input, cached_input, output }.of_tokens(prompt_tokens, 0, output_tokens)
            }
            Self::PerRequest(_) => self.of_tokens(0, 0, 0),
        }
    }

    fn of_tokens(self, prompt: u64, cached: u64, completion: u64) -> u64 {
        match self {
            Self::PerRequest(price) => price,
            Self::PerToken { input, cached_input, output } => {
                let cost = |tokens: u64, price: u64| u128::from(tokens) * u128::from(price);
                let cached = cached.min(prompt);
                let millionths =
                    cost(prompt - cached, input) + cost(cached, cached_input) + cost(completion, output);
                u64::try_from(millionths.div_ceil(1_000_000)).unwrap_or(u64::MAX)
            }
        }
    }
}

/// Prices of common models in millionths of a dollar for a million tokens: input, cached input, output; and the longest answer.
///
/// From LiteLLM's price map (MIT), November 2025.
const MODELS: [(&str, u64, u64, u64, u64); 24] = [
    ("claude-haiku-4-5", 1_000_000, 100_000, 5_000_000, 64_000),
    ("claude-opus-4-5", 5_000_000, 500_000, 25_000_000, 64_000),
    ("claude-sonnet-4-5", 3_000_000, 300_000, 15_000_000, 64_000),
    ("deepseek-chat", 280_000, 28_000, 420_000, 8_192),
    ("gemini-2.5-flash", 300_000, 30_000, 2_500_000, 65_535),
    ("gemini-2.5-pro", 1_250_000, 125_000, 10_000_000, 65_535),
    ("gpt-3.5-turbo", 500_000, 500_000, 1_500_000, 4_096),
    ("gpt-4-turbo", 10_000_000, 10_000_000, 30_000_000, 4_096),
    ("gpt-4.1", 2_000_000, 500_000, 8_000_000, 32_768),
    ("gpt-4.1-mini", 400_000, 100_000, 1_600_000, 32_768),
    ("gpt-4.1-nano", 100_000, 25_000, 400_000, 32_768),
    ("gpt-4o", 2_500_000, 1_250_000, 10_000_000, 16_384),
    ("gpt-4o-mini", 150_000, 75_000, 600_000, 16_384),
    ("gpt-5", 1_250_000, 125_000, 10_000_000, 128_000),
    ("gpt-5-mini", 250_000, 25_000, 2_000_000, 128_000),
    ("gpt-5-nano", 50_000, 5_000, 400_000, 128_000),
    ("gpt-5.1", 1_250_000, 125_000, 10_000_000, 128_000),
    ("gpt-5.2", 1_750_000, 175_000, 14_000_000, 128_000),
    ("mistral-large-latest", 500_000, 50_000, 1_500_000, 262_144),
    ("mistral-small-latest", 150_000, 15_000, 600_000, 262_144),
    ("o1", 15_000_000, 7_500_000, 60_000_000, 100_000),
    ("o3", 2_000_000, 500_000, 8_000_000, 100_000),
    ("o3-mini", 1_100_000, 550_000, 4_400_000, 100_000),
    ("o4-mini", 1_100_000, 275_000, 4_400_000, 100_000),
];

/// The price and the longest answer of a common model; a date at the end of its name is passed over.
pub fn known_model(name: &str) -> Option<(Price, u64)> {
    let find = |name: &str| MODELS.iter().find(|(model, ..)| *model == name);
    let (_, input, cached, output, longest) = find(name).or_else(|| find(without_date(name)?))?;
    // Millionths of a dollar to billionths.
    let nano = |micro: &u64| micro * 1_000;
    let price = Price::PerToken { input: nano(input), cached_input: nano(cached), output: nano(output) };
    Some((price, *longest))
}

/// `gpt-4o-2024-08-06` and `claude-haiku-4-5-20251001` without their dates.
fn without_date(name: &str) -> Option<&str> {
    let is_date = |text: &str| {
        let dashes: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
        let plain = text.len() == 8 && dashes.is_empty();
        let dashed = text.len() == 10 && dashes == [4, 7];
        (plain || dashed) && text.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    };
    let (at, _) = name.match_indices('-').find(|(at, _)| is_date(&name[at + 1..]))?;
    Some(&name[..at])
}

/// What is known of a provider's prices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProviderPricing {
    /// The price that the user gave. A price by tokens holds for the default model only.
    pub own: Option<Price>,
    /// The default model.
    pub default_model: String,
    /// Whether its models cost what their makers ask, so that the embedded table holds.
    pub list_prices: bool,
    /// The price where nothing else is known.
    pub otherwise: Option<Price>,
}

/// The prices of all configured providers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceBook(BTreeMap<String, ProviderPricing>);

impl PriceBook {
    /// A book of these providers.
    pub fn new(providers: BTreeMap<String, ProviderPricing>) -> Self {
        Self(providers)
    }

    /// The price of a model at a provider: the user's own, then the embedded table, then the provider's default.
    pub fn price(&self, provider: &str, model: &str) -> Option<Price> {
        let pricing = self.0.get(provider)?;
        let own = pricing.own.filter(|own| {
            matches!(own, Price::PerRequest(_)) || model.is_empty() || model == pricing.default_model
        });
        let listed = || known_model(model).filter(|_| pricing.list_prices).map(|(price, _)| price);
        own.or_else(listed).or(pricing.otherwise)
    }

    /// The longest answer of a model, in tokens.
    pub fn longest_answer(&self, model: &str) -> u64 {
        known_model(model).map_or(UNKNOWN_MAX_OUTPUT, |(_, longest)| longest)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn cached_tokens_are_cheaper_and_cost_rounds_up() {
        let (price, _) = known_model("gpt-4o-mini-2024-07-18").unwrap();
        let mut usage = Usage::new(1_000, 100);
        assert_eq!(price.cost(&usage), 1_000 * 150 + 100 * 600);
        usage.extra.insert("prompt_tokens_details".into(), serde_json::json!({"cached_tokens": 400}));
        assert_eq!(price.cost(&usage), 600 * 150 + 400 * 75 + 100 * 600);
        assert_eq!(Price::PerToken { input: 1, cached_input: 0, output: 0 }.cost(&Usage::new(1, 0)), 1);
    }

    #[test]
    fn names_are_exact_but_for_dates() {
        assert!(known_model("claude-haiku-4-5-20251001").is_some());
        assert!(known_model("gpt-4o-mini-audio").is_none());
        assert!(MODELS.is_sorted_by_key(|(name, ..)| *name));
    }

    #[test]
    fn the_users_price_comes_first() {
        let pricing = ProviderPricing {
            own: Some(Price::PerToken { input: 1, cached_input: 1, output: 1 }),
            default_model: "gpt-4o".into(),
            list_prices: true,
            otherwise: None,
        };
        let own = pricing.own;
        let book = PriceBook::new(BTreeMap::from([("openai".to_owned(), pricing)]));
        assert_eq!(book.price("openai", "gpt-4o"), own);
        assert_eq!(book.price("openai", "o3"), known_model("o3").map(|(price, _)| price));
        assert_eq!(book.price("openai", "unheard-of"), None);
        assert_eq!(book.price("other", "gpt-4o"), None);
    }

    proptest! {
        #[test]
        fn nothing_costs_more_than_its_bound(
            input in 0_u64..1 << 40, cached in 0_u64..1 << 40, output in 0_u64..1 << 40,
            prompt in 0_u64..1 << 30, from_cache in 0_u64..1 << 30, answer in 0_u64..1 << 30,
        ) {
            let price = Price::PerToken { input, cached_input: cached, output };
            let mut usage = Usage::new(prompt, answer);
            usage.extra.insert("prompt_tokens_details".into(), serde_json::json!({"cached_tokens": from_cache}));
            prop_assert!(price.cost(&usage) <= price.at_most(prompt, answer));
        }
    }
}
