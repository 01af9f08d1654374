//! Starting the system's own programs, with Ansible's words when that fails.

use std::path::PathBuf;

use crate::process::find_program;
use crate::{Host, ModuleError, Process, ProcessOutput, Result};

/// Where the program is, or Ansible's error.
pub fn required(host: &Host, name: &str) -> Result<PathBuf> {
    find_program(host, name).ok_or_else(|| {
        let path = host.env("PATH").unwrap_or_default();
        ModuleError::new(format!("Failed to find required executable \"{name}\" in paths: {path}"))
    })
}

/// A process of a program that has to be there.
pub fn process(host: &Host, name: &str) -> Result<Process> {
    Ok(Process::new(required(host, name)?))
}

/// Run it; the exit status is the caller's business, not being able to start it an error.
pub fn run(host: &Host, process: &Process) -> Result<ProcessOutput> {
    process.run(host).map_err(|e| ModuleError::new(format!("Error executing command: {e}")))
}

/// Refuse an argument that is not built, by name.
pub fn refuse(name: &str, why: &str) -> ModuleError {
    ModuleError::new(format!("argument '{name}' is not supported: {why}"))
}
