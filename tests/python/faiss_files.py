"""Index files crossed with FAISS: what Python's faiss writes is read here and written again to the byte, what is written here faiss reads,
and both find the same.

    cargo build -p xynergy-core --example index_file
    pip install faiss-cpu
    python tests/python/faiss_files.py target/debug/examples/index_file
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import faiss
import numpy as np

PROGRAM = sys.argv.pop(1) if len(sys.argv) > 1 and not sys.argv[1].startswith("-") else "target/debug/examples/index_file"
SIZES = [(1, 1), (2, 0), (3, 7), (768, 0), (768, 1), (768, 2_000), (5, 70_000)]


def run(*args: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, check=False, timeout=600)


def vectors(n: int, d: int, seed: int = 1) -> np.ndarray:
    made = np.random.default_rng(seed).standard_normal((n, d)).astype("float32")
    faiss.normalize_L2(made)
    return made


def flat(n: int, d: int) -> faiss.Index:
    index = faiss.IndexFlatIP(d)
    index.add(vectors(n, d))
    return index


def with_ids(n: int, d: int) -> faiss.Index:
    index = faiss.IndexIDMap2(faiss.IndexFlatIP(d))
    ids = np.random.default_rng(2).permutation(10 * n + 1)[:n].astype("int64") + (1 << 56)
    index.add_with_ids(vectors(n, d), ids)
    return index


class FaissFiles(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_file_of_faiss_is_written_again_to_the_byte(self) -> None:
        for make in (flat, with_ids):
            for d, n in SIZES:
                with self.subTest(make=make.__name__, d=d, n=n):
                    theirs, ours, back = (self.folder / name for name in ("theirs", "ours", "back"))
                    index = make(n, d)
                    faiss.write_index(index, str(theirs))
                    done = run("copy", theirs, ours)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertEqual(ours.read_bytes(), theirs.read_bytes())
                    faiss.write_index(faiss.read_index(str(ours)), str(back))
                    self.assertEqual(back.read_bytes(), theirs.read_bytes())

    def test_both_find_the_same(self) -> None:
        d, n, k = 768, 3_000, 7
        queries = faiss.IndexFlatIP(d)
        asked = vectors(20, d, 3)
        queries.add(asked)
        faiss.write_index(queries, str(self.folder / "queries"))
        for make in (flat, with_ids):
            index = make(n, d)
            faiss.write_index(index, str(self.folder / "index"))
            done = run("search", self.folder / "index", self.folder / "queries", k)
            self.assertEqual(done.returncode, 0, done.stderr)
            similarities, ids = index.search(asked, k)
            for found, near, named in zip(json.loads(done.stdout), similarities, ids, strict=True):
                self.assertEqual([int(name) for name, _ in found], named.tolist())
                np.testing.assert_allclose([similarity for _, similarity in found], near, atol=2e-6)

    def test_what_is_no_such_file_is_refused(self) -> None:
        path = self.folder / "index"
        faiss.write_index(with_ids(9, 4), str(path))
        whole = path.read_bytes()
        for cut in [*range(0, 100), len(whole) - 1]:
            path.write_bytes(whole[:cut])
            done = run("copy", path, self.folder / "out")
            self.assertEqual(done.returncode, 3, cut)
            self.assertIn("cut off", done.stderr)
        others = [
            (faiss.IndexFlatL2(4), "IndexFlatIP"),
            (faiss.index_factory(4, "HNSW8,Flat", faiss.METRIC_INNER_PRODUCT), "IHNf"),
            (faiss.index_factory(4, "IVF2,Flat"), "IwFl"),
            (faiss.IndexIDMap(faiss.IndexFlatIP(4)), "IndexIDMap2"),
            (faiss.IndexIDMap2(faiss.IndexFlatL2(4)), "IndexFlatIP"),
        ]
        for other, named in others:
            faiss.write_index(other, str(path))
            done = run("copy", path, self.folder / "out")
            self.assertEqual(done.returncode, 3, named)
            self.assertTrue(named in done.stderr or "metric" in done.stderr, done.stderr)


if __name__ == "__main__":
    unittest.main()
