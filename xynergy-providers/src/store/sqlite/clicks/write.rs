use std::collections::{BTreeMap, HashMap};

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{OptionalExtension, ToSql, Transaction, params, params_from_iter};
use xynergy_core::store::{Click, Tracked};

use super::day_of;
use crate::store::sqlite::error::Failure;

const INSERT_KNOWN: &str =
    "INSERT INTO click_known (tenant, day, key, click) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";

const INSERT_DAY: &str = "INSERT INTO click_days (tenant, day) VALUES (?1, ?2) ON CONFLICT DO NOTHING";

const COUNT: &str = "
    INSERT INTO click_counts (tenant, day, ad, clicks) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (tenant, day, ad) DO UPDATE SET clicks = clicks + excluded.clicks";

const COUNT_INGEST: &str = "
    INSERT INTO click_ingests (tenant_id, source, clicks) VALUES (?1, ?2, ?3)
    ON CONFLICT (tenant_id, source) DO UPDATE SET clicks = clicks + excluded.clicks";

/// How many rows a statement takes at once: fewer statements, each within SQLite's limit on parameters.
const ROWS: usize = 64;

/// Writes a batch. Hashes go in sorted by day: in the order of the clicks each would touch another page of its index. The
/// sort keeps the order of equal keys, since the first click of a key stays.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    tenant_id: &str,
    clicks: &[Click],
    source: &str,
) -> Result<Tracked, Failure> {
    let tenant = tenant(transaction, tenant_id)?;
    let mut sorted: Vec<(i64, &Click)> = clicks.iter().map(|click| (day_of(click.at), click)).collect();
    sorted.sort_by_key(|(day, click)| (*day, click.key));

    let first: i64 =
        transaction.query_row("SELECT coalesce(max(id), 0) + 1 FROM clicks", [], |row| row.get(0))?;
    let mut new = Vec::with_capacity(sorted.len());
    let mut insert_known = transaction.prepare_cached(INSERT_KNOWN)?;
    let mut id = first;
    for (day, click) in sorted {
        if insert_known.execute(params![tenant, day, click.key.as_bytes(), id])? > 0 {
            new.push((id, day, click));
            id += 1;
        }
    }
    drop(insert_known);

    let ads = write_clicks(transaction, tenant, &new)?;
    write_keys(transaction, tenant, &new)?;
    let mut counts: BTreeMap<(i64, i64), u64> = BTreeMap::new();
    for ((_, day, _), ad) in new.iter().zip(&ads) {
        *counts.entry((*day, *ad)).or_default() += 1;
    }
    let mut count = transaction.prepare_cached(COUNT)?;
    let mut insert_day = transaction.prepare_cached(INSERT_DAY)?;
    let mut last_day = None;
    for ((day, ad), clicks) in counts {
        if last_day.replace(day) != Some(day) {
            insert_day.execute(params![tenant, day])?;
        }
        count.execute(params![tenant, day, ad, clicks])?;
    }
    let inserted = new.len() as u64;
    transaction.prepare_cached(COUNT_INGEST)?.execute(params![tenant_id, source, inserted])?;
    Ok(Tracked { inserted, duplicates: clicks.len() as u64 - inserted })
}

/// The tenant's short name, made when it has none.
fn tenant(transaction: &Transaction<'_>, tenant_id: &str) -> rusqlite::Result<i64> {
    let known: Option<i64> = transaction
        .prepare_cached("SELECT id FROM click_tenants WHERE tenant_id = ?1")?
        .query_row([tenant_id], |row| row.get(0))
        .optional()?;
    if let Some(id) = known {
        return Ok(id);
    }
    transaction.execute("INSERT INTO click_tenants (tenant_id) VALUES (?1)", [tenant_id])?;
    Ok(transaction.last_insert_rowid())
}

