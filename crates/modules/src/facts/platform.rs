//! Kernel, names of the machine, boot parameters.

use protocol::Map;
use serde_json::{Value, json};

use super::{Facts, names, python};
use crate::system::chroot;

pub fn collect(facts: &mut Facts<'_>) {
    let Ok(uname) = nix::sys::utsname::uname() else { return };
    let text = |s: &std::ffi::OsStr| s.to_string_lossy().into_owned();
    let machine = text(uname.machine());
    let nodename = text(uname.nodename());
    facts.add("system", text(uname.sysname()));
    facts.add("kernel", text(uname.release()));
    facts.add("kernel_version", text(uname.version()));
    facts.add("machine", machine.as_str());
    let (version, _) = python::version(facts);
    facts.add("python_version", version);
    let fqdn = names::fqdn(facts, &nodename);
    facts.add("hostname", nodename.split('.').next().unwrap_or_default());
    facts.add("domain", fqdn.split_once('.').map_or("", |(_, domain)| domain));
    facts.add("fqdn", fqdn);
    facts.add("nodename", nodename);
    // The width of user space: that of the host's own programs, not of this one.
    let bits = if machine.contains("64") && !is_32_bit(facts) { "64" } else { "32" };
    facts.add("userspace_bits", bits);
    let pc = matches!(machine.as_str(), "x86_64" | "i386" | "i486" | "i586" | "i686");
    let architecture = if pc && machine != "x86_64" { "i386" } else { &machine };
    facts.add("architecture", architecture);
    let userspace = match (pc, bits) {
        (true, "32") => "i386",
        (true, _) => "x86_64",
        _ => &machine,
    };
    facts.add("userspace_architecture", userspace);
    let id = ["/var/lib/dbus/machine-id", "/etc/machine-id"].iter().find_map(|p| facts.read(p));
    if let Some(id) = id {
        facts.add("machine_id", id.lines().next().unwrap_or_default());
    }
}

/// Are the host's programs of 32 bits, under a kernel of 64?
fn is_32_bit(facts: &Facts<'_>) -> bool {
    use std::io::Read;
    let mut head = [0; 5];
    let shell = std::fs::File::open(facts.host.path("/bin/sh"));
    shell.and_then(|mut f| f.read_exact(&mut head)).is_ok() && head == *b"\x7fELF\x01"
}

/// `cmdline` keeps the last value of a parameter, `proc_cmdline` all of them. Words end at blanks, and quotes are
/// part of them: Ansible does not read the quotes of the kernel's command line.
pub fn collect_cmdline(facts: &mut Facts<'_>) {
    let Some(line) = facts.read("/proc/cmdline") else { return };
    let (mut last, mut all) = (Map::new(), Map::new());
    for word in line.split_whitespace() {
        let Some((key, value)) = word.split_once('=') else {
            last.insert(word.into(), true.into());
            all.insert(word.into(), true.into());
            continue;
        };
        let (key, value) = (key.to_owned(), json!(value));
        match all.get_mut(&key) {
            Some(Value::Array(values)) => values.push(value.clone()),
            Some(before) => *before = json!([before, value]),
            None => {
                all.insert(key.clone(), value.clone());
            }
        }
        last.insert(key, value);
    }
    facts.add("cmdline", last);
    facts.add("proc_cmdline", all);
}

/// Is this a changed root?
pub fn collect_chroot(facts: &mut Facts<'_>) {
    let chroot = chroot::is_chroot(facts.host);
    facts.add("is_chroot", chroot);
}
