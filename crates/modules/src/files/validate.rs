//! `validate`: a command that has to accept new content before it takes its place.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::{Host, ModuleError, Process, ProcessOutput, Result, words};

/// Run the command on `content` in a file that only this user can read. `Ok(None)` if it accepts it.
pub fn validate(host: &Host, command: &str, content: &[u8]) -> Result<Option<ProcessOutput>> {
    if !command.contains("%s") {
        return Err(ModuleError::new(format!("validate must contain %s: {command}")));
    }
    let io = |e: std::io::Error| ModuleError::new(format!("could not write a file to validate: {e}"));
    let file = tempfile::Builder::new().prefix("validate-").tempfile_in(host.tmp()).map_err(io)?;
    fs::write(file.path(), content).map_err(io)?;
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).map_err(io)?;
    let command = command.replace("%s", &file.path().to_string_lossy()).replace("%%", "%");
    let words = words::split(&command).map_err(ModuleError::new)?;
    let Some((program, args)) = words.split_first() else {
        return Err(ModuleError::new("validate is empty"));
    };
    let output = Process::new(program)
        .args(args)
        .run(host)
        .map_err(|e| ModuleError::new(format!("could not run {program}: {e}")).with("rc", 2))?;
    Ok((!output.success()).then_some(output))
}
