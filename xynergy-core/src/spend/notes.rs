use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Settlement;
use crate::ctx::TenantId;

/// How many notes are kept while a store is away. What is forgotten above it was only reserved, and its lease gives it back.
const MOST: usize = 65_536;

/// One reservation that a destructor closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseNote {
    /// Whose it is.
    pub tenant: TenantId,
    /// The reservation.
    pub id: u128,
    /// What was used of it.
    pub used: Option<Settlement>,
}

/// What destructors closed, for a ledger with I/O to write with its next call.
#[derive(Debug, Default)]
pub struct CloseNotes(Mutex<VecDeque<CloseNote>>);

impl CloseNotes {
    /// Takes note. Never waits.
    pub fn push(&self, tenant: &TenantId, id: u128, used: Option<Settlement>) {
        self.add(vec![CloseNote { tenant: tenant.clone(), id, used }]);
    }

    /// Whether there is anything to write.
    pub fn is_empty(&self) -> bool {
        self.notes().is_empty()
    }

    /// Takes all notes. Dropped before [`Taken::written`], they are noted again.
    pub fn take(&self) -> Taken<'_> {
        Taken { notes: std::mem::take(&mut *self.notes()).into(), from: self }
    }

    fn add(&self, notes: Vec<CloseNote>) {
        let mut kept = self.notes();
        kept.extend(notes);
        while kept.len() > MOST {
            let unused = kept.iter().position(|note| note.used.is_none()).unwrap_or(0);
            if let Some(CloseNote { used: Some(used), .. }) = kept.remove(unused) {
                tracing::error!(event = "spend_forgotten", cost_nano_usd = used.cost_nano_usd);
            }
        }
    }

    fn notes(&self) -> MutexGuard<'_, VecDeque<CloseNote>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notes that are being written.
#[derive(Debug)]
#[must_use = "dropped, they are noted again"]
pub struct Taken<'a> {
    notes: Vec<CloseNote>,
    from: &'a CloseNotes,
}

impl Taken<'_> {
    /// The notes.
    pub fn notes(&self) -> &[CloseNote] {
        &self.notes
    }

    /// They are written.
    pub fn written(mut self) {
        self.notes.clear();
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.notes.is_empty() {
            self.from.add(std::mem::take(&mut self.notes));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_back_until_they_are_written() {
        let notes = CloseNotes::default();
        notes.push(&TenantId::default(), 1, None);
        assert_eq!(notes.take().notes().len(), 1);
        assert!(!notes.is_empty(), "they were dropped unwritten");
        notes.take().written();
        assert!(notes.is_empty());
    }

    #[test]
    fn what_was_used_is_forgotten_last() {
        let notes = CloseNotes::default();
        let used = Settlement { provider: "p".into(), model: "m".into(), cost_nano_usd: Some(1), tokens: 1 };
        notes.push(&TenantId::default(), 0, Some(used));
        for id in 0..=MOST as u128 {
            notes.push(&TenantId::default(), id, None);
        }
        let taken = notes.take();
        assert_eq!(taken.notes().len(), MOST);
        assert!(taken.notes()[0].used.is_some());
        taken.written();
    }
}
