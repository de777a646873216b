"""Matching in bulk on Arrow data: clicks and conversions as tables in, attributions out.

Every table with `__arrow_c_stream__` or `__arrow_c_array__` will do: those of pyarrow, Polars, pandas and DuckDB, and the batches that
PySpark's `mapInArrow` and Ray hand out. Nothing is copied on the way in or out. The columns are in `docs/batch.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from xynergy import _native
from xynergy._native import ArrowBatches
from xynergy.errors import InvalidInputError, from_json

__all__ = ["ArrowBatches", "attribute", "one_per_conversion"]

WINDOWS = (timedelta(days=30), timedelta(days=7), timedelta(days=1))


def attribute(
    clicks: Any, conversions: Any, *, windows: Sequence[timedelta] = WINDOWS, one_per_conversion: bool = False
) -> ArrowBatches:
    """The click behind each row of `conversions`: of the same key, within the window of the row's layer, the latest.

    The answer has a row for each row of `conversions`, in their order; with `one_per_conversion` one for each `conversion_id`, that of its
    best layer. It is a table for every library of Arrow's: `pyarrow.table(answer)`, `polars.DataFrame(answer)`. `windows` are how far
    before the conversion a click of each layer may lie.

    It computes on the calling thread and lets other threads of Python run. `InvalidInputError` names the column.
    """
    try:
        return _native.arrow_attribute(clicks, conversions, _micros(windows), one_per_conversion)
    except _native.Failed as failure:
        raise from_json(failure.args[0]) from None


def one_per_conversion(attributions: Any) -> ArrowBatches:
    """Of answers of `attribute` for parts of the keys, one row for each `conversion_id`: that of the best layer, of those the latest
    click."""
    try:
        return _native.arrow_one_per_conversion(attributions)
    except _native.Failed as failure:
        raise from_json(failure.args[0]) from None


def _micros(windows: Sequence[timedelta]) -> tuple[int, int, int]:
    micros = [window // timedelta(microseconds=1) for window in windows if isinstance(window, timedelta)]
    if len(windows) != 3 or len(micros) != 3 or min(micros) < 0:
        raise InvalidInputError("windows: give three timedeltas of 0 or more, one for each layer", operation="arrow.attribute")
    first, second, third = micros
    return first, second, third
