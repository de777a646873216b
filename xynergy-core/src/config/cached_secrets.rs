use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{Secret, SecretRef, SecretSource};
use crate::ctx::TenantId;
use crate::env::{Clock, Timestamp};
use crate::error::{Error, ErrorKind, Result, Retry};

/// For how long a credential that cannot be read anew is still used.
const STALE: Duration = Duration::from_secs(3_600);
/// After how long a reading that failed is tried again while an old credential is used.
const AGAIN: Duration = Duration::from_secs(10);
/// How long a reading may take while there is an old credential to use, in real time.
const PATIENCE: Duration = Duration::from_secs(5);
/// From how many credentials on those that have not been read for long are dropped.
const MANY: usize = 4_096;

/// Keeps the credentials of another source for a while, per tenant, so that a rotated one is taken without a restart and a vault is
/// not asked at each call. One call reads; others that need the same credential meanwhile use the old one, or wait.
///
/// While the source is away the old credential is used for up to an hour, with a warning. A source that says that there is no such
/// credential is obeyed, and a credential that the other side refused is read anew at its next use.
pub struct CachedSecrets {
    source: Arc<dyn SecretSource>,
    ttl: Duration,
    clock: Arc<dyn Clock>,
    slots: Mutex<BTreeMap<Key, Arc<Slot>>>,
}

type Key = (TenantId, SecretRef);

/// One credential of one tenant.
#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    /// How many readings have ended, so that whoever waited for one knows that it was one.
    readings: u64,
    /// What the latest of them failed with.
    failure: Option<(ErrorKind, String, Retry)>,
}

#[derive(Clone)]
struct Kept {
    secret: Secret,
    read_at: Timestamp,
    /// When it is read anew.
    due: Timestamp,
}

impl Kept {
    /// A clock that went back says nothing about its age.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.read_at <= now && now < self.due
    }

    fn is_usable(&self, now: Timestamp) -> bool {
        now.since(self.read_at) < STALE
    }
}

impl CachedSecrets {
    /// The credentials of `source`, each read anew after `ttl`; at each call when that is zero.
    pub fn new(source: Arc<dyn SecretSource>, ttl: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { source, ttl, clock, slots: Mutex::default() }
    }

    fn slot(&self, tenant: &TenantId, reference: &SecretRef) -> Arc<Slot> {
        let key = (tenant.clone(), reference.clone());
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MANY && !slots.contains_key(&key) {
            let now = self.clock.now();
            let is_used = |slot: &Arc<Slot>| {
                Arc::strong_count(slot) > 1
                    || slot.state().kept.as_ref().is_some_and(|kept| kept.is_fresh(now))
            };
            slots.retain(|_, slot| is_used(slot));
            while slots.len() >= MANY {
                slots.pop_first();
            }
        }
        Arc::clone(slots.entry(key).or_default())
    }

    async fn read(&self, slot: &Slot, tenant: &TenantId, reference: &SecretRef) -> Result<Secret> {
        let old = slot.state().kept.clone().filter(|kept| kept.is_usable(self.clock.now()));
        let reading = self.source.get(tenant, reference);
        let outcome = match &old {
            Some(_) => tokio::time::timeout(PATIENCE, reading).await.unwrap_or_else(|_| Err(too_slow())),
            None => reading.await,
        };
        let now = self.clock.now();
        let mut state = slot.state();
        state.readings += 1;
        match (outcome, old) {
            (Ok(secret), _) => {
                state.failure = None;
                state.kept = Some(Kept { secret: secret.clone(), read_at: now, due: now.plus(self.ttl) });
                Ok(secret)
            }
            (Err(error), Some(old)) if !is_final(&error) => {
                tracing::warn!(
                    event = "secret_not_reloaded",
                    tenant_id = tenant.as_str(),
                    %reference,
                    kind = error.kind().as_str(),
                );
                state.kept = Some(Kept { due: now.plus(AGAIN), ..old.clone() });
                Ok(old.secret)
            }
            (Err(error), _) => {
                state.kept = None;
                state.failure = Some((error.kind(), error.message().to_owned(), error.retry()));
                Err(error)
            }
        }
    }
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a source says that there is no such credential, rather than that it cannot tell.
fn is_final(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Unauthorized | ErrorKind::NotFound)
}

fn too_slow() -> Error {
    Error::new(ErrorKind::Timeout, "secrets.get", "the source of credentials did not answer in time")
}

#[async_trait]
impl SecretSource for CachedSecrets {
    async fn get(&self, tenant: &TenantId, reference: &SecretRef) -> Result<Secret> {
        if self.ttl.is_zero() {
            return self.source.get(tenant, reference).await;
        }
        let slot = self.slot(tenant, reference);
        let (kept, readings) = {
            let state = slot.state();
            (state.kept.clone(), state.readings)
        };
        let now = self.clock.now();
        let _reading = match kept {
            Some(kept) if kept.is_fresh(now) => return Ok(kept.secret),
            Some(kept) if kept.is_usable(now) => match slot.reading.try_lock() {
                Ok(reading) => reading,
                Err(_) => return Ok(kept.secret),
            },
            _ => slot.reading.lock().await,
        };
        {
            let state = slot.state();
            match (&state.kept, &state.failure) {
                (Some(kept), _) if kept.is_fresh(self.clock.now()) => return Ok(kept.secret.clone()),
                // The reading that this call waited for failed for all who waited.
                (None, Some((kind, message, retry))) if state.readings > readings => {
                    return Err(Error::new(*kind, "secrets.get", message.clone()).with_retry(*retry));
                }
                _ => {}
            }
        }
        self.read(&slot, tenant, reference).await
    }

    fn refused(&self, tenant: &TenantId, reference: &SecretRef, secret: &Secret) {
        self.source.refused(tenant, reference, secret);
        let slot = self.slot(tenant, reference);
        let mut state = slot.state();
        // A newer one that is kept by now is not the one that was refused.
        if state.kept.as_ref().is_some_and(|kept| kept.secret.expose() == secret.expose()) {
            state.kept = None;
        }
    }
}

impl fmt::Debug for CachedSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedSecrets")
            .field("source", &self.source)
            .field("ttl", &self.ttl)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
