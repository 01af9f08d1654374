//! Addresses of network cards.

use std::net::Ipv6Addr;
use std::rc::Rc;

use ipnet::IpNet;

use super::address::Address;
use super::invalid;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::ops;
use crate::template::object::{Fail, R, V};

/// Six bytes, written in any of the usual ways.
fn parse(text: &str) -> Option<[u8; 6]> {
    let byte = |part: &str| (part.len() <= 2).then(|| u8::from_str_radix(part, 16).ok())?;
    let is_hex = |part: &str| part.bytes().all(|b| b.is_ascii_hexdigit());
    for separator in [':', '-'] {
        let parts: Vec<&str> = text.split(separator).collect();
        if parts.len() == 6 && parts.iter().all(|part| !part.is_empty() && is_hex(part)) {
            let bytes: Vec<u8> = parts.into_iter().map(byte).collect::<Option<_>>()?;
            return bytes.try_into().ok();
        }
    }
    // 1a2b.3c4d.5e6f, 1a2b3c:4d5e6f, 1a2b3c4d5e6f
    let (separators, digits): (Vec<char>, String) = (
        text.chars().filter(|c| ".:-".contains(*c)).collect(),
        text.chars().filter(char::is_ascii_hexdigit).collect(),
    );
    if digits.len() != 12 || digits.len() + separators.len() != text.len() || separators.len() > 2 {
        return None;
    }
    let number = u64::from_str_radix(&digits, 16).ok()?;
    number.to_be_bytes()[2..].try_into().ok()
}

/// Is it the address of a network card?
pub(crate) fn is_hardware_address(text: &str) -> bool {
    parse(text).is_some()
}

/// `hwaddr(query)` and `macaddr(query)`: the address in another notation; nothing if it is none.
pub(super) fn hwaddr(value: V, args: Args, name: &str) -> R<V> {
    let b = args.bind(name, ["query", "alias"], 0)?;
    let query = b.string(0, "")?;
    let bytes = match &value {
        V::Str(text) => parse(text.as_str()),
        _ => None,
    };
    let Some(bytes) = bytes else { return Ok(V::None) };
    let lower: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let upper: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let all = lower.concat();
    Ok(V::str(match query.as_str() {
        "" => return Ok(value),
        "bool" => return Ok(V::Bool(true)),
        "int" => return Ok(V::Int(bytes.iter().fold(0, |number, byte| number << 8 | i128::from(*byte)))),
        "bare" => upper.concat(),
        "cisco" => format!("{}.{}.{}", &all[..4], &all[4..8], &all[8..]),
        "eui48" | "win" => upper.join("-"),
        "linux" => lower.join(":"),
        "pgsql" | "postgresql" | "psql" => format!("{}:{}", &all[..6], &all[6..]),
        "unix" => bytes.iter().map(|byte| format!("{byte:x}")).collect::<Vec<_>>().join(":"),
        _ => return Fail::python(format!("{name}: unknown filter type: {query}")),
    }))
}

/// `slaac(mac)`: the address that a card gives itself in a network of IPv6 (RFC 4291, appendix A).
pub(super) fn slaac(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("slaac", ["query"], 1)?;
    let mac = ops::to_str(&b.value(0))?;
    let (Some(Address { net: IpNet::V6(net), .. }), Some([a, b, c, d, e, f])) =
        (Address::parse(&value), parse(&mac))
    else {
        return Fail::python(format!(
            "slaac: {} and {mac} are not a network of IPv6 and a hardware address",
            invalid(&value)?
        ));
    };
    let host = u64::from_be_bytes([a ^ 2, b, c, 0xff, 0xfe, d, e, f]);
    let network = u128::from(net.network()) >> 64 << 64;
    Ok(V::str(Ipv6Addr::from(network | u128::from(host)).to_string()))
}