/// The short name of each click's ad, made for those that have none.
fn ads_of(
    transaction: &Transaction<'_>,
    tenant: i64,
    new: &[(i64, i64, &Click)],
) -> rusqlite::Result<Vec<i64>> {
    let mut known: HashMap<(&str, &str, &str), i64> = HashMap::new();
    let mut ads = Vec::with_capacity(new.len());
    for (_, _, click) in new {
        let ad = (click.ad_id.as_str(), click.adset_id.as_str(), click.campaign_id.as_str());
        let id = match known.get(&ad) {
            Some(id) => *id,
            None => {
                let values = params![tenant, ad.0, ad.1, ad.2];
                transaction
                    .prepare_cached(
                        "INSERT INTO click_ads (tenant, ad_id, adset_id, campaign_id) VALUES (?1, ?2, ?3, ?4)
                         ON CONFLICT DO NOTHING",
                    )?
                    .execute(values)?;
                let id = transaction
                    .prepare_cached(
                        "SELECT id FROM click_ads WHERE tenant = ?1 AND ad_id = ?2 AND adset_id = ?3 AND campaign_id = ?4",
                    )?
                    .query_row(values, |row| row.get(0))?;
                known.insert(ad, id);
                id
            }
        };
        ads.push(id);
    }
    Ok(ads)
}

/// Writes the clicks' rows; the short names of their ads.
fn write_clicks(
    transaction: &Transaction<'_>,
    tenant: i64,
    new: &[(i64, i64, &Click)],
) -> Result<Vec<i64>, Failure> {
    let ads = ads_of(transaction, tenant, new)?;
    let mut rows: Vec<Cell<'_>> = Vec::with_capacity(ROWS * 8);
    for (chunk, ads) in new.chunks(ROWS).zip(ads.chunks(ROWS)) {
        rows.clear();
        for ((id, _, click), ad) in chunk.iter().zip(ads) {
            let personal = click.personal.as_ref();
            let device = personal.and_then(|personal| personal.device.as_ref());
            rows.extend([
                Cell::Int(*id),
                Cell::Blob(click.key.as_bytes()),
                Cell::Int(click.at.micros()),
                Cell::Int(*ad),
                Cell::Made(super::columns::utm_to_json(&click.utm)?),
                Cell::Text(personal.map(|p| p.click_id.as_str())),
                Cell::Made(device.map(super::columns::to_json).transpose()?),
                Cell::Text(personal.map(|p| p.raw.as_str())),
            ]);
        }
        let head = "INSERT INTO clicks (id, key, clicked_at, ad, utm, click_id, device, raw) VALUES ";
        write_rows(transaction, head, 8, &rows)?;
    }
    Ok(ads)
}

fn write_keys(
    transaction: &Transaction<'_>,
    tenant: i64,
    new: &[(i64, i64, &Click)],
) -> rusqlite::Result<()> {
    let mut keys = Vec::with_capacity(new.len() * 4);
    for (id, day, click) in new {
        keys.extend(click.match_keys().map(|key| (*day, key, click.at.micros(), *id)));
    }
    keys.sort_unstable();
    keys.dedup();
    let mut rows: Vec<Cell<'_>> = Vec::with_capacity(ROWS * 5);
    for chunk in keys.chunks(ROWS) {
        rows.clear();
        for (day, key, at, id) in chunk {
            rows.extend([
                Cell::Int(tenant),
                Cell::Int(*day),
                Cell::Blob(key.as_bytes()),
                Cell::Int(*at),
                Cell::Int(*id),
            ]);
        }
        let head = "INSERT INTO click_keys (tenant, day, key, clicked_at, click) VALUES ";
        write_rows(transaction, head, 5, &rows)?;
    }
    Ok(())
}

/// A value of a row.
enum Cell<'a> {
    Int(i64),
    Blob(&'a [u8]),
    Text(Option<&'a str>),
    Made(Option<String>),
}

impl ToSql for Cell<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let text = match self {
            Self::Int(number) => return Ok(ToSqlOutput::Owned(Value::Integer(*number))),
            Self::Blob(bytes) => return Ok(ToSqlOutput::Borrowed(ValueRef::Blob(bytes))),
            Self::Text(text) => *text,
            Self::Made(text) => text.as_deref(),
        };
        Ok(ToSqlOutput::Borrowed(text.map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()))))
    }
}

fn write_rows(
    transaction: &Transaction<'_>,
    head: &str,
    columns: usize,
    cells: &[Cell<'_>],
) -> rusqlite::Result<()> {
    let rows = cells.len() / columns;
    if rows == 0 {
        return Ok(());
    }
    let row = format!("({})", vec!["?"; columns].join(","));
    let sql = format!("{head}{}", vec![row; rows].join(","));
    transaction.prepare_cached(&sql)?.execute(params_from_iter(cells))?;
    Ok(())
}
