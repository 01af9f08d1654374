//! What `provision inventory` prints: the inventory as JSON, YAML, TOML or a tree of lines, as ansible-inventory
//! shows it.

mod json;
mod toml;

use std::collections::HashSet;

use super::adjacent::combine;
use super::{ALL, Group, Host, Inventory, UNGROUPED};
use crate::template::python_str;
use crate::yaml::{DumpOptions, to_yaml};
use crate::{Error, Key, Map, Result, Value};
pub use json::json_text;

/// Variables that Ansible makes itself and does not show.
const INTERNAL: [&str; 22] = [
    "ansible_async_path",
    "ansible_collection_name",
    "ansible_config_file",
    "ansible_dependent_role_names",
    "ansible_diff_mode",
    "ansible_facts",
    "ansible_forks",
    "ansible_inventory_sources",
    "ansible_limit",
    "ansible_play_batch",
    "ansible_play_hosts",
    "ansible_playbook_python",
    "ansible_skip_tags",
    "ansible_verbosity",
    "ansible_version",
    "group_names",
    "groups",
    "inventory_dir",
    "inventory_file",
    "inventory_hostname",
    "inventory_hostname_short",
    "playbook_dir",
];

#[derive(Clone, Copy, Debug, Default)]
pub struct OutputOptions<'a> {
    /// Keep variables where they are written, so that the output is an inventory (`--export`), rather than show
    /// all variables of each host.
    pub export: bool,
    /// Merge dictionaries of several levels (`hash_behaviour = merge`).
    pub merge: bool,
    /// Show only these hosts (`--limit`).
    pub hosts: Option<&'a HashSet<String>>,
}

/// The format of `--list` and `--host`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Json,
    Yaml,
    Toml,
}

impl Inventory {
    /// `--list`.
    pub fn show_list(&self, format: Format, options: &OutputOptions<'_>) -> Result<String> {
        let mut list = List { inventory: self, options, groups: HashSet::new(), hosts: HashSet::new() };
        let Some(all) = self.group(ALL) else { return Ok(String::new()) };
        let mut shown = match format {
            Format::Json => list.flat(all),
            Format::Yaml => list.nested(all),
            Format::Toml => list.tables(all),
        };
        if format == Format::Json {
            let mut hostvars = Map::new();
            for host in self.hosts_in(ALL).into_iter().filter(|host| options.shows(host)) {
                let vars = self.shown_host_vars(host, options);
                if !vars.is_empty() {
                    hostvars.insert(Key::from(host.name.as_str()), Value::map(vars));
                }
            }
            let meta: Map = [
                (Key::from("hostvars"), Value::map(hostvars)),
                (Key::from("profile"), Value::template("inventory_legacy")),
            ]
            .into_iter()
            .collect();
            shown.insert(Key::from("_meta"), Value::map(meta));
        }
        write(&Value::map(shown), format)
    }

    /// `--host NAME`.
    pub fn show_host(&self, name: &str, format: Format, options: &OutputOptions<'_>) -> Result<String> {
        let matched = self.list_hosts(name)?;
        let [host] = matched.hosts.as_slice() else {
            return Err(Error::new("You must pass a single valid host to --host parameter"));
        };
        let vars = self.host(host).map(|host| self.shown_host_vars(host, options)).unwrap_or_default();
        write(&Value::map(vars), format)
    }

    /// `--graph [GROUP] [--vars]`: a line for each group and host.
    pub fn show_graph(&self, group: Option<&str>, vars: bool, options: &OutputOptions<'_>) -> Result<String> {
        let group = self
            .group(group.unwrap_or(ALL))
            .ok_or_else(|| Error::new("Pattern must be valid group name when using --graph"))?;
        let mut lines = Vec::new();
        self.graph(group, 0, vars, options, &mut lines);
        Ok(lines.join("\n") + "\n")
    }

    fn graph(
        &self,
        group: &Group,
        depth: usize,
        vars: bool,
        options: &OutputOptions<'_>,
        lines: &mut Vec<String>,
    ) {
        lines.push(graph_line(&format!("@{}:", group.name), depth));
        for child in group.children.iter().filter_map(|name| self.group(name)) {
            self.graph(child, depth + 1, vars, options, lines);
        }
        if group.name != ALL {
            for host in group.hosts.iter().filter_map(|name| self.host(name)) {
                lines.push(graph_line(&host.name, depth + 1));
                if vars {
                    graph_vars(self.shown_host_vars(host, options), depth + 2, lines);
                }
            }
        }
        if vars {
            graph_vars(self.shown_group_vars(group, options), depth + 1, lines);
        }
    }

    fn shown_host_vars(&self, host: &Host, options: &OutputOptions<'_>) -> Map {
        let mut all = Map::new();
        if options.export {
            all = host.vars.clone();
            for layer in self.host_files(&host.name) {
                combine(&mut all, Map::clone(layer), options.merge);
            }
        } else {
            for layer in self.var_layers(&host.name).unwrap_or_default() {
                combine(&mut all, Map::clone(&layer), options.merge);
            }
        }
        without_internal(all)
    }

