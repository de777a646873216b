use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use deadpool_postgres::Object;
use futures_util::FutureExt;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};
use xynergy_core::{Error, ErrorKind, Retry};

use super::error::Failure;
use super::values::Value;

/// How often work is tried that PostgreSQL undoes.
const ATTEMPTS: u32 = 6;

/// A request that is on the wire already. Requests are answered in the order of their making, so that a caller sends
/// several and then waits for all of them: one trip instead of many.
pub(super) struct Sent<'a, T> {
    rest: Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>,
    answer: Option<Result<T, Failure>>,
}

impl<'a, T> Sent<'a, T> {
    /// The first poll of a request with a prepared statement puts it on the wire, without waiting.
    fn new(request: impl Future<Output = Result<T, Failure>> + Send + 'a) -> Self {
        let mut rest: Pin<Box<dyn Future<Output = _> + Send + 'a>> = Box::pin(request);
        let answer = match rest.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Some(answer),
            Poll::Pending => None,
        };
        Self { rest, answer }
    }
}

impl<T: Unpin> Future for Sent<'_, T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => self.rest.as_mut().poll(context),
        }
    }
}

/// An open transaction on a connection of the pool. Dropped before its commit was sent, nothing of it happened; after
/// that, all or nothing.
pub(super) struct Transaction {
    client: Object,
    open: AtomicBool,
}

impl Transaction {
    /// A transaction that [`begin`](Self::begin) has still to open.
    pub(super) fn on(client: Object) -> Self {
        Self { client, open: AtomicBool::new(true) }
    }

    /// The connection, for statements that are waited for one by one.
    pub(super) fn client(&self) -> &Object {
        &self.client
    }

    /// Opens it.
    pub(super) fn begin(&self) -> Sent<'_, ()> {
        Sent::new(async { Ok(self.client.batch_execute("BEGIN ISOLATION LEVEL READ COMMITTED").await?) })
    }

    /// A statement, prepared on this connection once.
    pub(super) async fn prepared(&self, sql: &str) -> Result<Statement, Failure> {
        Ok(self.client.prepare_cached(sql).await?)
    }

    /// Sends a query. The statement is a prepared one: preparing would wait, and what was sent later would overtake it.
    pub(super) fn query<'a>(&'a self, statement: &Statement, values: Vec<Value<'a>>) -> Sent<'a, Vec<Row>> {
        let statement = statement.clone();
        Sent::new(async move { Ok(self.client.query(&statement, &references(&values)).await?) })
    }

    /// Sends a statement that returns no rows.
    pub(super) fn execute<'a>(&'a self, statement: &Statement, values: Vec<Value<'a>>) -> Sent<'a, u64> {
        let statement = statement.clone();
        Sent::new(async move { Ok(self.client.execute(&statement, &references(&values)).await?) })
    }

    /// Sends what is to be saved and the commit, in one trip, and waits for all of it.
    pub(super) async fn commit_with(
        &self,
        saves: Vec<(&'static str, Vec<Value<'_>>)>,
    ) -> Result<(), Failure> {
        let mut statements = Vec::with_capacity(saves.len());
        for (sql, _) in &saves {
            statements.push(self.prepared(sql).await?);
        }
        let sent: Vec<_> = statements
            .iter()
            .zip(saves)
            .map(|(statement, (_, values))| self.execute(statement, values))
            .collect();
        let committed = self.commit();
        for answer in sent {
            answer
                .await
                .map_err(|failure| if failure.lost_connection() { unknown(&failure) } else { failure })?;
        }
        committed.await
    }

    /// Sends the commit. What was sent before has to be waited for too: a transaction in which a statement failed is
    /// rolled back by its commit, and only the statement's own answer tells.
    pub(super) fn commit(&self) -> Sent<'_, ()> {
        Sent::new(async {
            match self.client.batch_execute("COMMIT").await.map_err(Failure::Postgres) {
                Ok(()) => {
                    self.open.store(false, Ordering::Relaxed);
                    Ok(())
                }
                Err(failure) if failure.lost_connection() => Err(unknown(&failure)),
                Err(failure) => Err(failure),
            }
        })
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if self.open.load(Ordering::Relaxed) && !self.client.is_closed() {
            // The first poll puts it on the wire; whatever the connection is used for next comes after it.
            let _ = self.client.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

fn references<'a>(values: &'a [Value<'_>]) -> Vec<&'a (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// The connection broke after the commit was sent.
fn unknown(failure: &Failure) -> Failure {
    Failure::Domain(
        Error::new(
            ErrorKind::Unavailable,
            "store.commit",
            "the connection broke while the transaction was committed: it was done whole or not at all, read to know",
        )
        .with_retry(Retry::Exhausted)
        .with_source(failure.to_string()),
    )
}

/// Does the work again as long as PostgreSQL undoes it for another transaction's sake, or the connection broke before its
/// commit was sent: nothing was done then.
pub(super) async fn retried<T, F>(mut work: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut attempt = 0;
    loop {
        attempt += 1;
        match work().await {
            Err(failure)
                if (failure.lost_to_another() || failure.lost_connection()) && attempt < ATTEMPTS =>
            {
                tokio::time::sleep(Duration::from_millis(5) * 2_u32.pow(attempt)).await;
            }
            ended => return ended,
        }
    }
}
