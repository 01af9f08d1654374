//! Actions that change the run or wait on the controller: add_host, group_by, include_vars, set_stats, pause.

use std::path::PathBuf;
use std::rc::Rc;

use lang::inventory::Inventory;
use lang::vars::VarsInclusion;
use lang::{Map, Value};

use crate::action::{Local, SetStats};
use crate::host::HostRun;
use crate::play::PlayRun;
use crate::results::{self, ResultMap};
use crate::settings::{Settings, text_of};
use crate::{map, run};

/// What `add_host` and `group_by` made.
pub enum Made {
    Host { name: String, groups: Vec<String>, vars: Map },
    Group { host: String, group: String, parents: Vec<String> },
}

impl Made {
    /// Add it to an inventory. Was anything of it new?
    pub fn add_to(&self, inventory: &mut Inventory) -> lang::Result<bool> {
        match self {
            Self::Host { name, groups, vars } => add_host(inventory, name, groups, vars),
            Self::Group { host, group, parents } => add_to_group(inventory, host, group, parents),
        }
    }

    /// Add it to an inventory that was read again. A host that is not in it any more is in no group.
    pub fn add_again(&self, inventory: &mut Inventory) -> lang::Result<()> {
        match self {
            Self::Group { host, .. } if inventory.host(host).is_none() => Ok(()),
            _ => self.add_to(inventory).map(|_| ()),
        }
    }
}

impl PlayRun {
    pub async fn run_local(self: &Rc<Self>, host: &Rc<HostRun>, local: &Local, settings: &Settings) -> Map {
        match local {
            Local::AddHost(args) => unchanged_in_check(self.add_host(args), settings),
            Local::GroupBy(args) => unchanged_in_check(self.group_by(host, args), settings),
            Local::SetStats(args) => self.set_stats(host, args),
            Local::IncludeVars(wanted) => self.include_vars(wanted),
            Local::Pause(pause) => self.pause(pause).await,
        }
    }

