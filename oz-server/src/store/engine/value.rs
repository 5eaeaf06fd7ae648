//! Values on their way into a statement and rows on their way out: integers and text, nothing else, so that both
//! databases agree on every type.

use super::super::StoreError;
use std::{borrow::Cow, error::Error};

type Result<T> = std::result::Result<T, StoreError>;

/// A parameter of a statement.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::store) enum Value<'a> {
    Null,
    Int(i64),
    Text(Cow<'a, str>),
}

impl From<i64> for Value<'_> {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}
impl From<i32> for Value<'_> {
    fn from(v: i32) -> Self {
        Self::Int(v.into())
    }
}
impl From<bool> for Value<'_> {
    fn from(v: bool) -> Self {
        Self::Int(v.into())
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(v: &'a str) -> Self {
        Self::Text(Cow::Borrowed(v))
    }
}
impl From<String> for Value<'_> {
    fn from(v: String) -> Self {
        Self::Text(Cow::Owned(v))
    }
}
impl<'a> From<&'a String> for Value<'a> {
    fn from(v: &'a String) -> Self {
        Self::Text(Cow::Borrowed(v))
    }
}
impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(v: Option<T>) -> Self {
        v.map_or(Self::Null, Into::into)
    }
}

/// The parameters of a statement, in the order of `?1`, `?2`, ….
macro_rules! args {
    ($($value:expr),* $(,)?) => { &[$($crate::store::engine::Value::from($value)),*] };
}
pub(in crate::store) use args;

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        use rusqlite::types::{ToSqlOutput, ValueRef};
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(v) => ValueRef::Integer(*v),
            Self::Text(v) => ValueRef::Text(v.as_bytes()),
        }))
    }
}

impl postgres::types::ToSql for Value<'_> {
    fn to_sql(
        &self,
        ty: &postgres::types::Type,
        out: &mut bytes::BytesMut,
    ) -> std::result::Result<postgres::types::IsNull, Box<dyn Error + Sync + Send>> {
        use postgres::types::Type;
        match self {
            Self::Null => Ok(postgres::types::IsNull::Yes),
            Self::Int(v) if *ty == Type::BOOL => (*v != 0).to_sql(ty, out),
            Self::Int(v) if *ty == Type::INT4 => i32::try_from(*v)?.to_sql(ty, out),
            Self::Int(v) => v.to_sql(ty, out),
            Self::Text(v) => v.as_ref().to_sql(ty, out),
        }
    }
    fn accepts(_: &postgres::types::Type) -> bool {
        true
    }
    postgres::types::to_sql_checked!();
}

/// A row of an answer.
pub(in crate::store) enum Row<'a> {
    Sqlite(&'a rusqlite::Row<'a>),
    Postgres(&'a postgres::Row),
}

impl Row<'_> {
    /// Column `i` as `T`.
    pub(in crate::store) fn get<'r, T: Column<'r>>(&'r self, i: usize) -> Result<T> {
        T::of(self, i)
    }
}

/// What a column can be read as.
pub(in crate::store) trait Column<'r>: Sized {
    fn of(row: &'r Row<'_>, i: usize) -> Result<Self>;
}

impl<'r> Column<'r> for Option<i64> {
    fn of(row: &'r Row<'_>, i: usize) -> Result<Self> {
        match row {
            Row::Sqlite(row) => Ok(row.get(i)?),
            Row::Postgres(row) if *row.columns()[i].type_() == postgres::types::Type::INT4 => {
                Ok(row.try_get::<_, Option<i32>>(i)?.map(i64::from))
            }
            Row::Postgres(row) => Ok(row.try_get(i)?),
        }
    }
}
impl<'r> Column<'r> for Option<&'r str> {
    fn of(row: &'r Row<'_>, i: usize) -> Result<Self> {
        match row {
            Row::Sqlite(row) => Ok(row.get_ref(i)?.as_str_or_null()?),
            Row::Postgres(row) => Ok(row.try_get(i)?),
        }
    }
}
fn missing(i: usize) -> StoreError {
    StoreError::Damaged(format!("column {i} is empty"))
}
impl<'r> Column<'r> for i64 {
    fn of(row: &'r Row<'_>, i: usize) -> Result<Self> {
        Option::<i64>::of(row, i)?.ok_or_else(|| missing(i))
    }
}
impl<'r> Column<'r> for u32 {
    fn of(row: &'r Row<'_>, i: usize) -> Result<Self> {
        Self::try_from(i64::of(row, i)?)
            .map_err(|_| StoreError::Damaged(format!("column {i} is out of range")))
    }
}
impl<'r> Column<'r> for bool {
    fn of(row: &'r Row<'_>, i: usize) -> Result<Self> {
        i64::of(row, i).map(|v| v != 0)
    }
}
impl<'r> Column<'r> for &'r str {
    fn of(row: &'r Row<'_>, i: usize) -> Result<Self> {
        Option::<&str>::of(row, i)?.ok_or_else(|| missing(i))
    }
}
impl<'r> Column<'r> for String {
    fn of(row: &'r Row<'_>, i: usize) -> Result<Self> {
        <&str>::of(row, i).map(str::to_owned)
    }
}
impl<'r> Column<'r> for Option<String> {
    fn of(row: &'r Row<'_>, i: usize) -> Result<Self> {
        Ok(Option::<&str>::of(row, i)?.map(str::to_owned))
    }
}
