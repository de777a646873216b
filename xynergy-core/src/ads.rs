//! What an ad platform looks like to this library: objects that own a budget, absolute writes, and a log of edits.

mod create;
mod insight;
mod memory;
mod object;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use create::create_once;
pub use insight::{AdDay, DayRange};
pub use memory::{MemoryPlatform, PlatformEffect, WriteFault};
pub use object::{
    AdObject, AdObjectKind, AdObjectPage, AdObjectQuery, AdObjectSpec, AdObjectUpdate, MAX_OBJECT_PAGE,
    field_names,
};

use crate::ctx::Ctx;
use crate::env::Timestamp;
use crate::error::{Error, Result};
use crate::execution::ChangeId;
use crate::money::{Currency, Minor};

/// Where a budget sits. No platform has one at an ad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OwnerLevel {
    /// An ad set with a budget of its own.
    AdSet,
    /// A campaign that divides its budget among its ad sets.
    Campaign,
}

impl OwnerLevel {
    /// The level's name as it is stored: `adset` or `campaign`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AdSet => "adset",
            Self::Campaign => "campaign",
        }
    }
}

impl FromStr for OwnerLevel {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "adset" => Ok(Self::AdSet),
            "campaign" => Ok(Self::Campaign),
            _ => {
                Err(Error::invalid("ads", "level: choose adset or campaign; an ad has no budget of its own"))
            }
        }
    }
}

/// The object whose budget a change moves.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Owner {
    /// Whether it is an ad set or a campaign.
    pub level: OwnerLevel,
    /// Its id on the platform.
    pub id: String,
}

impl Owner {
    /// The ad set `id`.
    pub fn ad_set(id: impl Into<String>) -> Self {
        Self { level: OwnerLevel::AdSet, id: id.into() }
    }

    /// The campaign `id`.
    pub fn campaign(id: impl Into<String>) -> Self {
        Self { level: OwnerLevel::Campaign, id: id.into() }
    }
}

impl fmt::Display for Owner {
    /// `adset:ID` or `campaign:ID`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.level.as_str(), self.id)
    }
}

/// What a change moves. Its values are integers: minor units for money, [`DeliveryStatus::code`] for a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeField {
    /// The bid, in minor units.
    Bid,
    /// The daily budget, in minor units.
    Budget,
    /// Active (1) or paused (0).
    Status,
}

impl ChangeField {
    /// The field's name as it is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bid => "bid",
            Self::Budget => "budget",
            Self::Status => "status",
        }
    }
}

impl FromStr for ChangeField {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "bid" => Ok(Self::Bid),
            "budget" => Ok(Self::Budget),
            "status" => Ok(Self::Status),
            _ => Err(Error::invalid("ads", "field: choose budget, status or bid")),
        }
    }
}

/// Whether an object is switched on, as its owner configured it.
///
/// An active ad set in a paused campaign is active: it spends as soon as the campaign does, and a total that is
/// checked before a raise counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryStatus {
    /// Switched on.
    Active,
    /// Archived, deleted, or in a state that cannot be switched.
    Ended,
    /// Switched off.
    Paused,
}

impl DeliveryStatus {
    /// The value that a change of [`ChangeField::Status`] carries: 1 for active, 0 for paused, -1 for ended.
    pub fn code(self) -> i64 {
        match self {
            Self::Active => 1,
            Self::Paused => 0,
            Self::Ended => -1,
        }
    }
}

/// A budget owner as the platform showed it at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnerState {
    /// Which object.
    pub owner: Owner,
    /// The account it is in.
    pub account_id: String,
    /// The campaign it is in; its own id for a campaign.
    pub campaign_id: String,
    /// Its name.
    pub name: String,
    /// The account's currency.
    pub currency: Currency,
    /// The daily budget; `None` where the object has none (a lifetime budget, or the budget is at the other level).
    pub daily_budget_minor: Option<Minor>,
    /// The budget for the object's whole life; `None` where it has none. No change moves it: it is no daily budget.
    #[serde(default)]
    pub lifetime_budget_minor: Option<Minor>,
    /// The bid, where one is set.
    pub bid_minor: Option<Minor>,
    /// Whether it is switched on.
    pub status: DeliveryStatus,
    /// Whether the platform is still learning whom to show it to: an edit may begin that anew.
    #[serde(default)]
    pub learning: bool,
    /// When it was asked for, by the caller's clock: the value is at least as new as this.
    pub read_at: Timestamp,
}

