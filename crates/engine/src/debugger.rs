//! The task debugger: after a result, the user may look at the task, change it, and have it done again.
//!
//! When it is asked for, and its commands, are those of "Debugging tasks" in Ansible's documentation. Expressions are
//! those of templates rather than Python's. What is assigned may be a template, as in a playbook.

mod line;
mod pretty;
mod session;

use std::rc::Rc;
use std::sync::Arc;

use lang::Map;
use lang::keywords::Keyword;
use lang::playbook::Task;

use crate::event::{Status, TaskInfo};
use crate::execute::{Executed, status_of};
use crate::play::{PlayRun, Strategy};
use crate::settings::Keywords;

use session::{Next, Session};

/// A task as it is to be done: the one of the playbook, or as the user changed it.
#[derive(Clone)]
pub struct Attempt {
    pub task: Arc<Task>,
    /// Variables that the user set: stronger than all others.
    pub vars: Map,
}

impl Attempt {
    pub fn first(task: Arc<Task>) -> Self {
        Self { task, vars: Map::new() }
    }
}

impl PlayRun {
    /// Let the user look at a result, if that is wanted. What comes back is to be done in the task's place.
    pub async fn debug(
        self: &Rc<Self>,
        attempt: &Attempt,
        executed: &Executed,
        info: &Arc<TaskInfo>,
    ) -> Option<Attempt> {
        if !self.wants_debugger(attempt, executed) {
            return None;
        }
        let mut session = Session::new(self, attempt, executed);
        let question = format!("[{}] TASK: {} (debug)> ", executed.host.name, info.title);
        loop {
            let answer = self.run.user.debug(&question).await;
            let Some(line) = answer else {
                self.run.user.show("User interrupted execution\n");
                self.run.interrupted.set(true);
                return None;
            };
            match session.obey(&line) {
                Next::Show(text) => self.run.user.show(&text),
                Next::Continue => return None,
                Next::Redo => return Some(session.attempt()),
                Next::Quit => {
                    self.run.user.show("User interrupted execution\n");
                    self.run.interrupted.set(true);
                    return None;
                }
            }
        }
    }

    fn wants_debugger(&self, attempt: &Attempt, executed: &Executed) -> bool {
        let options = &self.run.options;
        let everywhere = options.task_debugger || self.strategy == Strategy::Debug;
        if !everywhere && attempt.task.keyword(Keyword::Debugger).is_none() {
            return false;
        }
        let state = crate::ahead::now(&self.run.world);
        let scope = self.scope(&executed.host.name, Some(&attempt.task), &state);
        let keywords = Keywords { task: &attempt.task, templar: &self.run.templar, scope: &scope };
        let when = keywords.text(Keyword::Debugger).ok().flatten();
        let status = status_of(&executed.result);
        let failed = status == Status::Failed && !(executed.ignored && options.debugger_ignores_errors);
        match when.as_deref() {
            Some("always") => true,
            Some("on_failed") => failed,
            Some("on_unreachable") => status == Status::Unreachable,
            Some("on_skipped") => status == Status::Skipped,
            Some(_) => false,
            None => everywhere && (failed || status == Status::Unreachable),
        }
    }
}
