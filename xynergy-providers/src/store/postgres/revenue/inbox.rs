//! The inbox: events, and how many of them move each deal.

use std::collections::{BTreeMap, HashSet};

use futures_util::future::try_join3;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use xynergy_core::Timestamp;
use xynergy_core::crm::{CrmEvent, StageChange};
use xynergy_core::store::KeyedHash;

use crate::store::postgres::PostgresStore;
use crate::store::postgres::error::Failure;
use crate::store::postgres::kept::{Kept, hash, maybe_text, pieces, text};
use crate::store::postgres::numbers::stored;
use crate::store::postgres::transaction::Transaction;

const INSERT_EVENTS: &str = "
    INSERT INTO crm_events (tenant_id, key, occurred_at, event_id, deal_id, stage, raw)
    SELECT $1::text, * FROM unnest($2::bytea[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
    ON CONFLICT DO NOTHING RETURNING key";

/// Locks what it will change in the order of the keys: two deliveries may hold the same events.
const KEEP_SMALLEST_RAW: &str = r#"
    UPDATE crm_events e SET raw = smaller.raw
    FROM (SELECT e.key, given.raw
          FROM unnest($2::bytea[], $3::text[]) AS given (key, raw)
          JOIN crm_events e ON e.tenant_id = $1 AND e.key = given.key AND e.raw > given.raw COLLATE "C"
          ORDER BY e.key FOR UPDATE OF e) smaller
    WHERE e.tenant_id = $1 AND e.key = smaller.key AND e.raw > smaller.raw COLLATE "C""#;

const COUNT_STAGE_EVENTS: &str = "
    INSERT INTO deals AS d (tenant_id, deal_id, events) SELECT $1::text, * FROM unnest($2::text[], $3::bigint[])
    ON CONFLICT (tenant_id, deal_id) DO UPDATE SET events = d.events + excluded.events";

const COUNT_INGEST: &str = "
    INSERT INTO crm_event_ingests AS i (tenant_id, source, slot, events)
    SELECT $1::text, $2::text, pg_backend_pid() % 16, $3::bigint WHERE $3 > 0
    ON CONFLICT (tenant_id, source, slot) DO UPDATE SET events = i.events + excluded.events";

pub(super) const EVENTS_OF_DEAL: &str = "
    SELECT key, occurred_at, event_id, deal_id, stage, raw FROM crm_events
    WHERE tenant_id = $1 AND deal_id = $2 ORDER BY key";

/// An event and the smallest raw form that came with its key.
pub(super) struct Arrived<'a> {
    event: &'a CrmEvent,
    raw: &'a str,
}

/// The events by key, each once.
pub(super) fn distinct(events: &[CrmEvent]) -> Vec<Arrived<'_>> {
    let mut distinct: BTreeMap<KeyedHash, Arrived<'_>> = BTreeMap::new();
    for event in events {
        let first = distinct.entry(event.key).or_insert(Arrived { event, raw: &event.raw });
        first.raw = first.raw.min(&event.raw);
    }
    distinct.into_values().collect()
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
        let keep_smallest = client.prepare_cached(KEEP_SMALLEST_RAW).await?;
        let count_stage_events = client.prepare_cached(COUNT_STAGE_EVENTS).await?;
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
            client.execute(&keep_smallest, &[&tenant, &keys, &raws]).await?;
        }
        let mut moves: BTreeMap<&str, i64> = BTreeMap::new();
        let new = batch.iter().filter(|a| inserted.contains(&a.event.key));
        for change in new.filter_map(|arrived| arrived.event.stage_change.as_ref()) {
            *moves.entry(&change.deal_id).or_default() += 1;
        }
        let deals: Vec<Kept<'_>> = moves.keys().map(|id| Kept(id)).collect();
        let moves: Vec<i64> = moves.into_values().collect();
        let (source, count) = (Kept(source), stored(inserted.len() as u64)?);
        try_join3(
            async { Ok(client.execute(&count_stage_events, &[&tenant, &deals, &moves]).await?) },
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
            texts: [
                column(|a| Some(&a.event.event_id)),
                column(|a| a.event.stage_change.as_ref().map(|change| change.deal_id.as_str())),
                column(|a| a.event.stage_change.as_ref().map(|change| change.stage.as_str())),
                column(|a| Some(a.raw)),
            ],
        }
    }

    fn parameters<'s>(&'s self, tenant: &'s &str) -> Vec<&'s (dyn ToSql + Sync)> {
        let fixed: [&(dyn ToSql + Sync); 3] = [tenant, &self.key, &self.occurred_at];
        fixed.into_iter().chain(self.texts.iter().map(|t| t as &(dyn ToSql + Sync))).collect()
    }
}

pub(super) fn event(row: &Row) -> Result<CrmEvent, Failure> {
    let change = maybe_text(row, 3).zip(maybe_text(row, 4));
    Ok(CrmEvent {
        key: hash(row.get(0))?,
        occurred_at: Timestamp::from_micros(row.get(1)),
        event_id: text(row, 2),
        stage_change: change.map(|(deal_id, stage)| StageChange { deal_id, stage }),
        raw: text(row, 5),
    })
}
