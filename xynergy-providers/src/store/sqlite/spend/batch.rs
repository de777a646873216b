//! Work on the account that is committed together: what comes while one commit is on its way waits for the next, all of it. A commit
//! waits for the disk, so that one after the other only so many calls a second could be accounted for.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use xynergy_core::spend::CloseNotes;
use xynergy_core::{Error, Result};

use super::super::error::{Failure, from_sqlite};
use super::of;

/// What one transaction holds at most, so that other processes come to their turn.
const MOST: usize = 256;

/// One work, which is given the transaction, or why there is none. What it returns is told once the transaction is committed or is not.
pub(super) type Work = Box<dyn FnOnce(Result<&mut Transaction<'_>>) -> Option<Told> + Send>;
type Told = Box<dyn FnOnce(Result<()>) + Send>;

/// Works that wait for a transaction.
#[derive(Default)]
pub(super) struct Batch(Mutex<VecDeque<Work>>);

impl Batch {
    pub(super) fn push(&self, work: Work) {
        self.works().push_back(work);
    }

    fn take(&self) -> Vec<Work> {
        let mut works = self.works();
        let count = works.len().min(MOST);
        works.drain(..count).collect()
    }

    fn works(&self) -> MutexGuard<'_, VecDeque<Work>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what waits, in one transaction with what destructors closed before. Every work is told of its own end.
    pub(super) fn write(&self, connection: &mut Connection, notes: &CloseNotes) {
        let mut works = self.take().into_iter();
        if works.len() == 0 {
            return;
        }
        if let Err(failure) = write(connection, notes, &mut works) {
            let error = failure.into_error("ai.spend");
            works.for_each(|work| drop(work(Err(same(&error)))));
        }
    }
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Batch").field(&self.works().len()).finish()
    }
}

fn write(
    connection: &mut Connection,
    notes: &CloseNotes,
    works: &mut impl Iterator<Item = Work>,
) -> std::result::Result<(), Failure> {
    let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let taken = notes.take();
    for note in taken.notes() {
        of(&transaction, &note.tenant).close(note.id, note.used.as_ref())?;
    }
    let told: Vec<Told> = works.filter_map(|work| work(Ok(&mut transaction))).collect();
    let committed = transaction.commit().map_err(|e| from_sqlite("ai.spend", e));
    if committed.is_ok() {
        taken.written();
    }
    for tell in told {
        tell(committed.as_ref().map(drop).map_err(same));
    }
    Ok(())
}

/// A work by itself: what it wrote before it failed is taken back, and the others stay.
pub(super) fn apart<T>(
    transaction: &mut Transaction<'_>,
    work: impl FnOnce(&Connection) -> std::result::Result<T, Failure>,
) -> std::result::Result<T, Failure> {
    let savepoint = transaction.savepoint()?;
    let value = work(&savepoint)?;
    savepoint.commit()?;
    Ok(value)
}

/// The same failure for another who waits.
fn same(error: &Error) -> Error {
    Error::new(error.kind(), error.operation(), error.message().to_owned()).with_retry(error.retry())
}
