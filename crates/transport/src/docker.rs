//! A running container, by the `docker` command (or podman's, which takes the same arguments).

use std::sync::Arc;

use tokio::process::Command as Process;

use crate::error::ConnectError;
use crate::link::{Command, Host, Link};
use crate::prompt::BoxFuture;
use crate::target::Target;

/// A container.
pub struct Docker {
    program: String,
    program_args: Vec<String>,
    user: Option<String>,
    container: String,
}

impl Docker {
    /// The container that `target` names. An error if no such name can be.
    pub fn host(target: &Target) -> Result<Arc<dyn Host>, ConnectError> {
        if target.host.is_empty() || target.host.starts_with('-') {
            let reason = "this cannot be the name of a container".into();
            return Err(ConnectError::Docker { container: target.host.clone(), reason });
        }
        Ok(Arc::new(Self {
            program: target.program.clone().unwrap_or_else(|| "docker".into()),
            program_args: target.program_args.clone(),
            user: target.user.clone(),
            container: target.host.clone(),
        }))
    }
}

impl Host for Docker {
    fn start<'a>(&'a self, command: &'a Command) -> BoxFuture<'a, Result<Link, ConnectError>> {
        let mut process = Process::new(&self.program);
        process.args(&self.program_args).args(["exec", "-i"]);
        if let Some(user) = &self.user {
            process.args(["-u", user]);
        }
        process.arg(&self.container).args(["/bin/sh", "-c", &command.line]);
        let started = Link::spawn(process).map_err(|e| ConnectError::Docker {
            container: self.container.clone(),
            reason: format!("{} cannot be started: {e}", self.program),
        });
        Box::pin(std::future::ready(started))
    }
}
