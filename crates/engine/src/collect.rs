//! Strategy `graph`: tasks that had been begun when one before them failed.

use std::rc::Rc;
use std::sync::Arc;

use crate::ahead::Task_;
use crate::evaluate::Evaluated;
use crate::event::{Event, Status, TaskInfo};
use crate::execute::{Executed, status_of};
use crate::host::HostRun;
use crate::play::PlayRun;
use crate::results::ResultMap;

impl PlayRun {
    /// Has the host begun any step of a task that was sent before its queue was dropped?
    pub async fn was_begun(&self, host: &HostRun, known: &Task_) -> bool {
        let link = host.ahead.borrow().link.clone();
        let Some(link) = link else { return false };
        let mut begun = false;
        for id in known.steps.iter().flatten() {
            begun |= link.was_done(*id).await;
        }
        if !begun {
            known.steps.iter().flatten().for_each(|id| link.forget(*id));
        }
        begun
    }

    /// After a failure: stop what has not been begun, wait for the rest, and report it.
    pub async fn collect(self: &Rc<Self>, host: &Rc<HostRun>) {
        let tasks = {
            let mut queue = host.ahead.borrow_mut();
            queue.discard();
            std::mem::take(&mut queue.tasks)
        };
        let Some(link) = host.ahead.borrow().link.clone() else { return };
        host.collecting.set(true);
        for known in tasks {
            let mut done = Vec::with_capacity(known.steps.len());
            for id in &known.steps {
                done.push(match id {
                    Some(id) => link.was_done(*id).await,
                    None => false,
                });
            }
            if !done.contains(&true) {
                known.steps.iter().flatten().for_each(|id| link.forget(*id));
                continue;
            }
            let evaluated = match known.evaluated {
                // Items that were not begun are left out.
                Evaluated::Loop { items, control } => {
                    let items = items.into_iter().zip(&done).filter(|(_, done)| **done).map(|(item, _)| item);
                    Evaluated::Loop { items: items.collect(), control }
                }
                other => other,
            };
            let steps = known.steps.iter().zip(&done).filter(|(_, done)| **done).map(|(id, _)| *id).collect();
            let info = self.info(&known.node, &known.task, &host.name);
            self.run.emit(Event::TaskStart { task: info.clone() });
            self.run.emit(Event::HostStart { task: info.clone(), host: host.name.clone() });
            let executed = self.conclude(host, &known.node, &known.task, &info, evaluated, steps).await;
            self.settle_aside(&executed, &info);
        }
        host.collecting.set(false);
    }

    /// Take in what came of a task beside the host's way, which has failed already.
    fn settle_aside(self: &Rc<Self>, executed: &Executed, info: &Arc<TaskInfo>) {
        self.learn(executed, &executed.host.name);
        let status = status_of(&executed.result);
        let ignored = executed.ignored;
        self.run.count(&executed.host.name, |s| match status {
            Status::Failed if !ignored => s.failed += 1,
            Status::Failed => {
                s.ok += 1;
                s.ignored += 1;
            }
            Status::Skipped => s.skipped += 1,
            Status::Unreachable => s.unreachable += 1,
            Status::Ok | Status::Changed => {
                s.ok += 1;
                s.changed += u32::from(executed.result.flag("changed"));
            }
        });
        self.run.emit(Event::HostResult(self.result_of(executed, info)));
        self.notify_for(executed);
    }
}
