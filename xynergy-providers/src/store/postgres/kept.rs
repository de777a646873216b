//! How texts and hashes are kept where everything that a person clicked or a CRM sent has to fit.

use std::borrow::Cow;
use std::error::Error as StdError;

use tokio_postgres::Row;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use xynergy_core::store::KeyedHash;
use xynergy_core::{Error, ErrorKind};

use super::error::Failure;

type Boxed = Box<dyn StdError + Sync + Send>;

/// A text as a parameter. PostgreSQL refuses NUL, which anybody can put in a URL (`utm_source=%00`) to have a whole batch
/// of clicks refused: it is kept as U+0001 `0`, and U+0001 as U+0001 `1`. The order of texts stays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kept<'a>(pub(super) &'a str);

impl Kept<'_> {
    fn escaped(&self) -> Cow<'_, str> {
        if self.0.bytes().all(|byte| byte > 1) {
            return Cow::Borrowed(self.0);
        }
        Cow::Owned(self.0.replace('\u{1}', "\u{1}1").replace('\0', "\u{1}0"))
    }
}

impl ToSql for Kept<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Boxed> {
        self.escaped().as_ref().to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        <&str as ToSql>::accepts(kind)
    }

    to_sql_checked!();
}

/// A kept text, read back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given(pub(super) String);

impl<'a> FromSql<'a> for Given {
    fn from_sql(kind: &Type, raw: &'a [u8]) -> Result<Self, Boxed> {
        let text = <&str as FromSql>::from_sql(kind, raw)?;
        if text.bytes().all(|byte| byte > 1) {
            return Ok(Self(text.to_owned()));
        }
        Ok(Self(text.replace("\u{1}0", "\0").replace("\u{1}1", "\u{1}")))
    }

    fn accepts(kind: &Type) -> bool {
        <&str as FromSql>::accepts(kind)
    }
}

/// A text from a column.
pub(super) fn text(row: &Row, column: usize) -> String {
    row.get::<_, Given>(column).0
}

/// A text from a column that may be empty.
pub(super) fn maybe_text(row: &Row, column: usize) -> Option<String> {
    row.get::<_, Option<Given>>(column).map(|given| given.0)
}

/// A hash as PostgreSQL gives it.
pub(super) fn hash(bytes: &[u8]) -> Result<KeyedHash, Failure> {
    let bytes = bytes.try_into().map_err(|_| {
        Failure::Domain(Error::new(ErrorKind::Corrupt, "store.read", "a stored key is not of 16 bytes"))
    })?;
    Ok(KeyedHash::from_bytes(bytes))
}

/// How much one statement takes: its arrays are held whole by both sides, and PostgreSQL refuses a gigabyte.
const ROWS: usize = 10_000;
const BYTES: usize = 16 << 20;

/// A batch in pieces that one statement can take. `size` is what a row's long texts need.
pub(super) fn pieces<T>(mut rows: &[T], size: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fits = |row: &&T| {
            bytes += size(row);
            bytes <= BYTES
        };
        let fitting = rows.iter().take(ROWS).take_while(fits).count();
        let (piece, rest) = rows.split_at(fitting.max(1).min(rows.len()));
        rows = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round(text: &str) -> (Vec<u8>, String) {
        let mut out = BytesMut::new();
        Kept(text).to_sql(&Type::TEXT, &mut out).unwrap();
        let read = Given::from_sql(&Type::TEXT, &out).unwrap().0;
        (out.to_vec(), read)
    }

    #[test]
    fn no_piece_is_too_much_and_none_is_lost() {
        assert_eq!(pieces::<usize>(&[], |n| *n).count(), 0);
        let many = vec![0; 25_000];
        assert_eq!(pieces(&many, |n| *n).map(<[_]>::len).collect::<Vec<_>>(), [10_000, 10_000, 5_000]);
        let large = [BYTES / 2, BYTES / 2, 1, 2 * BYTES, 1];
        let cut: Vec<_> = pieces(&large, |n| *n).map(<[_]>::len).collect();
        assert_eq!(cut, [2, 1, 1, 1], "a row that is too large alone goes alone");
    }

    proptest! {
        #[test]
        fn every_text_is_kept_in_its_order(a in "[\\x00-\\x0201a]{0,6}", b in "[\\x00-\\x0201a]{0,6}") {
            let ((kept_a, read_a), (kept_b, read_b)) = (round(&a), round(&b));
            prop_assert_eq!(&read_a, &a);
            prop_assert_eq!(&read_b, &b);
            prop_assert!(!kept_a.contains(&0));
            prop_assert_eq!(kept_a.cmp(&kept_b), a.cmp(&b));
        }
    }
}