impl OwnerState {
    /// The value of a field as a change carries it; `None` where the object has no such value.
    pub fn value(&self, field: ChangeField) -> Option<i64> {
        match field {
            ChangeField::Bid => self.bid_minor,
            ChangeField::Budget => self.daily_budget_minor,
            ChangeField::Status => Some(self.status.code()),
        }
    }
}

/// An account as the platform showed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountState {
    /// Its id.
    pub account_id: String,
    /// Its currency.
    pub currency: Currency,
    /// The least daily budget that the platform accepts in that currency, where it says so.
    pub minimum_daily_minor: Option<Minor>,
}

/// One absolute write of one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdWrite {
    /// Which object.
    pub owner: Owner,
    /// What to set.
    pub field: ChangeField,
    /// To which value.
    pub value: i64,
    /// The change that it executes, for the platform's and the host's logs.
    pub change_id: ChangeId,
    /// Which of the change's attempts, from 1.
    pub attempt: u32,
}

/// What a failed write means for what may be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriteClass {
    /// It may have taken effect. Never to be repeated before the platform was read.
    Ambiguous,
    /// Nothing of it reached the platform.
    NotSent,
    /// The platform refused it as it stands; no effect.
    Rejected,
    /// The platform asks to slow down; no effect.
    Throttled,
    /// The credentials are missing, wrong or without the permission; no effect.
    Unauthorized,
}

/// What a platform that asks to slow down means by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThrottleScope {
    /// Every call to the account.
    #[default]
    Account,
    /// The changes of this one object.
    Owner,
}

/// Why a write did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct WriteFailure {
    /// What it means.
    pub class: WriteClass,
    /// When the platform says that it would listen again.
    pub retry_after: Option<Duration>,
    /// What a [`Throttled`](WriteClass::Throttled) covers; of no meaning for the other classes.
    pub scope: ThrottleScope,
    /// One line for a person, with the platform's codes and without credentials.
    pub message: String,
}

impl WriteFailure {
    /// A failure without a wish for when to come back.
    pub fn new(class: WriteClass, message: impl Into<String>) -> Self {
        Self { class, retry_after: None, scope: ThrottleScope::default(), message: message.into() }
    }
}

/// One entry of the platform's log of edits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Activity {
    /// When, by the platform's clock and in its precision.
    pub at: Timestamp,
    /// What was edited.
    pub field: ChangeField,
    /// The value before, where the log shows it.
    pub before: Option<i64>,
    /// The value after, where the log shows it.
    pub after: Option<i64>,
    /// Whether this library's application did it.
    pub own: bool,
}

/// What one ad did over a range of days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdInsight {
    /// The ad.
    pub ad_id: String,
    /// Its ad set.
    pub adset_id: String,
    /// Its campaign.
    pub campaign_id: String,
    /// How often it was shown.
    pub impressions: i64,
    /// How often it was clicked.
    pub clicks: i64,
    /// What it cost, in minor units of the account's currency.
    pub spend_minor: Minor,
}

