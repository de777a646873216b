//! Migrating the configured store, at a time of the host's own or with its own tool.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used)]

use std::path::Path;

use xynergy::{Client, Config, ErrorKind, Migration, StoreConfig};

fn client(path: &Path) -> Client {
    Client::new(Config { store: StoreConfig::Sqlite { path: path.to_owned() }, ..Config::default() }).unwrap()
}

#[tokio::test]
async fn what_is_applied_is_named_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new.sqlite");
    let first = client(&path);
    let done = first.migrate(false).await.unwrap();
    assert_eq!(done.applied.len(), usize::try_from(done.version).unwrap());
    assert_eq!((done.applied[0].as_str(), &done.sql), ("V1__state", &None));
    let nothing = Migration { applied: vec![], ..done };
    assert_eq!(first.migrate(false).await.unwrap(), nothing, "the store is open");
    assert_eq!(client(&path).migrate(false).await.unwrap(), nothing, "the file is of this version");
}

#[tokio::test]
async fn printing_makes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("never.sqlite");
    let printed = client(&path).migrate(true).await.unwrap();
    assert!(!path.exists(), "the file was made");
    assert!(printed.applied.is_empty() && printed.version >= 4);
    let sql = printed.sql.unwrap();
    assert!(sql.contains("CREATE TABLE ad_change_history") && sql.contains("-- V4__revenue"), "{sql}");
}

#[tokio::test]
async fn what_cannot_be_opened_is_an_error_and_memory_has_no_tables() {
    let error = client(Path::new("/nowhere/at/all/x.sqlite")).migrate(false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    let memory = Client::new(Config::default()).unwrap();
    for print_sql in [true, false] {
        assert_eq!(memory.migrate(print_sql).await.unwrap(), Migration::default());
    }
}
