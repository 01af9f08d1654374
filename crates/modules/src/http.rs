//! Requests by HTTP: what `get_url`, `uri`, `unarchive` and `apt_key` share.
//!
//! A client of its own on top of rustls and httparse, because Ansible's options are those of Python's urllib: the
//! timeout is one of silence and not of the whole, redirects have four policies, credentials wait for a `401`,
//! a Unix socket can stand for the server, and results show what went wrong in urllib's words. Each request has a
//! connection of its own. There is no runtime and no thread behind it.

pub mod args;
mod auth;
mod cookies;
mod file;
mod proxy;
mod redirect;
mod resolve;
mod response;
mod tls;
mod url;
mod validity;
mod wire;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::time::Duration;

pub use auth::nonce;
pub use file::fetch_file;
pub use redirect::Follow;
pub use resolve::resolve;
pub use response::{Failure, Response};
pub use url::{Url, decode, encode_field, shown};

use crate::Host;
use cookies::Jar;

/// What a request carries.
#[derive(Clone, Debug, Default)]
pub enum Body {
    #[default]
    None,
    Bytes(Vec<u8>),
    /// A file, sent as it is read.
    File(PathBuf),
}

/// How requests are made; the arguments that the modules about URLs share.
#[derive(Clone, Debug)]
pub struct Options {
    /// Of silence.
    pub timeout: Option<Duration>,
    pub use_proxy: bool,
    pub validate_certs: bool,
    pub ca_path: Option<String>,
    pub client_cert: Option<String>,
    pub client_key: Option<String>,
    /// OpenSSL's names.
    pub ciphers: Vec<String>,
    pub unix_socket: Option<String>,
    pub follow: Follow,
    pub user: Option<String>,
    pub password: Option<String>,
    /// Send the credentials before anybody asks.
    pub force_basic_auth: bool,
    pub use_netrc: bool,
    /// Headers that do not follow a redirect.
    pub unredirected: Vec<String>,
    pub decompress: bool,
    pub agent: String,
    /// Ask caches for a fresh copy.
    pub no_cache: bool,
    /// `If-Modified-Since`, seconds since 1970.
    pub modified_since: Option<i64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            timeout: Some(Duration::from_secs(10)),
            use_proxy: true,
            validate_certs: true,
            ca_path: None,
            client_cert: None,
            client_key: None,
            ciphers: Vec::new(),
            unix_socket: None,
            follow: Follow::Urllib2,
            user: None,
            password: None,
            force_basic_auth: false,
            use_netrc: true,
            unredirected: Vec::new(),
            decompress: true,
            agent: "ansible-httpget".to_owned(),
            no_cache: false,
            modified_since: None,
        }
    }
}

pub struct Request {
    pub url: String,
    pub method: String,
    pub headers: Vec<(String, String)>,
    pub body: Body,
    pub options: Options,
}

impl Request {
    pub fn get(url: impl Into<String>, options: Options) -> Self {
        Self { url: url.into(), method: "GET".into(), headers: Vec::new(), body: Body::None, options }
    }
}

/// One exchange of the request's way.
struct Hop {
    url: Url,
    method: String,
    headers: Vec<(String, String)>,
    body: Body,
    /// The `Authorization` among the headers is made from a name and a password: it is for this host alone.
    personal: bool,
}

/// Carry a request out, with all redirects and the answer to a question for credentials. Any answer of a server is an
/// answer, whatever its status.
pub fn fetch(host: &Host, request: Request) -> Result<Response, Failure> {
    let Request { url, method, mut headers, body, options } = request;
    let mut url = Url::parse(&url).ok_or_else(|| format!("unknown url type: '{url}'"))?;
    check(&url)?;
    let mut user = options.user.clone().map(|u| (u, options.password.clone().unwrap_or_default()));
    if let Some(name) = url.user.take() {
        let password = url.password.take().unwrap_or_default();
        user = user.or(Some((name, password)));
    }
    let has =
        |headers: &[(String, String)], name: &str| headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    let mut own: Vec<(&str, String)> = vec![("User-Agent", options.agent.clone())];
    match &user {
        Some((name, password)) if options.force_basic_auth => {
            own.push(("Authorization", wire::basic(name, password)));
        }
        // What `~/.netrc` says counts more than a header that was asked for.
        None if options.use_netrc => {
            if let Some((name, password)) = auth::netrc(host, &url.host) {
                headers.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
                own.push(("Authorization", wire::basic(&name, &password)));
            }
        }
        _ => {}
    }
    if options.no_cache {
        own.push(("Cache-Control", "no-cache".to_owned()));
    } else if let Some(time) = options.modified_since {
        let date = crate::time::utc_at(time, "%a, %d %b %Y %H:%M:%S GMT");
        own.push(("If-Modified-Since", date));
    }
    let personal = !has(&headers, "authorization");
    for (name, value) in own {
        if !has(&headers, name) {
            headers.push((name.to_owned(), value));
        }
    }
    let mut jar = Jar::default();
    let mut visited: HashMap<String, u32> = HashMap::new();
    let mut hop = Hop { url, method, headers, body, personal };
    loop {
        if host.is_cancelled() {
            return Err("it was stopped".to_owned());
        }
        let mut response = exchange(host, &hop, &options, &jar, None)?;
        jar.store(&hop.url, &response);
        if response.status == 401
            && let Some((name, password)) = &user
            // What is sent unasked is all that is sent: a redirect that takes the header off means it.
            && !options.force_basic_auth
            && !has(&hop.headers, "authorization")
        {
            let challenges: Vec<&str> = response.values("www-authenticate").collect();
            let answer = auth::answer(&challenges, name, password, &hop.method, &hop.url.target);
            if let Some(answer) = answer {
                response = exchange(host, &hop, &options, &jar, Some(answer))?;
                jar.store(&hop.url, &response);
            }
        }
        match redirect::next(&hop, &response, &options, &mut visited) {
            redirect::Next::Stay => {}
            redirect::Next::Refused(reason) => response.reason = reason,
            redirect::Next::Go(next) => {
                hop = *next;
                check(&hop.url)?;
                continue;
            }
        }
        response.cookies = jar.all();
        return Ok(response);
    }
}

