//! Hosts and groups, and how they hang together.

use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::adjacent::{Adjacent, combine};
use crate::{Error, Key, Map, Result, Value};

pub const ALL: &str = "all";
pub const UNGROUPED: &str = "ungrouped";

/// A group: its own hosts, the groups below and above it, and its own variables.
#[derive(Clone, Debug, Default)]
pub struct Group {
    pub name: String,
    /// Distance from `all`, the longest way.
    pub depth: u32,
    /// `ansible_group_priority`: of groups of one depth, the higher one has the last word.
    pub priority: i64,
    pub vars: Map,
    pub parents: IndexSet<String>,
    pub children: IndexSet<String>,
    /// Hosts that are in the group itself, not by way of a child.
    pub hosts: IndexSet<String>,
}

/// A host and its own variables.
#[derive(Clone, Debug, Default)]
pub struct Host {
    pub name: String,
    pub vars: Map,
    /// The groups that name it, and all groups above those.
    pub groups: IndexSet<String>,
    /// `localhost` when no inventory names it.
    pub implicit: bool,
    /// The file, directory or list that named it first.
    pub source: Option<Arc<str>>,
}

/// All hosts and groups of a run, in the order the sources name them.
#[derive(Clone, Debug)]
pub struct Inventory {
    pub(crate) groups: IndexMap<String, Group>,
    pub(crate) hosts: IndexMap<String, Host>,
    /// The hosts that the names of this machine mean when no source names one of them.
    pub(super) implicit: Vec<Host>,
    /// The source that is being read.
    pub(super) current: Option<Arc<str>>,
    pub(super) adjacent: Adjacent,
    /// Dictionaries of several sources are merged (`hash_behaviour = merge`).
    pub(super) merge: bool,
    /// Files and directories that were read.
    pub sources: Vec<String>,
    /// Was any source read?
    pub parsed: bool,
    /// What scripts have written to their standard error, if that is to be shown.
    pub script_errors: Vec<String>,
    /// What is only worth saying to those who ask for much (`-vvv`).
    pub remarks: Vec<String>,
    /// What sources should no longer do.
    pub deprecations: Vec<String>,
    /// What was odd: sources that could not be read, names that are both group and host.
    pub warnings: Vec<Error>,
}

impl Default for Inventory {
    fn default() -> Self {
        let mut inventory = Self {
            groups: IndexMap::new(),
            hosts: IndexMap::new(),
            implicit: LOCALHOST.iter().map(|name| implicit_localhost(name)).collect(),
            current: None,
            adjacent: Adjacent::default(),
            sources: Vec::new(),
            merge: false,
            parsed: false,
            script_errors: Vec::new(),
            remarks: Vec::new(),
            deprecations: Vec::new(),
            warnings: Vec::new(),
        };
        inventory.groups.insert(ALL.into(), Group { name: ALL.into(), priority: 1, ..Group::default() });
        let ungrouped = Group {
            name: UNGROUPED.into(),
            priority: 1,
            depth: 1,
            parents: [ALL.to_owned()].into(),
            ..Group::default()
        };
        inventory.groups.insert(UNGROUPED.into(), ungrouped);
        if let Some(all) = inventory.groups.get_mut(ALL) {
            all.children.insert(UNGROUPED.into());
        }
        inventory
    }
}

/// A host that is reached without a connection.
pub(super) fn implicit_localhost(name: &str) -> Host {
    let vars = [
        (Key::from("ansible_connection"), Value::str("local")),
        // A template of the engine: the interpreter that Ansible itself runs with.
        (Key::from("ansible_python_interpreter"), Value::template("{{ ansible_playbook_python }}")),
    ];
    Host {
        name: name.into(),
        vars: vars.into_iter().collect(),
        groups: IndexSet::new(),
        implicit: true,
        source: None,
    }
}

