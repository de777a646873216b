use std::sync::Arc;
use std::time::Duration;

use xynergy_core::config::EnvSecrets;
use xynergy_core::store::StateStore;
use xynergy_core::{Error, ErrorKind, TenantId};
use xynergy_providers::store::postgres::{DatabaseUrl, PostgresConfig, PostgresStore, schema};

use crate::support::Place;

async fn refused(config: &PostgresConfig) -> Error {
    PostgresStore::open(config, Arc::new(EnvSecrets)).await.unwrap_err()
}

/// The configuration with one more setting of the server for its sessions.
fn with_setting(config: &PostgresConfig, setting: &str) -> PostgresConfig {
    let DatabaseUrl::Text(url) = &config.url else { unreachable!("tests write their URL") };
    let url = format!("{url}&options=-c%20{}", setting.replace('=', "%3D"));
    PostgresConfig { url: DatabaseUrl::Text(url), ..config.clone() }
}

#[tokio::test]
async fn many_workers_may_start_at_once() {
    let Some(place) = Place::new() else { return };
    let opened: Vec<_> = (0..12)
        .map(|_| {
            let config = PostgresConfig { max_connections: 2, ..place.config.clone() };
            tokio::spawn(async move { PostgresStore::open(&config, Arc::new(EnvSecrets)).await })
        })
        .collect();
    let mut applied = 0;
    for one in opened {
        applied += usize::from(!one.await.unwrap().unwrap().applied().is_empty());
    }
    assert_eq!(applied, 1, "one of them migrated");
}

#[tokio::test]
async fn a_server_that_can_lose_commits_is_refused() {
    let Some(place) = Place::new() else { return };
    for setting in ["off", "local", "remote_write"] {
        let weak = with_setting(&place.config, &format!("synchronous_commit={setting}"));
        let error = refused(&weak).await;
        assert_eq!(error.kind(), ErrorKind::ConfigInvalid);
        assert!(error.message().contains(&format!("synchronous_commit={setting}")), "{error}");
        let tests = PostgresConfig { allow_unsafe_durability: true, ..weak };
        assert!(PostgresStore::open(&tests, Arc::new(EnvSecrets)).await.is_ok());
    }
}

#[tokio::test]
async fn a_session_is_read_committed_whatever_the_role_says() {
    let Some(place) = Place::new() else { return };
    let strict = with_setting(&place.config, "default_transaction_isolation=serializable");
    let store = PostgresStore::open(&strict, Arc::new(EnvSecrets)).await.unwrap();
    xynergy_core::conformance::state_store(&store).await;
    let client = place.client().await;
    let role: String = client.query_one("SHOW default_transaction_isolation", &[]).await.unwrap().get(0);
    assert_eq!(role, "read committed");
}

#[tokio::test]
async fn a_schema_of_another_program_is_left_alone() {
    let Some(place) = Place::new() else { return };
    let client = place.client().await;
    let name = &place.config.schema;
    client.batch_execute(&format!("CREATE SCHEMA {name}; CREATE TABLE {name}.theirs (x int)")).await.unwrap();
    let error = refused(&place.config).await;
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    let tables: i64 = client
        .query_one(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1",
            &[name],
        )
        .await
        .unwrap()
        .get(0);
    assert_eq!(tables, 1, "nothing was made in it");
}

#[tokio::test]
async fn workers_go_on_beside_a_newer_version_that_allows_it() {
    let Some((place, store)) = Place::with_store().await else { return };
    let client = place.client().await;
    let version = i32::try_from(schema(&place.config).unwrap().version).unwrap();
    // What an additive migration of a later version does.
    client
        .batch_execute(&format!(
            "ALTER TABLE state_documents ADD COLUMN later text;
             UPDATE xynergy_schema SET version = {}, compatible_from = {version};
             INSERT INTO refinery_schema_history VALUES ({}, 'later', '2030-01-01T00:00:00Z', '1')",
            version + 1,
            version + 1
        ))
        .await
        .unwrap();
    let tenant = TenantId::default();
    store.put(&tenant, "c", "k", None, "old connection").await.unwrap();
    place.open().await.put(&tenant, "c", "k", None, "new worker").await.unwrap();

    client
        .batch_execute(&format!("UPDATE xynergy_schema SET compatible_from = {}", version + 1))
        .await
        .unwrap();
    let error = refused(&place.config).await;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("newer version"), "{error}");
}

/// The columns, indexes and triggers of a schema.
async fn described(place: &Place) -> Vec<String> {
    let schema = &place.config.schema;
    let sql = "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
                      || coalesce(column_default, '') AS line
               FROM information_schema.columns WHERE table_schema = $1
               UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = $1
               UNION ALL SELECT pg_get_triggerdef(t.oid) FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
               JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = $1 AND NOT tgisinternal
               ORDER BY line";
    let rows = place.client().await.query(sql, &[schema]).await.unwrap();
    rows.iter().map(|row| row.get::<_, String>(0).replace(schema, "S")).collect()
}

#[tokio::test]
async fn a_schema_made_by_the_printed_sql_is_as_one_that_was_opened() {
    let (Some(printed), Some(opened)) = (Place::new(), Place::new()) else { return };
    let sql = schema(&printed.config).unwrap();
    printed.client().await.batch_execute(&sql.sql).await.unwrap();
    assert!(printed.open().await.applied().is_empty(), "nothing is left to apply");
    let store = opened.open().await;
    assert_eq!(store.applied().len(), usize::try_from(sql.version).unwrap());
    assert_eq!(store.applied()[0], "V1__state");
    let made = described(&printed).await;
    assert!(made.len() > 10);
    assert_eq!(made, described(&opened).await);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let config = PostgresConfig::new(DatabaseUrl::Text("postgres://nobody@127.0.0.1:1/none".into()));
    let error = refused(&config).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

#[tokio::test]
async fn a_missing_database_is_named() {
    let Some(place) = Place::new() else { return };
    let DatabaseUrl::Text(url) = &place.config.url else { unreachable!("tests write their URL") };
    let url = url.replace("/xynergy", "/no_such_database");
    let error = refused(&PostgresConfig { url: DatabaseUrl::Text(url), ..place.config.clone() }).await;
    assert_eq!(error.kind(), ErrorKind::ConfigInvalid, "{error}");
}

/// The pool gives no broken connection out: a worker survives a restart of the server.
#[tokio::test]
async fn goes_on_after_its_connections_were_cut() {
    let Some((place, store)) = Place::with_store().await else { return };
    let tenant = TenantId::default();
    store.put(&tenant, "c", "k", None, "before").await.unwrap();
    let client = place.client().await;
    client
        .execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE application_name = $1 AND pid <> pg_backend_pid() AND query LIKE '%state_documents%'",
            &[&place.config.schema],
        )
        .await
        .unwrap();
    for _ in 0..50 {
        if store.get(&tenant, "c", "k").await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it never came back");
}
