//! Variables that Ansible itself defines. They are stronger than extra vars.

use std::path::PathBuf;

use crate::playbook::Task;
use crate::{Result, Value};

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
    let state = &scope.state;
    let host = &scope.host;
    let _ = (state, host, name);
    Ok(None)
}

pub(super) fn search_path(play: &PlayVars, task: Option<&Task>) -> Vec<PathBuf> {
    let _ = (play, task);
    Vec::new()
}
