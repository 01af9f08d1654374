//! YAML as Ansible reads and writes it: libyaml's grammar, YAML 1.1's values, and a position on every node.
//!
//! [`parse_one`] reads a file the way Ansible's loader does: as JSON if it is that, otherwise as YAML. Strings
//! of the result are templates ([`Node::to_value`]) unless they are marked `!unsafe`. What is odd but not wrong
//! (a key written twice) is a warning beside the result. [`from_yaml`] is the filter: data in, data out, nothing
//! in it is a template. [`to_yaml`] prints as PyYAML does.
//!
//! Input is not trusted to be small in effect: nesting is limited to [`MAX_DEPTH`] and what aliases repeat to
//! [`MAX_EXPANDED`] nodes.

mod astral;
mod compose;
mod dump;
mod emitter;
mod hint;
mod json;
mod libyaml;
mod node;
mod scalar;

use std::path::Path;
use std::sync::Arc;

pub use dump::{DumpOptions, ScalarQuotes, to_yaml};
pub use node::{Node, NodeKind, Style};

use crate::error::ErrorKind;
use crate::{Error, Pos, Result, Value};

/// How deep sequences and mappings may nest.
pub const MAX_DEPTH: usize = 512;

/// How many nodes aliases may repeat in one document: a file of a few lines can ask for billions.
pub const MAX_EXPANDED: usize = 500_000;

/// A document and what was odd about it.
#[derive(Clone, Debug)]
pub struct Document {
    pub root: Node,
    /// Sentences with positions, such as a key that is there twice.
    pub warnings: Vec<Error>,
}

/// Read a text of one document. An empty text is null; a second document is an error, as in Ansible.
pub fn parse_one(text: &[u8], file: &Path) -> Result<Document> {
    let file: Arc<Path> = file.into();
    if let Some(root) = json::parse(text, &file) {
        return Ok(Document { root, warnings: Vec::new() });
    }
    let mut documents = compose::documents(text, &file, true, Some(1))?;
    Ok(documents.pop().unwrap_or_else(|| Document { root: null(&file), warnings: Vec::new() }))
}

/// Read a text of any number of documents.
pub fn parse(text: &[u8], file: &Path) -> Result<Vec<Document>> {
    compose::documents(text, &file.into(), true, None)
}

/// Read a file that has to be UTF-8 text with one YAML or JSON document.
pub fn parse_file(file: &Path) -> Result<Document> {
    let text = std::fs::read(file).map_err(|error| unreadable(file, &error))?;
    parse_one(&text, file)
}

/// The error for a file that cannot be read.
pub fn unreadable(file: &Path, error: &std::io::Error) -> Error {
    let kind =
        if error.kind() == std::io::ErrorKind::NotFound { ErrorKind::NotFound } else { ErrorKind::Other };
    Error::new(format!("Unable to read the file '{}': {}", file.display(), os_error(error))).with_kind(kind)
}

/// The words of the operating system without Rust's "(os error 2)".
fn os_error(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// The `from_yaml` filter: one document, its strings mere text.
pub fn from_yaml(text: &str) -> Result<Value> {
    let file: Arc<Path> = Path::new("<unicode string>").into();
    let documents = compose::documents(text.as_bytes(), &file, false, Some(1))?;
    Ok(documents.first().map_or(Value::Null, |document| document.root.to_plain_value()))
}

/// The `from_yaml_all` filter: every document, their strings mere text.
pub fn from_yaml_all(text: &str) -> Result<Vec<Value>> {
    let file: Arc<Path> = Path::new("<unicode string>").into();
    let documents = compose::documents(text.as_bytes(), &file, false, None)?;
    Ok(documents.iter().map(|document| document.root.to_plain_value()).collect())
}

fn null(file: &Arc<Path>) -> Node {
    Node {
        value: NodeKind::Null,
        style: Style::Plain,
        trusted: true,
        pos: Pos { file: file.clone(), line: 1, column: 1 },
    }
}

/// Is this text a date or a moment of YAML 1.1 (`2001-12-14`)?
pub(crate) fn is_timestamp(text: &str) -> bool {
    scalar::parse_timestamp(text).is_ok()
}

/// A float as Python's `repr` shows it: the shortest digits that read back the same, `1.0`, `1e+16`, `inf`.
pub fn python_float(f: f64) -> String {
    if f.is_nan() {
        return "nan".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let scientific = format!("{f:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = format!("{f}");
        return if plain.contains('.') { plain } else { plain + ".0" };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}
