//! Names of this host in storage networks.

use super::Facts;

pub fn collect_iscsi(facts: &mut Facts<'_>) {
    let lines = facts.lines("/etc/iscsi/initiatorname.iscsi");
    let name = lines.iter().find_map(|l| l.strip_prefix("InitiatorName=")).unwrap_or_default().to_owned();
    facts.add("iscsi_iqn", name);
}

pub fn collect_fibre_channel(facts: &mut Facts<'_>) {
    let names: Vec<String> = facts
        .list("/sys/class/fc_host")
        .iter()
        .filter_map(|host| facts.read(&format!("/sys/class/fc_host/{host}/port_name")))
        .map(|name| name.trim_start_matches("0x").to_owned())
        .collect();
    facts.add("fibre_channel_wwn", names);
}

pub fn collect_nvme(facts: &mut Facts<'_>) {
    let lines = facts.lines("/etc/nvme/hostnqn");
    let name = lines.iter().find(|l| l.starts_with("nqn.")).cloned().unwrap_or_default();
    facts.add("hostnqn", name);
}
