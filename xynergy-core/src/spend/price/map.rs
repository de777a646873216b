use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::rate::Rate;
use super::token::{Price, Rates, Tiers, TokenPrice};
use crate::error::{Error, ErrorKind, Result};

/// The prices of models by name, as LiteLLM's `model_prices_and_context_window.json` has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceMap {
    models: BTreeMap<String, ListedModel>,
    skipped: Vec<SkippedPrice>,
}

/// A model of a price list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedModel {
    /// What it costs.
    pub price: Price,
    /// Its longest answer in tokens, where the list says.
    pub longest_answer: Option<u64>,
    /// Its longest prompt in tokens, where the list says (`max_input_tokens`).
    pub longest_prompt: Option<u64>,
}

/// An entry of a price list that has no price which chat can be counted by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SkippedPrice {
    /// Its name.
    pub model: String,
    /// Why it is passed over.
    pub reason: String,
}

/// What a price list held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PriceReport {
    /// The models whose prices are known by it.
    pub models: u64,
    /// The entries that were passed over.
    pub skipped: Vec<SkippedPrice>,
}

/// An entry's fields as they are written.
type Fields<'a> = BTreeMap<std::borrow::Cow<'a, str>, &'a RawValue>;

impl PriceMap {
    /// Reads a price list in LiteLLM's format. An entry that cannot be read is passed over and told, never guessed.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) for a text that is no JSON object.
    pub fn parse(json: &str) -> Result<Self> {
        let entries: BTreeMap<std::borrow::Cow<'_, str>, &RawValue> =
            serde_json::from_str(json).map_err(|error| {
                Error::new(
                    ErrorKind::ConfigInvalid,
                    "ai.prices",
                    "the price list is no JSON object of models: give a file in the format of LiteLLM's model_prices_and_context_window.json",
                )
                .with_source(error)
            })?;
        let mut map = Self::default();
        for (name, raw) in entries {
            let name = name.into_owned();
            match serde_json::from_str::<Fields<'_>>(raw.get()) {
                Err(_) => map.skip(name, "it is no object"),
                Ok(fields) => match entry(&fields) {
                    Ok(model) => drop(map.models.insert(name, model)),
                    Err(reason) => map.skip(name, &reason),
                },
            }
        }
        Ok(map)
    }

    fn skip(&mut self, model: String, reason: &str) {
        self.skipped.push(SkippedPrice { model, reason: reason.to_owned() });
    }

    /// The model of exactly this name.
    pub fn get(&self, name: &str) -> Option<&ListedModel> {
        self.models.get(name)
    }

    /// Whether it has no model.
    pub fn is_empty(&self) -> bool {
        self.models.is_empty()
    }

    /// The models.
    pub fn models(&self) -> impl Iterator<Item = (&str, &ListedModel)> {
        self.models.iter().map(|(name, model)| (name.as_str(), model))
    }

    /// What it holds.
    pub fn report(&self) -> PriceReport {
        PriceReport { models: self.models.len() as u64, skipped: self.skipped.clone() }
    }
}

/// A class of service as the names of fields end.
const STANDARD: &str = "";

fn entry(fields: &Fields<'_>) -> std::result::Result<ListedModel, String> {
    let rate = |name: &str| rate(fields, name);
    let standard = tiers(fields, STANDARD)?;
    let (request, image) = (rate("input_cost_per_request")?, rate("input_cost_per_image")?);
    if standard.is_none() && request.is_none() {
        let mode = fields.get("mode").map_or("null", |mode| mode.get());
        return Err(format!("it has neither a price by tokens nor one by requests (mode {mode})"));
    }
    let price = TokenPrice {
        request: request.unwrap_or_default(),
        image: image.unwrap_or_default(),
        standard: standard.unwrap_or_default(),
        batch: tiers(fields, "_batches")?,
        flex: tiers(fields, "_flex")?,
        priority: tiers(fields, "_priority")?,
    };
    let count = |name: &str| fields.get(name).and_then(|raw| whole(raw.get()));
    let longest_answer = count("max_output_tokens").or_else(|| count("max_tokens"));
    let longest_prompt = count("max_input_tokens");
    Ok(ListedModel { price: Price::PerToken(Arc::new(price)), longest_answer, longest_prompt })
}

/// A whole number, however it is written.
fn whole(text: &str) -> Option<u64> {
    text.trim_matches('"').split('.').next()?.parse().ok().filter(|count| *count > 0)
}

/// The rate of one field; none when it is absent or null.
fn rate(fields: &Fields<'_>, name: &str) -> std::result::Result<Option<Rate>, String> {
    match fields.get(name).map(|raw| raw.get()) {
        None | Some("null") => Ok(None),
        Some(text) => Rate::parse(text).map(Some).map_err(|problem| format!("{name}: {text} {problem}")),
    }
}

