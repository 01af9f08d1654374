//! The link in `sites-enabled`.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use crate::files::errno_text;
use crate::{Diff, Host, Result, fail};

pub struct Link {
    pub path: String,
    /// Where it should lead.
    target: String,
    /// Where it leads.
    now: Option<PathBuf>,
}

impl Link {
    pub fn look(host: &Host, path: &str, target: &str) -> Result<Self> {
        let real = host.path(path);
        let now = match fs::symlink_metadata(&real) {
            Ok(meta) if meta.is_symlink() => Some(
                fs::read_link(&real).map_err(|e| fail!("could not read {path}: {}", errno_text(&e, None)))?,
            ),
            Ok(meta) => {
                let what = if meta.is_dir() { "a directory" } else { "a file" };
                return Err(fail!("{path} is {what}, and should be a link to {target}"));
            }
            Err(_) => None,
        };
        Ok(Self { path: path.to_owned(), target: target.to_owned(), now })
    }

    /// It leads to the file, absolute or relative.
    fn leads_there(&self) -> bool {
        let Some(now) = &self.now else { return false };
        let dir = Path::new(&self.path).parent().unwrap_or(Path::new("/"));
        straight(&dir.join(now)) == straight(Path::new(&self.target))
    }

    pub fn is_right(&self, wanted: bool) -> bool {
        if wanted { self.leads_there() } else { self.now.is_none() }
    }

    pub fn make(&self, host: &Host, wanted: bool) -> Result<()> {
        if self.is_right(wanted) {
            return Ok(());
        }
        self.set(host, wanted.then_some(Path::new(&self.target)))
    }

    pub fn put_back(&self, host: &Host) -> Result<()> {
        self.set(host, self.now.as_deref())
    }

    /// A new link takes the old one's place in one step.
    fn set(&self, host: &Host, target: Option<&Path>) -> Result<()> {
        let real = host.path(&self.path);
        let done = match target {
            None => match fs::remove_file(&real) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
                other => other,
            },
            Some(target) if fs::read_link(&real).is_ok_and(|now| now == target) => Ok(()),
            Some(target) => {
                // A name with a dot in front is not read by nginx's `include sites-enabled/*`.
                let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let beside = real.with_file_name(format!(".{name}.provision-{}", std::process::id()));
                let _ = fs::remove_file(&beside);
                symlink(target, &beside).and_then(|()| fs::rename(&beside, &real))
            }
        };
        done.map_err(|e| fail!("could not change the link {}: {}", self.path, errno_text(&e, None)))
    }

    /// A line for what it is and what it shall be.
    pub fn diff(&self, wanted: bool) -> Option<Diff> {
        if self.is_right(wanted) {
            return None;
        }
        let line = |to: Option<&Path>| match to {
            Some(to) => format!("{} -> {}\n", self.path, to.display()),
            None => String::new(),
        };
        Some(Diff {
            before: Some(line(self.now.as_deref()).into()),
            after: Some(line(wanted.then_some(Path::new(&self.target))).into()),
            before_header: Some(self.path.clone()),
            after_header: Some(self.path.clone()),
            ..Diff::default()
        })
    }
}

/// Without `.` and `..`, by the letters alone.
fn straight(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = out.pop(),
            part => out.push(part),
        }
    }
    out
}
