"""Matching and credit in bulk on Arrow data: clicks and conversions as tables in, attributions out; paths in, credit out.

Every table with `__arrow_c_stream__` or `__arrow_c_array__` will do: those of pyarrow, Polars, pandas and DuckDB, and the batches that
PySpark's `mapInArrow` and Ray hand out. Nothing is copied on the way in or out. The columns are in `docs/batch.md`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from xynergy import _arguments as a
from xynergy import _json, _native
from xynergy import _types as t
from xynergy._native import ArrowBatches
from xynergy._record import decode
from xynergy.errors import InvalidInputError, from_json

__all__ = ["ArrowBatches", "attribute", "credit", "one_per_conversion"]

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


def credit(
    paths: Any,
    model: a.CreditModel,
    *,
    separator: str | None = None,
    lookback_days: int | None = None,
    lookback_steps: int | None = None,
    direct_channels: Sequence[str] | None = None,
    weights: a.PositionWeightsLike | None = None,
    half_life_seconds: int | None = None,
    order: int | None = None,
    nulls: bool | None = None,
) -> t.Credits:
    """The credit of every channel in `paths` by one model: the answer of `attribution.credit` on the same paths, many times as fast.

    A row is a path. `channels` is a list of texts; with `separator` it is one text with that between two channels (`" > "`). The columns
    `times` (a list of timestamps), `at`, `conversions`, `value_minor` and `nulls` may be missing. The other parameters are those of
    `attribution.credit`.

    It computes on the calling thread (a large Markov chain on more) and lets other threads of Python run. `InvalidInputError` names the
    column.
    """
    chosen: dict[str, Any] = {"separator": separator, "model": model}
    parameters: dict[str, Any] = {
        "lookback_days": lookback_days,
        "lookback_steps": lookback_steps,
        "direct_channels": direct_channels,
        "weights": weights,
        "half_life_seconds": half_life_seconds,
        "order": order,
        "nulls": nulls,
    }
    try:
        given = _json.encode(chosen), _json.encode(parameters)
    except (TypeError, ValueError, RecursionError):
        raise InvalidInputError(_json.problem({**chosen, **parameters}), operation="arrow.credit") from None
    try:
        found: t.Credits = decode(_json.decode(_native.arrow_credit(paths, *given)), "Credits")
    except _native.Failed as failure:
        raise from_json(failure.args[0]) from None
    return found


def _micros(windows: Sequence[timedelta]) -> tuple[int, int, int]:
    micros = [window // timedelta(microseconds=1) for window in windows if isinstance(window, timedelta)]
    if len(windows) != 3 or len(micros) != 3 or min(micros) < 0:
        raise InvalidInputError("windows: give three timedeltas of 0 or more, one for each layer", operation="arrow.attribute")
    first, second, third = micros
    return first, second, third
