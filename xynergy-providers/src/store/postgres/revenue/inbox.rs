//! The inbox: events, and how many of them move each deal.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures_util::future::try_join4;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use xynergy_core::crm::CrmEvent;
use xynergy_core::store::KeyedHash;
use xynergy_core::{Error, ErrorKind, Timestamp};

use crate::store::postgres::PostgresStore;
use crate::store::postgres::error::Failure;
use crate::store::postgres::kept::{Kept, hash, maybe_text, pieces, text};
use crate::store::postgres::numbers::stored;
use crate::store::postgres::transaction::Transaction;

const INSERT_EVENTS: &str = "
    INSERT INTO crm_events (tenant_id, key, occurred_at, recorded_at, event_id, deals, change, raw)
    SELECT $1::text, * FROM unnest($2::bytea[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[])
    ON CONFLICT DO NOTHING RETURNING key";

/// Locks what it will change in the order of the keys: two deliveries may hold the same events.
const KEEP_SMALLEST: &str = r#"
    UPDATE crm_events e
    SET raw = least(e.raw, smaller.raw COLLATE "C"), recorded_at = least(e.recorded_at, smaller.recorded_at)
    FROM (SELECT e.key, given.raw, given.recorded_at
          FROM unnest($2::bytea[], $3::text[], $4::bigint[]) AS given (key, raw, recorded_at)
          JOIN crm_events e ON e.tenant_id = $1 AND e.key = given.key
               AND (e.raw > given.raw COLLATE "C" OR e.recorded_at > given.recorded_at)
          ORDER BY e.key FOR UPDATE OF e) smaller
    WHERE e.tenant_id = $1 AND e.key = smaller.key"#;

const CONCERN: &str = "
    INSERT INTO crm_event_deals (tenant_id, deal_id, key) SELECT $1::text, * FROM unnest($2::text[], $3::bytea[])";

const COUNT_EVENTS: &str = "
    INSERT INTO deals AS d (tenant_id, deal_id, events) SELECT $1::text, * FROM unnest($2::text[], $3::bigint[])
    ON CONFLICT (tenant_id, deal_id) DO UPDATE SET events = d.events + excluded.events";

const COUNT_INGEST: &str = "
    INSERT INTO crm_event_ingests AS i (tenant_id, source, slot, events)
    SELECT $1::text, $2::text, pg_backend_pid() % 16, $3::bigint WHERE $3 > 0
    ON CONFLICT (tenant_id, source, slot) DO UPDATE SET events = i.events + excluded.events";

pub(super) const EVENTS_OF_DEAL: &str = "
    SELECT key, occurred_at, recorded_at, event_id, deals, change, raw
    FROM crm_event_deals JOIN crm_events USING (tenant_id, key)
    WHERE tenant_id = $1 AND deal_id = $2 ORDER BY key";

pub(super) const EVENTS_AFTER: &str = "
    SELECT key, occurred_at, recorded_at, event_id, deals, change, raw FROM crm_events
    WHERE tenant_id = $1 AND key > $2 AND deals <> '[]' ORDER BY key LIMIT $3";

/// An event, and the smallest raw form and earliest time that came with its key.
pub(super) struct Arrived<'a> {
    event: &'a CrmEvent,
    raw: &'a str,
    recorded_at: Timestamp,
    deals: String,
    change: Option<String>,
}

/// The events by key, each once.
pub(super) fn distinct(events: &[CrmEvent]) -> Result<Vec<Arrived<'_>>, Error> {
    let mut distinct: BTreeMap<KeyedHash, Arrived<'_>> = BTreeMap::new();
    for event in events {
        let first = match distinct.entry(event.key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(Arrived {
                event,
                raw: &event.raw,
                recorded_at: event.recorded_at,
                deals: json(&event.deals)?,
                change: event.change.as_ref().map(json).transpose()?,
            }),
        };
        first.raw = first.raw.min(&event.raw);
        first.recorded_at = first.recorded_at.min(event.recorded_at);
    }
    Ok(distinct.into_values().collect())
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| {
        Error::new(ErrorKind::Unexpected, "revenue", "a value cannot be written as JSON").with_source(error)
    })
}

pub(super) fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "revenue", "a stored value cannot be read").with_source(error)
    })
}

