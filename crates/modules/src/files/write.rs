//! Replacing files so that nobody ever sees half of one.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown, lchown};
use std::path::{Path, PathBuf};

use super::attrs::FileAttrs;
use super::info::fail_at;
use super::mode::umask;
use super::oserror::errno_text;
use crate::{Host, Result};

/// What to write where.
pub struct Replacement<'a> {
    /// The path, final: a link here is replaced, not followed.
    pub path: &'a str,
    /// Owner, group and mode the new file shall have from its first moment; what it leaves open is taken from
    /// the file that was there.
    pub attrs: &'a FileAttrs,
    /// Permissions of a file that was not there, if the attributes leave it open; by default 0666 less the umask.
    pub new_mode: Option<u32>,
    /// Permissions instead of the old file's; then its owner is not taken over either.
    pub instead: Option<u32>,
}

/// Write beside, synchronise, set owner and mode, rename.
pub fn write_atomically(host: &Host, new: &Replacement<'_>, content: &mut dyn Read) -> Result<()> {
    let target = host.path(new.path);
    let old = fs::symlink_metadata(&target).ok().filter(Metadata::is_file);
    new.attrs.verify(host, new.path)?;
    match replace(host, new, &target, old.as_ref(), content) {
        Ok(result) => result,
        // A mount point or an immutable directory: the file itself may still be writable.
        Err(e) if new.attrs.writes_unsafely(host) && old.is_some() => {
            let write = |content: &mut dyn Read| {
                io::copy(content, &mut OpenOptions::new().write(true).truncate(true).open(&target)?)
            };
            write(content).map(drop).map_err(|second| {
                let why = format!("{}, {}", errno_text(&e, None), errno_text(&second, None));
                fail_at(host, new.path, format!("Could not write data to file ({}): {why}", new.path))
            })
        }
        Err(e) => {
            let dir = parent(&target);
            let msg = match e.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => format!(
                    "The destination directory ({}) is not writable by the current user. Error was: {}",
                    dir.display(),
                    errno_text(&e, None)
                ),
                _ => format!("Could not replace file {}: {}", new.path, errno_text(&e, Some(&target))),
            };
            Err(fail_at(host, new.path, msg))
        }
    }
}

fn parent(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The outer error says that the directory or the rename refused, before `content` was lost.
fn replace(
    host: &Host,
    new: &Replacement<'_>,
    target: &Path,
    old: Option<&Metadata>,
    content: &mut dyn Read,
) -> io::Result<Result<()>> {
    let mut beside = tempfile::Builder::new().prefix(".provision-").tempfile_in(parent(target))?;
    io::copy(content, beside.as_file_mut())?;
    let fresh = || new.new_mode.unwrap_or(0o666 & !umask());
    let current = old.map_or_else(fresh, |m| new.instead.unwrap_or(m.mode()) & 0o7777);
    let wanted = || -> Result<_> {
        Ok((
            new.attrs.uid(host, new.path)?,
            new.attrs.gid(host, new.path)?,
            new.attrs.mode_for(host, new.path, current, false)?,
        ))
    };
    let (uid, gid, mode) = match wanted() {
        Ok(wanted) => wanted,
        Err(e) => return Ok(Err(e)),
    };
    if let Some(old) = old.filter(|_| new.instead.is_none()) {
        copy_extended(target, beside.path());
        // Not being allowed to give the file away is no reason to fail.
        let _ = fchown(beside.as_file(), Some(old.uid()), Some(old.gid()));
    }
    if uid.is_some() || gid.is_some() {
        fchown(beside.as_file(), uid, gid)?;
    }
    beside.as_file().set_permissions(Permissions::from_mode(mode.unwrap_or(current)))?;
    beside.as_file().sync_all()?;
    match beside.persist(target) {
        Ok(_) => {}
        Err(e) if new.attrs.writes_unsafely(host) && old.is_some() => {
            // The new content is in the file beside: pour it into the old one.
            io::copy(
                &mut File::open(e.file.path())?,
                &mut OpenOptions::new().write(true).truncate(true).open(target)?,
            )?;
        }
        Err(e) => return Err(e.error),
    }
    sync_dir(parent(target));
    Ok(Ok(()))
}

/// A rename is only sure to survive a crash when its directory is on the disk.
fn sync_dir(dir: &Path) {
    if let Ok(dir) = File::open(dir) {
        let _ = dir.sync_all();
    }
}

/// Give `to` the owner and mode of `meta`; an owner that may not be given is left.
pub fn copy_attributes(meta: &Metadata, to: &Path) -> io::Result<()> {
    let _ = lchown(to, Some(meta.uid()), Some(meta.gid()));
    fs::set_permissions(to, Permissions::from_mode(meta.mode() & 0o7777))
}

/// Access control lists and other extended attributes go along as far as the file system lets them.
fn copy_extended(from: &Path, to: &Path) {
    use nix::libc::{getxattr, listxattr, setxattr};
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt;
    let name = |p: &Path| CString::new(PathBuf::from(p).as_os_str().as_bytes()).ok();
    let (Some(from), Some(to)) = (name(from), name(to)) else { return };
    let mut names = vec![0u8; 4096];
    // SAFETY: every buffer is as long as said, every name ends with a zero.
    let length = unsafe { listxattr(from.as_ptr(), names.as_mut_ptr().cast(), names.len()) };
    names.truncate(usize::try_from(length).unwrap_or(0));
    for name in names.split(|b| *b == 0).filter(|n| !n.is_empty()) {
        let Ok(name) = CString::new(name) else { continue };
        let mut value = vec![0u8; 65536];
        unsafe {
            let length = getxattr(from.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len());
            if let Ok(length) = usize::try_from(length) {
                setxattr(to.as_ptr(), name.as_ptr(), value.as_ptr().cast(), length, 0);
            }
        }
    }
}
