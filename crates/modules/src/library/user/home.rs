//! Home directories that `useradd` did not make.

use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::Path;

use crate::system::textfile;
use crate::{Host, Result, fail};

use super::UserArgs;

/// `useradd` only makes the last directory of a path; where more is missing, make the home here. True if it was
/// made, and has to be given to the user.
pub fn make_missing_parent(host: &Host, args: &UserArgs, home: &str) -> Result<bool> {
    let parent = Path::new(home).parent().unwrap_or(Path::new("/"));
    if host.path(parent).exists() {
        return Ok(false);
    }
    make(host, args, home)?;
    Ok(true)
}

/// Make a home from the skeleton.
pub fn make(host: &Host, args: &UserArgs, home: &str) -> Result<()> {
    let skeleton = args.skeleton.as_deref().unwrap_or("/etc/skel");
    let target = host.path(home);
    let build = || {
        fs::create_dir_all(&target)?;
        if host.path(skeleton).is_dir() {
            copy(&host.path(skeleton), &target)?;
        }
        fs::set_permissions(&target, fs::Permissions::from_mode(mode(host, args)))
    };
    build().map_err(|e| fail!("failed to make the home directory {home}: {e}"))
}

/// Permissions of a new home: by the task's umask, else as `/etc/login.defs` says.
fn mode(host: &Host, args: &UserArgs) -> u32 {
    let octal = |text: &str| u32::from_str_radix(text, 8).ok();
    if let Some(umask) = args.umask.as_deref().and_then(octal) {
        return 0o777 & !umask;
    }
    let defs = textfile::read(host, "/etc/login.defs").ok().flatten().unwrap_or_default();
    let setting = |name: &str| {
        let mut lines = defs.lines().map(|l| l.split_whitespace().collect::<Vec<_>>());
        lines.find(|w| w.len() == 2 && w[0] == name).and_then(|w| octal(w[1]))
    };
    setting("HOME_MODE").or_else(|| setting("UMASK").map(|u| 0o777 & !u)).unwrap_or(0o755)
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, target)?;
        } else if kind.is_dir() {
            fs::create_dir_all(&target)?;
            fs::set_permissions(&target, entry.metadata()?.permissions())?;
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Give a home with everything in it to its user.
pub fn give(host: &Host, home: &str, uid: u32, gid: u32) -> Result<()> {
    give_tree(&host.path(home), uid, gid).map_err(|e| fail!("failed while attempting to chown: {e}"))
}

fn give_tree(path: &Path, uid: u32, gid: u32) -> std::io::Result<()> {
    lchown(path, Some(uid), Some(gid))?;
    if fs::symlink_metadata(path)?.is_dir() {
        for entry in fs::read_dir(path)? {
            give_tree(&entry?.path(), uid, gid)?;
        }
    }
    Ok(())
}
