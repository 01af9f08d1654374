//! `strategy: linear`: all hosts finish a task before any begins the next.
//!
//! The hosts at the earliest place of the play run together; the others wait. What has been sent ahead does not
//! show: a result counts when its task's turn comes.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};
use lang::Error;
use lang::keywords::Keyword;
use lang::playbook::Task;
use lang::template::python_repr;

use crate::debugger::Attempt;
use crate::event::Event;
use crate::event::Status;
use crate::execute::{Executed, status_of};
use crate::host::HostRun;
use crate::play::{PlayRun, Strategy};
use crate::program::{Kind, TaskNode};
use crate::settings::{Keywords, to_int};
use crate::user::StepAnswer;

/// Run a batch to its end.
pub async fn run(play: &Rc<PlayRun>, all: &[String]) {
    loop {
        if play.stopped() {
            return;
        }
        let Some((node, hosts)) = next(play) else { return };
        match &node.kind {
            Kind::Flush => {
                for host in hosts {
                    play.flush(&host);
                }
            }
            Kind::RoleDone(role) => {
                for host in hosts {
                    host.finish_role(role.id);
                }
            }
            Kind::Task(task) => {
                let task = task.clone();
                round(play, &node, &task, hosts).await;
                play.publish_hosts(all);
            }
        }
    }
}

/// The earliest task, and the hosts that are at it.
fn next(play: &PlayRun) -> Option<(Arc<TaskNode>, Vec<Rc<HostRun>>)> {
    let mut first: Option<(crate::cursor::Place, Arc<TaskNode>)> = None;
    let mut at = Vec::new();
    for host in play.active() {
        let notified = host.notified.borrow();
        let found = host.cursor.borrow_mut().peek(&|task| notified.contains(&task.id));
        drop(notified);
        let Some((place, node)) = found else {
            play.note_end(&host);
            continue;
        };
        if first.as_ref().is_none_or(|(earliest, _)| place < *earliest) {
            first = Some((place, node.clone()));
        }
        at.push((host, node));
    }
    let (_, node) = first?;
    let hosts = at.into_iter().filter(|(_, n)| n.id == node.id).map(|(h, _)| h).collect();
    Some((node, hosts))
}

/// One task on all hosts that are at it.
async fn round(play: &Rc<PlayRun>, node: &Arc<TaskNode>, task: &Arc<Task>, hosts: Vec<Rc<HostRun>>) {
    let hosts = play.without_done_roles(task, hosts);
    let Some(first) = hosts.first().cloned() else { return };
    if task.is_handler() {
        for host in &hosts {
            host.notified.borrow_mut().remove(&node.id);
        }
    }
    if task.module.is_builtin("meta") {
        play.meta(node, task, &hosts).await;
        return;
    }
    if !play.run.step_freely.get() && play.run.options.step {
        let title = play.info(node, task, &first.name).title.clone();
        match play.run.user.step(&title).await {
            StepAnswer::Yes => {}
            StepAnswer::Continue => play.run.step_freely.set(true),
            StepAnswer::No => {
                for host in hosts {
                    host.cursor.borrow_mut().advance();
                }
                return;
            }
        }
    }
    play.forget_info(node);
    let info = play.info(node, task, &first.name);
    if task.is_handler() {
        play.run.emit(Event::HandlerStart { task: info.clone() });
    } else {
        play.run.emit(Event::TaskStart { task: info.clone() });
    }
    let once = play.runs_once(task, &first.name) || matches!(task.module.short(), "pause" | "add_host");
    let runners: Vec<Rc<HostRun>> = if once { vec![first.clone()] } else { hosts.clone() };
    let limit = match throttle(play, task, &first) {
        Ok(limit) => limit,
        Err(e) => {
            *play.run.broken.borrow_mut() = Some(e);
            return;
        }
    };
    let limit = limit.unwrap_or(usize::MAX).min(play.run.options.forks.unwrap_or(usize::MAX)).max(1);
    let mut waiting = runners.into_iter();
    let mut running = FuturesUnordered::new();
    let start = |host: Rc<HostRun>, attempt: Attempt| {
        let (play, node, info) = (play.clone(), node.clone(), info.clone());
        async move {
            let executed = play.execute(&host, &node, &attempt, &info).await;
            (attempt, executed)
        }
    };
    let mut failed = false;
    let mut failed_includes = HashSet::new();
    let mut all_executed = Vec::new();
    loop {
        while running.len() < limit
            && let Some(host) = waiting.next()
        {
            play.run.emit(Event::HostStart { task: info.clone(), host: host.name.clone() });
            running.push(start(host, Attempt::first(task.clone())));
        }
        let Some((attempt, executed)) = running.next().await else { break };
        if task.include.is_some() {
            play.report_include(&executed, &info);
        } else {
            play.report(&executed, &info);
            if let Some(again) = play.debug(&attempt, &executed, &info).await {
                running.push(start(executed.host, again));
                continue;
            }
            play.take_in(&executed);
        }
        failed |=
            matches!(status_of(&executed.result), Status::Failed | Status::Unreachable) && !executed.ignored;
        all_executed.push(executed);
    }
    drop(running);
    for executed in &all_executed {
        if play.strategy == Strategy::Graph && lost_its_way(executed) {
            play.collect(&executed.host).await;
        }
    }
    if task.include.is_some() {
        // In the order of the hosts, whichever answered first.
        let order: HashMap<&str, usize> =
            hosts.iter().enumerate().map(|(i, h)| (h.name.as_str(), i)).collect();
        all_executed.sort_by_key(|e| order.get(e.host.name.as_str()).copied());
        failed_includes = play.include(node, task, &info, &all_executed).await;
        failed |= !failed_includes.is_empty();
    }
    let by_host: HashMap<&str, &Executed> = all_executed.iter().map(|e| (e.host.name.as_str(), e)).collect();
    for host in &hosts {
        let own = by_host.get(host.name.as_str()).copied();
        let advances = match own {
            Some(executed) => !lost_its_way(executed),
            None => true,
        };
        if advances && (task.include.is_none() || own.is_none_or(|e| !play.went_into_include(e))) {
            host.cursor.borrow_mut().advance();
        }
    }
    if failed {
        play.spread_failure(task, &all_executed, &failed_includes, once);
    }
}

