//! `meta`: actions on the run itself.

use std::rc::Rc;
use std::sync::Arc;

use lang::Value;
use lang::playbook::Task;

use crate::event::Event;
use crate::event::{Status, TaskResult};
use crate::host::HostRun;
use crate::map;
use crate::play::PlayRun;
use crate::program::TaskNode;
use crate::settings::Keywords;

impl PlayRun {
    /// Carry a meta action out for the hosts that are at it, and move them on.
    pub async fn meta(self: &Rc<Self>, node: &Arc<TaskNode>, task: &Arc<Task>, hosts: &[Rc<HostRun>]) {
        let action =
            task.args.get("_raw_params").and_then(Value::as_str).unwrap_or_default().trim().to_owned();
        let info = self.info(node, task, hosts.first().map_or("", |h| &h.name));
        // The others are about the run: the condition is that of the first host, for all.
        let per_host = matches!(
            action.as_str(),
            "noop" | "reset_connection" | "end_host" | "role_complete" | "flush_handlers" | "end_role"
        );
        let mut once = false;
        for (number, host) in hosts.iter().enumerate() {
            if !per_host && number > 0 {
                if !once && !self.ended.get() {
                    host.cursor.borrow_mut().advance();
                }
                continue;
            }
            if !task.implicit {
                self.run.emit(Event::TaskStart { task: info.clone() });
            }
            let state = crate::ahead::now(&self.run.world);
            let scope = self.scope(&host.name, Some(task), &state);
            let mut holds = true;
            let mut error = None;
            let unconditional = matches!(action.as_str(), "noop" | "reset_connection" | "refresh_inventory");
            if unconditional && !task.when().is_empty() {
                self.run.warn(format!("{action} task does not support when conditional"));
            }
            for condition in task.when().iter().filter(|_| !unconditional) {
                match self.run.templar.condition(condition, &scope) {
                    Ok(true) => {}
                    Ok(false) => {
                        holds = false;
                        break;
                    }
                    Err(e) => {
                        error = Some(e);
                        break;
                    }
                }
            }
            // The run itself is what the action is about, and what a mistake in it ends.
            if let Some(e) = error {
                *self.run.broken.borrow_mut() = Some(e);
                return;
            }
            if !holds {
                self.skip_meta(host, &info, task, &action);
                host.cursor.borrow_mut().advance();
                continue;
            }
            if !task.implicit {
                let text = match action.as_str() {
                    "flush_handlers" => format!("triggered running handlers for {}", host.name),
                    "end_host" => format!("ending play for {}", host.name),
                    "end_batch" => "ending batch".to_owned(),
                    "end_play" => "ending play".to_owned(),
                    "clear_facts" => "facts cleared".to_owned(),
                    "clear_host_errors" => "cleared host errors".to_owned(),
                    "reset_connection" => "reset connection".to_owned(),
                    "refresh_inventory" => "inventory successfully refreshed".to_owned(),
                    "noop" => "noop".to_owned(),
                    _ => String::new(),
                };
                if !text.is_empty() {
                    self.run.emit(Event::Meta { text, implicit: false });
                }
            }
            match action.as_str() {
                "noop" => host.cursor.borrow_mut().advance(),
                "flush_handlers" if task.is_handler() => {
                    let e =
                        lang::Error::new("flush_handlers cannot be used as a handler").at(Some(&task.pos));
                    *self.run.broken.borrow_mut() = Some(e);
                    return;
                }
                "flush_handlers" => {
                    self.resolve_notifications(host);
                    host.cursor.borrow_mut().flush(self.handlers_block(), self.force_handlers);
                }
                "end_host" => {
                    host.ahead.borrow_mut().discard();
                    host.cursor.borrow_mut().end();
                    host.ended.set(true);
                }
                "end_role" => {
                    let id = task.role().map(|r| r.id);
                    host.ahead.borrow_mut().discard();
                    host.roles_done.borrow_mut().extend(id);
                    host.cursor.borrow_mut().end_role(&|block| block.role.as_ref().map(|r| r.id) == id);
                }
                "end_batch" | "end_play" => once = true,
                "clear_facts" => {
                    for host in self.active() {
                        self.run.world.change_host(&host.name, |vars| vars.clear_facts());
                        self.run.save_facts(&host.name);
                    }
                    host.cursor.borrow_mut().advance();
                }
                "clear_host_errors" => {
                    self.clear_errors();
                    host.cursor.borrow_mut().advance();
                }
                "reset_connection" => {
                    let keywords = Keywords { task, templar: &self.run.templar, scope: &scope };
                    if let Ok(target) = keywords.target(&host.name, &self.run.options) {
                        host.ahead.borrow_mut().discard();
                        self.run.reset(&target);
                    }
                    host.cursor.borrow_mut().advance();
                }
                "refresh_inventory" => {
                    self.refresh_inventory();
                    host.cursor.borrow_mut().advance();
                }
                other => {
                    let e = lang::Error::new(format!("invalid meta action requested: {other}"))
                        .at(Some(&task.pos));
                    *self.run.broken.borrow_mut() = Some(e);
                    return;
                }
            }
        }
        if !once {
            return;
        }
        if action == "end_play" {
            self.play_ended.set(true);
        }
        for host in self.active() {
            host.ahead.borrow_mut().discard();
            host.cursor.borrow_mut().end();
            host.ended.set(true);
        }
        self.ended.set(true);
    }

