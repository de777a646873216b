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
  swift test --package-path "$in/bindings/swift" --scratch-path "$made/package" --skip-build

# A package of a user's, which finds the library as README.md says: static, by pkg-config.
"$here/install.sh" --no-build "$scratch/user/prefix" "$made/user/prefix"
cp -R "$here/../../examples/swift/programs" "$scratch/user/app"
for program in ask closed_loop; do
  run env XYNERGY_PACKAGE="$in/bindings/swift" PKG_CONFIG_PATH="$made/user/prefix/lib/pkgconfig" \
    swift build -q --package-path "$made/user/app" --scratch-path "$made/app" --product "$program"
done
run "$made/app/debug/ask"
