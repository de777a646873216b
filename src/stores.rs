//! The stores of a client.

use std::sync::Arc;

use tokio::sync::OnceCell;
use xynergy_core::Result;
#[cfg(feature = "ai")]
use xynergy_core::spend::{MemoryLedger, SpendLedger};
#[cfg(feature = "execution")]
use xynergy_core::store::ChangeStore;
use xynergy_core::store::memory;
use xynergy_core::store::{ClickStore, RevenueStore, StateStore};

use xynergy_core::config::SecretSource;

use crate::config::StoreConfig;

/// Where a client keeps what must outlive a call. One backend may serve as all of them.
#[derive(Clone, Debug)]
pub struct Stores {
    /// Small versioned documents.
    pub state: Arc<dyn StateStore>,
    /// Ad clicks.
    pub clicks: Arc<dyn ClickStore>,
    /// CRM events, matches and the revenue ledger.
    pub revenue: Arc<dyn RevenueStore>,
    /// Budget changes and their audit trail.
    #[cfg(feature = "execution")]
    pub changes: Arc<dyn ChangeStore>,
    /// The account of AI spend.
    #[cfg(feature = "ai")]
    pub spend: Arc<dyn SpendLedger>,
}

/// The stores of a configuration, opened at their first use.
#[derive(Debug)]
pub(crate) struct Opener {
    config: StoreConfig,
    secrets: Arc<dyn SecretSource>,
    stores: OnceCell<Stores>,
}

impl Opener {
    /// Opens what the configuration names, unless the host has opened `stores`.
    pub(crate) fn new(config: StoreConfig, secrets: Arc<dyn SecretSource>, stores: Option<Stores>) -> Self {
        let stores = stores.map(|stores| OnceCell::new_with(Some(stores))).unwrap_or_default();
        Self { config, secrets, stores }
    }

    pub(crate) async fn get(&self) -> Result<&Stores> {
        self.stores.get_or_try_init(|| Stores::open(&self.config, &self.secrets)).await
    }

    /// Those that are open already.
    #[cfg(feature = "ai")]
    pub(crate) fn opened(&self) -> Option<&Stores> {
        self.stores.get()
    }

    /// Opens them if they are not open yet; the names of the migrations that this applied.
    pub(crate) async fn open(&self) -> Result<Vec<String>> {
        let mut applied = Vec::new();
        self.stores
            .get_or_try_init(|| async {
                let (stores, now_applied) = Stores::open_applying(&self.config, &self.secrets).await?;
                applied = now_applied;
                Ok::<_, xynergy_core::Error>(stores)
            })
            .await?;
        Ok(applied)
    }
}

impl Stores {
    /// Stores that are gone with the process.
    pub fn memory() -> Self {
        Self {
            state: Arc::new(memory::MemoryState::default()),
            clicks: Arc::new(memory::MemoryClicks::default()),
            revenue: Arc::new(memory::MemoryRevenue::default()),
            #[cfg(feature = "execution")]
            changes: Arc::new(memory::MemoryChanges::default()),
            #[cfg(feature = "ai")]
            spend: Arc::new(MemoryLedger::default()),
        }
    }

    /// All stores in one backend.
    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    fn all<S: Backend>(store: &Arc<S>) -> Self {
        Self {
            state: store.clone(),
            clicks: store.clone(),
            revenue: store.clone(),
            #[cfg(feature = "execution")]
            changes: store.clone(),
            #[cfg(feature = "ai")]
            spend: store.clone(),
        }
    }

    /// Opens what the configuration names, and brings its tables to this version. `secrets` has the credentials of a
    /// database server.
    ///
    /// # Errors
    /// The store cannot be opened, is of another program, or of a newer version; it is left as it was.
    pub async fn open(config: &StoreConfig, secrets: &Arc<dyn SecretSource>) -> Result<Self> {
        Ok(Self::open_applying(config, secrets).await?.0)
    }

    /// The stores, and the names of the migrations that opening them applied.
    pub(crate) async fn open_applying(
        config: &StoreConfig,
        secrets: &Arc<dyn SecretSource>,
    ) -> Result<(Self, Vec<String>)> {
        let _ = secrets;
        match config {
            StoreConfig::Memory => Ok((Self::memory(), Vec::new())),
            #[cfg(feature = "sqlite")]
            StoreConfig::Sqlite { path } => {
                let store = xynergy_providers::store::sqlite::SqliteStore::open(path).await?;
                let applied = store.applied().to_vec();
                Ok((Self::all(&Arc::new(store)), applied))
            }
            #[cfg(feature = "postgres")]
            StoreConfig::Postgres(config) => {
                use xynergy_providers::store::postgres::PostgresStore;
                let store = Box::pin(PostgresStore::open(config, secrets.clone())).await?;
                let applied = store.applied().to_vec();
                Ok((Self::all(&Arc::new(store)), applied))
            }
        }
    }
}

/// What is all stores at once.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
trait Backend: StateStore + ClickStore + RevenueStore + Changes + Account {}
#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl<S: StateStore + ClickStore + RevenueStore + Changes + Account> Backend for S {}

#[cfg(all(any(feature = "sqlite", feature = "postgres"), feature = "execution"))]
use xynergy_core::store::ChangeStore as Changes;
#[cfg(all(any(feature = "sqlite", feature = "postgres"), not(feature = "execution")))]
use xynergy_core::store::StateStore as Changes;

#[cfg(all(any(feature = "sqlite", feature = "postgres"), feature = "ai"))]
use xynergy_core::spend::SpendLedger as Account;
#[cfg(all(any(feature = "sqlite", feature = "postgres"), not(feature = "ai")))]
use xynergy_core::store::StateStore as Account;
