//! Ad platforms: what one looks like to this library, the objects of an account, and what its ads did.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

pub use xynergy_core::ads::*;
use xynergy_core::store::Document;
use xynergy_core::{Error, ErrorKind, Result, Timestamp};

use crate::scope::Scope;

/// The days of ads are kept by account.
const DAYS: &str = "ad_days";

/// Campaigns, ad sets, ads, creatives and videos of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Ads<'a>(&'a Scope);

/// What the ads of one tenant did.
#[derive(Clone, Copy, Debug)]
pub struct Insights<'a>(&'a Scope);

impl Scope {
    /// Campaigns, ad sets, ads, creatives and videos: created, read and updated. What they may spend is changed by
    /// [`execution`](Self::execution) alone.
    pub fn ads(&self) -> Ads<'_> {
        Ads(self)
    }

    /// What ads did, day by day.
    pub fn insights(&self) -> Insights<'_> {
        Insights(self)
    }

    fn platform(&self, operation: &'static str) -> Result<&Arc<dyn AdPlatform>> {
        self.shared.ad_platform.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::ConfigInvalid,
                operation,
                "meta: not configured; add [meta] to the configuration, or give the client an ad platform of your own",
            )
        })
    }
}

impl Ads<'_> {
    /// Creates an object, paused. With a `key` that the caller keeps, the same call again gives the same object, whatever
    /// happened to the first one; without a key it is one object for each call that succeeds.
    ///
    /// Cancel safety: with a key, the same call again finds out what became of a dropped one.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field; [`Ambiguous`](ErrorKind::Ambiguous) while it is not known
    /// whether the object exists: the error names the key to call again with, and after which time.
    pub async fn create(&self, spec: &AdObjectSpec, key: Option<&str>) -> Result<AdObject> {
        let ctx = self.0.ctx();
        let platform = self.0.platform("ads.create")?;
        let policy = &self.0.shared.policy;
        let landing = Duration::from_millis(policy.send_timeout_ms.saturating_add(policy.landing_ms));
        let fresh = || format!("once-{:016x}", ctx.env.entropy.next_u64());
        let key = key.map_or_else(fresh, str::to_owned);
        let state = &*self.0.stores().await?.state;
        create_once(&**platform, state, &ctx, spec, &key, landing).await
    }

    /// An object, with further fields by the platform's names.
    ///
    /// # Errors
    /// [`NotFound`](ErrorKind::NotFound) when there is none of this kind, or it is not the tenant's to see.
    pub async fn get(&self, kind: AdObjectKind, id: &str, fields: &[String]) -> Result<AdObject> {
        self.0.platform("ads.get")?.object(&self.0.ctx(), kind, id, fields).await
    }

    /// Sets the name and other fields of an object. Its budget, bid and status are changed by
    /// [`execution`](Scope::execution) alone, and refused here by name.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field; [`NotFound`](ErrorKind::NotFound) as for
    /// [`get`](Self::get); [`Ambiguous`](ErrorKind::Ambiguous) when it may have taken effect, and may be called again.
    pub async fn update(&self, update: &AdObjectUpdate) -> Result<()> {
        self.0.platform("ads.update")?.update_object(&self.0.ctx(), update).await
    }

    /// One page of objects; the next one with its `next` as `after`.
    ///
    /// # Errors
    /// [`InvalidInput`](ErrorKind::InvalidInput) that names the field.
    pub async fn list(&self, query: &AdObjectQuery) -> Result<AdObjectPage> {
        self.0.platform("ads.list")?.objects(&self.0.ctx(), query).await
    }
}

impl Insights<'_> {
    /// Reads what each ad of an account did on each day from that of `since` to today, and keeps it: a day that was read before is
    /// replaced, so that it may be called as often as wanted. Gives the number of ads and days that were read.
    ///
    /// Cancel safety: days are kept one by one; the same call again completes it.
    ///
    /// # Errors
    /// Those of the platform's reads and the store; [`InvalidInput`](ErrorKind::InvalidInput) for a time that is not past.
    pub async fn sync(&self, account_id: &str, since: Timestamp) -> Result<usize> {
        let ctx = self.0.ctx();
        let until = ctx.env.clock.now();
        let range = DayRange::new(since, until).map_err(|error| error.in_operation("insights.sync"))?;
        let platform = self.0.platform("insights.sync")?;
        let read = platform.daily_insights(&ctx, account_id, since, until).await?;
        let count = read.len();
        let mut days: BTreeMap<String, Vec<AdInsight>> =
            range.days().map(|(day, _)| (day, Vec::new())).collect();
        for AdDay { day, insight } in read {
            days.entry(day).or_default().push(insight);
        }
        let state = &self.0.stores().await?.state;
        let collection = collection(account_id);
        for (day, insights) in days {
            let text = serde_json::to_string(&insights).map_err(|e| {
                Error::new(ErrorKind::Unexpected, "insights.sync", "a day cannot be stored").with_source(e)
            })?;
            state.put(&ctx.tenant, &collection, &day, None, &text).await?;
        }
        Ok(count)
    }

    /// What each ad did from the day of `since` to that of `until` together, by ad id, as far as it was
    /// [synchronised](Self::sync): the figures that an allocation takes. Nothing is asked of the platform.
    ///
    /// # Errors
    /// Those of the store, and [`InvalidInput`](ErrorKind::InvalidInput) for days that are none.
    pub async fn totals(
        &self,
        account_id: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AdInsight>> {
        let range = DayRange::new(since, until).map_err(|error| error.in_operation("insights.totals"))?;
        let (first, last) = range.ends();
        let state = &self.0.stores().await?.state;
        let days = state.list(self.0.tenant(), &collection(account_id)).await?;
        let mut totals: BTreeMap<String, AdInsight> = BTreeMap::new();
        for (_, document) in days.into_iter().filter(|(day, _)| (&first..=&last).contains(&day)) {
            for insight in parse(&document)? {
                add(&mut totals, insight);
            }
        }
        Ok(totals.into_values().collect())
    }
}

fn parse(document: &Document) -> Result<Vec<AdInsight>> {
    serde_json::from_str(&document.value).map_err(|e| {
        Error::new(ErrorKind::Corrupt, "insights.totals", "a stored day of ads cannot be read").with_source(e)
    })
}

/// The later day says where an ad is.
fn add(totals: &mut BTreeMap<String, AdInsight>, insight: AdInsight) {
    match totals.get_mut(&insight.ad_id) {
        None => {
            totals.insert(insight.ad_id.clone(), insight);
        }
        Some(total) => {
            total.impressions = total.impressions.saturating_add(insight.impressions);
            total.clicks = total.clicks.saturating_add(insight.clicks);
            total.spend_minor = total.spend_minor.saturating_add(insight.spend_minor);
            total.adset_id = insight.adset_id;
            total.campaign_id = insight.campaign_id;
        }
    }
}

/// An account is the same with and without the prefix that Meta's ids are given with.
fn collection(account_id: &str) -> String {
    format!("{DAYS}/{}", account_id.strip_prefix("act_").unwrap_or(account_id))
}
