//! Names of hosts as inventories and patterns write them: with a port, and with ranges in brackets.

use crate::error::ErrorKind;
use crate::{Error, Result};

/// More hosts than anybody has: a range beyond it is a typing error or an attack.
const MAX_HOSTS: usize = 1_000_000;

/// Name and port of `host`, `host:22`, `[::1]:22`, `web[01:20].x`; `None` if it is not the name of a host.
pub(crate) fn parse_address(text: &str) -> Option<(&str, Option<u16>)> {
    let (name, port) = split_port(text);
    is_host(name).then_some((name, port))
}

/// Name and port of `host:22` or `[::1]:22`; what has no port is the name as it is.
pub fn split_address(text: &str) -> (&str, Option<u16>) {
    split_port(text)
}

fn split_port(text: &str) -> (&str, Option<u16>) {
    let Some((name, digits)) = text.rsplit_once(':') else { return (text, None) };
    let Some(port) = digits.parse::<u16>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit())) else {
        return (text, None);
    };
    if let Some(inner) = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'))
        && !inner.is_empty()
    {
        return (inner, Some(port));
    }
    // A colon outside of brackets means an IPv6 address, which has no port without brackets.
    if !name.is_empty() && outside_brackets(name).is_some_and(|rest| !rest.contains(':')) {
        return (name, Some(port));
    }
    (text, None)
}

/// The text with what is in brackets cut out; `None` if a bracket is not closed.
fn outside_brackets(text: &str) -> Option<String> {
    let mut rest = String::new();
    let mut inside = false;
    for c in text.chars() {
        match (c, inside) {
            ('[', false) => inside = true,
            (']', true) => inside = false,
            ('[', true) | (']', false) => return None,
            (c, false) => rest.push(c),
            _ => {}
        }
    }
    (!inside).then_some(rest)
}

fn is_host(name: &str) -> bool {
    is_ipv6(name) || is_hostname(name)
}

/// Labels of letters, digits, underscores and hyphens, separated by dots; ranges may stand for characters.
fn is_hostname(name: &str) -> bool {
    let mut plain = String::new();
    let mut rest = name;
    while let Some(open) = rest.find('[') {
        let Some(close) = rest[open..].find(']') else { return false };
        if Range::parse(&rest[open + 1..open + close]).is_none() {
            return false;
        }
        plain.push_str(&rest[..open]);
        plain.push('0');
        rest = &rest[open + close + 1..];
    }
    plain.push_str(rest);
    !plain.is_empty()
        && plain.split('.').all(|label| {
            label.chars().next().is_some_and(|c| c.is_alphanumeric() || c == '_')
                && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
                && !label.ends_with('-')
        })
}

fn is_ipv6(name: &str) -> bool {
    if !name.contains(':') {
        return false;
    }
    // Ranges in an address are taken as one of their values.
    let mut plain = String::new();
    let mut rest = name;
    while let Some(open) = rest.find('[') {
        let Some(close) = rest[open..].find(']') else { return false };
        if Range::parse(&rest[open + 1..open + close]).is_none() {
            return false;
        }
        plain.push_str(&rest[..open]);
        plain.push('1');
        rest = &rest[open + close + 1..];
    }
    plain.push_str(rest);
    plain.parse::<std::net::Ipv6Addr>().is_ok()
}

/// What is in the brackets of `web[01:20:2]`.
enum Range {
    Numbers { from: u64, to: u64, step: u64, width: usize },
    Letters { from: char, to: char, step: usize },
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let (from, to, step) = match parts.as_slice() {
            [from, to] => (*from, *to, 1),
            [from, to, step] => (*from, *to, step.parse::<u64>().ok()?),
            _ => return None,
        };
        let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
        if digits(from) && digits(to) && !to.is_empty() {
            let width = if from.len() > 1 && from.starts_with('0') { from.len() } else { 0 };
            let from = if from.is_empty() { 0 } else { from.parse().ok()? };
            return Some(Self::Numbers { from, to: to.parse().ok()?, step, width });
        }
        let letter = |t: &str| {
            let mut chars = t.chars();
            chars.next().filter(|c| c.is_ascii_alphabetic() && chars.next().is_none())
        };
        Some(Self::Letters { from: letter(from)?, to: letter(to)?, step: usize::try_from(step).ok()? })
    }

    fn values(&self) -> Result<Vec<String>> {
        match self {
            Self::Numbers { from, to, step, width } => {
                if *step == 0 {
                    return Err(Error::new("host range must have a step above zero"));
                }
                // A range that ends before it begins is empty, not wrong.
                if to.saturating_sub(*from) / step > MAX_HOSTS as u64 {
                    return Err(Error::new(format!("a host range of more than {MAX_HOSTS} hosts")));
                }
                let step = usize::try_from(*step).unwrap_or(usize::MAX);
                Ok((*from..=*to).step_by(step).map(|n| format!("{n:0width$}")).collect())
            }
            Self::Letters { from, to, step } => {
                if *step == 0 {
                    return Err(Error::new("host range must have a step above zero"));
                }
                // `a` to `Z` is all of them, as in Python's list of letters.
                let letters = || ('a'..='z').chain('A'..='Z');
                let place = |c: &char| letters().position(|letter| letter == *c).unwrap_or(0);
                let (from, to) = (place(from), place(to));
                if from > to {
                    return Err(Error::new("host range must have begin <= end"));
                }
                Ok(letters().take(to + 1).skip(from).step_by(*step).map(String::from).collect())
            }
        }
    }
}

/// `web[01:20]` as the names it stands for; several ranges multiply.
pub(crate) fn expand_ranges(pattern: &str) -> Result<Vec<String>> {
    let Some((head, rest)) = pattern.split_once('[') else { return Ok(vec![pattern.to_owned()]) };
    let Some((range, tail)) = rest.split_once(']') else { return Ok(vec![pattern.to_owned()]) };
    if !range.contains(':') {
        return Ok(vec![pattern.to_owned()]);
    }
    let wrong = |what: &str| Error::new(what).with_help(format!("it is '[{range}]' in '{pattern}'"));
    let bounds: Vec<&str> = range.split(':').collect();
    if bounds.len() > 3 {
        return Err(wrong("host range must be begin:end or begin:end:step"));
    }
    if bounds[1].is_empty() {
        return Err(wrong("host range must specify end value"));
    }
    let (begin, end) = (bounds[0], bounds[1]);
    if begin.len() > 1 && begin.starts_with('0') && begin.len() != end.len() {
        return Err(wrong("host range must specify equal-length begin and end formats"));
    }
    let values = Range::parse(range).ok_or_else(|| {
        wrong("host range is neither of numbers nor of letters").with_kind(ErrorKind::Syntax)
    })?;
    let values = values.values().map_err(|error| wrong(error.message()))?;
    let tails = expand_ranges(tail)?;
    if values.len().saturating_mul(tails.len()) > MAX_HOSTS {
        return Err(wrong("host ranges make too many hosts"));
    }
    Ok(values.iter().flat_map(|value| tails.iter().map(move |tail| format!("{head}{value}{tail}"))).collect())
}

/// The hosts that one entry of an inventory stands for, and their port.
pub(crate) fn expand_host_pattern(pattern: &str) -> Result<(Vec<String>, Option<u16>)> {
    let (name, port) = parse_address(pattern).unwrap_or((pattern, None));
    if name == "---" {
        return Err(Error::new(format!(
            "Invalid host pattern '{name}' supplied, '---' is normally a sign this is a YAML file."
        )));
    }
    Ok((expand_ranges(name)?, port))
}
