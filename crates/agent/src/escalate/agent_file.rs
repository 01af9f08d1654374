//! The program's file, for users who cannot reach it where it is.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::sys::statvfs::{FsFlags, statvfs};
use protocol::Hash;

use super::Refused;
use crate::start::Program;
use crate::tmp::unique_name;

/// Directories for the copy that every user can enter, best first.
const PLACES: [&str; 4] = ["/tmp", "/var/tmp", "/dev/shm", "/run"];

/// The copy made for this connection, removed with it.
#[derive(Default)]
pub struct Copies {
    dir: Option<PathBuf>,
}

impl Copies {
    /// A path of the program that `user` can execute: its own, or that of a copy.
    pub fn reachable(&mut self, program: &Program, user: &str) -> Result<PathBuf, Refused> {
        if user == "root" || is_open(&program.path) {
            return Ok(program.path.clone());
        }
        if let Some(dir) = &self.dir {
            return Ok(dir.join("provision-agent"));
        }
        let mut problems = Vec::new();
        for place in PLACES {
            match copy_to(Path::new(place), &program.path) {
                Ok(dir) => {
                    let file = dir.join("provision-agent");
                    self.dir = Some(dir);
                    return Ok(file);
                }
                Err(problem) => problems.push(format!("{place}: {problem}")),
            }
        }
        Err(Refused(format!(
            "{user} cannot execute {}, and there is no place for a copy ({})",
            program.path.display(),
            problems.join("; ")
        )))
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        if let Some(dir) = &self.dir {
            let _ = fs::remove_dir_all(dir);
        }
    }
}

/// Can everybody execute it, through all its directories?
fn is_open(file: &Path) -> bool {
    let executable = fs::metadata(file).is_ok_and(|m| m.mode() & 0o005 == 0o005);
    executable && file.ancestors().skip(1).all(|dir| fs::metadata(dir).is_ok_and(|m| m.mode() & 0o001 != 0))
}

/// A directory of ours below `place` with the program in it: everybody may enter, only we may write.
fn copy_to(place: &Path, program: &Path) -> Result<PathBuf, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    if statvfs(place).map_err(|e| text(&e))?.flags().contains(FsFlags::ST_NOEXEC) {
        return Err("nothing can be executed there".into());
    }
    let dir = place.join(unique_name("provision-agent"));
    fs::DirBuilder::new().mode(0o700).create(&dir).map_err(|e| text(&e))?;
    let made = write_copy(&dir, program).map_err(|e| text(&e));
    if made.is_err() {
        let _ = fs::remove_dir_all(&dir);
    }
    made.map(|()| dir)
}

fn write_copy(dir: &Path, program: &Path) -> std::io::Result<()> {
    let mut content = Vec::new();
    File::open(program)?.read_to_end(&mut content)?;
    let path = dir.join("provision-agent");
    let mut copy = OpenOptions::new().read(true).write(true).create_new(true).mode(0o700).open(&path)?;
    std::io::Write::write_all(&mut copy, &content)?;
    let mut written = Vec::with_capacity(content.len());
    copy.rewind()?;
    copy.read_to_end(&mut written)?;
    if Hash::of(&written) != Hash::of(&content) {
        return Err(std::io::Error::other("the copy is damaged"));
    }
    // A file that is open for writing cannot be executed.
    drop(copy);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o755))
}