    fn shown_group_vars(&self, group: &Group, options: &OutputOptions<'_>) -> Map {
        let mut all = group.vars.clone();
        for layer in self.group_files(&group.name) {
            combine(&mut all, Map::clone(layer), options.merge);
        }
        if group.priority != 1 {
            all.insert(Key::from("ansible_group_priority"), Value::Int(group.priority));
        }
        without_internal(all)
    }
}

impl OutputOptions<'_> {
    fn shows(&self, host: &Host) -> bool {
        self.hosts.is_none_or(|hosts| hosts.contains(&host.name))
    }
}

fn without_internal(mut vars: Map) -> Map {
    vars.retain(|name, _| name.as_str().is_none_or(|name| !INTERNAL.contains(&name)));
    vars
}

fn graph_line(text: &str, depth: usize) -> String {
    if depth == 0 { text.to_owned() } else { format!("{}--{text}", "  |".repeat(depth)) }
}

fn graph_vars(vars: Map, depth: usize, lines: &mut Vec<String>) {
    let mut entries: Vec<(String, Value)> = vars.into_iter().map(|(k, v)| (k.to_string(), v)).collect();
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, value) in entries {
        lines.push(graph_line(&format!("{{{name} = {}}}", python_str(&value)), depth));
    }
}

fn write(value: &Value, format: Format) -> Result<String> {
    match format {
        Format::Json => Ok(json_text(value) + "\n"),
        Format::Yaml => {
            to_yaml(value, &DumpOptions { default_flow_style: Some(false), ..DumpOptions::to_yaml() })
        }
        Format::Toml => toml::toml_text(value),
    }
}

/// Walks the groups once, and remembers which groups and hosts it has shown.
struct List<'a> {
    inventory: &'a Inventory,
    options: &'a OutputOptions<'a>,
    groups: HashSet<&'a str>,
    hosts: HashSet<&'a str>,
}

impl<'a> List<'a> {
    fn children(&self, group: &'a Group) -> Vec<&'a Group> {
        group.children.iter().filter_map(|name| self.inventory.group(name)).collect()
    }

    fn hosts(&self, group: &'a Group) -> Vec<&'a Host> {
        if group.name == ALL {
            return Vec::new();
        }
        let hosts = group.hosts.iter().filter_map(|name| self.inventory.host(name));
        hosts.filter(|host| self.options.shows(host)).collect()
    }

    /// Put a group under its name, without what is empty in it; nothing if nothing is left.
    fn finish(&self, group: &Group, mut entry: Map, into: &mut Map) {
        if self.options.export {
            entry.insert(Key::from("vars"), Value::map(self.inventory.shown_group_vars(group, self.options)));
        }
        entry.retain(|_, value| value.is_truthy());
        if !entry.is_empty() {
            into.insert(Key::from(group.name.as_str()), Value::map(entry));
        }
    }

    /// JSON: all groups beside each other, with the names of their hosts and children.
    fn flat(&mut self, group: &'a Group) -> Map {
        let mut results = Map::new();
        let hosts: Vec<Value> =
            self.hosts(group).iter().map(|host| Value::template(host.name.as_str())).collect();
        let mut names = Vec::new();
        for child in self.children(group) {
            names.push(Value::template(child.name.as_str()));
            if self.groups.insert(&child.name) {
                results.extend(self.flat(child));
            }
        }
        let entry = [(Key::from("hosts"), Value::list(hosts)), (Key::from("children"), Value::list(names))];
        self.finish(group, entry.into_iter().collect(), &mut results);
        results
    }

    /// YAML: groups inside of each other, the variables of a host where it is first.
    fn nested(&mut self, group: &'a Group) -> Map {
        let mut children = Map::new();
        for child in self.children(group) {
            if self.groups.insert(&child.name) {
                children.extend(self.nested(child));
            } else {
                children.insert(Key::from(child.name.as_str()), Value::map(Map::new()));
            }
        }
        let hosts = self.host_table(group);
        let entry = [(Key::from("children"), Value::map(children)), (Key::from("hosts"), Value::map(hosts))];
        let mut results = Map::new();
        self.finish(group, entry.into_iter().collect(), &mut results);
        results
    }

    fn host_table(&mut self, group: &'a Group) -> Map {
        let mut table = Map::new();
        for host in self.hosts(group) {
            let first = self.hosts.insert(&host.name);
            let vars = if first { self.inventory.shown_host_vars(host, self.options) } else { Map::new() };
            table.insert(Key::from(host.name.as_str()), Value::map(vars));
        }
        table
    }

    /// TOML: groups beside each other, with tables of hosts.
    fn tables(&mut self, group: &'a Group) -> Map {
        let mut results = Map::new();
        let mut names = Vec::new();
        for child in self.children(group) {
            if child.name == UNGROUPED && child.hosts.is_empty() {
                continue;
            }
            if group.name != ALL {
                names.push(Value::template(child.name.as_str()));
            }
            if self.groups.insert(&child.name) {
                results.extend(self.tables(child));
            }
        }
        let hosts = self.host_table(group);
        let entry = [(Key::from("children"), Value::list(names)), (Key::from("hosts"), Value::map(hosts))];
        self.finish(group, entry.into_iter().collect(), &mut results);
        results
    }
}
