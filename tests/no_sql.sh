#!/usr/bin/env bash
# default-features = false, features = ["ai", "rustls"] is AI routing alone: it must not compile SQL.
set -euo pipefail
cd "$(dirname "$0")/.."
tree=$(cargo tree -p xynergy --no-default-features --features ai,rustls --edges normal --prefix none --format '{p}' | awk '{print $1}' | sort -u)
found=$(grep -E 'sqlite|postgres|refinery' <<<"$tree" || true)
if [ -n "$found" ]; then
  echo "features ai,rustls compile: $found"
  exit 1
fi
