//! A text in the user's editor.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use lang::{Error, Result};

use crate::config::Config;

/// What the user makes of a text: it is in a file that only the user can read for as long as the editor runs, and
/// overwritten after it. The file's name ends as that of `path`, so that the editor knows what it is.
pub fn edit(text: &[u8], path: &Path, config: &Config) -> Result<Vec<u8>> {
    let command = config.text("EDITOR").unwrap_or_else(|| "vi".into());
    let words = shlex::split(&command).filter(|words| !words.is_empty());
    let Some((program, args)) = words.as_deref().and_then(<[String]>::split_first) else {
        return Err(Error::new(format!("the editor '{command}' is not a command")));
    };
    let directory = config.path("DEFAULT_LOCAL_TMP").filter(|dir| dir.is_dir());
    let suffix = path.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    let failed = |e: std::io::Error| Error::new(format!("the file for the editor could not be used: {e}"));
    let mut builder = tempfile::Builder::new();
    builder.suffix(&suffix).permissions(std::fs::Permissions::from_mode(0o600));
    let mut file = match directory {
        Some(directory) => builder.tempfile_in(directory),
        None => builder.tempfile(),
    }
    .map_err(failed)?;
    file.write_all(text).map_err(failed)?;
    file.flush().map_err(failed)?;
    let started = Command::new(program).args(args).arg(file.path()).status();
    // The editor may have put another file in its place: read by name.
    let edited = std::fs::read(file.path());
    shred(file.path());
    started.map_err(|e| Error::new(format!("Unable to execute the command \"{command}\": {e}")))?;
    edited.map_err(failed)
}

/// Overwrite what is in a file.
fn shred(path: &Path) {
    let Ok(metadata) = path.metadata() else { return };
    if let Ok(mut file) = std::fs::OpenOptions::new().write(true).open(path) {
        let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX).min(1 << 26);
        let _ = file.write_all(&vec![0; length]);
        let _ = file.sync_all();
    }
}
