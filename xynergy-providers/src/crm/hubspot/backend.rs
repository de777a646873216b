use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method};
use url::Url;
use xynergy_core::config::SecretSource;
use xynergy_core::crm::{Contact, Crm, Deal, Properties};
use xynergy_core::env::{HttpRequest, HttpSend};
use xynergy_core::{Ctx, Error, ErrorKind, Result};

use super::config::HubspotConfig;
use super::error;
use super::signature::{Delivery, verify};
use super::wire::{self, BATCH, Input};
use crate::http::api::{below, headers};
use crate::http::repeat_read;

/// What is read of a deal.
const DEAL_PROPERTIES: [&str; 1] = ["createdate"];

const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// HubSpot as a [`Crm`].
#[derive(Clone, Debug)]
pub struct Hubspot {
    config: HubspotConfig,
    base_url: Url,
    deal_properties: Vec<String>,
    contact_properties: Vec<String>,
    http: Arc<dyn HttpSend>,
    secrets: Arc<dyn SecretSource>,
}

impl Hubspot {
    /// HubSpot as configured, which reads `contact_properties` of each contact.
    ///
    /// # Errors
    /// Those of [`HubspotConfig::validate`].
    pub fn new(
        config: HubspotConfig,
        contact_properties: Vec<String>,
        http: Arc<dyn HttpSend>,
        secrets: Arc<dyn SecretSource>,
    ) -> Result<Self> {
        config.validate()?;
        let base_url = config.parsed_base_url()?;
        let deal_properties = DEAL_PROPERTIES.map(str::to_owned).to_vec();
        Ok(Self { config, base_url, deal_properties, contact_properties, http, secrets })
    }

    /// Checks a webhook with the tenant's client secret, by the configured [signatures](super::Signatures).
    ///
    /// # Errors
    /// [`Unauthorized`](ErrorKind::Unauthorized) when HubSpot did not send it or the secret is missing.
    pub async fn verify(&self, ctx: &Ctx, delivery: &Delivery<'_>) -> Result<()> {
        let secret = self.secrets.get(&ctx.tenant, &self.config.client_secret).await?;
        verify(delivery, &secret, self.config.signatures)
    }

    async fn objects(
        &self,
        ctx: &Ctx,
        path: &str,
        ids: &[String],
        properties: &[String],
    ) -> Result<BTreeMap<String, Properties>> {
        let mut found = BTreeMap::new();
        for batch in inputs(ids).chunks(BATCH) {
            let body = self.read(ctx, path, wire::read_request(batch, properties)?).await?;
            found.extend(wire::objects(&body)?);
        }
        // HubSpot answers for a merged object with the one that took it over, whose id was not asked for.
        let asked: BTreeSet<&String> = ids.iter().collect();
        found.retain(|id, _| asked.contains(id));
        Ok(found)
    }

    async fn contacts_of(&self, ctx: &Ctx, deals: &[String]) -> Result<BTreeMap<String, Vec<String>>> {
        let mut contacts: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut waiting = inputs(deals);
        while !waiting.is_empty() {
            let batch: Vec<Input> = waiting.drain(..waiting.len().min(BATCH)).collect();
            let body = wire::read_request(&batch, &[])?;
            let page = wire::associations(
                &self.read(ctx, "crm/v4/associations/deals/contacts/batch/read", body).await?,
            )?;
            if page.next.iter().any(|next| batch.contains(next)) {
                return Err(Error::new(
                    ErrorKind::Unavailable,
                    "hubspot.read",
                    "HubSpot answers with the same page of contacts again",
                ));
            }
            for (deal, ids) in page.associated {
                contacts.entry(deal).or_default().extend(ids);
            }
            waiting.extend(page.next);
        }
        Ok(contacts)
    }

    /// One read, repeated while HubSpot is away or busy.
    async fn read(&self, ctx: &Ctx, path: &str, body: Bytes) -> Result<Bytes> {
        repeat_read(ctx, || self.send(ctx, path, body.clone())).await
    }

    async fn send(&self, ctx: &Ctx, path: &str, body: Bytes) -> Result<Bytes> {
        let token = self.secrets.get(&ctx.tenant, &self.config.access_token).await?;
        let mut headers = headers(ctx, &token, "hubspot.read")?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let request = HttpRequest {
            method: Method::POST,
            url: below(&self.base_url, path),
            headers,
            body,
            timeout: Duration::from_millis(self.config.timeout_ms),
            max_response_bytes: MAX_RESPONSE_BYTES,
        };
        let response = self.http.send(request).await.map_err(error::from_failure)?;
        if response.status.is_success() { Ok(response.body) } else { Err(error::from_response(&response)) }
    }
}

#[async_trait]
impl Crm for Hubspot {
    async fn deals(&self, ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Deal>> {
        let found = self.objects(ctx, "crm/v3/objects/deals/batch/read", ids, &self.deal_properties).await?;
        let present: Vec<String> = found.keys().cloned().collect();
        let mut contacts = self.contacts_of(ctx, &present).await?;
        let deals = found.into_iter().map(|(id, properties)| {
            let contacts = contacts.remove(&id).unwrap_or_default();
            (id, Deal { properties, contacts })
        });
        Ok(deals.collect())
    }

    async fn contacts(&self, ctx: &Ctx, ids: &[String]) -> Result<BTreeMap<String, Contact>> {
        let path = "crm/v3/objects/contacts/batch/read";
        let found = self.objects(ctx, path, ids, &self.contact_properties).await?;
        Ok(found.into_iter().map(|(id, properties)| (id, Contact { properties })).collect())
    }
}

/// Each id once, in order.
fn inputs(ids: &[String]) -> Vec<Input> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(|id| Input { id, after: None }).collect()
}
