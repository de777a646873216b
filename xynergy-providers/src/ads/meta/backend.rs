use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use xynergy_core::ads::{
    AccountState, Activity, AdDay, AdInsight, AdObject, AdObjectKind, AdObjectPage, AdObjectQuery,
    AdObjectSpec, AdObjectUpdate, AdPlatform, AdWrite, DayRange, DeliveryStatus, Owner, OwnerLevel,
    OwnerState, WriteFailure, field_names,
};
use xynergy_core::config::SecretSource;
use xynergy_core::env::HttpSend;
use xynergy_core::{Ctx, Currency, Error, ErrorKind, Result, Timestamp};

use super::activity::{self, ActivityRow};
use super::client::{Ask, Client, Unsent};
use super::config::MetaConfig;
use super::error;
use super::insight::{self, InsightRow};
use super::object::{self, ObjectRow};
use super::request;
use super::wire::{self, AccountRow, MinimumRow, OwnerRow, Page};

/// Meta as an [`AdPlatform`].
///
/// Account ids may be given with or without `act_`; they are answered with it. The days of
/// [`insights`](AdPlatform::insights) are those of the UTC dates, which Meta reads in the account's time zone. Clones share
/// what is known of the quotas.
#[derive(Clone, Debug)]
pub struct MetaAds {
    client: Arc<Client>,
    /// By account: the currency of an account never changes.
    currencies: Arc<Mutex<BTreeMap<String, Currency>>>,
}

impl MetaAds {
    /// Meta as configured.
    ///
    /// # Errors
    /// Those of [`MetaConfig::validate`].
    pub fn new(config: MetaConfig, http: Arc<dyn HttpSend>, secrets: Arc<dyn SecretSource>) -> Result<Self> {
        Ok(Self { client: Arc::new(Client::new(config, http, secrets)?), currencies: Arc::default() })
    }

    async fn currency(&self, ctx: &Ctx, operation: &'static str, number: &str) -> Result<Currency> {
        let known = self.currencies.lock().unwrap_or_else(PoisonError::into_inner).get(number).copied();
        if let Some(currency) = known {
            return Ok(currency);
        }
        let path = request::with_prefix(number);
        let parameters = [("fields", "currency")];
        let ask = Ask { operation, path: &path, parameters: &parameters, account: Some(number) };
        let row: AccountRow = self.client.read(ctx, ask).await?;
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
        let further = (!validate_only).then(|| attempt(write));
        let options = validate_only.then_some(("execution_options", "[\"validate_only\"]"));
        let parameters: Vec<_> = [(name, value.as_str())].into_iter().chain(options).collect();
        let account = self.client.pace.account_of(&ctx.tenant, path);
        let ask = Ask { operation: OPERATION, path, parameters: &parameters, account: account.as_deref() };
        let sent = self.client.send(ctx, Method::POST, ask, further, false).await;
        error::confirmed(&sent.map_err(Unsent::of_write)?)
    }

    /// Rows of insights: at once where they are few, else by a report.
    async fn rows(&self, ctx: &Ctx, number: &str, range: DayRange, daily: bool) -> Result<Vec<InsightRow>> {
        const OPERATION: &str = "ads.insights";
        let path = format!("{}/insights", request::with_prefix(number));
        let time_range = insight::time_range(range);
        let mut parameters =
            vec![("level", "ad"), ("fields", insight::FIELDS), ("time_range", time_range.as_str())];
        if daily {
            parameters.push(("time_increment", "1"));
        }
        let ask = Ask { operation: OPERATION, path: &path, parameters: &parameters, account: Some(number) };
        if range.len() <= usize::try_from(self.client.config.insights_sync_days).unwrap_or(usize::MAX) {
            match self.client.list(ctx, ask).await {
                Err(error) if error::is_too_much(&error) => {}
                rows => return rows,
            }
        }
        self.client.report(ctx, ask).await
    }

