//! What lies behind every CRM's webhooks: events that are stored, and the work on them.

mod contacts;
mod read;
mod sources;
mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use xynergy_attribution::matching::KnownAds;
use xynergy_core::crm::{Contact, Crm, CrmChange, CrmEvent};
use xynergy_core::env::EventType;
use xynergy_core::{Ctx, Error, ErrorKind, Result, Timestamp};
use xynergy_providers::crm::hubspot::EventProblem;

use crate::scope::Scope;
pub(crate) use contacts::forget_keys;
use sources::Sources;
use waiting::Waiting;

/// How many deals are looked at for some that need no CRM while it is away.
const LOOKED_AT: usize = 4_096;

/// What a delivery held.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// Events that are stored now and were not before.
    pub events: u64,
    /// Events that were stored already.
    pub duplicates: u64,
    /// Elements of the body that are no event.
    pub skipped: Vec<EventProblem>,
}

/// What came of the work on stored events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Processed {
    /// Deals that were booked.
    pub deals: u64,
    /// Deals that could not be, and wait for their next attempt. They are kept, and stop no other.
    pub failed: Vec<FailedDeal>,
    /// Contacts that were forgotten.
    pub forgotten: u64,
    /// When a deal that failed is due again; nothing waits when `None`.
    pub next_due: Option<Timestamp>,
}

impl Processed {
    /// Whether there was nothing to do.
    pub fn is_idle(&self) -> bool {
        self.deals == 0 && self.failed.is_empty() && self.forgotten == 0
    }
}

/// A deal that could not be booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FailedDeal {
    /// The CRM's id of the deal.
    pub deal_id: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried again: after a minute, then twice as long each time, up to six hours.
    pub next_attempt_at: Timestamp,
    /// Why, in one sentence.
    pub problem: String,
}

impl Scope {
    /// Stores the events of a verified delivery. Those who are to be forgotten are noted first, so that a crash between the two
    /// loses nobody: the sender sends again.
    pub(crate) async fn store_events(
        &self,
        ctx: &Ctx,
        events: &[CrmEvent],
        skipped: Vec<EventProblem>,
        source: &str,
    ) -> Result<Accepted> {
        let stores = self.stores().await?;
        let forgotten: BTreeMap<String, Timestamp> = events
            .iter()
            .filter_map(|event| match &event.change {
                Some(CrmChange::Forgotten { contact_id }) => Some((contact_id.clone(), event.occurred_at)),
                _ => None,
            })
            .collect();
        contacts::note(&*stores.state, &ctx.tenant, &forgotten).await?;
        let appended = stores.revenue.append_events(&ctx.tenant, events, source).await?;
        if appended.inserted > 0 {
            ctx.emit(EventType::DELIVERY_ACCEPTED, || {
                json!({
                    "source": source,
                    "events": appended.inserted,
                    "duplicates": appended.duplicates,
                    "skipped": skipped.len(),
                })
            });
        }
        Ok(Accepted { events: appended.inserted, duplicates: appended.duplicates, skipped })
    }

    /// Works on at most `limit` deals that have new events, and on everybody who is to be forgotten.
    pub(crate) async fn process_events(
        &self,
        operation: &'static str,
        ads: &KnownAds,
        limit: usize,
    ) -> Result<Processed> {
        let ctx = self.ctx();
        // First, so that nobody is matched who is to be forgotten; where it fails, deals are booked all the same.
        let forgotten = contacts::forget(self, &ctx).await;
        let mut processed = self.process_deals(&ctx, operation, ads, limit).await?;
        processed.forgotten = forgotten?;
        Ok(processed)
    }

