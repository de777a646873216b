use std::ops::Range;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow_array::{
    Array, BinaryArray, BinaryViewArray, FixedSizeBinaryArray, LargeBinaryArray, LargeListArray,
    LargeStringArray, ListArray, RecordBatch, StringArray, StringViewArray,
};
use arrow_schema::{DataType, TimeUnit};
use xynergy_core::Result;

use super::invalid;
use super::output::Found;

/// A column of a table, and where its rows begin among all of the table.
#[derive(Clone, Copy)]
pub(super) struct Column<'a> {
    table: &'static str,
    name: &'static str,
    pub(super) array: &'a dyn Array,
    first_row: usize,
}

/// Texts or bytes, borrowed.
pub(super) enum Texts<'a> {
    Utf8(&'a StringArray),
    LargeUtf8(&'a LargeStringArray),
    Utf8View(&'a StringViewArray),
    Binary(&'a BinaryArray),
    LargeBinary(&'a LargeBinaryArray),
    BinaryView(&'a BinaryViewArray),
    Fixed(&'a FixedSizeBinaryArray),
}

/// Times in their unit, and how they become microseconds.
pub(super) struct Times<'a> {
    ticks: &'a [i64],
    unit: TimeUnit,
}

pub(super) struct Conversions<'a> {
    id: Texts<'a>,
    key: Texts<'a>,
    at: Times<'a>,
    layer: Option<(Column<'a>, Numbers<'a>)>,
}

pub(super) struct Conversion<'a> {
    pub(super) id: &'a str,
    pub(super) key: &'a [u8],
    pub(super) at: i64,
    pub(super) layer: u8,
}

/// Integers of any width.
pub(super) enum Numbers<'a> {
    UInt8(&'a [u8]),
    UInt16(&'a [u16]),
    UInt32(&'a [u32]),
    UInt64(&'a [u64]),
    Int8(&'a [i8]),
    Int16(&'a [i16]),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
}

/// The touches of each row.
pub(super) enum Lists<'a> {
    List(&'a ListArray),
    LargeList(&'a LargeListArray),
}

/// The columns of a batch of clicks.
pub(super) struct ClickColumns<'a> {
    pub(super) key: Texts<'a>,
    pub(super) at: Times<'a>,
    pub(super) click_id: Texts<'a>,
    pub(super) ad_id: Texts<'a>,
    pub(super) adset_id: Option<Texts<'a>>,
    pub(super) campaign_id: Option<Texts<'a>>,
}

/// The columns of an answer.
pub(super) struct MatchedRows<'a> {
    conversion_id: Texts<'a>,
    layer: (Column<'a>, Numbers<'a>),
    texts: [Texts<'a>; 4],
    at: Times<'a>,
    candidates: &'a [u64],
    rows: usize,
}

impl<'a> ClickColumns<'a> {
    pub(super) fn of(batch: &'a RecordBatch, first_row: usize) -> Result<Self> {
        let column = |name| Column::of("clicks", batch, name, first_row);
        let optional = |name| match batch.column_by_name(name) {
            Some(_) => column(name)?.texts(false, true).map(Some),
            None => Ok(None),
        };
        Ok(Self {
            key: column("key")?.texts(true, false)?,
            at: column("at")?.times(false)?,
            click_id: column("click_id")?.texts(false, false)?,
            ad_id: column("ad_id")?.texts(false, false)?,
            adset_id: optional("adset_id")?,
            campaign_id: optional("campaign_id")?,
        })
    }
}

impl<'a> Conversions<'a> {
    pub(super) fn of(batch: &'a RecordBatch, first_row: usize) -> Result<Self> {
        let column = |name| Column::of("conversions", batch, name, first_row);
        let layer = match batch.column_by_name("layer") {
            Some(_) => Some((column("layer")?, column("layer")?.numbers()?)),
            None => None,
        };
        Ok(Self {
            id: column("conversion_id")?.texts(false, false)?,
            key: column("key")?.texts(true, false)?,
            at: column("at")?.times(false)?,
            layer,
        })
    }

    pub(super) fn row(&self, row: usize) -> Result<Conversion<'a>> {
        let layer = match &self.layer {
            Some((column, numbers)) => column.layer(numbers, row)?,
            None => 1,
        };
        let id = self.id.text(row).unwrap_or_default();
        let key = self.key.bytes(row).unwrap_or_default();
        Ok(Conversion { id, key, at: self.at.micros(row), layer })
    }
}

impl<'a> MatchedRows<'a> {
    pub(super) fn of(batch: &'a RecordBatch) -> Result<Self> {
        let column = |name| Column::of("attributions", batch, name, 0);
        let candidates = column("candidates")?;
        let Some(counts) = candidates.array.as_primitive_opt::<UInt64Type>() else {
            return Err(candidates.is_no("an unsigned integer of 64 bits, as attribute gives it"));
        };
        let text = |name| column(name)?.texts(false, true);
        Ok(Self {
            conversion_id: column("conversion_id")?.texts(false, false)?,
            layer: (column("layer")?, column("layer")?.numbers()?),
            texts: [text("click_id")?, text("ad_id")?, text("adset_id")?, text("campaign_id")?],
            at: column("clicked_at")?.times(true)?,
            candidates: counts.values(),
            rows: batch.num_rows(),
        })
    }

    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// The conversion, its layer, and the click where there is one.
    pub(super) fn row(&self, row: usize) -> Result<(&str, u8, Option<Found<'_>>)> {
        let texts: [Option<&str>; 4] = std::array::from_fn(|column| self.texts[column].text(row));
        let found = texts[0].is_some().then(|| Found {
            texts,
            at: self.at.micros(row),
            candidates: self.candidates[row],
        });
        let layer = self.layer.0.layer(&self.layer.1, row)?;
        Ok((self.conversion_id.text(row).unwrap_or_default(), layer, found))
    }
}

impl<'a> Column<'a> {
    pub(super) fn of(
        table: &'static str,
        batch: &'a RecordBatch,
        name: &'static str,
        first_row: usize,
    ) -> Result<Self> {
        let Some(array) = batch.column_by_name(name) else {
            let schema = batch.schema();
            let there: Vec<&str> =
                schema.fields().iter().take(20).map(|field| field.name().as_str()).collect();
            return Err(invalid(table, name, format!("is missing; there are {}", there.join(", "))));
        };
        Ok(Self { table, name, array: array.as_ref(), first_row })
    }

    pub(super) fn texts(self, bytes_too: bool, nulls_too: bool) -> Result<Texts<'a>> {
        let array = self.array;
        let found = match array.data_type() {
            DataType::Utf8 => array.as_string_opt().map(Texts::Utf8),
            DataType::LargeUtf8 => array.as_string_opt().map(Texts::LargeUtf8),
            DataType::Utf8View => array.as_string_view_opt().map(Texts::Utf8View),
            DataType::Binary if bytes_too => array.as_binary_opt().map(Texts::Binary),
            DataType::LargeBinary if bytes_too => array.as_binary_opt().map(Texts::LargeBinary),
            DataType::BinaryView if bytes_too => array.as_binary_view_opt().map(Texts::BinaryView),
            DataType::FixedSizeBinary(_) if bytes_too => array.as_fixed_size_binary_opt().map(Texts::Fixed),
            _ => None,
        };
        let wanted = if bytes_too { "text or binary" } else { "text" };
        let found = found.ok_or_else(|| self.is_no(wanted))?;
        if !nulls_too {
            self.no_nulls()?;
        }
        Ok(found)
    }

    pub(super) fn times(self, nulls_too: bool) -> Result<Times<'a>> {
        let array = self.array;
        let ticks: Option<&[i64]> = match array.data_type() {
            DataType::Timestamp(TimeUnit::Second, _) => {
                array.as_primitive_opt::<TimestampSecondType>().map(|a| &**a.values())
            }
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                array.as_primitive_opt::<TimestampMillisecondType>().map(|a| &**a.values())
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                array.as_primitive_opt::<TimestampMicrosecondType>().map(|a| &**a.values())
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                array.as_primitive_opt::<TimestampNanosecondType>().map(|a| &**a.values())
            }
            _ => None,
        };
        let (Some(ticks), DataType::Timestamp(unit, _)) = (ticks, array.data_type()) else {
            return Err(self.is_no("a timestamp"));
        };
        if !nulls_too {
            self.no_nulls()?;
        }
        Ok(Times { ticks, unit: *unit })
    }

    pub(super) fn numbers(self) -> Result<Numbers<'a>> {
        let array = self.array;
        let found = match array.data_type() {
            DataType::UInt8 => array.as_primitive_opt::<UInt8Type>().map(|a| Numbers::UInt8(a.values())),
            DataType::UInt16 => array.as_primitive_opt::<UInt16Type>().map(|a| Numbers::UInt16(a.values())),
            DataType::UInt32 => array.as_primitive_opt::<UInt32Type>().map(|a| Numbers::UInt32(a.values())),
            DataType::UInt64 => array.as_primitive_opt::<UInt64Type>().map(|a| Numbers::UInt64(a.values())),
            DataType::Int8 => array.as_primitive_opt::<Int8Type>().map(|a| Numbers::Int8(a.values())),
            DataType::Int16 => array.as_primitive_opt::<Int16Type>().map(|a| Numbers::Int16(a.values())),
            DataType::Int32 => array.as_primitive_opt::<Int32Type>().map(|a| Numbers::Int32(a.values())),
            DataType::Int64 => array.as_primitive_opt::<Int64Type>().map(|a| Numbers::Int64(a.values())),
            _ => None,
        };
        self.no_nulls()?;
        found.ok_or_else(|| self.is_no("an integer"))
    }

    pub(super) fn lists(self, of: &str) -> Result<Lists<'a>> {
        let found = match self.array.data_type() {
            DataType::List(_) => self.array.as_list_opt().map(Lists::List),
            DataType::LargeList(_) => self.array.as_list_opt().map(Lists::LargeList),
            _ => None,
        };
        let lists = found.ok_or_else(|| self.is_no(of))?;
        self.no_nulls()?;
        if let Some(nulls) = lists.values().nulls().filter(|nulls| nulls.null_count() > 0) {
            for row in 0..self.array.len() {
                if lists.places(row).any(|place| nulls.is_null(place)) {
                    let problem =
                        format!("row {} has a touch that is null; leave it out", self.first_row + row);
                    return Err(invalid(self.table, self.name, problem));
                }
            }
        }
        Ok(lists)
    }

    /// The column of what the lists hold, whose nulls were looked at.
    pub(super) fn within(self, lists: &Lists<'a>) -> Self {
        Self { array: lists.values(), ..self }
    }

    fn layer(&self, numbers: &Numbers<'_>, row: usize) -> Result<u8> {
        let number = numbers.get(row);
        u8::try_from(number).ok().filter(|layer| (1..=3).contains(layer)).ok_or_else(|| {
            let problem = format!("row {} has {number}, which is not 1, 2 or 3", self.first_row + row);
            invalid(self.table, self.name, problem)
        })
    }

    fn no_nulls(&self) -> Result<()> {
        let Some(nulls) = self.array.nulls().filter(|nulls| nulls.null_count() > 0) else { return Ok(()) };
        let row = (0..nulls.len()).find(|&row| nulls.is_null(row)).unwrap_or(0) + self.first_row;
        Err(invalid(self.table, self.name, format!("row {row} is null; leave out the rows without it")))
    }

    pub(super) fn is_no(&self, wanted: &str) -> xynergy_core::Error {
        let problem = format!("is {}, and has to be {wanted}; cast it", self.array.data_type());
        invalid(self.table, self.name, problem)
    }
}

impl<'a> Texts<'a> {
    /// None for null.
    pub(super) fn bytes(&self, row: usize) -> Option<&'a [u8]> {
        let (array, bytes): (&dyn Array, &[u8]) = match *self {
            Self::Utf8(array) => (array, array.value(row).as_bytes()),
            Self::LargeUtf8(array) => (array, array.value(row).as_bytes()),
            Self::Utf8View(array) => (array, array.value(row).as_bytes()),
            Self::Binary(array) => (array, array.value(row)),
            Self::LargeBinary(array) => (array, array.value(row)),
            Self::BinaryView(array) => (array, array.value(row)),
            Self::Fixed(array) => (array, array.value(row)),
        };
        array.is_valid(row).then_some(bytes)
    }

    /// None for null, and for bytes.
    pub(super) fn text(&self, row: usize) -> Option<&'a str> {
        let (array, text): (&dyn Array, &str) = match *self {
            Self::Utf8(array) => (array, array.value(row)),
            Self::LargeUtf8(array) => (array, array.value(row)),
            Self::Utf8View(array) => (array, array.value(row)),
            Self::Binary(_) | Self::LargeBinary(_) | Self::BinaryView(_) | Self::Fixed(_) => return None,
        };
        array.is_valid(row).then_some(text)
    }
}

