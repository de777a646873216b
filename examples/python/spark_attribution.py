"""Attribution on Spark: clicks and conversions partitioned by key, `mapInArrow` on each part, and the rows of one process.

    pip install xynergy pyspark pyarrow
    python spark_attribution.py

runs on a cluster of two workers on this machine, which needs Java 17. `--master` takes another.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Iterator
from typing import Any

import pyarrow
import pyarrow.compute
import xynergy

HOUR = 3_600_000_000
START = 1_767_225_600_000_000  # 2026-01-01
ANSWER = (
    "conversion_id string, layer tinyint, click_id string, ad_id string, adset_id string, campaign_id string, "
    "clicked_at timestamp, confidence double, candidates long"
)


def tables(clicks: int, conversions: int) -> tuple[pyarrow.Table, pyarrow.Table]:
    """Clicks of many people, and conversions with up to three keys each."""
    draw = random.Random(7)
    people = max(1, clicks // 4)
    time = pyarrow.timestamp("us", tz="UTC")

    def moment() -> int:
        return START + draw.randrange(60 * 24) * HOUR

    rows = [(f"{draw.randrange(1, 4)}-{draw.randrange(people)}", moment(), f"click-{n}", f"ad-{draw.randrange(50)}") for n in range(clicks)]
    key, at, click_id, ad_id = map(list, zip(*rows))
    made = pyarrow.table({"key": key, "at": pyarrow.array(at, time), "click_id": click_id, "ad_id": ad_id})
    asked = []
    for n in range(conversions):
        person, when = draw.randrange(people), moment()
        for layer in draw.sample((1, 2, 3), draw.randrange(1, 4)):
            asked.append((f"conversion-{n}", f"{layer}-{person}", when, layer))
    conversion_id, key, at, layers = map(list, zip(*asked))
    wanted = pyarrow.table(
        {"conversion_id": conversion_id, "key": key, "at": pyarrow.array(at, time), "layer": pyarrow.array(layers, pyarrow.int32())}
    )
    return made, wanted


def attribute_part(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
    """Clicks and conversions of some keys, one under the other, to the attributions of these keys."""
    # A part is read whole: all clicks of a key are in it.
    rows = list(batches)
    if not rows:
        return
    table = pyarrow.Table.from_batches(rows)
    is_click = pyarrow.compute.is_valid(table["click_id"])
    clicks = table.filter(is_click).select(["key", "at", "click_id", "ad_id"])
    conversions = table.filter(pyarrow.compute.invert(is_click)).select(["conversion_id", "key", "at", "layer"])
    yield from spark_types(pyarrow.table(xynergy.arrow.attribute(clicks, conversions))).to_batches()


def best_part(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
    """Attributions of some conversions to one for each."""
    rows = list(batches)
    if not rows:
        return
    table = pyarrow.Table.from_batches(rows)
    place = table.schema.get_field_index("candidates")
    table = table.set_column(place, "candidates", table["candidates"].cast(pyarrow.uint64()))
    yield from spark_types(pyarrow.table(xynergy.arrow.one_per_conversion(table))).to_batches()


def spark_types(table: pyarrow.Table) -> pyarrow.Table:
    """Spark has no unsigned integers."""
    for name, kind in (("layer", pyarrow.int8()), ("candidates", pyarrow.int64())):
        table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(kind))
    return table


def on_spark(spark: Any, clicks: pyarrow.Table, conversions: pyarrow.Table, parts: int) -> pyarrow.Table:
    """The attributions, computed on the cluster."""
    both = spark.createDataFrame(clicks).unionByName(spark.createDataFrame(conversions), allowMissingColumns=True)
    by_key = both.repartition(parts, "key").mapInArrow(attribute_part, ANSWER)
    best = by_key.repartition(parts, "conversion_id").mapInArrow(best_part, ANSWER)
    found: pyarrow.Table = best.toArrow()
    return found


def sorted_rows(table: pyarrow.Table) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = table.sort_by("conversion_id").to_pylist()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--master", default="local-cluster[2,1,1024]")
    parser.add_argument("--clicks", type=int, default=20_000)
    parser.add_argument("--conversions", type=int, default=5_000)
    options = parser.parse_args()

    from pyspark.sql import SparkSession

    clicks, conversions = tables(options.clicks, options.conversions)
    spark = (
        SparkSession.builder.master(options.master)
        .appName("attribution")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.pyspark.python", sys.executable)
        .getOrCreate()
    )
    try:
        on_cluster = sorted_rows(on_spark(spark, clicks, conversions, parts=8))
    finally:
        spark.stop()
    here = sorted_rows(spark_types(pyarrow.table(xynergy.arrow.attribute(clicks, conversions, one_per_conversion=True))))
    matched = sum(row["click_id"] is not None for row in here)
    if on_cluster != here:
        different = sum(a != b for a, b in zip(on_cluster, here))
        sys.exit(f"{different} of {len(here)} rows differ, {len(on_cluster)} on the cluster")
    print(f"{len(here)} conversions, {matched} matched; the same rows on {options.master} and in one process")


if __name__ == "__main__":
    main()
