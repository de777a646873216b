#!/bin/sh
# Builds the native library and the Swift package, tests it, and uses it as a user would, from a package of its own.
# Uses the `swift` of this machine if there is one, else a Linux with Swift in a chroot (setup-linux.sh).
# Ends with 0 when all is well, 77 when there is no Swift and none can be had, anything else when something is wrong.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/xynergy-tests
target=${CARGO_TARGET_DIR:-$repository/target}
cd "$repository"
mkdir -p "$cache"

if command -v swift >/dev/null; then
  root=
elif "$here/setup-linux.sh" "$cache/swift" >"$cache/swift.log" 2>&1; then
  root=$cache/swift
else
  echo "swift: skipped: there is no Swift here, and the chroot for it cannot be made:" >&2
  tail -n 3 "$cache/swift.log" >&2
  exit 77
fi

cargo build --quiet --release --package xynergy-swift --features bindgen
"$here/bind.sh" --check
scratch=$cache/swift-scratch
rm -rf "$scratch/lib" "$scratch/user"
mkdir -p "$scratch/lib"
cp "$target/release/libxynergy_ffi.so" "$scratch/lib/" 2>/dev/null || cp "$target/release/libxynergy_ffi.dylib" "$scratch/lib/"

# Runs a command with the repository at $in and the scratch folder at $made, in the chroot if there is one.
if [ -n "$root" ]; then
  in=/xynergy/repository made=/xynergy/scratch
  run() {
    "$here/in-linux.sh" -b "$here:$in/bindings/swift" -b "$repository/examples:$in/examples" \
      -b "$repository/tests/vectors:$in/tests/vectors" -b "$scratch:$made" "$root" "$@"
  }
else
  in=$repository made=$scratch
  run() { env "$@"; }
fi

run env XYNERGY_LIB="$made/lib" swift build --package-path "$in/bindings/swift" --scratch-path "$made/package" --build-tests -q
run env XYNERGY_LIB="$made/lib" XYNERGY_VECTORS="$in/tests/vectors" \
  swift test --package-path "$in/bindings/swift" --scratch-path "$made/package" --skip-build >"$scratch/said.log" 2>&1 ||
  { cat "$scratch/said.log"; exit 1; }
awk '/Executed [0-9]+ tests/ {n = $2} END {print "passed:", n}' "$scratch/said.log"

# A package of a user's, which finds the library as README.md says: static, by pkg-config.
"$here/install.sh" --no-build "$scratch/user/prefix" "$made/user/prefix"
cp -R "$here/../../examples/swift/programs" "$scratch/user/app"
for program in ask closed_loop; do
  run env XYNERGY_PACKAGE="$in/bindings/swift" PKG_CONFIG_PATH="$made/user/prefix/lib/pkgconfig" \
    swift build -q --package-path "$made/user/app" --scratch-path "$made/app" --product "$program"
done
run "$made/app/debug/ask"

# The closed loop, with the bytes of the Rust example.
cargo build --quiet --release --example closed_loop
data=$in/examples/data
for seed in 7 99; do
  run "$made/app/debug/closed_loop" --json --seed "$seed" --clicks "$data/clicks.ndjson" --webhooks "$data/webhooks.ndjson" \
    --crm "$data/crm.json" --ads "$data/ads.json" --faults "$data/faults.json" >"$scratch/swift.json"
  "$target/release/examples/closed_loop" --json --store memory --seed "$seed" --report "$scratch/report.html" >"$scratch/rust.json"
  cmp "$scratch/swift.json" "$scratch/rust.json"
  echo "passed: 1"
done
