use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use super::map::{ListedModel, PriceMap};
use super::token::Price;

/// The longest answer that is reserved for when neither the request nor a list of models bounds it, in tokens.
pub const UNKNOWN_MAX_OUTPUT: u64 = 16_384;

/// Common models with their makers' prices, longest prompts and longest answers. From LiteLLM's price map (MIT), 2026.
const MODELS: &str = include_str!("models.json");

/// The embedded table, read once.
static KNOWN: LazyLock<PriceMap> = LazyLock::new(|| PriceMap::parse(MODELS).unwrap_or_default());

/// The price and the longest answer of a common model; a date at the end of its name is passed over.
pub fn known_model(name: &str) -> Option<(Price, u64)> {
    let model = find(&KNOWN, name)?;
    Some((model.price.clone(), model.longest_answer.unwrap_or(UNKNOWN_MAX_OUTPUT)))
}

fn find<'a>(map: &'a PriceMap, name: &str) -> Option<&'a ListedModel> {
    map.get(name).or_else(|| map.get(without_date(name)?))
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
    /// Whether its models cost what their makers ask, so that price lists hold by the names of models alone.
    pub list_prices: bool,
    /// The price where nothing else is known.
    pub otherwise: Option<Price>,
}

/// The prices of all configured providers, and a price list that can be exchanged while it is used.
#[derive(Debug, Default)]
pub struct PriceBook {
    providers: BTreeMap<String, ProviderPricing>,
    listed: RwLock<Arc<PriceMap>>,
}

impl PriceBook {
    /// A book of these providers.
    pub fn new(providers: BTreeMap<String, ProviderPricing>) -> Self {
        Self { providers, listed: RwLock::default() }
    }

    /// Takes another price list from now on.
    pub fn replace(&self, listed: PriceMap) {
        *self.listed.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(listed);
    }

    /// The price of a model at a provider: the user's own, then that of the price list (as `PROVIDER/MODEL`, or as `MODEL` where
    /// its maker's prices hold), then that of the embedded table, then the provider's default.
    pub fn price(&self, provider: &str, model: &str) -> Option<Price> {
        let pricing = self.providers.get(provider)?;
        let own = pricing.own.as_ref().filter(|own| {
            matches!(own, Price::PerRequest(_)) || model.is_empty() || model == pricing.default_model
        });
        if let Some(own) = own {
            return Some(own.clone());
        }
        let listed = self.listed(provider, model, pricing.list_prices).map(|model| model.price);
        let embedded = || known_model(model).filter(|_| pricing.list_prices).map(|(price, _)| price);
        listed.or_else(embedded).or_else(|| pricing.otherwise.clone())
    }

    /// The longest answer of a model, in tokens.
    pub fn longest_answer(&self, provider: &str, model: &str) -> u64 {
        let listed = self.listed(provider, model, true).and_then(|model| model.longest_answer);
        listed.unwrap_or_else(|| known_model(model).map_or(UNKNOWN_MAX_OUTPUT, |(_, longest)| longest))
    }

    /// The longest prompt of a model in tokens, by the price list or the embedded table; `None` where neither says.
    pub fn longest_prompt(&self, provider: &str, model: &str) -> Option<u64> {
        let listed = self.listed(provider, model, true).and_then(|model| model.longest_prompt);
        listed.or_else(|| find(&KNOWN, model)?.longest_prompt)
    }

    fn listed(&self, provider: &str, model: &str, by_model_alone: bool) -> Option<ListedModel> {
        let listed = self.listed.read().unwrap_or_else(PoisonError::into_inner).clone();
        // The common case is on the path of every decision.
        if listed.is_empty() {
            return None;
        }
        let exact = find(&listed, &format!("{provider}/{model}"));
        exact.or_else(|| find(&listed, model).filter(|_| by_model_alone)).cloned()
    }
}
