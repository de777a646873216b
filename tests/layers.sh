#!/usr/bin/env bash
# xynergy-core talks to nothing: no HTTP, SQL, Redis or FFI crate may be among its dependencies.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=$(cargo tree -p xynergy-core --all-features --edges normal,build --prefix none --format '{p}' | awk '{print $1}' | sort -u)
found=$(grep -xE 'reqwest|hyper|rusqlite|tokio-rusqlite|tokio-postgres|redis|pyo3|napi|uniffi' <<<"$tree" || true)
if [ -n "$found" ]; then
  echo "xynergy-core depends on: $found"
  exit 1
fi
