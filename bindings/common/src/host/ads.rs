use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;
use xynergy::ads::{
    AccountState, Activity, AdInsight, AdPlatform, AdWrite, Owner, OwnerState, WriteClass, WriteFailure,
};
use xynergy::{Ctx, Error, ErrorKind, Result, Retry, Timestamp};

use super::{CallContext, Host, Seat};

/// An ad platform of the host's.
#[derive(Clone, Debug)]
pub struct HostAdPlatform(Seat);

impl HostAdPlatform {
    /// The platform behind `host`.
    pub fn new(host: Arc<dyn Host>, timeout: Duration) -> Self {
        Self(Seat::new("ad_platform", host, timeout))
    }

    async fn send(&self, ctx: &Ctx, method: &'static str, write: &AdWrite) -> Result<(), WriteFailure> {
        let sent = self.0.call::<serde::de::IgnoredAny>(method, &Write { ctx: ctx.into(), write }).await;
        sent.map(drop).map_err(|error| WriteFailure {
            retry_after: match error.retry() {
                Retry::After(after) => Some(after),
                _ => None,
            },
            ..WriteFailure::new(class_of(&error), error.message())
        })
    }
}

/// What a host's error means for a write. Whatever does not say that nothing was sent may have taken effect.
fn class_of(error: &Error) -> WriteClass {
    match error.kind() {
        ErrorKind::Unauthorized => WriteClass::Unauthorized,
        ErrorKind::Throttled => WriteClass::Throttled,
        ErrorKind::Rejected | ErrorKind::InvalidInput | ErrorKind::NotFound | ErrorKind::Unsupported => {
            WriteClass::Rejected
        }
        _ => WriteClass::Ambiguous,
    }
}

#[derive(Serialize)]
struct OfAccount<'a> {
    ctx: CallContext,
    account_id: &'a str,
}

#[derive(Serialize)]
struct OfOwner<'a> {
    ctx: CallContext,
    owner: &'a Owner,
}

#[derive(Serialize)]
struct Write<'a> {
    ctx: CallContext,
    write: &'a AdWrite,
}

#[derive(Serialize)]
struct Activities<'a> {
    ctx: CallContext,
    account_id: &'a str,
    owner: &'a Owner,
    since: Timestamp,
}

#[derive(Serialize)]
struct Insights<'a> {
    ctx: CallContext,
    account_id: &'a str,
    since: Timestamp,
    until: Timestamp,
}

#[async_trait]
impl AdPlatform for HostAdPlatform {
    async fn account(&self, ctx: &Ctx, account_id: &str) -> Result<AccountState> {
        self.0.call("account", &OfAccount { ctx: ctx.into(), account_id }).await
    }

    async fn owner(&self, ctx: &Ctx, owner: &Owner) -> Result<OwnerState> {
        self.0.call("owner", &OfOwner { ctx: ctx.into(), owner }).await
    }

    async fn owners(&self, ctx: &Ctx, account_id: &str) -> Result<Vec<OwnerState>> {
        self.0.call("owners", &OfAccount { ctx: ctx.into(), account_id }).await
    }

    async fn set(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        self.send(ctx, "set", write).await
    }

    async fn validate(&self, ctx: &Ctx, write: &AdWrite) -> Result<(), WriteFailure> {
        self.send(ctx, "validate", write).await
    }

    async fn activities(
        &self,
        ctx: &Ctx,
        account_id: &str,
        owner: &Owner,
        since: Timestamp,
    ) -> Result<Vec<Activity>> {
        self.0.call("activities", &Activities { ctx: ctx.into(), account_id, owner, since }).await
    }

    async fn insights(
        &self,
        ctx: &Ctx,
        account_id: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<AdInsight>> {
        self.0.call("insights", &Insights { ctx: ctx.into(), account_id, since, until }).await
    }
}
