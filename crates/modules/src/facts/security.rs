//! SELinux, AppArmor, FIPS, capabilities, host keys.

use serde_json::json;

use super::Facts;

pub fn collect_fips(facts: &mut Facts<'_>) {
    let fips = facts.read("/proc/sys/crypto/fips_enabled").is_some_and(|t| t == "1");
    facts.add("fips", fips);
}

pub fn collect_apparmor(facts: &mut Facts<'_>) {
    let status = if facts.exists("/sys/kernel/security/apparmor") { "enabled" } else { "disabled" };
    facts.add("apparmor", json!({"status": status}));
}

pub fn collect_selinux(facts: &mut Facts<'_>) {
    // Ansible needs a Python library to see SELinux at all; here it is always seen.
    facts.add("selinux_python_present", true);
    let Some(enforcing) = facts.read("/sys/fs/selinux/enforce") else {
        facts.add("selinux", json!({"status": "disabled"}));
        return;
    };
    let config = super::text::settings(&facts.read("/etc/selinux/config").unwrap_or_default());
    let setting = |name: &str| config.get(name).cloned().unwrap_or_else(|| "unknown".into());
    let mode = if enforcing == "1" { "enforcing" } else { "permissive" };
    let version = facts.read("/sys/fs/selinux/policyvers").and_then(|v| v.parse::<u64>().ok());
    facts.add(
        "selinux",
        json!({
            "status": "enabled",
            "policyvers": version.map_or(json!("unknown"), |v| json!(v)),
            "config_mode": setting("SELINUX"),
            "mode": mode,
            "type": setting("SELINUXTYPE"),
        }),
    );
}

/// Names of capabilities by number, capabilities(7).
const CAPABILITIES: [&str; 41] = [
    "cap_chown",
    "cap_dac_override",
    "cap_dac_read_search",
    "cap_fowner",
    "cap_fsetid",
    "cap_kill",
    "cap_setgid",
    "cap_setuid",
    "cap_setpcap",
    "cap_linux_immutable",
    "cap_net_bind_service",
    "cap_net_broadcast",
    "cap_net_admin",
    "cap_net_raw",
    "cap_ipc_lock",
    "cap_ipc_owner",
    "cap_sys_module",
    "cap_sys_rawio",
    "cap_sys_chroot",
    "cap_sys_ptrace",
    "cap_sys_pacct",
    "cap_sys_admin",
    "cap_sys_boot",
    "cap_sys_nice",
    "cap_sys_resource",
    "cap_sys_time",
    "cap_sys_tty_config",
    "cap_mknod",
    "cap_lease",
    "cap_audit_write",
    "cap_audit_control",
    "cap_setfcap",
    "cap_mac_override",
    "cap_mac_admin",
    "cap_syslog",
    "cap_wake_alarm",
    "cap_block_suspend",
    "cap_audit_read",
    "cap_perfmon",
    "cap_bpf",
    "cap_checkpoint_restore",
];

/// The capabilities this process may use. Ansible takes the list from what `capsh` prints, of which it understands
/// only the format of before 2022; here it always is the list.
pub fn collect_capabilities(facts: &mut Facts<'_>) {
    let status = facts.read("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let text = status.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(':'))?;
        u64::from_str_radix(text.trim(), 16).ok()
    };
    let Some(effective) = field("CapEff") else { return };
    let last = facts.read("/proc/sys/kernel/cap_last_cap").and_then(|n| n.parse::<u32>().ok()).unwrap_or(40);
    let all = u64::MAX >> (63 - last.min(63));
    let names: Vec<String> = (0..64)
        .filter(|n| effective & all & (1 << n) != 0)
        .map(|n| CAPABILITIES.get(n).map_or_else(|| format!("{n}"), |c| (*c).to_owned()))
        .collect();
    if effective & all == all {
        facts.add("system_capabilities_enforced", "False");
        facts.add("system_capabilities", json!([]));
    } else {
        facts.add("system_capabilities_enforced", "True");
        facts.add("system_capabilities", names);
    }
}

pub fn collect_ssh_keys(facts: &mut Facts<'_>) {
    for dir in ["/etc/ssh", "/etc/openssh", "/etc"] {
        let keys: Vec<(&str, String)> = ["dsa", "rsa", "ecdsa", "ed25519"]
            .iter()
            .filter_map(|kind| Some((*kind, facts.read(&format!("{dir}/ssh_host_{kind}_key.pub"))?)))
            .collect();
        for (kind, text) in &keys {
            let mut words = text.split_whitespace();
            if let (Some(keytype), Some(key)) = (words.next(), words.next()) {
                facts.add(&format!("ssh_host_key_{kind}_public"), key);
                facts.add(&format!("ssh_host_key_{kind}_public_keytype"), keytype);
            }
        }
        if !keys.is_empty() {
            return;
        }
    }
}
