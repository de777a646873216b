use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use url::Url;
use xynergy_core::config::{Secret, SecretSource};
use xynergy_core::crm::{Contact, Crm, Deal, Properties};
use xynergy_core::env::{HttpRequest, HttpResponse, HttpSend};
use xynergy_core::rate::RateLimiter;
use xynergy_core::{Ctx, Error, ErrorKind, Result, Retry};

use super::config::HubspotConfig;
use super::error;
use super::oauth::AccessTokens;
use super::pace::Pacer;
use super::signature::{Delivery, configured_address, verify};
use super::wire::{self, BATCH, Input};
use crate::crm::within;
use crate::http::api::{below, headers};
use crate::http::repeat_read;

/// What is read of a deal.
const DEAL_PROPERTIES: [&str; 1] = ["createdate"];

const ACCEPT: &str = "hubspot.accept";

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
    tokens: Option<Arc<AccessTokens>>,
    pacer: Arc<Pacer>,
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
        let tokens = config.oauth.clone().map(|oauth| {
            let timeout = Duration::from_millis(config.timeout_ms);
            let (http, secrets) = (http.clone(), secrets.clone());
            Arc::new(AccessTokens::new(oauth, &config.client_secret, &base_url, timeout, http, secrets))
        });
        let pacer = Arc::new(Pacer::new(config.reads_per_10_seconds));
        Ok(Self { config, base_url, deal_properties, contact_properties, http, secrets, tokens, pacer })
    }

    /// Reads these of a deal as well, which the events do not always tell: `pipeline`, `amount`, `deal_currency_code`.
    #[must_use]
    pub fn reading(mut self, deal_properties: &[&str]) -> Self {
        self.deal_properties.extend(deal_properties.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Shares [`reads_per_10_seconds`](HubspotConfig::reads_per_10_seconds) with every process that has the same limiter.
    #[must_use]
    pub fn paced_by(mut self, limiter: Arc<dyn RateLimiter>) -> Self {
        self.pacer = Arc::new(Pacer::shared_by(self.config.reads_per_10_seconds, limiter));
        self
    }

    /// Refuses a body that is greater than configured, before anything of it is read.
    ///
    /// # Errors
    /// [`LimitExceeded`](ErrorKind::LimitExceeded) with `max_body_bytes` as the limit in its context: a server answers 413.
    pub fn check_size(&self, body: &[u8]) -> Result<()> {
        within(body, "hubspot.max_body_bytes", self.config.max_body_bytes).map_err(|e| e.in_operation(ACCEPT))
    }

    /// Checks a webhook with the tenant's client secret, by the configured [signatures](super::Signatures).
    ///
    /// # Errors
    /// [`Unauthorized`](ErrorKind::Unauthorized) when HubSpot did not send it or the secret is missing.
    pub async fn verify(&self, ctx: &Ctx, delivery: &Delivery<'_>) -> Result<()> {
        let url = configured_address(delivery.url, &self.config.webhook_urls)?;
        let secret = self.secrets.get(&ctx.tenant, &self.config.client_secret).await?;
        verify(&Delivery { url, ..*delivery }, &secret, self.config.signatures)
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

    /// One request. A token that HubSpot refuses is asked for anew, once.
    async fn send(&self, ctx: &Ctx, path: &str, body: Bytes) -> Result<Bytes> {
        let token = self.token(ctx).await?;
        let response = self.exchange(ctx, path, body.clone(), &token).await?;
        if response.status != StatusCode::UNAUTHORIZED {
            return self.outcome(ctx, response);
        }
        match &self.tokens {
            Some(tokens) => tokens.refused(&ctx.tenant, &token),
            None => self.secrets.refused(&ctx.tenant, &self.config.access_token, &token),
        }
        let newer = self.token(ctx).await?;
        if newer.expose() == token.expose() {
            return self.outcome(ctx, response);
        }
        let again = self.exchange(ctx, path, body, &newer).await?;
        self.outcome(ctx, again)
    }

    async fn token(&self, ctx: &Ctx) -> Result<Secret> {
        match &self.tokens {
            Some(tokens) => tokens.get(ctx).await,
            None => self.secrets.get(&ctx.tenant, &self.config.access_token).await,
        }
    }

    async fn exchange(&self, ctx: &Ctx, path: &str, body: Bytes, token: &Secret) -> Result<HttpResponse> {
        self.pacer.turn(ctx).await;
        let mut headers = headers(ctx, token, "hubspot.read")?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let request = HttpRequest {
            method: Method::POST,
            url: below(&self.base_url, path),
            headers,
            body,
            timeout: Duration::from_millis(self.config.timeout_ms),
            max_response_bytes: MAX_RESPONSE_BYTES,
        };
        self.http.send(request).await.map_err(error::from_failure)
    }

    fn outcome(&self, ctx: &Ctx, response: HttpResponse) -> Result<Bytes> {
        if response.status.is_success() {
            return Ok(response.body);
        }
        let error = error::from_response(&response);
        if let (ErrorKind::Throttled, Retry::After(wait)) = (error.kind(), error.retry()) {
            // What others of the tenant would send now would be refused as well.
            self.pacer.pause(&ctx.tenant, wait);
        }
        Err(error)
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
