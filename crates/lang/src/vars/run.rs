use std::sync::Arc;

use crate::{Map, Value};

use super::{HostVars, PlayHosts};

/// What is the same for the whole run.
#[derive(Clone, Debug, Default)]
pub struct RunVars {
    /// `-e`.
    pub extra: Arc<Map>,
    /// Magic variables that never change: `ansible_version`, `ansible_check_mode`, `ansible_forks` and so on.
    pub constants: Arc<Map>,
    /// What options of the command line say of connections (`ansible_user`, `ansible_password` ...), for those who ask
    /// and find nothing else.
    pub connection: Arc<Map>,
    /// `hash_behaviour = merge`.
    pub merge: bool,
    /// `inject_facts_as_vars`: facts are variables of their own, not only in `ansible_facts`.
    pub inject_facts: bool,
}

/// What changes while the run goes on, asked by name of host. Answers are snapshots.
pub trait RunState: Send + Sync {
    /// Variables of the inventory, of `group_vars` and `host_vars`: layers, the weakest first. `None` for a host
    /// that is not in the inventory.
    fn inventory(&self, host: &str) -> Option<Vec<Arc<Map>>>;

    /// The same for a host that is not in the inventory.
    fn stranger(&self, _host: &str) -> Vec<Arc<Map>> {
        Vec::new()
    }

    /// Why the variables of a host of the inventory cannot be known.
    fn broken(&self, _host: &str) -> Option<crate::Error> {
        None
    }

    /// What the run learned about the host.
    fn host(&self, host: &str) -> Option<Arc<HostVars>>;

    /// Variables of the play's `vars_files` for the host.
    fn vars_files(&self, host: &str) -> Arc<Map>;

    /// Will an unfinished task set this name on the host?
    fn pending(&self, host: &str, name: &str) -> bool;

    /// All hosts of the inventory, in its order.
    fn hosts(&self) -> Vec<String>;

    /// `groups`: every group with its hosts.
    fn groups(&self) -> Value;

    /// `group_names` of the host, sorted.
    fn group_names(&self, host: &str) -> Value;

    /// `inventory_file` and `inventory_dir` of the host.
    fn inventory_source(&self, host: &str) -> (Value, Value);

    fn play_hosts(&self) -> PlayHosts;

    /// Is a task that acts on the controller unfinished?
    fn controller_busy(&self) -> bool {
        false
    }
}
