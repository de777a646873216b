//! Where a store is.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use xynergy::StoreConfig;

/// A store that a child can be told of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Place {
    Sqlite(PathBuf),
}

impl Place {
    pub(crate) fn config(&self) -> StoreConfig {
        match self {
            Self::Sqlite(path) => StoreConfig::Sqlite { path: path.clone() },
        }
    }
}
