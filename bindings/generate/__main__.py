"""Writes what follows from the description of the public surface: each language's types, and the list of what works.

`python3 bindings/generate` writes; with `--check` it only says which files differ, and fails if any does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

ROOT = Path(__file__).resolve().parents[2]


def describe() -> dict[str, Any]:
    """The description, from the code itself."""
    command = ["cargo", "run", "--quiet", "--package", "xynergy-bindings", "--features", "describe", "--bin", "describe"]
    ran = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    description: dict[str, Any] = json.loads(ran.stdout)
    return description


def in_order(description: dict[str, Any]) -> None:
    """Refuses a method whose required arguments stand behind one that may be left out: few languages can write that."""
    for method in description["methods"]:
        required = [param["required"] for param in method["params"]]
        if required != sorted(required, reverse=True):
            raise SystemExit(f"{method['name']}: give the required arguments before those that may be left out")


def surface(description: dict[str, Any]) -> dict[str, Any]:
    """What every language has to have: methods with their arguments, kinds of errors, the traits of hosts, and the fields of results."""
    return {
        "methods": {
            method["name"]: {
                "params": [param["name"] for param in method["params"]],
                "required": [param["name"] for param in method["params"] if param["required"]],
                "answer": method["answer"],
            }
            for method in description["methods"]
        },
        "kinds": [kind["kind"] for kind in description["errors"]],
        "hosts": {host["name"]: [method["name"] for method in host["methods"]] for host in description["hosts"]},
        "types": {
            name: sorted(shape["properties"])
            for name, shape in sorted(description["types"].items())
            if "properties" in shape
        },
    }


def as_json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False, sort_keys=False) + "\n"


def files(description: dict[str, Any]) -> dict[Path, str]:
    """Every generated file and its text."""
    generated = {
        ROOT / "bindings/description.json": as_json(description),
        ROOT / "tests/vectors/surface.json": as_json(surface(description)),
    }
    for name in ("python_types", "node_types", "swift_types"):
        if (Path(__file__).parent / f"{name}.py").exists():
            module = __import__(name)
            generated |= {ROOT / path: text for path, text in module.generate(description).items()}
    for path, text in generated.items():
        if path.suffix == ".py":
            # A field whose name is a keyword would be found by the package's users otherwise.
            compile(text, str(path), "exec", dont_inherit=True)
    return generated


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file differs")
    check = parser.parse_args().check
    stale = []
    description = describe()
    in_order(description)
    for path, text in files(description).items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if check:
            stale.append(path)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {path.relative_to(ROOT)}")
    for path in stale:
        print(f"differs: {path.relative_to(ROOT)}; run `python3 bindings/generate`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
