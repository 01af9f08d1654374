//! What `ipaddr` can be asked.

use std::net::IpAddr;

use ipnet::IpNet;

use super::address::Address;
use crate::template::object::{Fail, R, V};

/// The answer for one address: `None` or `false` where it has no such thing.
pub(super) fn answer(address: &Address, query: &str) -> R<V> {
    let text = |yes: bool| if yes { V::str(address.text()) } else { V::None };
    let is_network = address.is_network();
    let size_less_one = address.size_less_one();
    let (first, last) = address.bounds();
    let net = address.net;
    let show = |number: Option<u128>| {
        number.and_then(|n| address.ip(n)).map_or(V::None, |ip| V::str(ip.to_string()))
    };
    Ok(match query {
        "" => text(true),
        "bool" => V::Bool(true),
        "type" => V::str(if is_network { "network" } else { "address" }),
        "version" => V::int(address.version()),
        "prefix" => V::int(address.prefix()),
        "cidr" => V::str(net.to_string()),
        // Networks of IPv6 have an address for all routers, and of two for a host: both are addresses.
        "address" | "ip" if is_network && address.is_v4() && size_less_one > 1 => V::None,
        "address" | "ip" => V::str(net.addr().to_string()),
        "address/prefix" | "gateway" | "gw" | "host/prefix" | "hostnet" | "router" => {
            if is_network {
                V::Bool(false)
            } else {
                V::str(net.to_string())
            }
        }
        "host" if is_network && size_less_one > 1 => V::None,
        "host" => V::str(net.to_string()),
        "ip/prefix" if size_less_one == 0 || (is_network && size_less_one > 1) => V::None,
        "ip/prefix" => V::str(net.to_string()),
        "ip_netmask" if size_less_one == 0 || (is_network && size_less_one > 1) => V::None,
        "ip_netmask" => V::str(format!("{} {}", net.addr(), net.netmask())),
        "int" if address.alone => number(address.number()),
        "int" => V::str(format!("{}/{}", address.number(), address.prefix())),
        "broadcast" if size_less_one > 1 => V::str(net.broadcast().to_string()),
        "broadcast" => V::None,
        "netmask" => V::str(net.netmask().to_string()),
        "hostmask" | "wildcard" => V::str(net.hostmask().to_string()),
        "network" | "network_id" => V::str(net.network().to_string()),
        "network/prefix" | "subnet" => V::str(net.trunc().to_string()),
        "network_netmask" => V::str(format!("{} {}", net.network(), net.netmask())),
        "network_wildcard" => V::str(format!("{} {}", net.network(), net.hostmask())),
        "net" => text(is_network),
        "size" => size_less_one
            .checked_add(1)
            .map_or_else(|| V::str("340282366920938463463374607431768211456"), number),
        "size_usable" => number(match size_less_one {
            0 => 0,
            1 => 2,
            more => more - 1,
        }),
        "range_usable" => {
            needs_network(address)?;
            match address.usable().map(|(a, b)| (address.ip(a), address.ip(b))) {
                Some((Some(a), Some(b))) => V::str(format!("{a}-{b}")),
                _ => V::None,
            }
        }
        "first_usable" | "last_usable" => {
            needs_network(address)?;
            show(address.usable().map(|(a, b)| if query == "first_usable" { a } else { b }))
        }
        "next_usable" | "previous_usable" => {
            needs_network(address)?;
            let at = address.number();
            let next = if query == "next_usable" { at.checked_add(1) } else { at.checked_sub(1) };
            let usable = address.usable();
            show(next.filter(|n| usable.is_some_and(|(a, b)| (a..=b).contains(n))))
        }
        "peer" => peer(address)?,
        "loopback" | "lo" => text(net.addr().is_loopback()),
        "multicast" => text(address.is_multicast()),
        "unicast" => text(!address.is_multicast()),
        "private" => text(!address.is_global()),
        "public" => text(address.is_public()),
        "link-local" => text(address.is_link_local()),
        "revdns" => V::str(reverse(if is_network { net.network() } else { net.addr() })),
        "wrap" => V::str(address.wrapped()),
        "ipv4" | "v4" => match (address.is_v4(), address.to_v4()) {
            (true, _) => text(true),
            (false, Some(v4)) => V::str(v4.net.to_string()),
            (false, None) => V::Bool(false),
        },
        "ipv6" | "v6" => match (address.is_v4(), address.to_v6()) {
            (true, Some(v6)) => V::str(v6.net.to_string()),
            _ => text(true),
        },
        "6to4" => six_to_four(address),
        _ => return position(address, query, first, last),
    })
}

/// A number of a host in the network, or a network the address may be in.
fn position(address: &Address, query: &str, first: u128, last: u128) -> R<V> {
    if let Ok(nth) = query.parse::<i128>() {
        if address.size_less_one() == 0 {
            return Ok(V::str(address.text()));
        }
        let number = match u128::try_from(nth) {
            Ok(nth) => first.checked_add(nth),
            Err(_) => last.checked_sub(nth.unsigned_abs() - 1),
        };
        let number = number.filter(|n| (first..=last).contains(n));
        return Ok(match number.and_then(|n| address.ip(n)) {
            Some(ip) => V::str(format!("{ip}/{}", address.prefix())),
            None => V::Bool(false),
        });
    }
    match Address::from_text(query) {
        Some(around) if around.net.trunc().contains(&address.net.trunc()) => Ok(V::str(address.text())),
        Some(_) => Ok(V::None),
        None => Fail::python(format!("unknown filter type: {query}")),
    }
}

fn number(number: u128) -> V {
    i128::try_from(number).map_or_else(|_| V::str(number.to_string()), V::Int)
}

fn needs_network(address: &Address) -> R<()> {
    if address.alone { Fail::python("Not a network address") } else { Ok(()) }
}

/// The other end of a link with two hosts.
fn peer(address: &Address) -> R<V> {
    needs_network(address)?;
    let ((first, last), at) = (address.bounds(), address.number());
    let other = match last - first {
        1 => {
            if at == first {
                last
            } else {
                first
            }
        }
        3 if at == first => return Fail::python("Network address of /30 has no peer"),
        3 if at == last => return Fail::python("Broadcast address of /30 has no peer"),
        3 if at == first + 1 => first + 2,
        3 => first + 1,
        _ => return Fail::python("Not a point-to-point network"),
    };
    Ok(address.ip(other).map_or(V::None, |ip| V::str(ip.to_string())))
}

/// The name under which DNS knows what an address is called.
fn reverse(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
        }
        IpAddr::V6(ip) => {
            let digits = format!("{:032x}", u128::from(ip));
            digits.chars().rev().map(|digit| format!("{digit}.")).collect::<String>() + "ip6.arpa."
        }
    }
}

/// The network that an address of IPv4 has in 2002::/16 (RFC 3056).
fn six_to_four(address: &Address) -> V {
    match address.net {
        IpNet::V4(_) if address.is_network() => V::Bool(false),
        IpNet::V4(net) => {
            let [a, b, c, d] = net.addr().octets();
            V::str(format!("2002:{a:02x}{b:02x}:{c:02x}{d:02x}::1/48"))
        }
        IpNet::V6(net) if net.addr().segments()[0] == 0x2002 => V::str(address.text()),
        IpNet::V6(_) => V::Bool(false),
    }
}
