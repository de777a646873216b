//! What this process did and what is still to be done, as figures.

use xynergy_core::{Result, metrics};

pub use xynergy_core::metrics::{AiMetrics, CONTENT_TYPE, Ended};

use crate::client::Client;

/// What reading the store may take, so that a scrape is answered while it hangs.
#[cfg(feature = "execution")]
const LIMIT: std::time::Duration = std::time::Duration::from_secs(4);

impl Client {
    /// The figures of this client in Prometheus' text format, whose media type is [`CONTENT_TYPE`]: counters of what its
    /// executors and AI calls did in this process, and what the store has still to be done for all tenants together. No label
    /// names a tenant, an account or an object. `docs/observing.md` lists the figures of AI calls.
    ///
    /// The store is asked once a tenant that has changes. When it cannot be read within 4 s, `xynergy_store_up` is 0
    /// and the figures of this process stand alone.
    ///
    /// # Errors
    /// None but a defect's.
    pub async fn metrics(&self) -> Result<String> {
        let shared = &self.shared;
        #[cfg(feature = "ai")]
        let ai = shared.ai.as_ref();
        #[cfg(not(feature = "ai"))]
        let ai = None;
        #[cfg(feature = "execution")]
        let outstanding = tokio::time::timeout(LIMIT, self.outstanding()).await.ok().and_then(Result::ok);
        #[cfg(feature = "execution")]
        let changes = Some((&shared.metrics, outstanding.as_ref()));
        #[cfg(not(feature = "execution"))]
        let changes = None;
        metrics::text(changes, ai, shared.env.clock.now())
    }

    #[cfg(feature = "execution")]
    async fn outstanding(&self) -> Result<metrics::Outstanding> {
        let changes = &self.stores().await?.changes;
        let mut outstanding = metrics::Outstanding::default();
        let mut tenants = changes.tenants().await?;
        // Its switches, and the global one, are on also where nothing was ever queued.
        if !tenants.contains(self.tenant()) {
            tenants.push(self.tenant().clone());
        }
        for tenant in tenants {
            let (backlog, kills) = (changes.backlog(&tenant).await?, changes.kills(&tenant).await?);
            outstanding.add(tenant.as_str(), &backlog, kills);
        }
        Ok(outstanding)
    }
}
