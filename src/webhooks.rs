//! Signed webhooks of any backend: deals and contacts without a CRM of a vendor's.

use std::collections::BTreeMap;

use xynergy_attribution::matching::KnownAds;
use xynergy_core::config::Secret;
use xynergy_core::{Ctx, Result, Timestamp};
use xynergy_providers::crm::webhooks::{self, PropertyNames, WebhookCrm};

pub use xynergy_providers::crm::webhooks::{WebhookContact, WebhooksConfig};

use crate::inbox::missing;
pub use crate::inbox::{Accepted, FailedDeal, Processed};
use crate::scope::Scope;

const ACCEPT: &str = "webhooks.accept";
const PROCESS: &str = "webhooks.process";

/// The signed webhooks of one tenant.
#[derive(Clone, Copy, Debug)]
pub struct Webhooks<'a>(&'a Scope);

/// A webhook as the host's server received it.
#[derive(Clone, Copy, Debug)]
pub struct SignedDelivery<'a> {
    /// The headers, with `webhook-id`, `webhook-timestamp` and `webhook-signature`; the case of their names does not matter.
    pub headers: &'a BTreeMap<String, String>,
    /// The body's bytes as they came: parsing and writing it again breaks the signature.
    pub body: &'a [u8],
    /// When it arrived; now when `None`.
    pub received_at: Option<Timestamp>,
    /// The name of the batch that it belongs to, for counting.
    pub source: &'a str,
}

impl Scope {
    /// Deals and contacts by signed webhooks of any backend.
    pub fn webhooks(&self) -> Webhooks<'_> {
        Webhooks(self)
    }

    /// What the tenant's webhooks told, where they are configured.
    pub(crate) async fn webhook_crm(&self) -> Result<Option<WebhookCrm>> {
        if self.shared.config.webhooks.is_none() {
            return Ok(None);
        }
        let names = &self.shared.config.attribution.contact_properties;
        let names = PropertyNames {
            facebook_click_id: names.facebook_click_id.clone(),
            google_click_id: names.google_click_id.clone(),
            first_url: names.first_url.clone(),
            ip: names.ip.clone(),
            user_agent: names.user_agent.clone(),
            accept_language: names.accept_language.clone(),
            consent: names.consent.clone(),
        };
        Ok(Some(WebhookCrm::new(self.stores().await?.state.clone(), names)))
    }
}

impl Webhooks<'_> {
    /// Verifies a delivery by the scheme of Standard Webhooks, on its raw bytes, and stores its events durably; answer 200 when this
    /// returns, and let [`process`](Self::process) do the work. Idempotent by `webhook-id`: a delivery that is sent again, in any
    /// order, leaves the same state. What the events are is in `docs/crm.md`.
    ///
    /// Cancel safety: the events of a delivery are stored all or none; who had no answer sends again.
    ///
    /// # Errors
    /// [`LimitExceeded`](xynergy_core::ErrorKind::LimitExceeded) when the body is greater than
    /// [`max_body_bytes`](WebhooksConfig::max_body_bytes), [`Unauthorized`](xynergy_core::ErrorKind::Unauthorized) when no signature
    /// matches or the time is more than 300 seconds away, and [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) when the body
    /// is neither an event nor an array: nothing is stored then. A server answers 413, 401 and 400.
    pub async fn accept(&self, delivery: &SignedDelivery<'_>) -> Result<Accepted> {
        let ctx = self.0.ctx();
        let config = self.0.shared.config.webhooks.as_ref().ok_or_else(|| missing("webhooks", ACCEPT))?;
        webhooks::check_size(config, delivery.body)?;
        let received_at = delivery.received_at.unwrap_or_else(|| ctx.env.clock.now());
        let (headers, body) = (delivery.headers, delivery.body);
        let secrets = self.secrets(&ctx, config).await?;
        let id = webhooks::verify(&webhooks::Delivery { headers, body, received_at }, &secrets)?;
        let batch = webhooks::parse_events(body, id, received_at)?;
        // A crash behind this leaves what is told of contacts without the events; the sender sends again, and it is the same.
        if let Some(crm) = self.0.webhook_crm().await? {
            crm.tell(&ctx.tenant, &batch.told).await?;
        }
        self.0.store_events(&ctx, &batch.events, batch.problems, delivery.source).await
    }

    /// Works on stored events, of webhooks and of HubSpot alike: see [`Hubspot::process`](crate::hubspot::Hubspot::process).
    ///
    /// # Errors
    /// As there.
    pub async fn process(&self, ads: &KnownAds, limit: usize) -> Result<Processed> {
        self.0.process_events(PROCESS, ads, limit).await
    }

    /// Those of the secrets that the tenant has; while one is replaced that may be fewer than are configured.
    async fn secrets(&self, ctx: &Ctx, config: &WebhooksConfig) -> Result<Vec<Secret>> {
        let mut found = Vec::new();
        let mut missing = None;
        for reference in &config.secrets {
            match self.0.shared.secrets.get(&ctx.tenant, reference).await {
                Ok(secret) => found.push(secret),
                Err(error) => missing = Some(error),
            }
        }
        match missing {
            Some(error) if found.is_empty() => Err(error),
            _ => Ok(found),
        }
    }
}