impl Inventory {
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.values()
    }

    pub fn group(&self, name: &str) -> Option<&Group> {
        self.groups.get(name)
    }

    /// Every host that a source names (not the implicit localhost), in the order of the sources.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values()
    }

    /// A host by name; `localhost`, `127.0.0.1` and `::1` are there also when no source names them.
    ///
    /// One of these names finds a host that was named by another of them.
    pub fn host(&self, name: &str) -> Option<&Host> {
        if let Some(host) = self.hosts.get(name) {
            return Some(host);
        }
        if !is_localhost(name) {
            return None;
        }
        self.hosts
            .values()
            .find(|host| is_localhost(&host.name))
            .or_else(|| self.implicit.iter().find(|host| host.name == name))
    }

    /// Make a group if it is not there.
    pub fn add_group(&mut self, name: &str) -> Result<()> {
        if name.is_empty() {
            return Err(Error::new("Invalid empty/false group name provided: "));
        }
        if !self.groups.contains_key(name) {
            let group = Group { name: name.into(), priority: 1, ..Group::default() };
            self.groups.insert(name.into(), group);
        }
        Ok(())
    }

    /// Make a host if it is not there, in a group if one is given.
    pub fn add_host(&mut self, name: &str, group: Option<&str>, port: Option<u16>) -> Result<()> {
        if name.is_empty() {
            return Err(Error::new("Invalid empty host name provided: "));
        }
        if !self.hosts.contains_key(name) {
            let mut host = Host { name: name.into(), source: self.current.clone(), ..Host::default() };
            if let Some(port) = port {
                host.vars.insert(Key::from("ansible_port"), Value::Int(port.into()));
            }
            let first = if is_localhost(name) {
                self.hosts.keys().find(|host| is_localhost(host)).cloned()
            } else {
                None
            };
            if let Some(first) = first {
                self.warn(Error::new(format!(
                    "A duplicate localhost-like entry was found ({name}). First found localhost was {first}"
                )));
            }
            self.hosts.insert(name.into(), host);
        }
        if let Some(group) = group {
            self.add_host_to_group(name, group)?;
        }
        Ok(())
    }

    pub fn add_host_to_group(&mut self, host: &str, group: &str) -> Result<()> {
        let Some(entry) = self.groups.get_mut(group) else {
            return Err(Error::new(format!("Could not find group {group} in inventory")));
        };
        entry.hosts.insert(host.to_owned());
        let above = self.with_ancestors(group);
        if let Some(host) = self.hosts.get_mut(host) {
            host.groups.extend(above);
        }
        Ok(())
    }

    /// Put a group (or a host) below a group.
    pub fn add_child(&mut self, parent: &str, child: &str) -> Result<()> {
        if !self.groups.contains_key(parent) {
            return Err(Error::new(format!("{parent} is not a known group")));
        }
        if !self.groups.contains_key(child) {
            if self.hosts.contains_key(child) {
                return self.add_host_to_group(child, parent);
            }
            return Err(Error::new(format!("{child} is not a known host nor group")));
        }
        if parent == child {
            return Err(Error::new("can't add group to itself"));
        }
        if self.groups.get(parent).is_some_and(|g| g.children.contains(child)) {
            return Ok(());
        }
        if self.with_ancestors(parent).contains(child) {
            return Err(Error::new(format!(
                "Adding group '{child}' as child to '{parent}' creates a recursive dependency loop."
            )));
        }
        if let Some(group) = self.groups.get_mut(parent) {
            group.children.insert(child.into());
        }
        if let Some(group) = self.groups.get_mut(child) {
            group.parents.insert(parent.into());
        }
        self.deepen(child);
        let above = self.with_ancestors(parent);
        for group in self.with_descendants(child) {
            let hosts: Vec<String> =
                self.groups.get(&group).map(|g| g.hosts.iter().cloned().collect()).unwrap_or_default();
            for host in hosts {
                if let Some(host) = self.hosts.get_mut(&host) {
                    host.groups.extend(above.iter().cloned());
                }
            }
        }
        Ok(())
    }

    /// Depths of a group and what is below it, after it got a parent.
    fn deepen(&mut self, name: &str) {
        let mut open = vec![name.to_owned()];
        while let Some(name) = open.pop() {
            let Some(group) = self.groups.get(&name) else { continue };
            let depth = group.parents.iter().filter_map(|p| self.groups.get(p)).map(|p| p.depth + 1).max();
            let depth = depth.unwrap_or(0);
            if let Some(group) = self.groups.get_mut(&name)
                && depth > group.depth
            {
                group.depth = depth;
                open.extend(group.children.iter().cloned());
            }
        }
    }

    /// A group and everything above it, itself first.
    pub(super) fn with_ancestors(&self, name: &str) -> IndexSet<String> {
        self.walk(name, |group| &group.parents)
    }

    /// A group and everything below it, level by level, itself first.
    pub(super) fn with_descendants(&self, name: &str) -> IndexSet<String> {
        self.walk(name, |group| &group.children)
    }

    fn walk(&self, name: &str, next: impl Fn(&Group) -> &IndexSet<String>) -> IndexSet<String> {
        let mut seen: IndexSet<String> = [name.to_owned()].into();
        let mut at = 0;
        while let Some(group) = seen.get_index(at).and_then(|name| self.groups.get(name)) {
            seen.extend(next(group).iter().cloned());
            at += 1;
        }
        seen
    }

    /// The hosts of a group and of all groups below it, in Ansible's order.
    pub fn hosts_in(&self, name: &str) -> Vec<&Host> {
        let mut names: IndexSet<&str> = IndexSet::new();
        let groups = self.with_descendants(name);
        for group in groups.iter().filter_map(|g| self.groups.get(g)) {
            names.extend(group.hosts.iter().map(String::as_str));
        }
        names.into_iter().filter_map(|host| self.hosts.get(host)).collect()
    }

    /// The groups of a host without `all`, in the order their variables are applied: by depth, priority, name.
    pub fn var_groups(&self, host: &Host) -> Vec<&Group> {
        let mut groups: Vec<&Group> =
            host.groups.iter().filter(|g| *g != ALL).filter_map(|g| self.groups.get(g)).collect();
        groups.sort_by(|a, b| (a.depth, a.priority, &a.name).cmp(&(b.depth, b.priority, &b.name)));
        groups
    }

    /// Set a variable of a group, or of a host if there is no such group.
    pub fn set_variable(&mut self, entity: &str, name: Key, value: Value) -> Result<()> {
        if let Some(group) = self.groups.get_mut(entity) {
            if name.as_str() == Some("ansible_group_priority") {
                group.priority = priority(&value)?;
            } else {
                combine(&mut group.vars, [(name, value)].into_iter().collect(), self.merge);
            }
            return Ok(());
        }
        match self.hosts.get_mut(entity) {
            Some(host) => {
                combine(&mut host.vars, [(name, value)].into_iter().collect(), self.merge);
                Ok(())
            }
            None => Err(Error::new(format!("Could not identify group or host named {entity}"))),
        }
    }

    /// Set a variable of a host. Each host gets lists and dictionaries of its own.
    pub fn set_host_variable(&mut self, host: &str, name: Key, value: Value) {
        if let Some(host) = self.hosts.get_mut(host) {
            combine(&mut host.vars, [(name, own_copy(value))].into_iter().collect(), self.merge);
        }
    }

    /// Add what was found by plugins to what a group knows already, then see to it that everything hangs below
    /// `all` and that hosts without a group are in `ungrouped`.
    pub fn reconcile(&mut self) {
        let orphans: Vec<String> = self
            .groups
            .values()
            .filter(|g| g.name != ALL && g.parents.is_empty())
            .map(|g| g.name.clone())
            .collect();
        for group in orphans {
            // Cannot fail: both are groups, and nothing is above `all`.
            let _ = self.add_child(ALL, &group);
        }
        let names: Vec<String> = self.hosts.keys().cloned().collect();
        for name in names {
            let Some(host) = self.hosts.get(&name) else { continue };
            let elsewhere = host.groups.iter().any(|g| g != ALL && g != UNGROUPED);
            let ungrouped = host.groups.contains(UNGROUPED);
            if ungrouped && elsewhere {
                if let Some(group) = self.groups.get_mut(UNGROUPED) {
                    group.hosts.shift_remove(&name);
                }
                if let Some(host) = self.hosts.get_mut(&name) {
                    host.groups.shift_remove(UNGROUPED);
                }
            } else if !ungrouped && !elsewhere {
                let _ = self.add_host_to_group(&name, UNGROUPED);
            }
        }
        let both: Vec<String> = self.groups.keys().filter(|g| self.hosts.contains_key(*g)).cloned().collect();
        for name in both {
            self.warn(Error::new(format!("Found both group and host with same name: {name}")));
        }
    }

    /// Keep a warning, once.
    pub(crate) fn warn(&mut self, warning: Error) {
        if !self.warnings.iter().any(|w| w.to_string() == warning.to_string() && w.pos() == warning.pos()) {
            self.warnings.push(warning);
        }
    }
}

/// The same value in containers of its own: being one object shows when it is printed as YAML.
fn own_copy(value: Value) -> Value {
    match value {
        Value::List(items) => Value::list(items.iter().cloned().map(own_copy).collect()),
        Value::Map(map) => Value::map(map.iter().map(|(k, v)| (k.clone(), own_copy(v.clone()))).collect()),
        other => other,
    }
}

fn priority(value: &Value) -> Result<i64> {
    let number = match value {
        Value::Int(i) => Some(*i),
        Value::Bool(b) => Some(i64::from(*b)),
        Value::Str(text) => text.as_str().trim().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| Error::new("ansible_group_priority has to be an integer").at(value.pos()))
}

/// The names that mean this machine.
const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

pub(crate) fn is_localhost(name: &str) -> bool {
    LOCALHOST.contains(&name)
}