    fn add_host(&self, args: &Map) -> Map {
        let name = args
            .text("name")
            .map(str::to_owned)
            .unwrap_or_else(|| args.get("name").map(text_of).unwrap_or_default());
        let groups = match args.get("groups").or(args.get("groupname")).or(args.get("group")) {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::List(items)) => items.iter().map(text_of).collect(),
            Some(other) => text_of(other).split(',').map(|g| g.trim().to_owned()).collect::<Vec<_>>(),
        };
        let groups: Vec<String> = groups.into_iter().filter(|g| !g.is_empty()).collect();
        let special = ["name", "hostname", "groups", "groupname", "group"];
        let vars: Map = args
            .iter()
            .filter(|(k, _)| k.as_str().is_none_or(|k| !special.contains(&k)))
            .map(|(k, v)| (k.clone(), v.clone().untrusted()))
            .collect();
        let made = Made::Host { name: name.clone(), groups: groups.clone(), vars: vars.clone() };
        let changed = match self.make(made) {
            Ok(changed) => changed,
            Err(e) => return results::failure(e.to_string()),
        };
        let mut shown = map! {"host_name": name.as_str(), "host_vars": vars};
        shown.put("groups", groups.into_iter().map(Value::from).collect::<Vec<_>>());
        map! {"changed": changed, "add_host": shown}
    }

    fn group_by(&self, host: &HostRun, args: &Map) -> Map {
        let group = args.get("key").map(text_of).unwrap_or_default().replace(' ', "-");
        let parents: Vec<String> = match args.get("parents") {
            None | Some(Value::Null) => vec!["all".into()],
            Some(Value::List(items)) => items.iter().map(|p| text_of(p).replace(' ', "-")).collect(),
            Some(other) => vec![text_of(other).replace(' ', "-")],
        };
        let made = Made::Group { host: host.name.clone(), group: group.clone(), parents: parents.clone() };
        let changed = match self.make(made) {
            Ok(changed) => changed,
            Err(e) => return results::failure(e.to_string()),
        };
        let mut result = map! {"changed": changed, "add_group": group};
        result.put("parent_groups", parents.into_iter().map(Value::from).collect::<Vec<_>>());
        result
    }

    /// Add it to the inventory, and to every later reading of it. Was anything of it new?
    fn make(&self, made: Made) -> lang::Result<bool> {
        let changed = self.run.world.change_inventory(|inventory| made.add_to(inventory));
        self.run.made.borrow_mut().push(made);
        changed
    }

    fn set_stats(&self, host: &HostRun, stats: &SetStats) -> Map {
        let SetStats { data, per_host, aggregate } = stats;
        if *per_host {
            let mut all = self.run.custom_per_host.borrow_mut();
            run::set_stats(all.entry(host.name.clone()).or_default(), data, *aggregate);
        } else {
            run::set_stats(&mut self.run.custom.borrow_mut(), data, *aggregate);
        }
        map! {"changed": false, "ansible_stats": map! {
            "data": data.clone(), "per_host": *per_host, "aggregate": *aggregate
        }}
    }

    fn include_vars(&self, wanted: &crate::action::IncludeVars) -> Map {
        let inclusion = VarsInclusion {
            args: &wanted.args,
            search_path: wanted.scope.search_path(),
            task_dir: wanted.task_dir.as_deref(),
            role_dir: wanted.role_dir.as_deref(),
            scope: &*wanted.scope,
            merge: self.run.vars.merge,
        };
        let included = match lang::vars::include_vars(&*self.run.hooks, &inclusion) {
            Ok(included) => included,
            Err(e) => return results::failure(format!("Task failed: {e}")),
        };
        for warning in lang::vars::reserved_names(&included.vars, None) {
            self.run.warn(lang::excerpt::describe(&warning));
        }
        let path = |path: &PathBuf| Value::from(path.to_string_lossy().into_owned());
        let mut result = map! {
            "changed": false,
            "ansible_facts": included.vars,
            "ansible_included_var_files": included.files.iter().map(path).collect::<Vec<_>>(),
        };
        // What was encrypted is not shown.
        let is_vault =
            |path: &PathBuf| std::fs::read(path).is_ok_and(|text| lang::vault::is_encrypted(&text));
        if included.files.iter().any(is_vault) {
            result.put("_ansible_no_log", true);
        }
        if let Some(message) = included.error {
            result.put("failed", true);
            result.put("message", message);
            result.put("msg", "Task failed: Action failed: Unknown error.");
        }
        result
    }
}

/// Hosts and groups of the run are made in check mode, too, but that is no change.
fn unchanged_in_check(mut result: Map, settings: &Settings) -> Map {
    if settings.check && result.flag("changed") {
        result.put("changed", false);
    }
    result
}

/// Make a host in groups, with variables. Was anything of it new?
fn add_host(inventory: &mut Inventory, name: &str, groups: &[String], vars: &Map) -> lang::Result<bool> {
    let mut changed = inventory.hosts().all(|h| h.name != name);
    inventory.add_host(name, None, None)?;
    for (key, value) in vars {
        changed |= inventory.host(name).and_then(|h| h.vars.get(key)) != Some(value);
        inventory.set_host_variable(name, key.clone(), value.clone());
    }
    for group in groups {
        if inventory.group(group).is_none() {
            changed = true;
            inventory.add_group(group)?;
        }
        changed |= inventory.group(group).is_none_or(|g| !g.hosts.contains(name));
        inventory.add_host_to_group(name, group)?;
    }
    inventory.reconcile();
    Ok(changed)
}

/// Put a host into a group below other groups. Was anything of it new?
fn add_to_group(
    inventory: &mut Inventory,
    host: &str,
    group: &str,
    parents: &[String],
) -> lang::Result<bool> {
    let mut changed = false;
    for name in parents.iter().map(String::as_str).chain([group]) {
        if inventory.group(name).is_none() {
            changed = true;
            inventory.add_group(name)?;
        }
    }
    for parent in parents {
        changed |= inventory.group(parent).is_none_or(|g| !g.children.contains(group));
        inventory.add_child(parent, group)?;
    }
    changed |= inventory.group(group).is_none_or(|g| !g.hosts.contains(host));
    inventory.add_host_to_group(host, group)?;
    inventory.reconcile();
    Ok(changed)
}
