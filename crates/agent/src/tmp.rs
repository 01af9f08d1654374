//! The directory for temporary files.

use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::identity;

/// Where to look when the user has no wish, or one that cannot be had.
const PLACES: [&str; 4] = ["/tmp", "/var/tmp", "/dev/shm", "/run"];

/// A directory that only this user can enter, removed with all its content when dropped.
pub struct TempDir(PathBuf);

impl TempDir {
    /// Make one below `wish` (`remote_tmp`), or elsewhere with a warning.
    pub fn new(wish: Option<&str>) -> Result<(Self, Option<String>), String> {
        let mut problems = Vec::new();
        if let Some(wish) = wish {
            match Self::below(&expand(wish), true) {
                Ok(dir) => return Ok((dir, None)),
                Err(e) => problems.push(format!("{wish}: {e}")),
            }
        }
        for place in PLACES {
            match Self::below(Path::new(place), false) {
                Ok(dir) => {
                    let warning = problems.first().map(|p| {
                        format!("temporary files go to {place}, because remote_tmp cannot be used: {p}")
                    });
                    return Ok((dir, warning));
                }
                Err(e) => problems.push(format!("{place}: {e}")),
            }
        }
        Err(format!("no directory for temporary files: {}", problems.join("; ")))
    }

    fn below(parent: &Path, make: bool) -> io::Result<Self> {
        if make {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
        }
        let dir = parent.join(unique_name("provision"));
        std::fs::DirBuilder::new().mode(0o700).create(&dir)?;
        // Where the file system has no owners or modes, others could read what is put here.
        let meta = std::fs::symlink_metadata(&dir)?;
        if meta.mode() & 0o077 != 0 || meta.uid() != nix::unistd::geteuid().as_raw() {
            let _ = std::fs::remove_dir(&dir);
            return Err(io::Error::other("the file system cannot keep other users out"));
        }
        Ok(Self(dir))
    }

    /// Take over a directory that another process made with this type, and [kept](Self::keep).
    pub fn existing(path: PathBuf) -> Self {
        Self(path)
    }

    /// Leave it to somebody else to remove.
    pub fn keep(mut self) {
        self.0 = PathBuf::new();
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

fn expand(path: &str) -> PathBuf {
    match path.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            identity::home().join(rest.trim_start_matches('/'))
        }
        _ => path.into(),
    }
}

/// A name that nothing else has: `mkdir` decides, this only has to be hard to meet by accident.
pub fn unique_name(prefix: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{prefix}-{}-{:x}-{count}", std::process::id(), time & 0xffff_ffff_ffff)
}
