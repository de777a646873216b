//! The tables of days: made when the first click of a day comes, dropped when nobody keeps the day any more.

use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

use crate::store::postgres::PostgresStore;
use crate::store::postgres::error::Failure;
use crate::store::postgres::numbers::unsigned;

/// How often a day is made that others drop at the same moment.
pub(super) const ATTEMPTS: u32 = 8;

/// So many days are made at once: a statement has a time in which it has to end.
const DAYS_AT_ONCE: usize = 32;

const TABLES: &str = "
    SELECT parent.relname::text, part.relname::text
    FROM pg_inherits i
    JOIN pg_class parent ON parent.oid = i.inhparent
    JOIN pg_class part ON part.oid = i.inhrelid
    WHERE i.inhparent IN ('clicks'::regclass, 'click_keys'::regclass)";

const DROP: &str = "SELECT drop_click_days($1, $2, $3, $4)";

/// Whether PostgreSQL had no table for a row. No table of clicks has a check that a click could fail.
pub(super) fn is_missing(failure: &Failure) -> bool {
    matches!(failure, Failure::Postgres(error) if error.code() == Some(&SqlState::CHECK_VIOLATION))
}

/// A table with the clicks, or the keys, of some days.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct DayTable {
    first: i32,
    days: i32,
    /// Keys first: without them nothing finds the clicks.
    is_clicks: bool,
}

impl DayTable {
    /// By their names; none for the tables of all that is too old and too new.
    fn named(parent: &str, part: &str) -> Option<Self> {
        let mut numbers = part.strip_prefix(parent)?.strip_prefix('_')?.split('_').map(str::parse);
        let first = numbers.next()?.ok()?;
        let days = numbers.next().unwrap_or(Ok(1)).ok()?;
        Some(Self { first, days, is_clicks: parent == "clicks" })
    }

    fn parent(&self) -> &'static str {
        if self.is_clicks { "clicks" } else { "click_keys" }
    }
}

impl PostgresStore {
    /// Makes the tables of these days where they are missing.
    pub(super) async fn open_days(&self, days: &[i32]) -> Result<(), Failure> {
        let client = self.connection().await?;
        for days in days.chunks(DAYS_AT_ONCE) {
            client.execute("SELECT open_click_days($1)", &[&days]).await?;
        }
        Ok(())
    }

    /// Drops the tables of ended days in which nobody else has clicks, each in a transaction of its own, and says how many clicks they
    /// had. One that is read for longer than readers may wait stays, for the next time.
    pub(super) async fn drop_days(&self, tenant: &str, first_kept: i32) -> Result<u64, Failure> {
        let client = self.connection().await?;
        let named = |row: &Row| DayTable::named(row.get(0), row.get(1));
        let mut ended: Vec<DayTable> = client.query(TABLES, &[]).await?.iter().filter_map(named).collect();
        ended.retain(|table| table.first.saturating_add(table.days) <= first_kept);
        ended.sort_unstable();
        let statement = client.prepare_cached(DROP).await?;
        let mut clicks = 0_u64;
        for table in ended {
            let dropped =
                client.query_one(&statement, &[&table.parent(), &table.first, &table.days, &tenant]).await;
            match dropped.map_err(Failure::Postgres) {
                Ok(row) => {
                    clicks = clicks.saturating_add(unsigned(row.get::<_, Option<i64>>(0).unwrap_or(0))?);
                }
                Err(failure) if failure.lost_to_another() => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(clicks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_says_its_days() {
        let table = |parent, part| DayTable::named(parent, part).map(|t| (t.first, t.days, t.is_clicks));
        assert_eq!(table("clicks", "clicks_20780"), Some((20_780, 1, true)));
        assert_eq!(table("click_keys", "click_keys_20768_32"), Some((20_768, 32, false)));
        for other in ["clicks_past", "clicks_future", "clicks", "clicks_", "theirs_20780", "clicks_1_x"] {
            assert_eq!(table("clicks", other), None, "{other}");
        }
    }
}