/// What a URL has to be before anything is sent.
fn check(url: &Url) -> Result<(), Failure> {
    if !matches!(url.scheme.as_str(), "http" | "https") {
        return Err(format!("Request failed: <urlopen error unknown url type: {}>", url.scheme));
    }
    if url.host.is_empty() {
        return Err("Request failed: <urlopen error no host given>".to_owned());
    }
    if let Some(bad) = url.target.chars().chain(url.host.chars()).find(|c| c.is_ascii_control() || *c == ' ')
    {
        return Err(format!(
            "An unknown error occurred: URL can't contain control characters. {} (found at least {})",
            crate::args::python_repr(&url.target.clone().into()),
            crate::args::python_repr(&bad.to_string().into())
        ));
    }
    Ok(())
}

fn exchange(
    host: &Host,
    hop: &Hop,
    options: &Options,
    jar: &Jar,
    authorization: Option<String>,
) -> Result<Response, Failure> {
    let url = &hop.url;
    let urlopen = |text: String| format!("Request failed: <urlopen error {text}>");
    let proxy = match options.use_proxy && options.unix_socket.is_none() {
        true => proxy::for_url(host, url).map_err(urlopen)?,
        false => None,
    };
    let mut wire = wire::connect(host, url, proxy.as_ref(), options).map_err(|e| {
        let text = match &options.unix_socket {
            Some(path) => format!("Invalid Socket File ({path}): {}", io_text(&e)),
            None => io_text(&e),
        };
        urlopen(text)
    })?;
    let plain_proxy = proxy.as_ref().filter(|_| !url.is_https());
    let ascii: String =
        url.target.chars().map(|c| if c.is_ascii() { c.to_string() } else { percent(c) }).collect();
    let target = match plain_proxy {
        Some(_) => format!("http://{}{ascii}", url.authority()),
        None => ascii,
    };
    let mut headers: Vec<(&str, String)> = Vec::new();
    for (name, value) in &hop.headers {
        headers.push((name, value.clone()));
    }
    let given = |name: &str| hop.headers.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
    if !given("host") {
        headers.insert(0, ("Host", url.authority()));
    }
    if !given("accept-encoding") {
        headers
            .insert(0, ("Accept-Encoding", if options.decompress { "gzip" } else { "identity" }.to_owned()));
    }
    let mut body: Option<(Box<dyn Read>, u64)> = match &hop.body {
        Body::None => None,
        Body::Bytes(bytes) => Some((Box::new(io::Cursor::new(bytes.clone())), bytes.len() as u64)),
        Body::File(path) => {
            let opened = std::fs::File::open(path).and_then(|f| f.metadata().map(|m| (f, m.len())));
            let (file, length) = opened.map_err(|e| urlopen(io_text(&e)))?;
            Some((Box::new(file), length))
        }
    };
    match &body {
        Some((_, length)) => {
            if !given("content-length") && !given("transfer-encoding") {
                headers.push(("Content-Length", length.to_string()));
            }
            if !given("content-type") {
                headers.push(("Content-Type", "application/x-www-form-urlencoded".to_owned()));
            }
        }
        // As http.client, for the methods that expect a body.
        None if matches!(hop.method.as_str(), "POST" | "PUT" | "PATCH") && !given("content-length") => {
            headers.push(("Content-Length", "0".to_owned()));
        }
        None => {}
    }
    if let Some(cookies) = jar.header(url).filter(|_| !given("cookie")) {
        headers.push(("Cookie", cookies));
    }
    headers.extend(authorization.map(|a| ("Authorization", a)));
    headers.extend(plain_proxy.and_then(|p| p.authorization()).map(|a| ("Proxy-Authorization", a)));
    headers.retain(|(name, _)| !name.eq_ignore_ascii_case("connection"));
    headers.push(("Connection", "close".to_owned()));
    let mut head = format!("{} {target} HTTP/1.1\r\n", hop.method);
    for (name, value) in headers {
        let bad = |text: &str| text.contains(['\r', '\n', '\0']);
        if bad(&value) || bad(name) || name.is_empty() || name.contains([':', ' ']) {
            return Err(format!("An unknown error occurred: Invalid header {name}"));
        }
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let sent = wire.write_all(head.as_bytes()).and_then(|()| match &mut body {
        Some((body, _)) => io::copy(body, &mut wire).and_then(|_| wire.flush()),
        None => wire.flush(),
    });
    // A server may answer and close before it has read everything: then the answer counts.
    if let Err(e) = sent
        && !matches!(e.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
    {
        return Err(urlopen(io_text(&e)));
    }
    response::read(wire, &hop.method, url, options.decompress)
}

fn percent(c: char) -> String {
    c.to_string().bytes().map(|b| format!("%{b:02X}")).collect()
}

/// An error as Python shows it: `[Errno 111] Connection refused`, `timed out`.
pub fn io_text(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "timed out".to_owned(),
        _ => match error.raw_os_error() {
            Some(_) => crate::files::errno_text(error, None),
            None => error.to_string(),
        },
    }
}

/// What a broken connection is called once the request is out.
fn io_failure(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "Connection failure: timed out".to_owned(),
        _ => format!("Connection failure: {}", io_text(error)),
    }
}
