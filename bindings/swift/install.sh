#!/bin/sh
# Installs the native library for SwiftPM on Linux: a static library, and the xynergy.pc by which a build finds it.
# Usage: install.sh [--no-build] PREFIX [PREFIX-AT-BUILD-TIME]; then build with PKG_CONFIG_PATH=PREFIX/lib/pkgconfig
set -eu
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
build=1
if [ "${1:-}" = --no-build ]; then build= && shift; fi
prefix=${1:?usage: install.sh [--no-build] PREFIX}
seen_as=${2:-$(mkdir -p "$prefix" && cd "$prefix" && pwd)}
[ -z "$build" ] || (cd "$repository" && cargo build --release --package xynergy-swift)
version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$repository/Cargo.toml" | head -n 1)
mkdir -p "$prefix/lib/pkgconfig"
cp "${CARGO_TARGET_DIR:-$repository/target}/release/libxynergy_ffi.a" "$prefix/lib/"
cat >"$prefix/lib/pkgconfig/xynergy.pc" <<PC
prefix=$seen_as
libdir=\${prefix}/lib

Name: xynergy
Description: The native library behind the Swift package of Xynergy
Version: $version
Libs: -L\${libdir} -lxynergy_ffi -lm -lpthread -ldl
PC
