//! Processors.

use indexmap::IndexMap;
use serde_json::json;

use super::Facts;

pub fn collect(facts: &mut Facts<'_>) {
    let mut list = Vec::new();
    let mut flags: Option<Vec<String>> = None;
    let (mut processors, mut models, mut vendors) = (0u64, 0u64, 0u64);
    let (mut socket, mut core) = (String::new(), String::new());
    let mut sockets: IndexMap<String, u64> = IndexMap::new();
    let mut cores: IndexMap<String, u64> = IndexMap::new();
    let architecture = facts.text("architecture").to_owned();
    for line in facts.lines("/proc/cpuinfo") {
        let Some((key, value)) = line.split_once(':') else { continue };
        let (key, value) = (key.trim(), value.trim());
        match key {
            "model name" | "Processor" | "vendor_id" | "cpu" | "Vendor" | "processor" => {
                list.push(value.to_owned());
                match key {
                    "vendor_id" => vendors += 1,
                    "model name" => models += 1,
                    "processor" => processors += 1,
                    _ => {}
                }
            }
            "physical id" => {
                value.clone_into(&mut socket);
                sockets.entry(socket.clone()).or_insert(1);
            }
            "core id" => {
                value.clone_into(&mut core);
                cores.entry(core.clone()).or_insert(1);
            }
            "cpu cores" => {
                sockets.insert(socket.clone(), value.parse().unwrap_or(1));
            }
            "siblings" => {
                cores.insert(core.clone(), value.parse().unwrap_or(1));
            }
            "# processors" => {
                // s390 counts in a line of its own.
                processors = value.parse().unwrap_or(0);
            }
            "flags" | "Features" if flags.is_none() => {
                flags = Some(value.split_whitespace().map(str::to_owned).collect());
            }
            _ => {}
        }
    }
    let other = ["arm", "aarch", "ppc"].iter().any(|a| architecture.starts_with(a));
    let counted = match (models, vendors) {
        _ if other => processors,
        (0, 0) => processors,
        (models, vendors) => models.max(vendors),
    };
    let count = if sockets.is_empty() { counted } else { sockets.len() as u64 };
    let per_socket = sockets.values().next().copied().unwrap_or(1).max(1);
    let threads = match cores.values().next() {
        Some(siblings) => (siblings / per_socket).max(1),
        None => 1,
    };
    facts.add("processor", json!(list));
    facts.add("processor_count", count);
    facts.add("processor_cores", per_socket);
    facts.add("processor_threads_per_core", threads);
    facts.add("processor_vcpus", threads * count * per_socket);
    facts.add("processor_nproc", available());
    if let Some(flags) = flags {
        facts.add("flags", flags);
    }
}

/// Processors that this process may use.
fn available() -> u64 {
    // SAFETY: the set is plain data, filled in by the call.
    unsafe {
        let mut set: nix::libc::cpu_set_t = std::mem::zeroed();
        if nix::libc::sched_getaffinity(0, size_of::<nix::libc::cpu_set_t>(), &raw mut set) == 0 {
            return nix::libc::CPU_COUNT(&set) as u64;
        }
    }
    1
}
