//! Inventories in INI: `[group]`, `[group:vars]`, `[group:children]`, and hosts with variables on their line.

use std::path::Path;
use std::sync::Arc;

use indexmap::IndexMap;

use super::address::expand_host_pattern;
use super::literal::parse_value;
use super::{Inventory, LoadOptions, UNGROUPED};
use crate::error::ErrorKind;
use crate::{Error, Key, Pos, Result};

#[derive(Clone, Copy, PartialEq)]
enum Section {
    Hosts,
    Children,
    Vars,
}

/// A group that was used before it was declared.
struct Pending {
    line: u32,
    section: Section,
    parents: Vec<String>,
}

pub(super) fn load(
    inventory: &mut Inventory,
    text: &str,
    path: &Path,
    options: &LoadOptions<'_>,
) -> Result<()> {
    let file: Arc<Path> = path.into();
    let mut group = UNGROUPED.to_owned();
    let mut section = Section::Hosts;
    let mut pending: IndexMap<String, Pending> = IndexMap::new();
    for (index, raw) in text.lines().enumerate() {
        let line = raw.trim();
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        if line.is_empty() || line.starts_with([';', '#']) {
            continue;
        }
        let indent = u32::try_from(raw.chars().count() - raw.trim_start().chars().count()).unwrap_or(0);
        let pos = Arc::new(Pos { file: file.clone(), line: number, column: indent + 1 });
        let failed = |message: String| Error::new(message).with_kind(ErrorKind::Syntax).at(Some(&pos));
        if let Some((name, kind)) = section_header(line) {
            group = options.safe_group_name(inventory, name);
            section = match kind {
                None | Some("hosts") => Section::Hosts,
                Some("children") => Section::Children,
                Some("vars") => Section::Vars,
                Some(kind) => {
                    return Err(failed(format!("Section [{group}:{kind}] has unknown type: {kind}")));
                }
            };
            if inventory.group(&group).is_none() {
                if section == Section::Vars && !pending.contains_key(&group) {
                    pending.insert(group.clone(), Pending { line: number, section, parents: Vec::new() });
                }
                inventory.add_group(&group)?;
            }
            if section != Section::Vars
                && let Some(waiting) = pending.shift_remove(&group)
                && waiting.section == Section::Children
            {
                for parent in &waiting.parents {
                    inventory.add_child(parent, &group).map_err(|error| error.at(Some(&pos)))?;
                }
            }
            continue;
        }
        if line.starts_with('[') && line.ends_with(']') {
            return Err(failed(format!(
                "Invalid section entry: '{line}'. Please make sure that there are no spaces in the section entry, and \
                 that there are no other invalid characters"
            )));
        }
        match section {
            Section::Hosts => {
                let tokens = split_words(line).map_err(|problem| {
                    failed(format!("Error parsing host definition '{line}': {problem}"))
                })?;
                let Some((pattern, assignments)) = tokens.split_first() else { continue };
                let (hosts, port) = host_pattern(pattern).map_err(|error| error.at(Some(&pos)))?;
                let mut variables = Vec::with_capacity(assignments.len());
                for token in assignments {
                    let Some((name, value)) = token.split_once('=') else {
                        return Err(failed(format!(
                            "Expected key=value host variable assignment, got: {token}"
                        )));
                    };
                    variables.push((Key::from(name), parse_value(value, Some(&pos))));
                }
                for host in &hosts {
                    inventory.add_host(host, Some(&group), port)?;
                    for (name, value) in &variables {
                        inventory.set_host_variable(host, name.clone(), value.clone());
                    }
                }
            }
            Section::Vars => {
                let Some((name, value)) = line.split_once('=') else {
                    return Err(failed(format!("Expected key=value, got: {line}")));
                };
                let value = parse_value(value.trim(), Some(&pos));
                let name = Key::from(name.trim());
                inventory.set_variable(&group, name, value).map_err(|error| error.at(Some(&pos)))?;
            }
            Section::Children => {
                let Some(child) = group_name(line) else {
                    return Err(failed(format!("Expected group name, got: {line}")));
                };
                let child = options.safe_group_name(inventory, child);
                if inventory.group(&child).is_some() {
                    inventory.add_child(&group, &child).map_err(|error| error.at(Some(&pos)))?;
                } else {
                    let new = || Pending { line: number, section, parents: Vec::new() };
                    pending.entry(child).or_insert_with(new).parents.push(group.clone());
                }
            }
        }
    }
    match pending.iter().next() {
        None => Ok(()),
        Some((name, waiting)) => {
            let message = match (waiting.section, waiting.parents.last()) {
                (Section::Children, Some(parent)) => {
                    format!("Section [{parent}:children] includes undefined group '{name}'")
                }
                _ => format!("Section [{name}:vars] not valid for undefined group '{name}'"),
            };
            let pos = Pos { file, line: waiting.line, column: 1 };
            Err(Error::new(message).at(Some(&pos)))
        }
    }
}

/// Name and kind of `[name]` or `[name:kind]`, with a comment after it.
fn section_header(line: &str) -> Option<(&str, Option<&str>)> {
    let (inside, after) = line.strip_prefix('[')?.split_once(']')?;
    let after = after.trim_start();
    if !after.is_empty() && !after.starts_with(['#', ';']) {
        return None;
    }
    let inside = inside.trim();
    let (name, kind) = match inside.split_once(':') {
        Some((name, kind)) => (name.trim(), Some(kind.trim())),
        None => (inside, None),
    };
    let plain = |text: &str| {
        !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || matches!(c, ':' | ']'))
    };
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    (plain(name) && kind.is_none_or(word)).then_some((name, kind))
}

/// The name of a group on a line of its own, with a comment after it.
fn group_name(line: &str) -> Option<&str> {
    let end = line.find(|c: char| c.is_whitespace()).unwrap_or(line.len());
    let (name, after) = line.split_at(end);
    let after = after.trim_start();
    let plain = !name.is_empty() && !name.contains([':', ']']);
    (plain && (after.is_empty() || after.starts_with('#'))).then_some(name)
}

fn host_pattern(pattern: &str) -> Result<(Vec<String>, Option<u16>)> {
    let (hosts, port) = expand_host_pattern(pattern)?;
    if pattern.trim().ends_with(':') && port.is_none() {
        return Err(Error::new(format!(
            "Invalid host pattern '{pattern}' supplied, ending in ':' is not allowed, this character is reserved \
             to provide a port."
        )));
    }
    Ok((hosts, port))
}

/// Words as Python's `shlex.split(line, comments=True)` gives them.
fn split_words(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '#' => break,
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("No closing quotation")? {
                        '"' => break,
                        '\\' => match chars.next().ok_or("No closing quotation")? {
                            c @ ('"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\\' => word.get_or_insert_default().push(chars.next().ok_or("No escaped character")?),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}
