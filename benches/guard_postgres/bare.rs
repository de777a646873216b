//! The least that a guard does: lock, count, insert, commit.

use tokio_postgres::{Client, Statement};

use crate::World;

/// One worker's connection, with its statements prepared.
pub(crate) struct Bare {
    client: Client,
    lock: Statement,
    count: Statement,
    insert: Statement,
}

/// The tables: a row of each account to lock, and events with an index over their window.
pub(crate) async fn tables(world: &World, accounts: &[String]) {
    let client = world.client().await;
    client
        .batch_execute(
            "CREATE TABLE bare_accounts (tenant_id text, account_id text, PRIMARY KEY (tenant_id, account_id));
             CREATE TABLE bare_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id text NOT NULL,
                 account_id text NOT NULL, owner_id text NOT NULL, from_value bigint NOT NULL, to_value bigint NOT NULL,
                 at bigint NOT NULL);
             CREATE INDEX ON bare_events (tenant_id, account_id, at)",
        )
        .await
        .unwrap();
    let insert = "INSERT INTO bare_accounts SELECT 'default', unnest($1::text[])";
    client.execute(insert, &[&accounts]).await.unwrap();
}

impl Bare {
    pub(crate) async fn new(world: &World) -> Self {
        let client = world.client().await;
        let lock = "SELECT account_id FROM bare_accounts WHERE tenant_id = $1 AND account_id = $2 FOR UPDATE";
        let count = "SELECT count(*) FROM bare_events WHERE tenant_id = $1 AND account_id = $2 AND at > $3";
        let insert = "INSERT INTO bare_events (tenant_id, account_id, owner_id, from_value, to_value, at)
                      VALUES ($1, $2, $3, $4, $5, $6)";
        let lock = client.prepare(lock).await.unwrap();
        let count = client.prepare(count).await.unwrap();
        let insert = client.prepare(insert).await.unwrap();
        Self { client, lock, count, insert }
    }

    pub(crate) async fn once(&self, account: &str, owner: &str, at: i64) {
        let since = at - 3_600_000_000;
        self.client.batch_execute("BEGIN").await.unwrap();
        self.client.query_one(&self.lock, &[&"default", &account]).await.unwrap();
        let count: i64 =
            self.client.query_one(&self.count, &[&"default", &account, &since]).await.unwrap().get(0);
        assert!(count < 1_000, "the window is as full as a real one at most");
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 6] =
            [&"default", &account, &owner, &10_000_i64, &11_000_i64, &at];
        self.client.execute(&self.insert, &values).await.unwrap();
        self.client.batch_execute("COMMIT").await.unwrap();
    }
}