    /// Run a host's handlers, at the end of a section of the play.
    pub fn flush(&self, host: &HostRun) {
        self.resolve_notifications(host);
        if !host.notified.borrow().is_empty() {
            let text = format!("triggered running handlers for {}", host.name);
            self.run.emit(Event::Meta { text, implicit: true });
        }
        host.cursor.borrow_mut().flush(self.handlers_block(), self.force_handlers);
    }

    fn refresh_inventory(&self) {
        let fresh = (self.run.reload_inventory)().and_then(|mut fresh| {
            self.run.made.borrow().iter().try_for_each(|made| made.add_again(&mut fresh))?;
            Ok(fresh)
        });
        match fresh {
            Ok(fresh) => {
                for host in self.active() {
                    host.ahead.borrow_mut().discard();
                }
                self.run.world.change_inventory(|inventory| *inventory = fresh);
            }
            Err(e) => *self.run.broken.borrow_mut() = Some(e),
        }
    }

    fn clear_errors(&self) {
        for host in self.hosts.borrow().values() {
            if host.unreachable.replace(false) {
                // What it was lost at is not done again.
                host.cursor.borrow_mut().advance();
            }
            host.cursor.borrow_mut().clear_failure();
        }
        self.run.failed.borrow_mut().clear();
        self.run.unreachable.borrow_mut().clear();
    }

    /// Report that a meta action's condition does not hold, in Ansible's words.
    fn skip_meta(
        &self,
        host: &Rc<HostRun>,
        info: &Arc<crate::event::TaskInfo>,
        task: &Arc<Task>,
        action: &str,
    ) {
        let name = &host.name;
        let rest = match action {
            "flush_handlers" => format!(", not running handlers for {name}"),
            "clear_facts" => format!(", not clearing facts and fact cache for {name}"),
            "clear_host_errors" => format!(", not clearing host error state for {name}"),
            "end_batch" => ", continuing current batch".to_owned(),
            "end_play" => ", continuing play".to_owned(),
            "end_host" => format!(", continuing execution for {name}"),
            "end_role" => {
                let role = task.role().map(|r| r.name.to_string()).unwrap_or_default();
                format!("continuing role {role} for {name}")
            }
            _ => String::new(),
        };
        let reason = format!("{action} conditional evaluated to False{rest}");
        let msg = match action {
            "end_host" => reason.replace("False", "false"),
            _ => action.to_owned(),
        };
        self.run.emit(Event::Meta { text: reason.clone(), implicit: false });
        self.run.emit(Event::HostResult(TaskResult {
            task: info.clone(),
            host: host.name.clone(),
            delegated_to: None,
            status: Status::Skipped,
            result: map! {"msg": msg, "skip_reason": reason, "skipped": true},
            diff: Vec::new(),
            ignored: false,
            item_label: None,
            is_loop: false,
            elapsed: Default::default(),
            verbose_always: false,
            verbose_override: false,
            error: None,
        }));
    }
}
