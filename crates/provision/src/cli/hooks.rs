//! What loading a playbook asks of the command: which modules exist, what they think of their arguments, and
//! where roles and modules are looked for.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine::action::{all_names, canonical, check_args, to_json};
use lang::keywords::nearest;
use lang::playbook::{Hooks, ModuleRef};
use lang::template::{Scope, Templar};
use lang::vault::VaultSecrets;
use lang::{Error, Map, Result, Value};

pub struct CommandHooks {
    pub templar: Arc<Templar>,
    pub secrets: Arc<VaultSecrets>,
    pub roles: Vec<PathBuf>,
    pub private_role_vars: Option<bool>,
    pub library: Vec<PathBuf>,
    pub collections: Vec<PathBuf>,
    /// Names that playbooks must not use.
    pub rejected: HashSet<String>,
}

impl Hooks for CommandHooks {
    fn module(&self, name: &str) -> Option<ModuleRef> {
        if self.rejected.contains(name) {
            return None;
        }
        canonical(name).map(ModuleRef::native)
    }

    fn absent_module(&self, name: &str) -> Option<String> {
        // What is rejected is not there, whatever else it could be.
        engine::action::distribution::full_name(name).filter(|_| !self.rejected.contains(name))
    }

    fn module_names(&self) -> Vec<&str> {
        all_names().into_iter().filter(|name| !self.rejected.contains(*name)).collect()
    }

    fn check_args(&self, module: &ModuleRef, args: &Map) -> Vec<Error> {
        let Some(wrong) = check_args(&module.full, &to_json(args)) else { return Vec::new() };
        // What a template will give is not known yet; that an argument does not exist is certain all the same.
        if wrong.known.is_empty() && args.values().any(Value::has_template) {
            return Vec::new();
        }
        let argument = wrong.argument.as_deref().unwrap_or_default();
        let mut error = Error::new(wrong.msg).at(args.get(argument).and_then(Value::pos));
        if let Some(near) = nearest(argument, wrong.known.iter().map(String::as_str)) {
            error = error.with_help(format!("did you mean `{near}`?"));
        }
        vec![error]
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

    fn private_role_vars(&self) -> Option<bool> {
        self.private_role_vars
    }

    fn library_path(&self) -> &[PathBuf] {
        &self.library
    }

    fn collections_path(&self) -> &[PathBuf] {
        &self.collections
    }
}
