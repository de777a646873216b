//! What is left where clicks or people are forgotten: deals keep the ad that they are credited to, and nothing else.

use std::collections::BTreeSet;

use xynergy_attribution::matching::{self, Forgetting};
use xynergy_core::store::{DealRevenue, KeyedHash, Match};
use xynergy_core::{Ctx, Error, ErrorKind, Result, Timestamp};

use super::Attribution;
use crate::inbox;

/// In the place of the id of a click that is forgotten.
const ERASED: &str = "erased";

/// How often a deal that others book at the same time is tried.
const ATTEMPTS: usize = 16;

/// What deals are to forget.
#[derive(Default)]
pub(crate) struct Gone {
    /// Clicks by their keys, and everything else that was hashed of a person.
    keys: BTreeSet<KeyedHash>,
    /// Clicks by their ids.
    ids: BTreeSet<String>,
    /// Clicks before this time.
    before: Option<Timestamp>,
    /// The deals of somebody who is forgotten.
    deals: BTreeSet<String>,
}

impl Gone {
    /// Clicks before a time.
    pub(crate) fn before(time: Timestamp) -> Self {
        Self { before: Some(time), ..Self::default() }
    }

    /// Takes it out of a deal's match, and says whether the click was in there that was chosen; nothing when none of it was.
    fn leave(&self, deal: &mut DealRevenue) -> Option<bool> {
        let person = self.deals.contains(&deal.deal_id);
        let what = Forgetting { clicks: &self.keys, before: self.before, person };
        let forgotten = matching::forget(&deal.matched.receipt, what);
        let chosen = forgotten.as_ref().is_some_and(|forgotten| forgotten.chosen);
        let mut changed = forgotten.is_some();
        if let Some(forgotten) = forgotten {
            deal.matched.receipt = forgotten.receipt;
        }
        let id = deal.matched.found.as_mut().and_then(|found| found.click_id.as_mut());
        if let Some(id) = id.filter(|id| *id != ERASED && (chosen || self.ids.contains(id.as_str()))) {
            ERASED.clone_into(id);
            changed = true;
        }
        changed.then_some(chosen)
    }
}

impl Attribution<'_> {
    /// Erases the clicks of these keys, and takes them and the keys out of everything that holds them. `deals` are those of somebody
    /// who is forgotten. Returns how many clicks there were.
    ///
    /// Cut short, it has done a part; the same call again does the rest.
    pub(crate) async fn forget_keys(
        &self,
        ctx: &Ctx,
        keys: &[KeyedHash],
        deals: &BTreeSet<String>,
    ) -> Result<u64> {
        if keys.is_empty() && deals.is_empty() {
            return Ok(0);
        }
        let stores = self.0.stores().await?;
        // The deals first: only clicks that are there still tell which deals hold them.
        let mut gone = Gone { deals: deals.clone(), ..self.named(ctx, keys).await? };
        self.forget_matches(ctx, &gone).await?;
        let erased = stores.clicks.erase(&ctx.tenant, keys).await?.clicks;
        // A deal may have been matched to one meanwhile, and a store that cannot list clicks has named them only now.
        if !erased.is_empty() {
            gone.keys.extend(erased.iter().map(|click| click.key));
            gone.ids.extend(erased.iter().map(|click| click.id.clone()));
            self.forget_matches(ctx, &gone).await?;
        }
        self.forget_signals(ctx, |deal, signals| deals.contains(deal) || signals.holds(&gone.keys)).await?;
        inbox::forget_keys(&*stores.state, ctx, &gone.keys).await?;
        Ok(erased.len() as u64)
    }

    /// The clicks that these keys name, and the keys.
    async fn named(&self, ctx: &Ctx, keys: &[KeyedHash]) -> Result<Gone> {
        let mut gone = Gone { keys: keys.iter().copied().collect(), ..Gone::default() };
        let (from, to) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
        let clicks = &self.0.stores().await?.clicks;
        match clicks.around(&ctx.tenant, keys, from, to, usize::MAX).await {
            Ok(named) => {
                for click in named.clicks {
                    gone.keys.insert(click.key);
                    gone.ids.insert(click.id);
                }
                Ok(gone)
            }
            Err(error) if error.kind() == ErrorKind::Unsupported => Ok(gone),
            Err(error) => Err(error),
        }
    }

    /// Takes forgotten clicks out of the matches and receipts of deals. Which ad a deal is attributed to, and how probably, stays. Returns
    /// the deals whose click it was.
    pub(crate) async fn forget_matches(&self, ctx: &Ctx, gone: &Gone) -> Result<BTreeSet<String>> {
        let revenue = &self.0.stores().await?.revenue;
        let mut theirs = BTreeSet::new();
        for mut deal in revenue.deals(&ctx.tenant).await? {
            let mut attempt = 0;
            while let Some(chosen) = gone.leave(&mut deal) {
                if chosen {
                    theirs.insert(deal.deal_id.clone());
                }
                if revenue.put_deals(&ctx.tenant, std::slice::from_ref(&deal)).await? {
                    break;
                }
                // Another worker has booked more of it.
                attempt += 1;
                if attempt == ATTEMPTS {
                    let message = "others book the deal all the time: nothing is lost, try again";
                    return Err(Error::new(ErrorKind::Conflict, "attribution.erase", message));
                }
                let again = revenue.find_deals(&ctx.tenant, std::slice::from_ref(&deal.deal_id)).await?;
                let Some(newer) = again.into_iter().next() else { break };
                deal = newer;
            }
        }
        Ok(theirs)
    }

    /// The match of a deal whose click, or whose person, was forgotten: whatever comes now, its ad keeps the credit. `known` is what
    /// was read of it already; of its first event nothing was stored before.
    pub(crate) async fn kept_credit(
        &self,
        ctx: &Ctx,
        deal_id: &str,
        events: u64,
        known: Option<&Match>,
    ) -> Result<Option<Match>> {
        let matched = match known {
            Some(matched) => Some(matched.clone()),
            None if events > 1 => {
                let revenue = &self.0.stores().await?.revenue;
                let found = revenue.find_deals(&ctx.tenant, &[deal_id.to_owned()]).await?;
                found.into_iter().next().map(|deal| deal.matched)
            }
            None => None,
        };
        Ok(matched.filter(|matched| matching::credit_stays(&matched.receipt)))
    }
}