    async fn process_deals(
        &self,
        ctx: &Ctx,
        operation: &'static str,
        ads: &KnownAds,
        limit: usize,
    ) -> Result<Processed> {
        let stores = self.stores().await?;
        let mut processed = Processed::default();
        self.attribution().keep_values(ctx).await?;
        let now = ctx.env.clock.now();
        let waiting = Waiting::load(&*stores.state, &ctx.tenant).await?;
        let ids = stores.revenue.pending_deals(&ctx.tenant, limit.saturating_add(waiting.len())).await?;
        let is_due = |id: &String| waiting.is_due(id, now);
        let ids: Vec<String> = ids.into_iter().filter(is_due).take(limit).collect();
        if ids.is_empty() {
            processed.next_due = waiting.next_due();
            return Ok(processed);
        }
        let sources = self.sources(operation).await?;
        let mut worked = Worked::default();
        let (told, others) = sources.split(&*stores.revenue, ctx, ids).await?;
        let mut outcome = self.work_on(ctx, &sources.of_told(), &told, ads, &mut worked).await;
        if outcome.is_ok() && !others.is_empty() {
            outcome = self.work_on(ctx, &sources.of_others(), &others, ads, &mut worked).await;
            if outcome.is_err() && sources.are_two() {
                // Those that need no CRM may stand behind many that do.
                let behind = stores.revenue.pending_deals(&ctx.tenant, LOOKED_AT).await?;
                let behind = behind.into_iter().filter(is_due).filter(|id| !others.contains(id)).collect();
                let (mut told, _) = sources.split(&*stores.revenue, ctx, behind).await?;
                told.truncate(limit.saturating_sub(worked.done.len()));
                let more = self.work_on(ctx, &sources.of_told(), &told, ads, &mut worked).await;
                outcome = outcome.and(more);
            }
        }
        processed.deals = u64::try_from(worked.done.len()).unwrap_or(u64::MAX);
        let done: Vec<&str> = worked.done.iter().map(String::as_str).collect();
        let (failed, next_due) =
            Waiting::update(&*stores.state, &ctx.tenant, waiting, &done, &worked.refused, now).await?;
        outcome?;
        (processed.failed, processed.next_due) = (failed, next_due);
        Ok(processed)
    }

    /// Reads these deals and books them, and takes note of which were booked and which were refused.
    async fn work_on(
        &self,
        ctx: &Ctx,
        crm: &Arc<dyn Crm>,
        ids: &[String],
        ads: &KnownAds,
        worked: &mut Worked,
    ) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut deals = read::each(ids, |ids| {
            let (crm, ctx) = (crm.clone(), ctx.clone());
            async move { crm.deals(&ctx, &ids).await }
        })
        .await?;
        let contact_ids: BTreeSet<&String> = deals.found.values().flat_map(|deal| &deal.contacts).collect();
        let contact_ids: Vec<String> = contact_ids.into_iter().cloned().collect();
        let contacts = read::each(&contact_ids, |ids| {
            let (crm, ctx) = (crm.clone(), ctx.clone());
            async move { crm.contacts(&ctx, &ids).await }
        })
        .await?;
        for (id, deal) in &deals.found {
            let refused = deal.contacts.iter().find_map(|contact| contacts.refused.get(contact));
            if let Some(problem) = refused {
                deals.refused.insert(id.clone(), problem.clone());
            }
        }
        contacts::keep(self, ctx, &deals.found, &contacts.found).await?;
        for id in ids {
            if deals.refused.contains_key(id) {
                continue;
            }
            let deal = deals.found.get(id).map(|deal| {
                let of_deal: Vec<&Contact> =
                    deal.contacts.iter().filter_map(|contact| contacts.found.get(contact)).collect();
                (deal, of_deal)
            });
            match self.attribution().book(ctx, id, deal, ads).await {
                Ok(true) => worked.done.push(id.clone()),
                Ok(false) => {}
                Err(error) if read::is_of_one(&error) => {
                    deals.refused.insert(id.clone(), read::problem(&error));
                }
                Err(error) => return Err(error),
            }
        }
        worked.refused.append(&mut deals.refused);
        Ok(())
    }

    /// Where deals are read: what the tenant's own webhooks told, and the CRM.
    async fn sources(&self, operation: &'static str) -> Result<Sources> {
        let crm = self.shared.crm.clone();
        match (self.webhook_crm().await?, crm) {
            (None, None) => Err(missing("hubspot", operation)),
            (told, crm) => Ok(Sources { told, crm }),
        }
    }
}

/// What came of the work on some deals.
#[derive(Debug, Default)]
struct Worked {
    done: Vec<String>,
    refused: BTreeMap<String, String>,
}

/// The error of a part that is not configured.
pub(crate) fn missing(part: &'static str, operation: &'static str) -> Error {
    Error::new(
        ErrorKind::ConfigInvalid,
        operation,
        format!(
            "{part}: not configured; add [{part}] to the configuration, or give the client one of your own"
        ),
    )
}
