use rusqlite::{Connection, OptionalExtension, params};
use xynergy_core::Timestamp;
use xynergy_core::spend::{
    KEPT, LATE, OpenReserve, Reserve, Settlement, Span, SpendCell, SpendLimit, SpendTotal, minute,
};

use super::super::error::Failure;
use crate::spend::{self, json, kept, read, texts};

type Result<T> = std::result::Result<T, Failure>;

/// The rows of one tenant's account.
pub(super) struct Rows<'a> {
    pub(super) connection: &'a Connection,
    pub(super) tenant: &'a str,
}

impl Rows<'_> {
    pub(super) fn limits(&self) -> Result<Vec<SpendLimit>> {
        let mut statement =
            self.connection.prepare_cached("SELECT value FROM spend_limits WHERE tenant_id = ?1")?;
        let rows = statement.query_map([self.tenant], |row| row.get::<_, String>(0))?;
        Ok(spend::limits(rows.collect::<std::result::Result<Vec<_>, _>>()?)?)
    }

    pub(super) fn is_open(&self, id: u128) -> Result<bool> {
        let mut statement =
            self.connection.prepare_cached("SELECT 1 FROM spend_open WHERE tenant_id = ?1 AND id = ?2")?;
        Ok(statement.exists(params![self.tenant, id.to_be_bytes()])?)
    }

    /// What a span holds, settled and reserved.
    pub(super) fn counter(&self, span: &Span) -> Result<(u64, u64)> {
        let scope = span.limit.scope.to_text();
        let (start, end) = (span.start.micros(), span.end.micros());
        let known = self
            .connection
            .prepare_cached(
                "SELECT settled, reserved FROM spend_counters
                 WHERE tenant_id = ?1 AND scope = ?2 AND start_at = ?3 AND end_at = ?4",
            )?
            .query_row(params![self.tenant, scope, start, end], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some((settled, reserved)) = known {
            return Ok((read(settled), read(reserved)));
        }
        // One that has ended is made again when something late asks for it.
        self.connection
            .prepare_cached("DELETE FROM spend_counters WHERE tenant_id = ?1 AND end_at <= ?2")?
            .execute(params![self.tenant, start])?;
        let (settled, reserved) = self
            .connection
            .prepare_cached(
                "INSERT INTO spend_counters (tenant_id, scope, start_at, end_at, settled, reserved)
                 SELECT ?1, ?2, ?3, ?4,
                     (SELECT coalesce(sum(cost), 0) FROM spend_cells c
                      WHERE tenant_id = ?1 AND minute >= ?3 AND minute < ?4
                        AND EXISTS (SELECT 1 FROM json_each(c.scopes) WHERE value = ?2)),
                     (SELECT coalesce(sum(amount), 0) FROM spend_open o
                      WHERE tenant_id = ?1 AND at >= ?3 AND at < ?4
                        AND EXISTS (SELECT 1 FROM json_each(o.scopes) WHERE value = ?2))
                 RETURNING settled, reserved",
            )?
            .query_row(params![self.tenant, scope, start, end], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok((read(settled), read(reserved)))
    }

    /// Notes a reservation.
    pub(super) fn add(&self, request: &Reserve) -> Result<()> {
        let scopes = json(&texts(request.scopes()));
        let amount = kept(request.amount_nano_usd);
        let at = request.at.micros();
        self.count(&scopes, at, amount, 0)?;
        self.connection
            .prepare_cached(
                "INSERT INTO spend_open (tenant_id, id, amount, at, expires, scopes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                self.tenant,
                request.id.to_be_bytes(),
                amount,
                at,
                request.expires().micros(),
                scopes
            ])?;
        Ok(())
    }

    /// Changes the counters that a reservation is in.
    fn count(&self, scopes: &str, at: i64, reserved: i64, settled: i64) -> Result<()> {
        self.connection
            .prepare_cached(
                "UPDATE spend_counters SET reserved = max(0, reserved + ?4), settled = settled + ?5
                 WHERE tenant_id = ?1 AND scope IN (SELECT value FROM json_each(?2)) AND start_at <= ?3 AND end_at > ?3",
            )?
            .execute(params![self.tenant, scopes, at, reserved, settled])?;
        Ok(())
    }

    /// Gives back what nobody has settled within its lease, and forgets what nobody will.
    pub(super) fn expire(&self, now: Timestamp) -> Result<()> {
        let mut due = self.connection.prepare_cached(
            "SELECT scopes, at, amount FROM spend_open WHERE tenant_id = ?1 AND lapsed = 0 AND expires <= ?2",
        )?;
        let due = due
            .query_map(params![self.tenant, now.micros()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<std::result::Result<Vec<(String, i64, i64)>, _>>()?;
        for (scopes, at, amount) in due {
            self.count(&scopes, at, -amount, 0)?;
        }
        self.connection
            .prepare_cached(
                "UPDATE spend_open SET amount = 0, lapsed = 1 WHERE tenant_id = ?1 AND lapsed = 0 AND expires <= ?2",
            )?
            .execute(params![self.tenant, now.micros()])?;
        self.connection
            .prepare_cached("DELETE FROM spend_open WHERE tenant_id = ?1 AND lapsed = 1 AND expires <= ?2")?
            .execute(params![self.tenant, now.minus(LATE).micros()])?;
        Ok(())
    }

    /// Closes a reservation, if it is open, with what was used.
    pub(super) fn close(&self, id: u128, used: Option<&Settlement>) -> Result<()> {
        let open = self
            .connection
            .prepare_cached(
                "DELETE FROM spend_open WHERE tenant_id = ?1 AND id = ?2 RETURNING scopes, at, amount",
            )?
            .query_row(params![self.tenant, id.to_be_bytes()], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?))
            })
            .optional()?;
        let Some((scopes, at, amount)) = open else { return Ok(()) };
        let total = used.map(SpendTotal::of).unwrap_or_default();
        self.count(&scopes, at, -amount, kept(total.cost_nano_usd))?;
        let Some(used) = used else { return Ok(()) };
        let minute = minute(Timestamp::from_micros(at));
        self.connection
            .prepare_cached(
                "INSERT INTO spend_cells (tenant_id, minute, provider, model, scopes, requests, unpriced, tokens, cost)
                 VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6, ?7, ?8)
                 ON CONFLICT DO UPDATE SET requests = requests + 1, unpriced = unpriced + excluded.unpriced,
                     tokens = tokens + excluded.tokens, cost = cost + excluded.cost",
            )?
            .execute(params![
                self.tenant,
                minute.micros(),
                used.provider,
                used.model,
                scopes,
                kept(total.unpriced_requests),
                kept(total.tokens),
                kept(total.cost_nano_usd)
            ])?;
        self.connection
            .prepare_cached("DELETE FROM spend_cells WHERE tenant_id = ?1 AND minute < ?2")?
            .execute(params![self.tenant, minute.minus(KEPT).micros()])?;
        Ok(())
    }

    /// The history from a minute on.
    pub(super) fn cells(&self, from: Timestamp) -> Result<Vec<(SpendCell, SpendTotal)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT minute, provider, model, scopes, requests, unpriced, tokens, cost
             FROM spend_cells WHERE tenant_id = ?1 AND minute >= ?2",
        )?;
        let rows = statement.query_map(params![self.tenant, from.micros()], |row| {
            let cell = spend::cell(row.get(0)?, row.get(1)?, row.get(2)?, list(&row.get::<_, String>(3)?));
            let number = |column| row.get::<_, i64>(column).map(read);
            Ok((cell, SpendTotal::new(number(4)?, number(5)?, number(6)?, number(7)?)))
        })?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }

    /// What is reserved.
    pub(super) fn open(&self) -> Result<Vec<OpenReserve>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT amount, at, expires, scopes FROM spend_open WHERE tenant_id = ?1 AND lapsed = 0",
        )?;
        let rows = statement.query_map([self.tenant], |row| {
            let scopes = list(&row.get::<_, String>(3)?);
            Ok(spend::open(read(row.get(0)?), row.get(1)?, row.get(2)?, scopes))
        })?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }
}

/// Scopes from JSON that this library wrote.
fn list(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}
