//! A directory that holds a system's root, by `chroot`(8).

use std::path::Path;
use std::sync::Arc;

use tokio::process::Command as Process;

use crate::error::ConnectError;
use crate::link::{Command, Host, Link};
use crate::prompt::BoxFuture;
use crate::target::Target;

/// A root directory.
pub struct Chroot {
    program: String,
    program_args: Vec<String>,
    directory: String,
}

impl Chroot {
    /// The directory that `target` names; it must be one with a shell in it, and we must be root.
    pub fn host(target: &Target) -> Result<Arc<dyn Host>, ConnectError> {
        let bad =
            |reason: &str| ConnectError::Chroot { directory: target.host.clone(), reason: reason.into() };
        let root = Path::new(&target.host);
        if !root.is_absolute() || !root.is_dir() {
            return Err(bad("it is not a directory"));
        }
        // Not followed: links inside lead elsewhere from outside.
        if root.join("bin/sh").symlink_metadata().is_err() {
            return Err(bad("it has no /bin/sh"));
        }
        if !nix::unistd::geteuid().is_root() && target.program.is_none() {
            return Err(bad("chroot connection requires running as root"));
        }
        Ok(Arc::new(Self {
            program: target.program.clone().unwrap_or_else(|| "chroot".into()),
            program_args: target.program_args.clone(),
            directory: target.host.clone(),
        }))
    }
}

impl Host for Chroot {
    fn start<'a>(&'a self, command: &'a Command) -> BoxFuture<'a, Result<Link, ConnectError>> {
        let mut process = Process::new(&self.program);
        process.args(&self.program_args).arg(&self.directory).args(["/bin/sh", "-c", &command.line]);
        let started = Link::spawn(process).map_err(|e| ConnectError::Chroot {
            directory: self.directory.clone(),
            reason: format!("{} cannot be started: {e}", self.program),
        });
        Box::pin(std::future::ready(started))
    }
}