/// The rates of one class of service; none when it has neither an input nor an output price.
fn tiers(fields: &Fields<'_>, service: &str) -> std::result::Result<Option<Tiers>, String> {
    let ranges = if service == STANDARD { ranges(fields)? } else { None };
    if let Some(ranges) = ranges {
        return Ok(Some(ranges));
    }
    let Some(base) = rates(fields, "", service, None)? else { return Ok(None) };
    let mut above = Vec::new();
    for tokens in thresholds(fields, service)? {
        let name = format!("_above_{}k_tokens", tokens / 1_000);
        if let Some(rates) = rates(fields, &name, service, Some(&base))? {
            above.push((tokens, rates));
        }
    }
    Ok(Some(Tiers { base, above }))
}

/// The thresholds in tokens that the names of fields speak of, the smallest first.
fn thresholds(fields: &Fields<'_>, service: &str) -> std::result::Result<Vec<u64>, String> {
    let mut found = Vec::new();
    for name in fields.keys() {
        let Some((what, rest)) = name.split_once("_above_") else { continue };
        let is_token_price = ["input_cost_per_token", "output_cost_per_token"].contains(&what);
        let Some(count) = rest.strip_suffix(service).and_then(|rest| rest.strip_suffix("k_tokens")) else {
            continue;
        };
        if is_token_price {
            let count: u64 =
                count.parse().map_err(|_| format!("{name}: {count:?} is no number of tokens"))?;
            found.push(count.saturating_mul(1_000));
        }
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

/// The rates of one tier, `above` the base or that. What it does not say is as in the base, and where there is none a part costs
/// as much as the whole that it belongs to.
fn rates(
    fields: &Fields<'_>,
    above: &str,
    service: &str,
    base: Option<&Rates>,
) -> std::result::Result<Option<Rates>, String> {
    let given = |name: &str| rate(fields, &format!("{name}{above}{service}"));
    let (input, output) = (given("input_cost_per_token")?, given("output_cost_per_token")?);
    if input.is_none() && output.is_none() {
        return Ok(None);
    }
    let otherwise = |of: fn(&Rates) -> Rate| base.map(of);
    let input = input.or(otherwise(|r| r.input)).unwrap_or_default();
    let output = output.or(otherwise(|r| r.output)).unwrap_or_default();
    let cached = given("cache_read_input_token_cost")?.or(match above {
        "" => given("input_cost_per_token_cache_hit")?,
        _ => None,
    });
    let cache_write = given("cache_creation_input_token_cost")?;
    let hour = rate(fields, &format!("cache_creation_input_token_cost_above_1hr{above}{service}"))?;
    // What is dearer in a tier as a whole is not cheaper in part because the list is silent about the part.
    let part = |given: Option<Rate>, of: fn(&Rates) -> Rate| given.or(otherwise(of)).unwrap_or(input);
    let cache_write = part(cache_write, |r| r.cache_write);
    Ok(Some(Rates {
        input,
        cached_input: part(cached, |r| r.cached_input),
        cache_write,
        cache_write_1h: hour.unwrap_or(cache_write),
        output,
        reasoning: given("output_cost_per_reasoning_token")?.unwrap_or(output),
    }))
}

/// `tiered_pricing`: objects with a range of prompt tokens and the rates in it.
fn ranges(fields: &Fields<'_>) -> std::result::Result<Option<Tiers>, String> {
    let Some(raw) = fields.get("tiered_pricing").filter(|raw| raw.get() != "null") else { return Ok(None) };
    let unreadable = || "tiered_pricing: it is no list of ranges with prices".to_owned();
    let tiers: Vec<Fields<'_>> = serde_json::from_str(raw.get()).map_err(|_| unreadable())?;
    let mut read = Vec::new();
    for tier in &tiers {
        let range: Vec<&RawValue> = match tier.get("range") {
            Some(range) => serde_json::from_str(range.get()).map_err(|_| unreadable())?,
            // Priced by something else, as by the length of the answer.
            None => return Ok(None),
        };
        let start = range.first().map(|start| start.get()).ok_or_else(unreadable)?;
        let start = if start.starts_with("0") { 0 } else { whole_tokens(start).ok_or_else(unreadable)? };
        read.push((start, rates(tier, "", STANDARD, None)?.ok_or_else(unreadable)?));
    }
    read.sort_by_key(|(start, _)| *start);
    let mut read = read.into_iter();
    match read.next() {
        Some((0, base)) => Ok(Some(Tiers { base, above: read.collect() })),
        _ => Err(unreadable()),
    }
}

/// A number of tokens, also as `256000.0` or `2.56e5`.
fn whole_tokens(text: &str) -> Option<u64> {
    let tokens = text.parse::<f64>().ok().filter(|tokens| tokens.fract() == 0.0)?;
    // Counts of tokens are far below 2^53, where floating point is exact.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (0.0..9e15).contains(&tokens).then_some(tokens as u64)
}
