use std::fmt;
use std::path::Path;
use std::sync::Arc;

/// Where something was written: file, line and column, both counted from 1 (in characters). Line 0 is for what has no
/// lines, as variables of the environment; then `file` says what it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pos {
    pub file: Arc<Path>,
    pub line: u32,
    pub column: u32,
}

impl fmt::Display for Pos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.file.display()),
            line => write!(f, "{}:{line}:{}", self.file.display(), self.column),
        }
    }
}
