//! What a path is, and the keys about it that every result with a `path` or `dest` carries.

use std::fs::{self, Metadata};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use protocol::Map;

use super::owners;
use crate::{Host, ModuleError};

/// The states of Ansible's `file` module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Absent,
    File,
    Directory,
    Link,
    /// A file with more than one name.
    Hard,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "link",
            Self::Hard => "hard",
        }
    }

    fn of(meta: &Metadata) -> Self {
        let kind = meta.file_type();
        if kind.is_symlink() {
            Self::Link
        } else if kind.is_dir() {
            Self::Directory
        } else if meta.nlink() > 1 && !kind.is_fifo() {
            Self::Hard
        } else {
            Self::File
        }
    }
}

/// What is at this path, without following it if it is a link.
pub fn state_of(path: &Path) -> State {
    fs::symlink_metadata(path).map_or(State::Absent, |meta| State::of(&meta))
}

/// `0644`, the way results show a mode.
pub fn octal(mode: u32) -> String {
    format!("0{:03o}", mode & 0o7777)
}

/// Add `uid`, `gid`, `owner`, `group`, `mode`, `state` and `size` of what is at `path` or `dest` of this
/// result. Every module's result with one of these keys has them, failures too.
pub fn add_path_info(host: &Host, result: &mut Map) {
    let Some(path) = ["path", "dest"].iter().find_map(|k| result.get(*k)).and_then(|v| v.as_str()) else {
        return;
    };
    let Ok(meta) = fs::symlink_metadata(host.path(path)) else { return };
    result.insert("uid".into(), meta.uid().into());
    result.insert("gid".into(), meta.gid().into());
    result.insert("owner".into(), owners::user_name(host, meta.uid()).into());
    result.insert("group".into(), owners::group_name(host, meta.gid()).into());
    result.insert("mode".into(), octal(meta.mode()).into());
    result.insert("state".into(), State::of(&meta).word().into());
    result.insert("size".into(), meta.size().into());
}

/// A failure about a path, with what is there.
pub fn fail_at(host: &Host, path: &str, msg: impl Into<String>) -> ModuleError {
    let mut error = ModuleError::new(msg).with("path", path);
    add_path_info(host, &mut error.result);
    error
}

/// Python's `os.path.realpath`: links resolved as far as there is something, the rest kept.
pub fn real_path(path: &Path) -> PathBuf {
    let mut real = if path.is_absolute() {
        PathBuf::from("/")
    } else {
        std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))
    };
    let mut rest: Vec<PathBuf> = vec![path.to_owned()];
    let mut links = 0;
    while let Some(next) = rest.pop() {
        let mut parts = next.components();
        let Some(part) = parts.next() else { continue };
        rest.push(parts.as_path().to_owned());
        match part {
            Component::RootDir | Component::Prefix(_) => real = PathBuf::from("/"),
            Component::CurDir => {}
            Component::ParentDir => {
                real.pop();
            }
            Component::Normal(name) => {
                let there = real.join(name);
                match fs::read_link(&there) {
                    Ok(target) if links < 40 => {
                        links += 1;
                        rest.push(target);
                    }
                    _ => real = there,
                }
            }
        }
    }
    real
}
