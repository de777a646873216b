//! Where a store is.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use xynergy::secrets::{EnvSecrets, SecretSource};
use xynergy::{StoreConfig, Stores};

/// A store that a child can be told of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Place {
    /// A schema of a database.
    Postgres { url: String, schema: String },
    /// A file.
    Sqlite(PathBuf),
}

impl Place {
    /// Opens it on connections of its own.
    pub(crate) async fn open(&self) -> Stores {
        let secrets: Arc<dyn SecretSource> = Arc::new(EnvSecrets);
        Stores::open(&self.config(), &secrets).await.unwrap()
    }

    fn config(&self) -> StoreConfig {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres { url, schema } => {
                use xynergy::{DatabaseUrl, PostgresConfig};
                let mut config = PostgresConfig::new(DatabaseUrl::Text(url.clone()));
                config.schema.clone_from(schema);
                config.max_connections = 4;
                StoreConfig::Postgres(config)
            }
            #[cfg(not(feature = "postgres"))]
            Self::Postgres { .. } => panic!("it is built without the feature postgres"),
            Self::Sqlite(path) => StoreConfig::Sqlite { path: path.clone() },
        }
    }
}

/// The database for tests, if there is one: see tests/services.
#[cfg(feature = "postgres")]
pub(crate) fn database() -> Option<String> {
    let url = std::env::var("XYNERGY_TEST_POSTGRES").ok();
    if url.is_none() {
        assert!(
            std::env::var("CI").as_deref() != Ok("true"),
            "XYNERGY_TEST_POSTGRES: it is missing, and CI=true"
        );
        println!(
            "skipped: crashes on PostgreSQL: XYNERGY_TEST_POSTGRES names no server (tests/services start DIR)"
        );
    }
    url
}
