//! Forgetting: what is older than it may be kept, and what a person wants erased.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use xynergy_attribution::click::{
    ClickIdFamily, ClientHints, IdentityKey, Landing, Visit, facebook_click_id,
};
use xynergy_core::store::{AdClicks, KeyedHash};
use xynergy_core::{Error, Result, Timestamp};

use super::Attribution;
use super::forgotten::Gone;
use super::keyring::oldest_kept;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// What [`Attribution::prune`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pruning {
    /// Clicks before this moment are forgotten: the start of a day (UTC).
    pub before: Timestamp,
    /// How many clicks were forgotten by this call; they are only counted now.
    pub clicks: u64,
    /// How many keys were thrown away by this call: what was hashed under them can be computed by nobody any more.
    pub destroyed_keys: u64,
}

/// Whose clicks are to be erased: every click that one of these names. At least one is given.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ErasureSubject {
    /// The id of a click: the host's, or the one that `track_click` returned.
    pub click_id: Option<String>,
    /// An ad platform's click id, as it stands in a URL, or Meta's cookie `_fbc`.
    pub platform_click_id: Option<String>,
    /// The URL of a landing page: every click id in it is meant.
    pub url: Option<String>,
    /// An address. With `user_agent` every click of the two is meant, alone every click of the address where devices are kept.
    pub ip: Option<String>,
    /// The user agent that goes with `ip`.
    pub user_agent: Option<String>,
    /// The `Accept-Language` that goes with them. It is needed only where layer 3 is not used.
    pub accept_language: Option<String>,
}

impl std::fmt::Debug for ErasureSubject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ErasureSubject(***)")
    }
}

/// What [`Attribution::erase`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Erasure {
    /// How many clicks were erased; they are only counted now.
    pub clicks: u64,
}

impl Attribution<'_> {
    /// Forgets the clicks of every day that ended before the configured retention (`attribution.retention.clicks_days`), and
    /// throws away the keys under which they were hashed. How often an ad was clicked on a day stays, and so does the ad that a deal is
    /// credited to. Call it once a day.
    ///
    /// Cancel safety: it may be done in part; the same call again does the rest.
    pub async fn prune(&self) -> Result<Pruning> {
        let (shared, ctx) = (&self.0.shared, self.0.ctx());
        let oldest = oldest_kept(shared, &ctx).micros();
        let before = Timestamp::from_micros(oldest.saturating_sub(oldest.rem_euclid(DAY)));
        // The keys first: the store that forgets clicks wipes what was written before.
        let destroyed_keys = self.keyring(&ctx).await?.destroy(shared, &ctx, before).await?;
        let pruned = shared.stores().await?.clicks.prune(&ctx.tenant, before).await?;
        let theirs = self.forget_matches(&ctx, &Gone::before(before)).await?;
        self.forget_signals(&ctx, |deal, signals| signals.anchor < before || theirs.contains(deal)).await?;
        Ok(Pruning { before, clicks: pruned.clicks, destroyed_keys })
    }

    /// Erases the clicks of a person: everything that identifies, and every key of theirs. How often an ad was clicked on a day
    /// stays, deals keep the ad that they are credited to, whatever happens to them later, and nothing can be linked to the person again.
    ///
    /// Cancel safety: it may be done in part; the same call again does the rest.
    ///
    /// # Errors
    /// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) when the subject names nothing by which a click could be found.
    pub async fn erase(&self, subject: &ErasureSubject) -> Result<Erasure> {
        let (shared, ctx) = (&self.0.shared, self.0.ctx());
        let ends = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
        subject.check()?;
        let mut keys = subject.shown_key().into_iter().collect::<Vec<_>>();
        for key in self.keyring(&ctx).await?.within(shared, &ctx, ends.0, ends.1).await? {
            subject.add_keys(&key, &shared.config.attribution.clicks, &mut keys);
        }
        let clicks = self.forget_keys(&ctx, &keys, &BTreeSet::new()).await?;
        Ok(Erasure { clicks })
    }

    /// How often each ad was clicked on each day (UTC), from the day of `since` to that of `until`, both included; of all days
    /// when they are `None`. It counts clicks that were pruned or erased.
    pub async fn clicks_by_ad(
        &self,
        since: Option<Timestamp>,
        until: Option<Timestamp>,
    ) -> Result<Vec<AdClicks>> {
        let since = since.unwrap_or(Timestamp::from_micros(i64::MIN));
        let until = until.unwrap_or(Timestamp::from_micros(i64::MAX));
        self.0.stores().await?.clicks.clicks_by_ad(self.0.tenant(), since, until).await
    }
}

impl ErasureSubject {
    fn check(&self) -> Result<()> {
        let given = |field: &Option<String>| field.as_deref().is_some_and(|text| !text.trim().is_empty());
        let invalid = |message: &'static str| Err(Error::invalid("attribution.erase", message));
        if given(&self.user_agent) && !given(&self.ip) {
            return invalid("subject: ip is missing: a user agent alone is no person's");
        }
        if let Some(url) = self.url.as_deref().filter(|_| given(&self.url))
            && Landing::of_text(url, xynergy_attribution::click::Fragment::Read).click_ids.is_empty()
        {
            return invalid("subject: url has no click id of an ad platform in it");
        }
        if [&self.click_id, &self.platform_click_id, &self.url, &self.ip].into_iter().any(given) {
            Ok(())
        } else {
            invalid("subject: it names nobody: give click_id, platform_click_id, url, or ip with user_agent")
        }
    }

    /// The key that the id of a click without consent is.
    fn shown_key(&self) -> Option<KeyedHash> {
        KeyedHash::try_from(self.click_id.clone()?).ok()
    }

    fn add_keys(
        &self,
        key: &IdentityKey,
        rules: &xynergy_attribution::click::ClickRules,
        keys: &mut Vec<KeyedHash>,
    ) {
        keys.extend(self.click_id.as_deref().filter(|id| !id.is_empty()).map(|id| key.click(id)));
        if let Some(id) = self.platform_click_id.as_deref().map(facebook_click_id).filter(|id| !id.is_empty())
        {
            // Nobody knows by heart whose parameter it was.
            keys.extend(ClickIdFamily::all().map(|family| key.layer1(family, id)));
        }
        if let Some(url) = &self.url {
            let landing = Landing::of_text(url, xynergy_attribution::click::Fragment::Read);
            keys.extend(landing.click_ids.iter().map(|(family, id)| key.layer1(*family, id)));
        }
        if let Some(ip) = &self.ip {
            let agent = self.user_agent.as_deref().unwrap_or_default();
            let language = self.accept_language.as_deref().unwrap_or_default();
            let visit = Visit::new(ip, None, agent, language, &ClientHints::new(), rules);
            if agent.is_empty() {
                keys.extend(key.network(ip).map(|(network, _)| network));
            } else {
                keys.extend(visit.fingerprint(key).into_iter().chain(visit.address(key)));
            }
        }
    }
}
