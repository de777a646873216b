//! The ledger: what each deal is worth, by which events, and which click is behind it.

use std::collections::BTreeMap;

use futures_util::future::try_join3;
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::ToSql;
use xynergy_core::store::{Attributed, DealRevenue, EntryCause, Layer, LedgerEntry, Match, RevenueTotals};
use xynergy_core::{Error, ErrorKind, Timestamp};

use super::inbox::{from_json, json};
use crate::store::postgres::PostgresStore;
use crate::store::postgres::error::Failure;
use crate::store::postgres::kept::{Given, Kept, hash, maybe_text, text};
use crate::store::postgres::numbers::{self, unsigned};
use crate::store::postgres::transaction::Transaction;

/// In the order of the ids: groups of deals may overlap. The statements after it see what a writer before this one left.
const LOCK_DEALS: &str = "
    SELECT deal_id, events, events_seen, values_seen FROM deals
    WHERE tenant_id = $1 AND deal_id = ANY ($2) ORDER BY deal_id FOR NO KEY UPDATE";

const PUT_STATE: &str = "
    UPDATE deals SET events_seen = $3, stage = $4, value_minor = $5, layer = $6, click_id = $7, ad_id = $8,
                     adset_id = $9, campaign_id = $10, anchor = $11, rule_version = $12, receipt = $13,
                     pipeline = $14, amount_minor = $15, merged_into = $16, problem = $17, facts = $18,
                     values_seen = $19, keyword = $20, content = $21
    WHERE tenant_id = $1 AND deal_id = $2";

const CUT_ENTRIES: &str =
    "DELETE FROM revenue_entries WHERE tenant_id = $1 AND deal_id = $2 AND position >= $3";

