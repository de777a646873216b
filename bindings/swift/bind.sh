#!/bin/sh
# Writes the Swift side of the native library from the built library; with --check it only compares.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
release=${CARGO_TARGET_DIR:-$repository/target}/release
cd "$repository"
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
library=$release/libxynergy_ffi.so
[ -e "$library" ] || library=$release/libxynergy_ffi.dylib
"$release/uniffi-bindgen" generate --no-format --language swift --out-dir "$made" "$library"
native=$here/Sources/XynergyNative/xynergy_ffi.swift
header=$here/Sources/xynergy_ffiFFI/include/xynergy_ffiFFI.h
if [ "${1:-}" = --check ]; then
  cmp "$made/xynergy_ffi.swift" "$native" && cmp "$made/xynergy_ffiFFI.h" "$header" ||
    { echo "swift: the Swift side of the library is not the code's; run bindings/swift/bind.sh" >&2; exit 1; }
else
  cp "$made/xynergy_ffi.swift" "$native"
  cp "$made/xynergy_ffiFFI.h" "$header"
fi
