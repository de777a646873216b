//! Matching and credit on Arrow data of the host's, through the Arrow C data interface: nothing is copied on the way in or out.

use std::time::Duration;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi_and_data_type};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{Array as _, RecordBatch, RecordBatchIterator, StructArray};
use arrow_schema::{ArrowError, DataType};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};
use xynergy_bindings::batch::{Windows, attribute, attribution_schema, credit, one_per_conversion};
use xynergy_bindings::methods::ColumnsCredit;
use xynergy_bindings::{Error, ErrorKind};

use crate::attach::detached;
use crate::failed;

const OPERATION: &str = "arrow.attribute";

/// Record batches that every library of Arrow's can take, as often as it likes.
#[pyclass(frozen, module = "xynergy._native")]
#[derive(Debug)]
pub(crate) struct ArrowBatches(Vec<RecordBatch>);

#[pymethods]
impl ArrowBatches {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // The consumer casts what it wants otherwise: the protocol leaves it open.
        drop(requested_schema);
        let batches = self.0.clone().into_iter().map(Ok);
        let reader = RecordBatchIterator::new(batches, attribution_schema());
        let stream = FFI_ArrowArrayStream::new(Box::new(reader));
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        let schema = FFI_ArrowSchema::try_from(attribution_schema().as_ref())
            .map_err(|e| unreadable("the answer", &e))?;
        PyCapsule::new_with_value(py, schema, c"arrow_schema")
    }

    fn __len__(&self) -> usize {
        self.0.iter().map(RecordBatch::num_rows).sum()
    }
}

/// The click behind each row of the conversions, or behind each conversion.
#[pyfunction]
pub(crate) fn arrow_attribute(
    py: Python<'_>,
    clicks: &Bound<'_, PyAny>,
    conversions: &Bound<'_, PyAny>,
    windows_micros: [u64; 3],
    once: bool,
) -> PyResult<ArrowBatches> {
    // One after the other: two relations of one DuckDB connection cannot be read at once.
    let clicks = Source::of("clicks", clicks)?;
    let clicks = detached(py, || clicks.read()).map_err(|e: Error| failed(e))?;
    let conversions = Source::of("conversions", conversions)?;
    let windows = Windows(windows_micros.map(Duration::from_micros));
    let work = || {
        let found = attribute(&clicks, &conversions.read()?, windows)?;
        if once { Ok(vec![one_per_conversion(&found)?]) } else { Ok(found) }
    };
    detached(py, work).map(ArrowBatches).map_err(|e: Error| failed(e))
}

/// One row for each conversion, of answers for parts of the keys.
#[pyfunction]
pub(crate) fn arrow_one_per_conversion(
    py: Python<'_>,
    attributions: &Bound<'_, PyAny>,
) -> PyResult<ArrowBatches> {
    let source = Source::of("attributions", attributions)?;
    let work = || Ok(vec![one_per_conversion(&source.read()?)?]);
    detached(py, work).map(ArrowBatches).map_err(|e: Error| failed(e))
}

/// The credit of the channels in a table of paths, as JSON.
#[pyfunction]
pub(crate) fn arrow_credit(
    py: Python<'_>,
    paths: &Bound<'_, PyAny>,
    chosen: &str,
    parameters: &str,
) -> PyResult<String> {
    let (chosen, parameters) = ColumnsCredit::from_json(chosen, parameters).map_err(failed)?;
    let source = Source::of("paths", paths)?;
    let work = || {
        let separator = chosen.separator.as_deref();
        let credits = credit(&source.read()?, separator, chosen.model, &parameters)?;
        serde_json::to_string(&credits).map_err(|e| {
            Error::new(ErrorKind::Unexpected, "arrow.credit", "the result cannot be written as JSON")
                .with_source(e)
        })
    };
    detached(py, work).map_err(|e: Error| failed(e))
}

/// What the host gave, taken over.
enum Source {
    Stream(&'static str, FFI_ArrowArrayStream),
    Array(&'static str, FFI_ArrowSchema, FFI_ArrowArray),
}

impl Source {
    fn of(name: &'static str, given: &Bound<'_, PyAny>) -> PyResult<Self> {
        if given.hasattr("__arrow_c_stream__")? {
            let capsule = given.call_method0("__arrow_c_stream__")?.cast_into::<PyCapsule>()?;
            let stream = capsule.pointer_checked(Some(c"arrow_array_stream"))?;
            // Safety: the capsule of this name holds a stream, which is moved out of it: what stays is marked as released.
            let stream = unsafe { FFI_ArrowArrayStream::from_raw(stream.as_ptr().cast()) };
            return Ok(Self::Stream(name, stream));
        }
        if given.hasattr("__arrow_c_array__")? {
            let pair = given.call_method0("__arrow_c_array__")?.cast_into::<PyTuple>()?;
            let schema =
                pair.get_item(0)?.cast_into::<PyCapsule>()?.pointer_checked(Some(c"arrow_schema"))?;
            let array = pair.get_item(1)?.cast_into::<PyCapsule>()?.pointer_checked(Some(c"arrow_array"))?;
            // Safety: the capsules of these names hold a schema and an array, which are moved out of them.
            let (schema, array) = unsafe {
                (
                    FFI_ArrowSchema::from_raw(schema.as_ptr().cast()),
                    FFI_ArrowArray::from_raw(array.as_ptr().cast()),
                )
            };
            return Ok(Self::Array(name, schema, array));
        }
        let message = format!(
            "{name}: {} has neither __arrow_c_stream__ nor __arrow_c_array__; give a table or a record batch of pyarrow, Polars, pandas or DuckDB",
            given.get_type().name()?
        );
        Err(failed(Error::invalid(OPERATION, message).with_context("field", name)))
    }

    fn read(self) -> Result<Vec<RecordBatch>, Error> {
        match self {
            Self::Stream(name, stream) => {
                let reader =
                    RecordBatchStreamReader::try_new(stream).map_err(|e| unreadable_input(name, &e))?;
                reader.collect::<Result<_, _>>().map_err(|e| unreadable_input(name, &e))
            }
            Self::Array(name, schema, array) => {
                let data_type = DataType::try_from(&schema).map_err(|e| unreadable_input(name, &e))?;
                if !matches!(data_type, DataType::Struct(_)) {
                    let message = format!(
                        "{name}: is an array of {data_type}, and has to be a table; give a record batch"
                    );
                    return Err(Error::invalid(OPERATION, message).with_context("field", name));
                }
                // Safety: both come from one producer, which promises that they fit.
                let data = unsafe { from_ffi_and_data_type(array, data_type) }
                    .map_err(|e| unreadable_input(name, &e))?;
                let rows = StructArray::from(data);
                if rows.null_count() > 0 {
                    let message = format!("{name}: has rows that are null as a whole; leave them out");
                    return Err(Error::invalid(OPERATION, message).with_context("field", name));
                }
                Ok(vec![RecordBatch::from(rows)])
            }
        }
    }
}

fn unreadable_input(name: &str, error: &ArrowError) -> Error {
    Error::new(ErrorKind::InvalidInput, OPERATION, format!("{name}: cannot be read as Arrow data: {error}"))
}

fn unreadable(name: &str, error: &ArrowError) -> PyErr {
    failed(unreadable_input(name, error))
}
