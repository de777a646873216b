use std::sync::Arc;

use serde_json::Value;

use super::rate::{Rate, nano_usd};
use crate::provider::Usage;

/// What a model costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Price {
    /// The same for every answer, in billionths of a dollar.
    PerRequest(u64),
    /// By tokens.
    PerToken(Arc<TokenPrice>),
}

/// What tokens cost, by how long the prompt is and how the request is served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenPrice {
    /// For every request, beside its tokens.
    pub request: Rate,
    /// For every image of a prompt, beside its tokens.
    pub image: Rate,
    /// As requests are served that ask for nothing else.
    pub standard: Tiers,
    /// In a batch, where that has its own price.
    pub batch: Option<Tiers>,
    /// With lower priority.
    pub flex: Option<Tiers>,
    /// With higher priority.
    pub priority: Option<Tiers>,
}

/// Rates, and others for long prompts. A prompt above a threshold is paid at its rates altogether, and so is its answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tiers {
    /// Up to the first threshold.
    pub base: Rates,
    /// The rates above a number of prompt tokens, the smallest number first.
    pub above: Vec<(u64, Rates)>,
}

/// The rates of tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of the prompt.
    pub input: Rate,
    /// Those of them that were read from the provider's cache.
    pub cached_input: Rate,
    /// Those of them that were written to it, for five minutes or as long as it pleases.
    pub cache_write: Rate,
    /// Those that were written for an hour.
    pub cache_write_1h: Rate,
    /// Of the answer.
    pub output: Rate,
    /// Those of them that were reasoning.
    pub reasoning: Rate,
}

/// How a request is served.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Service {
    /// As any.
    #[default]
    Standard,
    /// In a batch.
    Batch,
    /// With lower priority.
    Flex,
    /// With higher priority.
    Priority,
}

impl Service {
    /// By the name that OpenAI and Anthropic give it as `service_tier`; any other is standard.
    pub fn of(name: Option<&Value>) -> Self {
        match name.and_then(Value::as_str) {
            Some("batch") => Self::Batch,
            Some("flex") => Self::Flex,
            Some("priority") => Self::Priority,
            _ => Self::Standard,
        }
    }
}

impl Rates {
    /// A part that costs the same in any way: `input` and `output`.
    pub fn plain(input: Rate, output: Rate) -> Self {
        let (cached_input, cache_write, cache_write_1h) = (input, input, input);
        Self { input, cached_input, cache_write, cache_write_1h, output, reasoning: output }
    }

    fn dearest(&self, other: &Self) -> Self {
        let input =
            [self, other].map(|r| r.input.max(r.cached_input).max(r.cache_write).max(r.cache_write_1h));
        let output = [self, other].map(|r| r.output.max(r.reasoning));
        Self::plain(input[0].max(input[1]), output[0].max(output[1]))
    }
}

impl Tiers {
    fn rates(&self, prompt_tokens: u64) -> &Rates {
        self.above.iter().rfind(|(above, _)| prompt_tokens > *above).map_or(&self.base, |(_, rates)| rates)
    }

    /// The dearest of the rates that a prompt of at most so many tokens can have.
    fn dearest(&self, prompt_tokens: u64) -> Rates {
        let reached = self.above.iter().filter(|(above, _)| prompt_tokens > *above);
        reached.fold(self.base.dearest(&self.base), |dearest, (_, rates)| dearest.dearest(rates))
    }
}

impl TokenPrice {
    fn tiers(&self, service: Service) -> &Tiers {
        let own = match service {
            Service::Standard => None,
            Service::Batch => self.batch.as_ref(),
            Service::Flex => self.flex.as_ref(),
            Service::Priority => self.priority.as_ref(),
        };
        own.unwrap_or(&self.standard)
    }

    fn cost(&self, usage: &Usage, service: Service, images: u64) -> u64 {
        let rates = self.tiers(service).rates(usage.prompt_tokens);
        let prompt = usage.prompt_tokens;
        let read = cache_reads(usage).min(prompt);
        let written = cache_writes(usage).min(prompt - read);
        let for_an_hour = hour_writes(usage).min(written);
        let reasoning = usage.reasoning_tokens();
        let parts = [
            self.request.times(1),
            self.image.times(images),
            rates.input.times(prompt - read - written),
            rates.cached_input.times(read),
            rates.cache_write.times(written - for_an_hour),
            rates.cache_write_1h.times(for_an_hour),
            rates.output.times(usage.completion_tokens - reasoning),
            rates.reasoning.times(reasoning),
        ];
        nano_usd(parts.into_iter().fold(0, u128::saturating_add))
    }
}

impl Price {
    /// By tokens, in billionths of a dollar for a million; the prompt's, those of them that were cached, and the answer's.
    pub fn per_million(input: u64, cached_input: u64, output: u64) -> Self {
        let [input, cached_input, output] = [input, cached_input, output].map(Rate::per_million);
        let base = Rates { cached_input, ..Rates::plain(input, output) };
        let standard = Tiers { base, above: Vec::new() };
        Self::PerToken(Arc::new(TokenPrice { standard, ..TokenPrice::default() }))
    }

    /// The cost of an answer in billionths of a dollar, rounded up. It is served as its usage says.
    pub fn cost(&self, usage: &Usage) -> u64 {
        self.cost_as(usage, Service::of(usage.extra.get("service_tier")), 0)
    }

    /// The cost of an answer that was served in one way, to a prompt with so many images.
    pub fn cost_as(&self, usage: &Usage, service: Service, images: u64) -> u64 {
        match self {
            Self::PerRequest(price) => *price,
            Self::PerToken(price) => price.cost(usage, service, images),
        }
    }

    /// The most that an answer can cost, when nothing but the standard service is asked for.
    pub fn at_most(&self, prompt_tokens: u64, output_tokens: u64) -> u64 {
        self.at_most_as(prompt_tokens, output_tokens, Service::Standard, 0)
    }

    /// The most that an answer can cost which is served in one way, or as any.
    pub fn at_most_as(&self, prompt_tokens: u64, output_tokens: u64, service: Service, images: u64) -> u64 {
        let price = match self {
            Self::PerRequest(price) => return *price,
            Self::PerToken(price) => price,
        };
        let asked = price.tiers(service).dearest(prompt_tokens);
        let dearest = price.standard.dearest(prompt_tokens).dearest(&asked);
        let parts = [
            price.request.times(1),
            price.image.times(images),
            dearest.input.times(prompt_tokens),
            dearest.output.times(output_tokens),
        ];
        nano_usd(parts.into_iter().fold(0, u128::saturating_add))
    }
}

fn number(value: Option<&Value>) -> u64 {
    value.and_then(Value::as_u64).unwrap_or(0)
}

/// Prompt tokens that were read from the cache. `DeepSeek` tells them beside the prompt's details.
fn cache_reads(usage: &Usage) -> u64 {
    usage.cached_tokens().max(number(usage.extra.get("prompt_cache_hit_tokens")))
}

/// Prompt tokens that were written to it.
fn cache_writes(usage: &Usage) -> u64 {
    let details = usage.extra.get("prompt_tokens_details");
    let told = |name| number(details.and_then(|details| details.get(name)));
    let plain = number(usage.extra.get("cache_creation_input_tokens"));
    told("cache_write_tokens").max(told("cache_creation_tokens")).max(plain).max(hour_writes(usage))
}

/// Those that were written for an hour.
fn hour_writes(usage: &Usage) -> u64 {
    number(usage.extra.get("cache_creation").and_then(|written| written.get("ephemeral_1h_input_tokens")))
}
