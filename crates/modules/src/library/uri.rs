//! `uri`: a request to a web service.
//!
//! The controller sends a file of its own (`src` without `remote_src`) as `_content`, and puts the content of files
//! that a multipart body names into the body.

mod body;

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Instant;

use crate::args::{ArgType, Expanded, Raw};
use crate::files::{FileAttrs, Replacement, add_path_info, write_atomically};
use crate::http::args::{UrlArgs, timeout};
use crate::http::{self, Body, Follow, Request, Response, io_text};
use crate::{
    Applied, Blob, Effects, Host, Map, Module, ModuleError, Plan, Resource, Result, Value, args, fail, result,
};

args! {
    pub struct UriArgs {
        /// Where to.
        url: String = required();
        /// What to send.
        body: Option<Raw>;
        /// How the body is written.
        body_format: String = choices(&["form-urlencoded", "json", "raw", "form-multipart"]), default("raw");
        /// File with the authorities to trust instead of the host's.
        ca_path: Option<Expanded>;
        /// Do nothing if this path is there.
        creates: Option<Expanded>;
        /// Do nothing if this path is not there.
        removes: Option<Expanded>;
        /// File or directory for the answer.
        dest: Option<Expanded>;
        /// Which redirects to follow.
        follow_redirects: String = choices(&["all", "no", "none", "safe", "urllib2", "yes"]), default("safe");
        /// More headers.
        headers: Map;
        /// GET, POST ...
        method: String = default("GET");
        /// `src` is on the host.
        remote_src: bool = default("no");
        /// Give the answer as `content`.
        return_content: bool = default("no");
        /// File to send.
        src: Option<Expanded>;
        /// Statuses that are a success.
        status_code: Vec<i64> = default("200"), elements("int");
        /// Seconds of silence after which to give up.
        timeout: i64 = default("30");
        /// Unix socket instead of the server of the URL.
        unix_socket: Option<Expanded>;
        /// Name for the server.
        url_username: Option<String> = aliases(&["user"]);
        /// Password for the server.
        url_password: Option<String> = aliases(&["password"]), no_log();
        /// The controller's file.
        _content: Option<Blob>;
    }
    with { request: UrlArgs, attrs: FileAttrs }
    checks { mutually_exclusive(&["body", "src"]) }
}

pub struct Uri;

impl Module for Uri {
    type Args = UriArgs;
    const NAME: &'static str = "uri";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Talk to a web service.";

    fn effects(args: &UriArgs) -> Effects {
        let writes = args.dest.iter().map(|d| Resource::Path(d.trim_end_matches('/').to_owned()));
        Effects::writes(writes).outside()
    }

    fn plan(args: UriArgs, host: &Host) -> Result<Plan> {
        if host.check() {
            return Ok(Plan::unchanged(
                result! {"skipped": true, "msg": "remote module (uri) does not support check mode"},
            ));
        }
        let method = args.method.to_uppercase();
        if method.is_empty() || !method.chars().all(|c| c.is_ascii_uppercase()) {
            let msg = "Parameter 'method' needs to be a single word in uppercase, like GET or POST.";
            return Err(ModuleError::new(msg));
        }
        if let Some(path) = args.creates.as_ref().filter(|p| host.path(&p.0).exists()) {
            return Ok(Plan::unchanged(result! {"stdout": format!("skipped, since '{}' exists", path.0)}));
        }
        if let Some(path) = args.removes.as_ref().filter(|p| !host.path(&p.0).exists()) {
            let stdout = format!("skipped, since '{}' does not exist", path.0);
            return Ok(Plan::unchanged(result! {"stdout": stdout}));
        }
        let request = request(&args, method, host)?;
        // A request may change the world, so it is not part of the plan, though most change nothing here.
        Ok(Plan::change(Map::new(), move |host| run(&args, request, host)))
    }
}

fn request(args: &UriArgs, method: String, host: &Host) -> Result<Request> {
    let mut headers = Vec::new();
    for (name, value) in &args.headers {
        headers.push((name.clone(), String::coerce(value.clone()).map_err(ModuleError::new)?));
    }
    let mut options = args.request.options()?;
    options.timeout = timeout(args.timeout);
    options.user = args.url_username.clone();
    options.password = args.url_password.clone();
    options.follow = Follow::from_word(&args.follow_redirects);
    options.ca_path = args.ca_path.as_ref().map(|p| p.0.clone());
    options.unix_socket = args.unix_socket.as_ref().map(|p| p.0.clone());
    // What the text of a file is, is for the user to say.
    if args.body.is_none()
        && args.body_format == "json"
        && !headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("content-type"))
    {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    let body = match (&args._content, &args.src, &args.body) {
        (Some(content), ..) => Body::Bytes(content.read(host)?),
        (None, Some(src), _) if args.remote_src => {
            let path = host.path(&src.0);
            fs::File::open(&path)
                .map_err(|_| fail!("Unable to open source file {}", src.0).with("elapsed", 0))?;
            Body::File(path)
        }
        (None, Some(_), _) => return Err(fail!("src is a file of the controller, which has to send it")),
        (None, None, Some(body)) => {
            let made = body::encode(&body.0, &args.body_format, host)?;
            if let Some(kind) = made.content_type {
                let set = headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("content-type"));
                if made.fixed {
                    headers.retain(|(n, _)| !n.eq_ignore_ascii_case("content-type"));
                }
                if made.fixed || !set {
                    headers.push(("Content-Type".to_owned(), kind));
                }
            }
            Body::Bytes(made.bytes)
        }
        (None, None, None) => Body::None,
    };
    if let Some(dest) = args.dest.as_ref().map(|d| host.path(&d.0)).filter(|d| !d.is_dir()) {
        options.modified_since = fs::metadata(dest).ok().map(|m| m.mtime());
    }
    Ok(Request { url: args.url.clone(), method, headers, body, options })
}

