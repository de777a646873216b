//! Clicks in, deals matched, revenue by ad.

mod credit;
mod forget;
mod forgotten;
pub(crate) mod keyring;
mod matching;
mod revenue;

use std::sync::Arc;

use serde_json::json;
use xynergy_attribution::click::{ClickLine, LineProblem};
use xynergy_attribution::matching::{Evidence, KnownAds};
use xynergy_core::crm::{Contact, CrmEvent};
use xynergy_core::env::{Event, EventType};
use xynergy_core::store::{Click, DealRevenue, Match, RevenueTotals, Tracked};
use xynergy_core::{Ctx, Error, Result, Timestamp};

pub use credit::*;
pub use forget::{Erasure, ErasureSubject, Pruning};
pub use matching::{ChannelWindows, ChooseBy, Explanation, Gain, ReceiptCheck, Trained, Windows};
pub use xynergy_attribution::click::{AddressRange, ClickRules};
pub use xynergy_attribution::matching::{AdParents, Layers};
pub use xynergy_attribution::revenue::{
    AdSpend, AgeRow, Currencies, Pipeline, PipelineStage, Rate, Roas, RoasDimension, RoasRow, Rules,
    ShownValues, StageRow, StageTable, StageValues, StageWorth,
};

use crate::scope::Scope;
use keyring::Keyring;

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
    /// `user_agent`, `consent`, and perhaps `accept_language`, `click_id`, `x_forwarded_for`, `client_hints` and `fbc`.
    /// Without consent nothing that identifies is in the result.
    ///
    /// # Errors
    /// The store's; a line that is no click is the inner error, which names the field, and says so of a bot's.
    pub async fn parse_click(&self, line: &[u8]) -> Result<Result<Click, LineProblem>> {
        let line = match ClickLine::read(line) {
            Ok(line) => line,
            Err(problem) => return Ok(Err(problem)),
        };
        let (shared, ctx) = (&self.0.shared, self.0.ctx());
        let Some(key) = self.keyring(&ctx).await?.of_click(shared, &ctx, line.at()).await? else {
            return Ok(Err(LineProblem {
                field: Some("ts"),
                problem: "lies before attribution.retention: clicks of that time are forgotten".to_owned(),
                bot_click: None,
            }));
        };
        let mut parsed = line.into_click(&key, &shared.config.attribution.clicks);
        if let Ok(click) = &mut parsed {
            self.layers().strip(click);
        }
        Ok(parsed)
    }

    /// Reads one click as [`parse_click`](Self::parse_click) does, stores it, and returns its id: the host's `click_id` with
    /// consent, a keyed hash without. A click that is stored already is left as it is and gives its id again. It is counted
    /// under the source `track_click`. A known bot's click is not stored; its id is its keyed hash.
    ///
    /// Cancel safety: it is stored whole or not at all; the same click again is safe.
    ///
    /// # Errors
    /// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) that names the field, and the store's.
    pub async fn track_click(&self, line: &[u8]) -> Result<String> {
        const OPERATION: &str = "attribution.track_click";
        let parsed = self.parse_click(line).await?;
        if let Err(LineProblem { bot_click: Some(bot), .. }) = parsed {
            return Ok(bot.to_string());
        }
        let click = parsed.map_err(|wrong| {
            let error = Error::invalid(OPERATION, format!("click: {wrong}"));
            match wrong.field {
                Some(field) => error.with_context("field", field),
                None => error,
            }
        })?;
        let id = click.id();
        self.track_clicks(&[click], "track_click").await?;
        Ok(id)
    }

    fn layers(&self) -> Layers {
        self.0.shared.config.attribution.layers.clone().unwrap_or_default()
    }

    /// What a deal is worth by its stage, as configured.
    pub fn stages(&self) -> &StageValues {
        &self.0.shared.config.attribution.stages
    }

    /// Stores clicks; those that are stored already are counted as duplicates. `source` names the batch, for counting.
    ///
    /// Cancel safety: all of the batch or nothing of it is stored; giving the same batch again stores nothing twice.
    pub async fn track_clicks(&self, clicks: &[Click], source: &str) -> Result<Tracked> {
        let tracked = self.0.stores().await?.clicks.track(self.0.tenant(), clicks, source).await?;
        if tracked.inserted > 0 {
            self.0.ctx().emit(
                EventType::CLICKS_TRACKED,
                || json!({"source": source, "stored": tracked.inserted, "duplicates": tracked.duplicates}),
            );
        }
        Ok(tracked)
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

    /// Which click is behind a deal that converted at `anchor`.
    pub(crate) async fn matched(
        &self,
        ctx: &Ctx,
        deal_id: &str,
        contacts: Vec<&Contact>,
        anchor: Timestamp,
        ads: &KnownAds,
    ) -> Result<Match> {
        let config = &self.0.shared.config.attribution;
        let (from, to) = config.windows.around(anchor);
        let reach = anchor.minus(config.windows.probability_reach());
        let keys = self.keyring(ctx).await?.within(&self.0.shared, ctx, from.min(reach), to).await?;
        let evidence =
            Evidence::of(contacts, &config.contact_properties, &keys, &config.clicks, &self.layers());
        self.match_deal(ctx, deal_id, anchor, &evidence, ads).await
    }

    /// What a contact tells of clicks and ads.
    pub(crate) async fn evidence_of(&self, ctx: &Ctx, contact: &Contact) -> Result<Evidence> {
        let config = &self.0.shared.config.attribution;
        let (shared, now) = (&self.0.shared, ctx.env.clock.now());
        let keys =
            self.keyring(ctx).await?.within(shared, ctx, keyring::oldest_kept(shared, ctx), now).await?;
        Ok(Evidence::of([contact], &config.contact_properties, &keys, &config.clicks, &self.layers()))
    }

    /// Tells of a deal that was booked: what it is worth now, and which ad is behind it. `seen` is how many events of it and of
    /// those it was merged with there are.
    fn announce(&self, ctx: &Ctx, deal: &DealRevenue, events: &[CrmEvent], seen: u64) {
        if !ctx.env.events.is_wanted() {
            return;
        }
        let newest = events.iter().filter(|event| event.deals.contains(&deal.deal_id));
        let cause = newest.max_by_key(|event| event.occurred_at).map(|event| event.event_id.clone());
        let found = deal.matched.found.as_ref();
        let attributed = json!({
            "deal_id": deal.deal_id,
            "ad_id": found.map(|found| &found.ad_id),
            "method": deal.matched.method(),
            "rule_version": deal.matched.rule_version,
        });
        let booked = json!({
            "deal_id": deal.deal_id,
            "stage": deal.stage,
            "value_minor": deal.value_minor,
            "delta_minor": deal.entries.last().map(|entry| entry.delta_minor),
            "events_seen": deal.events_seen,
        });
        for (event, payload) in
            [(EventType::DEAL_ATTRIBUTED, attributed), (EventType::REVENUE_CHANGED, booked)]
        {
            // A deal is booked once for so many events, whoever does it again.
            let mut id = format!("evt_{}_{}_{}_{seen}", event.name(), ctx.tenant, deal.deal_id);
            if deal.values_seen > 0 {
                id = format!("{id}_{}", deal.values_seen);
            }
            ctx.env.events.emit(Event::with_id(ctx, event, id, payload).caused_by(cause.clone()));
        }
    }

    /// The tenant's keys of every hash that identifies.
    async fn keyring(&self, ctx: &Ctx) -> Result<Arc<Keyring>> {
        let shared = &self.0.shared;
        shared.keyring(&ctx.tenant, || async { Keyring::open(shared, ctx).await.map(Arc::new) }).await
    }
}
