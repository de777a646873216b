//! HubSpot's webhooks: verified and stored at once, worked on behind the answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use xynergy_attribution::matching::KnownAds;
use xynergy_core::crm::Crm;
use xynergy_core::env::EventType;
use xynergy_core::{Error, ErrorKind, Result, Timestamp};
use xynergy_providers::crm::hubspot;

pub use xynergy_providers::crm::hubspot::{EventProblem, HubspotConfig, Signatures};

use crate::scope::Scope;

const ACCEPT: &str = "hubspot.accept";
const PROCESS: &str = "hubspot.process";

/// HubSpot for one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Hubspot<'a>(&'a Scope);

/// A webhook as the host's server received it.
#[derive(Clone, Copy, Debug)]
pub struct Delivery<'a> {
    /// The HTTP method.
    pub method: &'a str,
    /// The whole address as it is configured in HubSpot. Do not put it together from `Host` headers.
    pub url: &'a str,
    /// The headers; the case of their names does not matter.
    pub headers: &'a BTreeMap<String, String>,
    /// The body's bytes as they came: parsing and writing it again breaks the signature.
    pub body: &'a [u8],
    /// When it arrived; now when `None`.
    pub received_at: Option<Timestamp>,
    /// The name of the batch that it belongs to, for counting.
    pub source: &'a str,
}

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

impl Scope {
    /// HubSpot's webhooks and the deals behind them.
    pub fn hubspot(&self) -> Hubspot<'_> {
        Hubspot(self)
    }
}

impl Hubspot<'_> {
    /// Verifies a delivery on its raw bytes and stores its events durably; answer 200 when this returns, and let
    /// [`process`](Self::process) do the work. Idempotent: the same events in any order and batching leave the same state.
    ///
    /// Cancel safety: the events of a delivery are stored all or none; HubSpot sends again what was not answered.
    ///
    /// # Errors
    /// [`Unauthorized`](ErrorKind::Unauthorized) when the signature or the time is wrong, and
    /// [`InvalidInput`](ErrorKind::InvalidInput) when the body is no array of events: nothing is stored then.
    pub async fn accept(&self, delivery: &Delivery<'_>) -> Result<Accepted> {
        let ctx = self.0.ctx();
        let verifier = self.0.shared.hubspot.as_ref().ok_or_else(|| missing("hubspot", ACCEPT))?;
        let received_at = delivery.received_at.unwrap_or_else(|| ctx.env.clock.now());
        verifier
            .verify(
                &ctx,
                &hubspot::Delivery {
                    method: delivery.method,
                    url: delivery.url,
                    headers: delivery.headers,
                    body: delivery.body,
                    received_at,
                },
            )
            .await?;
        let batch = hubspot::parse_events(delivery.body, received_at)?;
        let revenue = &self.0.stores().await?.revenue;
        let appended = revenue.append_events(&ctx.tenant, &batch.events, delivery.source).await?;
        if appended.inserted > 0 {
            ctx.emit(EventType::DELIVERY_ACCEPTED, || {
                serde_json::json!({
                    "source": delivery.source,
                    "events": appended.inserted,
                    "duplicates": appended.duplicates,
                    "skipped": batch.problems.len(),
                })
            });
        }
        Ok(Accepted { events: appended.inserted, duplicates: appended.duplicates, skipped: batch.problems })
    }

    /// Works on at most `limit` deals that have new events: reads them from the CRM, finds the click behind each, and
    /// books what its stage is worth. Returns how many were worked on; 0 when nothing is left.
    ///
    /// `ads` are the account's own, which a deal's first URL may name. Cancel safety: each deal is booked whole or stays
    /// to be worked on.
    ///
    /// # Errors
    /// Those of the CRM and the store; the deals booked before it stay booked.
    pub async fn process(&self, ads: &KnownAds, limit: usize) -> Result<usize> {
        let ctx = self.0.ctx();
        let revenue = &self.0.stores().await?.revenue;
        let ids = revenue.pending_deals(&ctx.tenant, limit).await?;
        if ids.is_empty() {
            return Ok(0);
        }
        let crm = self.crm()?;
        let deals = crm.deals(&ctx, &ids).await?;
        let contact_ids: BTreeSet<&String> = deals.values().flat_map(|deal| &deal.contacts).collect();
        let contact_ids: Vec<String> = contact_ids.into_iter().cloned().collect();
        let contacts = crm.contacts(&ctx, &contact_ids).await?;
        for id in &ids {
            let deal = deals.get(id).map(|deal| {
                let of_deal = deal.contacts.iter().filter_map(|contact| contacts.get(contact)).collect();
                (deal, of_deal)
            });
            let events = revenue.events(&ctx.tenant, id).await?;
            if let Some(worth) = self.0.attribution().evaluate(&ctx, id, deal, &events, ads).await?
                && revenue.put_deals(&ctx.tenant, std::slice::from_ref(&worth)).await?
            {
                self.0.attribution().announce(&ctx, &worth, &events);
            }
        }
        Ok(ids.len())
    }

    /// How many events are stored, of all or of one batch.
    pub async fn count_events(&self, source: Option<&str>) -> Result<u64> {
        self.0.stores().await?.revenue.count_events(self.0.tenant(), source).await
    }

    fn crm(&self) -> Result<&Arc<dyn Crm>> {
        self.0.shared.crm.as_ref().ok_or_else(|| missing("hubspot", PROCESS))
    }
}

fn missing(part: &'static str, operation: &'static str) -> Error {
    Error::new(
        ErrorKind::ConfigInvalid,
        operation,
        format!(
            "{part}: not configured; add [{part}] to the configuration, or give the client one of your own"
        ),
    )
}
