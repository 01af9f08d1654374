//! Tests of `ansible.utils` for addresses and networks. Unlike its filters they take no network with a host in it.

use std::rc::Rc;

use super::Entry;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::filters::{Address, is_hardware_address};
use crate::template::object::{R, V};

pub(super) const TESTS: &[Entry] = &[
    ("in_any_network", in_any_network),
    ("in_network", |_, v, a| within(&v, a, "in_network")),
    ("ip", |_, v, a| is(&v, a, "ip", |_| true)),
    ("ip_address", |_, v, a| is(&v, a, "ip_address", |ip| ip.alone)),
    ("ipv4", |_, v, a| is(&v, a, "ipv4", Address::is_v4)),
    ("ipv4_address", |_, v, a| is(&v, a, "ipv4_address", |ip| ip.alone && ip.is_v4())),
    ("ipv6", |_, v, a| is(&v, a, "ipv6", |ip| !ip.is_v4())),
    ("ipv6_address", |_, v, a| is(&v, a, "ipv6_address", |ip| ip.alone && !ip.is_v4())),
    ("loopback", |_, v, a| is(&v, a, "loopback", |ip| ip.alone && ip.net.addr().is_loopback())),
    ("mac", mac),
    ("multicast", |_, v, a| is(&v, a, "multicast", |ip| ip.alone && ip.is_multicast())),
    ("private", |_, v, a| is(&v, a, "private", |ip| ip.alone && !ip.is_global() && !ip.is_shared())),
    ("public", |_, v, a| is(&v, a, "public", |ip| ip.alone && ip.is_global())),
    ("subnet_of", |_, v, a| within(&v, a, "subnet_of")),
    ("supernet_of", supernet_of),
];

/// An address, or a network by its own address.
fn parse(value: &V) -> R<Option<Address>> {
    let address = Address::parse(&value.force()?);
    Ok(address.filter(|a| a.alone || a.net.trunc() == a.net))
}

fn is(value: &V, args: Args, name: &str, holds: fn(&Address) -> bool) -> R<bool> {
    args.none(name)?;
    Ok(parse(value)?.is_some_and(|address| holds(&address)))
}

fn contains(outer: &V, inner: &V) -> R<bool> {
    Ok(match (parse(outer)?, parse(inner)?) {
        (Some(outer), Some(inner)) => outer.net.contains(&inner.net),
        _ => false,
    })
}

fn within(value: &V, args: Args, name: &str) -> R<bool> {
    let b = args.bind(name, ["network"], 1)?;
    contains(&b.value(0), value)
}

fn supernet_of(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    let b = args.bind("supernet_of", ["network"], 1)?;
    contains(&value, &b.value(0))
}

fn in_any_network(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    let b = args.bind("in_any_network", ["networks"], 1)?;
    for network in iterate::items_of(&b.value(0))? {
        if contains(&network, &value)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn mac(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    args.none("mac")?;
    Ok(is_hardware_address(&ops::to_str(&value)?))
}
