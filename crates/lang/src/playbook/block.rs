use std::sync::Arc;

use crate::{Pos, Value};

use super::{Frame, FrameKind, Task, TaskId};

/// What a list of tasks consists of.
#[derive(Clone, Debug)]
pub enum Item {
    Block(Arc<Block>),
    Task(Arc<Task>),
}

/// Tasks that belong together: a `block`, an imported file, a role.
#[derive(Debug)]
pub struct Block {
    /// Unique in the process, from the same numbers as the ids of tasks.
    pub id: TaskId,
    /// What its tasks inherit: the block itself is the innermost frame. Its kind says what the block is.
    pub frame: Arc<Frame>,
    pub items: Vec<Item>,
    pub rescue: Vec<Item>,
    pub always: Vec<Item>,
}

impl Block {
    pub fn name(&self) -> Option<&Value> {
        self.frame.name.as_ref()
    }

    pub fn pos(&self) -> &Pos {
        &self.frame.pos
    }

    /// Does it have `rescue` or `always`, so that a failure inside is looked at here?
    pub fn catches(&self) -> bool {
        !self.rescue.is_empty() || !self.always.is_empty()
    }

    /// Was it written as a block, rather than made for a role or an import?
    pub fn is_written(&self) -> bool {
        matches!(self.frame.kind, FrameKind::Block)
    }
}

impl Item {
    /// The tasks in it, of every branch, in the order they are written.
    pub fn tasks<'a>(&'a self, visit: &mut dyn FnMut(&'a Arc<Task>)) {
        match self {
            Self::Task(task) => visit(task),
            Self::Block(block) => {
                for item in block.items.iter().chain(&block.rescue).chain(&block.always) {
                    item.tasks(visit);
                }
            }
        }
    }
}
