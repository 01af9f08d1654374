//! Filters on addresses: `urlsplit`, `urldecode`.

use std::rc::Rc;

use super::Entry;
use crate::Key;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::ops;
use crate::template::object::{Dict, Fail, R, V};
use crate::template::repr;

pub(super) const FILTERS: &[Entry] = &[("urldecode", urldecode), ("urlsplit", urlsplit)];

/// `urllib.parse.unquote_plus`: what is not an escape stays, bytes that are not UTF-8 are replaced.
fn urldecode(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("unicode_urldecode")?;
    let V::Str(text) = &value else {
        return Fail::python(format!("'{}' object has no attribute 'replace'", value.type_name()));
    };
    let bytes = text.as_str().as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escape = (bytes[i] == b'%')
            .then(|| bytes.get(i + 1..i + 3))
            .flatten()
            .and_then(|pair| hex::decode(pair).ok())
            .and_then(|decoded| decoded.first().copied());
        match (escape, bytes[i]) {
            (Some(byte), _) => {
                out.push(byte);
                i += 3;
                continue;
            }
            (None, b'+') => out.push(b' '),
            (None, byte) => out.push(byte),
        }
        i += 1;
    }
    Ok(V::str(String::from_utf8_lossy(&out).into_owned()))
}

/// The parts of an address as RFC 3986 and Python's `urllib.parse.urlsplit` divide it.
struct Parts<'a> {
    scheme: String,
    netloc: &'a str,
    path: &'a str,
    query: &'a str,
    fragment: &'a str,
}

fn split(address: &str) -> R<Parts<'_>> {
    let (mut scheme, mut rest) = (String::new(), address);
    if let Some((before, after)) = address.split_once(':') {
        let valid = before.starts_with(|c: char| c.is_ascii_alphabetic())
            && before.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        if valid {
            scheme = before.to_lowercase();
            rest = after;
        }
    }
    let mut netloc = "";
    if let Some(after) = rest.strip_prefix("//") {
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        (netloc, rest) = after.split_at(end);
        if netloc.contains('[') != netloc.contains(']') {
            return Fail::python("Invalid IPv6 URL");
        }
    }
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Ok(Parts { scheme, netloc, path, query, fragment })
}

impl Parts<'_> {
    fn user_and_password(&self) -> (Option<&str>, Option<&str>) {
        match self.netloc.rsplit_once('@') {
            None => (None, None),
            Some((user, _)) => match user.split_once(':') {
                Some((user, password)) => (Some(user), Some(password)),
                None => (Some(user), None),
            },
        }
    }

    fn host_and_port(&self) -> (Option<String>, Option<&str>) {
        let place = self.netloc.rsplit_once('@').map_or(self.netloc, |(_, place)| place);
        let (host, port) = match place.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((host, after)) => (host, after.strip_prefix(':')),
            None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
        };
        let host = Some(host.to_lowercase()).filter(|host| !host.is_empty());
        (host, port.filter(|port| !port.is_empty()))
    }

    fn port(&self) -> R<V> {
        let Some(port) = self.host_and_port().1 else { return Ok(V::None) };
        if !port.bytes().all(|b| b.is_ascii_digit()) {
            let shown = repr::quoted(port);
            return Fail::python(format!("Port could not be cast to integer value as {shown}"));
        }
        match port.parse::<u16>() {
            Ok(port) => Ok(V::int(port)),
            Err(_) => Fail::python("Port out of range 0-65535"),
        }
    }
}

fn urlsplit(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("split_url", ["query", "alias"], 0)?;
    let V::Str(text) = &value else {
        return Fail::python(format!("'{}' object has no attribute 'decode'", value.type_name()));
    };
    let parts = split(text.as_str())?;
    let (user, password) = parts.user_and_password();
    let text_or_none = |text: Option<&str>| text.map_or(V::None, V::str);
    let all: Dict = [
        ("fragment", V::str(parts.fragment)),
        ("hostname", parts.host_and_port().0.map_or(V::None, V::str)),
        ("netloc", V::str(parts.netloc)),
        ("password", text_or_none(password)),
        ("path", V::str(parts.path)),
        ("port", parts.port()?),
        ("query", V::str(parts.query)),
        ("scheme", V::str(parts.scheme.as_str())),
        ("username", text_or_none(user)),
    ]
    .into_iter()
    .map(|(name, part)| (Key::from(name), part))
    .collect();
    let wanted = b.some(0).map(|wanted| ops::to_str(&wanted)).transpose()?.unwrap_or_default();
    if wanted.is_empty() {
        return Ok(V::dict(all));
    }
    match all.get(wanted.as_str()) {
        Some(part) => Ok(part.clone()),
        None => Fail::python(format!("urlsplit: unknown URL component: {wanted}")),
    }
}
