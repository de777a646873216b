//! How requests get to Meta and back: credentials, pacing, pages.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::de::DeserializeOwned;
use url::Url;
use xynergy_core::ads::{ThrottleScope, WriteClass, WriteFailure};
use xynergy_core::config::{Secret, SecretSource};
use xynergy_core::env::{HttpFailure, HttpRequest, HttpResponse, HttpSend};
use xynergy_core::{Ctx, Error, ErrorKind, Result, Retry};

use super::config::MetaConfig;
use super::error;
use super::pace::Pace;
use super::request;
use super::wire::{self, Page};
use crate::http::api::{below, headers};
use crate::http::repeat_read;

/// How many pages a list may have: 100,000 objects.
const MAX_PAGES: usize = 500;

const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

const HELD_BACK: &str =
    "Meta's usage headers say that the quota is used up: nothing was sent, ask again after the time given";

/// One connection to Meta for all tenants.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) config: MetaConfig,
    base_url: Url,
    http: Arc<dyn HttpSend>,
    secrets: Arc<dyn SecretSource>,
    pub(super) pace: Pace,
}

struct Credentials {
    token: Secret,
    proof: Option<String>,
}

/// One request: what is asked, and whose quota it counts in.
#[derive(Clone, Copy)]
pub(super) struct Ask<'a> {
    pub(super) operation: &'static str,
    pub(super) path: &'a str,
    pub(super) parameters: &'a [(&'a str, &'a str)],
    /// The number of the account; `None` where it is not known.
    pub(super) account: Option<&'a str>,
}

/// Why there is no answer.
pub(super) enum Unsent {
    /// Nothing left this machine.
    Before(Error),
    /// The quota is used up: nothing left this machine.
    HeldBack(Duration),
    /// It may have left.
    Failed(HttpFailure),
}

impl Client {
    pub(super) fn new(
        config: MetaConfig,
        http: Arc<dyn HttpSend>,
        secrets: Arc<dyn SecretSource>,
    ) -> Result<Self> {
        config.validate()?;
        let base_url = below(&config.parsed_base_url()?, &config.version);
        Ok(Self { config, base_url, http, secrets, pace: Pace::default() })
    }

    async fn credentials(&self, ctx: &Ctx) -> Result<Credentials> {
        let token = self.secrets.get(&ctx.tenant, &self.config.access_token).await?;
        let proof = match &self.config.app_secret {
            Some(reference) => {
                request::app_secret_proof(&token, &self.secrets.get(&ctx.tenant, reference).await?)
            }
            None => None,
        };
        Ok(Credentials { token, proof })
    }

    /// One read, repeated while Meta is away or busy.
    pub(super) async fn read<T: DeserializeOwned>(&self, ctx: &Ctx, ask: Ask<'_>) -> Result<T> {
        let body = repeat_read(ctx, || self.fetch(ctx, Method::GET, ask)).await?;
        wire::parse(&body, ask.operation)
    }

    /// A POST that changes nothing of the account, repeated like a read.
    pub(super) async fn order<T: DeserializeOwned>(&self, ctx: &Ctx, ask: Ask<'_>) -> Result<T> {
        let body = repeat_read(ctx, || self.fetch(ctx, Method::POST, ask)).await?;
        wire::parse(&body, ask.operation)
    }

    async fn fetch(&self, ctx: &Ctx, method: Method, ask: Ask<'_>) -> Result<Bytes> {
        let operation = ask.operation;
        let response = self.send(ctx, method, ask, None, true).await.map_err(|unsent| match unsent {
            Unsent::Before(error) => error,
            Unsent::HeldBack(wait) => held_back(operation, wait),
            Unsent::Failed(failure) => error::unanswered_read(failure, operation),
        })?;
        match error::refusal(&response) {
            None => Ok(response.body),
            Some(refusal) => Err(refusal.of_read(operation)),
        }
    }

    /// Sends one request once: the parameters of a GET in its address, of a POST in its body.
    pub(super) async fn send(
        &self,
        ctx: &Ctx,
        method: Method,
        ask: Ask<'_>,
        further: Option<HeaderMap>,
        is_read: bool,
    ) -> Result<HttpResponse, Unsent> {
        let now = ctx.env.clock.now();
        match self.pace.admit(&ctx.tenant, ask.account, is_read, now) {
            Ok(wait) if wait.is_zero() => {}
            Ok(wait) => tokio::time::sleep(wait).await,
            Err(wait) => return Err(Unsent::HeldBack(wait)),
        }
        let Credentials { token, proof } = self.credentials(ctx).await.map_err(Unsent::Before)?;
        let mut headers = headers(ctx, &token, ask.operation).map_err(Unsent::Before)?;
        headers.extend(further.unwrap_or_default());
        let proof = proof.as_deref().map(|proof| ("appsecret_proof", proof));
        let form = request::form(ask.parameters.iter().copied().chain(proof));
        let mut url = below(&self.base_url, ask.path);
        let mut body = Bytes::new();
        if method == Method::GET {
            url.set_query(Some(form.as_str()).filter(|query| !query.is_empty()));
        } else {
            let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
            headers.insert(CONTENT_TYPE, form_type);
            body = form.into();
        }
        let timeout = Duration::from_millis(self.config.timeout_ms);
        let request =
            HttpRequest { method, url, headers, body, timeout, max_response_bytes: MAX_RESPONSE_BYTES };
        let response = self.http.send(request).await.map_err(Unsent::Failed)?;
        self.pace.observe(&ctx.tenant, ask.account, &response.headers, ctx.env.clock.now());
        Ok(response)
    }

    /// All pages of a list.
    pub(super) async fn list<T: DeserializeOwned>(&self, ctx: &Ctx, ask: Ask<'_>) -> Result<Vec<T>> {
        let endless = |message| Err(Error::new(ErrorKind::Unavailable, ask.operation, message));
        let mut rows = Vec::new();
        let mut after: Option<String> = None;
        let mut seen = BTreeSet::new();
        for _ in 0..MAX_PAGES {
            let cursor = after.as_deref().map(|after| ("after", after));
            let parameters: Vec<_> =
                ask.parameters.iter().copied().chain([("limit", request::PAGE)]).chain(cursor).collect();
            let page: Page<T> = self.read(ctx, Ask { parameters: &parameters, ..ask }).await?;
            let next = page.next(ask.operation)?;
            rows.extend(page.data);
            match next {
                None => return Ok(rows),
                Some(next) if !seen.insert(next.clone()) => {
                    return endless("Meta answers with the same page of a list again");
                }
                Some(next) => after = Some(next),
            }
        }
        endless("Meta's list does not end within 100,000 rows")
    }
}

fn held_back(operation: &'static str, wait: Duration) -> Error {
    Error::new(ErrorKind::Throttled, operation, HELD_BACK).with_retry(Retry::After(wait))
}

impl Unsent {
    /// What it means for a budget, a bid or a status.
    pub(super) fn of_write(self) -> WriteFailure {
        match self {
            Self::Before(error) => error::unsent_write(&error),
            Self::HeldBack(wait) => WriteFailure {
                retry_after: Some(wait),
                scope: ThrottleScope::Account,
                ..WriteFailure::new(WriteClass::Throttled, HELD_BACK)
            },
            Self::Failed(failure) => error::unanswered_write(&failure),
        }
    }

    /// What it means for an object that is created or updated.
    pub(super) fn of_object(self, operation: &'static str) -> Error {
        match self {
            Self::Before(error) => error.in_operation(operation),
            Self::HeldBack(wait) => held_back(operation, wait),
            Self::Failed(failure) => error::unanswered_object(failure, operation),
        }
    }
}
