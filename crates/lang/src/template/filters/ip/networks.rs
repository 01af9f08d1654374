//! Filters that reckon with networks: parts of them, hosts in them, several together.

use std::rc::Rc;

use ipnet::IpNet;

use super::address::Address;
use super::invalid;
use crate::template::env::Env;
use crate::template::eval::args::{Args, Bound};
use crate::template::eval::{iterate, ops};
use crate::template::object::{Fail, R, V};

/// As many addresses as there are of IPv6: one more than the number type holds.
const ALL: &str = "340282366920938463463374607431768211456";

/// A whole number among the arguments.
fn whole<const N: usize>(b: &Bound<N>, i: usize) -> R<Option<i128>> {
    Ok(match b.some(i) {
        None => None,
        Some(V::Int(n)) => Some(n),
        Some(other) => ops::to_str(&other)?.trim().parse().ok(),
    })
}

/// `ipsubnet(prefix, index)`: how many networks of that prefix there are, one of them, or the place of a network in
/// another one. Of an address, the networks around it.
pub(super) fn ipsubnet(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("ipsubnet", ["query", "index"], 0)?;
    let Some(address) = Address::parse(&value) else { return Ok(V::Bool(false)) };
    let query = match b.some(0) {
        None => String::new(),
        Some(query) => ops::to_str(&query)?,
    };
    if query.is_empty() {
        return Ok(V::str(address.net.trunc().to_string()));
    }
    if let Ok(prefix) = query.parse::<i128>() {
        let Some(prefix) = u8::try_from(prefix).ok().filter(|p| *p <= address.width()) else {
            return Ok(V::Bool(false));
        };
        return match (address.size_less_one() > 0, whole(&b, 1)?) {
            (true, index) => within(&address, prefix, index),
            (false, index) => Ok(around(&address, prefix, index)),
        };
    }
    let Some(outer) = Address::from_text(&query) else {
        return Fail::python(format!("You must pass a valid subnet or IP address; {query} is invalid"));
    };
    let inner = address.net.trunc();
    if !outer.net.trunc().contains(&inner) {
        return Fail::python(format!("{inner} is not in the subnet {}", outer.net.trunc()));
    }
    let place = (address.bounds().0 - outer.bounds().0) >> (address.width() - address.prefix()).min(127);
    Ok(V::str(place.checked_add(1).map_or_else(|| ALL.to_owned(), |place| place.to_string())))
}

/// Networks in a network.
fn within(address: &Address, prefix: u8, index: Option<i128>) -> R<V> {
    let Some(bits) = prefix.checked_sub(address.prefix()) else {
        return Fail::python(format!("Requested subnet size of {prefix} is invalid"));
    };
    let count = 1u128.checked_shl(bits.into());
    let Some(index) = index else {
        return Ok(V::str(count.map_or_else(|| ALL.to_owned(), |n| n.to_string())));
    };
    let step = address.width() - prefix;
    let nth = match u128::try_from(index) {
        Ok(nth) => Some(nth),
        Err(_) => count.and_then(|count| count.checked_sub(index.unsigned_abs())),
    };
    let nth = nth.filter(|n| count.is_none_or(|count| *n < count));
    let start = nth.and_then(|n| n.checked_shl(step.into())).and_then(|n| address.bounds().0.checked_add(n));
    let found = start.and_then(|start| address.network_of(start, prefix));
    Ok(found.map_or(V::Bool(false), |net| V::str(net.to_string())))
}

/// Networks around an address, from the largest on.
fn around(address: &Address, prefix: u8, index: Option<i128>) -> V {
    let last = i128::from(address.width()) - 1;
    let wanted = match index {
        None => i128::from(prefix),
        Some(index) if index < 0 => (last + 1).saturating_add(index),
        Some(index) => i128::from(prefix).saturating_add(index),
    };
    let in_range = index.is_none() || (i128::from(prefix)..=last).contains(&wanted);
    let wanted = u8::try_from(wanted).ok().filter(|_| in_range);
    let found = wanted.and_then(|prefix| address.network_of(address.number(), prefix));
    found.map_or(V::Bool(false), |net| V::str(net.to_string()))
}

/// `nthhost(n)`: an address of the network by its number, from the end if that is negative.
pub(super) fn nthhost(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("nthhost", ["query"], 0)?;
    let (Some(address), Some(nth)) = (Address::parse(&value), whole(&b, 0)?) else {
        return Ok(V::Bool(false));
    };
    let (first, last) = address.bounds();
    let number = match u128::try_from(nth) {
        Ok(nth) => first.checked_add(nth),
        Err(_) => last.checked_sub(nth.unsigned_abs() - 1),
    };
    let number = number.filter(|n| (first..=last).contains(n));
    Ok(number.and_then(|n| address.ip(n)).map_or(V::Bool(false), |ip| V::str(ip.to_string())))
}

