use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::de::DeserializeOwned;
use url::Url;
use xynergy_core::ads::{
    AccountState, Activity, AdInsight, AdPlatform, AdWrite, Owner, OwnerLevel, OwnerState, WriteFailure,
};
use xynergy_core::config::{Secret, SecretSource};
use xynergy_core::env::{HttpRequest, HttpSend};
use xynergy_core::{Ctx, Currency, Error, ErrorKind, Result, Timestamp};

use super::activity::{self, ActivityRow};
use super::config::MetaConfig;
use super::error;
use super::insight::{self, InsightRow};
use super::request;
use super::wire::{self, AccountRow, MinimumRow, OwnerRow, Page};
use crate::http::api::{below, headers};
use crate::http::repeat_read;

/// How many pages a list may have: 100,000 objects.
const MAX_PAGES: usize = 500;

const MAX_RESPONSE_BYTES: usize = 16 * 1024 * 1024;

/// Meta as an [`AdPlatform`].
///
/// Account ids may be given with or without `act_`; they are answered with it. The days of
/// [`insights`](AdPlatform::insights) are those of the UTC dates, which Meta reads in the account's time zone.
#[derive(Clone, Debug)]
pub struct MetaAds {
    config: MetaConfig,
    base_url: Url,
    http: Arc<dyn HttpSend>,
    secrets: Arc<dyn SecretSource>,
    /// By account: the currency of an account never changes.
    currencies: Arc<Mutex<BTreeMap<String, Currency>>>,
}

struct Credentials {
    token: Secret,
    proof: Option<String>,
}

