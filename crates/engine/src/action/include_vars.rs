//! `include_vars`: what it asks for. The files are read when the task's turn comes.

use lang::{Map, Result};

use super::{Input, Local, Prepared};

/// Arguments of an `include_vars`, with what is needed to find the files.
pub struct IncludeVars {
    pub args: Map,
    pub search_path: Vec<std::path::PathBuf>,
    /// Directory of the file the task is in.
    pub task_dir: Option<std::path::PathBuf>,
    pub role_dir: Option<std::path::PathBuf>,
}

pub fn prepare(input: &Input<'_>) -> Result<Prepared> {
    let task_dir = input.task.pos.file.parent().map(ToOwned::to_owned);
    let role_dir = input.task.role().map(|r| r.path.to_path_buf());
    let search_path = input.scope.search_path().to_vec();
    Ok(Prepared::Local(Local::IncludeVars(IncludeVars {
        args: input.args.clone(),
        search_path,
        task_dir,
        role_dir,
    })))
}