/// `next_nth_usable(n)` and `previous_nth_usable(n)`.
pub(super) fn nth_usable(value: V, args: Args, name: &str, direction: i128) -> R<V> {
    let b = args.bind(name, ["offset"], 1)?;
    let Some(address) = Address::parse(&value) else { return Ok(V::Bool(false)) };
    let Some(offset) = whole(&b, 0)? else { return Fail::python("Must pass in an integer") };
    let at = i128::try_from(address.number()).ok();
    let number = at.and_then(|at| at.checked_add(offset.checked_mul(direction)?));
    let number = number.and_then(|n| u128::try_from(n).ok());
    let usable = address.usable();
    let number = number.filter(|n| usable.is_some_and(|(a, b)| (a..=b).contains(n)));
    Ok(number.and_then(|n| address.ip(n)).map_or(V::None, |ip| V::str(ip.to_string())))
}

fn network(value: &V) -> R<Address> {
    match Address::parse(value) {
        Some(address) => Ok(address),
        None => Fail::python(format!(
            "You must pass a valid subnet or IP address; {} is invalid",
            invalid(value)?
        )),
    }
}

pub(super) fn network_in_usable(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("network_in_usable", ["test"], 1)?;
    let (outer, inner) = (network(&value)?, network(&b.value(0))?);
    let (first, last) = inner.bounds();
    let usable = outer.usable().filter(|_| outer.version() == inner.version());
    Ok(V::Bool(usable.is_some_and(|(a, b)| a <= first && last <= b)))
}

pub(super) fn network_in_network(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("network_in_network", ["test"], 1)?;
    Ok(V::Bool(network(&value)?.net.trunc().contains(&network(&b.value(0))?.net.trunc())))
}

/// `reduce_on_network(network)`: what of a list is in the network.
pub(super) fn reduce_on_network(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("reduce_on_network", ["network"], 1)?;
    let outer = network(&b.value(0))?.net.trunc();
    let mut kept = Vec::new();
    for item in iterate::items_of(&value)? {
        let item = item.force()?;
        if outer.contains(&network(&item)?.net.trunc()) {
            kept.push(item);
        }
    }
    Ok(V::list(kept))
}

/// `cidr_merge`: the fewest networks that have the same addresses, or (`span`) the one around them all.
pub(super) fn cidr_merge(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("cidr_merge", ["action"], 0)?;
    let action = b.string(0, "merge")?;
    if !matches!(action.as_str(), "merge" | "span") {
        return Fail::python(format!("cidr_merge: invalid action '{action}'"));
    }
    let items = match &value {
        V::Str(_) => vec![value.clone()],
        other => iterate::items_of(other)?,
    };
    let mut all = Vec::new();
    for item in items {
        let item = item.force()?;
        match Address::parse(&item) {
            Some(address) => all.push(address),
            None => {
                return Fail::python(format!(
                    "cidr_merge: error in netaddr:\ninvalid IPNetwork {}",
                    invalid(&item)?
                ));
            }
        }
    }
    if action == "merge" {
        let mut merged = IpNet::aggregate(&all.iter().map(|a| a.net.trunc()).collect());
        merged.sort();
        return Ok(V::list(merged.into_iter().map(|net| V::str(net.to_string())).collect()));
    }
    let Some(first) = all.iter().min_by_key(|a| a.bounds().0) else {
        return Fail::python("IP sequence with at least one element is required!");
    };
    if all.iter().any(|a| a.version() != first.version()) {
        return Fail::python("all IPs must have the same version");
    }
    let last = all.iter().map(|a| a.bounds().1).max().unwrap_or(first.bounds().1);
    let longest = first.prefix().min(all.iter().map(Address::prefix).min().unwrap_or(0));
    let span = (0..=longest).rev().filter_map(|prefix| first.network_of(first.bounds().0, prefix));
    let mut span = span.filter(|net| first.ip(last).is_some_and(|ip| net.contains(&ip)));
    Ok(span.next().map_or(V::None, |net| V::str(net.to_string())))
}

/// `ipmath(n)`: the address so many further on.
pub(super) fn ipmath(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("ipmath", ["amount"], 1)?;
    let Some(address) = Address::parse(&value).filter(|_| matches!(value, V::Str(_))) else {
        return Fail::python(format!("You must pass a valid IP address; {} is invalid", invalid(&value)?));
    };
    let Some(amount) = whole(&b, 0)? else {
        return Fail::python(format!(
            "You must pass an integer for arithmetic; {} is not a valid integer",
            invalid(&b.value(0))?
        ));
    };
    let number = if amount < 0 {
        address.number().checked_sub(amount.unsigned_abs())
    } else {
        address.number().checked_add(amount.unsigned_abs())
    };
    match number.and_then(|n| address.ip(n)) {
        Some(ip) => Ok(V::str(ip.to_string())),
        None => Fail::python("result outside valid IP address boundary!"),
    }
}

/// `ip4_hex(delimiter)`: an address of IPv4 in eight hexadecimal digits.
pub(super) fn ip4_hex(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("ip4_hex", ["delimiter"], 0)?;
    let delimiter = b.string(0, "")?;
    match Address::parse(&value).map(|a| a.net) {
        Some(IpNet::V4(net)) => {
            let digits: Vec<String> = net.addr().octets().iter().map(|byte| format!("{byte:02x}")).collect();
            Ok(V::str(digits.join(&delimiter)))
        }
        _ => Fail::python(format!("You must pass a valid IP address; {} is invalid", invalid(&value)?)),
    }
}
