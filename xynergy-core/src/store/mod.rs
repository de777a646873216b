//! The stores that the library writes to, as traits, with their in-memory implementations.
//!
//! Every method takes the tenant, so that nothing can forget it. The in-memory stores are for tests, for trying
//! things out and as the reference that the durable ones are compared with.

mod changes;
mod clicks;
pub mod memory;
mod revenue;
mod state;

pub use changes::{
    AccountRules, Backlog, BacklogCount, ChangeFilter, ChangeStore, HistoryFilter, WatchedAttempt,
};
pub use clicks::{
    AdClicks, Around, Candidate, Click, ClickStore, Device, Erased, ErasedClick, KeyedHash, NetworkKind,
    Personal, Pruned, Tracked, Utm,
};
pub use revenue::{
    Appended, Attributed, DealFacts, DealRevenue, EntryCause, Layer, LedgerEntry, Match, MatchCounts,
    Revaluation, RevenueStore, RevenueTotals,
};
pub use state::{Document, StateStore};
