#!/usr/bin/env python3
"""Credit of channels beside that of the package `mta`, which adds up the marginal contribution to every coalition.

    credit_oracle.py EXAMPLE [PATHS]    EXAMPLE is the built example `credit_unrounded`, PATHS ChannelAttribution's path data

It compares Shapley values and the simple models on random sets of paths of 1 to 12 channels, and on the path data where it is given. The
simple models of `mta` keep repeated touches here (`allow_loops`), as ours do.
"""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import random
import subprocess
import sys
from typing import Any

import mta  # type: ignore[import-not-found]
import pandas  # type: ignore[import-untyped]

Paths = list[tuple[list[str], int, int]]

# Ours, the method of mta's, its arguments and under which name it keeps the result.
MODELS: dict[str, tuple[str, dict[str, Any], str]] = {
    "shapley": ("shapley", {}, "shapley"),
    "first": ("first_touch", {}, "first_touch"),
    "last": ("last_touch", {}, "last_touch"),
    "linear": ("linear", {"share": "proportional"}, "linear"),
    "linear_per_channel": ("linear", {"share": "same"}, "linear"),
    "position": ("position_based", {}, "pos_based"),
}


def theirs(paths: Paths, model: str) -> dict[str, float]:
    columns = ["path", "total_conversions", "total_null"]
    frame = pandas.DataFrame([(" > ".join(channels), won, lost) for channels, won, lost in paths], columns=columns)
    method, arguments, kept = MODELS[model]
    with contextlib.redirect_stdout(io.StringIO()):
        of = mta.MTA(data=frame, allow_loops=True, add_timepoints=False)
        getattr(of, method)(normalize=False, **arguments)
    return {channel: float(credit) for channel, credit in of.attribution[kept].items()}


def ours(example: str, cases: list[tuple[Paths, str]]) -> list[dict[str, float]]:
    lines = [
        json.dumps({"model": model, "paths": [{"channels": c, "conversions": won, "nulls": lost} for c, won, lost in paths]})
        for paths, model in cases
    ]
    ran = subprocess.run([example], input="\n".join(lines), check=True, capture_output=True, text=True)
    return [json.loads(line) for line in ran.stdout.splitlines()]


def draw_paths(draw: random.Random, channels: int) -> Paths:
    names = [f"c{n}" for n in range(channels)]
    return [
        (draw.choices(names, k=1 + min(9, int(draw.expovariate(0.4)))), draw.randrange(4), draw.randrange(4))
        for _ in range(draw.randrange(1, 60))
    ]


def read(path: str) -> Paths:
    with gzip.open(path, "rt") as file:
        rows = csv.DictReader(file, delimiter=";")
        return [(row["path"].split(" > "), int(row["total_conversions"]), int(row["total_null"])) for row in rows]


def main() -> int:
    draw = random.Random(6)
    cases = [(draw_paths(draw, channels), model) for channels in (*range(1, 9), 12) for _ in range(2) for model in MODELS]
    if len(sys.argv) > 2:
        data = read(sys.argv[2])
        cases += [(data, model) for model in MODELS]
    wrong = 0
    for (paths, model), found in zip(cases, ours(sys.argv[1], cases), strict=True):
        expected = theirs(paths, model)
        total = sum(won for _, won, _ in paths)
        for channel in {*found, *expected}:
            mine, other = found.get(channel, 0.0), expected.get(channel, 0.0)
            if abs(mine - other) > 1e-9 * max(total, 1):
                print(f"{model}, {channel} of {len(paths)} paths: {mine}, and mta's is {other}")
                wrong += 1
    print(f"{len(cases)} credits compared with mta {mta.__version__}, {wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
