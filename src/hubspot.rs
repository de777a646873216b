//! HubSpot's webhooks: verified and stored at once, worked on behind the answer.

use std::collections::BTreeMap;

use xynergy_attribution::matching::KnownAds;
use xynergy_core::{Result, Timestamp};
use xynergy_providers::crm::hubspot;

pub use xynergy_providers::crm::hubspot::{EventProblem, HubspotConfig, OAuthConfig, Signatures};

use crate::inbox::missing;
pub use crate::inbox::{Accepted, FailedDeal, Processed};
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
    /// The whole address as it is configured in HubSpot. Do not put it together from `Host` headers. With
    /// [`webhook_urls`](HubspotConfig::webhook_urls) it is only looked up there, by path and query.
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
    /// [`LimitExceeded`](xynergy_core::ErrorKind::LimitExceeded) when the body is greater than
    /// [`max_body_bytes`](HubspotConfig::max_body_bytes), [`Unauthorized`](xynergy_core::ErrorKind::Unauthorized) when the signature,
    /// the address or the time is wrong, and [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) when the body is no array of
    /// events: nothing is stored then. A server answers 413, 401 and 400.
    pub async fn accept(&self, delivery: &Delivery<'_>) -> Result<Accepted> {
        let ctx = self.0.ctx();
        let verifier = self.0.shared.hubspot.as_ref().ok_or_else(|| missing("hubspot", ACCEPT))?;
        verifier.check_size(delivery.body)?;
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
        self.0.store_events(&ctx, &batch.events, batch.problems, delivery.source).await
    }

    /// Works on at most `limit` deals that have new events: reads them from the CRM, finds the click behind each, and
    /// books what its stage is worth; and forgets whom a delivery asked to forget. Nothing is left when the answer
    /// [`is_idle`](Processed::is_idle).
    ///
    /// A deal that the CRM refuses to give, or that cannot be booked, is kept with its attempts and tried again later; the others
    /// are booked all the same.
    ///
    /// `ads` are the account's own, which a deal's first URL may name. Cancel safety: each deal is booked whole or stays
    /// to be worked on. Many workers may do it at once.
    ///
    /// # Errors
    /// Those of the CRM as a whole (away, busy, the token refused) and of the store; the deals booked before it stay booked, and
    /// the others wait in the store.
    pub async fn process(&self, ads: &KnownAds, limit: usize) -> Result<Processed> {
        self.0.process_events(PROCESS, ads, limit).await
    }

    /// How many events are stored, of all or of one batch.
    pub async fn count_events(&self, source: Option<&str>) -> Result<u64> {
        self.0.stores().await?.revenue.count_events(self.0.tenant(), source).await
    }
}
