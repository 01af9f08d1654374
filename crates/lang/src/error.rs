use std::fmt;

use crate::Pos;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error in what the user wrote: a sentence, where it is about, what could be done, and what led there.
///
/// The command draws it with the offending lines; the library only carries the data.
#[derive(Clone, Debug)]
pub struct Error(Box<Inner>);

#[derive(Clone, Debug)]
struct Inner {
    message: String,
    pos: Option<Pos>,
    help: Option<String>,
    cause: Option<Error>,
    kind: ErrorKind,
}

/// What a caller may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ErrorKind {
    /// Anything that is not one of the others.
    #[default]
    Other,
    /// The text is not YAML, INI, Jinja ...
    Syntax,
    /// A variable that nothing defines.
    Undefined,
    /// A value that an unfinished task will set: not known *yet*. Never shown to a user.
    Pending,
    /// A file, role or template that is not there.
    NotFound,
    /// An action refuses what it is given: its result is this message and nothing else.
    Refused,
    /// Something is encrypted, and no password was given at all.
    NoSecrets,
}

impl Error {
    /// An error with a message; a sentence without a full stop at the end, as Ansible's.
    pub fn new(message: impl Into<String>) -> Self {
        let inner =
            Inner { message: message.into(), pos: None, help: None, cause: None, kind: ErrorKind::Other };
        Self(Box::new(inner))
    }

    /// The name `name` waits for an unfinished task.
    pub fn pending(name: &str) -> Self {
        Self::new(format!("'{name}' is not known yet")).with_kind(ErrorKind::Pending)
    }

    /// What to tell apart it as.
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// Where it is. A position that is there already is more precise and stays.
    pub fn at(mut self, pos: Option<&Pos>) -> Self {
        if self.0.pos.is_none() {
            self.0.pos = pos.cloned();
        }
        self
    }

    /// What could be done about it: "did you mean `copy`?".
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// What led to it.
    pub fn caused_by(mut self, cause: Error) -> Self {
        self.0.kind = match (self.0.kind, cause.0.kind) {
            (_, ErrorKind::Pending) => ErrorKind::Pending,
            (ErrorKind::Other, kind) => kind,
            (kind, _) => kind,
        };
        self.0.cause = Some(cause);
        self
    }

    pub fn message(&self) -> &str {
        &self.0.message
    }

    pub fn pos(&self) -> Option<&Pos> {
        self.0.pos.as_ref()
    }

    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    pub fn cause(&self) -> Option<&Error> {
        self.0.cause.as_ref()
    }

    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Is this not an error at all, but a value that is not known yet?
    pub fn is_pending(&self) -> bool {
        self.0.kind == ErrorKind::Pending
    }
}

/// The message and its causes on one line, `a: b: c`, as Ansible's `msg` shows them.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        if let Some(cause) = &self.0.cause {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
