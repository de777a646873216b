//! What models cost: exact decimals, never binary fractions.

mod book;
mod map;
mod rate;
#[cfg(test)]
mod tests;
mod token;

pub use book::{PriceBook, ProviderPricing, UNKNOWN_MAX_OUTPUT, known_model};
pub use map::{ListedModel, PriceMap, PriceReport, SkippedPrice};
pub use rate::Rate;
pub use token::{Price, Rates, Service, Tiers, TokenPrice};
