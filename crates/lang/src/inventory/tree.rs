//! Inventories that are trees of groups: YAML and TOML files.

use std::path::Path;

use super::address::expand_host_pattern;
use super::{Inventory, LoadOptions};
use crate::yaml::{Node, NodeKind};
use crate::{Error, Result};

/// A YAML document: groups by name.
pub(super) fn load_yaml(inventory: &mut Inventory, root: &Node, options: &LoadOptions<'_>) -> Result<()> {
    match &root.value {
        NodeKind::Map(groups) if !groups.is_empty() => {
            if root.get("plugin").is_some_and(|plugin| !plugin.is_null()) {
                return Err(root.error("Plugin configuration YAML file, not YAML inventory"));
            }
            for (name, group) in groups {
                load_group(inventory, name, group, options)?;
            }
            Ok(())
        }
        NodeKind::Null | NodeKind::Map(_) => Err(root.error("Parsed empty YAML file")),
        _ => Err(root.error(format!(
            "YAML inventory has invalid structure, it should be a dictionary, got: <class '{}'>",
            root.type_name()
        ))),
    }
}

/// One group and everything below it. Gives the name it is known by; `None` if it was skipped with a warning.
fn load_group(
    inventory: &mut Inventory,
    name: &Node,
    group: &Node,
    options: &LoadOptions<'_>,
) -> Result<Option<String>> {
    let shown = name.to_key().map(|key| key.to_string()).unwrap_or_default();
    let Some(text) = name.as_str() else {
        inventory.warn(name.error(format!("Skipping '{shown}' as this is not a valid group name")));
        return Ok(None);
    };
    let (NodeKind::Map(_) | NodeKind::Null) = group.value else {
        inventory.warn(group.error(format!("Skipping '{text}' as this is not a valid group definition")));
        return Ok(None);
    };
    let known = options.safe_group_name(inventory, text);
    inventory.add_group(&known).map_err(|error| error.at(Some(&name.pos)))?;
    for (key, value) in group.as_map().unwrap_or_default() {
        let section = key.as_str().unwrap_or_default();
        let entries: &[(Node, Node)] = match &value.value {
            NodeKind::Map(entries) => entries,
            NodeKind::Null => continue,
            // `hosts: name` is short for a dictionary with that key.
            NodeKind::Str(_) if matches!(section, "hosts" | "children" | "vars") => {
                let empty = Node { value: NodeKind::Null, ..value.clone() };
                load_section(inventory, &known, section, &[(value.clone(), empty)], options)?;
                continue;
            }
            _ if matches!(section, "hosts" | "children" | "vars") => {
                return Err(value.error(format!(
                    "Invalid \"{section}\" entry for \"{text}\" group, requires a dictionary, found \"<class '{}'>\" instead",
                    value.type_name()
                )));
            }
            _ => {
                inventory.warn(value.error(format!(
                    "Skipping key ({section}) in group ({text}) as it is not a mapping, it is a <class '{}'>",
                    value.type_name()
                )));
                continue;
            }
        };
        if !matches!(section, "hosts" | "children" | "vars") {
            let shown = key.to_key().map(|key| key.to_string()).unwrap_or_default();
            inventory.warn(key.error(format!(
                "Skipping unexpected key ({shown}) in group ({text}), only \"vars\", \"children\" and \"hosts\" are valid"
            )));
            continue;
        }
        load_section(inventory, &known, section, entries, options)?;
    }
    Ok(Some(known))
}

fn load_section(
    inventory: &mut Inventory,
    group: &str,
    section: &str,
    entries: &[(Node, Node)],
    options: &LoadOptions<'_>,
) -> Result<()> {
    for (name, value) in entries {
        match section {
            "vars" => {
                if let Some(key) = name.to_key() {
                    inventory
                        .set_variable(group, key, value.to_value())
                        .map_err(|e| e.at(Some(&name.pos)))?;
                }
            }
            "children" => {
                if let Some(child) = load_group(inventory, name, value, options)? {
                    inventory.add_child(group, &child).map_err(|e| e.at(Some(&name.pos)))?;
                }
            }
            _ => load_host(inventory, group, name, value)?,
        }
    }
    Ok(())
}

fn load_host(inventory: &mut Inventory, group: &str, name: &Node, value: &Node) -> Result<()> {
    let Some(pattern) = name.as_str() else {
        let shown = name.to_key().map(|key| key.to_string()).unwrap_or_default();
        return Err(name.error(format!(
            "Host pattern {shown} must be a string. Enclose integers/floats in quotation marks."
        )));
    };
    let (hosts, port) = expand_host_pattern(pattern).map_err(|error| error.at(Some(&name.pos)))?;
    let variables = match &value.value {
        NodeKind::Map(variables) => variables.as_slice(),
        NodeKind::Null => &[],
        _ => {
            return Err(value.error(format!(
                "Variables of host '{pattern}' have to be a dictionary, found \"{}\"",
                value.type_name()
            )));
        }
    };
    for host in &hosts {
        inventory.add_host(host, Some(group), port)?;
    }
    for (key, value) in variables {
        let Some(key) = key.to_key() else { continue };
        let value = value.to_value();
        for host in &hosts {
            inventory.set_host_variable(host, key.clone(), value.clone());
        }
    }
    Ok(())
}

/// A TOML file: a table for each group.
pub(super) fn load_toml(
    inventory: &mut Inventory,
    text: &str,
    path: &Path,
    options: &LoadOptions<'_>,
) -> Result<()> {
    let tables: serde_json::Map<String, serde_json::Value> =
        toml::from_str(text).map_err(|error| Error::new(format!("TOML parsing failed: {error}")))?;
    if tables.is_empty() {
        return Err(Error::new("Parsed empty TOML file"));
    }
    if tables.contains_key("plugin") {
        return Err(Error::new("Plugin configuration TOML file, not TOML inventory"));
    }
    // TOML's tables are JSON's, which the YAML loader reads.
    let json = serde_json::Value::Object(tables).to_string();
    let mut document = crate::yaml::parse_one(json.as_bytes(), path)?;
    if let NodeKind::Map(groups) = &mut document.root.value {
        groups.iter_mut().for_each(|(_, group)| children_as_map(group));
    }
    load_yaml(inventory, &document.root, options)
}

/// In TOML the children of a group are a list of names.
fn children_as_map(group: &mut Node) {
    let NodeKind::Map(sections) = &mut group.value else { return };
    for (key, section) in sections {
        if key.as_str() == Some("children")
            && let NodeKind::Seq(names) = &mut section.value
        {
            let pairs = std::mem::take(names).into_iter().map(|name| {
                let empty = Node { value: NodeKind::Null, ..name.clone() };
                (name, empty)
            });
            section.value = NodeKind::Map(pairs.collect());
        }
    }
}
