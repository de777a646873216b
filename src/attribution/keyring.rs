//! The keys that identifiers are hashed under: one for each span of days, thrown away with the span's clicks.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use xynergy_attribution::click::{Epoch, IdentityKey, epoch_secret};
use xynergy_core::{Ctx, ErrorKind, Result, TenantId, Timestamp};

use crate::client::Shared;
use crate::keys;

/// One document a span: its random half as hex digits, nothing when it was thrown away.
const COLLECTION: &str = "click_keys";

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The keys of one tenant, as far as this process has read them.
pub(crate) struct Keyring {
    tenant: TenantId,
    /// The configured secret, which is in no store.
    secret: Option<[u8; 32]>,
    /// The one key of versions that had no spans.
    undivided: RwLock<Option<Arc<IdentityKey>>>,
    spans: RwLock<BTreeMap<Epoch, Arc<IdentityKey>>>,
}

impl Keyring {
    /// The keys of the context's tenant, of which none is read yet.
    pub(crate) async fn open(shared: &Shared, ctx: &Ctx) -> Result<Self> {
        let configured = match &shared.config.attribution.identity_key {
            Some(reference) => {
                let hex = shared.secrets.get(&ctx.tenant, reference).await?;
                let secret = keys::decode(hex.expose());
                Some(secret.map_err(|e| e.with_context("key", "attribution.identity_key"))?)
            }
            None => None,
        };
        let undivided = match configured {
            Some(_) => None,
            None => keys::undivided(shared.stores().await?, ctx).await?,
        };
        Ok(Self {
            tenant: ctx.tenant.clone(),
            secret: configured,
            undivided: RwLock::new(undivided.map(|secret| Arc::new(IdentityKey::new(&ctx.tenant, &secret)))),
            spans: RwLock::default(),
        })
    }

    /// The key of a click at this time, made when its span has none; nothing when it was thrown away. Of two processes that
    /// make one at once, the first one's is the key.
    pub(crate) async fn of_click(
        &self,
        shared: &Shared,
        ctx: &Ctx,
        at: Timestamp,
    ) -> Result<Option<Arc<IdentityKey>>> {
        let config = &shared.config.attribution;
        let epoch = Epoch::of(at, config.keys.rotate_days.get());
        if let Some(known) = self.known(epoch).filter(|_| is_kept(shared, ctx, epoch)) {
            return Ok(Some(known));
        }
        let (stores, name) = (shared.stores().await?, epoch.to_string());
        let random = match stores.state.get(&ctx.tenant, COLLECTION, &name).await? {
            Some(document) => document.value,
            None => keys::first(stores, ctx, COLLECTION, &name).await?,
        };
        self.take(epoch, &random)
    }

    /// The keys of every click within `from..=to`.
    pub(crate) async fn within(
        &self,
        shared: &Shared,
        ctx: &Ctx,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Arc<IdentityKey>>> {
        let mut found = self.read(|spans| {
            let reached = || spans.iter().filter(|(epoch, _)| epoch.reaches(from, to));
            let kept = reached().all(|(epoch, _)| is_kept(shared, ctx, *epoch));
            (kept && covers(reached().map(|(epoch, _)| *epoch), from, to))
                .then(|| reached().map(|(_, key)| key.clone()).collect::<Vec<_>>())
        });
        if found.is_none() {
            let mut keys = Vec::new();
            for (name, document) in shared.stores().await?.state.list(&ctx.tenant, COLLECTION).await? {
                let epoch = name.parse().ok().filter(|epoch: &Epoch| epoch.reaches(from, to));
                if let Some(epoch) = epoch {
                    keys.extend(self.take(epoch, &document.value)?);
                }
            }
            found = Some(keys);
        }
        let undivided = self.undivided.read().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(found.unwrap_or_default().into_iter().chain(undivided).collect())
    }

    /// Throws away the keys of spans that have ended by `before`, and says how many there were. What was hashed under them
    /// can be computed by nobody any more.
    pub(crate) async fn destroy(&self, shared: &Shared, ctx: &Ctx, before: Timestamp) -> Result<u64> {
        let stores = shared.stores().await?;
        let mut destroyed = 0;
        for (name, document) in stores.state.list(&ctx.tenant, COLLECTION).await? {
            let Some(epoch) = name.parse().ok().filter(|epoch: &Epoch| epoch.end() <= before) else {
                continue;
            };
            self.spans.write().unwrap_or_else(PoisonError::into_inner).remove(&epoch);
            if !document.value.is_empty() {
                match stores.state.put(&ctx.tenant, COLLECTION, &name, Some(document.version), "").await {
                    Ok(_) => destroyed += 1,
                    // Another process has just thrown it away.
                    Err(error) if error.kind() == ErrorKind::Conflict => {}
                    Err(error) => return Err(error),
                }
            }
        }
        if keys::destroy_undivided(stores, ctx, before).await? {
            *self.undivided.write().unwrap_or_else(PoisonError::into_inner) = None;
            destroyed += 1;
        }
        Ok(destroyed)
    }

    /// The key of a span from its random half.
    fn take(&self, epoch: Epoch, random: &str) -> Result<Option<Arc<IdentityKey>>> {
        let mut spans = self.spans.write().unwrap_or_else(PoisonError::into_inner);
        if random.is_empty() {
            spans.remove(&epoch);
            return Ok(None);
        }
        let random = keys::decode(random)?;
        let secret = self.secret.map_or(random, |secret| epoch_secret(&secret, &random));
        let key = Arc::new(IdentityKey::new(&self.tenant, &secret));
        spans.insert(epoch, key.clone());
        Ok(Some(key))
    }

    fn known(&self, epoch: Epoch) -> Option<Arc<IdentityKey>> {
        self.read(|spans| spans.get(&epoch).cloned())
    }

    fn read<T>(&self, read: impl FnOnce(&BTreeMap<Epoch, Arc<IdentityKey>>) -> T) -> T {
        read(&self.spans.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a span's clicks are kept still: after that another process may have thrown its key away, and the one in memory must
/// not be used.
fn is_kept(shared: &Shared, ctx: &Ctx, epoch: Epoch) -> bool {
    epoch.end() > oldest_kept(shared, ctx)
}

/// Clicks before this may be forgotten.
pub(crate) fn oldest_kept(shared: &Shared, ctx: &Ctx) -> Timestamp {
    let days = shared.config.attribution.retention.clicks_days.get();
    ctx.env.clock.now().minus(DAY.saturating_mul(days.into()))
}

/// Whether the spans, in order, leave no moment out.
fn covers(spans: impl Iterator<Item = Epoch>, from: Timestamp, to: Timestamp) -> bool {
    let mut covered = from;
    for span in spans {
        if span.start() <= covered && span.end() > covered {
            covered = span.end();
        }
    }
    covered > to
}
