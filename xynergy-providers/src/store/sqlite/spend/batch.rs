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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, channel};
    use std::time::Duration;

    use xynergy_core::ErrorKind;

    use super::*;

    fn database() -> (tempfile::TempDir, Connection) {
        let directory = tempfile::tempdir().unwrap();
        let connection = Connection::open(directory.path().join("x.sqlite")).unwrap();
        connection.busy_timeout(Duration::ZERO).unwrap();
        connection.execute_batch("CREATE TABLE kept (value INTEGER)").unwrap();
        (directory, connection)
    }

    /// A work that writes `value`, and fails after that if it is negative.
    fn writes(batch: &Batch, value: i64) -> Receiver<Result<()>> {
        let (tell, told) = channel();
        batch.push(Box::new(move |transaction| match transaction {
            Err(error) => {
                tell.send(Err(error)).unwrap();
                None
            }
            Ok(transaction) => {
                let done = apart(transaction, |connection| {
                    connection.execute("INSERT INTO kept VALUES (?1)", [value])?;
                    let refused = || Failure::Domain(Error::new(ErrorKind::Rejected, "test", "negative"));
                    (value >= 0).then_some(()).ok_or_else(refused)
                });
                Some(Box::new(move |committed: Result<()>| {
                    let done = done.map_err(|failure| failure.into_error("test"));
                    tell.send(committed.and(done)).unwrap();
                }))
            }
        }));
        told
    }

    fn kept(connection: &Connection) -> Vec<i64> {
        let mut statement = connection.prepare("SELECT value FROM kept").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(std::result::Result::unwrap).collect()
    }

    #[test]
    fn what_waits_is_committed_at_once_and_one_failure_is_its_own() {
        let (directory, mut connection) = database();
        // The header counts the transactions that changed the file.
        let commits = || {
            let file = std::fs::read(directory.path().join("x.sqlite")).unwrap();
            u32::from_be_bytes(file[24..28].try_into().unwrap())
        };
        let before = commits();
        let batch = Batch::default();
        let told = [1, -2, 3].map(|value| writes(&batch, value));
        batch.write(&mut connection, &CloseNotes::default());
        assert_eq!(kept(&connection), [1, 3]);
        assert_eq!(commits(), before + 1);
        let told = told.map(|told| told.recv().unwrap().map_err(|error| error.kind()));
        assert_eq!(told, [Ok(()), Err(ErrorKind::Rejected), Ok(())]);
        batch.write(&mut connection, &CloseNotes::default());
        assert_eq!(commits(), before + 1, "nothing waited");
    }

    #[test]
    fn without_a_transaction_everybody_is_told_why() {
        let (directory, mut connection) = database();
        let other = Connection::open(directory.path().join("x.sqlite")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let batch = Batch::default();
        let told = [1, 2].map(|value| writes(&batch, value));
        batch.write(&mut connection, &CloseNotes::default());
        for told in told {
            assert!(matches!(told.recv().unwrap().unwrap_err().retry(), xynergy_core::Retry::After(_)));
        }
        other.execute_batch("COMMIT").unwrap();
        let after = writes(&batch, 4);
        batch.write(&mut connection, &CloseNotes::default());
        assert!(after.recv().unwrap().is_ok());
        assert_eq!(kept(&connection), [4]);
    }
}
