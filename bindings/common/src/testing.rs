//! The behaviour suites of the library's traits, for a host's own objects.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;
use xynergy::ads::Owner;
use xynergy::crm::{Contact, Crm, Deal};
use xynergy::secrets::{SecretRef, SecretSource};
use xynergy::{Ctx, Env, Error, ErrorKind, Result, TenantId};
use xynergy_core::conformance;

use crate::failure::Failure;
use crate::host::{
    EmbedderTraits, Host, HostAdPlatform, HostCache, HostClicks, HostCrm, HostEmbedder, HostProvider,
    HostRevenue, HostSecrets, HostState, ProviderTraits,
};
use crate::methods::read;
use crate::runtime::pool;

const OPERATION: &str = "testing.check";

/// A suite may take longer than a call: it makes many.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The names of the suites.
pub const SUITES: [&str; 9] = [
    "provider",
    "embedder",
    "cache",
    "secrets",
    "crm",
    "ad_platform",
    "state_store",
    "click_store",
    "revenue_store",
];

/// Runs the suite `name` against an object of the host's that is empty, and writes to it. `options` is JSON: for `provider` and `embedder` what it can do; for
/// `secrets` `{name, value}` of one that it has; for `crm` `{deals, contacts}` that it holds; for `ad_platform` `{account_id, owner}` of
/// an object with a daily budget.
///
/// # Errors
/// [`InvalidInput`](ErrorKind::InvalidInput) that says which behaviour differs.
pub async fn check(name: &str, host: Arc<dyn Host>, options: &str) -> std::result::Result<(), Failure> {
    let suite = suite(name, host, options)?;
    let checked = pool()?.handle().spawn(AssertUnwindSafe(suite).catch_unwind()).await;
    match checked {
        Ok(Ok(())) => Ok(()),
        Ok(Err(panic)) => Err(differs(name, &*panic).into()),
        Err(torn) => {
            Err(Error::new(ErrorKind::Unexpected, OPERATION, "the suite was torn").with_source(torn).into())
        }
    }
}

fn differs(name: &str, panic: &(dyn std::any::Any + Send)) -> Error {
    let said = panic.downcast_ref::<String>().cloned();
    let said =
        said.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default();
    Error::invalid(OPERATION, format!("{name}: it does not keep the contract: {}", said.trim()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownSecret {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownCrm {
    deals: BTreeMap<String, Deal>,
    contacts: BTreeMap<String, Contact>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownOwner {
    account_id: String,
    owner: Owner,
}

fn suite(name: &str, host: Arc<dyn Host>, options: &str) -> Result<BoxFuture<'static, ()>> {
    let ctx = Ctx::new(&Env::default(), TenantId::default());
    Ok(match name {
        "provider" => {
            let traits: ProviderTraits = read(OPERATION, options)?;
            let provider = HostProvider::new("checked", traits, host, TIMEOUT);
            async move { conformance::provider::suite(Arc::new(provider), &ctx).await }.boxed()
        }
        "embedder" => {
            let traits: EmbedderTraits = read(OPERATION, options)?;
            let embedder = HostEmbedder::new("checked", traits, host, TIMEOUT);
            async move { conformance::embedder::suite(Arc::new(embedder), &ctx).await }.boxed()
        }
        "cache" => conformance::cache::suite(Arc::new(HostCache::new(host, TIMEOUT))).boxed(),
        "secrets" => {
            let known: KnownSecret = read(OPERATION, options)?;
            secrets(HostSecrets::new(host, TIMEOUT), known).boxed()
        }
        "crm" => {
            let known: KnownCrm = read(OPERATION, options)?;
            let crm: Arc<dyn Crm> = Arc::new(HostCrm::new(host, TIMEOUT));
            async move { conformance::crm(&*crm, &ctx, &known.deals, &known.contacts).await }.boxed()
        }
        "ad_platform" => {
            let known: KnownOwner = read(OPERATION, options)?;
            let platform = HostAdPlatform::new(host, TIMEOUT);
            async move { conformance::ad_platform(&platform, &ctx, &known.account_id, &known.owner).await }
                .boxed()
        }
        "state_store" => {
            async move { conformance::state_store(&HostState::new(host, TIMEOUT)).await }.boxed()
        }
        "click_store" => {
            async move { conformance::click_store(&HostClicks::new(host, TIMEOUT)).await }.boxed()
        }
        "revenue_store" => {
            async move { conformance::revenue_store(&HostRevenue::new(host, TIMEOUT)).await }.boxed()
        }
        other => {
            let shown: String = other.chars().take(40).collect();
            let choices = SUITES.join(", ");
            return Err(Error::invalid(OPERATION, format!("{shown:?} is no suite; choose {choices}")));
        }
    })
}

#[allow(clippy::expect_used)]
async fn secrets(source: HostSecrets, known: KnownSecret) {
    let tenant = TenantId::default();
    let found =
        source.get(&tenant, &SecretRef::Env(known.name)).await.expect("a credential that it has is found");
    assert!(found.expose() == known.value, "the credential is the one that was put there");
    let absent = source.get(&tenant, &SecretRef::Env("XYNERGY_NO_SUCH_SECRET".to_owned())).await;
    let error = absent.expect_err("one that it lacks is not found");
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "one that it lacks is nothing, not an exception");
}
