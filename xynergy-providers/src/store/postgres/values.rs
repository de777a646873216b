use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use xynergy_core::Timestamp;

/// A parameter of a statement that is sent before its sender waits: it owns or outlives what it refers to.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Bool(bool),
    Int(Option<i64>),
    Ints(Vec<Option<i64>>),
    Text(Option<&'a str>),
    Texts(Vec<Option<&'a str>>),
    Owned(Option<String>),
    AllOwned(Vec<Option<String>>),
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Bool(value) => value.to_sql(kind, out),
            Self::Int(value) => value.to_sql(kind, out),
            Self::Ints(values) => values.to_sql(kind, out),
            Self::Text(value) => value.to_sql(kind, out),
            Self::Texts(values) => values.to_sql(kind, out),
            Self::Owned(value) => value.to_sql(kind, out),
            Self::AllOwned(values) => values.to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(
            *kind,
            Type::BOOL | Type::INT8 | Type::INT8_ARRAY | Type::TEXT | Type::TEXT_ARRAY | Type::VARCHAR
        )
    }

    to_sql_checked!();
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<u32> for Value<'_> {
    fn from(value: u32) -> Self {
        Self::Int(Some(value.into()))
    }
}

impl From<Option<i64>> for Value<'_> {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Self::Int(Some(value.micros()))
    }
}

impl From<Option<Timestamp>> for Value<'_> {
    fn from(value: Option<Timestamp>) -> Self {
        Self::Int(value.map(Timestamp::micros))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(Some(value))
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(value: Option<&'a str>) -> Self {
        Self::Text(value)
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Owned(Some(value))
    }
}

impl From<Option<String>> for Value<'_> {
    fn from(value: Option<String>) -> Self {
        Self::Owned(value)
    }
}

impl<'a> From<Vec<&'a str>> for Value<'a> {
    fn from(values: Vec<&'a str>) -> Self {
        Self::Texts(values.into_iter().map(Some).collect())
    }
}

impl From<Vec<String>> for Value<'_> {
    fn from(values: Vec<String>) -> Self {
        Self::AllOwned(values.into_iter().map(Some).collect())
    }
}

/// A statement's parameters in their order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { vec![$($crate::store::postgres::values::Value::from($value)),*] };
}
pub(super) use values;

/// One row's values with those of others, column by column, for statements that take many rows as arrays.
pub(super) fn by_column<'a>(rows: Vec<Vec<Value<'a>>>) -> Vec<Value<'a>> {
    let mut columns: Vec<Value<'a>> = Vec::new();
    for row in rows {
        for (place, value) in row.into_iter().enumerate() {
            if columns.len() == place {
                columns.push(match value {
                    Value::Int(_) => Value::Ints(Vec::new()),
                    Value::Text(_) => Value::Texts(Vec::new()),
                    _ => Value::AllOwned(Vec::new()),
                });
            }
            match (&mut columns[place], value) {
                (Value::Ints(column), Value::Int(value)) => column.push(value),
                (Value::Texts(column), Value::Text(value)) => column.push(value),
                (Value::AllOwned(column), Value::Owned(value)) => column.push(value),
                // Every row is made by the same code, with the same kinds in the same places.
                _ => debug_assert!(false, "rows of one kind"),
            }
        }
    }
    columns
}
