use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::template::{Scope, Templar};
use crate::{Error, Map, Result, Value};

use super::ModuleRef;

/// What loading asks of the program around it.
pub trait Hooks: Send + Sync {
    /// The built-in module of that name (short or full, aliases too), with its canonical name.
    fn module(&self, name: &str) -> Option<ModuleRef>;

    /// The full name of a module that is not built in but may be named by tasks under a condition that does not hold.
    fn absent_module(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }

    /// All names, for "did you mean".
    fn module_names(&self) -> Vec<&str>;

    /// What is certainly wrong with arguments, whatever the templates in them give. Not asked for
    /// tasks whose playbook is prepared for a failure (`ignore_errors`, blocks, `failed_when`).
    fn check_args(&self, module: &ModuleRef, args: &Map) -> Vec<Error>;

    /// Is there a lookup of that name, so that `with_NAME` is a loop?
    fn has_lookup(&self, name: &str) -> bool {
        Templar::is_known_lookup(name)
    }

    /// Render a value that has to be known while loading: names of imported files and of roles.
    fn render(&self, value: &Value, scope: &Arc<dyn Scope>) -> Result<Value>;

    /// Read a file, decrypting it if it is a vault.
    fn read(&self, path: &Path) -> Result<Vec<u8>>;

    /// `roles_path` of the configuration.
    fn roles_path(&self) -> &[PathBuf] {
        &[]
    }

    /// `private_role_vars` of the configuration, where somebody set it.
    fn private_role_vars(&self) -> Option<bool> {
        None
    }

    /// `library` of the configuration: directories with modules.
    fn library_path(&self) -> &[PathBuf] {
        &[]
    }

    /// `collections_path`: directories that contain `ansible_collections`.
    fn collections_path(&self) -> &[PathBuf] {
        &[]
    }
}

/// Hooks that know every module and render nothing: for tests and tools that only look at the shape.
#[derive(Debug, Default)]
pub struct NoHooks;

impl Hooks for NoHooks {
    fn module(&self, name: &str) -> Option<ModuleRef> {
        let full = match name.strip_prefix("ansible.legacy.") {
            Some(short) => format!("ansible.builtin.{short}"),
            None if name.contains('.') => name.to_owned(),
            None => format!("ansible.builtin.{name}"),
        };
        Some(ModuleRef::native(full))
    }

    fn module_names(&self) -> Vec<&str> {
        Vec::new()
    }

    fn check_args(&self, _module: &ModuleRef, _args: &Map) -> Vec<Error> {
        Vec::new()
    }

    fn render(&self, value: &Value, _scope: &Arc<dyn Scope>) -> Result<Value> {
        Ok(value.clone())
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        std::fs::read(path).map_err(|error| crate::yaml::unreadable(path, &error))
    }
}
