use std::sync::Arc;

use tokio_postgres::{Client, NoTls};
use xynergy_core::config::EnvSecrets;
use xynergy_core::env::{Entropy, SystemEntropy};
use xynergy_providers::store::postgres::{DatabaseUrl, PostgresConfig, PostgresStore};

/// A schema of a test's own in the test server, dropped with it.
pub(crate) struct Place {
    pub(crate) config: PostgresConfig,
}

impl Place {
    /// A schema that does not exist yet; none, and a line that says so, where there is no server.
    pub(crate) fn new() -> Option<Self> {
        let Ok(url) = std::env::var("XYNERGY_TEST_POSTGRES") else {
            println!("skipped: XYNERGY_TEST_POSTGRES is not set (tests/services start DIR)");
            return None;
        };
        let mut random = [0; 8];
        SystemEntropy.fill(&mut random);
        let schema = format!("test_{:016x}", u64::from_le_bytes(random));
        let url = DatabaseUrl::Text(format!("{url}?application_name={schema}"));
        Some(Self { config: PostgresConfig { schema, ..PostgresConfig::new(url) } })
    }

    /// The place, and a store that is open in it.
    pub(crate) async fn with_store() -> Option<(Self, PostgresStore)> {
        let place = Self::new()?;
        let store = place.open().await;
        Some((place, store))
    }

    /// Another store in it, as another worker opens one.
    pub(crate) async fn open(&self) -> PostgresStore {
        PostgresStore::open(&self.config, Arc::new(EnvSecrets)).await.unwrap()
    }

    fn url(&self) -> String {
        let DatabaseUrl::Text(url) = &self.config.url else { unreachable!("tests write their URL") };
        url.clone()
    }

    /// A plain connection, with the schema's names in reach.
    pub(crate) async fn client(&self) -> Client {
        let (client, connection) = tokio_postgres::connect(&self.url(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("SET search_path TO \"{}\"", self.config.schema)).await.unwrap();
        client
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let (url, schema) = (self.url(), self.config.schema.clone());
        // On a thread of its own: a test that failed is dropped inside its runtime.
        let dropped = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
                tokio::spawn(connection);
                // The runtime that this stops may have no time to close what it has open.
                let ours = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                            WHERE application_name = $1 AND pid <> pg_backend_pid()";
                client.execute(ours, &[&schema]).await?;
                client.batch_execute(&format!("DROP SCHEMA IF EXISTS \"{schema}\" CASCADE")).await
            })
        });
        if !matches!(dropped.join(), Ok(Ok(()))) && !std::thread::panicking() {
            println!("the schema {} could not be dropped", self.config.schema);
        }
    }
}
