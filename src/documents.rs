//! Documents of the state store that many workers change at once.

use serde::Serialize;
use serde::de::DeserializeOwned;
use xynergy_core::{Error, ErrorKind, Result};

use crate::scope::Scope;

/// So many others in a row may be first before this worker gives up.
const MOST_CONFLICTS: usize = 1000;

/// A document and its version, 0 where there is none.
pub(crate) async fn read<T: DeserializeOwned>(
    scope: &Scope,
    operation: &'static str,
    collection: &str,
    key: &str,
) -> Result<(Option<T>, u64)> {
    match scope.stores().await?.state.get(scope.tenant(), collection, key).await? {
        None => Ok((None, 0)),
        Some(document) => Ok((Some(parsed(operation, &document.value)?), document.version)),
    }
}

/// The documents of a collection whose keys begin with `prefix`.
pub(crate) async fn list<T: DeserializeOwned>(
    scope: &Scope,
    operation: &'static str,
    collection: &str,
    prefix: &str,
) -> Result<Vec<(String, T)>> {
    let stored = scope.stores().await?.state.list(scope.tenant(), collection).await?;
    stored
        .into_iter()
        .filter(|(key, _)| key.starts_with(prefix))
        .map(|(key, document)| Ok((key, parsed(operation, &document.value)?)))
        .collect()
}

/// Writes a document where its version is still `expected`; whether it was.
pub(crate) async fn write<T: Serialize>(
    scope: &Scope,
    operation: &'static str,
    collection: &str,
    key: &str,
    expected: u64,
    value: &T,
) -> Result<bool> {
    let text = serde_json::to_string(value).map_err(|e| {
        Error::new(ErrorKind::Unexpected, operation, "the document cannot be written").with_source(e)
    })?;
    match scope.stores().await?.state.put(scope.tenant(), collection, key, Some(expected), &text).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Conflict => Ok(false),
        Err(error) => Err(error),
    }
}

/// Changes a document by compare-and-swap: `change` gets what is stored and says what is to be (nothing to leave it) and what to answer.
/// It is asked again when another worker was first, so that no change is lost.
///
/// # Errors
/// Those of `change` and of the store; `conflict` when a thousand others were first in a row.
pub(crate) async fn update<T, R>(
    scope: &Scope,
    operation: &'static str,
    collection: &str,
    key: &str,
    change: impl Fn(Option<T>) -> Result<(Option<T>, R)> + Send,
) -> Result<R>
where
    T: Serialize + DeserializeOwned + Send + Sync,
    R: Send,
{
    for _ in 0..MOST_CONFLICTS {
        let (stored, version) = read(scope, operation, collection, key).await?;
        let (next, answer) = change(stored)?;
        let Some(next) = next else { return Ok(answer) };
        if write(scope, operation, collection, key, version, &next).await? {
            return Ok(answer);
        }
        tokio::task::yield_now().await;
    }
    Err(Error::new(ErrorKind::Conflict, operation, "other workers were always first; try again later"))
}

fn parsed<T: DeserializeOwned>(operation: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|e| {
        Error::new(ErrorKind::Corrupt, operation, "a stored document cannot be read").with_source(e)
    })
}
