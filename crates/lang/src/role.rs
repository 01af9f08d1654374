//! Roles: folders of tasks, handlers, variables and files with a name.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use crate::{Map, Value};

/// A role as one entry, dependency or import uses it.
#[derive(Debug)]
pub struct Role {
    /// Equal for uses that count as the same: same role, parameters and keywords. Of those, only the first runs on a
    /// host, unless [`Metadata::allow_duplicates`].
    pub id: RoleId,
    /// Without a collection: `nginx`.
    pub name: Arc<str>,
    /// `namespace.name` when it is from a collection.
    pub collection: Option<Arc<str>>,
    pub path: Arc<Path>,
    pub defaults: Arc<Map>,
    pub vars: Arc<Map>,
    /// The file of tasks that is taken, `main` if nothing else is asked for.
    pub tasks_from: Arc<str>,
    /// What the entry says besides keywords: `{role: web, port: 80}`.
    pub params: Map,
    /// `vars:` of the entry.
    pub entry_vars: Map,
    pub metadata: Arc<Metadata>,
    /// Set once, when they are expanded: see [`dependencies`](Self::dependencies).
    pub(crate) dependencies: OnceLock<Vec<Arc<Role>>>,
    /// Its variables are seen by the rest of the play.
    pub public: bool,
    pub allow_duplicates: bool,
    /// From an `include_role` or `import_role`, rather than `roles:` or a dependency.
    pub from_include: bool,
}

/// See [`Role::id`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RoleId(pub u32);

/// `meta/main.yml`.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    pub allow_duplicates: bool,
    pub collections: Vec<Arc<str>>,
    /// Argument specs by entry point (`main`), from `meta/argument_specs.yml` or `meta/main.yml`.
    pub argument_specs: Map,
    pub galaxy_info: Value,
}

impl Role {
    /// Roles that this one depends on, in the order they run.
    pub fn dependencies(&self) -> &[Arc<Role>] {
        self.dependencies.get().map(Vec::as_slice).unwrap_or_default()
    }

    /// Roles that this one depends on and those that they depend on, in the order they run, each once.
    pub fn all_dependencies(&self) -> Vec<Arc<Role>> {
        let mut all: Vec<Arc<Role>> = Vec::new();
        for needed in self.dependencies() {
            for role in needed.all_dependencies().into_iter().chain([needed.clone()]) {
                if !all.iter().any(|known| Arc::ptr_eq(known, &role)) {
                    all.push(role);
                }
            }
        }
        all
    }

    /// The name with the collection in front, if there is one.
    pub fn full_name(&self) -> String {
        match &self.collection {
            Some(collection) => format!("{collection}.{}", self.name),
            None => self.name.to_string(),
        }
    }
}
