//! An agent that keeps to the rules of the queue (`protocol::ToAgent`), for hosts that only exist in memory.

use std::cell::Cell;
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use engine::link::LinkError;
use protocol::{FromAgent, Outcome, Permission, Step, ToAgent};
use tokio::sync::mpsc;

/// What a step would do.
pub struct Plan {
    pub changes: bool,
    pub outcome: Outcome,
}

/// A host as its agent sees it.
pub trait Host {
    /// Let the time pass that a step takes on it.
    async fn pass(&mut self);

    /// One of so many possibilities.
    fn choose(&mut self, count: usize) -> usize;

    fn plan(&self, step: &Step) -> Plan;

    /// Carry the step out.
    fn apply(&mut self, step: &Step);
}

/// Works through its queue.
pub struct Agent<H> {
    pub host: H,
    inbox: mpsc::UnboundedReceiver<ToAgent>,
    outbox: mpsc::UnboundedSender<Result<FromAgent, LinkError>>,
    queue: VecDeque<Step>,
    allowed: HashSet<u64>,
    /// Steps that changed something or failed.
    changed: HashSet<u64>,
    /// After a failure: steps that arrived and will not be answered.
    discarding: Option<Vec<u64>>,
    /// Steps that wait for permission while others are done.
    ready: HashSet<u64>,
    /// How often it got messages with nothing else to do.
    exchanges: Rc<Cell<usize>>,
}

impl<H: Host> Agent<H> {
    pub fn new(
        host: H,
        inbox: mpsc::UnboundedReceiver<ToAgent>,
        outbox: mpsc::UnboundedSender<Result<FromAgent, LinkError>>,
        exchanges: Rc<Cell<usize>>,
    ) -> Self {
        Self {
            host,
            inbox,
            outbox,
            queue: VecDeque::new(),
            allowed: HashSet::new(),
            changed: HashSet::new(),
            discarding: None,
            ready: HashSet::new(),
            exchanges,
        }
    }

    /// Until nobody sends any more.
    pub async fn serve(mut self) {
        loop {
            while let Ok(message) = self.inbox.try_recv() {
                self.take(message, None);
            }
            match self.choose().and_then(|at| self.queue.remove(at)) {
                Some(step) if step.after.is_some() && self.must_wait(&step) => {
                    self.say(FromAgent::Ready { id: step.id });
                    self.ready.insert(step.id);
                    self.queue.push_front(step);
                }
                Some(step) => self.work(step).await,
                None => {
                    self.exchanges.set(self.exchanges.get() + 1);
                    let Some(message) = self.inbox.recv().await else { return };
                    self.take(message, None);
                }
            }
        }
    }

    /// The next step; where steps may be done at the same time any of the first that may begin: the last to begin may
    /// be the first to end.
    fn choose(&mut self) -> Option<usize> {
        let mut open: HashSet<u64> = HashSet::new();
        let mut free = Vec::new();
        for (at, step) in self.queue.iter().enumerate() {
            match &step.after {
                None if open.is_empty() => return Some(at),
                None => break,
                Some(after) => {
                    let waits = after.iter().chain(&step.unless_changed).any(|id| open.contains(id));
                    let asks = self.ready.contains(&step.id) && !self.allowed.contains(&step.id);
                    if !waits && !asks && free.len() < 4 {
                        free.push(at);
                    }
                }
            }
            open.insert(step.id);
        }
        if free.is_empty() { None } else { Some(free[self.host.choose(free.len())]) }
    }

    /// Has the step something to change, and no permission?
    fn must_wait(&self, step: &Step) -> bool {
        step.permission == Permission::Ask
            && !self.allowed.contains(&step.id)
            && !step.unless_changed.iter().any(|id| self.changed.contains(id))
            && self.host.plan(step).changes
            && !step.check
    }

    fn say(&self, message: FromAgent) {
        let _ = self.outbox.send(Ok(message));
    }

    /// Take a message in. False if it drops the step in hand.
    fn take(&mut self, message: ToAgent, hand: Option<u64>) -> bool {
        match message {
            ToAgent::Step(step) => match &mut self.discarding {
                Some(dropped) => dropped.push(step.id),
                None => self.queue.push_back(*step),
            },
            ToAgent::Go { id } => drop(self.allowed.insert(id)),
            ToAgent::Flush { token } => {
                let mut dropped = self.discarding.take().unwrap_or_default();
                dropped.extend(hand);
                dropped.extend(self.queue.drain(..).map(|step| step.id));
                self.say(FromAgent::Flushed { token, dropped });
                return hand.is_none();
            }
            _ => {}
        }
        true
    }

    async fn work(&mut self, step: Step) {
        if step.unless_changed.iter().any(|id| self.changed.contains(id)) {
            let mut dropped = vec![step.id];
            dropped.extend(self.queue.drain(..).map(|step| step.id));
            self.discarding = Some(Vec::new());
            self.say(FromAgent::Flushed { token: 0, dropped });
            return;
        }
        self.host.pass().await;
        let plan = self.host.plan(&step);
        let waits = plan.changes && !step.check;
        if waits && step.permission == Permission::Ask && !self.allowed.contains(&step.id) {
            self.say(FromAgent::Ready { id: step.id });
            while !self.allowed.contains(&step.id) {
                let Some(message) = self.inbox.recv().await else { return };
                if !self.take(message, Some(step.id)) {
                    return;
                }
            }
        }
        if waits {
            self.host.pass().await;
            self.host.apply(&step);
        }
        let (failed, changed) = (plan.outcome.failed(), plan.outcome.changed());
        if failed || changed {
            self.changed.insert(step.id);
        }
        self.say(FromAgent::Outcome { id: step.id, outcome: plan.outcome });
        if failed && !step.continue_on_failure && self.discarding.is_none() {
            if step.after.is_some() {
                // What was in hand at the same time is finished.
                while self.host.choose(3) != 0
                    && let Some(at) = self.choose()
                    && self.queue[at].after.is_some()
                    && !self.must_wait(&self.queue[at])
                    && let Some(step) = self.queue.remove(at)
                {
                    self.finish(&step);
                }
            }
            let dropped = self.queue.drain(..).map(|step| step.id).collect();
            self.discarding = Some(Vec::new());
            self.say(FromAgent::Flushed { token: 0, dropped });
        }
    }

    /// Do a step that was in hand when another one failed.
    fn finish(&mut self, step: &Step) {
        let plan = self.host.plan(step);
        if plan.changes && !step.check {
            self.host.apply(step);
        }
        if plan.outcome.failed() || plan.outcome.changed() {
            self.changed.insert(step.id);
        }
        self.say(FromAgent::Outcome { id: step.id, outcome: plan.outcome });
    }
}
