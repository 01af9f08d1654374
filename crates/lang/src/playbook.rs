//! Playbooks as typed trees.
//!
//! A [`Playbook`] is what the files say after everything static was carried out: `import_playbook`,
//! `import_tasks`, `import_role` and the roles of plays are expanded, dynamic `include_*` are tasks still. It never
//! changes after loading and is shared by all hosts.
//!
//! What a task inherits is not copied into it: every task and block has a [`Frame`], the chain of the blocks,
//! includes and roles around it up to the play, and keywords are looked up along it ([`Task::keyword`] and
//! friends). Children are reached from [`Block::items`]; frames know only their parents.
//!
//! Loading ([`load`]) reports everything that is wrong, not the first thing alone, and asks the outside
//! ([`Hooks`]) which modules exist and what arguments they take.

mod attrs;
mod block;
mod frame;
mod hooks;
mod include;
mod load;
mod loops;
mod module;
mod play;
mod task;
pub(crate) mod words;

pub use attrs::Attrs;
pub use block::{Block, Item};
pub use frame::{Frame, FrameKind};
pub use hooks::{Hooks, NoHooks};
pub use include::{Apply, Include, IncludeRole, IncludeTasks};
pub use load::{IncludedRole, Loader, RoleRequest};
pub use loops::{Loop, LoopControl, LoopWith};
pub use module::{ModuleKind, ModuleRef};
pub use play::{Play, Prompt};
pub use task::{Task, TaskId};
pub use words::parse_key_values;

pub use load::{absolute, takes_text};
pub(crate) use load::{boolean, clean_path};

use std::path::PathBuf;
use std::sync::Arc;

use crate::Error;

/// A file of plays, those of imported playbooks included.
#[derive(Clone, Debug)]
pub struct Playbook {
    /// As given on the command line.
    pub path: PathBuf,
    pub plays: Vec<Arc<Play>>,
    /// What is odd but not wrong.
    pub warnings: Vec<Error>,
}
