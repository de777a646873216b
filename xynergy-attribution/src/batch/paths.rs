use arrow_array::RecordBatch;
use arrow_schema::DataType;
use xynergy_core::{Error, Result};

use super::columns::{Column, Lists, Numbers, Texts, Times};
use crate::credit::path::{self, PathView};
use crate::credit::{CreditModel, CreditParameters, Credits, Tally};

pub(super) const TABLE: &str = "paths";
pub(super) const OPERATION: &str = "arrow.credit";

/// The credit of every channel in `paths` by one model: that of [`credit::credit`](crate::credit::credit) on the same paths, without a copy of
/// them.
///
/// A row is a path. `channels` is a list of texts; with `separator` one text, whose parts between the separators are the channels
/// (`search > social` with ` > `). The others may be missing: `times` (a list of timestamps, one for each touch), `at` (a timestamp; may be
/// null), `conversions`, `value_minor` and `nulls` (integers of any width, 0 where the column is missing). Other columns are left alone.
///
/// # Errors
/// [`InvalidInput`](xynergy_core::ErrorKind::InvalidInput) that names the column, and the row where it is one;
/// [`LimitExceeded`](xynergy_core::ErrorKind::LimitExceeded) for a Markov chain that would take hours to solve.
pub fn credit(
    paths: &[RecordBatch],
    separator: Option<&str>,
    model: CreditModel,
    parameters: &CreditParameters,
) -> Result<Credits> {
    if separator == Some("") {
        let problem = "separator: is empty; give what stands between two channels, or leave it out for lists";
        return Err(Error::invalid(OPERATION, problem).with_context("field", "separator"));
    }
    let mut tally = Tally::new(model, parameters)?;
    let mut first_row = 0;
    for batch in paths {
        let columns = Columns::of(batch, separator, first_row)?;
        for row in 0..batch.num_rows() {
            let added = columns.path(row).and_then(|path| tally.add_view(path));
            added.map_err(|error| path::at(&error, first_row + row))?;
        }
        first_row += batch.num_rows();
    }
    tally.credits()
}

struct Columns<'a> {
    channels: Channels<'a>,
    times: Option<(Lists<'a>, Times<'a>)>,
    at: Option<(Column<'a>, Times<'a>)>,
    conversions: Option<Numbers<'a>>,
    value_minor: Option<Numbers<'a>>,
    nulls: Option<Numbers<'a>>,
}

enum Channels<'a> {
    Lists(Lists<'a>, Texts<'a>),
    Separated(Texts<'a>, &'a str),
}

impl<'a> Columns<'a> {
    fn of(batch: &'a RecordBatch, separator: Option<&'a str>, first_row: usize) -> Result<Self> {
        let column = |name| Column::of(TABLE, batch, name, first_row);
        let optional = |name| batch.column_by_name(name).is_some().then(|| column(name)).transpose();
        let numbers = |name| optional(name)?.map(Column::numbers).transpose();
        let channels = column("channels")?;
        let is_text =
            |kind: &DataType| matches!(kind, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        let channels = match separator {
            Some(separator) if is_text(channels.array.data_type()) => {
                Channels::Separated(channels.texts(false, false)?, separator)
            }
            Some(_) => return Err(channels.is_no("text where a separator is given")),
            None if is_text(channels.array.data_type()) => {
                let wanted = "a list of texts, or text with a separator given";
                return Err(channels.is_no(wanted));
            }
            None => {
                let lists = channels.lists("a list of texts")?;
                let texts = channels.within(&lists).texts(false, true)?;
                Channels::Lists(lists, texts)
            }
        };
        let times = match optional("times")? {
            Some(times) => {
                let lists = times.lists("a list of timestamps")?;
                let ticks = times.within(&lists).times(true)?;
                Some((lists, ticks))
            }
            None => None,
        };
        let at = match optional("at")? {
            Some(at) => Some((at, at.times(true)?)),
            None => None,
        };
        let (conversions, value_minor) = (numbers("conversions")?, numbers("value_minor")?);
        Ok(Self { channels, times, at, conversions, value_minor, nulls: numbers("nulls")? })
    }

    fn path(&self, row: usize) -> Result<PathView<'a>> {
        let mut touches: Vec<(i64, &'a str)> = match &self.channels {
            Channels::Lists(lists, texts) => {
                lists.places(row).map(|place| (0, texts.text(place).unwrap_or_default())).collect()
            }
            Channels::Separated(texts, separator) => match texts.text(row).unwrap_or_default() {
                "" => Vec::new(),
                text => text.split(separator).map(|channel| (0, channel)).collect(),
            },
        };
        if let Some((lists, ticks)) = &self.times {
            let places = lists.places(row);
            if places.len() != touches.len() {
                return Err(path::invalid("times", path::lengths(places.len(), touches.len())));
            }
            for (touch, place) in touches.iter_mut().zip(places) {
                touch.0 = ticks.micros(place);
            }
        }
        let at = self.at.as_ref().filter(|(column, _)| column.array.is_valid(row));
        let count = |field: &'static str, numbers: Option<&Numbers<'a>>| {
            let number = numbers.map_or(0, |numbers| numbers.get(row));
            u64::try_from(number)
                .map_err(|_| path::invalid(field, format!("{number} is no count; give 0 or more")))
        };
        let value = self.value_minor.as_ref().map_or(0, |numbers| numbers.get(row));
        Ok(PathView {
            touches,
            has_times: self.times.is_some(),
            at: at.map(|(_, times)| times.micros(row)),
            conversions: count("conversions", self.conversions.as_ref())?,
            value_minor: i64::try_from(value).unwrap_or(i64::MAX),
            nulls: count("nulls", self.nulls.as_ref())?,
        })
    }
}
