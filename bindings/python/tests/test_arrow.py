"""Matching in bulk on the tables of other libraries."""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import xynergy

from conftest import folder

pyarrow = pytest.importorskip("pyarrow")
NOON = datetime(2026, 3, 10, 12, tzinfo=timezone.utc)
HOURS = {"c-old": 50 * 24, "c-new": 3, "c-tie": 3, "c-late": -1}


def clicks() -> Any:
    return pyarrow.table(
        {
            "key": ["k"] * 4,
            "at": pyarrow.array([NOON - timedelta(hours=hours) for hours in HOURS.values()], pyarrow.timestamp("ms", tz="UTC")),
            "click_id": list(HOURS),
            "ad_id": ["1", "2", "3", "4"],
            "campaign_id": [None, "x", None, "y"],
        }
    )


def conversions() -> Any:
    return pyarrow.table(
        {
            "conversion_id": ["v1", "v1", "v2"],
            "key": ["k", "nobody", "k"],
            "at": pyarrow.array([NOON, NOON, NOON - timedelta(days=60)], pyarrow.timestamp("us", tz="UTC")),
            "layer": pyarrow.array([3, 1, 2], pyarrow.int64()),
        }
    )


EXPECTED = {
    "conversion_id": ["v1", "v1", "v2"],
    "layer": [3, 1, 2],
    "click_id": ["c-new", None, None],
    "ad_id": ["2", None, None],
    "adset_id": [None, None, None],
    "campaign_id": ["x", None, None],
    "clicked_at": [NOON - timedelta(hours=3), None, None],
    "confidence": [0.7, None, None],
    "candidates": [2, 0, 0],
}


def test_pyarrow_tables_and_batches() -> None:
    answer = xynergy.arrow.attribute(clicks(), conversions())
    assert len(answer) == 3
    assert pyarrow.table(answer).to_pydict() == EXPECTED
    # It can be taken again, and outlives what it came from.
    gc.collect()
    assert pyarrow.table(answer).to_pydict() == EXPECTED
    (batch,) = clicks().to_batches()
    assert pyarrow.table(xynergy.arrow.attribute(batch, conversions().slice(0, 1))).num_rows == 1
    reader = pyarrow.RecordBatchReader.from_batches(clicks().schema, clicks().to_batches(max_chunksize=1))
    assert pyarrow.table(xynergy.arrow.attribute(reader, conversions())).to_pydict() == EXPECTED


def test_one_row_for_each_conversion() -> None:
    best = pyarrow.table(xynergy.arrow.attribute(clicks(), conversions(), one_per_conversion=True)).to_pydict()
    assert (best["conversion_id"], best["layer"], best["click_id"]) == (["v1", "v2"], [3, 2], ["c-new", None])
    parts = pyarrow.concat_tables(
        pyarrow.table(xynergy.arrow.attribute(clicks(), conversions().slice(place, 1))) for place in (2, 1, 0)
    )
    again = pyarrow.table(xynergy.arrow.one_per_conversion(parts)).sort_by("conversion_id").to_pydict()
    assert again == best


def test_windows() -> None:
    short = (timedelta(days=30), timedelta(days=7), timedelta(hours=2))
    answer = pyarrow.table(xynergy.arrow.attribute(clicks(), conversions(), windows=short)).to_pydict()
    assert answer["candidates"] == [0, 0, 0]
    with pytest.raises(xynergy.InvalidInputError, match="three timedeltas"):
        xynergy.arrow.attribute(clicks(), conversions(), windows=short[:2])


def test_polars() -> None:
    polars = pytest.importorskip("polars")
    answer = xynergy.arrow.attribute(polars.from_arrow(clicks()), polars.from_arrow(conversions()))
    assert polars.DataFrame(answer).to_dict(as_series=False) == EXPECTED


def test_duckdb() -> None:
    duckdb = pytest.importorskip("duckdb")
    c, v = clicks(), conversions()
    connection = duckdb.connect()
    connection.register("c", c)
    connection.register("v", v)
    found = xynergy.arrow.attribute(connection.sql("from c"), connection.sql("from v"))
    assert pyarrow.table(found).to_pydict() == EXPECTED
    connection.register("answer", pyarrow.table(found))
    assert connection.sql("select sum(candidates) from answer").fetchall() == [(2,)]


def test_pandas() -> None:
    pandas = pytest.importorskip("pandas")
    answer = xynergy.arrow.attribute(clicks().to_pandas(), conversions().to_pandas())
    assert list(pandas.DataFrame(pyarrow.table(answer).to_pydict())["conversion_id"]) == ["v1", "v1", "v2"]
    assert pyarrow.table(answer)["candidates"].to_pylist() == [2, 0, 0]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("at", pyarrow.array([1, 2, 3, 4]), "clicks.at: is Int64, and has to be a timestamp; cast it"),
        ("key", pyarrow.array(["k", None, "k", "k"]), "clicks.key: row 1 is null; leave out the rows without it"),
        ("ad_id", None, "clicks.ad_id: is missing; there are key, at, click_id, campaign_id"),
    ],
)
def test_what_is_wrong_names_the_column(column: str, values: Any, message: str) -> None:
    table = clicks()
    place = table.schema.get_field_index(column)
    table = table.remove_column(place) if values is None else table.set_column(place, column, values)
    with pytest.raises(xynergy.InvalidInputError) as caught:
        xynergy.arrow.attribute(table, conversions())
    assert caught.value.message == message
    assert caught.value.context == {"field": column}


def test_what_is_no_table_is_named() -> None:
    with pytest.raises(xynergy.InvalidInputError, match="clicks: list has neither __arrow_c_stream__ nor __arrow_c_array__"):
        xynergy.arrow.attribute([], conversions())
    with pytest.raises(xynergy.InvalidInputError, match="conversions: is an array of Int64, and has to be a table"):
        xynergy.arrow.attribute(clicks(), pyarrow.array([1]))


def test_spark_gives_the_rows_of_one_process() -> None:
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("pyspark and a Java are needed")
    program = folder("XYNERGY_TEST_EXAMPLES", "examples/python") / "spark_attribution.py"
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [sys.executable, str(program), "--clicks", "2000", "--conversions", "500"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "the same rows on local-cluster[2,1,1024] and in one process" in ran.stdout
