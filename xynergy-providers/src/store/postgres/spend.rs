use async_trait::async_trait;
use deadpool_postgres::Object;
use futures_util::future::try_join_all;
use xynergy_core::spend::{
    CloseNote, CloseNotes, KEPT, LATE, LimitScope, Reserve, Settlement, Span, Spend, SpendLedger, SpendLimit,
    SpendTotal, Window, history_start,
};
use xynergy_core::{Error, ErrorKind, Result, TenantId, Timestamp};

use super::PostgresStore;
use super::error::Failure;
use super::transaction::retried;
use crate::spend::{Kept, Remembered, changed, kept, limits_of, read, texts};

/// How often a reservation is tried while its tenant's limits are being changed.
const ATTEMPTS: u32 = 16;

/// How many closing notes are on the wire at once.
const NOTES: usize = 64;

/// What the ledger of a store has in memory.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    notes: CloseNotes,
    remembered: Remembered,
}

#[async_trait]
impl SpendLedger for PostgresStore {
    async fn set_limit(&self, tenant: &TenantId, limit: SpendLimit) -> Result<()> {
        self.change_limits(tenant, "ai.set_limit", &limit.scope, limit.window, Some(&limit)).await.map(drop)
    }

    async fn remove_limit(&self, tenant: &TenantId, scope: &LimitScope, window: Window) -> Result<bool> {
        self.change_limits(tenant, "ai.remove_limit", scope, window, None).await
    }

    async fn limits(&self, tenant: &TenantId) -> Result<Vec<SpendLimit>> {
        let seen = self.call("ai.spend", async |client| known_limits(client, tenant).await).await?;
        self.spend.remembered.set(tenant, seen.0, &seen.1);
        Ok(seen.1)
    }

    fn remembered(&self, tenant: &TenantId) -> Option<Vec<SpendLimit>> {
        self.spend.remembered.get(tenant).map(|(_, limits)| limits)
    }

    async fn reserve(&self, tenant: &TenantId, request: &Reserve) -> Result<Vec<SpendLimit>> {
        self.write_notes().await?;
        for _ in 0..ATTEMPTS {
            // A tenant whose limits were never seen is taken for one that has none; the answer tells if not.
            let (version, limits) = self.spend.remembered.get(tenant).unwrap_or_default();
            let spans = request.spans(&limits);
            let asked = retried(|| async {
                let client = self.connection().await?;
                reserve(&client, tenant, request, version, &spans).await
            });
            match asked.await.map_err(|failure| failure.into_error("ai.spend"))? {
                Answer::Limits(version, text) => {
                    self.spend.remembered.set(tenant, version, &limits_of(&text)?);
                }
                Answer::Refused(place, settled, reserved) => {
                    self.spend.remembered.set(tenant, version, &limits);
                    let span = spans.get(place).ok_or_else(unreadable)?;
                    return Err(request.refusal(span, settled, reserved));
                }
                Answer::Reserved(crossed) => {
                    self.spend.remembered.set(tenant, version, &limits);
                    let limits = crossed.into_iter().filter_map(|place| spans.get(place));
                    return Ok(limits.map(|span| span.limit.clone()).collect());
                }
            }
        }
        Err(Error::new(
            ErrorKind::Unavailable,
            "ai.spend",
            "the limits are being changed too fast: try again",
        ))
    }

    async fn settle(&self, tenant: &TenantId, id: u128, settlement: &Settlement) -> Result<()> {
        // In the order in which they were made: what was closed before stays closed.
        self.write_notes().await?;
        let note = CloseNote { tenant: tenant.clone(), id, used: Some(settlement.clone()) };
        let settled = retried(|| async { close(&self.connection().await?, &note, false).await });
        settled.await.map_err(|failure| failure.into_error("ai.spend"))
    }

    fn close(&self, tenant: &TenantId, id: u128, used: Option<Settlement>) {
        self.spend.notes.push(tenant, id, used);
    }

    async fn drain(&self) -> Result<()> {
        self.write_notes().await
    }

    async fn spend(&self, tenant: &TenantId, since: Option<Timestamp>, now: Timestamp) -> Result<Spend> {
        self.write_notes().await?;
        let limits = self.limits(tenant).await?;
        let from = history_start(&limits, since, now);
        let kept = self.call("ai.spend", async |client| history(client, tenant, from).await).await?;
        Ok(kept.report(&limits, since, now))
    }
}

impl PostgresStore {
    /// Writes what destructors closed. What is not written is noted again, also when this is dropped.
    async fn write_notes(&self) -> Result<()> {
        if self.spend.notes.is_empty() {
            return Ok(());
        }
        let taken = self.spend.notes.take();
        for notes in taken.notes().chunks(NOTES) {
            let written = retried(|| async {
                let client = self.connection().await?;
                try_join_all(notes.iter().map(|note| close(&client, note, true))).await
            });
            written.await.map_err(|failure| failure.into_error("ai.spend"))?;
        }
        taken.written();
        Ok(())
    }

