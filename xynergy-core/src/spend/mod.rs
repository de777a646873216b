//! AI spend: integer billionths of a dollar, reserved before a call and settled or refunded after it.

mod guard;
mod ledger;
mod limit;
mod memory;
mod notes;
mod price;
mod report;
mod reserve;
mod window;

pub use guard::SpendGuard;
pub use ledger::SpendLedger;
pub use limit::{LimitScope, SpendLimit};
pub use memory::MemoryLedger;
pub use notes::{CloseNote, CloseNotes, Taken};
pub use price::{
    ListedModel, Price, PriceBook, PriceMap, PriceReport, ProviderPricing, Rate, Rates, Service,
    SkippedPrice, Tiers, TokenPrice, UNKNOWN_MAX_OUTPUT, known_model,
};
pub use report::{LimitState, OpenReserve, Spend, SpendCell, SpendTotal, history_start, minute};
pub use reserve::{KEPT, LATE, LEASE, Reserve, Settlement, Span};
pub use window::{Window, Zone};

/// Billionths of a dollar as dollars, for people.
#[allow(clippy::cast_precision_loss)] // Exact below nine million dollars; the integer is what counts.
pub fn dollars(nano_usd: u64) -> f64 {
    nano_usd as f64 / 1e9
}
