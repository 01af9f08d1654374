//! Errors that end the command: what is shown, and with which exit code.

use std::process::ExitCode;

use crate::report::describe;

/// ansible-playbook's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Anything that is not one of the others.
    Error = 1,
    /// Something in a playbook cannot be read.
    Parser = 4,
    /// A wrong combination of options.
    Options = 5,
    /// The user has interrupted it.
    Interrupted = 99,
}

/// Why the command ends.
#[derive(Debug)]
pub struct Failure {
    pub exit: Exit,
    pub errors: Vec<lang::Error>,
}

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Self { exit: Exit::Error, errors: vec![lang::Error::new(message)] }
    }

    pub fn with(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, errors: vec![lang::Error::new(message)] }
    }

    /// Show all errors.
    pub fn report(&self) -> ExitCode {
        for error in &self.errors {
            let text = describe(error);
            // As Ansible: an error of several lines is set off from what follows.
            let end = if text.contains('\n') { "\n" } else { "" };
            eprintln!("[ERROR]: {text}{end}");
        }
        ExitCode::from(self.exit as u8)
    }
}

impl From<lang::Error> for Failure {
    fn from(error: lang::Error) -> Self {
        let exit = match error.kind() {
            lang::error::ErrorKind::Syntax => Exit::Parser,
            _ => Exit::Error,
        };
        Self { exit, errors: vec![error] }
    }
}

impl From<Vec<lang::Error>> for Failure {
    fn from(errors: Vec<lang::Error>) -> Self {
        let parser = errors.iter().any(|e| e.kind() == lang::error::ErrorKind::Syntax);
        Self { exit: if parser { Exit::Parser } else { Exit::Error }, errors }
    }
}
