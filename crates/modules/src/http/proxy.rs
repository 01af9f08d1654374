//! Which proxy a request goes through: `http_proxy`, `https_proxy` and `no_proxy`, as Python's urllib reads them.

use super::{Url, wire};
use crate::Host;

#[derive(Clone, Debug)]
pub struct Proxy {
    pub host: String,
    pub port: u16,
    user: Option<(String, String)>,
}

impl Proxy {
    pub fn authorization(&self) -> Option<String> {
        self.user.as_ref().map(|(user, password)| wire::basic(user, password))
    }
}

/// The proxy for this URL, if any; the error names a kind of proxy that is not supported.
pub fn for_url(host: &Host, url: &Url) -> Result<Option<Proxy>, String> {
    let env = |name: &str| {
        let found = host.env(name).or_else(|| host.env(&name.to_uppercase()));
        found.map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
    };
    let Some(value) = env(&format!("{}_proxy", url.scheme)) else { return Ok(None) };
    if env("no_proxy").is_some_and(|list| excluded(&list, url)) {
        return Ok(None);
    }
    let text = if value.contains("://") { value } else { format!("http://{value}") };
    let Some(proxy) = Url::parse(&text) else { return Err("the proxy's URL makes no sense".to_owned()) };
    if proxy.scheme != "http" {
        return Err(format!("proxies of type {} are not supported", proxy.scheme));
    }
    let port = proxy.port.unwrap_or(80);
    let user = proxy.user.map(|user| (user, proxy.password.unwrap_or_default()));
    Ok(Some(Proxy { host: proxy.host, port, user }))
}

/// Ends of names, with or without a port; `*` is everything.
fn excluded(list: &str, url: &Url) -> bool {
    if list == "*" {
        return true;
    }
    let (name, full) = (url.host.to_lowercase(), url.authority().to_lowercase());
    list.split(',').any(|entry| {
        let entry = entry.trim().trim_start_matches('.').to_lowercase();
        let ends = |text: &str| text == entry || text.ends_with(&format!(".{entry}"));
        !entry.is_empty() && (ends(&name) || ends(&full))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(environment: &[(&str, &str)], url: &str) -> Option<(String, u16)> {
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let host = Host::new("/nowhere").with_environment(environment);
        for_url(&host, &Url::parse(url).unwrap()).unwrap().map(|p| (p.host, p.port))
    }

    // Recorded from urllib.request.getproxies and proxy_bypass.
    #[test]
    fn as_urllib_chooses() {
        let set = [("http_proxy", "http://p:3128"), ("no_proxy", "example.org, .net,host:81")];
        assert_eq!(proxy(&set, "http://a.b/"), Some(("p".into(), 3128)));
        assert_eq!(proxy(&set, "http://www.example.org/"), None);
        assert_eq!(proxy(&set, "http://notexample.org/"), Some(("p".into(), 3128)));
        assert_eq!(proxy(&set, "http://a.net:99/"), None);
        assert_eq!(proxy(&set, "http://host/"), Some(("p".into(), 3128)));
        assert_eq!(proxy(&set, "http://host:81/"), None);
        assert_eq!(proxy(&[("http_proxy", "p:1"), ("no_proxy", "*")], "http://a/"), None);
        assert_eq!(proxy(&[("http_proxy", "p:1")], "http://a/"), Some(("p".into(), 1)));
        assert_eq!(proxy(&[("https_proxy", "p:1")], "http://a/"), None);
    }
}
