//! `strategy: free` and `host_pinned`: every host goes on as it can.
//!
//! With `--forks`, `free` gives a place up after each task, `host_pinned` holds it until the host is done.

use std::rc::Rc;
use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::Semaphore;

use crate::debugger::Attempt;
use crate::event::Event;
use crate::host::HostRun;
use crate::linear::{lost_its_way, throttle};
use crate::play::{PlayRun, Strategy};
use crate::program::Kind;

/// Run a batch to its end.
pub async fn run(play: &Rc<PlayRun>, all: &[String]) {
    let places = Arc::new(Semaphore::new(play.run.options.forks.unwrap_or(Semaphore::MAX_PERMITS)));
    let mut running: FuturesUnordered<_> =
        play.active().into_iter().map(|host| walk(play.clone(), host, places.clone(), all)).collect();
    while running.next().await.is_some() {}
}

async fn walk(play: Rc<PlayRun>, host: Rc<HostRun>, places: Arc<Semaphore>, all: &[String]) {
    let pinned = match play.strategy {
        Strategy::HostPinned => places.clone().acquire_owned().await.ok(),
        _ => None,
    };
    while !play.stopped() && !host.is_out() {
        let found = {
            let notified = host.notified.borrow();
            host.cursor.borrow_mut().peek(&|task| notified.contains(&task.id))
        };
        let Some((_, node)) = found else {
            play.note_end(&host);
            return;
        };
        let task = match &node.kind {
            Kind::Flush => {
                play.flush(&host);
                continue;
            }
            Kind::RoleDone(role) => {
                host.finish_role(role.id);
                continue;
            }
            Kind::Task(task) => task.clone(),
        };
        if play.without_done_roles(&task, vec![host.clone()]).is_empty() {
            continue;
        }
        if task.is_handler() {
            host.notified.borrow_mut().remove(&node.id);
        }
        if task.module.is_builtin("meta") {
            play.meta(&node, &task, std::slice::from_ref(&host)).await;
            continue;
        }
        let turn = match throttle(&play, &task, &host) {
            Ok(limit) => limit.map(|limit| play.throttle_of(node.id, limit)),
            Err(e) => {
                *play.run.broken.borrow_mut() = Some(e);
                return;
            }
        };
        let _turn = match turn {
            Some(turn) => turn.acquire_owned().await.ok(),
            None => None,
        };
        let _place = match pinned {
            Some(_) => None,
            None => places.clone().acquire_owned().await.ok(),
        };
        let info = play.info(&node, &task, &host.name);
        if task.is_handler() {
            play.run.emit(Event::HandlerStart { task: info.clone() });
        } else {
            play.run.emit(Event::TaskStart { task: info.clone() });
        }
        play.run.emit(Event::HostStart { task: info.clone(), host: host.name.clone() });
        let mut attempt = Attempt::first(task.clone());
        let mut executed = play.execute(&host, &node, &attempt, &info).await;
        if task.include.is_some() {
            play.report_include(&executed, &info);
            play.include(&node, &task, &info, std::slice::from_ref(&executed)).await;
        } else {
            play.report(&executed, &info);
            while let Some(again) = play.debug(&attempt, &executed, &info).await {
                attempt = again;
                executed = play.execute(&host, &node, &attempt, &info).await;
                play.report(&executed, &info);
            }
            play.take_in(&executed);
        }
        if !lost_its_way(&executed) && (task.include.is_none() || !play.went_into_include(&executed)) {
            host.cursor.borrow_mut().advance();
        }
        // Publishing takes time for every host of the play: only when there are others than before.
        if lost_its_way(&executed) {
            play.publish_hosts(all);
        }
    }
}
