#!/bin/sh
# Swift for a Linux without it: a Debian trixie with `swiftlang`, for use through chroot.
# Usage: setup-linux.sh [DIR]    (about 0.5 GB of downloads and 2.6 GB on disk; a second run finds everything there)
# Leaves no mounts: everything runs in a mount namespace of its own, see `in-linux.sh`. To remove it: rm -rf DIR
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/xynergy-tests/swift}

missing() { echo "swift: $1" >&2; exit 1; }
[ "$(uname -s)" = Linux ] || missing "this script is for Linux; on macOS use Xcode's Swift"
[ "$(id -u)" = 0 ] || missing "a chroot needs root; run as root, or install Swift 5.9 or later and run \`swift test\` in $here"
for tool in debootstrap unshare chroot flock; do
  command -v "$tool" >/dev/null || missing "\`$tool\` is missing; install it (Debian: apt-get install debootstrap util-linux)"
done
# The mirror is the one this machine already uses, or the caller's.
mirror=${DEBIAN_MIRROR:-$( (apt-cache policy 2>/dev/null || true) | grep -om1 'http[^ ]*/debian/\{0,1\} ' | tr -d ' ')}
[ -n "$mirror" ] || missing "apt names no Debian mirror; set DEBIAN_MIRROR"

mkdir -p "$root"
exec 9>"$root.lock"
flock 9
[ -x "$root/usr/bin/swiftc" ] && [ -e "$root/.ready" ] && exit 0

# debootstrap mounts /proc itself; in a namespace of its own that cannot outlive it.
if ! [ -e "$root/.base" ]; then
  rm -rf --one-file-system "$root"
  mkdir -p "$root"
  unshare --mount --propagation private \
    debootstrap --variant=minbase --include=ca-certificates trixie "$root" "$mirror"
  touch "$root/.base"
fi
# apt's own proxy settings hold inside too.
apt-config dump 2>/dev/null | grep -i '^Acquire::http.*::\{0,1\}Proxy' >"$root/etc/apt/apt.conf.d/90proxy" || true
cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null || true
"$here/in-linux.sh" "$root" apt-get update -q
"$here/in-linux.sh" "$root" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -q --no-install-recommends swiftlang libc6-dev libstdc++-14-dev
"$here/in-linux.sh" "$root" apt-get clean
"$here/in-linux.sh" "$root" swiftc --version
touch "$root/.ready"
