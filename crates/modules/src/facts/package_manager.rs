//! The host's package manager.

use super::Facts;

/// Program and name, for families that are not decided by rule.
const PROGRAMS: [(&str, &str); 17] = [
    ("/usr/bin/rpm-ostree", "atomic_container"),
    ("/usr/bin/yum", "yum"),
    ("/usr/bin/apt-get", "apt"),
    ("/usr/bin/zypper", "zypper"),
    ("/usr/sbin/urpmi", "urpmi"),
    ("/usr/bin/pacman", "pacman"),
    ("/bin/opkg", "opkg"),
    ("/usr/pkg/bin/pkgin", "pkgin"),
    ("/opt/local/bin/port", "macports"),
    ("/usr/local/bin/brew", "homebrew"),
    ("/sbin/apk", "apk"),
    ("/usr/sbin/pkg", "pkgng"),
    ("/usr/sbin/swlist", "swdepot"),
    ("/usr/bin/emerge", "portage"),
    ("/usr/bin/xbps-install", "xbps"),
    ("/usr/bin/swupd", "swupd"),
    ("/usr/sbin/sorcery", "sorcery"),
];

pub fn collect(facts: &mut Facts<'_>) {
    let mut found = None;
    for (program, name) in PROGRAMS {
        if facts.exists(program) {
            found = Some(name);
        }
    }
    let found = match facts.text("os_family") {
        "RedHat" => red_hat(facts),
        "Debian" if found != Some("apt") && facts.exists("/usr/bin/apt-get") => Some("apt"),
        "Altlinux" if found == Some("apt") => Some("apt_rpm"),
        _ => match found {
            // apt-get on a system of rpm packages.
            Some("apt")
                if facts.text("os_family") != "Debian"
                    && facts.exists("/usr/bin/rpm")
                    && !facts.exists("/usr/bin/dpkg") =>
            {
                Some("apt_rpm")
            }
            other => other,
        },
    };
    facts.add("pkg_mgr", found.unwrap_or("unknown"));
}

/// Only dnf counts: ansible-core has left yum behind.
fn red_hat(facts: &Facts<'_>) -> Option<&'static str> {
    if facts.exists("/run/ostree-booted") {
        return Some("atomic_container");
    }
    let leads_to = |name: &str, to: &str| {
        std::fs::canonicalize(facts.host.path(name)).is_ok_and(|p| p.file_name().is_some_and(|n| n == to))
    };
    if leads_to("/usr/bin/dnf", "dnf5") || (!facts.exists("/usr/bin/dnf") && facts.exists("/usr/bin/dnf5")) {
        return Some("dnf5");
    }
    for (program, name) in [("/usr/bin/dnf", "dnf"), ("/usr/bin/dnf-3", "dnf"), ("/usr/bin/microdnf", "dnf")]
    {
        if facts.exists(program) {
            return Some(name);
        }
    }
    None
}