/// An ad platform.
///
/// Reads may be repeated by the caller. A write is one request, never retried by the implementation: whoever
/// retries must know what became of the one before. Cancel safety: a read may be dropped; a write whose future is
/// dropped may or may not take effect.
#[async_trait]
pub trait AdPlatform: Send + Sync + fmt::Debug + 'static {
    /// The currency and the platform's own limits of an account.
    async fn account(&self, ctx: &Ctx, account_id: &str) -> Result<AccountState>;

    /// The budget owner now.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such object or it is not the tenant's to see.
    async fn owner(&self, ctx: &Ctx, owner: &Owner) -> Result<OwnerState>;

    /// Every object of the account that has a daily budget, by owner.
    async fn owners(&self, ctx: &Ctx, account_id: &str) -> Result<Vec<OwnerState>>;

    /// Sends one write, once. `Ok` means that the platform confirmed it.
    async fn set(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure>;

    /// Asks the platform whether it would accept the write; changes nothing.
    async fn validate(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure>;

    /// The edits of an owner since a time, oldest first.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) where the platform keeps no such log or cannot tell whose an
    /// edit was: what became of a lost write is then left to a person unless the value itself shows it.
    async fn activities(
        &self,
        ctx: &Ctx,
        account_id: &str,
        owner: &Owner,
        since: Timestamp,
    ) -> Result<Vec<Activity>>;

    /// What each ad of the account did from the day of `since` to the day of `until`, both included, by ad id.
    async fn insights(
        &self,
        ctx: &Ctx,
        account_id: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AdInsight>>;

    /// What each ad did on each day from the day of `since` to that of `until`, both included, by day and then ad id. Days on
    /// which an ad did nothing may be left out.
    ///
    /// The default asks [`insights`](Self::insights) for each day.
    async fn daily_insights(
        &self,
        ctx: &Ctx,
        account_id: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AdDay>> {
        let mut days = Vec::new();
        for (day, at) in DayRange::new(since, until)?.days() {
            let insights = self.insights(ctx, account_id, at, at).await?;
            days.extend(insights.into_iter().map(|insight| AdDay { day: day.clone(), insight }));
        }
        Ok(days)
    }

    /// An object, with further fields by the platform's names.
    ///
    /// # Errors
    /// [`NotFound`](crate::ErrorKind::NotFound) when there is no such object or it is not the tenant's to see;
    /// [`Unsupported`](crate::ErrorKind::Unsupported) where the platform's objects cannot be read here, as by default.
    async fn object(&self, ctx: &Ctx, kind: AdObjectKind, id: &str, fields: &[String]) -> Result<AdObject> {
        let _ = (ctx, kind, id, fields);
        Err(without("ads.get"))
    }

    /// One page of objects, in an order that stays the same while nothing is created.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) where the platform's objects cannot be read here, as by default.
    async fn objects(&self, ctx: &Ctx, query: &AdObjectQuery) -> Result<AdObjectPage> {
        let _ = (ctx, query);
        Err(without("ads.list"))
    }

    /// Creates an object, paused, by one request that is sent once. The platform keeps `nonce` with the object, so that
    /// [`find_created`](Self::find_created) finds it; whoever asks again does that first, as [`create_once`] does.
    ///
    /// # Errors
    /// [`Ambiguous`](crate::ErrorKind::Ambiguous) when it may have been created; every other error means that it was not.
    /// [`Unsupported`](crate::ErrorKind::Unsupported) where nothing can be created, as by default.
    async fn create_object(&self, ctx: &Ctx, spec: &AdObjectSpec, nonce: &str) -> Result<AdObject> {
        let _ = (ctx, spec, nonce);
        Err(without("ads.create"))
    }

    /// The object that [`create_object`](Self::create_object) created with a nonce, if the platform shows one.
    ///
    /// # Errors
    /// [`Unsupported`](crate::ErrorKind::Unsupported) where nothing can be created, as by default.
    async fn find_created(&self, ctx: &Ctx, spec: &AdObjectSpec, nonce: &str) -> Result<Option<AdObject>> {
        let _ = (ctx, spec, nonce);
        Err(without("ads.create"))
    }

    /// Sets fields of an object to absolute values, by one request that is sent once.
    ///
    /// # Errors
    /// [`Ambiguous`](crate::ErrorKind::Ambiguous) when it may have taken effect; the same update may be sent again, as it sets
    /// the same values. [`Unsupported`](crate::ErrorKind::Unsupported) where nothing can be updated, as by default.
    async fn update_object(&self, ctx: &Ctx, update: &AdObjectUpdate) -> Result<()> {
        let _ = (ctx, update);
        Err(without("ads.update"))
    }
}

fn without(operation: &'static str) -> Error {
    Error::new(
        crate::error::ErrorKind::Unsupported,
        operation,
        "this ad platform does not offer its campaigns, ad sets, ads, creatives and videos: use one that does, such as Meta",
    )
}
