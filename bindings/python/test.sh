#!/usr/bin/env bash
# Builds the wheel, installs it into a fresh environment and tests it there: test.sh [--release] [pytest arguments]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tools="${XDG_CACHE_HOME:-$HOME/.cache}/xynergy-tests/python"
profile=dev
if [ "${1:-}" = --release ]; then profile=dist; shift; fi
"$here/build.sh" --tools

export PATH="$tools/tools/bin:$PATH"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ "$profile" = dist ]; then
  "$here/build.sh" "$work/wheels"
  mkdir "$work/source"
  tar -xzf "$work"/wheels/*.tar.gz -C "$work/source" --strip-components 1
  rm "$work"/wheels/*.tar.gz
  # The source builds too: without optimising, and with the dependencies that are built already.
  (cd "$work/source" && CARGO_TARGET_DIR="$here/../../target" maturin build --profile dev --out "$work/from-source")
else
  (cd "$here" && maturin build --profile dev --out "$work/wheels")
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

if [ "$profile" = dist ]; then
  # The closed loop, with the bytes of the Rust example.
  (cd "$here/../.." && cargo build --quiet --release --example closed_loop)
  rust="${CARGO_TARGET_DIR:-$here/../../target}/release/examples/closed_loop"
  python3 "$here/../../tests/python/same_bytes.py" "$(realpath "$rust")" "$work/venv/bin/python $here/../../examples/python/closed_loop.py"
  echo "passed: 3"
fi

(cd "$here" && ruff check -q .)
site=$("$work/venv/bin/python" -c 'import pathlib, xynergy; print(pathlib.Path(xynergy.__file__).parent)')
mypy --strict --python-executable "$work/venv/bin/python" --python-version 3.10 -p xynergy
mypy --strict --python-executable "$work/venv/bin/python" "$work/tests/typed.py"
pyright --pythonpath "$work/venv/bin/python" "$site" "$work/tests/typed.py"
