//! Passwords: asked for, from files, from file descriptors.

use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};

use protocol::Secret;

use super::AddRootOptions;
use crate::cli::Failure;
use crate::cli::playbook::Passwords;
use crate::config::Config;

/// More than this is not a password.
const LONGEST: u64 = 4096;

/// What the options give for all hosts.
pub fn passwords(options: &AddRootOptions, config: &Config) -> Result<Passwords, Failure> {
    let mut passwords = Passwords::ask(&options.connection, config)?;
    if let Some(descriptor) = options.password_fd {
        passwords.connection = Some(from_descriptor(descriptor)?);
    }
    match options.become_password_fd {
        Some(descriptor) if Some(descriptor) == options.password_fd => {
            passwords.r#become = passwords.connection.clone();
        }
        Some(descriptor) => passwords.r#become = Some(from_descriptor(descriptor)?),
        None => {}
    }
    Ok(passwords)
}

/// The first line that comes from a descriptor this program was started with.
fn from_descriptor(descriptor: i32) -> Result<Secret, Failure> {
    let wrong = |reason: String| {
        Failure::new(format!("Could not read a password from file descriptor {descriptor}: {reason}"))
    };
    if descriptor < 0 || descriptor == 1 || descriptor == 2 {
        return Err(wrong("it is not one for input".into()));
    }
    // A number that is not open would otherwise be taken from whoever opens something next.
    if !std::path::Path::new(&format!("/proc/self/fd/{descriptor}")).exists() {
        return Err(wrong("it is not open".into()));
    }
    // SAFETY: the descriptor was given to this process for this purpose and is open; it is read once, and
    // nothing else uses it.
    let file = File::from(unsafe { OwnedFd::from_raw_fd(descriptor) });
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes).map_err(|e| wrong(e.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8 text".into()))?;
    let line = text.split(['\n', '\r']).next().unwrap_or_default();
    if line.is_empty() {
        return Err(wrong("there is none".into()));
    }
    Ok(Secret::new(line))
}
