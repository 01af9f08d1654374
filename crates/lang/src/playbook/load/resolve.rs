//! From the name of a module to the module.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::ErrorKind;
use crate::keywords::nearest;
use crate::playbook::{Frame, ModuleKind, ModuleRef};
use crate::value::may_be_template;
use crate::{Error, Pos};

use super::{Load, files};

/// What is known about directories with modules.
#[derive(Default)]
pub(super) struct Modules {
    /// Modules of each `library` directory by name.
    libraries: Mutex<HashMap<PathBuf, Arc<HashMap<String, PathBuf>>>>,
    /// `library` directories of the roles that were loaded so far: their modules are there for everybody.
    of_roles: Mutex<Vec<PathBuf>>,
    /// Names without a `library` that has them.
    native: Mutex<HashMap<String, Option<ModuleRef>>>,
}

impl Modules {
    /// From now on the modules of this role are known.
    pub(super) fn add_role(&self, role: &Path) {
        let dir = role.join("library");
        let mut known = self.of_roles.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(&dir) && dir.is_dir() {
            known.push(dir);
        }
    }

    /// The module of that name in a directory.
    fn in_library(&self, dir: &Path, name: &str) -> Option<PathBuf> {
        let mut libraries = self.libraries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(library) = libraries.get(dir) {
            return library.get(name).cloned();
        }
        let mut library = HashMap::new();
        collect(dir, &mut library, 0);
        let found = library.get(name).cloned();
        libraries.insert(dir.into(), Arc::new(library));
        found
    }
}

/// The modules in a directory and those below.
fn collect(dir: &Path, library: &mut HashMap<String, PathBuf>, depth: usize) {
    let Ok(entries) = std::fs::read_dir(dir) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            if depth < 8 {
                collect(&path, library, depth + 1);
            }
            continue;
        }
        let ignored = path.extension().is_some_and(|ext| {
            ["pyc", "pyo", "swp", "bak", "txt", "md", "rst", "yml", "yaml", "json", "ini"]
                .iter()
                .any(|e| ext == *e)
        });
        let Some(stem) = path.file_stem().and_then(|s| s.to_str()) else { continue };
        if !ignored && stem != "__init__" && !stem.starts_with('.') {
            library.entry(stem.to_owned()).or_insert(path);
        }
    }
}

impl Load<'_> {
    /// The module that `name` means in a task.
    pub(super) fn module(&self, name: &str, collections: &[String]) -> Option<ModuleRef> {
        if may_be_template(name) {
            return Some(ModuleRef { full: name.into(), kind: ModuleKind::Templated });
        }
        let short = name.strip_prefix("ansible.legacy.").unwrap_or(name);
        if !short.contains('.') {
            for dir in self.libraries() {
                if let Some(path) = self.loader.modules.in_library(&dir, short) {
                    return Some(ModuleRef { full: short.into(), kind: ModuleKind::Foreign(path) });
                }
            }
            for collection in collections {
                if let Some(module) = self.qualified(&format!("{collection}.{short}")) {
                    return Some(module);
                }
            }
        }
        self.qualified(name)
    }

    /// A module that is built in or in a collection.
    fn qualified(&self, name: &str) -> Option<ModuleRef> {
        let mut known = self.loader.modules.native.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(module) = known.get(name) {
            return module.clone();
        }
        let module = self.loader.hooks.module(name).or_else(|| self.in_collection(name));
        known.insert(name.to_owned(), module.clone());
        module
    }

    fn in_collection(&self, name: &str) -> Option<ModuleRef> {
        let mut parts = name.splitn(3, '.');
        let (namespace, collection, module) = (parts.next()?, parts.next()?, parts.next()?);
        let dir = self.collection(namespace, collection)?.join("plugins/modules");
        let path = self.loader.modules.in_library(&dir, module.rsplit('.').next()?)?;
        Some(ModuleRef { full: name.into(), kind: ModuleKind::Foreign(path) })
    }

    /// The directory of a collection.
    pub(super) fn collection(&self, namespace: &str, name: &str) -> Option<PathBuf> {
        let beside = self.basedir.join("collections");
        let roots = std::iter::once(beside.as_path())
            .chain(self.loader.hooks.collections_path().iter().map(|p| &**p));
        roots.map(|root| root.join("ansible_collections").join(namespace).join(name)).find(|dir| dir.is_dir())
    }

    /// Directories with modules, the first that has a name wins.
    fn libraries(&self) -> impl Iterator<Item = PathBuf> {
        let beside = std::iter::once(self.basedir.join("library"));
        let roles = self.loader.modules.of_roles.lock().unwrap_or_else(PoisonError::into_inner).clone();
        beside.chain(roles).chain(self.loader.hooks.library_path().iter().cloned())
    }

    /// The error for a name that is no module.
    pub(super) fn unknown_module(&self, name: &str, frame: &Arc<Frame>, pos: &Pos) -> Error {
        let plugins = frame.roles().map(|role| role.path.join("action_plugins"));
        let mut plugins = plugins.chain(std::iter::once(self.basedir.join("action_plugins")));
        let error = if plugins.any(|dir| files::below(&dir, &format!("{name}.py")).is_file()) {
            Error::new(format!("'{name}' is an action plugin in Python, which cannot be run without Python"))
        } else {
            Error::new(format!(
                "couldn't resolve module/action '{name}'. This often indicates a misspelling, missing collection, or \
                 incorrect module path."
            ))
        };
        let error = error.with_kind(ErrorKind::Syntax).at(Some(pos));
        match nearest(name, self.loader.hooks.module_names()) {
            Some(near) => error.with_help(format!("did you mean `{near}`?")),
            None => error,
        }
    }
}
