//! Variables that Ansible itself defines. Those of the run and the play are stronger than extra vars; those of a
//! host ([`of_host`]) are not even stronger than variables of the play.

use std::path::{Path, PathBuf};

use indexmap::IndexSet;

use crate::keywords::Keyword;
use crate::playbook::Task;
use crate::template::python_str;
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
    "role_names",
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

/// The magic variable of that name, if there is one here: stronger than every variable.
pub(super) fn value(scope: &TaskScope, name: &str) -> Result<Option<Value>> {
    if let Some(value) = scope.run.constants.get(name) {
        return Ok(Some(value.clone()));
    }
    if let Some(value) = scope.task.as_ref().and_then(|task| of_role(task, name)) {
        return Ok(Some(value));
    }
    let state = &scope.state;
    Ok(Some(match name {
        "groups" => state.groups(),
        "playbook_dir" => path(&scope.play.play.basedir),
        "play_hosts" | "ansible_play_batch" => state.play_hosts().batch,
        "ansible_play_hosts" => state.play_hosts().active,
        "ansible_play_hosts_all" => state.play_hosts().all,
        "ansible_play_name" => play_name(scope),
        "ansible_play_role_names" | "role_names" => {
            texts(scope.play.play_roles().map(|role| role.full_name()))
        }
        "ansible_dependent_role_names" => texts(scope.play.dependent_roles().map(|role| role.full_name())),
        "ansible_role_names" => {
            let all = scope.play.play_roles().chain(scope.play.dependent_roles());
            let names: IndexSet<String> = all.map(|role| role.full_name()).collect();
            texts(names)
        }
        "ansible_search_path" => Value::list(scope.search_path.iter().map(|dir| path(dir)).collect()),
        "environment" => {
            let values = scope.task.iter().flat_map(|task| task.keywords(Keyword::Environment));
            Value::list(values.flat_map(listed).collect())
        }
        _ => return Ok(None),
    }))
}

/// What is known of a host, weaker than variables of the play. Its name and groups are among the variables of the
/// inventory ([`crate::inventory::Inventory::var_layers`] and those who ask it).
pub(super) fn of_host(scope: &TaskScope, name: &str) -> Result<Option<Value>> {
    let (state, host) = (&scope.state, &scope.host);
    Ok(Some(match name {
        "ansible_facts" => {
            if state.pending(host, name) {
                return Err(Error::pending(name));
            }
            scope
                .vars
                .as_ref()
                .map_or_else(|| Value::map(Map::new()), |v| Value::Map(v.ansible_facts().clone()))
        }
        _ => return Ok(None),
    }))
}

/// The other name of a variable about connections that has two.
pub(super) fn other_name(name: &str) -> Option<&'static str> {
    const NAMES: [[&str; 2]; 7] = [
        ["ansible_ssh_host", "ansible_host"],
        ["ansible_ssh_user", "ansible_user"],
        ["ansible_ssh_pass", "ansible_password"],
        ["ansible_ssh_port", "ansible_port"],
        ["ansible_ssh_timeout", "ansible_timeout"],
        ["ansible_ssh_private_key_file", "ansible_private_key_file"],
        ["ansible_become_password", "ansible_become_pass"],
    ];
    let pair = NAMES.iter().find(|pair| pair.contains(&name))?;
    pair.iter().find(|other| **other != name).copied()
}

/// What a task knows of its connection where nothing else says it: weaker than every variable, and not among those
/// that `vars` and `hostvars` list.
pub(super) fn of_connection(scope: &TaskScope, name: &str) -> Option<Value> {
    let task = scope.task.as_ref()?;
    let written = match name {
        "ansible_host" | "ansible_ssh_host" => Some(Value::str(scope.host.clone())),
        "ansible_user" | "ansible_ssh_user" => task.keyword(Keyword::RemoteUser).cloned(),
        _ => None,
    };
    written.or_else(|| scope.run.connection.get(name).cloned())
}

fn of_role(task: &Task, name: &str) -> Option<Value> {
    let role = task.role()?;
    let parents = || task.frame.roles().skip(1).filter(|_| role.from_include);
    Some(match name {
        "role_name" => Value::str(role.name.clone()),
        "ansible_role_name" => Value::from(role.full_name()),
        "role_path" => path(&role.path),
        "role_uuid" => Value::from(role.id.0.to_string()),
        "ansible_collection_name" => role.collection.clone().map_or(Value::Null, Value::str),
        "ansible_parent_role_names" => {
            texts(parents().next().is_some().then(|| parents().map(|r| r.full_name()))?)
        }
        "ansible_parent_role_paths" => {
            parents().next()?;
            Value::list(parents().map(|role| path(&role.path)).collect())
        }
        _ => return None,
    })
}

/// The name of the play, or the hosts as written where it has none.
fn play_name(scope: &TaskScope) -> Value {
    let play = &scope.play.play;
    match (&play.name, &play.hosts) {
        (Some(name), _) => name.clone(),
        (None, Value::List(hosts)) => {
            Value::template(hosts.iter().map(python_str).collect::<Vec<_>>().join(","))
        }
        (None, hosts) => hosts.clone(),
    }
}

/// Where the files of a task are searched: the roles around it, the innermost first, the directory of its file, the
/// directory of the playbook.
pub(super) fn search_path(play: &PlayVars, task: Option<&Task>) -> Vec<PathBuf> {
    let mut dirs = IndexSet::new();
    if let Some(task) = task {
        dirs.extend(task.frame.roles().map(|role| absolute(&role.path)));
        dirs.extend(task.pos.file.parent().map(absolute));
    }
    dirs.insert(absolute(&play.play.basedir));
    dirs.into_iter().collect()
}

fn path(path: &Path) -> Value {
    Value::from(absolute(path).to_string_lossy().into_owned())
}

fn absolute(path: &Path) -> PathBuf {
    crate::playbook::absolute(path)
}

fn texts(names: impl IntoIterator<Item = String>) -> Value {
    Value::list(names.into_iter().map(Value::from).collect())
}

fn listed(value: &Value) -> Vec<Value> {
    match value {
        Value::List(items) => items.to_vec(),
        other => vec![other.clone()],
    }
}
