//! The controller's own machine.

use tokio::process::Command as Process;

use crate::error::ConnectError;
use crate::link::{Command, Host, Link};
use crate::prompt::BoxFuture;

/// Starts processes right here.
pub struct Local;

impl Host for Local {
    fn start<'a>(&'a self, command: &'a Command) -> BoxFuture<'a, Result<Link, ConnectError>> {
        let mut process = Process::new("/bin/sh");
        process.arg("-c").arg(&command.line);
        Box::pin(std::future::ready(spawn(process, "/bin/sh")))
    }
}

/// Start a program, naming it when that fails.
pub fn spawn(process: Process, program: &str) -> Result<Link, ConnectError> {
    Link::spawn(process)
        .map_err(|e| ConnectError::Start { program: program.to_owned(), reason: e.to_string() })
}
