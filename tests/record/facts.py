#!/usr/bin/env python3
"""Record facts of ansible-core: its `setup` on this machine with other machines' files in place of its own.

Writes crates/modules/tests/recorded/facts.json. Needs root (mount namespaces, overlayfs) and ansible-core 2.19
(`ANSIBLE_BIN`, default `~/.anchors/bin`). Nothing on the machine itself is changed.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve()
OUT = HERE.parents[2] / "crates/modules/tests/recorded/facts.json"
BIN = pathlib.Path(os.environ.get("ANSIBLE_BIN", "~/.anchors/bin")).expanduser()

# Files that tell one distribution from another; whatever of them a case does not have is taken away.
RELEASE_FILES = """/etc/os-release /usr/lib/os-release /etc/debian_version /etc/lsb-release /etc/redhat-release
/etc/centos-release /etc/rocky-release /etc/almalinux-release /etc/fedora-release /etc/oracle-release
/etc/system-release /etc/alpine-release /etc/arch-release /etc/gentoo-release /etc/SuSE-release
/usr/bin/lsb_release /usr/bin/apt-get /usr/bin/dpkg /usr/bin/rpm /usr/bin/dnf /usr/bin/dnf-3 /usr/bin/dnf5
/usr/bin/yum /usr/bin/microdnf /usr/bin/zypper /usr/bin/pacman /sbin/apk /usr/bin/emerge""".split()

DEB = {"/usr/bin/apt-get": "", "/usr/bin/dpkg": ""}
DNF = {"/usr/bin/rpm": "", "/usr/bin/dnf": "", "/usr/bin/dnf-3": "", "/usr/bin/yum": ""}


def osr(**fields):
    return "".join(f'{k}="{v}"\n' for k, v in fields.items())


DISTRIBUTIONS = {
    "Debian 12": {"/etc/os-release": osr(PRETTY_NAME="Debian GNU/Linux 12 (bookworm)", NAME="Debian GNU/Linux",
                  VERSION_ID="12", VERSION="12 (bookworm)", VERSION_CODENAME="bookworm", ID="debian"),
                  "/etc/debian_version": "12.11\n", **DEB},
    "Debian 11": {"/etc/os-release": osr(PRETTY_NAME="Debian GNU/Linux 11 (bullseye)", NAME="Debian GNU/Linux",
                  VERSION_ID="11", VERSION="11 (bullseye)", VERSION_CODENAME="bullseye", ID="debian"),
                  "/etc/debian_version": "11.9\n", **DEB},
    "Debian 13": {"/etc/os-release": osr(PRETTY_NAME="Debian GNU/Linux 13 (trixie)", NAME="Debian GNU/Linux",
                  VERSION_ID="13", VERSION="13 (trixie)", VERSION_CODENAME="trixie", DEBIAN_VERSION_FULL="13.1",
                  ID="debian"), "/etc/debian_version": "13.1\n", **DEB},
    "Debian testing": {"/etc/os-release": osr(PRETTY_NAME="Debian GNU/Linux forky/sid", NAME="Debian GNU/Linux",
                       VERSION_CODENAME="forky", ID="debian"), "/etc/debian_version": "forky/sid\n", **DEB},
    "Ubuntu 22.04": {"/etc/os-release": osr(PRETTY_NAME="Ubuntu 22.04.4 LTS", NAME="Ubuntu", VERSION_ID="22.04",
                     VERSION="22.04.4 LTS (Jammy Jellyfish)", VERSION_CODENAME="jammy", ID="ubuntu",
                     ID_LIKE="debian", UBUNTU_CODENAME="jammy"),
                     "/etc/lsb-release": osr(DISTRIB_ID="Ubuntu", DISTRIB_RELEASE="22.04", DISTRIB_CODENAME="jammy",
                                             DISTRIB_DESCRIPTION="Ubuntu 22.04.4 LTS"),
                     "/etc/debian_version": "bookworm/sid\n", **DEB},
    "Ubuntu 24.04": {"/etc/os-release": osr(PRETTY_NAME="Ubuntu 24.04 LTS", NAME="Ubuntu", VERSION_ID="24.04",
                     VERSION="24.04 LTS (Noble Numbat)", VERSION_CODENAME="noble", ID="ubuntu", ID_LIKE="debian"),
                     "/etc/debian_version": "trixie/sid\n", **DEB},
    "Linux Mint": {"/etc/os-release": osr(NAME="Linux Mint", VERSION="21.3 (Virginia)", ID="linuxmint",
                   ID_LIKE="ubuntu debian", PRETTY_NAME="Linux Mint 21.3", VERSION_ID="21.3",
                   VERSION_CODENAME="virginia", UBUNTU_CODENAME="jammy"),
                   "/etc/debian_version": "bookworm/sid\n", **DEB},
    "Pop": {"/etc/os-release": osr(NAME="Pop!_OS", VERSION="22.04 LTS", ID="pop", ID_LIKE="ubuntu debian",
            PRETTY_NAME="Pop!_OS 22.04 LTS", VERSION_ID="22.04", VERSION_CODENAME="jammy"),
            "/etc/debian_version": "bookworm/sid\n", **DEB},
    "Kali": {"/etc/os-release": osr(PRETTY_NAME="Kali GNU/Linux Rolling", NAME="Kali GNU/Linux", VERSION_ID="2024.1",
             VERSION="2024.1", VERSION_CODENAME="kali-rolling", ID="kali", ID_LIKE="debian"),
             "/etc/debian_version": "kali-rolling\n",
             "/etc/lsb-release": osr(DISTRIB_ID="Kali", DISTRIB_RELEASE="kali-rolling",
                                     DISTRIB_CODENAME="kali-rolling",
                                     DISTRIB_DESCRIPTION="Kali GNU/Linux Rolling"), **DEB},
    "Raspbian": {"/etc/os-release": osr(PRETTY_NAME="Raspbian GNU/Linux 11 (bullseye)", NAME="Raspbian GNU/Linux",
                 VERSION_ID="11", VERSION="11 (bullseye)", VERSION_CODENAME="bullseye", ID="raspbian",
                 ID_LIKE="debian"), "/etc/debian_version": "11.9\n", **DEB},
    "Devuan": {"/etc/os-release": osr(PRETTY_NAME="Devuan GNU/Linux 5 (daedalus)", NAME="Devuan GNU/Linux",
               VERSION_ID="5", VERSION="5 (daedalus)", VERSION_CODENAME="daedalus", ID="devuan", ID_LIKE="debian"),
               "/etc/debian_version": "12.0\n", **DEB},
    "Parrot": {"/etc/os-release": osr(PRETTY_NAME="Parrot Security 6.0 (lorikeet)", NAME="Parrot Security",
               VERSION_ID="6.0", VERSION="6.0 (lorikeet)", VERSION_CODENAME="lory", ID="parrot", ID_LIKE="debian"),
               "/etc/debian_version": "12.2\n", **DEB},
    "Rocky 9": {"/etc/os-release": osr(NAME="Rocky Linux", VERSION="9.3 (Blue Onyx)", ID="rocky",
                ID_LIKE="rhel centos fedora", VERSION_ID="9.3", PRETTY_NAME="Rocky Linux 9.3 (Blue Onyx)"),
                "/etc/redhat-release": "Rocky Linux release 9.3 (Blue Onyx)\n",
                "/etc/rocky-release": "Rocky Linux release 9.3 (Blue Onyx)\n",
                "/etc/system-release": "Rocky Linux release 9.3 (Blue Onyx)\n", **DNF},
    "Alma 8": {"/etc/os-release": osr(NAME="AlmaLinux", VERSION="8.9 (Midnight Oncilla)", ID="almalinux",
               ID_LIKE="rhel centos fedora", VERSION_ID="8.9", PRETTY_NAME="AlmaLinux 8.9 (Midnight Oncilla)"),
               "/etc/redhat-release": "AlmaLinux release 8.9 (Midnight Oncilla)\n",
               "/etc/almalinux-release": "AlmaLinux release 8.9 (Midnight Oncilla)\n",
               "/etc/system-release": "AlmaLinux release 8.9 (Midnight Oncilla)\n", **DNF},
    "RHEL 9": {"/etc/os-release": osr(NAME="Red Hat Enterprise Linux", VERSION="9.3 (Plow)", ID="rhel",
               ID_LIKE="fedora", VERSION_ID="9.3", PRETTY_NAME="Red Hat Enterprise Linux 9.3 (Plow)"),
               "/etc/redhat-release": "Red Hat Enterprise Linux release 9.3 (Plow)\n",
               "/etc/system-release": "Red Hat Enterprise Linux release 9.3 (Plow)\n", **DNF},
    "RHEL 7": {"/etc/os-release": osr(NAME="Red Hat Enterprise Linux Server", VERSION="7.9 (Maipo)", ID="rhel",
               ID_LIKE="fedora", VERSION_ID="7.9", PRETTY_NAME="Red Hat Enterprise Linux Server 7.9 (Maipo)"),
               "/etc/redhat-release": "Red Hat Enterprise Linux Server release 7.9 (Maipo)\n",
               "/etc/system-release": "Red Hat Enterprise Linux Server release 7.9 (Maipo)\n",
               "/usr/bin/rpm": "", "/usr/bin/yum": ""},
    "CentOS 7": {"/etc/os-release": osr(NAME="CentOS Linux", VERSION="7 (Core)", ID="centos", ID_LIKE="rhel fedora",
                 VERSION_ID="7", PRETTY_NAME="CentOS Linux 7 (Core)"),
                 "/etc/redhat-release": "CentOS Linux release 7.9.2009 (Core)\n",
                 "/etc/centos-release": "CentOS Linux release 7.9.2009 (Core)\n",
                 "/etc/system-release": "CentOS Linux release 7.9.2009 (Core)\n",
                 "/usr/bin/rpm": "", "/usr/bin/yum": ""},
    "CentOS Stream 9": {"/etc/os-release": osr(NAME="CentOS Stream", VERSION="9", ID="centos", ID_LIKE="rhel fedora",
                        VERSION_ID="9", PRETTY_NAME="CentOS Stream 9"),
                        "/etc/redhat-release": "CentOS Stream release 9\n",
                        "/etc/centos-release": "CentOS Stream release 9\n",
                        "/etc/system-release": "CentOS Stream release 9\n", **DNF},
    "Fedora 40": {"/etc/os-release": osr(NAME="Fedora Linux", VERSION="40 (Server Edition)", ID="fedora",
                  VERSION_ID="40", VERSION_CODENAME="", PRETTY_NAME="Fedora Linux 40 (Server Edition)"),
                  "/etc/redhat-release": "Fedora release 40 (Forty)\n",
                  "/etc/fedora-release": "Fedora release 40 (Forty)\n",
                  "/etc/system-release": "Fedora release 40 (Forty)\n", **DNF},
    "Fedora 41": {"/etc/os-release": osr(NAME="Fedora Linux", VERSION="41 (Cloud Edition)", ID="fedora",
                  VERSION_ID="41", VERSION_CODENAME="", PRETTY_NAME="Fedora Linux 41 (Cloud Edition)"),
                  "/etc/redhat-release": "Fedora release 41 (Forty One)\n",
                  "/etc/fedora-release": "Fedora release 41 (Forty One)\n",
                  "/usr/bin/rpm": "", "/usr/bin/dnf5": "", "/usr/bin/dnf": "-> dnf5", "/usr/bin/yum": "-> dnf5"},
    "Oracle 8": {"/etc/os-release": osr(NAME="Oracle Linux Server", VERSION="8.9", ID="ol", ID_LIKE="fedora",
                 VERSION_ID="8.9", PRETTY_NAME="Oracle Linux Server 8.9"),
                 "/etc/oracle-release": "Oracle Linux Server release 8.9\n",
                 "/etc/redhat-release": "Red Hat Enterprise Linux release 8.9 (Ootpa)\n",
                 "/etc/system-release": "Oracle Linux Server release 8.9\n", **DNF},
    "Amazon 2": {"/etc/os-release": osr(NAME="Amazon Linux", VERSION="2", ID="amzn", ID_LIKE="centos rhel fedora",
                 VERSION_ID="2", PRETTY_NAME="Amazon Linux 2"),
                 "/etc/system-release": "Amazon Linux release 2 (Karoo)\n", "/usr/bin/rpm": "", "/usr/bin/yum": ""},
    "Amazon 2023": {"/etc/os-release": osr(NAME="Amazon Linux", VERSION="2023", ID="amzn", ID_LIKE="fedora",
                    VERSION_ID="2023", PRETTY_NAME="Amazon Linux 2023"),
                    "/etc/system-release": "Amazon Linux release 2023 (Amazon Linux)\n", **DNF},
    "openSUSE Leap": {"/etc/os-release": osr(NAME="openSUSE Leap", VERSION="15.5", ID="opensuse-leap",
                      ID_LIKE="suse opensuse", VERSION_ID="15.5", PRETTY_NAME="openSUSE Leap 15.5"),
                      "/usr/bin/rpm": "", "/usr/bin/zypper": ""},
    "Tumbleweed": {"/etc/os-release": osr(NAME="openSUSE Tumbleweed", ID="opensuse-tumbleweed",
                   ID_LIKE="opensuse suse", VERSION_ID="20240320", PRETTY_NAME="openSUSE Tumbleweed"),
                   "/usr/bin/rpm": "", "/usr/bin/zypper": ""},
    "SLES 15": {"/etc/os-release": osr(NAME="SLES", VERSION="15-SP5", VERSION_ID="15.5",
                PRETTY_NAME="SUSE Linux Enterprise Server 15 SP5", ID="sles", ID_LIKE="suse"),
                "/usr/bin/rpm": "", "/usr/bin/zypper": ""},
    "Alpine": {"/etc/os-release": osr(NAME="Alpine Linux", ID="alpine", VERSION_ID="3.19.1",
               PRETTY_NAME="Alpine Linux v3.19"), "/etc/alpine-release": "3.19.1\n", "/sbin/apk": ""},
    "Arch": {"/etc/os-release": osr(NAME="Arch Linux", PRETTY_NAME="Arch Linux", ID="arch", BUILD_ID="rolling"),
             "/etc/arch-release": "", "/usr/bin/pacman": ""},
    "Gentoo": {"/etc/os-release": osr(NAME="Gentoo", ID="gentoo", PRETTY_NAME="Gentoo Linux", VERSION_ID="2.14"),
               "/etc/gentoo-release": "Gentoo Base System release 2.14\n", "/usr/bin/emerge": ""},
    "unknown": {"/etc/os-release": osr(NAME="Hedgehog Linux", ID="hedgehog", PRETTY_NAME="Hedgehog 1.2",
                VERSION_ID="1.2", VERSION_CODENAME="spiny")},
    "nothing": {},
}

LOCAL_FACTS = {
    "json.fact": (0o644, '{"a": [1, true, null], "b": {"c": "d"}}'),
    "list.fact": (0o644, "[1, 2]"),
    "number.fact": (0o644, "3"),
    "ini.fact": (0o644, "[General]\nName = Some Value\nempty =\nColon: x\n; comment\n# comment\n"
                        "[second]\nlong = one\n  two\n"),
    "default.fact": (0o644, "[DEFAULT]\nbase = /srv\n[a]\nx = 1\n[b]\nbase = /opt\n"),
    "keyonly.fact": (0o644, "[a]\nx\n"),
    "duplicate.fact": (0o644, "[a]\nx = 1\nx = 2\n"),
    "headless.fact": (0o644, "x = 1\n"),
    "broken.fact": (0o644, "{not json"),
    "empty.fact": (0o644, ""),
    "script.fact": (0o755, "#!/bin/sh\necho '{\"from\": \"script\"}'\n"),
    "scriptini.fact": (0o755, "#!/bin/sh\necho '[a]'; echo 'x = y'\n"),
    "failing.fact": (0o755, "#!/bin/sh\necho no >&2\nexit 3\n"),
    "ignored.txt": (0o644, "{}"),
}

RESOLV = {
    "plain": "nameserver 192.0.2.1\nnameserver 192.0.2.2\n",
    "all": "# comment\n; other\ndomain example.com\nsearch a.example.com b.example.com\nsortlist 192.0.2.0 198.51.100.0\n"
           "options timeout:1 rotate ndots:2\nnameserver 192.0.2.1\nnameserver 2001:db8::1\n",
    "empty": "",
}

CMDLINE = {
    "usual": "BOOT_IMAGE=/vmlinuz root=UUID=1-2 ro quiet console=tty0 console=ttyS0,115200 console=hvc0",
    "quoted": 'a="b c" d= e=f=g quiet quiet',
}

CPUINFO = {
    "two sockets, hyper-threads": "".join(
        f"processor\t: {n}\nvendor_id\t: GenuineIntel\nmodel name\t: Some CPU @ 2.00GHz\nphysical id\t: {n // 8}\n"
        f"siblings\t: 8\ncore id\t\t: {n % 4}\ncpu cores\t: 4\nflags\t\t: fpu sse\n\n" for n in range(16)),
    "no topology": "".join(
        f"processor\t: {n}\nvendor_id\t: AuthenticAMD\nmodel name\t: Small CPU\nflags\t\t: fpu\n\n" for n in range(3)),
}

MEMINFO = {
    "swap": "MemTotal:        8040000 kB\nMemFree:          1002000 kB\nMemAvailable:    6000000 kB\nBuffers:          100100 kB\n"
            "Cached:          3000300 kB\nSwapCached:         2050 kB\nSwapTotal:       2097148 kB\nSwapFree:        2090000 kB\n",
}

SUBSETS = [["!all", "!min", name] for name in """all all_ipv4_addresses apparmor architecture caps chroot cmdline date_time
    default_ipv4 devices distribution distribution_major_version dns effective_group_ids env facter fips hardware
    interfaces is_chroot iscsi kernel local lsb machine machine_id min mounts network nvme os_family pkg_mgr platform
    processor python python_version real_user_id selinux service_mgr ssh_host_key_rsa_public ssh_pub_keys
    system_capabilities systemd user user_shell virtual virtualization_type loadavg fibre_channel_wwn""".split()]
SUBSETS += [[], ["all"], ["min"], ["!all"], ["!min"], ["!all", "!min"], ["!hardware"], ["hardware"], ["!all", "hardware"],
            ["!min", "hardware"], ["all", "!hardware"], ["all", "!mounts"], ["!all", "!min", "distribution", "!distribution"],
            ["min", "!date_time"], ["!all", "!network", "network"], ["bogus"], ["!bogus"]]

FILTERS = [["ansible_distribution*"], ["distribution"], ["ansible_user_[gu]id", "env"], ["nothing*"], ["*family"]]


class Recorder:
    def __init__(self, work):
        self.work = pathlib.Path(work)
        self.count = 0

    def setup(self, before, tasks):
        """Run tasks of `setup` in a namespace prepared by the shell lines `before`; their results."""
        self.count += 1
        base = self.work / str(self.count)
        base.mkdir()
        play = []
        for number, args in enumerate(tasks):
            play.append({"setup": args, "register": "r", "ignore_errors": True})
            play.append({"copy": {"content": "{{ r | to_json }}", "dest": f"{base}/{number}.json"}})
        (base / "play.yml").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": play}]))
        command = [BIN / "ansible-playbook", "-i", "localhost,", "-c", "local", base / "play.yml",
                   "-e", f"ansible_python_interpreter={BIN}/python3"]
        script = "set -e\nmount --make-rprivate /\n" + before + "\nexec " + " ".join(map(str, command))
        (base / "run.sh").write_text(script)
        done = subprocess.run(["unshare", "-m", "sh", base / "run.sh"], capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{before}\n{done.stdout}\n{done.stderr}")
        return [json.loads((base / f"{n}.json").read_text()) for n in range(len(tasks))]

    def overlay(self, files):
        """Shell lines that put `files` in place of RELEASE_FILES."""
        base = self.work / f"over{self.count}"
        lines = [f"mkdir -p {base}; mount -t tmpfs tmpfs {base}"]
        for tree in ["etc", "usr"]:
            lines.append(f"mkdir {base}/{tree} {base}/{tree}.w; mount -t overlay overlay -o "
                         f"lowerdir=/{tree},upperdir={base}/{tree},workdir={base}/{tree}.w /{tree}")
        lines.append("rm -f " + " ".join(RELEASE_FILES))
        for number, (path, content) in enumerate(files.items()):
            if content.startswith("-> "):
                lines.append(f"ln -s {content[3:]} {path}")
            else:
                source = self.work / f"file{self.count}.{number}"
                source.write_text(content)
                lines.append(f"cat {source} > {path}; chmod 755 {path}")
        return "\n".join(lines)

    def bound(self, path, content):
        source = self.work / f"bind{self.count}"
        source.write_text(content)
        return f"mount --bind {source} {path}"


def facts(result):
    return {k: v for k, v in result.get("ansible_facts", {}).items()}


def main():
    recorded = {}
    with tempfile.TemporaryDirectory() as work:
        recorder = Recorder(work)

        def one(before, subset, **args):
            return facts(recorder.setup(before, [{"gather_subset": ["!all", "!min", *subset], **args}])[0])

        wanted = ["distribution", "os_family", "lsb", "pkg_mgr"]
        recorded["distributions"] = {
            name: {"files": files, "facts": {
                k: v for k, v in one(recorder.overlay(files), ["distribution", "lsb", "pkg_mgr"]).items()
                if k.startswith(("ansible_distribution", *("ansible_" + w for w in wanted)))}}
            for name, files in DISTRIBUTIONS.items()}

        local = pathlib.Path(work) / "facts.d"
        local.mkdir()
        for name, (mode, content) in LOCAL_FACTS.items():
            (local / name).write_text(content)
            (local / name).chmod(mode)
        values = one("", ["local"], fact_path=str(local))["ansible_local"]
        values = json.loads(json.dumps(values).replace(str(local), "FACTS"))
        recorded["local"] = {"files": LOCAL_FACTS, "facts": values}

        for key, path, cases, subset, names in [
            ("dns", "/etc/resolv.conf", RESOLV, "dns", ["dns"]),
            ("cmdline", "/proc/cmdline", CMDLINE, "cmdline", ["cmdline", "proc_cmdline"]),
            ("cpuinfo", "/proc/cpuinfo", CPUINFO, "hardware",
             ["processor", "processor_count", "processor_cores", "processor_threads_per_core", "processor_vcpus",
              "flags"]),
            ("meminfo", "/proc/meminfo", MEMINFO, "hardware",
             ["memory_mb", "memtotal_mb", "memfree_mb", "swaptotal_mb", "swapfree_mb"]),
        ]:
            recorded[key] = {}
            for name, content in cases.items():
                got = one(recorder.bound(path, content), [subset])
                recorded[key][name] = {
                    "path": path, "content": content, "subset": subset,
                    "facts": {f"ansible_{n}": got[f"ansible_{n}"] for n in names if f"ansible_{n}" in got}}

        subsets = recorder.setup("", [{"gather_subset": s} if s else {} for s in SUBSETS])
        interfaces = {"ansible_" + i.replace("-", "_").replace(":", "_") for i in os.listdir("/sys/class/net")}
        recorded["subsets"] = [
            {"subset": s, "keys": sorted(set(facts(r)) - interfaces), "msg": r["msg"] if r["failed"] else None}
            for s, r in zip(SUBSETS, subsets)]
        filters = recorder.setup("", [{"gather_subset": ["min"], "filter": f} for f in FILTERS])
        recorded["filters"] = [{"filter": f, "keys": sorted(facts(r))} for f, r in zip(FILTERS, filters)]
    OUT.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