impl PostgresStore {
    /// Returns how many events were new.
    pub(super) async fn append_once(
        &self,
        tenant: &str,
        batch: &[Arrived<'_>],
        source: &str,
    ) -> Result<u64, Failure> {
        let transaction = Transaction::on(self.connection().await?);
        let client = transaction.client();
        let insert = client.prepare_cached(INSERT_EVENTS).await?;
        let keep_smallest = client.prepare_cached(KEEP_SMALLEST).await?;
        let concern = client.prepare_cached(CONCERN).await?;
        let count_events = client.prepare_cached(COUNT_EVENTS).await?;
        let count_ingest = client.prepare_cached(COUNT_INGEST).await?;

        let begun = transaction.begin();
        let mut inserted = HashSet::with_capacity(batch.len());
        for piece in pieces(batch, |arrived| arrived.raw.len()) {
            for row in client.query(&insert, &Columns::of(piece).parameters(&tenant)).await? {
                inserted.insert(hash(row.get(0))?);
            }
        }
        begun.await?;

        let known: Vec<&Arrived<'_>> = batch.iter().filter(|a| !inserted.contains(&a.event.key)).collect();
        for piece in pieces(&known, |arrived| arrived.raw.len()) {
            let keys: Vec<&[u8]> = piece.iter().map(|a| a.event.key.as_bytes().as_slice()).collect();
            let raws: Vec<Kept<'_>> = piece.iter().map(|a| Kept(a.raw)).collect();
            let times: Vec<i64> = piece.iter().map(|a| a.recorded_at.micros()).collect();
            client.execute(&keep_smallest, &[&tenant, &keys, &raws, &times]).await?;
        }
        let mut of_deals: BTreeMap<&str, BTreeSet<&[u8]>> = BTreeMap::new();
        for arrived in batch.iter().filter(|a| inserted.contains(&a.event.key)) {
            for deal_id in &arrived.event.deals {
                of_deals.entry(deal_id).or_default().insert(arrived.event.key.as_bytes());
            }
        }
        let deals: Vec<Kept<'_>> = of_deals.keys().map(|id| Kept(id)).collect();
        let counts: Vec<i64> =
            of_deals.values().map(|keys| i64::try_from(keys.len()).unwrap_or(i64::MAX)).collect();
        let pairs = || of_deals.iter().flat_map(|(id, keys)| keys.iter().map(move |key| (*id, *key)));
        let pair_deals: Vec<Kept<'_>> = pairs().map(|(id, _)| Kept(id)).collect();
        let pair_keys: Vec<&[u8]> = pairs().map(|(_, key)| key).collect();
        let (source, count) = (Kept(source), stored(inserted.len() as u64)?);
        try_join4(
            async { Ok(client.execute(&concern, &[&tenant, &pair_deals, &pair_keys]).await?) },
            async { Ok(client.execute(&count_events, &[&tenant, &deals, &counts]).await?) },
            async { Ok(client.execute(&count_ingest, &[&tenant, &source, &count]).await?) },
            // Sent when it is polled, after the others.
            async { transaction.commit().await },
        )
        .await?;
        Ok(inserted.len() as u64)
    }
}

/// Events, column by column.
struct Columns<'a> {
    key: Vec<&'a [u8]>,
    occurred_at: Vec<i64>,
    recorded_at: Vec<i64>,
    texts: [Vec<Option<Kept<'a>>>; 4],
}

impl<'a> Columns<'a> {
    fn of(arrived: &'a [Arrived<'a>]) -> Self {
        let column = |of: fn(&'a Arrived<'a>) -> Option<&'a str>| -> Vec<Option<Kept<'a>>> {
            arrived.iter().map(|arrived| of(arrived).map(Kept)).collect()
        };
        Self {
            key: arrived.iter().map(|a| a.event.key.as_bytes().as_slice()).collect(),
            occurred_at: arrived.iter().map(|a| a.event.occurred_at.micros()).collect(),
            recorded_at: arrived.iter().map(|a| a.recorded_at.micros()).collect(),
            texts: [
                column(|a| Some(&a.event.event_id)),
                column(|a| Some(&a.deals)),
                column(|a| a.change.as_deref()),
                column(|a| Some(a.raw)),
            ],
        }
    }

    fn parameters<'s>(&'s self, tenant: &'s &str) -> Vec<&'s (dyn ToSql + Sync)> {
        let fixed: [&(dyn ToSql + Sync); 4] = [tenant, &self.key, &self.occurred_at, &self.recorded_at];
        fixed.into_iter().chain(self.texts.iter().map(|t| t as &(dyn ToSql + Sync))).collect()
    }
}

pub(super) fn event(row: &Row) -> Result<CrmEvent, Failure> {
    Ok(CrmEvent {
        key: hash(row.get(0))?,
        occurred_at: Timestamp::from_micros(row.get(1)),
        recorded_at: Timestamp::from_micros(row.get(2)),
        event_id: text(row, 3),
        deals: from_json(&text(row, 4))?,
        change: maybe_text(row, 5).map(|change| from_json(&change)).transpose()?,
        raw: text(row, 6),
    })
}
