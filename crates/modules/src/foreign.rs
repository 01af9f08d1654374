//! Modules that are files: from a `library` directory or a collection, in any language, run by the host's own
//! interpreter.
//!
//! The file travels as content. Its arguments are written beside it the way its kind wants them: `key=value` words,
//! JSON, or put into the text of the file itself. A module of new style in Python imports `ansible.module_utils`;
//! that has to be installed for the host's interpreter, because nothing of it is part of this program.
//!
//! What such a module does is not known beforehand. So it has no plan: in check mode it is called with
//! `_ansible_check_mode`, as Ansible does, and is trusted to heed it.

mod output;
mod python;
mod summaries;

pub use summaries::ERROR;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use protocol::Outcome;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use python::is_python;

use crate::args::ArgType;
use crate::process::find_program;
use crate::{
    Applied, Blob, Host, Map, ModuleError, Plan, Process, ProcessOutput, Result, python_text, words,
};

/// What a step calls such a module; nobody can write it as a module's name in a playbook.
pub const STEP: &str = "<file>";

/// Where a module in this style wants its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Style {
    /// A program: JSON in a file.
    Binary,
    /// JSON in a file, because its text says `WANT_JSON`.
    Json,
    /// JSON in place of a word in its own text.
    Inside,
    /// Python with `ansible.module_utils`.
    Python,
    /// `key=value` words in a file.
    Words,
}

/// The word that JSON is put in place of.
const INSIDE: &str = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";

impl Style {
    /// The style of a module with this content.
    pub fn of(content: &[u8]) -> Self {
        if is_binary(content) {
            return Self::Binary;
        }
        let has = |what: &str| memchr::memmem::find(content, what.as_bytes()).is_some();
        let imports = ["import ansible.module_utils", "from ansible.module_utils"];
        let legacy = "#<<INCLUDE_ANSIBLE_MODULE_COMMON>>";
        if has(legacy) || imports.iter().any(|i| has(i)) || imports_collection(content) {
            Self::Python
        } else if has(INSIDE) {
            Self::Inside
        } else if has("WANT_JSON") {
            Self::Json
        } else {
            Self::Words
        }
    }
}

/// Control characters that no text has, in the beginning.
fn is_binary(content: &[u8]) -> bool {
    let text = |b: &u8| matches!(b, 7..=10 | 12 | 13 | 27 | 0x20..=0xff);
    !content[..content.len().min(1024)].iter().all(text)
}

fn imports_collection(content: &[u8]) -> bool {
    content.split(|b| *b == b'\n').any(|line| {
        let line = line.trim_ascii_start();
        (line.starts_with(b"from ansible_collections.") || line.starts_with(b"import ansible_collections."))
            && memchr::memmem::find(line, b".plugins.module_utils").is_some()
    })
}

/// One call of such a module.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// The name it was called by.
    pub name: String,
    /// Its file's name.
    pub file: String,
    pub style: Style,
    /// The file, as [`Blob::to_json`] writes it.
    pub content: Value,
    /// Arguments, with those that Ansible adds.
    pub args: Map,
    /// The words of its first line behind `#!`.
    pub interpreter: Vec<String>,
    /// `ansible_*_interpreter`, when the host has one for it.
    pub chosen: Option<String>,
}

/// What a call would do: run, also in check mode.
pub fn plan(args: &Map, host: &Host) -> Result<Plan> {
    let call: Call = serde_json::from_value(Value::Object(args.clone()))
        .map_err(|e| ModuleError::new(format!("the call of the module is not complete: {e}")))?;
    if host.check() {
        return Ok(Plan::unchanged(call.run(host)?));
    }
    Ok(Plan::change(Map::new(), move |host| {
        let mut result = call.run(host)?;
        result.entry("changed").or_insert(false.into());
        Applied::with(result)
    }))
}

impl Call {
    fn run(mut self, host: &Host) -> Result<Map> {
        let io = |e: io::Error| ModuleError::new(format!("could not write the module: {e}"));
        let blob = Blob::coerce(self.content.take()).map_err(ModuleError::new)?;
        let mut content = blob.read(host)?;
        let dir = tempfile::Builder::new().prefix("module-").tempdir_in(host.tmp()).map_err(io)?;
        self.args.insert("_ansible_tmpdir".into(), format!("{}/", dir.path().display()).into());
        let json = python_json(&self.args);
        if self.style == Style::Inside {
            content = replace(&content, INSIDE.as_bytes(), json.as_bytes());
        }
        let name = Path::new(&self.file).file_name().unwrap_or("module".as_ref());
        let module = dir.path().join(name);
        write(&module, &content, 0o700).map_err(io)?;
        let arguments = dir.path().join("args");
        let (output, interpreter) = match self.style {
            Style::Python => {
                let wrapped = serde_json::json!({"ANSIBLE_MODULE_ARGS": self.args}).to_string();
                write(&arguments, wrapped.as_bytes(), 0o600).map_err(io)?;
                self.run_python(host, &module, &arguments)?
            }
            Style::Inside => self.run_file(host, &module, None)?,
            Style::Binary | Style::Json => {
                write(&arguments, json.as_bytes(), 0o600).map_err(io)?;
                self.run_file(host, &module, Some(&arguments))?
            }
            Style::Words => {
                write(&arguments, self.words().as_bytes(), 0o600).map_err(io)?;
                self.run_file(host, &module, Some(&arguments))?
            }
        };
        let mut result = output::result(&output, interpreter.as_deref()).map_err(|error| {
            // Where the module broke off, for those who want to see that.
            let wanted = self.args.get("_ansible_tracebacks_for").and_then(Value::as_array);
            let said = output.err();
            match wanted.is_some_and(|list| list.iter().any(|kind| kind == "error")) {
                true if said.contains("Traceback (most recent call last)") => error.with("exception", said),
                _ => error,
            }
        })?;
        // Of a module in the background, what it complains of is kept.
        if host.is_background() && !output.stderr.is_empty() {
            let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
            result.insert("stderr".into(), stderr.into());
        }
        Ok(result)
    }

