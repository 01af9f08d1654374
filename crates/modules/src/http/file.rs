//! Files that a module takes from a URL before it works with them.

use std::fs::File;
use std::path::PathBuf;

use tempfile::TempDir;

use super::{Options, Request, fetch, io_text};
use crate::{Host, Result, fail};

/// A file in a directory of its own, which goes when this does.
pub struct Fetched {
    pub path: PathBuf,
    pub dir: TempDir,
}

/// Download `url` to this host, under the name that the server or the URL gives it.
pub fn fetch_file(host: &Host, url: &str, options: Options) -> Result<Fetched> {
    let failed = |why: String| fail!("Failure downloading {url}, {why}");
    let mut response = fetch(host, Request::get(url, options)).map_err(failed)?;
    if !response.is_success() {
        return Err(failed(response.message()));
    }
    let io = |e: std::io::Error| failed(io_text(&e));
    let dir = tempfile::Builder::new().prefix("download-").tempdir_in(host.tmp()).map_err(io)?;
    let name = response.file_name();
    let path = dir.path().join(name);
    std::io::copy(&mut response.body, &mut File::create(&path).map_err(io)?).map_err(io)?;
    Ok(Fetched { path, dir })
}
