//! From files to the tree, while loading and (for dynamic includes) while running.
//!
//! One [`Load`] reads one playbook or one include. It goes on after an error, so that everything that is wrong is
//! found at once. Errors that Ansible's parser reports are of kind `Syntax` (its exit code is 4), the others of
//! other kinds (exit code 1).

mod action;
mod fields;
mod files;
mod import;
mod include;
mod known;
mod play;
mod plays;
mod resolve;
mod roles;
mod scope;
mod tasks;
mod values;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

pub use action::takes_text;
pub use files::absolute;
pub(crate) use files::below as clean_path;
pub(crate) use values::boolean;

use crate::error::ErrorKind;
use crate::role::{Role, RoleId};
use crate::{Error, Map, Pos};

use super::{Block, Frame, Hooks, Item, Playbook, Task};

/// Loads playbooks, and what their dynamic includes ask for. One for a run: files are parsed once, and roles that
/// count as the same keep their identity.
pub struct Loader {
    hooks: Arc<dyn Hooks>,
    /// `-e`: names of imports may depend on them.
    extra: Arc<Map>,
    files: files::Files,
    modules: resolve::Modules,
    roles: Mutex<HashMap<String, RoleId>>,
}

/// What an `include_role` needs to know, rendered.
#[derive(Clone, Debug)]
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

impl Default for RoleRequest {
    fn default() -> Self {
        Self {
            name: String::new(),
            tasks_from: None,
            vars_from: None,
            defaults_from: None,
            handlers_from: None,
            public: false,
            allow_duplicates: true,
            rolespec_validate: true,
        }
    }
}

impl Loader {
    pub fn new(hooks: Arc<dyn Hooks>, extra: Map) -> Self {
        Self {
            hooks,
            extra: Arc::new(extra),
            files: files::Files::default(),
            modules: resolve::Modules::default(),
            roles: Mutex::default(),
        }
    }

    /// A playbook with everything static in it. All errors, not the first alone.
    pub fn playbook(&self, path: &Path) -> Result<Playbook, Vec<Error>> {
        let basedir = files::directory(path);
        let mut load = Load::new(self, basedir);
        let plays = load.plays(path);
        let warnings = std::mem::take(&mut load.warnings);
        load.finish(Playbook { path: path.into(), plays, warnings })
    }

    /// Is there a module of this name for a playbook in this directory?
    pub fn has_module(&self, name: &str, basedir: &Path) -> bool {
        Load::new(self, basedir.into()).module(name, &[]).is_some()
    }

    /// The file that an `include_tasks` names, searched as Ansible does: beside the including file, beside the files
    /// that include or import that one, in the role, beside the playbook. `params` are variables of that inclusion,
    /// such as the loop variable; the `vars` of the include task come by themselves.
    pub fn include_tasks(
        &self,
        include: &Arc<Task>,
        file: &str,
        params: Map,
    ) -> Result<Arc<Block>, Vec<Error>> {
        let mut load = Load::new(self, basedir_of(&include.frame));
        match load.included_tasks(include, file, params) {
            Some(block) => load.finish(block),
            None => Err(load.errors),
        }
    }

    /// The role that an `include_role` names.
    pub fn include_role(
        &self,
        include: &Arc<Task>,
        role: &RoleRequest,
        params: Map,
    ) -> Result<IncludedRole, Vec<Error>> {
        let mut load = Load::new(self, basedir_of(&include.frame));
        match load.included_role(include, role, params) {
            Some(included) => load.finish(included),
            None => Err(load.errors),
        }
    }
}

/// The directory of the playbook whose play is at the end of the chain.
fn basedir_of(frame: &Arc<Frame>) -> Arc<Path> {
    let play = frame.chain().last().unwrap_or(frame);
    files::directory(&play.file)
}

/// How many tasks, roles and imported files one playbook or include may have.
const MAX_PARTS: usize = 200_000;

/// The reading of one playbook or include.
struct Load<'l> {
    loader: &'l Loader,
    /// Directory of the playbook that is being read.
    basedir: Arc<Path>,
    errors: Vec<Error>,
    warnings: Vec<Error>,
    /// Playbooks being imported, the outermost first.
    importing: Vec<PathBuf>,
    /// Roles of the play, each after those it depends on.
    roles: Vec<Arc<Role>>,
    /// Handlers of imported roles.
    role_handlers: Vec<Item>,
    /// Tasks, roles and imported files so far.
    parts: usize,
}

impl<'l> Load<'l> {
    fn new(loader: &'l Loader, basedir: Arc<Path>) -> Self {
        Self {
            loader,
            basedir,
            errors: Vec::new(),
            warnings: Vec::new(),
            importing: Vec::new(),
            roles: Vec::new(),
            role_handlers: Vec::new(),
            parts: 0,
        }
    }

    fn finish<T>(self, value: T) -> Result<T, Vec<Error>> {
        if self.errors.is_empty() { Ok(value) } else { Err(self.errors) }
    }

    /// An error that Ansible's parser would report.
    fn bad(&mut self, pos: &Pos, message: impl Into<String>) {
        self.report(Error::new(message).with_kind(ErrorKind::Syntax).at(Some(pos)));
    }

    /// May there be one more task, role or imported file? What imports others twice grows without an end that anybody
    /// would wait for.
    fn one_more(&mut self, pos: &Pos) -> bool {
        self.parts += 1;
        if self.parts == MAX_PARTS + 1 {
            self.bad(pos, format!("there are more than {MAX_PARTS} tasks and roles in the playbook"));
        }
        self.parts <= MAX_PARTS
    }

    fn report(&mut self, error: Error) {
        self.errors.push(error);
    }

    /// The value, or its error put aside.
    fn ok<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.report(error)).ok()
    }
}
