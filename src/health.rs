//! How a client and what it depends on fare, found out by asking them.

mod resources;

use std::future::Future;
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt, join_all};
use xynergy_core::{Error, ErrorKind, Result, health};

pub use xynergy_core::health::{Health, HealthCheck, HealthDetail, HealthStatus, Performance, Resources};

pub(crate) use resources::Sampler;

use crate::scope::Scope;

const OPERATION: &str = "health";

/// What one check may take. All run at once, so that the whole answers within 5 s.
const LIMIT: Duration = Duration::from_secs(4);

/// Where the store's check writes, once a tenant.
const COLLECTION: &str = "health";

/// An id for a read whose answer does not matter, only that there is one.
#[cfg(feature = "attribution")]
const ANY_DEAL: &str = "1";

type Named<'a> = BoxFuture<'a, (String, HealthCheck)>;

impl Scope {
    /// How the client fares for this tenant: with its credentials, its documents and its breakers.
    ///
    /// Every check does something: the store writes and reads back a document, the cache is asked, the CRM and the ad
    /// platform are read, the breaker of each AI provider tells how the last calls went, and each canary route how far it is. All run at once and each has a
    /// limit of its own, so that the whole answers within 5 s whatever hangs. `degraded` means that a dependency is away,
    /// `unhealthy` that the store does not work.
    ///
    /// Cancel safety: dropping it leaves nothing behind but the store's document.
    pub async fn health(&self) -> Health {
        #[allow(unused_mut)] // With the stores alone there is nothing to add.
        let mut checks: Vec<Named<'_>> = vec![named(health::STORE, self.check_store())];
        #[cfg(feature = "attribution")]
        if let Some(crm) = &self.shared.crm {
            checks.push(named("crm", async {
                crm.deals(&self.ctx(), &[ANY_DEAL.to_owned()]).await.map(|_| HealthDetail::default())
            }));
        }
        #[cfg(feature = "execution")]
        if let Some(platform) = &self.shared.ad_platform {
            checks.push(named("ad_platform", self.check_ad_platform(&**platform)));
        }
        #[cfg(feature = "ai")]
        if let Some(ai) = &self.shared.ai {
            checks.push(named("cache", async {
                ai.probe_cache(&self.ctx()).await.map(|()| HealthDetail::default())
            }));
        }
        #[allow(unused_mut)] // Only AI adds to them.
        let mut checks: std::collections::BTreeMap<_, _> = join_all(checks).await.into_iter().collect();
        #[allow(unused_mut)]
        let mut performance = Performance::default();
        #[cfg(feature = "ai")]
        if let Some(ai) = &self.shared.ai {
            let breakers = ai.breakers(&self.ctx());
            for provider in ai.providers() {
                let own = breakers.iter().filter(|breaker| breaker.provider == *provider);
                checks.insert(format!("ai.{provider}"), HealthCheck::of_breakers(own));
            }
            for canary in ai.canaries() {
                checks.insert(format!("canary.{}", canary.route), HealthCheck::of_canary(canary));
            }
            performance = ai.performance();
        }
        Health::of("xynergy", checks, self.shared.sampler.sample(), performance)
    }

    async fn check_store(&self) -> Result<HealthDetail> {
        let ctx = self.ctx();
        let state = &self.stores().await?.state;
        let written = format!("{:016x}", ctx.env.entropy.next_u64());
        let version = state.put(&ctx.tenant, COLLECTION, "probe", None, &written).await?;
        let read = state.get(&ctx.tenant, COLLECTION, "probe").await?;
        // A later version is that of another check at the same time.
        let kept = read
            .is_some_and(|read| read.version > version || read.version == version && read.value == written);
        if kept {
            return Ok(HealthDetail::default());
        }
        Err(Error::new(ErrorKind::Corrupt, OPERATION, "the store does not show what was just written"))
    }

    #[cfg(feature = "execution")]
    async fn check_ad_platform(&self, platform: &dyn xynergy_core::ads::AdPlatform) -> Result<HealthDetail> {
        let account = self.shared.config.meta.as_ref().map(|meta| meta.account_id.as_str());
        match account.filter(|id| !id.is_empty()) {
            Some(account) => platform.account(&self.ctx(), account).await.map(|_| HealthDetail::default()),
            None => Ok(HealthDetail::note("nothing was asked: meta.account_id names no account to read")),
        }
    }
}

/// A check under its name, with its limit.
fn named<'a>(name: &'static str, work: impl Future<Output = Result<HealthDetail>> + Send + 'a) -> Named<'a> {
    async move {
        let started = Instant::now();
        let outcome = tokio::time::timeout(LIMIT, work).await.unwrap_or_else(|_| {
            let message = format!("no answer within {} s", LIMIT.as_secs());
            Err(Error::new(ErrorKind::Timeout, OPERATION, message))
        });
        (name.to_owned(), HealthCheck::made(outcome, started.elapsed()))
    }
    .boxed()
}
