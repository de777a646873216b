use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::ctx::TenantId;
use crate::env::Timestamp;
use crate::error::Result;
use crate::store::{Candidate, Click, ClickStore, KeyedHash, Tracked};

/// A [`ClickStore`] in memory.
#[derive(Clone, Default)]
pub struct MemoryClicks(Arc<Mutex<BTreeMap<TenantId, Clicks>>>);

impl MemoryClicks {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<TenantId, Clicks>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryClicks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryClicks")
    }
}

/// The clicks of one tenant.
#[derive(Default)]
struct Clicks {
    by_key: HashMap<KeyedHash, usize>,
    clicks: Vec<Click>,
    by_match_key: HashMap<KeyedHash, Times>,
    by_source: BTreeMap<String, u64>,
}

/// The clicks of one match key. They are sorted when they are asked for: clicks arrive in any order, and a key that a
/// whole carrier shares would make sorted inserts quadratic.
#[derive(Default)]
struct Times {
    sorted: bool,
    clicks: Vec<(Timestamp, usize)>,
}

impl Clicks {
    fn insert(&mut self, click: &Click) -> bool {
        let position = self.clicks.len();
        if self.by_key.contains_key(&click.key) {
            return false;
        }
        self.by_key.insert(click.key, position);
        for key in click.match_keys() {
            let times = self.by_match_key.entry(key).or_default();
            times.sorted = false;
            times.clicks.push((click.at, position));
        }
        self.clicks.push(click.clone());
        true
    }

    fn latest(&mut self, key: KeyedHash, from: Timestamp, to: Timestamp, found: &mut Vec<Candidate>) {
        let Some(times) = self.by_match_key.get_mut(&key) else { return };
        if !times.sorted {
            times.clicks.sort_unstable();
            times.clicks.dedup();
            times.sorted = true;
        }
        let end = times.clicks.partition_point(|(at, _)| *at <= to);
        let Some((latest, _)) = times.clicks[..end].last().copied().filter(|(at, _)| *at >= from) else {
            return;
        };
        let ties = times.clicks[..end].iter().rev().take_while(|(at, _)| *at == latest);
        found.extend(ties.filter_map(|(_, position)| self.clicks.get(*position)).map(|click| Candidate {
            matched: key,
            at: click.at,
            id: click.id(),
            key: click.key,
            ad_id: click.ad_id.clone(),
            adset_id: click.adset_id.clone(),
            campaign_id: click.campaign_id.clone(),
            utm: click.utm.clone(),
            device: click.personal.as_ref().and_then(|p| p.device.clone()),
        }));
    }
}

#[async_trait]
impl ClickStore for MemoryClicks {
    async fn track(&self, tenant: &TenantId, clicks: &[Click], source: &str) -> Result<Tracked> {
        let mut tenants = self.lock();
        let stored = tenants.entry(tenant.clone()).or_default();
        let mut tracked = Tracked::default();
        for click in clicks {
            if stored.insert(click) {
                tracked.inserted += 1;
            } else {
                tracked.duplicates += 1;
            }
        }
        *stored.by_source.entry(source.to_owned()).or_default() += tracked.inserted;
        Ok(tracked)
    }

    async fn candidates(
        &self,
        tenant: &TenantId,
        keys: &[KeyedHash],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<Candidate>> {
        let mut tenants = self.lock();
        let mut found = Vec::new();
        if let Some(stored) = tenants.get_mut(tenant) {
            for key in keys {
                stored.latest(*key, from, to, &mut found);
            }
        }
        drop(tenants);
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    async fn count(&self, tenant: &TenantId, source: Option<&str>) -> Result<u64> {
        let tenants = self.lock();
        let Some(stored) = tenants.get(tenant) else { return Ok(0) };
        Ok(match source {
            Some(source) => stored.by_source.get(source).copied().unwrap_or_default(),
            None => stored.by_source.values().sum(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        crate::conformance::click_store(&MemoryClicks::default()).await;
    }
}
