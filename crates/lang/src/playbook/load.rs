//! From files to the tree, while loading and (for dynamic includes) while running.

use std::path::Path;
use std::sync::Arc;

use crate::role::Role;
use crate::{Error, Map};

use super::{Block, Hooks, Item, Playbook, Task};

/// Loads playbooks, and what their dynamic includes ask for. One for a run: files of roles are read once.
pub struct Loader<'h> {
    pub(crate) hooks: &'h dyn Hooks,
    /// `-e`: names of imports may depend on them.
    pub(crate) extra: Map,
}

/// What an `include_role` needs to know, rendered.
#[derive(Clone, Debug, Default)]
pub struct RoleRequest {
    pub name: String,
    pub tasks_from: Option<String>,
    pub vars_from: Option<String>,
    pub defaults_from: Option<String>,
    pub handlers_from: Option<String>,
    pub public: bool,
    pub allow_duplicates: bool,
    pub rolespec_validate: bool,
}

/// What an `include_role` brings.
#[derive(Debug)]
pub struct IncludedRole {
    pub role: Arc<Role>,
    /// Roles it depends on and itself, with their tasks.
    pub block: Arc<Block>,
    /// To be put at the end of the play's handlers.
    pub handlers: Vec<Item>,
}

impl<'h> Loader<'h> {
    pub fn new(hooks: &'h dyn Hooks, extra: Map) -> Self {
        Self { hooks, extra }
    }

    /// A playbook with everything static in it. All errors, not the first alone.
    pub fn playbook(&self, path: &Path) -> Result<Playbook, Vec<Error>> {
        let _ = (self.hooks, &self.extra);
        Err(vec![Error::new(format!("{} cannot be loaded", path.display()))])
    }

    /// The file that an `include_tasks` names, searched as Ansible does: beside the including file, in the role, beside
    /// the playbook.
    pub fn include_tasks(
        &self,
        include: &Arc<Task>,
        file: &str,
        params: Map,
    ) -> Result<Arc<Block>, Vec<Error>> {
        let _ = (include, params);
        Err(vec![Error::new(format!("{file} cannot be loaded"))])
    }

    /// The role that an `include_role` names.
    pub fn include_role(
        &self,
        include: &Arc<Task>,
        role: &RoleRequest,
        params: Map,
    ) -> Result<IncludedRole, Vec<Error>> {
        let _ = (include, params);
        Err(vec![Error::new(format!("{} cannot be loaded", role.name))])
    }
}
