//! Becoming another user: starting this program again under another identity.
//!
//! `sudo`, `su` and `doas` are started as the user's administrator set them up, and asked only for what they ask:
//! a password is written when a prompt is seen, to the program's input (sudo) or to a terminal made for the
//! purpose (su and doas read nothing else), never into arguments or environment. What was started announces
//! itself with a random word before it speaks the protocol, so that whatever a login shell or a lecture prints
//! before does no harm.
//!
//! A connection that is root already needs no permission from anybody: with `sudo` or `su` as they come (no
//! `become_exe`, default `become_flags`) the identity is changed by this program itself, with the environment that sudo
//! would give. What is not done then: PAM sessions (limits, umask), sudo's log, and restrictions of root in
//! `sudoers`. Saying `become_exe: sudo` brings all that back.

mod agent_file;
mod dialog;
mod direct;
mod door;
mod sudo;
mod terminal;

use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::process;

use protocol::{Become, Outcome};

use crate::identity::User;
use crate::start::Program;

pub use agent_file::Copies;
pub use door::fetch;

/// A child agent that has announced itself.
pub struct Started {
    pub process: process::Child,
    pub to: File,
    pub from: BufReader<File>,
    /// The terminal it was started on: it would be hung up if this were closed.
    pub terminal: Option<File>,
}

/// Why there is none, as the `msg` of a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused(pub String);

impl Refused {
    pub fn outcome(&self) -> Outcome {
        Outcome::failure(format!("Task failed: {}", self.0))
    }

    /// In the words of Ansible, with what the program said.
    fn ended(said: &str) -> Self {
        let said = said.trim();
        Self(format!("Premature end of stream waiting for become success.\n>>> Standard Error\n{said}"))
    }

    fn incorrect(method: &str) -> Self {
        Self(format!("Incorrect {method} password"))
    }

    fn missing(method: &str) -> Self {
        Self(format!("Missing {method} password"))
    }
}

/// Is `wanted` who we are already? Then there is nothing to become.
pub fn is_self(me: &User, wanted: &Become) -> bool {
    me.name == wanted.user
}

/// Start the agent under another identity. `tmp` is a directory for a copy of the program, if one is needed.
pub fn start(me: &User, wanted: &Become, program: &Program, copies: &mut Copies) -> Result<Started, Refused> {
    if wanted.user.is_empty() || wanted.user.starts_with('-') || wanted.user.contains('\0') {
        return Err(Refused(format!("cannot become {:?}: not a name of a user", wanted.user)));
    }
    if !["sudo", "su", "doas"].contains(&wanted.method.as_str()) {
        return Err(Refused(unknown_method(&wanted.method)));
    }
    if let Some(user) = direct::applies(me, wanted)? {
        return direct::start(me, &user, &wanted.method, program);
    }
    let file = copies.reachable(program, &wanted.user)?;
    match wanted.method.as_str() {
        "sudo" => sudo::start(wanted, program, &file),
        method => terminal::start(method, wanted, program, &file),
    }
}

fn unknown_method(method: &str) -> String {
    let known = "runas pbrun pfexec dzdo ksu machinectl pmrun sesu runuser enable";
    if known.split(' ').any(|m| m == method) {
        format!("become method '{method}' is not supported; sudo, su and doas are")
    } else {
        format!("Invalid become method specified, could not find matching plugin: '{method}'.")
    }
}

/// The program of a method with its first arguments: `become_exe` (which may be `sudo su`), or the method's own name.
fn executable(wanted: &Become, method: &str) -> Result<(String, Vec<String>), Refused> {
    let words = modules::words::split(wanted.exe.as_deref().unwrap_or_default())
        .map_err(|e| Refused(format!("become_exe: {e}")))?;
    let mut words = words.into_iter();
    Ok((words.next().unwrap_or_else(|| method.to_owned()), words.collect()))
}

/// The sentence for a program that could not be started.
fn not_started(program: &str, error: &std::io::Error) -> Refused {
    Refused::ended(&match error.kind() {
        std::io::ErrorKind::NotFound => format!("{program}: not found"),
        _ => format!("{program}: {error}"),
    })
}

/// Words of a shell's command line that mean `path` and `args`.
fn shell_line(path: &Path, args: &[String]) -> String {
    std::iter::once(quote(&path.to_string_lossy()))
        .chain(args.iter().map(|a| quote(a)))
        .collect::<Vec<_>>()
        .join(" ")
}

fn quote(word: &str) -> String {
    if !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "/._-,=:+@%".contains(c)) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
