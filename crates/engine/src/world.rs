//! Everything a run knows about hosts at one moment: what templates see besides the playbook.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use lang::inventory::Inventory;
use lang::vars::{HostVars, PlayHosts, RunState};
use lang::{Key, Map, Value};

/// The state shared by all scopes. Answers are snapshots; changing it never blocks for long.
#[derive(Default)]
pub struct World {
    inner: RwLock<Inner>,
}

#[derive(Default)]
struct Inner {
    inventory: Arc<Inventory>,
    hosts: HashMap<String, Arc<HostVars>>,
    vars_files: HashMap<String, Arc<Map>>,
    play_hosts: PlayHosts,
    groups: Option<Value>,
    layers: HashMap<String, Vec<Arc<Map>>>,
}

impl World {
    pub fn new(inventory: Inventory) -> Arc<Self> {
        let inner = Inner { inventory: Arc::new(inventory), ..Inner::default() };
        Arc::new(Self { inner: RwLock::new(inner) })
    }

    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn inventory(&self) -> Arc<Inventory> {
        self.read().inventory.clone()
    }

    /// Change the inventory (`add_host`, `group_by`, `refresh_inventory`).
    pub fn change_inventory<T>(&self, change: impl FnOnce(&mut Inventory) -> T) -> T {
        let mut inner = self.write();
        inner.groups = None;
        inner.layers.clear();
        change(Arc::make_mut(&mut inner.inventory))
    }

    /// Change what is known of a host.
    pub fn change_host<T>(&self, host: &str, change: impl FnOnce(&mut HostVars) -> T) -> T {
        let mut inner = self.write();
        let vars = inner.hosts.entry(host.to_owned()).or_default();
        change(Arc::make_mut(vars))
    }

    /// What is known of a host.
    pub fn host_vars(&self, host: &str) -> Arc<HostVars> {
        self.read().hosts.get(host).cloned().unwrap_or_default()
    }

    pub fn set_vars_files(&self, host: &str, vars: Arc<Map>) {
        self.write().vars_files.insert(host.to_owned(), vars);
    }

    pub fn clear_vars_files(&self) {
        self.write().vars_files.clear();
    }

    pub fn set_play_hosts(&self, hosts: PlayHosts) {
        self.write().play_hosts = hosts;
    }
}

impl RunState for World {
    fn inventory(&self, host: &str) -> Option<Vec<Arc<Map>>> {
        if let Some(layers) = self.read().layers.get(host) {
            return Some(layers.clone());
        }
        let mut inner = self.write();
        let layers = inner.inventory.var_layers_with_magic(host)?;
        inner.layers.insert(host.to_owned(), layers.clone());
        Some(layers)
    }

    fn stranger(&self, host: &str) -> Vec<Arc<Map>> {
        self.read().inventory.var_layers_of_stranger(host)
    }

    fn broken(&self, host: &str) -> Option<lang::Error> {
        self.read().inventory.broken_vars(host).cloned()
    }

    fn host(&self, host: &str) -> Option<Arc<HostVars>> {
        self.read().hosts.get(host).cloned()
    }

    fn vars_files(&self, host: &str) -> Arc<Map> {
        self.read().vars_files.get(host).cloned().unwrap_or_default()
    }

    fn pending(&self, _host: &str, _name: &str) -> bool {
        false
    }

    fn hosts(&self) -> Vec<String> {
        self.read().inventory.host_names()
    }

    fn groups(&self) -> Value {
        if let Some(groups) = &self.read().groups {
            return groups.clone();
        }
        let mut inner = self.write();
        let groups: Map = inner
            .inventory
            .group_hosts()
            .into_iter()
            .map(|(group, hosts)| {
                (Key::from(group), hosts.into_iter().map(Value::from).collect::<Vec<_>>().into())
            })
            .collect();
        let groups = Value::map(groups);
        inner.groups = Some(groups.clone());
        groups
    }

    fn group_names(&self, host: &str) -> Value {
        let names = self.read().inventory.groups_of(host);
        names.into_iter().map(Value::from).collect::<Vec<_>>().into()
    }

