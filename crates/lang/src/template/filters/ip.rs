//! Addresses and networks: the filters of `ansible.utils` around `ipaddr`.
//!
//! What they give was recorded from the collection, odd corners included: see `tests/record/templates/addresses.yml`.

pub(super) mod address;
mod hardware;
mod networks;
mod queries;

use std::rc::Rc;

use super::Entry;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::object::{Fail, R, V};
use crate::template::repr;

use address::Address;
pub(crate) use hardware::is_hardware_address;

pub(super) const FILTERS: &[Entry] = &[
    ("cidr_merge", networks::cidr_merge),
    ("hwaddr", |_, v, a| hardware::hwaddr(v, a, "hwaddr")),
    ("ip4_hex", networks::ip4_hex),
    ("ipaddr", |_, v, a| ipaddr(v, a, "ipaddr", None)),
    ("ipmath", networks::ipmath),
    ("ipsubnet", networks::ipsubnet),
    ("ipv4", |_, v, a| ipaddr(v, a, "ipv4", Some(4))),
    ("ipv6", |_, v, a| ipaddr(v, a, "ipv6", Some(6))),
    ("ipwrap", ipwrap),
    ("macaddr", |_, v, a| hardware::hwaddr(v, a, "macaddr")),
    ("network_in_network", networks::network_in_network),
    ("network_in_usable", networks::network_in_usable),
    ("next_nth_usable", |_, v, a| networks::nth_usable(v, a, "next_nth_usable", 1)),
    ("nthhost", networks::nthhost),
    ("previous_nth_usable", |_, v, a| networks::nth_usable(v, a, "previous_nth_usable", -1)),
    ("reduce_on_network", networks::reduce_on_network),
    ("slaac", hardware::slaac),
];

/// `ipaddr(query)`: what is asked of an address or network, or `false` if it is none. Of a list, those that have it.
fn ipaddr(value: V, args: Args, name: &str, version: Option<u8>) -> R<V> {
    let b = args.bind(name, ["query", "version", "alias"], 0)?;
    let query = match b.get(0) {
        None | Some(V::None) => String::new(),
        Some(V::Int(n)) => n.to_string(),
        Some(other) => ops::to_str(other)?,
    };
    let version = match b.some(1) {
        Some(V::Bool(false)) | None => version,
        Some(given) => ops::to_str(&given)?.parse().ok(),
    };
    each(&value, &query, version)
}

fn each(value: &V, query: &str, version: Option<u8>) -> R<V> {
    match value.force()? {
        V::Bool(_) => Ok(V::Bool(false)),
        value @ (V::Str(_) | V::Int(_)) => {
            let found = Address::parse(&value).filter(|a| version.is_none_or(|v| v == a.version()));
            found.map_or(Ok(V::Bool(false)), |address| queries::answer(&address, query))
        }
        value => match iterate::as_list(&value)? {
            Some(items) => {
                let mut kept = Vec::new();
                for item in items {
                    let answer = each(&item, query, version)?;
                    if !matches!(answer, V::None | V::Bool(false)) {
                        kept.push(answer);
                    }
                }
                Ok(V::list(kept))
            }
            None => Fail::python(format!(
                "Unrecognized type <<class '{}'>> for ipaddr filter <value>",
                value.type_name()
            )),
        },
    }
}

/// `ipwrap`: brackets around IPv6 addresses; everything else stays as it is.
fn ipwrap(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.bind("ipwrap", ["query", "version", "alias"], 0)?;
    let wrap = |value: &V| -> R<V> {
        let value = value.force()?;
        Ok(match Address::parse(&value) {
            Some(address) if matches!(value, V::Str(_)) => V::str(address.wrapped()),
            _ => value,
        })
    };
    match iterate::as_list(&value)? {
        Some(items) => Ok(V::list(items.iter().map(wrap).collect::<R<_>>()?)),
        None => wrap(&value),
    }
}

/// What these filters say of a value that is no address.
fn invalid(value: &V) -> R<String> {
    Ok(match value {
        V::Str(text) => text.as_str().to_owned(),
        other => repr::repr(other)?,
    })
}
