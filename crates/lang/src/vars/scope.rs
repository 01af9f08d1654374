mod lookup;

use std::path::PathBuf;
use std::sync::Arc;

use crate::playbook::Task;
use crate::template::Scope;
use crate::{Map, Result, Value};

pub(super) use lookup::merge;

use super::{HostVars, PlayVars, RunState, RunVars};

/// The variables of a task on a host, or (without a task) of a host in a play.
#[derive(Clone)]
pub struct TaskScope {
    pub run: Arc<RunVars>,
    pub play: Arc<PlayVars>,
    pub state: Arc<dyn RunState>,
    pub host: Arc<str>,
    pub task: Option<Arc<Task>>,
    /// Loop variables and others that the task's execution itself brings: stronger than everything.
    pub local: Map,
    pub(super) vars: Option<Arc<HostVars>>,
    inventory: Vec<Arc<Map>>,
    pub(super) search_path: Vec<PathBuf>,
}

impl TaskScope {
    pub fn new(
        run: Arc<RunVars>,
        play: Arc<PlayVars>,
        state: Arc<dyn RunState>,
        host: Arc<str>,
        task: Option<Arc<Task>>,
    ) -> Self {
        let vars = state.host(&host);
        let inventory = match state.inventory(&host) {
            Some(layers) => layers,
            None if host.is_empty() => Vec::new(),
            None => state.stranger(&host),
        };
        let search_path = super::magic::search_path(&play, task.as_deref());
        Self { run, play, state, host, task, local: Map::new(), vars, inventory, search_path }
    }

    /// The same with variables that are stronger than everything: loop items.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.local.insert(name.into(), value);
        self
    }
}

impl Scope for TaskScope {
    fn get(&self, name: &str) -> Result<Option<Value>> {
        self.lookup(name)
    }

    fn names(&self) -> Vec<String> {
        self.all_names()
    }

    fn hostvars(&self, host: &str) -> Result<Option<Arc<dyn Scope>>> {
        if self.state.inventory(host).is_none() {
            return Ok(None);
        }
        if let Some(error) = self.state.broken(host) {
            return Err(error);
        }
        let (run, play, state) = (self.run.clone(), self.play.clone(), self.state.clone());
        Ok(Some(Arc::new(Self::new(run, play, state, host.into(), None))))
    }

    fn has_hostvars(&self) -> bool {
        true
    }

    fn hostnames(&self) -> Vec<String> {
        self.state.hosts()
    }

    fn search_path(&self) -> &[PathBuf] {
        &self.search_path
    }

    fn controller_busy(&self) -> bool {
        self.state.controller_busy()
    }
}
