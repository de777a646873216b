//! AI spend: integer billionths of a dollar, reserved before a call and settled or refunded after it.

mod guard;
mod ledger;
mod limit;
mod memory;
mod price;

pub use guard::SpendGuard;
pub use ledger::{LimitState, ProviderSpend, Reserve, Settlement, Spend, SpendLedger};
pub use limit::{LimitScope, SpendLimit, Window};
pub use memory::MemoryLedger;
pub use price::{Price, PriceBook, ProviderPricing, UNKNOWN_MAX_OUTPUT, known_model};

/// Billionths of a dollar as dollars, for people.
#[allow(clippy::cast_precision_loss)] // Exact below nine million dollars; the integer is what counts.
pub fn dollars(nano_usd: u64) -> f64 {
    nano_usd as f64 / 1e9
}
