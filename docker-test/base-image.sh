#!/bin/bash
# base-image.sh [TAG] -- make the image of a bare Debian 12 that `provision test` starts its hosts from.
#
# Default TAG: provision-base:bookworm. Prints the tag on standard output when the image is there;
# everything else goes to standard error. An image made from the same inputs is kept as it is.
#
# The root comes from debian:bookworm where a registry can be reached, otherwise from debootstrap.
# What this machine has been set up with to reach its registries goes into the image: Debian's apt
# sources, apt's proxy and login settings, pip's configuration, proxies, and the certificates of its
# bundle that Debian does not ship. The image is as private as those settings are: do not publish it.
set -euo pipefail

tag=${1:-provision-base:bookworm}
release=bookworm
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/provision-base.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
outer=$scratch/context/outer
mkdir -p "$outer/etc/apt"

say() { echo "base-image: $*" >&2; }
fail() { say "$*"; exit 1; }

command -v docker >/dev/null || fail "docker is not installed; on Debian: apt-get install docker.io"
docker version >/dev/null 2>&1 || fail "docker is installed, but its engine does not answer: $(docker version 2>&1 | tail -n 1)"

# --- what this machine is set up with -------------------------------------------------------------

# "URI SUITE COMPONENT" of Debian's own archive as this machine reaches it. Suites of other people
# are told apart by the key that signs them: it is not Debian's.
outer_apt_targets() {
    # shellcheck disable=SC2016 # apt replaces these, not the shell
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(SIGNED_BY)' 'Created-By: Packages' 2>/dev/null |
        awk -v r=$release '($2 == r || $2 == r "-updates" || $2 == r "-security") &&
            ($4 == "" || $4 ~ /debian-archive-keyring/) { print $1, $2, $3 }' | sort -u
}

targets=""
if command -v apt-get >/dev/null; then targets=$(outer_apt_targets); fi
mirror=$(awk -v r=$release '$2 == r { print $1; exit }' <<<"$targets")
security=$(awk -v r=$release '$2 == r "-security" { print $1; exit }' <<<"$targets")
if [ -z "$mirror" ]; then
    mirror=http://deb.debian.org/debian/ security=http://deb.debian.org/debian-security/
    targets="$mirror $release main
$mirror $release-updates main
$security $release-security main"
fi
mirror=${mirror%/} security=${security%/}
mkdir -p "$outer/etc/apt/sources.list.d"
: >"$outer/etc/apt/sources.list"
awk '{ key = $1 " " $2; if (!(key in parts)) order[++n] = key; parts[key] = parts[key] " " $3 }
     END { for (i = 1; i <= n; i++) { split(order[i], f, " ")
         printf "Types: deb\nURIs: %s\nSuites: %s\nComponents:%s\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n\n",
             f[1], f[2], parts[order[i]] } }' <<<"$targets" >"$outer/etc/apt/sources.list.d/debian.sources"

# How apt is to fetch: proxies, retries, checks. Lines that name a file of this machine stay here.
if command -v apt-config >/dev/null; then
    apt-config dump | grep -E '^Acquire::((https?|ftp)::.+|Retries|Check-Valid-Until|Check-Date|ForceIPv[46]) ".+";$' |
        grep -Eiv '::(CaInfo|CaPath|SslCert|SslKey|CrlFile|Proxy-?Auto-?Detect) ' >"$scratch/apt.conf" || true
fi
for scheme in http https; do
    name=${scheme}_proxy upper=${scheme^^}_PROXY
    proxy=${!name:-${!upper:-}}
    if [ -n "$proxy" ]; then echo "Acquire::$scheme::Proxy \"$proxy\";" >>"$scratch/apt.conf"; fi
done
if [ -s "$scratch/apt.conf" ]; then
    mkdir -p "$outer/etc/apt/apt.conf.d"
    cp "$scratch/apt.conf" "$outer/etc/apt/apt.conf.d/90outer"
fi
for login in /etc/apt/auth.conf /etc/apt/auth.conf.d; do
    if [ -r "$login" ]; then cp -rL "$login" "$outer/etc/apt/"; fi
done

# Proxies for everybody who logs in.
env | grep -Ei '^(https?|ftp|all|no)_proxy=' | sort >"$scratch/environment" || true
if [ -s "$scratch/environment" ]; then cp "$scratch/environment" "$outer/etc/environment"; fi

# The certificates of this machine's bundle that are not in Debian's ca-certificates, one a file, where
# installing ca-certificates picks them up. A mirror behind https needs the bundle before that.
bundle=""
for candidate in "${SSL_CERT_FILE:-}" "${PIP_CERT:-}" "${REQUESTS_CA_BUNDLE:-}" "${CURL_CA_BUNDLE:-}" \
    /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt; do
    if [ -z "$bundle" ] && [ -s "$candidate" ]; then bundle=$candidate; fi
done
if [ -n "$bundle" ]; then
    extra=$outer/usr/local/share/ca-certificates
    mkdir -p "$extra"
    shopt -s nullglob
    awk -v dir="$extra" -v bundle="$bundle" '
        /-----BEGIN CERTIFICATE-----/ { body = ""; inside = 1; next }
        /-----END CERTIFICATE-----/ {
            inside = 0
            if (FILENAME != bundle) known[body] = 1
            else if (!(body in known)) {
                known[body] = 1
                file = sprintf("%s/outer-%03d.crt", dir, ++n)
                print "-----BEGIN CERTIFICATE-----" > file
                for (at = 1; at <= length(body); at += 64) print substr(body, at, 64) > file
                print "-----END CERTIFICATE-----" > file
                close(file)
            }
            next
        }
        inside { gsub(/[ \t\r]/, ""); body = body $0 }
    ' /usr/share/ca-certificates/mozilla/*.crt "$bundle"
    shopt -u nullglob
    if grep -q '^URIs: https' "$outer/etc/apt/sources.list.d/debian.sources"; then
        mkdir -p "$outer/etc/ssl/certs"
        cp -L "$bundle" "$outer/etc/ssl/certs/ca-certificates.crt"
    fi
