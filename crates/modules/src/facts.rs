//! Facts about the host, natively: what Ansible's `setup` gathers on Linux, under the same names and with the same
//! types.
//!
//! Nothing here starts a process where a file, a system call or netlink has the answer, so that all facts take
//! some ten milliseconds: the agent gathers them before it says hello. What Ansible knows only from a program
//! that few hosts have (`ethtool`, `lspci`, `dmidecode`, `sg_inq`) is left out, as Ansible does without it.

mod clock;
mod devices;
mod distribution;
mod dmi;
mod interfaces;
mod interpolation;
mod local;
mod lvm;
mod memory;
mod mounts;
mod names;
mod netlink;
mod package_manager;
mod platform;
mod processor;
mod python;
mod routes;
mod security;
mod services;
mod storage_ids;
mod subset;
mod text;
mod user;
mod virtualization;

use std::time::{Duration, Instant};

use protocol::{FactsRequest, Map};

use crate::{Host, Result};
pub(crate) use mounts::{device_uuid, size_facts, unescape};
use subset::Subset;

/// What collectors add to.
pub(crate) struct Facts<'a> {
    map: Map,
    host: &'a Host,
    /// When slow sources (file systems on the network, local facts) are given up.
    until: Instant,
    fact_path: &'a str,
}

impl Facts<'_> {
    /// Add a fact; `ansible_` is put in front of its name.
    fn add(&mut self, name: &str, value: impl Into<serde_json::Value>) {
        self.map.insert(format!("ansible_{name}"), value.into());
    }

    /// A fact that is there already.
    fn text(&self, name: &str) -> &str {
        self.map.get(&format!("ansible_{name}")).and_then(serde_json::Value::as_str).unwrap_or_default()
    }

    /// The content of a file of the host without space around it; `None` if it cannot be read.
    fn read(&self, path: &str) -> Option<String> {
        text::read(&self.host.path(path))
    }

    fn exists(&self, path: &str) -> bool {
        self.host.path(path).exists()
    }

    fn lines(&self, path: &str) -> Vec<String> {
        self.read(path).unwrap_or_default().lines().map(str::to_owned).collect()
    }

    /// Names in a directory, sorted.
    fn list(&self, path: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.host.path(path));
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned()))
            .collect();
        names.sort_unstable();
        names
    }
}

/// Gather facts, as `setup` does. A bad `gather_subset` is the only error.
pub fn try_gather(request: &FactsRequest, host: &Host) -> Result<Map> {
    let wanted = subset::resolve(&request.subset)?;
    let limit = Duration::from_secs(request.timeout.unwrap_or(10).max(1));
    let fact_path = request.fact_path.as_deref().unwrap_or("/etc/ansible/facts.d");
    let mut facts = Facts { map: Map::new(), host, until: Instant::now() + limit, fact_path };
    for part in wanted {
        (part.collect)(&mut facts);
    }
    let mut map = facts.map;
    let asked = if request.subset.is_empty() { vec!["all".to_owned()] } else { request.subset.clone() };
    map.insert("gather_subset".into(), asked.into());
    map.insert("module_setup".into(), true.into());
    subset::filter(&mut map, &request.filter);
    Ok(map)
}

/// The host's full name, as the fact `fqdn` has it.
pub fn full_name(host: &Host) -> String {
    let nodename = nix::unistd::gethostname().unwrap_or_default().to_string_lossy().into_owned();
    let until = Instant::now() + Duration::from_secs(10);
    names::fqdn(&Facts { map: Map::new(), host, until, fact_path: "" }, &nodename)
}

/// Gather facts for the hello; a bad `gather_subset` gives none.
pub fn gather(request: &FactsRequest, host: &Host) -> Map {
    try_gather(request, host).unwrap_or_default()
}

