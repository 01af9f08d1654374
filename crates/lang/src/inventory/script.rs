//! Executable inventories: run with `--list`, and with `--host NAME` where `_meta` does not say.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::{Inventory, LoadOptions};
use crate::yaml::{Node, NodeKind};
use crate::{Error, Result};

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
    let output = run(path, &["--list"])?;
    let document = json(&output, path)?;
    let Some(groups) = document.as_map() else {
        return Err(Error::new(format!(
            "failed to parse executable inventory script results from {}: needs to be a json dict",
            path.display()
        )));
    };
    let host_vars = document.get("_meta").and_then(|meta| meta.get("hostvars"));
    for (name, group) in groups {
        if name.as_str() != Some("_meta") {
            load_group(inventory, name, group, options)?;
        }
    }
    let hosts: Vec<String> = inventory.hosts().map(|host| host.name.clone()).collect();
    for host in hosts {
        let asked;
        let variables = match host_vars {
            Some(all) => all.get(&host),
            None => {
                let output = run(path, &["--host", &host])?;
                if output.trim_ascii().is_empty() {
                    continue;
                }
                asked = json(&output, path)?;
                Some(&asked)
            }
        };
        for (name, value) in variables.and_then(Node::as_map).unwrap_or_default() {
            if let Some(name) = name.to_key() {
                inventory.set_host_variable(&host, name, value.to_value());
            }
        }
    }
    Ok(())
}

fn run(path: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
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
        Error::new(format!("problem running {} {} ({error})", path.display(), arguments.join(" ")))
    })?;
    if !output.status.success() {
        let code = output.status.code().map_or_else(|| "a signal".to_owned(), |code| code.to_string());
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let error = Error::new(format!("Inventory script returned non-zero exit code {code}"));
        return Err(if complaint.is_empty() { error } else { error.with_help(complaint) });
    }
    Ok(output.stdout)
}

fn json(output: &[u8], path: &Path) -> Result<Node> {
    // Checked as JSON first: the YAML loader would take nearly anything for a string.
    serde_json::from_slice::<serde::de::IgnoredAny>(output).map_err(|error| {
        Error::new(format!("Unable to get JSON decoder for inventory script result: {error}"))
    })?;
    Ok(crate::yaml::parse_one(output, path)?.root)
}

fn load_group(inventory: &mut Inventory, name: &Node, group: &Node, options: &LoadOptions<'_>) -> Result<()> {
    let Some(name) = name.as_str() else { return Ok(()) };
    let known = options.safe_group_name(inventory, name);
    inventory.add_group(&known)?;
    let bad = |what: &str| Error::new(format!("You defined a group '{name}' with bad data for the {what}"));
    if let NodeKind::Seq(hosts) = &group.value {
        return add_hosts(inventory, &known, hosts, &bad("host list"));
    }
    if group.as_map().is_none() {
        return Err(bad("host list"));
    }
    let (hosts, vars, children) = (group.get("hosts"), group.get("vars"), group.get("children"));
    if hosts.is_none() && vars.is_none() && children.is_none() {
        // The oldest form: the group is a host, and its entries are the host's variables.
        inventory.add_host(name, Some(&known), None)?;
        return set_variables(inventory, &known, group);
    }
    if let Some(hosts) = hosts {
        let list = hosts.as_seq().ok_or_else(|| bad("host list"))?;
        add_hosts(inventory, &known, list, &bad("host list"))?;
    }
    if let Some(vars) = vars {
        if vars.as_map().is_none() {
            return Err(bad("variables"));
        }
        set_variables(inventory, &known, vars)?;
    }
    for child in children.and_then(Node::as_seq).unwrap_or_default().iter().filter_map(Node::as_str) {
        let child = options.safe_group_name(inventory, child);
        inventory.add_group(&child)?;
        inventory.add_child(&known, &child)?;
    }
    Ok(())
}

fn add_hosts(inventory: &mut Inventory, group: &str, hosts: &[Node], bad: &Error) -> Result<()> {
    for host in hosts {
        let name = host.to_key().ok_or_else(|| bad.clone())?.to_string();
        inventory.add_host(&name, Some(group), None)?;
    }
    Ok(())
}

fn set_variables(inventory: &mut Inventory, group: &str, variables: &Node) -> Result<()> {
    for (name, value) in variables.as_map().unwrap_or_default() {
        if let Some(name) = name.to_key() {
            inventory.set_variable(group, name, value.to_value())?;
        }
    }
    Ok(())
}