    /// What a kind's id shows; an error of another kind's id is that there is no such object.
    async fn shown(
        &self,
        ctx: &Ctx,
        operation: &'static str,
        (kind, id): (AdObjectKind, &str),
        fields: &[String],
    ) -> Result<AdObject> {
        let path = request::checked_id(id, "id", operation)?;
        let account = self.client.pace.account_of(&ctx.tenant, path);
        let asked = object::fields(kind, fields);
        let parameters = [("fields", asked.as_str())];
        let ask = Ask { operation, path, parameters: &parameters, account: account.as_deref() };
        let row: ObjectRow = self
            .client
            .read(ctx, ask)
            .await
            .map_err(|error| error.with_context("object", format!("{kind}:{id}")))?;
        let shown = row.into_object(kind, fields, None, operation)?;
        if shown.id != id {
            return Err(error::corrupt(operation, "id: Meta answers for another object"));
        }
        if let Some(number) = shown.account_id.strip_prefix("act_") {
            self.client.pace.remember(&ctx.tenant, id, number);
        }
        Ok(shown)
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
        let ask = Ask { operation: OPERATION, path: &path, parameters: &[], account: Some(number) };
        let minimums: Page<MinimumRow> = self.client.read(ctx, ask).await?;
        let minimum_daily_minor = wire::minimum(&minimums.data, currency, OPERATION)?;
        Ok(AccountState { account_id, currency, minimum_daily_minor })
    }

