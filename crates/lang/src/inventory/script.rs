//! Executable inventories: run with `--list`, and with `--host NAME` where `_meta` does not say.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use indexmap::IndexSet;

use super::{Inventory, LoadOptions};
use crate::template::quoted;
use crate::yaml::Node;
use crate::{Error, Result, Value};

/// May the file be run, or does it at least say with what?
pub(super) fn is_script(path: &Path) -> bool {
    let Ok(metadata) = std::fs::metadata(path) else { return false };
    metadata.is_file() && (is_executable(&metadata) || starts_with_shebang(path))
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_metadata: &std::fs::Metadata) -> bool {
    false
}

fn starts_with_shebang(path: &Path) -> bool {
    use std::io::Read;
    let mut start = [0; 2];
    std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && &start == b"#!"
}

pub(super) fn load(inventory: &mut Inventory, path: &Path, options: &LoadOptions<'_>) -> Result<()> {
    let said = run(path, &["--list"])?;
    let document = match profile(&said.text) {
        Ok(()) => decoded(&said.text, path).map_err(|cause| {
            said.error("Inventory script result could not be parsed as JSON").caused_by(cause)
        })?,
        Err(cause) => {
            let error = said.error("Unable to get JSON decoder for inventory script result");
            return Err(error.caused_by(Error::new(cause)));
        }
    };
    if options.show_stderr && !said.complaint.is_empty() {
        inventory.script_errors.push(said.complaint.trim_end().to_owned());
    }
    let mut script = Script { inventory, options, path, hosts: IndexSet::new() };
    let mut host_vars = None;
    for (name, group) in document.as_map().unwrap_or_default() {
        let Some(name) = name.as_str() else { continue };
        if name == "_meta" {
            let given = group.get("hostvars");
            if given.and_then(Node::as_map).is_none() {
                return Err(wrong_type("_meta.hostvars", given, "dict"));
            }
            host_vars = given;
        } else {
            script.group(name, group)?;
        }
    }
    if host_vars.is_none() {
        script.deprecate(
            "Inventory scripts should always provide 'meta.hostvars'. Host variables will be collected by running \
             the inventory script with the '--host' option for each host.",
        );
    }
    for host in std::mem::take(&mut script.hosts) {
        let asked;
        let variables = match host_vars {
            Some(all) => all.get(&host),
            None => {
                asked = variables_of(path, &host)?;
                asked.as_ref()
            }
        };
        let Some(variables) = variables else { continue };
        let Some(entries) = variables.as_map() else {
            let text = variables.to_plain_value().to_json();
            return Err(Error::new(format!(
                "Invalid data from file, expected dictionary and got:\n\n{text}"
            )));
        };
        for (name, value) in entries {
            if let Some(name) = name.to_key() {
                script.inventory.set_host_variable(&host, name, value.to_value());
            }
        }
    }
    Ok(())
}

/// What a script has said.
struct Said {
    text: String,
    complaint: String,
}

impl Said {
    fn error(&self, message: impl Into<String>) -> Error {
        let error = Error::new(message);
        match self.complaint.trim().is_empty() {
            true => error,
            false => error.with_help(format!("Standard error from inventory script:\n{}", self.complaint)),
        }
    }
}

fn run(path: &Path, arguments: &[&str]) -> Result<Said> {
    // A relative name without a slash would be looked up in PATH.
    let program = std::path::absolute(path).map_err(|error| Error::new(error.to_string()))?;
    let mut tries = 0;
    let output = loop {
        match Command::new(&program).args(arguments).stdin(Stdio::null()).output() {
            // A script that was just written: a process that is being started elsewhere may still have it open.
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries < 50 => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(10));
            }
            output => break output,
        }
    };
    let output = output.map_err(|error| {
        let command = format!("{} {}", path.display(), arguments.join(" "));
        Error::new(format!("Failed to execute inventory script command {}", quoted(&command)))
            .caused_by(Error::new(error.to_string()))
    })?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut said = Said { text: String::new(), complaint };
    if !output.status.success() {
        // A signal is a negative number.
        let signal = std::os::unix::process::ExitStatusExt::signal(&output.status).map(|signal| -signal);
        let code = output.status.code().or(signal).unwrap_or(-1);
        return Err(said.error(format!("Inventory script returned non-zero exit code {code}")));
    }
    said.text = String::from_utf8(output.stdout).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        said.error("Inventory script result contained characters that cannot be interpreted as UTF-8")
            .caused_by(Error::new(format!(
                "'utf-8' codec can't decode byte {byte:#04x} in position {at}: invalid start byte"
            )))
    })?;
    Ok(said)
}

