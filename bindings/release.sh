#!/usr/bin/env bash
# Everything of a release but the upload, into target/packages: crates, wheel and its source, npm tarballs, the Swift package, a bill
# of materials and checksums. See --help.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
  cat <<'HELP'
Usage: bindings/release.sh [--dirty]

Builds every package of the version in Cargo.toml into target/packages, and uploads nothing. Refuses a tree with changes that are not
committed (unless --dirty), a version that CHANGELOG.md does not name (unless --dirty), and generated files that are stale.
HELP
  exit 0
fi
dirty=${1:-}

say() { printf 'release: %s\n' "$*" >&2; }
version=$(cargo metadata --no-deps --format-version 1 | python3 -c '
import json, sys
versions = {package["version"] for package in json.load(sys.stdin)["packages"]}
assert len(versions) == 1, f"the crates have several versions: {versions}"
print(versions.pop())')

if [ "$dirty" != --dirty ]; then
  [ -z "$(git status --porcelain)" ] || { say "there are changes that are not committed"; exit 1; }
  grep -q "^## $version" CHANGELOG.md || { say "CHANGELOG.md has no section ## $version"; exit 1; }
fi
python3 bindings/generate --check

target=${CARGO_TARGET_DIR:-target}
out=$target/packages
rm -rf "$out"
mkdir -p "$out"

say "crates"
cargo package --quiet --no-verify ${dirty:+--allow-dirty} --workspace \
  --exclude xynergy-python --exclude xynergy-node --exclude xynergy-swift
cp "$target/package/xynergy"*"-$version.crate" "$out"

say "wheel and its source"
bindings/python/build.sh "$out"

say "npm packages"
node bindings/node/build.mjs --pack >/dev/null
cp "$target"/npm/*.tgz "$out"

say "Swift package"
cargo build --quiet --locked --package xynergy-swift --profile dist
git archive --format=tar --prefix="xynergy-swift-$version/" HEAD bindings/swift LICENSE-MIT LICENSE-APACHE >"$out/xynergy-swift-$version.tar"
tar --append --file "$out/xynergy-swift-$version.tar" --transform "s,.*/,xynergy-swift-$version/lib/," "$target/dist/libxynergy_ffi.so"
gzip -9 "$out/xynergy-swift-$version.tar"

say "bill of materials"
python3 bindings/sbom.py >"$out/xynergy-$version.cdx.json"

(cd "$out" && sha256sum -- * >SHA256SUMS)
ls -l "$out"
say "version $version is in $out; nothing was uploaded"