/// Has the failure moved the host's cursor already?
pub fn lost_its_way(executed: &Executed) -> bool {
    matches!(status_of(&executed.result), Status::Failed | Status::Unreachable) && !executed.ignored
}

/// How many hosts may be at the task at once, by its `throttle`.
pub fn throttle(play: &PlayRun, task: &Arc<Task>, host: &HostRun) -> lang::Result<Option<usize>> {
    let Some(written) = task.keyword(Keyword::Throttle) else { return Ok(None) };
    let state = crate::ahead::now(&play.run.world);
    let scope = play.scope(&host.name, Some(task), &state);
    let number = play.run.templar.render(written, &scope).and_then(|value| {
        to_int(&value).ok_or_else(|| {
            Error::new(format!("invalid literal for int() with base 10: {}", python_repr(&value)))
        })
    });
    let number = number.map_err(|e| {
        Error::new("Failed to convert the throttle value to an integer")
            .at(written.pos().or(Some(&task.pos)))
            .caused_by(e)
    })?;
    Ok(usize::try_from(number).ok().filter(|n| *n > 0))
}

impl PlayRun {
    /// Should nothing more be started?
    pub fn stopped(&self) -> bool {
        self.ended.get() || self.run.interrupted.get() || self.run.broken.borrow().is_some()
    }

    /// A host has nothing left to do: if that is because of a failure, it takes no part in what follows.
    pub fn note_end(&self, host: &HostRun) {
        if host.cursor.borrow().has_failed() {
            self.run.failed.borrow_mut().insert(host.name.clone());
        }
    }

    /// Hosts on which the task's role has run already go on behind it.
    pub fn without_done_roles(&self, task: &Task, hosts: Vec<Rc<HostRun>>) -> Vec<Rc<HostRun>> {
        let Some(role) = task.role().filter(|r| !r.allow_duplicates) else { return hosts };
        if task.is_handler() {
            return hosts;
        }
        hosts
            .into_iter()
            .filter(|host| {
                let done = host.roles_done.borrow().contains(&role.id);
                if done {
                    host.cursor.borrow_mut().advance();
                }
                !done
            })
            .collect()
    }

    /// What a failure on one host means for the others.
    fn spread_failure(
        self: &Rc<Self>,
        task: &Arc<Task>,
        executed: &[Executed],
        failed_includes: &HashSet<String>,
        once: bool,
    ) {
        let first = &executed[0].host;
        let state = crate::ahead::now(&self.run.world);
        let scope = self.scope(&first.name, Some(task), &state);
        let keywords = Keywords { task, templar: &self.run.templar, scope: &scope };
        let fatal = keywords.bool(Keyword::AnyErrorsFatal).ok().flatten().unwrap_or(self.any_errors_fatal);
        for host in self.active() {
            host.ahead.borrow_mut().discard();
        }
        let lost: HashSet<&str> =
            executed.iter().filter(|e| lost_its_way(e)).map(|e| e.host.name.as_str()).collect();
        let failed_now =
            |host: &Rc<HostRun>| lost.contains(host.name.as_str()) || failed_includes.contains(&host.name);
        if fatal || once {
            for host in self.active() {
                if failed_now(&host) || host.cursor.borrow().has_failed() {
                    continue;
                }
                // A task for all that fails is rescued on its own host only: the others take no further part.
                if !fatal {
                    host.cursor.borrow_mut().end();
                    self.run.failed.borrow_mut().insert(host.name.clone());
                } else if host.cursor.borrow_mut().fail() == crate::cursor::Failure::Final {
                    self.run.failed.borrow_mut().insert(host.name.clone());
                }
            }
            return;
        }
        if let Some(limit) = self.max_fail_percentage {
            let failed =
                self.hosts.borrow().values().filter(|h| h.has_failed() && !h.unreachable.get()).count();
            if self.batch_size > 0 && failed as f64 * 100.0 / self.batch_size as f64 > limit {
                for host in self.active() {
                    let mut cursor = host.cursor.borrow_mut();
                    if !cursor.has_failed() {
                        cursor.end();
                        self.run.failed.borrow_mut().insert(host.name.clone());
                    }
                }
                // Ansible says so when the limit is passed, and again when it finds no host for the next task.
                self.run.emit(Event::NoHostsRemaining);
                self.run.emit(Event::NoHostsRemaining);
                self.ended.set(true);
                self.gave_up.set(true);
            }
        }
    }
}