    async fn change_limits(
        &self,
        tenant: &TenantId,
        operation: &'static str,
        scope: &LimitScope,
        window: Window,
        limit: Option<&SpendLimit>,
    ) -> Result<bool> {
        for _ in 0..ATTEMPTS {
            let tried = self.call(operation, async |client| {
                let (version, limits) = known_limits(client, tenant).await?;
                let (text, was_there) = changed(limits, scope, window, limit);
                let statement = client
                    .prepare_cached(
                        "INSERT INTO spend_accounts AS a (tenant_id, version, limits) VALUES ($1, $2::bigint + 1, $3)
                         ON CONFLICT (tenant_id) DO UPDATE SET version = a.version + 1, limits = excluded.limits
                         WHERE a.version = $2::bigint",
                    )
                    .await?;
                let done = client.execute(&statement, &[&tenant.as_str(), &version, &text]).await?;
                Ok((done > 0).then_some(was_there))
            });
            if let Some(was_there) = tried.await? {
                return Ok(was_there);
            }
        }
        Err(Error::new(
            ErrorKind::Conflict,
            operation,
            "others change the limits at the same time: try again",
        ))
    }
}

/// The version and the limits of a tenant; version 0 has none.
async fn known_limits(client: &Object, tenant: &TenantId) -> Result<(i64, Vec<SpendLimit>), Failure> {
    let statement =
        client.prepare_cached("SELECT version, limits FROM spend_accounts WHERE tenant_id = $1").await?;
    match client.query_opt(&statement, &[&tenant.as_str()]).await? {
        Some(row) => Ok((row.get(0), limits_of(row.get(1))?)),
        None => Ok((0, Vec::new())),
    }
}

/// What the database says to a reservation.
enum Answer {
    /// The limits are others, of this version.
    Limits(i64, String),
    /// The limit at this place refuses; what it holds, settled and reserved.
    Refused(usize, u64, u64),
    /// It is reserved, and crosses the soft limits at these places.
    Reserved(Vec<usize>),
}

async fn reserve(
    client: &Object,
    tenant: &TenantId,
    request: &Reserve,
    version: i64,
    spans: &[Span],
) -> Result<Answer, Failure> {
    let statement = client
        .prepare_cached(
            "SELECT stored_version, stored_limits, refused, has_settled, has_reserved, crossed
             FROM spend_reserve($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        )
        .await?;
    let row = client
        .query_one(
            &statement,
            &[
                &tenant.as_str(),
                &name(request.id),
                &version,
                &kept(request.amount_nano_usd),
                &request.at.micros(),
                &request.expires().micros(),
                &request.at.minus(LATE).micros(),
                &texts(request.scopes()),
                &texts(spans.iter().map(|span| span.limit.scope.clone())),
                &spans.iter().map(|span| span.start.micros()).collect::<Vec<_>>(),
                &spans.iter().map(|span| span.end.micros()).collect::<Vec<_>>(),
                &spans.iter().map(|span| kept(span.limit.amount_nano_usd)).collect::<Vec<_>>(),
                &spans.iter().map(|span| span.limit.hard).collect::<Vec<_>>(),
            ],
        )
        .await?;
    let place = |number: i32| usize::try_from(number - 1).map_err(|_| unreadable());
    if let Some(limits) = row.get::<_, Option<String>>(1) {
        return Ok(Answer::Limits(row.get(0), limits));
    }
    if let Some(refused) = row.get::<_, Option<i32>>(2) {
        return Ok(Answer::Refused(place(refused)?, read(row.get(3)), read(row.get(4))));
    }
    let crossed: Vec<i32> = row.get(5);
    Ok(Answer::Reserved(crossed.into_iter().map(place).collect::<Result<_, _>>()?))
}

async fn close(client: &Object, note: &CloseNote, wins: bool) -> Result<(), Failure> {
    let statement =
        client.prepare_cached("SELECT spend_close($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)").await?;
    let total = note.used.as_ref().map(SpendTotal::of).unwrap_or_default();
    let (provider, model) =
        note.used.as_ref().map_or(("", ""), |used| (used.provider.as_str(), used.model.as_str()));
    client
        .execute(
            &statement,
            &[
                &note.tenant.as_str(),
                &name(note.id),
                &wins,
                &note.used.is_some(),
                &provider,
                &model,
                &kept(total.unpriced_requests),
                &kept(total.tokens),
                &kept(total.cost_nano_usd),
                &i64::try_from(KEPT.as_micros()).unwrap_or(i64::MAX),
            ],
        )
        .await?;
    Ok(())
}

/// The history from a minute on and what is open, as of one moment.
async fn history(client: &Object, tenant: &TenantId, from: Timestamp) -> Result<Kept, Failure> {
    let statement = client
        .prepare_cached(
            "SELECT (SELECT coalesce(json_agg(json_build_array(minute, provider, model, scopes, requests, unpriced, tokens, cost)),
                                     '[]')::text
                     FROM spend_cells WHERE tenant_id = $1 AND minute >= $2),
                    (SELECT coalesce(json_agg(json_build_array(amount, at, expires, scopes)), '[]')::text
                     FROM spend_open WHERE tenant_id = $1 AND state = 'held')",
        )
        .await?;
    let row = client.query_one(&statement, &[&tenant.as_str(), &from.micros()]).await?;
    let cells = serde_json::from_str(row.get(0)).map_err(|_| unreadable())?;
    let open = serde_json::from_str(row.get(1)).map_err(|_| unreadable())?;
    Ok(Kept { cells, open })
}

fn name(id: u128) -> String {
    format!("{id:032x}")
}

fn unreadable() -> Error {
    Error::new(ErrorKind::Corrupt, "ai.spend", "the stored account cannot be read: migrate, or restore it")
}
