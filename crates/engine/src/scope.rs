//! Scopes that are another scope with something changed, and expressions over a few values.

use std::path::PathBuf;
use std::sync::Arc;

use lang::template::{MapScope, Scope, Templar};
use lang::{Map, Result, Value};

/// A scope whose lookups and includes search elsewhere.
pub struct Searching {
    pub search_path: Vec<PathBuf>,
    pub below: Arc<dyn Scope>,
}

impl Scope for Searching {
    fn get(&self, name: &str) -> Result<Option<Value>> {
        self.below.get(name)
    }

    fn names(&self) -> Vec<String> {
        self.below.names()
    }

    fn hostvars(&self, host: &str) -> Result<Option<Arc<dyn Scope>>> {
        self.below.hostvars(host)
    }

    fn hostnames(&self) -> Vec<String> {
        self.below.hostnames()
    }

    fn search_path(&self) -> &[PathBuf] {
        &self.search_path
    }

    fn controller_busy(&self) -> bool {
        self.below.controller_busy()
    }
}

/// Evaluate an expression of our own over values: so filters and tests are there for the engine, too.
pub fn calculate(templar: &Templar, expression: &str, vars: Map) -> Result<Value> {
    let scope: Arc<dyn Scope> = Arc::new(MapScope { vars, search_path: Vec::new() });
    templar.evaluate(expression, &scope, None)
}
