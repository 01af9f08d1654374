#!/bin/bash
# sandbox.sh CMD... -- run CMD in a throw-away copy of this machine.
#
# The root is an overlay whose upper layer is a tmpfs that dies with the mount namespace, so modules may add
# users, packages and repositories without the machine noticing. Needs root with CAP_SYS_ADMIN; exit status 99
# says that the sandbox itself could not be made.
set -eu
if [ -z "${PROVISION_SANDBOX:-}" ]; then
    PROVISION_SANDBOX=$(mktemp -d) || exit 99
    export PROVISION_SANDBOX
    trap 'rmdir "$PROVISION_SANDBOX"' EXIT
    code=0
    unshare --mount --pid --fork --uts --ipc --kill-child bash "$0" "$@" || code=$?
    exit $code
fi
here=$(pwd)
root=$PROVISION_SANDBOX
{
    mount --make-rprivate /
    mount -t tmpfs -o mode=755 tmpfs "$root"
    mkdir "$root/up" "$root/wk" "$root/fs"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$root/up,workdir=$root/wk" "$root/fs"
    fs=$root/fs
    mount -t proc proc "$fs/proc"
    mount --rbind /dev "$fs/dev"
    mount --rbind /sys "$fs/sys"
    mount -t tmpfs -o mode=755 tmpfs "$fs/run"
    mount -t tmpfs -o mode=1777 tmpfs "$fs/tmp"
    mkdir -p "$fs/run/lock"
    hostname sandbox
} >&2 || exit 99
exec chroot "$fs" /bin/bash -c 'cd "$0" && exec "$@"' "$here" "$@"