fn run(args: &UriArgs, request: Request, host: &Host) -> Result<Applied> {
    let start = Instant::now();
    let mut result = result! {"changed": false, "redirected": false, "url": args.url, "status": -1};
    if args.return_content {
        result.insert("content".into(), "".into());
    }
    let listed = args.status_code.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
    let mut response = match http::fetch(host, request) {
        Ok(response) => response,
        Err(msg) => {
            result.insert("elapsed".into(), start.elapsed().as_secs().into());
            return match args.status_code.contains(&-1) {
                true => {
                    result.insert("msg".into(), msg.into());
                    Applied::with(result)
                }
                false => Err(failure(format!("Status code was -1 and not [{listed}]: {msg}"), result)),
            };
        }
    };
    let right = args.status_code.contains(&i64::from(response.status));
    let mut content = Vec::new();
    response.body.read_to_end(&mut content).map_err(|e| {
        fail!("HTTP Error while fetching {}: {}", args.url, io_text(&e)).with("changed", false)
    })?;
    let reached = response.url.to_string();
    result.insert("redirected".into(), (args.url != reached && response.is_success()).into());
    result.insert("url".into(), reached.into());
    result.insert("status".into(), response.status.into());
    add_headers(&mut result, &response);
    result.insert("elapsed".into(), start.elapsed().as_secs().into());
    let text = decode(&response, &content);
    let said = response.message();
    if response.is_success() {
        let cookies: Map = response.cookies.iter().map(|(k, v)| (k.clone(), v.clone().into())).collect();
        let line: Vec<String> = response.cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
        result.insert("cookies".into(), cookies.into());
        result.insert("cookies_string".into(), line.join("; ").into());
    } else if right && !args.return_content && parsed(&response, &text).is_none() {
        result.insert("body".into(), text.clone().into());
    }
    if args.return_content {
        result.insert("content".into(), text.clone().into());
    }
    if let Some(json) = parsed(&response, &text) {
        result.insert("json".into(), json);
    }
    if let Some(dest) = &args.dest {
        save(args, &dest.0, &response, right, &content, &mut result, host)?;
    }
    if !right {
        let msg = format!("Status code was {} and not [{listed}]: {said}", response.status);
        return Err(failure(msg, result));
    }
    result.insert("msg".into(), said.into());
    Applied::with(result)
}

/// The answer as a file.
fn save(
    args: &UriArgs,
    dest: &str,
    response: &Response,
    right: bool,
    content: &[u8],
    result: &mut Map,
    host: &Host,
) -> Result<()> {
    let mut dest = dest.to_owned();
    if host.path(&dest).is_dir() {
        let name = response.file_name();
        dest = format!("{}/{name}", dest.trim_end_matches('/'));
    }
    if right && response.status != 304 {
        let parent =
            Path::new(&dest).parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if !host.path(parent).is_dir() {
            let msg = format!("Could not replace file {dest}: [Errno 2] No such file or directory: '{dest}'");
            return Err(failure(msg, result.clone()));
        }
        let replacement = Replacement { path: &dest, attrs: &args.attrs, new_mode: None, instead: None };
        write_atomically(host, &replacement, &mut &*content)?;
        if args.attrs.attributes.is_some() {
            args.attrs.apply(host, &dest)?;
        }
        result.insert("changed".into(), true.into());
    } else if right && host.path(&dest).exists() {
        let change = args.attrs.plan(host, &dest)?;
        if !change.is_empty() {
            change.apply(host)?;
            result.insert("changed".into(), true.into());
        }
    }
    result.insert("path".into(), dest.into());
    add_path_info(host, result);
    Ok(())
}

fn add_headers(result: &mut Map, response: &Response) {
    for (name, _) in &response.headers {
        let mut value = response.header(name).unwrap_or_default();
        if name == "location"
            && let Some(url) = response.url.join(&value)
        {
            value = url.to_string();
        }
        result.insert(name.replace('-', "_"), value.into());
    }
}

/// The body as text, by the charset that the server names.
fn decode(response: &Response, content: &[u8]) -> String {
    let kind = response.header("content-type").unwrap_or_default().to_lowercase();
    let charset = kind.split(';').skip(1).find_map(|p| p.trim().strip_prefix("charset="));
    match charset.map(|c| c.trim_matches('"')) {
        Some("iso-8859-1" | "latin-1" | "latin1") => content.iter().map(|b| char::from(*b)).collect(),
        _ => String::from_utf8_lossy(content).into_owned(),
    }
}

/// The body as a value, if it says that it is JSON and is.
fn parsed(response: &Response, text: &str) -> Option<Value> {
    let kind = response.header("content-type")?.to_lowercase();
    let kind = kind.split(';').next()?.trim();
    let (_, kind) = kind.split_once('/')?;
    if !["json", "javascript"].iter().any(|word| kind.contains(word)) {
        return None;
    }
    serde_json::from_str(text).ok()
}

fn failure(msg: String, result: Map) -> ModuleError {
    let mut error = ModuleError::new(msg);
    error.result = result;
    error
}
