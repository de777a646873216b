//! Every store of the library in one schema of a PostgreSQL database, for many workers.
//!
//! Every connection is refused on which an acknowledged commit could be lost or whose transactions are not READ
//! COMMITTED: a guard waits for its locks first and must then see what the others did.

mod changes;
mod clicks;
mod config;
mod connect;
mod error;
mod kept;
mod migrate;
mod numbers;
mod revenue;
mod session;
mod spend;
mod state;
mod tls;
mod transaction;
mod values;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool_postgres::{Hook, HookError, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use xynergy_core::config::SecretSource;
use xynergy_core::{Error, ErrorKind, Result};

pub use config::{DatabaseUrl, PostgresConfig};
use connect::Connector;
use error::{Failure, from_postgres};
pub use migrate::{Schema, schema};

/// The stores in a PostgreSQL database. Clones share the connections.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
    config: Arc<PostgresConfig>,
    applied: Arc<[String]>,
    connector: Connector,
    wake: Arc<changes::wake::Wake>,
    spend: Arc<spend::Ledger>,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").field("config", &self.config).finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects, makes the schema when it is absent, and brings its tables to this version. Many workers may do so at
    /// once. The URL and the password are read from `secrets` for every new connection.
    ///
    /// # Errors
    /// [`ConfigInvalid`](ErrorKind::ConfigInvalid) for settings that cannot work or under which commits can be lost,
    /// [`Unauthorized`](ErrorKind::Unauthorized) for wrong credentials, [`Corrupt`](ErrorKind::Corrupt) for a schema of
    /// another program, [`Conflict`](ErrorKind::Conflict) for one that a newer version made incompatible, and
    /// [`Unavailable`](ErrorKind::Unavailable) when the server cannot be reached. Nothing is changed then.
    pub async fn open(config: &PostgresConfig, secrets: Arc<dyn SecretSource>) -> Result<Self> {
        let config = Arc::new(config.clone());
        let connector = Connector::new(config.clone(), secrets).await?;
        let applied = migrated(&connector, &config).await?;
        let pool = pool(&connector, &config)?;
        let store = Self {
            pool,
            config,
            applied: applied.into(),
            connector,
            wake: Arc::default(),
            spend: Arc::default(),
        };
        store.call("store.open", async |_| Ok(())).await?;
        Ok(store)
    }

    /// The names of the migrations that opening it applied; none when the tables were of this version already.
    pub fn applied(&self) -> &[String] {
        &self.applied
    }

    /// The schema that the tables are in.
    pub fn schema(&self) -> &str {
        &self.config.schema
    }

    /// A connection of the pool.
    async fn connection(&self) -> Result<Object, Failure> {
        Ok(self.pool.get().await?)
    }

    /// Runs `work`, which is one statement or only reads, on a connection. Cancel safety: a statement that was sent runs
    /// to its end.
    async fn call<T>(
        &self,
        operation: &'static str,
        work: impl AsyncFnOnce(&Object) -> Result<T, Failure>,
    ) -> Result<T> {
        let done = async { work(&self.connection().await?).await };
        done.await.map_err(|failure: Failure| failure.into_error(operation))
    }
}

/// Migrates on a connection of its own, which is closed afterwards.
async fn migrated(connector: &Connector, config: &PostgresConfig) -> Result<Vec<String>> {
    let patience = Duration::from_millis(config.connect_timeout_ms);
    let opened = tokio::time::timeout(patience, connector.open()).await.map_err(|_| {
        Error::new(
            ErrorKind::Unavailable,
            "store.open",
            "the database server did not answer within connect_timeout_ms",
        )
    })?;
    let (mut client, _task) = opened.map_err(|e| from_postgres("store.open", &e))?;
    let done = async {
        session::prepare(&client, config).await?;
        migrate::run(&mut client, config).await
    };
    done.await.map_err(|failure: Failure| failure.into_error("store.open"))
}

fn pool(connector: &Connector, config: &Arc<PostgresConfig>) -> Result<Pool> {
    let manager = Manager::from_connect(
        connector.first(),
        connector.clone(),
        ManagerConfig { recycling_method: RecyclingMethod::Fast },
    );
    let settings = config.clone();
    let prepare = Hook::async_fn(move |client: &mut deadpool_postgres::ClientWrapper, _| {
        let config = settings.clone();
        Box::pin(async move {
            session::prepare_pooled(client, &config).await.map_err(|failure| match failure {
                Failure::Postgres(error) => HookError::Backend(error),
                other => HookError::Message(other.into_error("store.open").message().to_owned().into()),
            })
        })
    });
    let patience = Duration::from_millis(config.connect_timeout_ms);
    let size = usize::try_from(config.max_connections).unwrap_or(usize::MAX);
    Pool::builder(manager)
        .max_size(size)
        .runtime(Runtime::Tokio1)
        .wait_timeout(Some(patience))
        .create_timeout(Some(patience))
        .post_create(prepare)
        .build()
        .map_err(|e| {
            Error::new(ErrorKind::Unexpected, "store.open", "the connections cannot be managed")
                .with_source(e)
        })
}
