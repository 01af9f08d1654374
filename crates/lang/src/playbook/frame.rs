use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::keywords::{Inherit, Keyword};
use crate::role::Role;
use crate::{Map, Pos, Value};

use super::Attrs;

/// One link of the chain around a task: a block, an include, a role or, at the end, the play.
#[derive(Debug)]
pub struct Frame {
    pub kind: FrameKind,
    pub name: Option<Value>,
    pub attrs: Attrs,
    /// `vars:` written here; of a dynamic include, the variables of the include task.
    pub vars: Map,
    pub parent: Option<Arc<Frame>>,
    /// The file whose tasks are in it.
    pub file: Arc<Path>,
    /// Of an import or include, the directory in the name of the file as written: `sub` for `sub/a.yml`.
    pub dir: PathBuf,
    pub pos: Pos,
}

#[derive(Clone, Debug)]
pub enum FrameKind {
    Play {
        /// Each a file name or a list of names of which the first that exists is taken; may be templates.
        vars_files: Vec<Value>,
    },
    /// An entry of `roles:`, a dependency, or an imported or included role.
    Role(Arc<Role>),
    /// A block as written.
    Block,
    /// An `import_tasks` or `import_role` task: its keywords are those of all tasks in it.
    Import,
    /// An `include_tasks` or `include_role` task: its keywords are its own, only its variables are inherited.
    /// Holds the rendered parameters of that inclusion (the loop variable and the like).
    Include { params: Map },
}

impl Frame {
    /// This frame and those around it, the innermost first.
    pub fn chain(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Frame>> {
        std::iter::successors(Some(self), |frame| frame.parent.as_ref())
    }

    /// The innermost role.
    pub fn role(self: &Arc<Self>) -> Option<&Arc<Role>> {
        self.chain().find_map(|frame| match &frame.kind {
            FrameKind::Role(role) => Some(role),
            _ => None,
        })
    }

    /// The roles around, the innermost first: the role of the task and those that depend on it or included it.
    pub fn roles(self: &Arc<Self>) -> impl Iterator<Item = &Arc<Role>> {
        self.chain().filter_map(|frame| match &frame.kind {
            FrameKind::Role(role) => Some(role),
            _ => None,
        })
    }

    /// Are keywords of this frame those of the tasks in it?
    pub fn passes_keywords(&self) -> bool {
        !matches!(self.kind, FrameKind::Include { .. })
    }

    /// All values of a keyword that count for something inside, in the order in which they count; `own` is the
    /// one written on the thing itself.
    pub fn inherited<'a>(self: &'a Arc<Self>, keyword: Keyword, own: Option<&'a Value>) -> Vec<&'a Value> {
        let around = self.chain().filter(|f| f.passes_keywords()).filter_map(|f| f.attrs.get(keyword));
        match keyword.entry().inherit {
            Inherit::No => own.into_iter().collect(),
            Inherit::Override => own.into_iter().chain(around).take(1).collect(),
            Inherit::Append => own.into_iter().chain(around).collect(),
            Inherit::Prepend => {
                let mut values: Vec<_> = own.into_iter().chain(around).collect();
                values.reverse();
                values
            }
        }
    }

    /// The values of a keyword here and around, the innermost first.
    pub fn written(self: &Arc<Self>, keyword: Keyword) -> impl Iterator<Item = &Value> {
        self.chain().filter(|f| f.passes_keywords()).filter_map(move |f| f.attrs.get(keyword))
    }

    /// The innermost value of a keyword that overrides.
    pub fn keyword(self: &Arc<Self>, keyword: Keyword) -> Option<&Value> {
        self.chain().filter(|f| f.passes_keywords()).find_map(|f| f.attrs.get(keyword))
    }
}
