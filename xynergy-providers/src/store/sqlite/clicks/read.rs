use std::cmp::Reverse;

use rusqlite::{Connection, OptionalExtension, Row, params};
use xynergy_core::Timestamp;
use xynergy_core::store::{AdClicks, Around, Candidate, KeyedHash};

use super::columns::from_json;
use super::{DAY, day_of, tenant_of};
use crate::store::sqlite::error::Failure;

/// From the last day of the window backwards, until a day has the key.
pub(super) const LATEST_OF_KEY: &str = "
    WITH latest AS (
        SELECT click_keys.day, click_keys.clicked_at
        FROM click_days CROSS JOIN click_keys
          ON click_keys.tenant = click_days.tenant AND click_keys.day = click_days.day
        WHERE click_days.tenant = ?1 AND click_days.day BETWEEN ?5 AND ?6
          AND key = ?2 AND clicked_at BETWEEN ?3 AND ?4
        ORDER BY click_days.day DESC, clicked_at DESC LIMIT 1)
    SELECT clicks.clicked_at, clicks.key, click_id, ad_id, adset_id, campaign_id, utm, device
    FROM latest CROSS JOIN click_keys USING (day, clicked_at) CROSS JOIN clicks ON clicks.id = click_keys.click
         CROSS JOIN click_ads ON click_ads.id = clicks.ad
    WHERE click_keys.tenant = ?1 AND click_keys.key = ?2";

/// The keys of a network within a window, of `?7` of them from the newest on the time of the last.
const SINCE: &str = "
    SELECT clicked_at FROM click_days CROSS JOIN click_keys
      ON click_keys.tenant = click_days.tenant AND click_keys.day = click_days.day
    WHERE click_days.tenant = ?1 AND click_days.day BETWEEN ?5 AND ?6 AND key = ?2 AND clicked_at BETWEEN ?3 AND ?4
    ORDER BY click_days.day DESC, clicked_at DESC LIMIT 1 OFFSET ?7";

const COUNT: &str = "
    SELECT count(*) FROM click_days CROSS JOIN click_keys
      ON click_keys.tenant = click_days.tenant AND click_keys.day = click_days.day
    WHERE click_days.tenant = ?1 AND click_days.day BETWEEN ?5 AND ?6 AND key = ?2 AND clicked_at BETWEEN ?3 AND ?4";

const WITHIN: &str = "
    SELECT clicks.clicked_at, clicks.key, click_id, ad_id, adset_id, campaign_id, utm, device
    FROM click_days CROSS JOIN click_keys
      ON click_keys.tenant = click_days.tenant AND click_keys.day = click_days.day
    CROSS JOIN clicks ON clicks.id = click_keys.click CROSS JOIN click_ads ON click_ads.id = clicks.ad
    WHERE click_days.tenant = ?1 AND click_days.day BETWEEN ?5 AND ?6
      AND click_keys.key = ?2 AND click_keys.clicked_at BETWEEN ?3 AND ?4";

const BY_AD: &str = "
    SELECT day, ad_id, adset_id, campaign_id, clicks FROM click_counts JOIN click_ads ON click_ads.id = click_counts.ad
    WHERE click_counts.tenant = ?1 AND day BETWEEN ?2 AND ?3";

/// The clicks of each key at its latest time within the window.
pub(super) fn candidates(
    connection: &Connection,
    tenant_id: &str,
    keys: &[KeyedHash],
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<Candidate>, Failure> {
    let Some(tenant) = tenant_of(connection, tenant_id)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(LATEST_OF_KEY)?;
    let mut found = Vec::new();
    for key in keys {
        let values = params![tenant, key.as_bytes(), from.micros(), to.micros(), day_of(from), day_of(to)];
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            found.push(candidate(*key, row)?);
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The newest clicks of these networks, and how many there are.
pub(super) fn around(
    connection: &Connection,
    tenant_id: &str,
    networks: &[KeyedHash],
    (from, to): (Timestamp, Timestamp),
    limit: usize,
) -> Result<Around, Failure> {
    let Some(tenant) = tenant_of(connection, tenant_id)? else { return Ok(Around::default()) };
    let mut around = Around::default();
    for network in networks {
        let (first, last) = (day_of(from), day_of(to));
        let values = params![tenant, network.as_bytes(), from.micros(), to.micros(), first, last];
        let total: u64 = connection.prepare_cached(COUNT)?.query_row(values, |row| row.get(0))?;
        around.total += total;
        if limit == 0 {
            continue;
        }
        // Of clicks of one moment their keys decide, which only their rows have.
        let offset = i64::try_from(limit - 1).unwrap_or(i64::MAX);
        let since: Option<i64> = connection
            .prepare_cached(SINCE)?
            .query_row(
                params![tenant, network.as_bytes(), from.micros(), to.micros(), first, last, offset],
                |row| row.get(0),
            )
            .optional()?;
        let since = since.map_or(from, Timestamp::from_micros);
        let mut statement = connection.prepare_cached(WITHIN)?;
        let mut rows = statement.query(params![
            tenant,
            network.as_bytes(),
            since.micros(),
            to.micros(),
            day_of(since),
            last
        ])?;
        while let Some(row) = rows.next()? {
            around.clicks.push(candidate(*network, row)?);
        }
    }
    around.clicks.sort_by_cached_key(|click| Reverse((click.at, click.key, click.matched)));
    around.clicks.truncate(limit);
    Ok(around)
}

/// How often each ad was clicked on each day.
pub(super) fn by_ad(
    connection: &Connection,
    tenant_id: &str,
    from: Timestamp,
    to: Timestamp,
) -> Result<Vec<AdClicks>, Failure> {
    let Some(tenant) = tenant_of(connection, tenant_id)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(BY_AD)?;
    let rows = statement.query_map(params![tenant, day_of(from), day_of(to)], |row| {
        Ok(AdClicks {
            day: Timestamp::from_micros(row.get::<_, i64>(0)?.saturating_mul(DAY)),
            ad_id: row.get(1)?,
            adset_id: row.get(2)?,
            campaign_id: row.get(3)?,
            clicks: row.get(4)?,
        })
    })?;
    let mut found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    found.sort_unstable();
    Ok(found)
}

fn candidate(matched: KeyedHash, row: &Row<'_>) -> Result<Candidate, Failure> {
    let key = KeyedHash::from_bytes(row.get(1)?);
    Ok(Candidate {
        matched,
        at: Timestamp::from_micros(row.get(0)?),
        id: row.get::<_, Option<String>>(2)?.unwrap_or_else(|| key.to_string()),
        key,
        ad_id: row.get(3)?,
        adset_id: row.get(4)?,
        campaign_id: row.get(5)?,
        utm: from_json(row.get(6)?)?.unwrap_or_default(),
        device: from_json(row.get(7)?)?,
    })
}
