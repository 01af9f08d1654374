#!/bin/bash
# hosts.sh -- the hosts of a test: containers with systemd and sshd on a network of their own.
#
#   hosts.sh up RUN DIR NAME...    start them and write DIR/inventory, DIR/id_ed25519, DIR/known_hosts
#   hosts.sh down RUN              remove everything RUN started; nothing to remove is fine
#   hosts.sh down --all            the same for every run there is
#   hosts.sh list                  what is there: run, kind, name, one a line
#
# RUN is a word of letters, digits and dashes. Everything carries the label provision-test=RUN, so
# `down` needs no state and may be called at any time, also after an `up` that was killed; an `up`
# that fails or is interrupted removes what it started itself.
#
# DIR/inventory is for use next to another one: `-i inventory/hosts -i DIR/inventory`. It says for each
# NAME how to log in, with host keys checked, and which mirrors the hosts reach. Environment: IMAGE (default
# provision-base:bookworm) has to be there; see base-image.sh.
set -euo pipefail

label=provision-test
image=${IMAGE:-provision-base:bookworm}

say() { echo "hosts: $*" >&2; }
fail() { say "$*"; exit 1; }

down() { # FILTER
    local ids
    ids=$(docker ps -aq --filter "label=$1")
    # shellcheck disable=SC2086 # ids are words
    if [ -n "$ids" ]; then docker rm -f -v $ids >/dev/null; fi
    ids=$(docker network ls -q --filter "label=$1")
    # shellcheck disable=SC2086
    if [ -n "$ids" ]; then docker network rm $ids >/dev/null; fi
}

# The network's packets have to fit through the way out, or downloads hang where it is narrower than 1500.
outer_mtu() {
    local device
    device=$(awk '$2 == "00000000" { print $1; exit }' /proc/net/route 2>/dev/null || true)
    cat "/sys/class/net/${device:-none}/mtu" 2>/dev/null || echo 1500
}

image_label() { docker image inspect -f "{{index .Config.Labels \"$1\"}}" "$image"; }

start_host() { # NAME
    # Names that this machine knows from its own /etc/hosts, for mirrors that have no other name.
    local known=()
    while read -r address names; do
        for name in $names; do known+=(--add-host "$name:$address"); done
    done < <(sed 's/#.*//' /etc/hosts 2>/dev/null | awk 'NF > 1 && $1 !~ /^(127\.|::1$|f[ef]0|fe80)/')

    docker run --detach --name "$run-$1" --hostname "$1" \
        --network "$label-$run" --network-alias "$1" --label "$label=$run" \
        --cap-add SYS_ADMIN --security-opt seccomp=unconfined --security-opt apparmor=unconfined \
        --tmpfs /run --tmpfs /run/lock \
        --cgroupns host --volume /sys/fs/cgroup:/sys/fs/cgroup:rw \
        "${known[@]}" "$image" >/dev/null
}

# Waits until sshd of NAME listens, then lets the key in and takes down the host's own.
admit_key() { # NAME
    local container=$run-$1 address tries=0
    address=$(docker inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$container")
    until (exec 3<>"/dev/tcp/$address/22") 2>/dev/null; do
        tries=$((tries + 1))
        [ "$(docker inspect -f '{{.State.Running}}' "$container")" = true ] ||
            fail "$1 stopped while starting: $(docker logs "$container" 2>&1 | tail -n 3)"
        [ $tries -lt 300 ] || fail "sshd of $1 does not answer on $address"
        sleep 0.1
    done
    docker exec -i "$container" sh -c 'umask 077; mkdir -p /root/.ssh; cat > /root/.ssh/authorized_keys' \
        <"$dir/id_ed25519.pub"
    docker exec "$container" cat /etc/ssh/ssh_host_ed25519_key.pub |
        awk -v a="$address" '{ print a, $1, $2 }' >>"$dir/known_hosts"
    printf "%s ansible_host=%s ansible_user=root ansible_ssh_private_key_file='%s' \
ansible_ssh_common_args='-o UserKnownHostsFile=\"%s\" -o IdentitiesOnly=yes' \
secrets_dir='%s' apt_mirror='%s' apt_security_mirror='%s'\n" \
        "$1" "$address" "$dir/id_ed25519" "$dir/known_hosts" \
        "$dir/secrets" "$(image_label provision.apt-mirror)" "$(image_label provision.apt-security-mirror)" \
        >>"$dir/inventory"
}

up() { # NAME...
    docker image inspect "$image" >/dev/null 2>&1 || fail "there is no image $image: run base-image.sh"
    [ -z "$(docker network ls -q --filter "label=$label=$run")$(docker ps -aq --filter "label=$label=$run")" ] ||
        fail "the run $run is there already: hosts.sh down $run"
    mkdir -p "$dir"
    dir=$(cd "$dir" && pwd)
    umask 077
    rm -f "$dir/inventory" "$dir/known_hosts" "$dir/id_ed25519" "$dir/id_ed25519.pub"
    trap 'down "$label=$run"' EXIT
    trap 'exit 130' INT TERM HUP
    ssh-keygen -q -t ed25519 -N '' -C "$label-$run" -f "$dir/id_ed25519"
    docker network create --label "$label=$run" \
        --opt "com.docker.network.driver.mtu=$(outer_mtu)" "$label-$run" >/dev/null
    for name; do start_host "$name"; done
    for name; do admit_key "$name"; done
    trap - EXIT
}

case ${1:-} in
up)
    [ $# -ge 4 ] || fail "usage: hosts.sh up RUN DIR NAME..."
    run=$2 dir=$3
    [[ $run =~ ^[a-z0-9][a-z0-9-]*$ ]] || fail "RUN has to be of small letters, digits and dashes: $run"
    shift 3
    up "$@"
    ;;
down)
    [ $# = 2 ] || fail "usage: hosts.sh down RUN|--all"
    if [ "$2" = --all ]; then down "$label"; else down "$label=$2"; fi
    ;;
list)
    docker ps -a --filter "label=$label" --format "{{.Label \"$label\"}} container {{.Names}}"
    docker network ls --filter "label=$label" --format "{{.Label \"$label\"}} network {{.Name}}"
    ;;
*)
    fail "usage: hosts.sh up RUN DIR NAME... | down RUN|--all | list"
    ;;
esac
