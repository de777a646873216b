"""Matching in bulk beside a join of DuckDB's, in one run, on the same Arrow tables: the latest click of the key within 30 days.

    python benches/peers/batch.py [clicks] [conversions]

needs the packages xynergy, pyarrow and duckdb. DuckDB gets all threads of the machine and one; xynergy computes on one. The answers are compared.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import duckdb
import pyarrow
import xynergy

ROUNDS = 5
SQL = """
    select v.conversion_id, max_by(c.click_id, c.at) as click_id, count(c.click_id) as candidates
    from conversions v left join clicks c on c.key = v.key and c.at <= v.at and c.at >= v.at - interval 30 days
    group by v.conversion_id
"""


def tables(clicks: int, conversions: int) -> tuple[Any, Any]:
    draw = random.Random(7)
    time_type = pyarrow.timestamp("us", tz="UTC")
    start, span = 1_767_225_600_000_000, 90 * 86_400_000_000
    people = clicks // 3

    def keys(count: int) -> Any:
        return pyarrow.array([f"{draw.randrange(people):032x}" for _ in range(count)])

    def times(count: int) -> Any:
        return pyarrow.array([start + draw.randrange(span) for _ in range(count)], time_type)

    made = {"key": keys(clicks), "at": times(clicks), "click_id": [f"c{n}" for n in range(clicks)]}
    made["ad_id"] = [f"ad{n % 100}" for n in range(clicks)]
    asked = {"conversion_id": [f"v{n}" for n in range(conversions)], "key": keys(conversions), "at": times(conversions)}
    return pyarrow.table(made), pyarrow.table(asked)


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    before = time.perf_counter()
    answer = call()
    return time.perf_counter() - before, answer


def main() -> None:
    given = [int(argument) for argument in sys.argv[1:]] or [1_000_000, 200_000]
    clicks, conversions = tables(*given)
    connection = duckdb.connect()
    connection.register("clicks", clicks)
    connection.register("conversions", conversions)
    print(f"load {os.getloadavg()[0]:.1f}, {given[0]:,} clicks, {given[1]:,} conversions, duckdb {duckdb.__version__}")

    def join(threads: int) -> Any:
        connection.execute(f"set threads = {threads}")
        return pyarrow.table(connection.sql(SQL))

    contenders: dict[str, Callable[[], Any]] = {
        "xynergy": lambda: pyarrow.table(xynergy.arrow.attribute(clicks, conversions)),
        "duckdb, 1 thread": lambda: join(1),
        f"duckdb, {os.cpu_count()} threads": lambda: join(os.cpu_count() or 1),
    }
    took: dict[str, list[float]] = {name: [] for name in contenders}
    answers: dict[str, list[tuple[Any, ...]]] = {}
    for _ in range(ROUNDS):
        for name, call in contenders.items():
            seconds, table = timed(call)
            took[name].append(seconds)
            columns = [table[column].to_pylist() for column in ("conversion_id", "click_id", "candidates")]
            answers[name] = sorted(zip(*columns))
    assert len({str(rows) for rows in answers.values()}) == 1, "the answers differ"
    for name, seconds_ in took.items():
        ratios = [mine / other for mine, other in zip(took["xynergy"], seconds_)]
        rate = given[1] / statistics.median(seconds_)
        print(
            f"{name}: {statistics.median(seconds_) * 1e3:.0f} ms, {rate:,.0f} conversions/s, "
            f"xynergy's ratio {statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"
        )


main()
