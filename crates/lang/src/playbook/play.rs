use std::path::Path;
use std::sync::Arc;

use crate::keywords::Keyword;
use crate::role::Role;
use crate::{Map, Pos, Value};

use super::{Frame, FrameKind, Item};

/// One play.
///
/// The sections run in the order `pre_tasks`, `role_tasks`, `tasks`, `post_tasks`, with handlers flushed after
/// the first, after `tasks` and after the last.
#[derive(Debug)]
pub struct Play {
    pub name: Option<Value>,
    /// A pattern or a list of patterns, as written.
    pub hosts: Value,
    /// Keywords and variables of the play: the end of every chain in it.
    pub frame: Arc<Frame>,
    pub vars_prompt: Vec<Prompt>,
    /// Every role that was expanded in it, dependencies before the roles that need them.
    pub roles: Vec<Arc<Role>>,
    pub pre_tasks: Vec<Item>,
    pub role_tasks: Vec<Item>,
    pub tasks: Vec<Item>,
    pub post_tasks: Vec<Item>,
    /// Handlers of the roles, then of the play, then of imported roles. Of several with one name the last counts.
    pub handlers: Vec<Item>,
    /// `playbook_dir`.
    pub basedir: Arc<Path>,
    pub pos: Pos,
}

/// An entry of `vars_prompt`.
#[derive(Clone, Debug)]
pub struct Prompt {
    pub name: String,
    pub prompt: Option<Value>,
    pub default: Option<Value>,
    /// Do not show what is typed; the default.
    pub private: Value,
    pub confirm: Value,
    /// A scheme to hash the answer with.
    pub encrypt: Option<Value>,
    pub salt: Option<Value>,
    pub salt_size: Option<Value>,
    pub unsafe_: Value,
    pub pos: Pos,
}

impl Play {
    /// A keyword of the play as written.
    pub fn keyword(&self, keyword: Keyword) -> Option<&Value> {
        self.frame.attrs.get(keyword)
    }

    /// What `vars_prompt` sets where nobody is asked: in listings.
    pub fn prompt_defaults(&self) -> Map {
        let value = |prompt: &Prompt| prompt.default.clone().unwrap_or_default();
        self.vars_prompt.iter().map(|prompt| (prompt.name.as_str().into(), value(prompt))).collect()
    }

    /// `vars_files`, as written.
    pub fn vars_files(&self) -> &[Value] {
        match &self.frame.kind {
            FrameKind::Play { vars_files } => vars_files,
            _ => &[],
        }
    }

    pub fn vars(&self) -> &Map {
        &self.frame.vars
    }

    /// The sections of tasks with their names, in the order they run.
    pub fn sections(&self) -> [(&'static str, &[Item]); 4] {
        [
            ("pre_tasks", &self.pre_tasks),
            ("roles", &self.role_tasks),
            ("tasks", &self.tasks),
            ("post_tasks", &self.post_tasks),
        ]
    }
}
