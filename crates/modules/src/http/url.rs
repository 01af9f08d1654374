//! URLs as far as requests need them (RFC 3986), kept as the user wrote them.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// In small letters.
    pub scheme: String,
    pub user: Option<String>,
    pub password: Option<String>,
    /// Without brackets.
    pub host: String,
    pub port: Option<u16>,
    /// With the query, without the fragment; begins with a slash.
    pub target: String,
    fragment: String,
    /// Path as written, which may be empty.
    bare: bool,
}

impl Url {
    /// The last part of the path.
    pub fn file_name(&self) -> String {
        match self.path().rsplit('/').next().unwrap_or_default() {
            "" | "." | ".." => "index.html".to_owned(),
            name => name.to_owned(),
        }
    }

    /// `None` if it has no scheme or its authority makes no sense.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(':')?;
        let valid = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        if scheme.is_empty() || !scheme.chars().all(valid) {
            return None;
        }
        let (rest, fragment) = rest.split_once('#').map_or((rest, ""), |(r, f)| (r, f));
        let (authority, target) = match rest.strip_prefix("//") {
            Some(rest) => rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len())),
            None => ("", rest),
        };
        let (userinfo, hostport) =
            authority.rsplit_once('@').map_or((None, authority), |(u, h)| (Some(u), h));
        let (host, port) = match hostport.strip_prefix('[') {
            Some(rest) => {
                let (host, rest) = rest.split_once(']')?;
                (host, rest.strip_prefix(':').unwrap_or(rest))
            }
            None => hostport.split_once(':').unwrap_or((hostport, "")),
        };
        let port = if port.is_empty() { None } else { Some(port.parse().ok()?) };
        let (user, password) = match userinfo {
            None => (None, None),
            Some(info) => match info.split_once(':') {
                Some((user, password)) => (Some(decode(user)), Some(decode(password))),
                None => (Some(decode(info)), None),
            },
        };
        let bare = target.is_empty();
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Some(Self {
            scheme: scheme.to_ascii_lowercase(),
            user,
            password,
            host: host.to_owned(),
            port,
            target,
            fragment: fragment.to_owned(),
            bare,
        })
    }

    pub fn is_https(&self) -> bool {
        self.scheme == "https"
    }

    pub fn port_or_default(&self) -> u16 {
        self.port.unwrap_or(if self.is_https() { 443 } else { 80 })
    }

    /// What the `Host` header says: the port as far as it was written.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        match self.port {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Where `reference` leads from here.
    pub fn join(&self, reference: &str) -> Option<Self> {
        let reference = reference.trim().replace(' ', "%20");
        // Without a host, `https:path` and `https:///path` are relative to a URL of that scheme, as for Python's
        // urljoin (RFC 3986, 5.2.2, calls it backward compatibility).
        let same = reference.strip_prefix(&format!("{}:", self.scheme));
        let same =
            same.map(|rest| rest.strip_prefix("//").filter(|path| path.starts_with('/')).unwrap_or(rest));
        let same = same.filter(|rest| !rest.starts_with("//"));
        let reference = same.map(str::to_owned).unwrap_or(reference);
        if let Some(found) = Self::parse(&reference) {
            return Some(found);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{}:{reference}", self.scheme));
        }
        let (path, fragment) = reference.split_once('#').map_or((&*reference, ""), |(r, f)| (r, f));
        let own = self.path();
        let target = if path.is_empty() {
            self.target.clone()
        } else if path.starts_with('/') {
            without_dots(path)
        } else if path.starts_with('?') {
            format!("{own}{path}")
        } else {
            without_dots(&format!("{}/{path}", own.rsplit_once('/').map_or("", |(dir, _)| dir)))
        };
        let (user, password) = (self.user.clone(), self.password.clone());
        Some(Self { target, fragment: fragment.to_owned(), bare: false, user, password, ..self.clone() })
    }
}

impl fmt::Display for Url {
    /// Without the credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = if self.bare { "" } else { &self.target };
        write!(f, "{}://{}{target}", self.scheme, self.authority())?;
        if !self.fragment.is_empty() {
            write!(f, "#{}", self.fragment)?;
        }
        Ok(())
    }
}

/// RFC 3986, 5.2.4.
fn without_dots(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let mut kept: Vec<&str> = Vec::new();
    let mut parts = path.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        match part {
            "." | ".." => {
                if part == ".." {
                    kept.pop();
                }
                if parts.peek().is_none() {
                    kept.push("");
                }
            }
            part => kept.push(part),
        }
    }
    format!("/{}{query}", kept.join("/"))
}

/// A URL as it may be shown: without name and password.
pub fn shown(url: &str) -> String {
    match Url::parse(url) {
        Some(parsed) if parsed.user.is_some() => {
            let rest = url.split_once('@').map_or("", |(_, rest)| rest);
            format!("{}://****:****@{rest}", parsed.scheme)
        }
        _ => url.to_owned(),
    }
}

/// Percent signs resolved.
pub fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let digits = bytes.get(i + 1..i + 3).and_then(|d| std::str::from_utf8(d).ok());
        match digits.and_then(|d| u8::from_str_radix(d, 16).ok()) {
            Some(byte) if bytes[i] == b'%' => {
                out.push(byte);
                i += 3;
            }
            _ => {
                out.push(bytes[i]);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// As a form's field (`application/x-www-form-urlencoded`), the way Python's `quote_plus` writes it.
pub fn encode_field(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            b if b.is_ascii_alphanumeric() || b"_.-~".contains(&b) => out.push(b.into()),
            b => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let url = Url::parse("HTTP://joe:s%40x@[::1]:8080/a?b#c").unwrap();
        assert_eq!((url.scheme.as_str(), url.host.as_str(), url.port), ("http", "::1", Some(8080)));
        assert_eq!((url.user.as_deref(), url.password.as_deref()), (Some("joe"), Some("s@x")));
        assert_eq!((url.target.as_str(), url.path()), ("/a?b", "/a"));
        assert_eq!(url.to_string(), "http://[::1]:8080/a?b#c");
        assert_eq!(Url::parse("https://example.org").unwrap().target, "/");
        assert_eq!(Url::parse("https://example.org?x").unwrap().target, "/?x");
        assert!(Url::parse("example.org/x").is_none());
        assert!(Url::parse("http://example.org:x/").is_none());
    }

    // The examples of RFC 3986, 5.4, of a hierarchical kind.
    #[test]
    fn references() {
        let base = Url::parse("http://a/b/c/d?q").unwrap();
        for (reference, expected) in [
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d?q#s"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../../../g", "http://a/g"),
            ("g/../h", "http://a/b/c/h"),
            ("https://x/y", "https://x/y"),
        ] {
            assert_eq!(base.join(reference).unwrap().to_string(), expected, "{reference}");
        }
    }
}
