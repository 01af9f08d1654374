//! The way of the file to this host.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use tempfile::NamedTempFile;

use super::GetUrlArgs;
use crate::args::ArgType;
use crate::http::{self, Body, Options, Request, Url, io_text};
use crate::{Host, ModuleError, Result, fail};

/// What everything that is fetched for one call has in common.
pub struct Fetch<'a> {
    pub args: &'a GetUrlArgs,
    pub options: Options,
    pub host: &'a Host,
}

pub enum Answer {
    NotModified(String),
    File(Download),
}

pub struct Download {
    pub file: NamedTempFile,
    /// None for a file of the host.
    pub status: Option<u16>,
    pub message: String,
    /// What it is to be called in a directory.
    pub name: String,
}

impl Fetch<'_> {
    pub fn download(&self, modified_since: Option<i64>) -> Result<Answer> {
        let modified_since = modified_since.filter(|_| !self.args.request.force);
        let method = if self.host.check() { "HEAD" } else { "GET" };
        self.fetch(&self.args.url, method, modified_since)
    }

    /// Fetch any URL with the arguments of this call.
    pub fn fetch(&self, url: &str, method: &str, modified_since: Option<i64>) -> Result<Answer> {
        let start = Instant::now();
        let dest = &self.args.dest.0;
        let failed = |msg: String| {
            fail!("{msg}")
                .with("url", http::shown(url))
                .with("dest", dest.as_str())
                .with("elapsed", start.elapsed().as_secs())
        };
        if let Some(path) = url.strip_prefix("file://") {
            return self.local(&http::decode(path)).map_err(failed);
        }
        let mut headers = Vec::new();
        for (name, value) in &self.args.headers {
            headers.push((name.clone(), String::coerce(value.clone()).map_err(ModuleError::new)?));
        }
        let options = Options { modified_since, ..self.options.clone() };
        let method = method.to_owned();
        let request = Request { url: url.to_owned(), method, headers, body: Body::None, options };
        let mut response = http::fetch(self.host, request).map_err(|msg| match Url::parse(url) {
            Some(_) => failed(msg),
            None => fail!("{msg}").with("url", http::shown(url)).with("status", -1),
        })?;
        let message = response.message();
        if response.status == 304 {
            return Ok(Answer::NotModified(message));
        }
        if response.status != 200 {
            return Err(failed("Request failed".into())
                .with("status_code", response.status)
                .with("response", message));
        }
        let name = response.file_name();
        let status = Some(response.status);
        let mut file = self.beside()?;
        let length = response.header("content-length").and_then(|v| v.parse().ok());
        copy(&mut response.body, length, &mut file, self.host)?;
        Ok(Answer::File(Download { file, status, message, name }))
    }

    fn local(&self, path: &str) -> Result<Answer, String> {
        let broken = |e: io::Error| {
            let (text, path) = (crate::files::errno_text(&e, None), crate::args::python_repr(&path.into()));
            format!("Request failed: <urlopen error {text}: {path}>")
        };
        let mut from = fs::File::open(self.host.path(path)).map_err(broken)?;
        let size = from.metadata().map_err(broken)?.len();
        let mut file = self.beside().map_err(|e| e.msg)?;
        copy(&mut from, None, &mut file, self.host).map_err(|e| e.msg)?;
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        Ok(Answer::File(Download { file, status: None, message: format!("OK ({size} bytes)"), name }))
    }

    fn beside(&self) -> Result<NamedTempFile> {
        let dir = match &self.args.tmp_dest {
            None => self.host.tmp().to_owned(),
            Some(dir) => {
                let real = self.host.path(&dir.0);
                if !real.is_dir() {
                    return Err(match real.exists() {
                        true => fail!("{} is a file but should be a directory.", dir.0).with("elapsed", 0),
                        false => fail!("{} directory does not exist.", dir.0).with("elapsed", 0),
                    });
                }
                real
            }
        };
        let mode = fs::Permissions::from_mode(0o600);
        let made = tempfile::Builder::new().prefix("download-").permissions(mode).tempfile_in(dir);
        made.map_err(|e| fail!("failed to create temporary content file: {e}"))
    }
}

/// `length`: how many bytes there should be, if the server has said so.
fn copy(from: &mut dyn io::Read, length: Option<u64>, to: &mut NamedTempFile, host: &Host) -> Result<()> {
    let mut copied: u64 = 0;
    let mut buffer = vec![0; 64 << 10];
    loop {
        if host.is_cancelled() {
            return Err(fail!("it was stopped"));
        }
        let read = from.read(&mut buffer);
        let n = read.map_err(|e| match length.and_then(|length| length.checked_sub(copied)) {
            Some(left) if e.kind() == io::ErrorKind::UnexpectedEof => fail!(
                "Incomplete read, (rsp.length={left}, cl={}, st.st_size={copied}) failed to read remaining {left} bytes",
                copied + left
            ),
            _ => fail!("failed to create temporary content file: {}", io_text(&e)),
        })?;
        copied += n as u64;
        if n == 0 {
            return Ok(());
        }
        io::Write::write_all(to, &buffer[..n])
            .map_err(|e| fail!("failed to create temporary content file: {}", io_text(&e)))?;
    }
}
