use tokio_postgres::Row;
use xynergy_core::store::{Erased, ErasedClick, KeyedHash, Pruned};

use crate::store::postgres::PostgresStore;
use crate::store::postgres::error::Failure;
use crate::store::postgres::kept::{hash, maybe_text};
use crate::store::postgres::transaction::{Transaction, retried};

/// From each day of the tenant into the index of that day.
const NAMED: &str = "
    SELECT d.day, found.click
    FROM unnest($2::bytea[]) AS wanted (key)
    CROSS JOIN click_days d
    CROSS JOIN LATERAL (
        SELECT k.click FROM click_keys k WHERE k.day = d.day AND k.key = wanted.key AND k.tenant_id = $1 OFFSET 0
    ) found
    WHERE d.tenant_id = $1
    UNION
    SELECT day, key FROM clicks WHERE tenant_id = $1 AND key = ANY($2::bytea[])";

const ERASE_CLICKS: &str = "
    DELETE FROM clicks c USING unnest($2::integer[], $3::bytea[]) AS gone (day, key)
    WHERE c.key = gone.key AND c.tenant_id = $1 AND c.day = gone.day RETURNING c.key, c.click_id";

/// A click's keys are found by their day: there is no index by click, which every ingest would pay for.
const ERASE_KEYS: &str = "
    DELETE FROM click_keys k USING unnest($2::integer[], $3::bytea[]) AS gone (day, key)
    WHERE k.day = gone.day AND k.click = gone.key AND k.tenant_id = $1";

impl PostgresStore {
    /// Drops the tables of days that nobody else has clicks in, and deletes the tenant's rows from the others.
    pub(super) async fn prune_days(&self, tenant: &str, first_kept: i32) -> Result<Pruned, Failure> {
        let dropped = self.drop_days(tenant, first_kept).await?;
        let deleted = retried(|| self.prune_once(tenant, first_kept)).await?;
        Ok(Pruned { clicks: dropped.saturating_add(deleted) })
    }

    async fn prune_once(&self, tenant: &str, first_kept: i32) -> Result<u64, Failure> {
        let transaction = Transaction::on(self.connection().await?);
        let client = transaction.client();
        transaction.begin().await?;
        let mut pruned = 0;
        for table in ["click_days", "click_keys", "clicks"] {
            let sql = format!("DELETE FROM {table} WHERE tenant_id = $1 AND day < $2");
            pruned = client.execute(&sql, &[&tenant, &first_kept]).await?;
        }
        transaction.commit().await?;
        Ok(pruned)
    }

    pub(super) async fn erase_once(&self, tenant: &str, keys: &[KeyedHash]) -> Result<Erased, Failure> {
        let keys: Vec<&[u8]> = keys.iter().map(|key| key.as_bytes().as_slice()).collect();
        let transaction = Transaction::on(self.connection().await?);
        let client = transaction.client();
        transaction.begin().await?;
        let named = client.query(NAMED, &[&tenant, &keys]).await?;
        let (days, gone): (Vec<i32>, Vec<Vec<u8>>) =
            named.iter().map(|row| (row.get::<_, i32>(0), row.get::<_, Vec<u8>>(1))).unzip();
        client.execute(ERASE_KEYS, &[&tenant, &days, &gone]).await?;
        let erased = client.query(ERASE_CLICKS, &[&tenant, &days, &gone]).await?;
        transaction.commit().await?;
        let mut clicks = erased.iter().map(erased_click).collect::<Result<Vec<_>, _>>()?;
        clicks.sort_unstable();
        Ok(Erased { clicks })
    }
}

fn erased_click(row: &Row) -> Result<ErasedClick, Failure> {
    let key = hash(row.get(0))?;
    Ok(ErasedClick { key, id: maybe_text(row, 1).unwrap_or_else(|| key.to_string()) })
}
