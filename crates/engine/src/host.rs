//! A host in the middle of a play.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::rc::Rc;

use lang::role::RoleId;

use crate::ahead::Queue;
use crate::cursor::Cursor;
use crate::program::BlockNode;

/// What a play knows about one of its hosts besides variables.
pub struct HostRun {
    pub name: String,
    pub cursor: RefCell<Cursor>,
    /// Handlers that are to run at the next flush, by the number of their node.
    pub notified: RefCell<HashSet<u64>>,
    /// What tasks have notified since handlers ran last.
    pub notifications: RefCell<Vec<Notification>>,
    /// Roles of which a task was not skipped.
    pub roles_begun: RefCell<HashSet<RoleId>>,
    /// Roles that have run to their end.
    pub roles_done: RefCell<HashSet<RoleId>>,
    /// Tasks worked out ahead of their turn.
    pub ahead: RefCell<Queue>,
    /// Unreachable: takes no more part in the run.
    pub unreachable: Cell<bool>,
    /// Ended by `end_host` and the like: takes no more part in the play.
    pub ended: Cell<bool>,
    /// What was begun before a failure is being waited for: nothing more is sent.
    pub collecting: Cell<bool>,
    /// A task of it runs at this moment.
    pub busy: Cell<bool>,
}

/// A name that a task has notified.
pub struct Notification {
    pub name: String,
    /// The handlers it meant then.
    pub handlers: Vec<u64>,
}

impl HostRun {
    pub fn new(name: &str, root: std::sync::Arc<BlockNode>) -> Rc<Self> {
        Rc::new(Self {
            name: name.to_owned(),
            cursor: RefCell::new(Cursor::new(root)),
            notified: RefCell::default(),
            notifications: RefCell::default(),
            roles_begun: RefCell::default(),
            roles_done: RefCell::default(),
            ahead: RefCell::default(),
            unreachable: Cell::new(false),
            ended: Cell::new(false),
            collecting: Cell::new(false),
            busy: Cell::new(false),
        })
    }

    /// The end of a role: it counts as run unless everything in it was skipped.
    pub fn finish_role(&self, role: RoleId) {
        if self.roles_begun.borrow().contains(&role) {
            self.roles_done.borrow_mut().insert(role);
        }
        self.cursor.borrow_mut().advance();
    }

    /// Has it nothing left to do?
    pub fn is_out(&self) -> bool {
        self.unreachable.get() || self.ended.get()
    }

    /// Failed beyond any rescue, or unreachable.
    pub fn has_failed(&self) -> bool {
        self.unreachable.get() || self.cursor.borrow().has_failed()
    }
}
