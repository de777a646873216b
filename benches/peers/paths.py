"""Credit of channels beside ChannelAttribution, in one run, on its own reference data, and a chain of 1,000 channels.

    cargo build --release -p xynergy-attribution --example bench_paths
    python benches/peers/paths.py ../shared/data/paths/PathData.csv.gz target/release/examples/bench_paths

ChannelAttribution's time is from a data frame to the answer. `columns` is the Python package from the same data frame, `table` from one whose
channels are lists; `list` from a list of dictionaries, which go through JSON. `Rust` is the library itself, from paths to the answer. It
needs the packages xynergy, ChannelAttribution, matplotlib (which ChannelAttribution forgets to name), pandas and pyarrow. What is ours is checked on the way: the sums, and the exact removal effects.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import gzip
import io
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import ChannelAttribution  # type: ignore[import-not-found]
import pandas  # type: ignore[import-not-found]
import pyarrow  # type: ignore[import-not-found]
import xynergy

ROUNDS = 7
EXACT = {"alpha": 5344.947682, "beta": 2527.352167, "lambda": 1282.847223, "kappa": 274.363256, "mi": 1.722425}


def read(path: str) -> tuple[Any, list[dict[str, Any]]]:
    with gzip.open(path, "rt") as file:
        text = file.read()
    frame = pandas.read_csv(io.StringIO(text), sep=";")
    paths = [
        {
            "channels": row["path"].split(" > "),
            "conversions": int(row["total_conversions"]),
            "value_minor": round(float(row["total_conversion_value"]) * 100),
            "nulls": int(row["total_null"]),
        }
        for row in csv.DictReader(io.StringIO(text), delimiter=";")
    ]
    for path_ in paths:
        if not path_["conversions"]:
            path_["value_minor"] = 0
    return frame, paths


def theirs(frame: Any) -> float:
    with contextlib.redirect_stdout(io.StringIO()):
        before = time.perf_counter()
        ChannelAttribution.markov_model(
            frame, "path", "total_conversions", var_value="total_conversion_value", var_null="total_null", order=1, ncore=1
        )
        return time.perf_counter() - before


def of_rust(paths: list[dict[str, Any]], models: list[str]) -> list[float]:
    lines = "\n".join([json.dumps(paths), *models])
    ran = subprocess.run([sys.argv[2]], input=lines, check=True, capture_output=True, text=True)
    return [json.loads(line)["seconds"] for line in ran.stdout.splitlines()]


async def timed(call: Callable[[], Awaitable[Any]]) -> tuple[float, Any]:
    before = time.perf_counter()
    answer = await call()
    return time.perf_counter() - before, answer


def many(channels: int, paths: int) -> list[dict[str, Any]]:
    """Paths whose channels are as unlike in size as those of an account are."""
    draw = random.Random(7)
    names = [f"channel {n}" for n in range(channels)]
    weights = [1 / (n + 10) for n in range(channels)]
    made = []
    for _ in range(paths):
        touches = draw.choices(names, weights, k=min(50, 1 + int(draw.expovariate(0.25))))
        made.append({"channels": touches, "conversions": int(draw.random() < 0.2), "nulls": int(draw.random() < 0.8)})
    return made


def as_columns(paths: list[dict[str, Any]]) -> Any:
    return pyarrow.table({name: [path[name] for path in paths] for name in paths[0]})


def check(credits: Any, model: str) -> None:
    assert sum(row.conversions_millionths for row in credits.channels) == credits.total.conversions_millionths
    if model == "markov":
        found = {row.channel: row.conversions_millionths / 1e6 for row in credits.channels}
        assert all(abs(found[name] - exact) < 2e-6 for name, exact in EXACT.items()), found


async def main() -> None:
    frame, paths = read(sys.argv[1])
    client = xynergy.Client({"version": 1})
    attribution = client.attribution
    print(f"load {os.getloadavg()[0]:.1f}, {len(paths):,} paths, {len({c for p in paths for c in p['channels']})} channels")
    table = as_columns(paths)
    columns = pandas.DataFrame(
        {
            "channels": frame["path"],
            "conversions": frame["total_conversions"],
            "value_minor": [path["value_minor"] for path in paths],
            "nulls": frame["total_null"],
        }
    )

    async def of_columns(model: Any) -> Any:
        return xynergy.arrow.credit(columns, model, separator=" > ")

    async def of_table(model: Any) -> Any:
        return xynergy.arrow.credit(table, model)

    async def of_list(model: Any) -> Any:
        return await attribution.credit(paths, model)

    ways: dict[str, Callable[[Any], Awaitable[Any]]] = {"columns": of_columns, "table": of_table, "list": of_list}
    models = ["markov", "shapley"]
    peer: list[float] = []
    times: dict[str, list[float]] = {f"{way} {model}": [] for way in ("Rust", *ways) for model in models}
    for _ in range(ROUNDS):
        peer.append(theirs(frame))
        for model, seconds in zip(models, of_rust(paths, models)):
            times[f"Rust {model}"].append(seconds)
        for way, credit in ways.items():
            for model in models:
                took, credits = await timed(lambda credit=credit, model=model: credit(model))  # type: ignore[misc]
                times[f"{way} {model}"].append(took)
                check(credits, model)
    theirs_ms = statistics.median(peer) * 1e3
    print(f"ChannelAttribution's markov_model: {theirs_ms:.0f} ms [{min(peer) * 1e3:.0f}, {max(peer) * 1e3:.0f}]")
    for name, mine in times.items():
        ratios = [one / other for one, other in zip(mine, peer)]
        print(
            f"{name}: {statistics.median(mine) * 1e3:.1f} ms, "
            f"ratio {statistics.median(ratios):.3f} [{min(ratios):.3f}, {max(ratios):.3f}]"
        )
    large = as_columns(many(1_000, 100_000))
    for order in (1, 2, 3, 4):
        before = time.perf_counter()
        credits = xynergy.arrow.credit(large, "markov", order=order)
        took = time.perf_counter() - before
        print(f"1,000 channels, 100,000 paths, order {order}: {took:.2f} s on {os.cpu_count()} cores, {len(credits.channels)} channels")


asyncio.run(main())
