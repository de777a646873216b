"""Token counts beside Python's tiktoken, in one run, on the same texts: the prose and the code of this repository.

    cargo build --release -p xynergy-core --example bench_tokens
    TIKTOKEN_CACHE_DIR=FOLDER python benches/peers/tokens.py target/release/examples/bench_tokens

tiktoken downloads its rank files unless FOLDER has them, each under the SHA-1 of its address; the crate tiktoken-rs ships them.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import tiktoken

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 7


def texts() -> dict[str, str]:
    prose = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("bindings/*/README.md"))]
    code = sorted(ROOT.glob("xynergy-core/src/**/*.rs"))
    return {name: "".join(path.read_text() for path in paths) for name, paths in (("English", prose), ("code", code))}


def main() -> None:
    with subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as ours, tempfile.TemporaryDirectory() as folder:

        def ask(line: str) -> dict[str, Any]:
            assert ours.stdin is not None and ours.stdout is not None
            print(line, file=ours.stdin, flush=True)
            answer: dict[str, Any] = json.loads(ours.stdout.readline())
            return answer

        print(f"load {os.getloadavg()[0]:.1f}, tiktoken {tiktoken.__version__}")
        for name, text in texts().items():
            path = Path(folder) / name
            path.write_text(text)
            size = len(text.encode())
            for encoding in ("o200k_base", "cl100k_base"):
                peer = tiktoken.get_encoding(encoding)
                ratios, mine, theirs = [], [], []
                for _ in range(ROUNDS):
                    found = ask(f"text {encoding} 3 {path}")
                    best = min(timed(peer, text) for _ in range(3))
                    assert found["tokens"] == len(peer.encode_ordinary(text)), (name, encoding)
                    mine.append(size / found["seconds"] / 1e6)
                    theirs.append(size / best / 1e6)
                    ratios.append(best / found["seconds"])
                print(
                    f"{name}, {size:,} bytes, {encoding}: {statistics.median(mine):.0f} MB/s, tiktoken {statistics.median(theirs):.0f} MB/s, "
                    f"ratio {statistics.median(ratios):.1f} [{min(ratios):.1f}, {max(ratios):.1f}]"
                )
        turns = [ask("turn 50 200") for _ in range(ROUNDS)]
        speedups = [turn["whole_seconds"] / turn["one_more_seconds"] for turn in turns]
        print(
            f"one more turn of 50: {statistics.median(turn['one_more_seconds'] for turn in turns) * 1e6:.1f} us, all of them "
            f"{statistics.median(turn['whole_seconds'] for turn in turns) * 1e6:.0f} us, ratio {statistics.median(speedups):.0f} "
            f"[{min(speedups):.0f}, {max(speedups):.0f}]"
        )


def timed(peer: tiktoken.Encoding, text: str) -> float:
    before = time.perf_counter()
    peer.encode_ordinary(text)
    return time.perf_counter() - before


main()
