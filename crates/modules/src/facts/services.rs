//! Who manages services.

use serde_json::json;

use super::Facts;
use crate::process::find_program;

pub fn collect(facts: &mut Facts<'_>) {
    let manager = manager(facts);
    facts.add("service_mgr", manager);
}

fn manager(facts: &Facts<'_>) -> String {
    // The first process, unless it is a shell or just called init.
    let first =
        facts.read("/proc/1/comm").filter(|name| !name.is_empty() && name != "init" && !name.ends_with("sh"));
    if let Some(first) = first {
        return match first.as_str() {
            "procd" => "openwrt_init".into(),
            "runit-init" => "runit".into(),
            "svscan" => "svc".into(),
            "openrc-init" => "openrc".into(),
            _ => first,
        };
    }
    let systemctl = find_program(facts.host, "systemctl").is_some();
    if systemctl
        && ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"].iter().any(|p| facts.exists(p))
    {
        "systemd".into()
    } else if find_program(facts.host, "initctl").is_some() && facts.exists("/etc/init") {
        "upstart".into()
    } else if facts.exists("/sbin/openrc") {
        "openrc".into()
    } else if systemctl
        && std::fs::read_link(facts.host.path("/sbin/init"))
            .is_ok_and(|to| to.file_name().is_some_and(|n| n == "systemd"))
    {
        "systemd".into()
    } else if facts.exists("/etc/init.d") {
        "sysvinit".into()
    } else {
        "service".into()
    }
}

/// Version and features of systemd, read from its library instead of from `systemctl --version`.
pub fn collect_systemd(facts: &mut Facts<'_>) {
    if find_program(facts.host, "systemctl").is_none() || !facts.exists("/run/systemd/system") {
        return;
    }
    for dir in [
        "/usr/lib/x86_64-linux-gnu/systemd",
        "/usr/lib/aarch64-linux-gnu/systemd",
        "/usr/lib/systemd",
        "/lib/systemd",
    ] {
        for name in facts.list(dir) {
            let Some(version) = name.strip_prefix("libsystemd-shared-").and_then(|n| n.strip_suffix(".so"))
            else {
                continue;
            };
            let digits = version.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
            let Ok(version) = digits.parse::<u64>() else { continue };
            let library = std::fs::read(facts.host.path(format!("{dir}/{name}"))).unwrap_or_default();
            let features = memchr::memmem::find_iter(&library, b"PAM ").find_map(|at| {
                let text = library.get(at.checked_sub(1)?..)?.split(|b| *b == 0).next()?;
                let text = std::str::from_utf8(text).ok()?;
                text.starts_with(['+', '-']).then(|| text.to_owned())
            });
            facts.add("systemd", json!({"version": version, "features": features.unwrap_or_default()}));
            return;
        }
    }
}
