//! `include_vars`: what it asks for. The files are read when the task's turn comes.

use std::path::PathBuf;
use std::sync::Arc;

use lang::template::Scope;
use lang::{Map, Result};

use super::{Input, Local, Prepared};

/// Arguments of an `include_vars`, with what is needed to find the files.
pub struct IncludeVars {
    pub args: Map,
    pub scope: Arc<dyn Scope>,
    /// Directory of the file the task is in.
    pub task_dir: Option<PathBuf>,
    pub role_dir: Option<PathBuf>,
}

pub fn prepare(input: &Input<'_>) -> Result<Prepared> {
    let task_dir = input.task.pos.file.parent().map(ToOwned::to_owned);
    let role_dir = input.task.role().map(|r| r.path.to_path_buf());
    Ok(Prepared::Local(Local::IncludeVars(IncludeVars {
        args: input.args.clone(),
        scope: input.scope.clone(),
        task_dir,
        role_dir,
    })))
}