impl Numbers<'_> {
    pub(super) fn get(&self, row: usize) -> i128 {
        match self {
            Self::UInt8(all) => all[row].into(),
            Self::UInt16(all) => all[row].into(),
            Self::UInt32(all) => all[row].into(),
            Self::UInt64(all) => all[row].into(),
            Self::Int8(all) => all[row].into(),
            Self::Int16(all) => all[row].into(),
            Self::Int32(all) => all[row].into(),
            Self::Int64(all) => all[row].into(),
        }
    }
}

impl<'a> Lists<'a> {
    /// Where the touches of a row are among the values.
    pub(super) fn places(&self, row: usize) -> Range<usize> {
        match self {
            Self::List(lists) => {
                let place = |row: usize| usize::try_from(lists.value_offsets()[row]).unwrap_or_default();
                place(row)..place(row + 1)
            }
            Self::LargeList(lists) => {
                let place = |row: usize| usize::try_from(lists.value_offsets()[row]).unwrap_or_default();
                place(row)..place(row + 1)
            }
        }
    }

    fn values(&self) -> &'a dyn Array {
        match *self {
            Self::List(lists) => lists.values().as_ref(),
            Self::LargeList(lists) => lists.values().as_ref(),
        }
    }
}

impl Times<'_> {
    pub(super) fn micros(&self, row: usize) -> i64 {
        let ticks = self.ticks[row];
        match self.unit {
            TimeUnit::Second => ticks.saturating_mul(1_000_000),
            TimeUnit::Millisecond => ticks.saturating_mul(1_000),
            TimeUnit::Microsecond => ticks,
            TimeUnit::Nanosecond => ticks.div_euclid(1_000),
        }
    }
}
