//! Variables that Ansible itself defines. They are stronger than extra vars.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::keywords::Keyword;
use crate::playbook::Task;
use crate::{Error, Map, Result, Value};

use super::{PlayVars, TaskScope};

/// The names that [`value`] knows besides the constants of the run.
const NAMES: &[&str] = &[
    "ansible_dependent_role_names",
    "ansible_facts",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_play_hosts_all",
    "ansible_play_name",
    "ansible_play_role_names",
    "ansible_role_names",
    "ansible_search_path",
    "environment",
    "group_names",
    "groups",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "play_hosts",
    "playbook_dir",
];

/// Those that exist in tasks of a role only.
const ROLE_NAMES: &[&str] = &[
    "ansible_collection_name",
    "ansible_parent_role_names",
    "ansible_parent_role_paths",
    "ansible_role_name",
    "role_name",
    "role_path",
    "role_uuid",
];

pub(super) fn names(scope: &TaskScope) -> Vec<String> {
    let in_role = scope.task.as_ref().is_some_and(|t| t.role().is_some());
    let roles = ROLE_NAMES.iter().filter(|_| in_role);
    let constants = scope.run.constants.keys().map(ToString::to_string);
    NAMES.iter().chain(roles).map(|s| (*s).to_owned()).chain(constants).collect()
}

/// The magic variable of that name, if there is one here.
pub(super) fn value(scope: &TaskScope, name: &str) -> Result<Option<Value>> {
    if let Some(value) = scope.run.constants.get(name) {
        return Ok(Some(value.clone()));
    }
    if ROLE_NAMES.contains(&name) {
        return Ok(of_role(scope, name));
    }
    if !NAMES.contains(&name) {
        return Ok(None);
    }
    let state = &scope.state;
    let host: &str = &scope.host;
    Ok(Some(match name {
        "ansible_facts" => {
            if state.pending(host, name) {
                return Err(Error::pending(name));
            }
            match &scope.vars {
                Some(vars) => Value::Map(vars.ansible_facts().clone()),
                None => Value::map(Map::new()),
            }
        }
        "ansible_play_hosts_all" => state.play_hosts().all,
        "ansible_play_hosts" => state.play_hosts().active,
        "ansible_play_batch" | "play_hosts" => state.play_hosts().batch,
        "ansible_play_name" => play_name(&scope.play),
        "ansible_play_role_names" => texts(scope.play.written_roles()),
        "ansible_dependent_role_names" => texts(scope.play.dependencies()),
        "ansible_role_names" => {
            let mut names = scope.play.dependencies();
            names.extend(scope.play.written_roles());
            let mut seen = HashSet::new();
            names.retain(|name| seen.insert(name.clone()));
            texts(names)
        }
        "ansible_search_path" => {
            texts(scope.search_path.iter().map(|p| p.to_string_lossy().into_owned()).collect())
        }
        "environment" => {
            let task = scope.task.as_ref();
            let values = task.map(|t| t.keywords(Keyword::Environment)).unwrap_or_default();
            Value::list(values.into_iter().cloned().collect())
        }
        "group_names" => state.group_names(host),
        "groups" => state.groups(),
        "inventory_file" => state.inventory_source(host).0,
        "inventory_dir" => state.inventory_source(host).1,
        "inventory_hostname" => Value::from(host),
        "inventory_hostname_short" => Value::from(host.split('.').next().unwrap_or(host)),
        "playbook_dir" => Value::from(absolute(&scope.play.play.basedir).to_string_lossy().into_owned()),
        _ => return Ok(None),
    }))
}

/// A variable that tells of the task's role.
fn of_role(scope: &TaskScope, name: &str) -> Option<Value> {
    let task = scope.task.as_ref()?;
    let role = task.role()?;
    // Roles that included this one, the innermost first.
    let parents = || task.frame.roles().skip(1);
    match name {
        "role_name" => Some(Value::from(role.name.to_string())),
        "ansible_role_name" => Some(Value::from(role.full_name())),
        "role_path" => Some(Value::from(absolute(&role.path).to_string_lossy().into_owned())),
        "role_uuid" => Some(Value::from(format!("{:08x}", role.id.0))),
        "ansible_collection_name" => {
            Some(role.collection.as_ref().map_or(Value::Null, |c| Value::from(c.to_string())))
        }
        _ if !role.from_include || parents().next().is_none() => None,
        "ansible_parent_role_names" => Some(texts(parents().map(|r| r.full_name()).collect())),
        "ansible_parent_role_paths" => {
            Some(texts(parents().map(|r| absolute(&r.path).to_string_lossy().into_owned()).collect()))
        }
        _ => None,
    }
}

/// The play's name, or its pattern where it has none.
fn play_name(play: &PlayVars) -> Value {
    match (&play.play.name, &play.play.hosts) {
        (Some(name), _) if name.is_truthy() => name.clone(),
        (_, Value::List(items)) => {
            Value::from(items.iter().map(crate::template::python_str).collect::<Vec<_>>().join(","))
        }
        (_, hosts) => hosts.clone(),
    }
}

fn texts(names: Vec<String>) -> Value {
    Value::list(names.into_iter().map(Value::from).collect())
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Where files that a task names are looked for: the folders of its role and of those that use that role, the folder
/// of its file, the folder of the playbook.
pub(super) fn search_path(play: &PlayVars, task: Option<&Task>) -> Vec<PathBuf> {
    let mut path: Vec<PathBuf> = Vec::new();
    let mut add = |dir: PathBuf| {
        if !path.contains(&dir) {
            path.push(dir);
        }
    };
    if let Some(task) = task {
        task.frame.roles().for_each(|role| add(absolute(&role.path)));
        if let Some(dir) = task.pos.file.parent() {
            add(absolute(dir));
        }
    }
    add(absolute(&play.play.basedir));
    path
}
