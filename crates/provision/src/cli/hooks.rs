//! What loading a playbook asks of the command: which modules exist, what they think of their arguments, and
//! where roles and modules are looked for.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::action::{all_names, canonical, check_args, to_json};
use lang::playbook::{Hooks, ModuleRef};
use lang::template::{Scope, Templar};
use lang::vault::VaultSecrets;
use lang::{Map, Result, Value};

pub struct CommandHooks {
    pub templar: Arc<Templar>,
    pub secrets: Arc<VaultSecrets>,
    pub roles: Vec<PathBuf>,
    pub library: Vec<PathBuf>,
    pub collections: Vec<PathBuf>,
}

impl Hooks for CommandHooks {
    fn module(&self, name: &str) -> Option<ModuleRef> {
        canonical(name).map(ModuleRef::native)
    }

    fn module_names(&self) -> Vec<&str> {
        all_names()
    }

    fn check_args(&self, module: &ModuleRef, args: &Map) -> Vec<String> {
        let Some(error) = check_args(&module.full, &to_json(args)) else { return Vec::new() };
        // What a template will give is not known yet; that an argument does not exist is certain all the same.
        let certain = !error.known.is_empty() || !args.values().any(Value::has_template);
        if certain { vec![error.msg] } else { Vec::new() }
    }

    fn render(&self, value: &Value, scope: &Arc<dyn Scope>) -> Result<Value> {
        self.templar.render(value, scope)
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let bytes = std::fs::read(path).map_err(|error| lang::yaml::unreadable(path, &error))?;
        self.secrets.decrypt_if_encrypted(bytes)
    }

    fn roles_path(&self) -> &[PathBuf] {
        &self.roles
    }

    fn library_path(&self) -> &[PathBuf] {
        &self.library
    }

    fn collections_path(&self) -> &[PathBuf] {
        &self.collections
    }
}
