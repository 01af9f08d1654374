//! Reading text files of the host, and replacing them so that nobody ever sees half of one.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use crate::{Diff, Host, ModuleError, Result};

/// The file as text; `None` when it is not there. Bytes that are not UTF-8 are replaced.
pub fn read(host: &Host, path: &str) -> Result<Option<String>> {
    match fs::read(host.path(path)) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(ModuleError::new(format!("could not read {path}: {e}"))),
    }
}

/// Who a file belongs to and who may read it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Rights {
    pub uid: Option<u32>,
    pub gid: Option<u32>,
    /// For a new file; 0644 if not given.
    pub mode: Option<u32>,
    /// Set owner and mode also when the file was there before.
    pub force: bool,
}

/// Replace the file (or make it): written beside, synchronised, given the old one's owner and mode, renamed.
/// A symbolic link is followed, so that the link stays.
pub fn write(host: &Host, path: &str, content: &[u8], rights: Rights) -> Result<()> {
    let target = host.path(path);
    let target = fs::canonicalize(&target).unwrap_or(target);
    replace(&target, content, rights).map_err(|e| ModuleError::new(format!("could not write {path}: {e}")))
}

fn replace(target: &Path, content: &[u8], rights: Rights) -> io::Result<()> {
    let dir = target.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::Builder::new().prefix(".provision-").tempfile_in(dir)?;
    file.write_all(content)?;
    let old = fs::metadata(target).ok();
    let kept = old.as_ref().filter(|_| !rights.force);
    let mode = kept.map(|m| m.mode() & 0o7777).or(rights.mode).unwrap_or(0o644);
    let uid = kept.map(MetadataExt::uid).or(rights.uid);
    let gid = kept.map(MetadataExt::gid).or(rights.gid);
    let own = file.as_file().metadata()?;
    if uid.is_some_and(|u| u != own.uid()) || gid.is_some_and(|g| g != own.gid()) {
        fchown(file.as_file(), uid, gid)?;
    }
    file.as_file().set_permissions(fs::Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    file.persist(target).map_err(|e| e.error)?;
    Ok(())
}

/// Before and after of a file, with the headers that Ansible's modules give.
pub fn diff(before: &str, after: &str, before_header: &str, after_header: &str) -> Diff {
    Diff {
        before: Some(before.into()),
        after: Some(after.into()),
        before_header: Some(before_header.into()),
        after_header: Some(after_header.into()),
        ..Diff::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_keeps_its_mode_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::at(dir.path(), dir.path());
        write(&host, "/f", b"one", Rights { mode: Some(0o600), ..Rights::default() }).unwrap();
        write(&host, "/f", b"two", Rights::default()).unwrap();
        assert_eq!(read(&host, "/f").unwrap().as_deref(), Some("two"));
        assert_eq!(fs::metadata(dir.path().join("f")).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(read(&host, "/f/g").unwrap(), None);
    }
}