    async fn owner(&self, ctx: &Ctx, owner: &Owner) -> Result<OwnerState> {
        const OPERATION: &str = "ads.owner";
        let path = request::checked_id(&owner.id, "owner.id", OPERATION)?;
        let read_at = ctx.env.clock.now();
        let fields = [("fields", request::owner_fields(owner.level))];
        let account = self.client.pace.account_of(&ctx.tenant, path);
        let ask = Ask { operation: OPERATION, path, parameters: &fields, account: account.as_deref() };
        let row: OwnerRow = self
            .client
            .read(ctx, ask)
            .await
            .map_err(|error| error.with_context("owner", owner.to_string()))?;
        let account_id = row.account_id();
        let number = request::account_number(&account_id, OPERATION)?;
        self.client.pace.remember(&ctx.tenant, path, number);
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
            let ask = Ask { operation: OPERATION, path: &path, parameters: &fields, account: Some(number) };
            let rows: Vec<OwnerRow> = self.client.list(ctx, ask).await?;
            for row in rows {
                let state = row.into_state(level, currency, read_at, OPERATION)?;
                self.client.pace.remember(&ctx.tenant, &state.owner.id, number);
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
        let number = request::account_number(account_id, OPERATION)?;
        let Some(app_id) = &self.client.config.app_id else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                OPERATION,
                "without app_id it cannot be told whose an edit was: give the id of the access token's app",
            ));
        };
        let from = activity::whole_seconds(since).to_string();
        let parameters = [("fields", activity::FIELDS), ("since", from.as_str())];
        let path = format!("{}/activities", request::with_prefix(number));
        let ask = Ask { operation: OPERATION, path: &path, parameters: &parameters, account: Some(number) };
        let rows: Vec<ActivityRow> = self.client.list(ctx, ask).await?;
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
        let range = DayRange::new(since, until)?;
        let currency = self.currency(ctx, OPERATION, number).await?;
        let mut insights = BTreeMap::new();
        for row in self.rows(ctx, number, range, false).await? {
            let insight = row.into_insight(currency, OPERATION)?;
            insights.insert(insight.ad_id.clone(), insight);
        }
        Ok(insights.into_values().collect())
    }

    async fn daily_insights(
        &self,
        ctx: &Ctx,
        account_id: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AdDay>> {
        const OPERATION: &str = "ads.insights";
        let number = request::account_number(account_id, OPERATION)?;
        let range = DayRange::new(since, until)?;
        let currency = self.currency(ctx, OPERATION, number).await?;
        let mut days = BTreeMap::new();
        for row in self.rows(ctx, number, range, true).await? {
            let day = row.into_day(currency, range, OPERATION)?;
            days.insert((day.day.clone(), day.insight.ad_id.clone()), day);
        }
        Ok(days.into_values().collect())
    }

    async fn object(&self, ctx: &Ctx, kind: AdObjectKind, id: &str, fields: &[String]) -> Result<AdObject> {
        const OPERATION: &str = "ads.get";
        field_names(fields, OPERATION)?;
        self.shown(ctx, OPERATION, (kind, id), fields).await
    }

    async fn objects(&self, ctx: &Ctx, query: &AdObjectQuery) -> Result<AdObjectPage> {
        const OPERATION: &str = "ads.list";
        let limit = query.validate()?.to_string();
        object::check_parent(query.kind, query.parent_id.as_deref())?;
        let number = request::account_number(&query.account_id, OPERATION)?;
        let account = request::with_prefix(number);
        let parent = match &query.parent_id {
            Some(id) => request::checked_id(id, "parent_id", OPERATION)?,
            None => &account,
        };
        let path = format!("{parent}/{}", object::edge(query.kind));
        let fields = object::fields(query.kind, &query.fields);
        let mut parameters = vec![("fields", fields.as_str()), ("limit", limit.as_str())];
        parameters.extend(query.after.as_deref().map(|after| ("after", after)));
        let ask = Ask { operation: OPERATION, path: &path, parameters: &parameters, account: Some(number) };
        let page: Page<ObjectRow> = self.client.read(ctx, ask).await?;
        let next = page.next(OPERATION)?;
        let rows = page.data.into_iter();
        let objects = rows
            .map(|row| row.into_object(query.kind, &query.fields, Some(&account), OPERATION))
            .collect::<Result<_>>()?;
        Ok(AdObjectPage { objects, next })
    }

    async fn create_object(&self, ctx: &Ctx, spec: &AdObjectSpec, nonce: &str) -> Result<AdObject> {
        const OPERATION: &str = "ads.create";
        spec.validate()?;
        let number = request::account_number(&spec.account_id, OPERATION)?;
        let account_id = request::with_prefix(number);
        let path = format!("{account_id}/{}", object::edge(spec.kind));
        let form = object::create_form(spec, nonce);
        let parameters: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let ask = Ask { operation: OPERATION, path: &path, parameters: &parameters, account: Some(number) };
        let sent = self.client.send(ctx, Method::POST, ask, None, false).await;
        let response = sent.map_err(|unsent| unsent.of_object(OPERATION))?;
        if let Some(refusal) = error::refusal(&response) {
            return Err(refusal.of_object(OPERATION));
        }
        let id = object::created_id(&response.body).ok_or_else(|| error::unconfirmed(OPERATION))?;
        self.client.pace.remember(&ctx.tenant, &id, number);
        Ok(AdObject {
            kind: spec.kind,
            id,
            account_id,
            name: spec.tagged_name(nonce),
            status: spec.kind.is_delivered().then_some(DeliveryStatus::Paused),
            fields: spec.fields.clone(),
        })
    }

    async fn find_created(&self, ctx: &Ctx, spec: &AdObjectSpec, nonce: &str) -> Result<Option<AdObject>> {
        const OPERATION: &str = "ads.create";
        let number = request::account_number(&spec.account_id, OPERATION)?;
        let account_id = request::with_prefix(number);
        let path = format!("{account_id}/{}", object::edge(spec.kind));
        let fields = object::fields(spec.kind, &[]);
        let lookup = object::lookup(spec, nonce);
        let narrowed = lookup.iter().map(|(name, value)| (*name, value.as_str()));
        let parameters: Vec<_> = [("fields", fields.as_str())].into_iter().chain(narrowed).collect();
        let ask = Ask { operation: OPERATION, path: &path, parameters: &parameters, account: Some(number) };
        let rows: Vec<ObjectRow> = self.client.list(ctx, ask).await?;
        let tag = AdObjectSpec::tag(nonce);
        for row in rows {
            let found = row.into_object(spec.kind, &[], Some(&account_id), OPERATION)?;
            if found.name.ends_with(&tag) {
                return Ok(Some(AdObject { fields: spec.fields.clone(), ..found }));
            }
        }
        Ok(None)
    }

    async fn update_object(&self, ctx: &Ctx, update: &AdObjectUpdate) -> Result<()> {
        const OPERATION: &str = "ads.update";
        update.validate()?;
        // Meta takes an id of any kind, and might set something else than was meant.
        self.shown(ctx, OPERATION, (update.kind, &update.id), &[]).await?;
        let name = update.name.iter().map(|name| (object::name_field(update.kind).to_owned(), name.clone()));
        let form: Vec<(String, String)> = name.chain(object::set(&update.fields)).collect();
        let parameters: Vec<_> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let account = self.client.pace.account_of(&ctx.tenant, &update.id);
        let ask = Ask {
            operation: OPERATION,
            path: &update.id,
            parameters: &parameters,
            account: account.as_deref(),
        };
        let sent = self.client.send(ctx, Method::POST, ask, None, false).await;
        let response = sent.map_err(|unsent| unsent.of_object(OPERATION))?;
        match error::refusal(&response) {
            Some(refusal) => Err(refusal.of_object(OPERATION)),
            None if error::says_success(&response) => Ok(()),
            None => Err(error::unconfirmed(OPERATION)),
        }
    }
}

/// Which attempt of which change a write is, for the logs on its way.
fn attempt(write: &AdWrite) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(id) = HeaderValue::from_str(&write.change_id.to_string()) {
        headers.insert(HeaderName::from_static("x-xynergy-change-id"), id);
    }
    headers.insert(HeaderName::from_static("x-xynergy-attempt"), HeaderValue::from(write.attempt));
    headers
}
