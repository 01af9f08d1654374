//! Is this a guest, of what, and is it a host for others?

use serde_json::json;

use super::Facts;

/// What was found; technologies are kept in the order of finding.
#[derive(Default)]
struct Found {
    kind: Option<(String, &'static str)>,
    guest: Vec<String>,
    host: Vec<String>,
}

impl Found {
    fn guest(&mut self, name: &str) {
        self.add_guest(name);
        self.decide(name, "guest");
    }

    fn host(&mut self, name: &str) {
        if !self.host.iter().any(|h| h == name) {
            self.host.push(name.to_owned());
        }
        self.decide(name, "host");
    }

    fn add_guest(&mut self, name: &str) {
        if !self.guest.iter().any(|g| g == name) {
            self.guest.push(name.to_owned());
        }
    }

    /// The first thing that is found decides the type.
    fn decide(&mut self, name: &str, role: &'static str) {
        self.kind.get_or_insert_with(|| (name.to_owned(), role));
    }
}

pub fn collect(facts: &mut Facts<'_>) {
    let mut found = Found::default();
    containers(facts, &mut found);
    firmware(facts, &mut found);
    kernel(facts, &mut found);
    let (kind, role) = found.kind.unwrap_or_else(|| ("NA".into(), "NA"));
    facts.add("virtualization_type", kind);
    facts.add("virtualization_role", role);
    facts.add("virtualization_tech_guest", json!(found.guest));
    facts.add("virtualization_tech_host", json!(found.host));
}

fn containers(facts: &Facts<'_>, found: &mut Found) {
    if facts.exists("/proc/vz") && !facts.exists("/proc/lve") {
        if facts.exists("/proc/bc") { found.host("openvz") } else { found.guest("openvz") }
    }
    if let Some(name) = facts.read("/run/systemd/container") {
        found.guest(&name);
        found.add_guest("container");
    }
    for line in facts.lines("/proc/1/cgroup") {
        if line.contains("/docker/")
            || line.contains("/docker-")
            || line.split("/docker").nth(1).is_some_and(str::is_empty)
        {
            found.guest("docker");
            found.add_guest("container");
        }
        if line.contains("/lxc/") || line.contains("/machine.slice/machine-lxc") {
            found.guest("lxc");
            found.add_guest("container");
        }
        if line.contains("/system.slice/containerd.service") || line.contains("/kubepods") {
            found.guest("containerd");
            found.add_guest("container");
        }
    }
    if facts.exists("/.dockerenv") || facts.exists("/.dockerinit") {
        found.guest("docker");
        found.add_guest("container");
    }
    let environment = facts.read("/proc/1/environ").unwrap_or_default();
    for variable in environment.split('\0') {
        match variable.strip_prefix("container=") {
            Some("lxc") => {
                found.guest("lxc");
                found.add_guest("container");
            }
            Some("podman" | "oci") => {
                found.guest("podman");
                found.add_guest("container");
            }
            Some(other) if !other.is_empty() => {
                found.guest("container");
            }
            _ => {}
        }
    }
}

fn firmware(facts: &Facts<'_>, found: &mut Found) {
    let dmi = |name: &str| facts.read(&format!("/sys/devices/virtual/dmi/id/{name}")).unwrap_or_default();
    if facts.exists("/proc/xen") {
        let capabilities = facts.read("/proc/xen/capabilities").unwrap_or_default();
        if capabilities.contains("control_d") { found.host("xen") } else { found.guest("xen") }
    }
    let product = dmi("product_name");
    match product.as_str() {
        "KVM" | "KVM Server" | "Bochs" | "AHV" => found.guest("kvm"),
        "RHEV Hypervisor" | "oVirt Node" => found.guest("RHEV"),
        "OpenStack Nova" => found.guest("openstack"),
        "VMware Virtual Platform" | "VMware7,1" | "VMware20,1" => found.guest("VMware"),
        _ if product.starts_with("VMware") => found.guest("VMware"),
        _ => {}
    }
    match dmi("bios_vendor").as_str() {
        "Xen" => found.guest("xen"),
        "innotek GmbH" => found.guest("virtualbox"),
        "Amazon EC2" | "DigitalOcean" | "Hetzner" => found.guest("kvm"),
        _ => {}
    }
    match dmi("sys_vendor").as_str() {
        "Microsoft Corporation" if product == "Virtual Machine" => found.guest("VirtualPC"),
        "Parallels Software International Inc." | "Parallels International GmbH." => found.guest("parallels"),
        "QEMU" | "Amazon EC2" | "DigitalOcean" | "Google" | "Hetzner" | "linode" | "Nutanix" | "Scaleway" => {
            found.guest("kvm");
        }
        "oVirt" => found.guest("oVirt"),
        "Red Hat" => found.guest("RHEV"),
        "OpenStack Foundation" => found.guest("openstack"),
        "VMware, Inc." => found.guest("VMware"),
        "Xen" => found.guest("xen"),
        _ => {}
    }
}

fn kernel(facts: &Facts<'_>, found: &mut Found) {
    if let Some(text) =
        facts.lines("/proc/self/status").iter().find_map(|l| l.strip_prefix("VxID:").map(str::to_owned))
    {
        if text.trim() == "0" { found.host("linux_vserver") } else { found.guest("linux_vserver") }
    }
    for line in facts.lines("/proc/cpuinfo") {
        let Some((key, value)) = line.split_once(':') else { continue };
        match (key.trim(), value.trim()) {
            ("model name", value) if value.starts_with("QEMU Virtual CPU") => found.guest("kvm"),
            ("model name", value) if value.starts_with("UML") => found.guest("uml"),
            ("vendor_id", "User Mode Linux") => found.guest("uml"),
            ("vendor_id", "PowerVM Lx86") => found.guest("powervm_lx86"),
            ("machine", value) if value.starts_with("CHRP IBM pSeries (emulated by qemu)") => {
                found.guest("kvm")
            }
            _ => {}
        }
    }
    let modules = facts.lines("/proc/modules");
    let loaded = |name: &str| modules.iter().any(|m| m.split(' ').next() == Some(name));
    if loaded("kvm") || facts.exists("/dev/kvm") {
        found.host("kvm");
    }
    if loaded("vboxdrv") {
        found.host("virtualbox");
    }
    if loaded("virtio") {
        found.guest("kvm");
    }
}
