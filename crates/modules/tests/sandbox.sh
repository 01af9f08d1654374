#!/bin/bash
# sandbox.sh CMD... -- run CMD in a throw-away copy of this machine.
#
# The root is an overlay whose upper layer is a tmpfs that dies with the mount namespace, so modules may add
# users, packages and repositories without the machine noticing. With SANDBOX_SYSTEMD=1, systemd is process 1 and
# CMD one of its units. Needs root with CAP_SYS_ADMIN; exit status 99 says that the sandbox could not be made.
set -eu
if [ -z "${PROVISION_SANDBOX:-}" ]; then
    PROVISION_SANDBOX=$(mktemp -d) || exit 99
    export PROVISION_SANDBOX
    trap 'rm -f "$PROVISION_SANDBOX"/out; rmdir "$PROVISION_SANDBOX"' EXIT
    code=0
    if [ -n "${SANDBOX_SYSTEMD:-}" ]; then
        # systemd needs a cgroup tree of its own.
        cgroup=/sys/fs/cgroup/unified; [ -d $cgroup ] || cgroup=/sys/fs/cgroup
        cgroup=$cgroup/provision-test-$$
        mkdir "$cgroup" || exit 99
        (echo 0 > "$cgroup/cgroup.procs"
         exec unshare --cgroup --mount --net --pid --fork --uts --ipc --kill-child bash "$0" "$@") || code=$?
        find "$cgroup" -depth -type d -exec rmdir {} + 2> /dev/null || true
        [ ! -e "$PROVISION_SANDBOX/out" ] || cat "$PROVISION_SANDBOX/out"
    else
        unshare --mount --net --pid --fork --uts --ipc --kill-child bash "$0" "$@" || code=$?
    fi
    exit $code
fi
here=$(pwd)
root=$PROVISION_SANDBOX
out=$root/out
{
    mount --make-rprivate /
    if [ -n "${SANDBOX_SYSTEMD:-}" ]; then
        touch "$out"
        exec 3<> "$out"
    fi
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
    # Daemons of the sandbox have a loopback of their own: their ports never meet those of the machine.
    ip link set lo up
    hostname sandbox
} >&2 || exit 99
if [ -z "${SANDBOX_SYSTEMD:-}" ]; then
    exec chroot "$fs" /bin/bash -c 'cd "$0" && exec "$@"' "$here" "$@"
fi

# systemd as process 1; CMD is a unit whose end is the end of process 1, with the same success.
{
    umount -l "$fs/sys" && mount -t sysfs sysfs "$fs/sys" && mount -t cgroup2 cgroup2 "$fs/sys/fs/cgroup"
    touch "$fs/sandbox.out" && mount --bind "/proc/self/fd/3" "$fs/sandbox.out"
    export -p | grep -v SANDBOX_SYSTEMD > "$fs/sandbox.env"
    printf '#!/bin/bash\n. /sandbox.env\ncd %q\nexec %s\n' "$here" "${*@Q}" > "$fs/sandbox.sh"
    for unit in systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket \
        systemd-modules-load.service systemd-remount-fs.service systemd-tmpfiles-setup-dev.service \
        systemd-random-seed.service systemd-networkd.service systemd-resolved.service getty@.service \
        console-getty.service serial-getty@.service systemd-journald-audit.socket; do
        ln -sf /dev/null "$fs/etc/systemd/system/$unit"
    done
    cat > "$fs/etc/systemd/system/sandbox.target" <<END
[Unit]
Requires=basic.target
Wants=sandbox.service
END
    cat > "$fs/etc/systemd/system/sandbox.service" <<END
[Unit]
After=basic.target
SuccessAction=exit-force
SuccessActionExitStatus=0
FailureAction=exit-force
FailureActionExitStatus=1
[Service]
Type=oneshot
ExecStart=/bin/bash /sandbox.sh
StandardOutput=append:/sandbox.out
StandardError=append:/sandbox.out
END
    mkdir -p "$fs/run/host"
    echo provision-test > "$fs/run/host/container-manager"
} >&2 || exit 99
exec env -i PATH="$PATH" chroot "$fs" /lib/systemd/systemd --unit=sandbox.target --show-status=0 --log-target=null
