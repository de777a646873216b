use std::collections::BTreeSet;
use std::time::Duration;

use super::{LimitScope, SpendLimit};
use crate::env::Timestamp;
use crate::error::{Error, ErrorKind, Retry};

/// What is to be reserved.
#[derive(Clone, Debug)]
pub struct Reserve {
    /// A random id, made by the caller before the call, so that a reservation whose answer never came can be given back.
    pub id: u128,
    /// The most that the call may cost.
    pub amount_nano_usd: u64,
    /// The tags of the call.
    pub tags: BTreeSet<String>,
    /// The caller's name that the call is spent under.
    pub key: Option<String>,
    /// Limits of the configuration, which hold for every tenant; a stored limit of the same scope and window replaces one.
    pub standing: Vec<SpendLimit>,
    /// When it is made; it counts in the windows of this time, whenever it is settled.
    pub at: Timestamp,
    /// After how long it is given back, when nobody has settled it: whoever made it is gone. A settlement counts also after that.
    pub lease: Duration,
}

/// How long a reservation holds: longer than any request takes.
pub const LEASE: Duration = Duration::from_secs(3_600);

/// For how long after its lease a reservation can still be settled.
pub const LATE: Duration = Duration::from_secs(2 * 86_400);

/// For how long the history by the minute is kept.
pub const KEPT: Duration = Duration::from_secs(100 * 86_400);

/// What a call really cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// The provider that answered.
    pub provider: String,
    /// The model there.
    pub model: String,
    /// The cost; `None` when the price is not known.
    pub cost_nano_usd: Option<u64>,
    /// Tokens of prompt and answer.
    pub tokens: u64,
}

/// A limit, and the span of time that it is counted over for one reservation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The limit.
    pub limit: SpendLimit,
    /// From when on.
    pub start: Timestamp,
    /// Until when, which is not in it.
    pub end: Timestamp,
}

impl Span {
    /// A limit's span around a time.
    pub fn of(limit: &SpendLimit, at: Timestamp) -> Self {
        let (start, end) = limit.window.bounds(at, &limit.zone);
        Self { limit: limit.clone(), start, end }
    }
}

impl Reserve {
    /// The scopes that it counts in.
    pub fn scopes(&self) -> impl Iterator<Item = LimitScope> {
        LimitScope::of_call(&self.tags, self.key.as_deref())
    }

    /// The limits that hold for it, of those that are stored for its tenant and the standing ones.
    pub fn spans(&self, stored: &[SpendLimit]) -> Vec<Span> {
        let replaced = |limit: &SpendLimit| stored.iter().any(|l| l.is_of(&limit.scope, limit.window));
        let standing = self.standing.iter().filter(|limit| !replaced(limit));
        let covers = |limit: &&SpendLimit| limit.scope.covers(&self.tags, self.key.as_deref());
        stored.iter().chain(standing).filter(covers).map(|limit| Span::of(limit, self.at)).collect()
    }

    /// When it is given back.
    pub fn expires(&self) -> Timestamp {
        self.at.plus(self.lease)
    }

    /// The error of a hard limit that it would cross.
    pub fn refusal(&self, span: &Span, settled: u64, reserved: u64) -> Error {
        let Span { limit, end, .. } = span;
        Error::new(
            ErrorKind::LimitExceeded,
            "ai.spend",
            format!(
                "the hard spend limit of {} for a {} is reached; wait until {end} or raise it with set_limit",
                limit.scope,
                limit.window.as_str()
            ),
        )
        .with_retry(Retry::After(end.since(self.at)))
        .with_context("limit_nano_usd", limit.amount_nano_usd.to_string())
        .with_context("settled_nano_usd", settled.to_string())
        .with_context("reserved_nano_usd", reserved.to_string())
        .with_context("needed_nano_usd", self.amount_nano_usd.to_string())
    }
}
