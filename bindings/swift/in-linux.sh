#!/bin/sh
# Runs a command in the chroot of `setup-linux.sh`. Usage: in-linux.sh [-b FROM:TO]... ROOT COMMAND [ARGUMENT]...
# `-b` shows the folder FROM at TO inside. All mounts live in a namespace of this process: none is left behind, whatever happens.
set -eu
if [ "${XYNERGY_NAMESPACE:-}" != own ]; then
  XYNERGY_NAMESPACE=own exec unshare --mount --propagation private "$0" "$@"
fi
unset XYNERGY_NAMESPACE
binds=
while [ "$1" = -b ]; do
  binds="$binds $2"
  shift 2
done
root=$1
shift
# swiftc finds its own parts through /proc.
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
for pair in $binds; do
  mkdir -p "$root${pair#*:}"
  mount --bind "${pair%%:*}" "$root${pair#*:}"
done
exec chroot "$root" env PATH=/usr/libexec/swift/bin:/usr/bin:/bin:/usr/sbin:/sbin HOME=/root LC_ALL=C.UTF-8 "$@"
