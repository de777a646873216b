#!/usr/bin/env bash
# The closed loop's revenue, matches and counts against an independent recomputation: on the bundled data, and on
# worlds of other seeds.
set -euo pipefail
cd "$(dirname "$0")/.."
binary=${CARGO_TARGET_DIR:-target}/release/examples/closed_loop
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
compare() {
  local data=$1
  local inputs=(--clicks "$data/clicks.ndjson" --webhooks "$data/webhooks.ndjson" --crm "$data/crm.json" --ads "$data/ads.json")
  "$binary" --json --report "$folder/report.html" --store memory --faults none \
    "${inputs[@]}" \
    >"$folder/report.json"
  python3 tests/python/revenue_oracle.py "${inputs[@]}" --compare "$folder/report.json"
}
compare examples/data
for seed in 11 12 13; do
  python3 examples/data/generate.py --seed "$seed" --out "$folder/$seed" --clicks 2000 --deals 150
  compare "$folder/$seed"
done
