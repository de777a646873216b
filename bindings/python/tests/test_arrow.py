"""Matching and credit in bulk on the tables of other libraries."""

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
from xynergy import blocking

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


def paths() -> list[dict[str, Any]]:
    return [
        {"channels": ["search", "social", "direct"], "conversions": 3, "value_minor": 12_000, "nulls": 10},
        {"channels": ["social"], "conversions": 1, "value_minor": -2_500, "nulls": 0},
        {"channels": ["search", "search", "e-mail"], "conversions": 0, "value_minor": 0, "nulls": 4},
        {"channels": [], "conversions": 2, "value_minor": 100, "nulls": 0},
    ]


def path_table(**columns: Any) -> Any:
    rows = paths()
    return pyarrow.table({**{name: [row[name] for row in rows] for name in rows[0]}, **columns})


def of_the_list(model: str, rows: list[dict[str, Any]], **parameters: Any) -> Any:
    with blocking.Client({"version": 1}) as client:
        return client.attribution.credit(rows, model, **parameters)


MODELS: list[tuple[str, dict[str, Any]]] = [
    *((model, {}) for model in ("first", "last", "last_non_direct", "linear", "linear_per_channel", "position", "shapley")),
    *(("markov", {"order": order, "nulls": nulls}) for order in (1, 2, 3, 4) for nulls in (True, False)),
    ("position", {"weights": {"first": 1, "between": 2, "last": 3}, "lookback_steps": 2}),
    ("last_non_direct", {"direct_channels": ["direct", "social"]}),
]


@pytest.mark.parametrize(("model", "parameters"), MODELS)
def test_credit_of_columns_is_that_of_the_list(model: str, parameters: dict[str, Any]) -> None:
    expected = of_the_list(model, paths(), **parameters)
    texts = [" > ".join(row["channels"]) for row in paths()]
    rows = path_table()
    wide = {"conversions": pyarrow.array([3, 1, 0, 2], pyarrow.uint64()), "nulls": pyarrow.array([10, 0, 4, 0], pyarrow.int8())}
    large = pyarrow.array([row["channels"] for row in paths()], pyarrow.large_list(pyarrow.large_string()))
    tables = [rows, path_table(**wide), path_table(channels=large)]
    tables.append(pyarrow.concat_tables([rows.slice(2), rows.slice(0, 2)]))
    for table in tables:
        assert xynergy.arrow.credit(table, model, **parameters) == expected
    assert xynergy.arrow.credit(path_table(channels=texts), model, separator=" > ", **parameters) == expected


def test_credit_of_columns_with_times() -> None:
    times = [[NOON - timedelta(days=days) for days in (9, 2, 1)], [NOON], [NOON - timedelta(days=days) for days in (1, 3, 2)], []]
    at = [NOON, None, NOON - timedelta(days=1), NOON]
    rows = [{**row, "times": t, **({"at": a} if a else {})} for row, t, a in zip(paths(), times, at)]
    kind = pyarrow.list_(pyarrow.timestamp("ns", tz="UTC"))
    table = path_table(times=pyarrow.array(times, kind), at=pyarrow.array(at, pyarrow.timestamp("ms", tz="UTC")))
    cases = [("time_decay", {"half_life_seconds": 3600}), ("linear", {"lookback_days": 2}), ("markov", {"lookback_days": 1})]
    for model, parameters in cases:
        expected = of_the_list(model, rows, **parameters)
        assert xynergy.arrow.credit(table, model, **parameters) == expected


def test_credit_of_polars_and_duckdb() -> None:
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    expected = of_the_list("markov", paths())
    assert xynergy.arrow.credit(polars.from_arrow(path_table()), "markov") == expected
    connection = duckdb.connect()
    table = path_table()
    connection.register("paths", table)
    assert xynergy.arrow.credit(connection.sql("from paths"), "markov") == expected
    assert xynergy.arrow.credit(table.slice(0, 0), "markov").channels == []


@pytest.mark.parametrize(
    ("columns", "parameters", "message"),
    [
        ({"channels": ["a"] * 4}, {}, "paths.channels: is Utf8, and has to be a list of texts, or text with a separator given; cast it"),
        ({}, {"separator": ","}, 'paths.channels: is List(Utf8), and has to be text where a separator is given; cast it'),
        ({}, {"separator": ""}, "separator: is empty; give what stands between two channels, or leave it out for lists"),
        ({"channels": [["a"], ["a", None], [], []]}, {}, "paths.channels: row 1 has a touch that is null; leave it out"),
        ({"channels": [["a"], None, [], []]}, {}, "paths.channels: row 1 is null; leave out the rows without it"),
        ({"channels": [[1], [], [], []]}, {}, "paths.channels: is Int64, and has to be text; cast it"),
        ({"conversions": [1.0] * 4}, {}, "paths.conversions: is Float64, and has to be an integer; cast it"),
        ({"nulls": [1, 2, None, 3]}, {}, "paths.nulls: row 2 is null; leave out the rows without it"),
        ({"conversions": [1, -1, 0, 0]}, {}, "paths[1].conversions: -1 is no count; give 0 or more"),
        ({"channels": [["a"], [""], [], []]}, {}, 'paths[1].channels: an empty name is no channel; name it, such as "direct"'),
        ({"times": [[NOON]] * 4}, {}, "paths[0].times: 1 times for 3 channels; give one for each touch"),
        ({}, {"model": "best"}, "model: unknown variant"),
        ({}, {"order": "two"}, "order: invalid type"),
        ({}, {"order": 9, "model": "markov"}, "order: 9 is not 1 to 4"),
        ({}, {"order": {1}}, "order: a set has no order; give a list"),
    ],
)
def test_wrong_columns_of_paths_are_named(columns: dict[str, Any], parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(xynergy.InvalidInputError) as caught:
        xynergy.arrow.credit(path_table(**columns), **{"model": "linear", **parameters})
    assert caught.value.message.startswith(message), caught.value.message

def test_spark_gives_the_rows_of_one_process() -> None:
    if importlib.util.find_spec("pyspark") is None or shutil.which("java") is None:
        pytest.skip("pyspark and a Java are needed")
    program = folder("XYNERGY_TEST_EXAMPLES", "examples/python") / "spark_attribution.py"
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    command = [sys.executable, str(program), "--clicks", "2000", "--conversions", "500"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "the same rows on local-cluster[2,1,1024] and in one process" in ran.stdout
