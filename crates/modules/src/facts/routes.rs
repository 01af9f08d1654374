//! Default routes, and the addresses that this host answers to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::libc;
use serde_json::{Value, json};

use super::netlink::{self, Route};

/// Where Ansible looks for the way to the world.
const FAR_V4: IpAddr = IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8));
const FAR_V6: IpAddr = IpAddr::V6(Ipv6Addr::new(0x2404, 0x6800, 0x400a, 0x800, 0, 0, 0, 0x1012));

/// The route to the world by IPv4 and IPv6.
pub fn defaults() -> (Option<Route>, Option<Route>) {
    let find =
        |to| netlink::route_to(to).ok().flatten().filter(|r| r.index != 0 && r.kind == libc::RTN_UNICAST);
    (find(FAR_V4), find(FAR_V6))
}

/// Addresses and networks of the local table.
pub fn local() -> Value {
    json!({"ipv4": local_of(libc::AF_INET), "ipv6": local_of(libc::AF_INET6)})
}

fn local_of(family: i32) -> Vec<String> {
    const LOCAL_TABLE: u32 = 255;
    let routes = netlink::routes(family).unwrap_or_default();
    let mut found: Vec<String> = Vec::new();
    for route in routes.iter().filter(|r| r.table == LOCAL_TABLE && r.kind == libc::RTN_LOCAL) {
        let Some(to) = route.destination else { continue };
        let whole = if to.is_ipv4() { 32 } else { 128 };
        let text = if route.prefix == whole { to.to_string() } else { format!("{to}/{}", route.prefix) };
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}
