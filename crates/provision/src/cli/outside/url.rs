//! The lookup `url`.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use lang::template::python_str;
use lang::{Error, Map, Result, Value};
use modules::Host;
use modules::http::{self, Follow, Request, io_text};

use crate::config::Config;

/// What a server may send: more would not fit into variables in any sensible way.
const LONGEST: u64 = 256 << 20;

/// Fetch a URL. Options that the lookup was not given come from the configuration.
pub fn fetch(url: &str, options: &Map, config: &Config, interrupted: &Arc<AtomicBool>) -> Result<Vec<u8>> {
    let options = Given { options, config };
    let mut request = Request::get(url, options.request()?);
    if let Some(Value::Map(headers)) = options.value("headers") {
        request.headers = headers.iter().map(|(k, v)| (k.to_string(), python_str(v))).collect();
    }
    let host = Host::new(std::env::temp_dir())
        .with_environment(BTreeMap::new())
        .with_limits(interrupted.clone(), None);
    let response = http::fetch(&host, request).map_err(|text| failure(url, &text))?;
    if !response.is_success() {
        return Err(Error::new(format!(
            "Received HTTP error for {url}: HTTP Error {}: {}",
            response.status, response.reason
        )));
    }
    let mut bytes = Vec::new();
    let read = response.body.take(LONGEST + 1).read_to_end(&mut bytes);
    read.map_err(|e| Error::new(format!("Error connecting to {url}: {}", io_text(&e))))?;
    if bytes.len() as u64 > LONGEST {
        return Err(Error::new(format!("{url} is larger than {} MiB", LONGEST >> 20)));
    }
    Ok(bytes)
}

/// The client's words, in those of the lookup.
fn failure(url: &str, text: &str) -> Error {
    let text = text.strip_prefix("Request failed: ").unwrap_or(text);
    Error::new(if text.starts_with("<urlopen error") {
        format!("Failed lookup url for {url}: {text}")
    } else if text.starts_with("unknown url type") {
        text.to_owned()
    } else {
        format!("Error connecting to {url}: {text}")
    })
}

/// Options as given, or as configured (`ANSIBLE_LOOKUP_URL_...`, the section `url_lookup`).
struct Given<'a> {
    options: &'a Map,
    config: &'a Config,
}

impl Given<'_> {
    fn value(&self, name: &str) -> Option<Value> {
        let given = self.options.get(name).filter(|v| !v.is_null()).cloned();
        given.or_else(|| self.config.text(&format!("LOOKUP_URL_{}", name.to_uppercase())).map(Value::from))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(|v| python_str(&v))
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool> {
        let Some(value) = self.value(name) else { return Ok(default) };
        lang::argument_spec::boolean(&value).map_err(|_| self.invalid(name, "bool", &value))
    }

    fn list(&self, name: &str) -> Vec<String> {
        match self.value(name) {
            None => Vec::new(),
            Some(Value::List(items)) => items.iter().map(python_str).collect(),
            Some(other) => python_str(&other).split(',').map(|s| s.trim().to_owned()).collect(),
        }
    }

    fn invalid(&self, name: &str, kind: &str, value: &Value) -> Error {
        Error::new(format!(
            "Config '{name}' for 'url' lookup plugin has an invalid value: Invalid value provided for '{kind}': {}",
            lang::template::python_repr(value)
        ))
    }

    fn request(&self) -> Result<http::Options> {
        if self.flag("use_gssapi", false)? {
            return Err(Error::new(
                "use_gssapi is not supported by the lookup 'url': Kerberos is not built in",
            ));
        }
        let seconds = match self.text("timeout") {
            None => 10.0,
            Some(text) => text
                .trim()
                .parse::<f64>()
                .map_err(|_| self.invalid("timeout", "float", &self.value("timeout").unwrap_or_default()))?,
        };
        let follow = self.text("follow_redirects").unwrap_or_else(|| "urllib2".into());
        if !["all", "no", "none", "safe", "urllib2", "yes"].contains(&follow.as_str()) {
            return Err(Error::new(format!(
                "Invalid value '{follow}' for config 'follow_redirects' for 'url' lookup plugin."
            )));
        }
        Ok(http::Options {
            timeout: Duration::try_from_secs_f64(seconds).ok().filter(|t| !t.is_zero()),
            use_proxy: self.flag("use_proxy", true)?,
            validate_certs: self.flag("validate_certs", true)?,
            ca_path: self.text("ca_path"),
            ciphers: self.list("ciphers").iter().flat_map(|c| c.split(':').map(str::to_owned)).collect(),
            unix_socket: self.text("unix_socket"),
            follow: Follow::from_word(&follow),
            user: self.text("username"),
            password: self.text("password"),
            force_basic_auth: self.flag("force_basic_auth", false)?,
            use_netrc: self.flag("use_netrc", true)?,
            unredirected: self.list("unredirected_headers"),
            agent: self.text("http_agent").unwrap_or_else(|| "ansible-httpget".into()),
            no_cache: self.flag("force", false)?,
            ..http::Options::default()
        })
    }
}