    /// `key=value` words, as Python writes the values and a shell reads them.
    fn words(&self) -> String {
        let word = |(key, value): (&String, &Value)| format!("{key}={} ", words::quote(&python_text(value)));
        self.args.iter().map(word).collect()
    }

    fn run_file(
        &self,
        host: &Host,
        module: &Path,
        arguments: Option<&Path>,
    ) -> Result<(ProcessOutput, Option<String>)> {
        let mut interpreter = self.interpreter.clone();
        if self.style == Style::Binary {
            interpreter.clear();
        } else if interpreter.is_empty() {
            return Err(ModuleError::new(format!(
                "Task failed: module ({}) is missing interpreter line",
                self.name
            )));
        }
        match (&self.chosen, interpreter.first_mut()) {
            (Some(chosen), Some(first)) => *first = chosen.clone(),
            (None, Some(first)) if python::is_python(first) => {
                if let Some(found) = python::candidates().find(|name| find_program(host, name).is_some()) {
                    *first = found.to_owned();
                }
            }
            _ => {}
        }
        let shown = interpreter.first().cloned();
        let mut line = interpreter;
        line.push(module.to_string_lossy().into_owned());
        line.extend(arguments.map(|a| a.to_string_lossy().into_owned()));
        let output = self.start(host, &line)?;
        Ok((output, shown))
    }

    /// Run a command line; a program that is not there ends as it does in a shell.
    fn start(&self, host: &Host, line: &[String]) -> Result<ProcessOutput> {
        let Some((program, rest)) = line.split_first() else {
            return Err(ModuleError::new("nothing to run"));
        };
        let home = host.env("HOME").map(PathBuf::from).filter(|h| host.path(h).is_dir());
        let mut process = Process::new(program).args(rest).user_locale();
        if let Some(home) = home {
            process = process.cwd(host.path(home));
        }
        match process.run(host) {
            Ok(output) => Ok(output),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
                let (rc, why) = if e.kind() == io::ErrorKind::NotFound {
                    (127, "not found")
                } else {
                    (126, "Permission denied")
                };
                let stderr = format!("/bin/sh: 1: {program}: {why}\n").into_bytes();
                Ok(ProcessOutput { rc, stdout: Vec::new(), stderr })
            }
            Err(e) => Err(ModuleError::new(format!("could not run the module {}: {e}", self.name))),
        }
    }
}

fn write(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    file.set_permissions(fs::Permissions::from_mode(mode))?;
    file.write_all(content)
}

fn replace(content: &[u8], what: &[u8], with: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + with.len());
    let mut rest = content;
    while let Some(at) = memchr::memmem::find(rest, what) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(with);
        rest = &rest[at + what.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// JSON as Python's `json.dumps` writes it: modules in shell look for their arguments in it.
fn python_json(args: &Map) -> String {
    struct Python;
    impl serde_json::ser::Formatter for Python {
        fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
            if first { Ok(()) } else { out.write_all(b", ") }
        }
        fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
            if first { Ok(()) } else { out.write_all(b", ") }
        }
        fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
            out.write_all(b": ")
        }
        fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
            let mut units = [0; 2];
            for c in text.chars() {
                if c.is_ascii() {
                    write!(out, "{c}")?;
                } else {
                    c.encode_utf16(&mut units).iter().try_for_each(|u| write!(out, "\\u{u:04x}"))?;
                }
            }
            Ok(())
        }
    }
    let mut out = Vec::new();
    let written = args.serialize(&mut serde_json::Serializer::with_formatter(&mut out, Python));
    match (written, String::from_utf8(out)) {
        (Ok(()), Ok(text)) => text,
        _ => Value::Object(args.clone()).to_string(),
    }
}

/// Is the interpreter that a host is configured with there? A host without any Python does not need one for the
/// modules that are built in; where there is one, a wrong name is a mistake, and Ansible's failure.
pub fn check_interpreter(name: &str, host: &Host) -> Option<Outcome> {
    let there = |name: &str| find_program(host, name).is_some();
    if there(name) || !python::candidates().any(there) {
        return None;
    }
    let error = ModuleError::new(format!("The module interpreter '{name}' was not found."))
        .with("module_stdout", "")
        .with("module_stderr", format!("/bin/sh: 1: {name}: not found\n"))
        .with("rc", 127);
    Some(error.into_outcome())
}