fi

# pip's configuration: its files in their order, then its variables, the later winning.
pip_settings() {
    local file name
    for file in /etc/pip.conf ~/.pip/pip.conf ~/.config/pip/pip.conf "${PIP_CONFIG_FILE:-}"; do
        if [ -r "$file" ]; then
            awk -F ' *[=:] *' '/^\[/ { on = /^\[(global|install)\]/; next } /^[#;]/ || !on { next }
                /^[ \t]+[^ \t]/ { sub(/^[ \t]+/, ""); print key "\t+" $0; next }
                NF > 1 { key = $1; gsub(/_/, "-", key); sub(/^[^=:]*[=:] */, ""); print key "\t" $0 }' "$file"
        fi
    done
    for name in ${!PIP_*}; do
        case $name in
        PIP_INDEX_URL | PIP_EXTRA_INDEX_URL | PIP_TRUSTED_HOST | PIP_FIND_LINKS | PIP_NO_INDEX | PIP_PROXY | \
            PIP_CERT | PIP_DEFAULT_TIMEOUT | PIP_TIMEOUT | PIP_RETRIES | PIP_PREFER_BINARY | PIP_ONLY_BINARY)
            local key=${name#PIP_}
            key=${key,,}
            printf '%s\t%s\n' "${key//_/-}" "${!name}"
            ;;
        esac
    done
}
pip_settings | awk -F '\t' '$2 ~ /^\+/ { value[$1] = value[$1] " " substr($2, 2); next } { value[$1] = $2 }
    END { for (key in value) print key "\t" value[key] }' | sort >"$scratch/pip"
while IFS=$'\t' read -r key value; do
    case $key in
    cert) value=/etc/ssl/certs/ca-certificates.crt ;; # where ca-certificates puts Debian's and ours
    find-links) # directories of this machine travel along, if anything is in them
        kept=""
        for link in $value; do
            if [[ $link == *://* ]]; then
                kept+=" $link"
            elif [ -n "$(ls -A "$link" 2>/dev/null)" ]; then
                mkdir -p "$outer$link"
                cp -rL "$link/." "$outer$link/"
                kept+=" $link"
            fi
        done
        value=${kept# }
        ;;
    esac
    if [ -n "$value" ]; then echo "$key = $value"; fi
done <"$scratch/pip" >"$scratch/pip.conf"
if [ -s "$scratch/pip.conf" ]; then
    { echo '[global]'; cat "$scratch/pip.conf"; } >"$outer/etc/pip.conf"
fi

if grep -rEq '(//|@)(localhost|127\.[0-9.]+|\[::1\])[:/]' "$outer/etc"; then
    say "warning: a mirror or proxy of this machine listens on its loopback address, which containers cannot reach"
fi

# --- the image ------------------------------------------------------------------------------------

cp "$here/Dockerfile" "$scratch/context/"
# The clock and the umask of this run must not count as inputs.
chmod -R u=rwX,go=rX "$outer"
for login in "$outer/etc/apt/auth.conf" "$outer/etc/apt/auth.conf.d"; do
    if [ -e "$login" ]; then chmod -R go= "$login"; fi
done
inputs=$({
    cat "$here/base-image.sh" "$here/Dockerfile"
    cd "$scratch/context" && find outer -type f | sort | while read -r file; do sha256sum "$file"; done
} | sha256sum | cut -c 1-16)

if [ "$(docker image inspect -f '{{index .Config.Labels "provision.inputs"}}' "$tag" 2>/dev/null)" = "$inputs" ]; then
    echo "$tag"
    exit 0
fi

# The root image is kept under its own name: a change of settings does not fetch it again.
root=provision-root:$release
if docker image inspect "$root" >/dev/null 2>&1; then
    say "root file system: $root, which is here already"
elif docker image inspect "debian:$release" >/dev/null 2>&1 ||
    timeout 120 docker pull -q "debian:$release" >/dev/null 2>"$scratch/pull"; then
    docker tag "debian:$release" "$root"
    say "root file system: debian:$release"
else
    say "debian:$release cannot be pulled ($(tail -n 1 "$scratch/pull")); using debootstrap"
    [ "$(id -u)" = 0 ] || fail "debootstrap has to run as root: run this as root once, or make debian:$release available"
    if ! command -v debootstrap >/dev/null; then
        command -v apt-get >/dev/null || fail "debootstrap is not installed, and there is no apt-get to install it with"
        say "installing debootstrap"
        apt-get update -qq >&2
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq debootstrap >&2
    fi
    debootstrap --variant=minbase "$release" "$scratch/root" "$mirror" >"$scratch/debootstrap" 2>&1 ||
        fail "debootstrap failed: $(tail -n 3 "$scratch/debootstrap")"
    rm -rf "$scratch/root/var/cache/apt/archives"/*.deb "$scratch/root/var/lib/apt/lists"/*_*
    tar -C "$scratch/root" --numeric-owner -c . | docker import - "$root" >/dev/null
fi

say "building $tag"
docker build -q --force-rm --build-arg "ROOT=$root" \
    --label "provision.inputs=$inputs" \
    --label "provision.apt-mirror=$mirror" \
    --label "provision.apt-security-mirror=$security" \
    -t "$tag" "$scratch/context" >"$scratch/build" 2>&1 || { cat "$scratch/build" >&2; fail "docker build failed"; }
echo "$tag"
