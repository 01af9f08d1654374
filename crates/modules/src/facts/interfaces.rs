//! Network interfaces and their addresses.

use std::net::{IpAddr, Ipv4Addr};

use nix::libc;
use protocol::Map;
use serde_json::{Value, json};

use super::netlink::{self, Address, Route};
use super::{Facts, routes};

/// An interface, as sysfs has it.
struct Interface {
    name: String,
    index: u32,
    facts: Map,
}

pub fn collect(facts: &mut Facts<'_>) {
    let mut interfaces: Vec<Interface> =
        facts.list("/sys/class/net").into_iter().filter_map(|name| describe(facts, name)).collect();
    interfaces.sort_by_key(|i| i.index);
    // A scratch root has no network of its own.
    let addresses = if facts.host.is_real() { netlink::addresses().unwrap_or_default() } else { Vec::new() };
    let (mut all_v4, mut all_v6) = (Vec::new(), Vec::new());
    let mut aliases: Vec<Interface> = Vec::new();
    for address in &addresses {
        let Some(interface) = interfaces.iter_mut().find(|i| i.index == address.index) else { continue };
        match address.address {
            IpAddr::V4(v4) => {
                add_v4(interface, &mut aliases, address, v4);
                if !v4.is_loopback() {
                    all_v4.push(v4.to_string());
                }
            }
            IpAddr::V6(v6) => {
                let entry = json!({
                    "address": v6.to_string(), "prefix": address.prefix.to_string(), "scope": scope(address.scope),
                });
                if let Value::Array(list) = interface.facts.entry("ipv6").or_insert(json!([])) {
                    list.push(entry);
                }
                if !v6.is_loopback() {
                    all_v6.push(v6.to_string());
                }
            }
        }
    }
    interfaces.extend(aliases);
    let (v4, v6) = if facts.host.is_real() { routes::defaults() } else { (None, None) };
    facts.add("default_ipv4", v4.map_or_else(Map::new, |r| default_v4(&r, &interfaces, &addresses)));
    facts.add("default_ipv6", v6.map_or_else(Map::new, |r| default_v6(&r, &interfaces, &addresses)));
    facts.add("interfaces", interfaces.iter().map(|i| i.name.clone()).collect::<Vec<_>>());
    for interface in interfaces {
        facts.add(&interface.name.replace(['-', ':'], "_"), interface.facts);
    }
    facts.add("all_ipv4_addresses", all_v4);
    facts.add("all_ipv6_addresses", all_v6);
    if facts.host.is_real() {
        facts.add("locally_reachable_ips", routes::local());
    }
}

fn describe(facts: &Facts<'_>, name: String) -> Option<Interface> {
    let base = format!("/sys/class/net/{name}");
    let read = |file: &str| facts.read(&format!("{base}/{file}")).filter(|t| !t.is_empty());
    // `bonding_masters` is a file among the directories.
    let index = read("ifindex")?.parse().ok()?;
    let mut map = Map::new();
    map.insert("device".into(), name.as_str().into());
    if let Some(mac) = read("address").filter(|m| m != "00:00:00:00:00:00") {
        map.insert("macaddress".into(), mac.into());
    }
    if let Some(mtu) = read("mtu").and_then(|m| m.parse::<u64>().ok()) {
        map.insert("mtu".into(), mtu.into());
    }
    if let Some(state) = read("operstate") {
        map.insert("active".into(), (state != "down").into());
    }
    let link = |path: &str| {
        let to = std::fs::canonicalize(facts.host.path(format!("{base}/{path}"))).ok()?;
        Some(to.file_name()?.to_string_lossy().into_owned())
    };
    if let Some(module) = link("device/driver/module") {
        map.insert("module".into(), module.into());
    }
    if let Some(kind) = read("type") {
        let kind = match kind.as_str() {
            "1" => "ether",
            "32" => "infiniband",
            "512" => "ppp",
            "772" => "loopback",
            "65534" => "tunnel",
            _ => "unknown",
        };
        map.insert("type".into(), kind.into());
    }
    if facts.exists(&format!("{base}/bridge")) {
        map.insert("type".into(), "bridge".into());
        map.insert("interfaces".into(), facts.list(&format!("{base}/brif")).into());
        if let Some(id) = read("bridge/bridge_id") {
            map.insert("id".into(), id.into());
        }
        if let Some(stp) = read("bridge/stp_state") {
            map.insert("stp".into(), (stp == "1").into());
        }
    }
    if facts.exists(&format!("{base}/bonding")) {
        map.insert("type".into(), "bonding".into());
        let slaves = read("bonding/slaves").unwrap_or_default();
        map.insert("slaves".into(), slaves.split_whitespace().collect());
        let first =
            |file: &str| read(file).map(|t| t.split_whitespace().next().unwrap_or_default().to_owned());
        for (key, value) in [
            ("mode", first("bonding/mode")),
            ("miimon", first("bonding/miimon")),
            ("lacp_rate", first("bonding/lacp_rate")),
        ] {
            if let Some(value) = value {
                map.insert(key.into(), value.into());
            }
        }
        if let Some(primary) = read("bonding/primary") {
            map.insert("primary".into(), primary.into());
        }
        if let Some(all) = read("bonding/all_slaves_active") {
            map.insert("all_slaves_active".into(), (all == "1").into());
        }
    }
    if facts.exists(&format!("{base}/bonding_slave")) {
        map.insert("perm_macaddress".into(), read("bonding_slave/perm_hwaddr").unwrap_or_default().into());
    }
    if let Ok(device) = std::fs::read_link(facts.host.path(format!("{base}/device"))) {
        map.insert("pciid".into(), device.file_name().unwrap_or_default().to_string_lossy().into());
    }
    if let Some(speed) = read("speed").and_then(|s| s.parse::<i64>().ok()) {
        map.insert("speed".into(), speed.into());
    }
    let flags = read("flags").and_then(|f| u32::from_str_radix(f.trim_start_matches("0x"), 16).ok());
    if let Some(flags) = flags {
        map.insert("promisc".into(), (flags & libc::IFF_PROMISC as u32 != 0).into());
    }
    Some(Interface { name, index, facts: map })
}

