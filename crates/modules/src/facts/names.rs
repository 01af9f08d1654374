//! The host's full name, and whom it asks for names.

use std::net::IpAddr;

use protocol::Map;
use serde_json::{Value, json};

use super::Facts;
use crate::Process;

/// The full name, the way Python's `socket.getfqdn` finds it: resolve the name, resolve the address back, and take the
/// first of the names that has a dot.
pub fn fqdn(facts: &Facts<'_>, nodename: &str) -> String {
    let hosts = facts.lines("/etc/hosts");
    let lines: Vec<Vec<&str>> = hosts
        .iter()
        .map(|l| l.split('#').next().unwrap_or_default().split_whitespace().collect())
        .filter(|fields: &Vec<&str>| fields.len() > 1)
        .collect();
    let address = lines
        .iter()
        .find(|fields| fields[1..].iter().any(|n| n.eq_ignore_ascii_case(nodename)))
        .and_then(|fields| fields[0].parse::<IpAddr>().ok());
    let back = address.and_then(|a| lines.iter().find(|f| f[0].parse::<IpAddr>() == Ok(a)));
    let names: Vec<String> = match back {
        Some(fields) => fields[1..].iter().map(|n| (*n).to_owned()).collect(),
        None => elsewhere(facts, nodename),
    };
    let full = names.iter().find(|n| n.contains('.')).or(names.first());
    full.cloned().unwrap_or_else(|| nodename.to_owned())
}

/// Names that `/etc/hosts` does not know: `getent` asks whoever else is configured.
fn elsewhere(facts: &Facts<'_>, nodename: &str) -> Vec<String> {
    let config = facts.read("/etc/nsswitch.conf").unwrap_or_else(|| "hosts: files dns".into());
    let sources = config.lines().find_map(|l| l.trim().strip_prefix("hosts:")).unwrap_or("files dns");
    let asked = sources.split_whitespace().any(|s| !s.starts_with('[') && s != "files");
    let dns_only = sources.split_whitespace().all(|s| s == "files" || s == "dns" || s.starts_with('['));
    let has_server = facts.lines("/etc/resolv.conf").iter().any(|l| l.trim_start().starts_with("nameserver"));
    if !facts.host.is_real() || !asked || (dns_only && !has_server) {
        return Vec::new();
    }
    let ask = |key: &str| -> Option<Vec<String>> {
        let limit = facts.until.saturating_duration_since(std::time::Instant::now());
        let output = Process::new("getent").args(["hosts", key]).timeout(limit).run(facts.host).ok()?;
        let out = output.out();
        let fields = out.lines().next()?.split_whitespace().map(str::to_owned).collect();
        Some(fields)
    };
    let Some(fields) = ask(nodename) else { return Vec::new() };
    match fields.first().and_then(|address| ask(address)) {
        Some(back) => back.into_iter().skip(1).collect(),
        None => Vec::new(),
    }
}

/// `/etc/resolv.conf`.
pub fn collect_dns(facts: &mut Facts<'_>) {
    let mut dns = Map::new();
    for line in facts.lines("/etc/resolv.conf") {
        if line.starts_with(['#', ';']) || line.trim().is_empty() {
            continue;
        }
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["nameserver", ref addresses @ ..] => {
                let list = dns.entry("nameservers").or_insert(json!([]));
                if let Value::Array(list) = list {
                    list.extend(addresses.iter().map(|a| json!(a)));
                }
            }
            ["domain", domain, ..] => {
                dns.insert("domain".into(), domain.into());
            }
            ["search", ref domains @ ..] => {
                dns.insert("search".into(), json!(domains));
            }
            ["sortlist", ref addresses @ ..] => {
                dns.insert("sortlist".into(), json!(addresses));
            }
            ["options", ref options @ ..] => {
                let map = dns.entry("options").or_insert(json!({}));
                for option in options {
                    let (name, value) =
                        option.split_once(':').map_or((*option, json!(true)), |(n, v)| (n, json!(v)));
                    map[name] = value;
                }
            }
            _ => {}
        }
    }
    facts.add("dns", dns);
}
