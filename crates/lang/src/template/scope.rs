//! What the templar needs from others: variables, and the world outside.

use std::path::PathBuf;
use std::sync::Arc;

use crate::{Map, Result, Value};

/// Where names come from: variables of one task on one host.
///
/// Values are returned as written; strings marked as templates are rendered by the templar when they are read.
pub trait Scope: Send + Sync {
    /// The variable, `None` when nothing has that name, or an error of kind `Pending` when an unfinished task
    /// will set it.
    fn get(&self, name: &str) -> Result<Option<Value>>;

    /// The scope that this one lies over. What the others of these methods do not say themselves, it says.
    fn below(&self) -> Option<&dyn Scope> {
        None
    }

    /// All names, for `vars`, the `varnames` lookup and suggestions.
    fn names(&self) -> Vec<String> {
        self.below().map(|below| below.names()).unwrap_or_default()
    }

    /// The variables of another host, for `hostvars[host]`; rendered in that host's own scope.
    fn hostvars(&self, host: &str) -> Result<Option<Arc<dyn Scope>>> {
        self.below().map_or(Ok(None), |below| below.hostvars(host))
    }

    /// Is there a `hostvars`? It may be empty: the implicit localhost is not among its keys.
    fn has_hostvars(&self) -> bool {
        self.below().is_some_and(|below| below.has_hostvars())
    }

    /// The keys of `hostvars`.
    fn hostnames(&self) -> Vec<String> {
        self.below().map(|below| below.hostnames()).unwrap_or_default()
    }

    /// Where lookups and includes search: Ansible's `ansible_search_path`.
    fn search_path(&self) -> &[PathBuf] {
        self.below().map(|below| below.search_path()).unwrap_or_default()
    }

    /// Is a task that acts on the controller unfinished? Then lookups that read the controller's world are pending.
    fn controller_busy(&self) -> bool {
        self.below().is_some_and(|below| below.controller_busy())
    }
}

/// A scope without variables.
#[derive(Debug, Default)]
pub struct EmptyScope;

impl Scope for EmptyScope {
    fn get(&self, _name: &str) -> Result<Option<Value>> {
        Ok(None)
    }
}

/// Variables in a dictionary, for tests and for templates outside a play.
#[derive(Debug, Default)]
pub struct MapScope {
    pub vars: Map,
    pub search_path: Vec<PathBuf>,
}

impl Scope for MapScope {
    fn get(&self, name: &str) -> Result<Option<Value>> {
        Ok(self.vars.get(name).cloned())
    }

    fn names(&self) -> Vec<String> {
        self.vars.keys().map(ToString::to_string).collect()
    }

    fn search_path(&self) -> &[PathBuf] {
        &self.search_path
    }
}

/// A scope with some names laid over it: loop items, `lookup('template', template_vars=...)`, task variables.
pub struct Overlay {
    pub vars: Map,
    pub below: Arc<dyn Scope>,
}

impl Scope for Overlay {
    fn get(&self, name: &str) -> Result<Option<Value>> {
        match self.vars.get(name) {
            Some(value) => Ok(Some(value.clone())),
            None => self.below.get(name),
        }
    }

    fn names(&self) -> Vec<String> {
        let mut names = self.below.names();
        for key in self.vars.keys().map(ToString::to_string) {
            if !names.contains(&key) {
                names.push(key);
            }
        }
        names
    }

    fn below(&self) -> Option<&dyn Scope> {
        Some(&*self.below)
    }
}

/// What lookups need from outside the language: processes and the network. The command brings an implementation.
pub trait Outside: Send + Sync {
    /// Run a shell command on the controller and return what it wrote to its standard output, or its exit code
    /// and standard error.
    fn run_pipe(&self, command: &str) -> Result<String>;

    /// Fetch a URL; `options` are the options of the `url` lookup, as given.
    fn fetch_url(&self, url: &str, options: &Map) -> Result<Vec<u8>>;
}
