mod batch;
mod rows;

use std::pin::pin;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use rusqlite::{Connection, params};
use tokio::sync::oneshot;
use xynergy_core::spend::{
    CloseNotes, LimitScope, Reserve, Settlement, Spend, SpendLedger, SpendLimit, Window, history_start,
};
use xynergy_core::{Error, ErrorKind, Result, TenantId, Timestamp};

use super::SqliteStore;
use super::error::Failure;
use crate::spend::{Remembered, limit_text};
use batch::{Batch, apart};
use rows::Rows;

/// What the ledger of a store has in memory.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    notes: CloseNotes,
    batch: Batch,
    remembered: Remembered,
}

#[async_trait]
impl SpendLedger for SqliteStore {
    async fn set_limit(&self, tenant: &TenantId, limit: SpendLimit) -> Result<()> {
        self.account(tenant, "ai.set_limit", move |rows| {
            let (scope, span) = (limit.scope.to_text(), limit.window.as_str());
            rows.connection
                .prepare_cached(
                    "INSERT INTO spend_limits (tenant_id, scope, span, value) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT DO UPDATE SET value = excluded.value",
                )?
                .execute(params![rows.tenant, scope, span, limit_text(&limit)])?;
            Ok(())
        })
        .await
    }

    async fn remove_limit(&self, tenant: &TenantId, scope: &LimitScope, window: Window) -> Result<bool> {
        let scope = scope.to_text();
        self.account(tenant, "ai.remove_limit", move |rows| {
            let removed = rows
                .connection
                .prepare_cached("DELETE FROM spend_limits WHERE tenant_id = ?1 AND scope = ?2 AND span = ?3")?
                .execute(params![rows.tenant, scope, window.as_str()])?;
            Ok(removed > 0)
        })
        .await
    }

    async fn limits(&self, tenant: &TenantId) -> Result<Vec<SpendLimit>> {
        #[allow(clippy::redundant_closure_for_method_calls)] // The method is of one lifetime.
        self.account(tenant, "ai.spend", |rows| rows.limits()).await
    }

    fn remembered(&self, tenant: &TenantId) -> Option<Vec<SpendLimit>> {
        self.spend.remembered.get(tenant).map(|(_, limits)| limits)
    }

    async fn reserve(&self, tenant: &TenantId, request: &Reserve) -> Result<Vec<SpendLimit>> {
        let (request, of) = (request.clone(), tenant.clone());
        let remembered = Arc::clone(&self.spend);
        // A dropped call closes its reservation, which may be noted and written before this work's turn comes: it must not come
        // after that.
        let caller = Arc::new(());
        let alive = Arc::downgrade(&caller);
        let reserved = self.account(tenant, "ai.spend", move |rows| {
            if alive.strong_count() == 0 {
                return Ok(Ok(Vec::new()));
            }
            let limits = rows.limits()?;
            remembered.remembered.set(&of, 0, &limits);
            reserve(rows, &request, &limits)
        });
        let reserved = reserved.await?;
        drop(caller);
        reserved
    }

    async fn settle(&self, tenant: &TenantId, id: u128, settlement: &Settlement) -> Result<()> {
        let settlement = settlement.clone();
        self.account(tenant, "ai.spend", move |rows| rows.close(id, Some(&settlement))).await
    }

    fn close(&self, tenant: &TenantId, id: u128, used: Option<Settlement>) {
        self.spend.notes.push(tenant, id, used);
    }

    async fn drain(&self) -> Result<()> {
        if self.spend.notes.is_empty() {
            return Ok(());
        }
        self.account(&TenantId::default(), "ai.spend", |_| Ok(())).await
    }

    async fn spend(&self, tenant: &TenantId, since: Option<Timestamp>, now: Timestamp) -> Result<Spend> {
        self.account(tenant, "ai.spend", move |rows| {
            let limits = rows.limits()?;
            let cells = rows.cells(history_start(&limits, since, now))?;
            let cells = cells.iter().map(|(cell, total)| (cell, total));
            Ok(Spend::report(cells, &rows.open()?, &limits, since, now))
        })
        .await
    }
}

impl SqliteStore {
    /// Runs `work` on a tenant's account, in one transaction with what destructors closed before and with the work of others that
    /// waits. Cancel safety: once it waits it is done, whoever still wants its value.
    async fn account<T, F>(&self, tenant: &TenantId, operation: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Rows<'_>) -> std::result::Result<T, Failure> + Send + 'static,
    {
        let (tell, told) = oneshot::channel();
        let tenant = tenant.clone();
        self.spend.batch.push(Box::new(move |transaction| {
            let transaction = match transaction {
                Ok(transaction) => transaction,
                Err(error) => {
                    // Whoever asked may be gone.
                    let _ = tell.send(Err(error));
                    return None;
                }
            };
            let value = apart(transaction, |connection| work(&of(connection, &tenant)));
            Some(Box::new(move |committed: Result<()>| {
                let value = value.map_err(|failure| failure.into_error(operation));
                let _ = tell.send(committed.and(value));
            }))
        }));
        let ledger = Arc::clone(&self.spend);
        let written = pin!(self.call(operation, move |connection| {
            ledger.batch.write(connection, &ledger.notes);
            Ok(())
        }));
        // Another's transaction may hold this work; then there is no need to wait for one's own.
        let told = match select(told, written).await {
            Either::Left((told, _)) => told,
            Either::Right((written, told)) => {
                written?;
                told.await
            }
        };
        told.unwrap_or_else(|_| {
            Err(Error::new(ErrorKind::Unavailable, operation, "the store is closed: open it again"))
        })
    }
}

fn of<'a>(connection: &'a Connection, tenant: &'a TenantId) -> Rows<'a> {
    Rows { connection, tenant: tenant.as_str() }
}

/// The soft limits that are crossed, or the refusal: it is no failure of the transaction, which has given back what lapsed.
fn reserve(
    rows: &Rows<'_>,
    request: &Reserve,
    limits: &[SpendLimit],
) -> std::result::Result<Result<Vec<SpendLimit>>, Failure> {
    rows.expire(request.at)?;
    if rows.is_open(request.id)? {
        return Ok(Ok(Vec::new()));
    }
    let mut crossed = Vec::new();
    for span in request.spans(limits) {
        let (settled, reserved) = rows.counter(&span)?;
        let taken = settled.saturating_add(reserved);
        if taken.saturating_add(request.amount_nano_usd) > span.limit.amount_nano_usd {
            if span.limit.hard {
                return Ok(Err(request.refusal(&span, settled, reserved)));
            }
            crossed.push(span.limit);
        }
    }
    if i64::try_from(request.amount_nano_usd).is_err() {
        return Ok(Err(Error::new(
            ErrorKind::LimitExceeded,
            "ai.spend",
            "the call may cost more than nine billion dollars, the most that is kept: check its price",
        )));
    }
    rows.add(request)?;
    Ok(Ok(crossed))
}
