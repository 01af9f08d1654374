//! What loading a playbook asks the engine for.

// Every test uses a part of it.
#![allow(dead_code)]

use std::path::Path;
use std::sync::Arc;

use engine::action::{all_names, canonical};
use lang::playbook::{Hooks, Loader, ModuleRef};
use lang::template::{Scope, Templar, TemplarOptions};
use lang::{Map, Result, Value};

/// Modules are those of the engine; their arguments are not checked.
pub struct EngineHooks(pub Arc<Templar>);

impl Hooks for EngineHooks {
    fn module(&self, name: &str) -> Option<ModuleRef> {
        canonical(name).map(ModuleRef::native)
    }

    fn module_names(&self) -> Vec<&str> {
        all_names()
    }

    fn check_args(&self, _module: &ModuleRef, _args: &Map) -> Vec<lang::Error> {
        Vec::new()
    }

    fn render(&self, value: &Value, scope: &Arc<dyn Scope>) -> Result<Value> {
        self.0.render(value, scope)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        std::fs::read(path).map_err(|error| lang::Error::new(format!("{}: {error}", path.display())))
    }
}

/// A loader for playbooks without extra variables.
pub fn loader() -> Loader {
    let templar = Arc::new(Templar::new(TemplarOptions::default()));
    Loader::new(Arc::new(EngineHooks(templar)), Map::new())
}