/// Entries that stay as they are are not written again: a deal's next event adds one.
const PUT_ENTRIES: &str = "
    INSERT INTO revenue_entries AS e
        (tenant_id, deal_id, position, event_key, occurred_at, cause, stage_from, stage_to, delta_minor)
    SELECT $1::text, $2::text, given.position - 1, event_key, occurred_at, cause, stage_from, stage_to, delta_minor
    FROM unnest($3::bytea[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::bigint[])
         WITH ORDINALITY AS given (event_key, occurred_at, cause, stage_from, stage_to, delta_minor, position)
    ON CONFLICT (tenant_id, deal_id, position) DO UPDATE
    SET event_key = excluded.event_key, occurred_at = excluded.occurred_at, cause = excluded.cause,
        stage_from = excluded.stage_from, stage_to = excluded.stage_to, delta_minor = excluded.delta_minor
    WHERE (e.event_key, e.occurred_at, e.cause, e.stage_from, e.stage_to, e.delta_minor)
          IS DISTINCT FROM
          (excluded.event_key, excluded.occurred_at, excluded.cause, excluded.stage_from, excluded.stage_to,
           excluded.delta_minor)";

/// Of these deals, or of all. One statement, and so one snapshot: a state and its entries belong together.
pub(super) const DEALS: &str = "
    SELECT deal_id, events_seen, stage, value_minor, layer, click_id, ad_id, adset_id, campaign_id, anchor, rule_version,
           receipt, event_keys, times, causes, stages_from, stages_to, deltas, pipeline, amount_minor, merged_into,
           problem, facts, values_seen, keyword, content
    FROM deals d
    LEFT JOIN (
        SELECT deal_id, array_agg(event_key ORDER BY position) AS event_keys,
               array_agg(occurred_at ORDER BY position) AS times,
               array_agg(cause ORDER BY position) AS causes,
               array_agg(stage_from ORDER BY position) AS stages_from,
               array_agg(stage_to ORDER BY position) AS stages_to,
               array_agg(delta_minor ORDER BY position) AS deltas
        FROM revenue_entries WHERE tenant_id = $1 AND ($2::text[] IS NULL OR deal_id = ANY ($2)) GROUP BY deal_id
    ) e USING (deal_id)
    WHERE d.tenant_id = $1 AND CASE WHEN $2::text[] IS NULL THEN stage IS NOT NULL ELSE anchor IS NOT NULL END
          AND ($2::text[] IS NULL OR deal_id = ANY ($2))
    ORDER BY deal_id";

/// A sum that passes 64 bits fails as out of range.
pub(super) const TOTALS: &str = "
    SELECT ad_id, sum(value_minor)::bigint, count(*) FILTER (WHERE layer = 1), count(*) FILTER (WHERE layer = 2),
           count(*) FILTER (WHERE layer = 3), count(*) FILTER (WHERE layer IS NULL)
    FROM deals WHERE tenant_id = $1 AND stage IS NOT NULL AND merged_into IS NULL GROUP BY ad_id";

impl PostgresStore {
    /// Two trips and one for each deal: they are locked and looked at, and then replaced.
    pub(super) async fn put_once(&self, tenant: &str, deals: &[DealRevenue]) -> Result<bool, Failure> {
        let transaction = Transaction::on(self.connection().await?);
        let client = transaction.client();
        let lock_deals = client.prepare_cached(LOCK_DEALS).await?;
        let put_state = client.prepare_cached(PUT_STATE).await?;
        let cut_entries = client.prepare_cached(CUT_ENTRIES).await?;
        let put_entries = client.prepare_cached(PUT_ENTRIES).await?;
        let ids: Vec<Kept<'_>> = deals.iter().map(|deal| Kept(&deal.deal_id)).collect();

        let begun = transaction.begin();
        let locked = client.query(&lock_deals, &[&tenant, &ids]).await;
        begun.await?;
        let stored: BTreeMap<String, [u64; 3]> = locked?
            .iter()
            .map(|row| {
                Ok((text(row, 0), [unsigned(row.get(1))?, unsigned(row.get(2))?, unsigned(row.get(3))?]))
            })
            .collect::<Result<_, Failure>>()?;
        let mut newer = false;
        for deal in deals {
            let [events, events_seen, values_seen] = stored.get(&deal.deal_id).copied().unwrap_or_default();
            if events == 0 || deal.events_seen > events {
                return Err(DealRevenue::unseen_events().into());
            }
            newer |= events_seen > deal.events_seen || values_seen > deal.values_seen;
        }
        if newer {
            return Ok(false);
        }
        for deal in deals {
            let (matched, entries) = (&deal.matched, &deal.entries);
            let deal_id = Kept(&deal.deal_id);
            let (seen, values) = (numbers::stored(deal.events_seen)?, numbers::stored(deal.values_seen)?);
            let found = matched.found.as_ref();
            let layer = found.map(|f| i16::from(f.layer.number()));
            let click_id = found.and_then(|f| f.click_id.as_deref()).map(Kept);
            let ad_id = found.map(|f| Kept(&f.ad_id));
            let adset_id = found.and_then(|f| f.adset_id.as_deref()).map(Kept);
            let campaign_id = found.and_then(|f| f.campaign_id.as_deref()).map(Kept);
            let stage = deal.stage.as_deref().map(Kept);
            let pipeline = deal.pipeline.as_deref().map(Kept);
            let merged_into = deal.merged_into.as_deref().map(Kept);
            let problem = deal.problem.as_deref().map(Kept);
            let facts = json(&deal.facts)?;
            let count = i64::try_from(entries.len()).unwrap_or(i64::MAX);
            let keys: Vec<&[u8]> = entries.iter().map(|e| e.event.as_bytes().as_slice()).collect();
            let times: Vec<i64> = entries.iter().map(|e| e.occurred_at.micros()).collect();
            let causes: Vec<&str> = entries.iter().map(|e| e.cause.as_str()).collect();
            let from: Vec<Option<Kept<'_>>> =
                entries.iter().map(|e| e.stage_from.as_deref().map(Kept)).collect();
            let to: Vec<Kept<'_>> = entries.iter().map(|e| Kept(&e.stage_to)).collect();
            let deltas: Vec<i64> = entries.iter().map(|e| e.delta_minor).collect();
            let keyword = found.and_then(|f| f.keyword.as_deref()).map(Kept);
            let content = found.and_then(|f| f.content.as_deref()).map(Kept);
            let state: [&(dyn ToSql + Sync); 21] = [
                &tenant,
                &deal_id,
                &seen,
                &stage,
                &deal.value_minor,
                &layer,
                &click_id,
                &ad_id,
                &adset_id,
                &campaign_id,
                &matched.anchor.micros(),
                &Kept(&matched.rule_version),
                &Kept(&matched.receipt),
                &pipeline,
                &deal.amount_minor,
                &merged_into,
                &problem,
                &Kept(&facts),
                &values,
                &keyword,
                &content,
            ];
            try_join3(
                client.execute(&put_state, &state),
                client.execute(&cut_entries, &[&tenant, &deal_id, &count]),
                client
                    .execute(&put_entries, &[&tenant, &deal_id, &keys, &times, &causes, &from, &to, &deltas]),
            )
            .await?;
        }
        transaction.commit().await?;
        Ok(true)
    }
}

pub(super) fn deal(row: &Row) -> Result<DealRevenue, Failure> {
    let found = match row.get::<_, Option<i16>>(4) {
        Some(number) => Some(Attributed {
            layer: u8::try_from(number).ok().and_then(Layer::from_number).ok_or_else(unknown_layer)?,
            click_id: maybe_text(row, 5),
            ad_id: text(row, 6),
            adset_id: maybe_text(row, 7),
            campaign_id: maybe_text(row, 8),
            keyword: maybe_text(row, 24),
            content: maybe_text(row, 25),
        }),
        None => None,
    };
    Ok(DealRevenue {
        deal_id: text(row, 0),
        events_seen: unsigned(row.get(1))?,
        stage: maybe_text(row, 2),
        pipeline: maybe_text(row, 18),
        value_minor: row.get(3),
        amount_minor: row.get(19),
        merged_into: maybe_text(row, 20),
        problem: maybe_text(row, 21),
        facts: maybe_text(row, 22).map(|facts| from_json(&facts)).transpose()?.unwrap_or_default(),
        entries: entries(row)?,
        matched: Match::stored(found, Timestamp::from_micros(row.get(9)), text(row, 10), text(row, 11)),
        values_seen: unsigned(row.get(23))?,
    })
}

fn entries(row: &Row) -> Result<Vec<LedgerEntry>, Failure> {
    let Some(keys) = row.get::<_, Option<Vec<&[u8]>>>(12) else { return Ok(Vec::new()) };
    let times: Vec<i64> = row.get(13);
    let causes: Vec<&str> = row.get(14);
    let from: Vec<Option<Given>> = row.get(15);
    let to: Vec<Given> = row.get(16);
    let deltas: Vec<i64> = row.get(17);
    let columns = keys.into_iter().zip(times).zip(causes).zip(from).zip(to).zip(deltas);
    columns
        .map(|(((((key, at), cause), from), to), delta_minor)| {
            Ok(LedgerEntry {
                event: hash(key)?,
                occurred_at: Timestamp::from_micros(at),
                cause: EntryCause::from_name(cause).ok_or_else(unknown_cause)?,
                stage_from: from.map(|from| from.0),
                stage_to: to.0,
                delta_minor,
            })
        })
        .collect()
}

fn unknown_cause() -> Error {
    Error::new(
        ErrorKind::Corrupt,
        "revenue.deals",
        "the stored cause of a ledger's entry is none of the known ones",
    )
}

fn unknown_layer() -> Error {
    Error::new(ErrorKind::Corrupt, "revenue.deals", "a stored layer is none of 1, 2 and 3")
}

pub(super) fn totals(rows: &[Row]) -> Result<RevenueTotals, Failure> {
    let mut totals = RevenueTotals::default();
    for row in rows {
        match maybe_text(row, 0) {
            Some(ad_id) => {
                totals.by_ad.insert(ad_id, row.get(1));
            }
            None => totals.unattributed_minor = row.get(1),
        }
        let counted = |column| unsigned::<u64>(row.get(column));
        totals.matches.layer1 += counted(2)?;
        totals.matches.layer2 += counted(3)?;
        totals.matches.layer3 += counted(4)?;
        totals.matches.none += counted(5)?;
    }
    Ok(totals)
}

/// The failure of the sums.
pub(super) fn sums_failed(error: tokio_postgres::Error) -> Failure {
    if error.code() == Some(&SqlState::NUMERIC_VALUE_OUT_OF_RANGE) {
        return RevenueTotals::past_64_bits().into();
    }
    error.into()
}
