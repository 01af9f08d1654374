//! Handlers: who is notified by what.

use std::rc::Rc;
use std::sync::Arc;

use lang::playbook::Task;
use lang::{Error, Value};

use crate::event::Event;
use crate::execute::Executed;
use crate::host::{HostRun, Notification};
use crate::play::PlayRun;
use crate::program::TaskNode;
use crate::results::{ResultMap, is_failure};
use crate::settings::text_of;

/// The lists that handlers were written in, the last one first; in each the order it was written in.
fn in_order_of_search(handlers: &[Arc<TaskNode>]) -> Vec<Arc<TaskNode>> {
    let list = |node: &Arc<TaskNode>| node.task().map(|t| Arc::as_ptr(&t.frame));
    let lists: Vec<&[Arc<TaskNode>]> = handlers.chunk_by(|a, b| list(a) == list(b)).collect();
    lists.into_iter().rev().flatten().cloned().collect()
}

impl PlayRun {
    /// A task has changed something: mark its handlers, for its host.
    pub fn notify_for(self: &Rc<Self>, executed: &Executed) {
        let task = &executed.task;
        if task.notify().is_empty() {
            return;
        }
        let changed = if executed.is_loop {
            executed.items.iter().any(|i| i.result.flag("changed") && !is_failure(&i.result))
        } else {
            executed.result.flag("changed") && !is_failure(&executed.result)
        };
        if !(changed || executed.ignored && executed.result.flag("changed")) {
            return;
        }
        let state = crate::ahead::now(&self.run.world);
        let scope = self.scope(&executed.host.name, Some(task), &state);
        let mut names = Vec::new();
        for value in task.notify() {
            let rendered = if value.has_template() {
                match self.run.templar.render(value, &scope) {
                    Ok(rendered) => rendered,
                    Err(e) => {
                        let error = Error::new("could not work out which handlers to notify").caused_by(e);
                        *self.run.broken.borrow_mut() = Some(error.at(Some(&task.pos)));
                        return;
                    }
                }
            } else {
                value.clone()
            };
            match &rendered {
                Value::List(items) => names.extend(items.iter().map(text_of)),
                Value::Null | Value::Omit => {}
                other => names.push(text_of(other)),
            }
        }
        let host = &executed.host;
        for name in names {
            let found = self.find_handlers(&name);
            if found.is_empty() {
                let text = format!(
                    "The requested handler '{name}' was not found in either the main handlers list nor in the listening \
                     handlers list"
                );
                if self.run.options.error_on_missing_handler {
                    *self.run.broken.borrow_mut() = Some(Error::new(text).at(Some(&task.pos)));
                } else {
                    self.run.warn(text);
                }
                continue;
            }
            self.run.emit(Event::NotificationSaved { handler: name.clone() });
            host.notified.borrow_mut().extend(found.iter().map(|node| node.id));
            if task.is_handler() {
                for node in &found {
                    self.tell_notified(host, node);
                }
            } else {
                host.notifications
                    .borrow_mut()
                    .push(Notification { name, handlers: found.iter().map(|node| node.id).collect() });
            }
        }
    }

    /// The handlers that a host's notifications mean now, at the time they are to run: a role that was included again
    /// since then has brought its handlers anew, and only the last of one name runs.
    pub fn resolve_notifications(&self, host: &HostRun) {
        for Notification { name, handlers } in host.notifications.take() {
            let mut notified = host.notified.borrow_mut();
            for id in &handlers {
                notified.remove(id);
            }
            drop(notified);
            for node in self.find_handlers(&name) {
                if host.notified.borrow_mut().insert(node.id) {
                    self.tell_notified(host, &node);
                }
            }
        }
    }

    fn tell_notified(&self, host: &HostRun, node: &TaskNode) {
        let handler = node.task().map(|t| t.title()).unwrap_or_default();
        self.run.emit(Event::Notified { handler, host: host.name.clone() });
    }

    /// The handler of that name, and all that listen to it. Of several with one name the last list (of a role, of the
    /// play) counts, and in it the first.
    fn find_handlers(&self, name: &str) -> Vec<Arc<TaskNode>> {
        let handlers = self.handlers.borrow();
        let mut found: Vec<Arc<TaskNode>> = Vec::new();
        let handlers = in_order_of_search(&handlers);
        for node in &handlers {
            if node.task().is_some_and(|t| self.handler_names(t).iter().any(|n| n == name)) {
                found.push(node.clone());
                break;
            }
        }
        let mut seen: Vec<String> = Vec::new();
        for node in &handlers {
            let Some(task) = node.task() else { continue };
            if !task.listen.iter().any(|topic| with_role(task, topic).iter().any(|t| t == name)) {
                continue;
            }
            let own = self.handler_names(task).into_iter().next().unwrap_or_default();
            if !own.is_empty() && seen.contains(&own) {
                continue;
            }
            seen.push(own);
            if !found.iter().any(|f| f.id == node.id) {
                found.push(node.clone());
            }
        }
        found
    }

    /// What a handler can be called: its name, and that with its role in front.
    fn handler_names(&self, task: &Arc<Task>) -> Vec<String> {
        let Some(name) = &task.name else { return Vec::new() };
        let name = if name.has_template() {
            let state = crate::ahead::now(&self.run.world);
            // Rendered with the variables of the play and the handler; those of a host do not count.
            let scope = self.scope("", Some(task), &state);
            match self.run.templar.render(name, &scope) {
                Ok(rendered) if !matches!(rendered, Value::Undefined(_)) => text_of(&rendered),
                Ok(_) | Err(_) => {
                    self.run.warn(format!(
                        "Handler '{}' is unusable because it has no listen topics and the name could not be templated",
                        text_of(name)
                    ));
                    return Vec::new();
                }
            }
        } else {
            text_of(name)
        };
        with_role(task, &name)
    }
}

/// A name or topic of a handler as it can be notified: alone, and with the handler's role in front.
fn with_role(task: &Task, name: &str) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    if let Some(role) = task.role() {
        names.push(format!("{} : {name}", role.name));
        let full = role.full_name();
        if full != *role.name {
            names.push(format!("{full} : {name}"));
        }
    }
    names
}
