//! Reading files, and finding those whose extension is not written.

use std::collections::HashMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::error::ErrorKind;
use crate::yaml::{self, Node};
use crate::{Error, Result};

use super::Load;

/// Extensions of YAML files, in the order they are tried.
const EXTENSIONS: [&str; 3] = ["yml", "yaml", "json"];

/// Parsed files with their time and length; one that changed is read again.
#[derive(Default)]
pub(super) struct Files(Mutex<HashMap<PathBuf, (SystemTime, u64, Arc<Node>)>>);

/// The absolute directory of a file.
pub(super) fn directory(path: &Path) -> Arc<Path> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    absolute(dir).into()
}

/// A path from the root, without `.` and `..`.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).map_or_else(|_| path.into(), |path| clean(&path))
}

/// The path without `.` and, as Python's `normpath`, without `..`.
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// A path as the user may write it: `~` is the home directory; a relative one is below `base`.
pub(crate) fn below(base: &Path, name: &str) -> PathBuf {
    if let Some(rest) = name.strip_prefix("~/")
        && let Some(home) = std::env::home_dir()
    {
        return home.join(rest);
    }
    clean(&base.join(name))
}

/// The file of that name, as it is or with one of the usual extensions.
pub(super) fn with_extension(dir: &Path, name: &str) -> Option<PathBuf> {
    let exact = below(dir, name);
    let tried = std::iter::once(exact.clone()).chain(EXTENSIONS.map(|ext| append(&exact, ext)));
    tried.into_iter().find(|path| path.is_file())
}

/// Files of variables of that name: a file with one of the usual extensions, or all of a directory.
pub(super) fn variables(dir: &Path, name: &str) -> Vec<PathBuf> {
    let exact = below(dir, name);
    if exact.is_dir() {
        let mut files = Vec::new();
        all_below(&exact, &mut files);
        return files;
    }
    with_extension(dir, name).into_iter().collect()
}

/// Files of variables in a directory and those below, by name; hidden ones and backups are left out.
fn all_below(dir: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if path.is_dir() {
            all_below(&path, files);
        } else if path.extension().is_none_or(|ext| EXTENSIONS.iter().any(|e| ext == *e)) {
            files.push(path);
        }
    }
}

fn append(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

impl Load<'_> {
    /// The parsed content of a file.
    pub(super) fn read(&mut self, path: &Path) -> Result<Arc<Node>> {
        let meta = std::fs::metadata(path);
        let stamp = meta.ok().and_then(|m| Some((m.modified().ok()?, m.len())));
        let files = &self.loader.files.0;
        if let Some((time, length)) = stamp
            && let Some((known, size, node)) = files.lock().unwrap_or_else(PoisonError::into_inner).get(path)
            && (*known, *size) == (time, length)
        {
            return Ok(node.clone());
        }
        let text = self.loader.hooks.read(path)?;
        let document = yaml::parse_one(&text, path)?;
        self.warnings.extend(document.warnings);
        let node = Arc::new(document.root);
        if let Some((time, length)) = stamp {
            let entry = (time, length, node.clone());
            files.lock().unwrap_or_else(PoisonError::into_inner).insert(path.into(), entry);
        }
        Ok(node)
    }
}

/// The error for a file that is imported or included and is not there.
pub(super) fn missing(path: &Path) -> Error {
    Error::new(format!(
        "Unable to retrieve file contents.\nCould not find or access '{}' on the Ansible Controller.\nIf you are \
         using a module and expect the file to exist on the remote, see the remote_src option: [Errno 2] No such \
         file or directory: '{}'",
        path.display(),
        path.display()
    ))
    .with_kind(ErrorKind::NotFound)
}