impl MetaAds {
    /// Meta as configured.
    ///
    /// # Errors
    /// Those of [`MetaConfig::validate`].
    pub fn new(config: MetaConfig, http: Arc<dyn HttpSend>, secrets: Arc<dyn SecretSource>) -> Result<Self> {
        config.validate()?;
        let base_url = below(&config.parsed_base_url()?, &config.version);
        Ok(Self { config, base_url, http, secrets, currencies: Arc::default() })
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
    async fn read<T: DeserializeOwned>(
        &self,
        ctx: &Ctx,
        operation: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T> {
        let body = repeat_read(ctx, || self.fetch(ctx, operation, path, query)).await?;
        wire::parse(&body, operation)
    }

    async fn fetch(
        &self,
        ctx: &Ctx,
        operation: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Bytes> {
        let Credentials { token, proof } = self.credentials(ctx).await?;
        let mut url = below(&self.base_url, path);
        let proof = proof.as_deref().map(|proof| ("appsecret_proof", proof));
        let query = request::form(query.iter().copied().chain(proof));
        url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
        let request = self.request(Method::GET, url, headers(ctx, &token, operation)?, Bytes::new());
        let sent = self.http.send(request).await;
        let response = sent.map_err(|failure| error::unanswered_read(failure, operation))?;
        match error::refusal(&response) {
            None => Ok(response.body),
            Some(refusal) => Err(refusal.of_read(operation)),
        }
    }

    /// All pages of a list.
    async fn list<T: DeserializeOwned>(
        &self,
        ctx: &Ctx,
        operation: &'static str,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<T>> {
        let endless = |message| Err(Error::new(ErrorKind::Unavailable, operation, message));
        let mut rows = Vec::new();
        let mut after: Option<String> = None;
        let mut seen = BTreeSet::new();
        for _ in 0..MAX_PAGES {
            let cursor = after.as_deref().map(|after| ("after", after));
            let query: Vec<_> =
                query.iter().copied().chain([("limit", request::PAGE)]).chain(cursor).collect();
            let page: Page<T> = self.read(ctx, operation, path, &query).await?;
            let next = page.next(operation)?;
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

    async fn currency(&self, ctx: &Ctx, operation: &'static str, number: &str) -> Result<Currency> {
        let known = self.currencies.lock().unwrap_or_else(PoisonError::into_inner).get(number).copied();
        if let Some(currency) = known {
            return Ok(currency);
        }
        let path = request::with_prefix(number);
        let row: AccountRow = self.read(ctx, operation, &path, &[("fields", "currency")]).await?;
        let currency = row.currency(operation)?;
        self.currencies.lock().unwrap_or_else(PoisonError::into_inner).insert(number.to_owned(), currency);
        Ok(currency)
    }

    /// One POST of one absolute value, sent once.
    async fn post(&self, ctx: &Ctx, write: &AdWrite, validate_only: bool) -> Result<(), WriteFailure> {
        const OPERATION: &str = "ads.set";
        let unsent = |error: Error| error::unsent_write(&error);
        let path = request::checked_id(&write.owner.id, "owner.id", OPERATION).map_err(unsent)?;
        let (name, value) = request::assignment(write)?;
        let Credentials { token, proof } = self.credentials(ctx).await.map_err(unsent)?;
        let mut headers = headers(ctx, &token, OPERATION).map_err(unsent)?;
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if !validate_only {
            name_attempt(&mut headers, write);
        }
        let options = validate_only.then_some(("execution_options", "[\"validate_only\"]"));
        let proof = proof.as_deref().map(|proof| ("appsecret_proof", proof));
        let form = request::form([(name, value.as_str())].into_iter().chain(options).chain(proof));
        let request = self.request(Method::POST, below(&self.base_url, path), headers, form.into());
        let response = self.http.send(request).await.map_err(|f| error::unanswered_write(&f))?;
        error::confirmed(&response)
    }

    fn request(&self, method: Method, url: Url, headers: HeaderMap, body: Bytes) -> HttpRequest {
        let timeout = Duration::from_millis(self.config.timeout_ms);
        HttpRequest { method, url, headers, body, timeout, max_response_bytes: MAX_RESPONSE_BYTES }
    }
}

#[async_trait]
impl AdPlatform for MetaAds {
    async fn account(&self, ctx: &Ctx, account_id: &str) -> Result<AccountState> {
        const OPERATION: &str = "ads.account";
        let number = request::account_number(account_id, OPERATION)?;
        let account_id = request::with_prefix(number);
        let currency = self.currency(ctx, OPERATION, number).await?;
        let path = format!("{account_id}/minimum_budgets");
        let minimums: Page<MinimumRow> = self.read(ctx, OPERATION, &path, &[]).await?;
        let minimum_daily_minor = wire::minimum(&minimums.data, currency, OPERATION)?;
        Ok(AccountState { account_id, currency, minimum_daily_minor })
    }

    async fn owner(&self, ctx: &Ctx, owner: &Owner) -> Result<OwnerState> {
        const OPERATION: &str = "ads.owner";
        let path = request::checked_id(&owner.id, "owner.id", OPERATION)?;
        let read_at = ctx.env.clock.now();
        let fields = [("fields", request::owner_fields(owner.level))];
        let row: OwnerRow = self
            .read(ctx, OPERATION, path, &fields)
            .await
            .map_err(|error| error.with_context("owner", owner.to_string()))?;
        let account_id = row.account_id();
        let number = request::account_number(&account_id, OPERATION)?;
        let currency = self.currency(ctx, OPERATION, number).await?;
        let state = row.into_state(owner.level, currency, read_at, OPERATION)?;
        if state.owner == *owner {
            return Ok(state);
        }
        Err(error::corrupt(OPERATION, "id: Meta answers for another object")
            .with_context("owner", owner.to_string()))
    }

    async fn owners(&self, ctx: &Ctx, account_id: &str) -> Result<Vec<OwnerState>> {
        const OPERATION: &str = "ads.owners";
        let number = request::account_number(account_id, OPERATION)?;
        let account = request::with_prefix(number);
        let currency = self.currency(ctx, OPERATION, number).await?;
        let read_at = ctx.env.clock.now();
        let mut owners = BTreeMap::new();
        for level in [OwnerLevel::AdSet, OwnerLevel::Campaign] {
            let path = format!("{account}/{}", request::owner_edge(level));
            let fields = [("fields", request::owner_fields(level))];
            let rows: Vec<OwnerRow> = self.list(ctx, OPERATION, &path, &fields).await?;
            for row in rows {
                let state = row.into_state(level, currency, read_at, OPERATION)?;
                if state.daily_budget_minor.is_some() {
                    owners.insert(state.owner.clone(), state);
                }
            }
        }
        Ok(owners.into_values().collect())
    }

    async fn set(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        self.post(ctx, write, false).await
    }

    async fn validate(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        self.post(ctx, write, true).await
    }

    async fn activities(
        &self,
        ctx: &Ctx,
        account_id: &str,
        owner: &Owner,
        since: Timestamp,
    ) -> Result<Vec<Activity>> {
        const OPERATION: &str = "ads.activities";
        let account = request::with_prefix(request::account_number(account_id, OPERATION)?);
        let Some(app_id) = &self.config.app_id else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                OPERATION,
                "without app_id it cannot be told whose an edit was: give the id of the access token's app",
            ));
        };
        let from = activity::whole_seconds(since).to_string();
        let query = [("fields", activity::FIELDS), ("since", from.as_str())];
        let rows: Vec<ActivityRow> =
            self.list(ctx, OPERATION, &format!("{account}/activities"), &query).await?;
        activity::of_owner(rows, owner, since, app_id, OPERATION)
    }

    async fn insights(
        &self,
        ctx: &Ctx,
        account_id: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AdInsight>> {
        const OPERATION: &str = "ads.insights";
        let number = request::account_number(account_id, OPERATION)?;
        let range = insight::time_range(since, until, OPERATION)?;
        let currency = self.currency(ctx, OPERATION, number).await?;
        let path = format!("{}/insights", request::with_prefix(number));
        let query = [("level", "ad"), ("fields", insight::FIELDS), ("time_range", range.as_str())];
        let rows: Vec<InsightRow> = self.list(ctx, OPERATION, &path, &query).await?;
        let mut insights = BTreeMap::new();
        for row in rows {
            let insight = row.into_insight(currency, OPERATION)?;
            insights.insert(insight.ad_id.clone(), insight);
        }
        Ok(insights.into_values().collect())
    }
}

/// Which attempt of which change a write is, for the logs on its way.
fn name_attempt(headers: &mut HeaderMap, write: &AdWrite) {
    if let Ok(id) = HeaderValue::from_str(&write.change_id.to_string()) {
        headers.insert(HeaderName::from_static("x-xynergy-change-id"), id);
    }
    headers.insert(HeaderName::from_static("x-xynergy-attempt"), HeaderValue::from(write.attempt));
}
