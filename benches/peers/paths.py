"""Credit of channels beside ChannelAttribution, in one run, on its own reference data, and a chain of 1,000 channels.

    python benches/peers/paths.py ../shared/data/paths/PathData.csv.gz

needs the packages xynergy, ChannelAttribution and matplotlib (which ChannelAttribution forgets to name). Both sides start from the paths as their own
input has them: a data frame there, objects here. What is ours is checked on the way: the sums, and the exact removal effects.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import gzip
import io
import os
import random
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import ChannelAttribution  # type: ignore[import-not-found]
import pandas  # type: ignore[import-not-found]
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
            frame, "path", "total_conversions", var_value="total_conversion_value", var_null="total_null", order=1, ncore=1, flg_adv=False
        )
        return time.perf_counter() - before


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


async def main() -> None:
    frame, paths = read(sys.argv[1])
    client = xynergy.Client({"version": 1})
    attribution = client.attribution
    print(f"load {os.getloadavg()[0]:.1f}, {len(paths):,} paths, {len({c for p in paths for c in p['channels']})} channels")
    peer: list[float] = []
    ours: dict[str, list[float]] = {"markov": [], "shapley": []}
    for _ in range(ROUNDS):
        peer.append(theirs(frame))
        for model, times in ours.items():
            took, credits = await timed(lambda model=model: attribution.credit(paths, model))  # type: ignore[misc]
            times.append(took)
            assert sum(row.conversions_millionths for row in credits.channels) == credits.total.conversions_millionths
            if model == "markov":
                found = {row.channel: row.conversions_millionths / 1e6 for row in credits.channels}
                assert all(abs(found[name] - exact) < 2e-6 for name, exact in EXACT.items()), found
    theirs_ms = statistics.median(peer) * 1e3
    print(f"ChannelAttribution's markov_model: {theirs_ms:.0f} ms [{min(peer) * 1e3:.0f}, {max(peer) * 1e3:.0f}]")
    for model, times in ours.items():
        ratios = [mine / other for mine, other in zip(times, peer)]
        print(
            f"xynergy {model}: {statistics.median(times) * 1e3:.1f} ms, "
            f"ratio {statistics.median(ratios):.3f} [{min(ratios):.3f}, {max(ratios):.3f}]"
        )
    for order in (1, 2):
        large = many(1_000, 100_000)
        took, credits = await timed(lambda large=large, order=order: attribution.credit(large, "markov", order=order))  # type: ignore[misc]
        print(f"1,000 channels, 100,000 paths, order {order}: {took:.1f} s, {len(credits.channels)} channels")


asyncio.run(main())
