use deadpool_postgres::Object;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use xynergy_core::store::{AdClicks, Around, Candidate, KeyedHash, Utm};
use xynergy_core::{Error, ErrorKind, Timestamp};

use super::columns::day_of;
use crate::store::postgres::error::Failure;
use crate::store::postgres::kept::{hash, maybe_text, text};
use crate::store::postgres::numbers::unsigned;

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

/// As for the latest clicks, one search of an index for each network and day.
const WITHIN: &str = "
    FROM unnest($2::bytea[]) AS wanted (key)
    CROSS JOIN click_days d
    CROSS JOIN LATERAL (
        SELECT k.clicked_at, k.click FROM click_keys k
        WHERE k.day = d.day AND k.key = wanted.key AND k.tenant_id = $1 AND k.clicked_at BETWEEN $3 AND $4
          AND k.day BETWEEN $5 AND $6
        OFFSET 0
    ) found";

const DAYS: &str = "WHERE d.tenant_id = $1 AND d.day BETWEEN $5 AND $6";

const BY_AD: &str = "
    SELECT day, ad_id, adset_id, campaign_id, sum(clicks)::bigint FROM click_counts
    WHERE tenant_id = $1 AND day BETWEEN $2 AND $3 GROUP BY 1, 2, 3, 4";

/// The newest clicks of these networks, and how many there are.
pub(super) async fn around(
    client: &Object,
    tenant: &str,
    networks: &[KeyedHash],
    (from, to): (Timestamp, Timestamp),
    limit: usize,
) -> Result<Around, Failure> {
    let mut networks: Vec<&[u8]> = networks.iter().map(|key| key.as_bytes().as_slice()).collect();
    networks.sort_unstable();
    networks.dedup();
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let (first, last) = (from.micros(), to.micros());
    let (first_day, last_day) = (day_of(from), day_of(to));
    let window: [&(dyn ToSql + Sync); 6] = [&tenant, &networks, &first, &last, &first_day, &last_day];
    let count = client.prepare_cached(&format!("SELECT count(*) {WITHIN} {DAYS}")).await?;
    let total = unsigned(client.query_one(&count, &window).await?.get(0))?;
    let newest = format!(
        "SELECT wanted.key, found.clicked_at, found.click, c.click_id, c.ad_id, c.adset_id, c.campaign_id,
                c.utm_source, c.utm_medium, c.utm_campaign, c.utm_content, c.utm_term, c.device
         {WITHIN}
         CROSS JOIN LATERAL (
             SELECT * FROM clicks WHERE clicks.key = found.click AND clicks.tenant_id = $1 AND clicks.day = d.day
               AND clicks.day BETWEEN $5 AND $6
             OFFSET 0
         ) c
         {DAYS} ORDER BY found.clicked_at DESC, found.click DESC, wanted.key DESC LIMIT $7"
    );
    let newest = client.prepare_cached(&newest).await?;
    let parameters: Vec<&(dyn ToSql + Sync)> = window.into_iter().chain([&limit as _]).collect();
    let rows = client.query(&newest, &parameters).await?;
    Ok(Around { clicks: rows.iter().map(candidate).collect::<Result<_, _>>()?, total })
}

/// How often each ad was clicked on each day.
pub(super) async fn by_ad(
    client: &Object,
    tenant: &str,
    first: i32,
    last: i32,
) -> Result<Vec<AdClicks>, Failure> {
    let statement = client.prepare_cached(BY_AD).await?;
    let rows = client.query(&statement, &[&tenant, &first, &last]).await?;
    let mut found = rows
        .iter()
        .map(|row| {
            Ok(AdClicks {
                day: Timestamp::from_micros(i64::from(row.get::<_, i32>(0)).saturating_mul(DAY)),
                ad_id: text(row, 1),
                adset_id: text(row, 2),
                campaign_id: text(row, 3),
                clicks: unsigned(row.get(4))?,
            })
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    found.sort_unstable();
    Ok(found)
}

pub(super) fn candidate(row: &Row) -> Result<Candidate, Failure> {
    let key = hash(row.get(2))?;
    let device: Option<String> = row.get(12);
    let device = device.map(|json| serde_json::from_str(&json)).transpose().map_err(|_| {
        let message = "a stored click is no JSON that was written here";
        Failure::Domain(Error::new(ErrorKind::Corrupt, "store.read", message))
    })?;
    Ok(Candidate {
        matched: hash(row.get(0))?,
        at: Timestamp::from_micros(row.get(1)),
        id: maybe_text(row, 3).unwrap_or_else(|| key.to_string()),
        key,
        ad_id: text(row, 4),
        adset_id: text(row, 5),
        campaign_id: text(row, 6),
        utm: Utm {
            source: maybe_text(row, 7),
            medium: maybe_text(row, 8),
            campaign: maybe_text(row, 9),
            content: maybe_text(row, 10),
            term: maybe_text(row, 11),
        },
        device,
    })
}