fn v4_facts(address: &Address, own: Ipv4Addr) -> Map {
    let mask = u32::MAX.checked_shl(32 - u32::from(address.prefix)).unwrap_or(0);
    let mut map = Map::new();
    map.insert("address".into(), own.to_string().into());
    map.insert("broadcast".into(), address.broadcast.map_or(String::new(), |b| b.to_string()).into());
    map.insert("netmask".into(), Ipv4Addr::from(mask).to_string().into());
    map.insert("network".into(), Ipv4Addr::from(u32::from(own) & mask).to_string().into());
    map.insert("prefix".into(), address.prefix.to_string().into());
    map
}

/// The first address of an interface is its `ipv4`; the others are secondaries, and those with a label of their own
/// look like interfaces.
fn add_v4(interface: &mut Interface, aliases: &mut Vec<Interface>, address: &Address, own: Ipv4Addr) {
    let entry = v4_facts(address, own);
    let label = address.label.as_deref().unwrap_or(&interface.name);
    if !interface.facts.contains_key("ipv4") {
        interface.facts.insert("ipv4".into(), entry.clone().into());
    } else if let Value::Array(list) = interface.facts.entry("ipv4_secondaries").or_insert(json!([])) {
        list.push(entry.clone().into());
    }
    if label != interface.name {
        aliases.push(Interface {
            name: label.to_owned(),
            index: interface.index,
            facts: Map::from_iter([("ipv4".to_owned(), entry.into())]),
        });
    }
}

fn copy_link(map: &mut Map, interface: &Interface) {
    for key in ["macaddress", "mtu", "type"] {
        if let Some(value) = interface.facts.get(key) {
            map.insert(key.into(), value.clone());
        }
    }
}

fn default_v4(route: &Route, interfaces: &[Interface], addresses: &[Address]) -> Map {
    let mut map = Map::new();
    let Some(interface) = interfaces.iter().find(|i| i.index == route.index) else { return map };
    map.insert("interface".into(), interface.name.as_str().into());
    if let Some(source) = route.source {
        map.insert("address".into(), source.to_string().into());
    }
    map.insert("gateway".into(), route.gateway.map_or(Value::Null, |g| g.to_string().into()));
    let own = addresses.iter().find(|a| Some(a.address) == route.source);
    if let Some((address, IpAddr::V4(own))) = own.map(|a| (a, a.address)) {
        map.extend(v4_facts(address, own));
        map.insert("alias".into(), address.label.as_deref().unwrap_or(&interface.name).into());
        copy_link(&mut map, interface);
    }
    map
}

fn default_v6(route: &Route, interfaces: &[Interface], addresses: &[Address]) -> Map {
    let mut map = Map::new();
    let Some(interface) = interfaces.iter().find(|i| i.index == route.index) else { return map };
    map.insert("interface".into(), interface.name.as_str().into());
    if let Some(source) = route.source {
        map.insert("address".into(), source.to_string().into());
    }
    map.insert("gateway".into(), route.gateway.map_or(Value::Null, |g| g.to_string().into()));
    if let Some(address) = addresses.iter().find(|a| Some(a.address) == route.source) {
        map.insert("prefix".into(), address.prefix.to_string().into());
        map.insert("scope".into(), scope(address.scope).into());
        copy_link(&mut map, interface);
    }
    map
}

/// Names of scopes as ip(8) prints them.
fn scope(number: u8) -> String {
    match number {
        libc::RT_SCOPE_UNIVERSE => "global".into(),
        libc::RT_SCOPE_SITE => "site".into(),
        libc::RT_SCOPE_LINK => "link".into(),
        libc::RT_SCOPE_HOST => "host".into(),
        other => other.to_string(),
    }
}
