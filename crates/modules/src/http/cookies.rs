//! Cookies (RFC 6265) for the length of one call: what a redirect sets goes along to where it leads.

use super::{Response, Url};

struct Cookie {
    name: String,
    value: String,
    host: String,
    /// With everything below it.
    below: bool,
    path: String,
    secure: bool,
}

#[derive(Default)]
pub struct Jar(Vec<Cookie>);

impl Jar {
    pub fn store(&mut self, url: &Url, response: &Response) {
        for line in response.values("set-cookie") {
            let mut parts = line.split(';').map(str::trim);
            let Some((name, value)) = parts.next().and_then(|p| p.split_once('=')) else { continue };
            let default = url.path().rsplit_once('/').map_or("", |(dir, _)| dir);
            let mut cookie = Cookie {
                name: name.trim().to_owned(),
                value: value.trim().to_owned(),
                host: url.host.to_lowercase(),
                below: false,
                path: if default.is_empty() { "/".to_owned() } else { default.to_owned() },
                secure: false,
            };
            let mut expired = false;
            for part in parts {
                let (key, value) = part.split_once('=').unwrap_or((part, ""));
                match key.trim().to_lowercase().as_str() {
                    "path" if value.starts_with('/') => cookie.path = value.to_owned(),
                    "domain" if !value.is_empty() => {
                        cookie.host = value.trim_start_matches('.').to_lowercase();
                        cookie.below = true;
                    }
                    "secure" => cookie.secure = true,
                    "max-age" => expired = value.parse::<i64>().is_ok_and(|age| age <= 0),
                    _ => {}
                }
            }
            // A host may speak for itself and for the domain it is in, but not for a whole top-level domain.
            if cookie.below && (!cookie.host.contains('.') || !cookie.fits_host(&url.host)) {
                continue;
            }
            self.0.retain(|c| (&c.name, &c.host, &c.path) != (&cookie.name, &cookie.host, &cookie.path));
            if !expired {
                self.0.push(cookie);
            }
        }
    }

    pub fn header(&self, url: &Url) -> Option<String> {
        let fits = |c: &&Cookie| {
            let path = url.path();
            let below = path.strip_prefix(c.path.trim_end_matches('/'));
            c.fits_host(&url.host)
                && (!c.secure || url.is_https())
                && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let pairs: Vec<String> =
            self.0.iter().filter(fits).map(|c| format!("{}={}", c.name, c.value)).collect();
        if pairs.is_empty() { None } else { Some(pairs.join("; ")) }
    }

    /// Names and values.
    pub fn all(&self) -> Vec<(String, String)> {
        self.0.iter().map(|c| (c.name.clone(), c.value.clone())).collect()
    }
}

impl Cookie {
    fn fits_host(&self, host: &str) -> bool {
        let host = host.to_lowercase();
        host == self.host || (self.below && host.ends_with(&format!(".{}", self.host)))
    }
}
