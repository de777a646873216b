use std::collections::BTreeMap;

use rusqlite::{Transaction, params};
use xynergy_core::store::{Erased, ErasedClick, KeyedHash, Pruned};

use super::tenant_of;
use crate::store::sqlite::error::Failure;

/// Forgets the clicks of the days before `first_kept`.
pub(super) fn prune(
    transaction: &Transaction<'_>,
    tenant_id: &str,
    first_kept: i64,
) -> Result<Pruned, Failure> {
    let Some(tenant) = tenant_of(transaction, tenant_id)? else { return Ok(Pruned::default()) };
    let clicks = transaction.execute(
        "DELETE FROM clicks WHERE id IN (SELECT click FROM click_known WHERE tenant = ?1 AND day < ?2)",
        params![tenant, first_kept],
    )?;
    for table in ["click_known", "click_keys", "click_days"] {
        transaction.execute(
            &format!("DELETE FROM {table} WHERE tenant = ?1 AND day < ?2"),
            params![tenant, first_kept],
        )?;
    }
    Ok(Pruned { clicks: clicks as u64 })
}

/// Forgets the clicks that have one of these keys.
pub(super) fn erase(
    transaction: &Transaction<'_>,
    tenant_id: &str,
    keys: &[KeyedHash],
) -> Result<Erased, Failure> {
    let Some(tenant) = tenant_of(transaction, tenant_id)? else { return Ok(Erased::default()) };
    let mut by_day: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    // From each day of the tenant into the indexes of that day.
    for table in ["click_known", "click_keys"] {
        let sql = format!(
            "SELECT k.day, k.click FROM click_days d CROSS JOIN {table} k ON k.tenant = d.tenant AND k.day = d.day
             WHERE d.tenant = ?1 AND k.key = ?2"
        );
        let mut statement = transaction.prepare_cached(&sql)?;
        for key in keys {
            let rows =
                statement.query_map(params![tenant, key.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            for row in rows {
                let (day, click): (i64, i64) = row?;
                by_day.entry(day).or_default().push(click);
            }
        }
    }
    let mut clicks = Vec::new();
    for (day, mut ids) in by_day {
        ids.sort_unstable();
        ids.dedup();
        let ids = super::columns::to_json(&ids)?;
        let mut read = transaction.prepare_cached(
            "SELECT key, click_id FROM clicks WHERE id IN (SELECT value FROM json_each(?1))",
        )?;
        let rows = read.query_map([&ids], |row| {
            let key = KeyedHash::from_bytes(row.get(0)?);
            Ok(ErasedClick { key, id: row.get::<_, Option<String>>(1)?.unwrap_or_else(|| key.to_string()) })
        })?;
        for row in rows {
            clicks.push(row?);
        }
        for table in ["click_known", "click_keys"] {
            // A click's keys are found by their day: there is no index by click, which every ingest would pay for.
            transaction.execute(
                &format!(
                    "DELETE FROM {table} WHERE tenant = ?1 AND day = ?2 AND click IN (SELECT value FROM json_each(?3))"
                ),
                params![tenant, day, ids],
            )?;
        }
        transaction.execute("DELETE FROM clicks WHERE id IN (SELECT value FROM json_each(?1))", [&ids])?;
    }
    clicks.sort_unstable();
    Ok(Erased { clicks })
}
