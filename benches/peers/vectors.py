"""Vector search beside Python's faiss-cpu, in one run, on the same vectors, with one thread each.

    cargo build --release -p xynergy-core --example bench_vectors
    pip install faiss-cpu
    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benches/peers/vectors.py target/release/examples/bench_vectors

10,000 vectors of 768 dimensions against IndexFlatIP, one query after the other and 256 at once; with `graph` also 100,000 against HNSW32, whose
breadth is set so that it finds as much. The vectors lie in clusters, as embeddings do; `--noise` makes them noise.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import faiss
import numpy as np

D, K, QUERIES, ROUNDS = 768, 5, 256, 7


def vectors(n: int, seed: int, noise: bool) -> np.ndarray:
    dice = np.random.default_rng(seed)
    made = dice.standard_normal((n, D)).astype("float32")
    if not noise:
        centres = np.random.default_rng(0).standard_normal((500, D)).astype("float32")
        # Within a cluster they differ in some directions more than in others.
        made *= np.linspace(2.0, 0.05, D, dtype="float32")
        made += centres[dice.integers(0, len(centres), n)]
    faiss.normalize_L2(made)
    return made


class Ours:
    def __init__(self, program: str, index: Path, queries: Path, exact_up_to: int) -> None:
        command = [program, str(index), str(queries), str(exact_up_to)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.built = self.answer()

    def answer(self) -> Any:
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, line: str) -> Any:
        assert self.process.stdin is not None
        print(line, file=self.process.stdin, flush=True)
        return self.answer()

    def close(self) -> None:
        self.process.communicate()


def write(made: np.ndarray, path: Path) -> None:
    index = faiss.IndexFlatIP(D)
    index.add(made)
    faiss.write_index(index, str(path))


def single(index: faiss.Index, queries: np.ndarray) -> float:
    began = time.perf_counter()
    for query in queries:
        index.search(query[None], K)
    return time.perf_counter() - began


def batch(index: faiss.Index, queries: np.ndarray) -> float:
    began = time.perf_counter()
    index.search(queries, K)
    return time.perf_counter() - began


def compare(name: str, ours: Ours, index: faiss.Index, queries: np.ndarray) -> None:
    for how, theirs in (("single", single), ("batch", batch)):
        times = []
        for _ in range(ROUNDS):
            mine = ours.ask(f"{how} 3")["seconds"]
            their = min(theirs(index, queries) for _ in range(3))
            times.append((mine / len(queries), their / len(queries), mine / their))
        mine, their, ratio = (statistics.median(column) for column in zip(*times, strict=True))
        low, high = min(t[2] for t in times), max(t[2] for t in times)
        print(f"{name}, {how}: {mine * 1e3:.3f} ms a query, faiss {their * 1e3:.3f} ms, ratio {ratio:.2f} [{low:.2f}, {high:.2f}]")


def recall(found: list[list[int]], truth: np.ndarray) -> float:
    return sum(len(set(a) & set(b)) for a, b in zip(found, truth.tolist(), strict=True)) / truth.size


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("what", nargs="?", choices=["flat", "graph"], default="flat")
    parser.add_argument("--noise", action="store_true")
    parser.add_argument("--count", type=int)
    options = parser.parse_args()
    faiss.omp_set_num_threads(1)
    print(f"load {os.getloadavg()[0]:.1f}, faiss-cpu {faiss.__version__} ({faiss.get_compile_options().strip()}), one thread")
    count = options.count or (100_000 if options.what == "graph" else 10_000)
    base, queries = vectors(count, 1, options.noise), vectors(QUERIES, 2, options.noise)
    flat = faiss.IndexFlatIP(D)
    flat.add(base)
    _, truth = flat.search(queries, K)
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder) / "index", Path(folder) / "queries"
        write(base, paths[0])
        write(queries, paths[1])
        ours = Ours(options.program, *paths, 2**31 if options.what == "flat" else count // 2)
        found = [[int(one) for one in row] for row in ours.ask("found")]
        mine = recall(found, truth)
        if options.what == "flat":
            assert mine > 0.999, mine
            compare(f"flat, {count:,} x {D}", ours, flat, queries)
        else:
            index = faiss.IndexHNSWFlat(D, 32, faiss.METRIC_INNER_PRODUCT)
            index.hnsw.efConstruction = 128
            began = time.perf_counter()
            index.add(base)
            print(f"built in {ours.built['built_seconds']:.0f} s, faiss in {time.perf_counter() - began:.0f} s; {ours.built['stats']}")
            breadth = 16
            while breadth < 8_192:
                index.hnsw.efSearch = breadth
                _, theirs = index.search(queries, K)
                if recall(theirs.tolist(), truth) >= mine:
                    break
                breadth = breadth * 5 // 4
            print(f"recall {mine:.3f}; faiss {recall(theirs.tolist(), truth):.3f} with efSearch {breadth}")
            compare(f"graph, {count:,} x {D}", ours, index, queries)
        ours.close()


if __name__ == "__main__":
    main()
