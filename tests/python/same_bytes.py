"""The closed loop in several languages on the same inputs: the documents must be the same, byte for byte.

`python3 tests/python/same_bytes.py COMMAND COMMAND...`: each command is a closed loop without its options, as
`target/debug/examples/closed_loop` or `node examples/node/closed_loop.mjs`; the first one is what the others are compared with.
"""

import json
import shlex
import subprocess
import sys
import tempfile

SEEDS = (7, 8, 2**40 + 1)


def document(command: str, seed: int, folder: str) -> bytes:
    options = ["--json", "--store", "memory", "--seed", str(seed)]
    return subprocess.run(shlex.split(command) + options, check=True, stdout=subprocess.PIPE, cwd=folder).stdout


def main() -> int:
    first, *others = sys.argv[1:]
    if not others:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        seen = set()
        for seed in SEEDS:
            wanted = document(first, seed, folder)
            assert json.loads(wanted)["audit"]["chain_ok"], f"seed {seed}: the audit chain is broken"
            seen.add(wanted)
            for command in others:
                found = document(command, seed, folder)
                assert found == wanted, f"seed {seed}: {command} differs:\n{found.decode()}\n{wanted.decode()}"
        assert len(seen) == len(SEEDS), "another seed must give another document"
    print(f"{len(others) + 1} programs, {len(SEEDS)} seeds: the same bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