/// Every part, in the order in which they are gathered: later ones may use facts of earlier ones.
static PARTS: &[Subset] = &[
    Subset {
        name: "platform",
        facts: &[
            "system",
            "kernel",
            "kernel_version",
            "machine",
            "python_version",
            "architecture",
            "machine_id",
        ],
        group: None,
        needs: &[],
        collect: platform::collect,
    },
    Subset {
        name: "distribution",
        facts: &["distribution_version", "distribution_release", "distribution_major_version", "os_family"],
        group: None,
        needs: &[],
        collect: distribution::collect,
    },
    Subset { name: "lsb", facts: &[], group: None, needs: &[], collect: distribution::collect_lsb },
    Subset {
        name: "pkg_mgr",
        facts: &[],
        group: None,
        needs: &["distribution"],
        collect: package_manager::collect,
    },
    Subset {
        name: "service_mgr",
        facts: &[],
        group: None,
        needs: &["platform", "distribution"],
        collect: services::collect,
    },
    Subset {
        name: "systemd",
        facts: &[],
        group: Some("all"),
        needs: &[],
        collect: services::collect_systemd,
    },
    Subset { name: "python", facts: &[], group: None, needs: &[], collect: python::collect },
    Subset {
        name: "user",
        facts: &[
            "user_id",
            "user_uid",
            "user_gid",
            "user_gecos",
            "user_dir",
            "user_shell",
            "real_user_id",
            "effective_user_id",
            "effective_group_ids",
        ],
        group: None,
        needs: &[],
        collect: user::collect,
    },
    Subset { name: "env", facts: &[], group: None, needs: &[], collect: user::collect_env },
    Subset { name: "date_time", facts: &[], group: None, needs: &[], collect: clock::collect },
    Subset { name: "loadavg", facts: &[], group: Some("all"), needs: &[], collect: memory::collect_load },
    Subset { name: "cmdline", facts: &[], group: None, needs: &[], collect: platform::collect_cmdline },
    Subset { name: "dns", facts: &[], group: None, needs: &[], collect: names::collect_dns },
    Subset { name: "fips", facts: &[], group: None, needs: &[], collect: security::collect_fips },
    Subset { name: "apparmor", facts: &[], group: None, needs: &[], collect: security::collect_apparmor },
    Subset { name: "selinux", facts: &[], group: None, needs: &[], collect: security::collect_selinux },
    Subset {
        name: "caps",
        facts: &["system_capabilities", "system_capabilities_enforced"],
        group: None,
        needs: &[],
        collect: security::collect_capabilities,
    },
    Subset {
        name: "ssh_pub_keys",
        facts: &[
            "ssh_host_pub_keys",
            "ssh_host_key_dsa_public",
            "ssh_host_key_rsa_public",
            "ssh_host_key_ecdsa_public",
            "ssh_host_key_ed25519_public",
        ],
        group: None,
        needs: &[],
        collect: security::collect_ssh_keys,
    },
    Subset { name: "local", facts: &[], group: None, needs: &[], collect: local::collect },
    Subset {
        name: "hardware",
        facts: &["processor", "processor_cores", "processor_count", "mounts", "devices"],
        group: Some("all"),
        needs: &["platform"],
        collect: collect_hardware,
    },
    Subset {
        name: "network",
        facts: &["interfaces", "default_ipv4", "default_ipv6", "all_ipv4_addresses", "all_ipv6_addresses"],
        group: Some("all"),
        needs: &["platform", "distribution"],
        collect: interfaces::collect,
    },
    Subset { name: "iscsi", facts: &[], group: Some("all"), needs: &[], collect: storage_ids::collect_iscsi },
    Subset {
        name: "fibre_channel_wwn",
        facts: &[],
        group: Some("all"),
        needs: &[],
        collect: storage_ids::collect_fibre_channel,
    },
    Subset { name: "nvme", facts: &[], group: Some("all"), needs: &[], collect: storage_ids::collect_nvme },
    Subset {
        name: "virtual",
        facts: &[
            "virtualization_type",
            "virtualization_role",
            "virtualization_tech_guest",
            "virtualization_tech_host",
        ],
        group: Some("all"),
        needs: &[],
        collect: virtualization::collect,
    },
    Subset {
        name: "chroot",
        facts: &["is_chroot"],
        group: Some("all"),
        needs: &[],
        collect: platform::collect_chroot,
    },
    // Other programs' facts: there is nothing to gather without those programs.
    Subset { name: "facter", facts: &[], group: Some("all"), needs: &[], collect: |_| {} },
    Subset { name: "ohai", facts: &[], group: Some("all"), needs: &[], collect: |_| {} },
];

fn collect_hardware(facts: &mut Facts<'_>) {
    processor::collect(facts);
    memory::collect(facts);
    dmi::collect(facts);
    devices::collect(facts);
    mounts::collect(facts);
    lvm::collect(facts);
}
