//! Clicks in, deals matched, revenue by ad.

use std::sync::Arc;

use xynergy_attribution::click::{IdentityKey, LineProblem, parse_line};
use xynergy_attribution::matching::{self, Evidence, KnownAds};
use xynergy_attribution::revenue;
use xynergy_core::crm::{Contact, CrmEvent, Deal};
use xynergy_core::store::{Click, DealRevenue, RevenueTotals, Tracked};
use xynergy_core::{Ctx, Error, ErrorKind, Result};

pub use xynergy_attribution::matching::AdParents;
pub use xynergy_attribution::revenue::StageValues;

use crate::scope::Scope;

const OPERATION: &str = "attribution";

/// The attribution of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Attribution<'a>(pub(crate) &'a Scope);

impl Scope {
    /// Clicks, matching and revenue.
    pub fn attribution(&self) -> Attribution<'_> {
        Attribution(self)
    }
}

impl Attribution<'_> {
    /// Reads one line of a click log: a JSON object with `ts`, `url`, `ad_id`, `adset_id`, `campaign_id`, `ip`,
    /// `user_agent`, `consent`, and perhaps `accept_language` and `click_id`. Without consent nothing that identifies is
    /// in the result.
    ///
    /// # Errors
    /// The store's; a line that is no click is the inner error, which names the field.
    pub async fn parse_click(&self, line: &[u8]) -> Result<Result<Click, LineProblem>> {
        Ok(parse_line(line, &*self.identity_key(&self.0.ctx()).await?))
    }

    /// Stores clicks; those that are stored already are counted as duplicates. `source` names the batch, for counting.
    ///
    /// Cancel safety: all of the batch or nothing of it is stored; giving the same batch again stores nothing twice.
    pub async fn track_clicks(&self, clicks: &[Click], source: &str) -> Result<Tracked> {
        self.0.stores().await?.clicks.track(self.0.tenant(), clicks, source).await
    }

    /// How many clicks are stored, of all or of one batch.
    pub async fn count_clicks(&self, source: Option<&str>) -> Result<u64> {
        self.0.stores().await?.clicks.count(self.0.tenant(), source).await
    }

    /// Revenue by ad and the number of deals by layer, of everything that was processed.
    pub async fn totals(&self) -> Result<RevenueTotals> {
        self.0.stores().await?.revenue.totals(self.0.tenant()).await
    }

    /// Every processed deal with its value, its ledger and its match, by id.
    pub async fn deals(&self) -> Result<Vec<DealRevenue>> {
        self.0.stores().await?.revenue.deals(self.0.tenant()).await
    }

    /// What a deal is worth by its events, and which ad is behind it. `deal` is `None` when the CRM lacks it. Returns
    /// `None` when there is no stage change among the events.
    pub(crate) async fn evaluate(
        &self,
        ctx: &Ctx,
        deal_id: &str,
        deal: Option<(&Deal, Vec<&Contact>)>,
        events: &[CrmEvent],
        ads: &KnownAds,
    ) -> Result<Option<DealRevenue>> {
        let config = &self.0.shared.config.attribution;
        let Some(ledger) = revenue::fold(events, &config.stages) else { return Ok(None) };
        let anchor = revenue::anchor(deal.as_ref().map(|(deal, _)| *deal), &ledger);
        let contacts = deal.map(|(_, contacts)| contacts).unwrap_or_default();
        let evidence = Evidence::of(contacts, &config.contact_properties, &*self.identity_key(ctx).await?);
        let (from, to) = matching::window(anchor);
        let clicks = &self.0.stores().await?.clicks;
        let candidates = clicks.candidates(&ctx.tenant, &evidence.keys(), from, to).await?;
        let matched = matching::choose(anchor, &evidence, &candidates, ads);
        Ok(Some(ledger.into_deal(deal_id, matched)))
    }

    /// The tenant's key of every hash that identifies: the configured one, else one that is made once and kept in the
    /// store.
    async fn identity_key(&self, ctx: &Ctx) -> Result<Arc<IdentityKey>> {
        self.0.shared.identity_key(&ctx.tenant, || self.load_identity_key(ctx)).await
    }

    async fn load_identity_key(&self, ctx: &Ctx) -> Result<IdentityKey> {
        let secret = match &self.0.shared.config.attribution.identity_key {
            Some(reference) => {
                let secret = self.0.shared.secrets.get(&ctx.tenant, reference).await?;
                decode_key(secret.expose()).ok_or_else(|| {
                    Error::new(
                        ErrorKind::ConfigInvalid,
                        OPERATION,
                        format!("attribution.identity_key: the {reference} is not 64 hex digits (`openssl rand -hex 32` makes them)"),
                    )
                })?
            }
            None => self.stored_identity_key(ctx).await?,
        };
        Ok(IdentityKey::new(&ctx.tenant, &secret))
    }

    async fn stored_identity_key(&self, ctx: &Ctx) -> Result<[u8; 32]> {
        let state = &self.0.stores().await?.state;
        let mut fresh = [0; 32];
        ctx.env.entropy.fill(&mut fresh);
        let hex: String = fresh.iter().map(|byte| format!("{byte:02x}")).collect();
        match state.put(&ctx.tenant, "keys", "identity", Some(0), &hex).await {
            Ok(_) => Ok(fresh),
            // Somebody was first: theirs is the key.
            Err(error) if error.kind() == ErrorKind::Conflict => {
                let stored = state.get(&ctx.tenant, "keys", "identity").await?;
                stored.and_then(|document| decode_key(&document.value)).ok_or_else(|| {
                    Error::new(ErrorKind::Corrupt, OPERATION, "the stored identity key is not 64 hex digits")
                })
            }
            Err(error) => Err(error),
        }
    }
}

fn decode_key(hex: &str) -> Option<[u8; 32]> {
    let hex = hex.trim();
    let mut key = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (byte, i) in key.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(hex.get(i..i + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_64_hex_digits() {
        assert_eq!(decode_key(&"0f".repeat(32)), Some([15; 32]));
        for bad in ["", "0f", &"0g".repeat(32), &"é".repeat(32), &"0f".repeat(33)] {
            assert_eq!(decode_key(bad), None, "{bad}");
        }
    }
}