    fn inventory_source(&self, host: &str) -> (Value, Value) {
        self.read().inventory.source_of(host)
    }

    fn play_hosts(&self) -> PlayHosts {
        self.read().play_hosts.clone()
    }
}

/// The world as it will be further on in the play, as far as it is known: what a host looks at when its tasks are
/// worked out ahead of their turn.
pub struct Ahead {
    pub now: Arc<World>,
    /// The host that is ahead, and what it will know there.
    pub host: String,
    pub vars: Arc<HostVars>,
    /// Names that unfinished tasks of that host will set.
    pub pending: Arc<HashSet<String>>,
    /// An unfinished task of it gathers facts, of names nobody knows before.
    pub facts_pending: bool,
    /// Names that unfinished tasks may set on other hosts until then.
    pub elsewhere: Arc<HashSet<String>>,
    /// Other hosts' facts may change until then.
    pub facts_elsewhere: bool,
    /// An unfinished task acts on the controller.
    pub controller_busy: bool,
}

impl RunState for Ahead {
    fn inventory(&self, host: &str) -> Option<Vec<Arc<Map>>> {
        self.now.inventory_layers(host)
    }

    fn stranger(&self, host: &str) -> Vec<Arc<Map>> {
        self.now.stranger(host)
    }

    fn broken(&self, host: &str) -> Option<lang::Error> {
        self.now.broken(host)
    }

    fn host(&self, host: &str) -> Option<Arc<HostVars>> {
        if host == self.host { Some(self.vars.clone()) } else { self.now.host(host) }
    }

    fn vars_files(&self, host: &str) -> Arc<Map> {
        self.now.vars_files(host)
    }

    fn pending(&self, host: &str, name: &str) -> bool {
        if host == self.host {
            self.pending.contains(name) || (self.facts_pending && may_be_fact(name))
        } else {
            self.elsewhere.contains(name) || (self.facts_elsewhere && may_be_fact(name))
        }
    }

    fn hosts(&self) -> Vec<String> {
        self.now.hosts()
    }

    fn groups(&self) -> Value {
        self.now.groups()
    }

    fn group_names(&self, host: &str) -> Value {
        self.now.group_names(host)
    }

    fn inventory_source(&self, host: &str) -> (Value, Value) {
        self.now.inventory_source(host)
    }

    fn play_hosts(&self) -> PlayHosts {
        self.now.play_hosts()
    }

    fn controller_busy(&self) -> bool {
        self.controller_busy
    }
}

impl World {
    fn inventory_layers(&self, host: &str) -> Option<Vec<Arc<Map>>> {
        RunState::inventory(self, host)
    }
}

/// Could gathering facts set this name? Variables that tell how to connect never come from facts.
fn may_be_fact(name: &str) -> bool {
    const CONNECTION: &[&str] = &[
        "ansible_host",
        "ansible_port",
        "ansible_user",
        "ansible_connection",
        "ansible_password",
        "ansible_pass",
        "ansible_timeout",
        "ansible_private_key_file",
        "ansible_host_key_checking",
        "ansible_remote_tmp",
        "ansible_pipelining",
    ];
    const PREFIXES: &[&str] = &[
        "ansible_become",
        "ansible_sudo_",
        "ansible_su_",
        "ansible_doas_",
        "ansible_docker_",
        "ansible_chroot_",
        "ansible_shell_",
        "ansible_ssh_host_key_checking",
        "ansible_ssh_args",
        "ansible_ssh_common_args",
        "ansible_ssh_extra_args",
        "ansible_ssh_host",
        "ansible_ssh_port",
        "ansible_ssh_user",
        "ansible_ssh_pass",
        "ansible_ssh_private_key",
        "ansible_ssh_timeout",
        "ansible_local_",
    ];
    if name.ends_with("_interpreter") {
        return false;
    }
    // ansible_ssh_host_key_*_public are facts although they begin like a connection variable.
    if name.starts_with("ansible_ssh_host_key_") && name != "ansible_ssh_host_key_checking" {
        return true;
    }
    name.starts_with("ansible_")
        && !CONNECTION.contains(&name)
        && !PREFIXES.iter().any(|p| name.starts_with(p))
}
