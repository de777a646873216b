//! What the spend ledgers with I/O share.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use xynergy_core::spend::{LimitScope, OpenReserve, SpendCell, SpendLimit};
#[cfg(any(feature = "postgres", feature = "redis"))]
use xynergy_core::spend::{Spend, SpendTotal};
use xynergy_core::{Error, ErrorKind, TenantId, Timestamp};

/// A number as stores keep it that have none above 2^63 - 1: nine billion dollars stand for more.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn kept(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number read back.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn read(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// Scopes as texts.
pub(crate) fn texts(scopes: impl Iterator<Item = LimitScope>) -> Vec<String> {
    scopes.map(|scope| scope.to_text()).collect()
}

/// Scopes as one JSON text.
#[cfg(any(feature = "sqlite", feature = "redis"))]
pub(crate) fn json(scopes: &[String]) -> String {
    serde_json::Value::from(scopes).to_string()
}

/// The tags and the key that scopes were made of.
pub(crate) fn labels(scopes: impl IntoIterator<Item = String>) -> (BTreeSet<String>, Option<String>) {
    let (mut tags, mut key) = (BTreeSet::new(), None);
    for scope in scopes {
        if let Some(tag) = scope.strip_prefix("tag:") {
            tags.insert(tag.to_owned());
        } else if let Some(name) = scope.strip_prefix("key:") {
            key = Some(name.to_owned());
        }
    }
    (tags, key)
}

/// A kept row of the history.
pub(crate) fn cell(minute: i64, provider: String, model: String, scopes: Vec<String>) -> SpendCell {
    let (tags, key) = labels(scopes);
    SpendCell { minute: Timestamp::from_micros(minute), provider, model, key, tags }
}

/// A kept reservation.
pub(crate) fn open(amount_nano_usd: u64, at: i64, expires: i64, scopes: Vec<String>) -> OpenReserve {
    let (tags, key) = labels(scopes);
    let (at, expires) = (Timestamp::from_micros(at), Timestamp::from_micros(expires));
    OpenReserve { amount_nano_usd, at, expires, tags, key }
}

/// A limit as JSON.
#[cfg(feature = "sqlite")]
pub(crate) fn limit_text(limit: &SpendLimit) -> String {
    serde_json::to_string(limit).unwrap_or_default()
}

/// A limit from JSON.
#[cfg(feature = "sqlite")]
fn limit(text: &str) -> Result<SpendLimit, Error> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "ai.spend", "a stored spend limit cannot be read: set it again")
            .with_source(error)
    })
}

/// Limits from a JSON array.
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) fn limits_of(text: &str) -> Result<Vec<SpendLimit>, Error> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "ai.spend", "the stored spend limits cannot be read")
            .with_source(error)
    })
}

/// Limits with one of them set, or removed where `limit` is none; as a JSON array and whether one was there before.
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) fn changed(
    mut limits: Vec<SpendLimit>,
    scope: &LimitScope,
    window: xynergy_core::spend::Window,
    limit: Option<&SpendLimit>,
) -> (String, bool) {
    let before = limits.len();
    limits.retain(|old| !old.is_of(scope, window));
    let was_there = limits.len() < before;
    limits.extend(limit.cloned());
    limits.sort_by(|a, b| (&a.scope, a.window).cmp(&(&b.scope, b.window)));
    (serde_json::to_string(&limits).unwrap_or_default(), was_there)
}

/// The history and what is open, as stores give them in JSON: `[minute, provider, model, scopes, requests, unpriced, tokens,
/// cost]` and `[amount, at, expires, scopes]`.
#[cfg(any(feature = "postgres", feature = "redis"))]
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) cells: Vec<KeptCell>,
    pub(crate) open: Vec<KeptReserve>,
}

#[cfg(any(feature = "postgres", feature = "redis"))]
type KeptCell = (i64, String, String, Vec<String>, u64, u64, u64, u64);
#[cfg(any(feature = "postgres", feature = "redis"))]
type KeptReserve = (u64, i64, i64, Vec<String>);

#[cfg(any(feature = "postgres", feature = "redis"))]
impl Kept {
    /// The report of it.
    pub(crate) fn report(self, limits: &[SpendLimit], since: Option<Timestamp>, now: Timestamp) -> Spend {
        let cells: Vec<(SpendCell, SpendTotal)> = self
            .cells
            .into_iter()
            .map(|(minute, provider, model, scopes, requests, unpriced, tokens, cost)| {
                let total = SpendTotal::new(requests, unpriced, tokens, cost);
                (cell(minute, provider, model, scopes), total)
            })
            .collect();
        let held: Vec<OpenReserve> = self
            .open
            .into_iter()
            .map(|(amount, at, expires, scopes)| open(amount, at, expires, scopes))
            .collect();
        Spend::report(cells.iter().map(|(cell, total)| (cell, total)), &held, limits, since, now)
    }
}

/// Limits, ordered as they are told.
#[cfg(feature = "sqlite")]
pub(crate) fn limits<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Vec<SpendLimit>, Error> {
    let mut limits = texts.into_iter().map(|text| limit(text.as_ref())).collect::<Result<Vec<_>, _>>()?;
    limits.sort_by(|a, b| (&a.scope, a.window).cmp(&(&b.scope, b.window)));
    Ok(limits)
}

/// The limits of tenants as they were last seen, with their version where the store counts one.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<BTreeMap<TenantId, (i64, Vec<SpendLimit>)>>);

impl Remembered {
    /// What was last seen.
    pub(crate) fn get(&self, tenant: &TenantId) -> Option<(i64, Vec<SpendLimit>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(tenant).cloned()
    }

    /// They were seen.
    pub(crate) fn set(&self, tenant: &TenantId, version: i64, limits: &[SpendLimit]) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(tenant.clone(), (version, limits.to_vec()));
    }
}