/// Look at the profile of the JSON that the script has written: there are two that differ in nothing that matters.
fn profile(text: &str) -> std::result::Result<(), String> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| {
        format!("Value could not be parsed as JSON: {}", crate::template::json_error(text, &error))
    })?;
    let value = Value::from_json(&json);
    if value.type_name() != "dict" {
        return Err(format!("Value is '{}' instead of 'dict'.", value.type_name()));
    }
    let Some(meta) = json.get("_meta") else { return Ok(()) };
    let name = Value::from_json(meta).type_name();
    if name != "dict" {
        return Err(format!("Value contains '_meta' which is '{name}' instead of 'dict'."));
    }
    match meta.get("profile") {
        None => Ok(()),
        Some(serde_json::Value::String(name)) => match name.as_str() {
            "inventory_legacy" => Ok(()),
            name if name.starts_with("inventory_") => Err(format!("Unknown profile name {}.", quoted(name))),
            name => Err(format!("Non-inventory profile {} is not allowed.", quoted(name))),
        },
        Some(other) => {
            let name = Value::from_json(other).type_name();
            Err(format!("Value contains '_meta.profile' which is '{name}' instead of 'str'."))
        }
    }
}

/// The document, encrypted and unsafe strings as what they are.
fn decoded(text: &str, path: &Path) -> Result<Node> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| {
        Error::new(format!("JSON parsing failed: {}", crate::template::json_error(text, &error)))
    })?;
    let root = crate::yaml::parse_one(text.as_bytes(), path)?.root;
    no_bad_marks(&root)?;
    Ok(root)
}

/// The keys that mark encrypted and unsafe strings are for nothing else.
fn no_bad_marks(node: &Node) -> Result<()> {
    for mark in ["__ansible_vault", "__ansible_unsafe"] {
        if let Some(value) = node.get(mark) {
            let name = value.to_plain_value().type_name();
            return Err(Error::new(format!(
                "JSON parsing failed: {mark} is <class '{name}'> not <class 'str'>"
            )));
        }
    }
    let (items, entries) = (node.as_seq().unwrap_or_default(), node.as_map().unwrap_or_default());
    items.iter().chain(entries.iter().map(|(_, value)| value)).try_for_each(no_bad_marks)
}

fn variables_of(path: &Path, host: &str) -> Result<Option<Node>> {
    let said = run(path, &["--host", host])?;
    if said.text.trim().is_empty() {
        return Ok(None);
    }
    let message = format!("Inventory script result for host {} could not be parsed as JSON", quoted(host));
    decoded(&said.text, path).map(Some).map_err(|cause| said.error(message).caused_by(cause))
}

/// The name of a type as Python has it.
fn wrong_type(place: &str, value: Option<&Node>, wanted: &str) -> Error {
    let name = value.map_or("NoneType", |value| value.to_plain_value().type_name());
    Error::new(format!("Value contains '{place}' which is '{name}' instead of '{wanted}'."))
}

/// What a script says is being read.
struct Script<'a> {
    inventory: &'a mut Inventory,
    options: &'a LoadOptions<'a>,
    path: &'a Path,
    hosts: IndexSet<String>,
}

impl Script<'_> {
    fn deprecate(&mut self, message: &str) {
        let origin = quoted(&self.path.to_string_lossy());
        self.inventory.deprecations.push(format!(
            "{message} This feature will be removed from inventory plugin 'script' in ansible-core version 2.23.\n\
             Origin: <inventory script output from {origin}>\n"
        ));
    }

    fn group(&mut self, name: &str, group: &Node) -> Result<()> {
        let name = self.options.safe_group_name(self.inventory, name);
        self.inventory.add_group(&name)?;
        if group.as_map().is_none() {
            let kind = group.to_plain_value().type_name();
            self.deprecate(&format!("Group {} was converted to 'dict' from '{kind}'.", quoted(&name)));
            return self.add_hosts(&name, Some(group));
        }
        let (hosts, vars, children) = (group.get("hosts"), group.get("vars"), group.get("children"));
        if hosts.is_none() && vars.is_none() && children.is_none() {
            self.deprecate(&format!(
                "Treating malformed group {} as the sole host of that group. Variables provided in this manner \
                 cannot be templated.",
                quoted(&name)
            ));
            self.inventory.add_host(&name, Some(&name), None)?;
            self.hosts.insert(name.clone());
            for (key, value) in group.as_map().unwrap_or_default() {
                if let Some(key) = key.to_key() {
                    self.inventory.set_variable(&name, key, value.to_plain_value())?;
                }
            }
            return Ok(());
        }
        if hosts.is_some() {
            self.add_hosts(&name, hosts)?;
        }
        if let Some(vars) = vars {
            let Some(entries) = vars.as_map() else {
                return Err(wrong_type(&format!("{name}.vars"), Some(vars), "dict"));
            };
            for (key, value) in entries {
                if let Some(key) = key.to_key() {
                    self.inventory.set_variable(&name, key, value.to_value())?;
                }
            }
        }
        for child in children.and_then(Node::as_seq).unwrap_or_default().iter().filter_map(Node::as_str) {
            let child = self.options.safe_group_name(self.inventory, child);
            self.inventory.add_group(&child)?;
            self.inventory.add_child(&name, &child)?;
        }
        Ok(())
    }

    fn add_hosts(&mut self, group: &str, hosts: Option<&Node>) -> Result<()> {
        let wrong = || wrong_type(&format!("{group}.hosts"), hosts, "list");
        for host in hosts.and_then(Node::as_seq).ok_or_else(wrong)? {
            let name = host.to_key().ok_or_else(wrong)?.to_string();
            self.inventory.add_host(&name, Some(group), None)?;
            self.hosts.insert(name);
        }
        Ok(())
    }
}
