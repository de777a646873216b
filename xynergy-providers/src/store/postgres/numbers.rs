use xynergy_core::{Error, ErrorKind, Result};

use super::error::Failure;

/// A number as PostgreSQL, which has no unsigned ones, keeps it.
pub(super) fn stored(number: u64) -> Result<i64> {
    i64::try_from(number)
        .map_err(|_| Error::invalid("store.write", "a number is above 2^63 - 1, the largest that is kept"))
}

/// A number that is never below zero, read back.
pub(super) fn unsigned<T: TryFrom<i64>>(number: i64) -> Result<T, Failure> {
    T::try_from(number).map_err(|_| {
        Failure::Domain(Error::new(ErrorKind::Corrupt, "store.read", "a stored number is out of its range"))
    })
}
