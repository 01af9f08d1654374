//! Hosts that only exist in the test: agents that keep to the protocol and do as they are told.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::rc::Rc;

use engine::link::{Channel, Connector, LinkError};
use futures::future::LocalBoxFuture;
use protocol::{AgentHello, FromAgent, Map, Outcome, Permission, Start, Step, ToAgent};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// What has been changed, in the order it happened.
pub type Journal = Rc<RefCell<Vec<(String, String)>>>;

/// The hosts of a run. Those whose name begins with `u` cannot be reached.
#[derive(Default)]
pub struct Fleet {
    pub journal: Journal,
    /// How many connections were made.
    pub connections: Cell<usize>,
    /// How many messages agents got at once, with nothing else to do.
    pub exchanges: Rc<Cell<usize>>,
    /// Files that are there from the beginning: pairs of host and path.
    pub present: HashSet<(String, String)>,
    /// Steers how long hosts take; 0 for at once.
    pub seed: u64,
}

impl Connector for Fleet {
    fn connect(
        &self,
        target: transport::Target,
        _start: Start,
        early: Vec<ToAgent>,
    ) -> LocalBoxFuture<'static, Result<Channel, LinkError>> {
        self.connections.set(self.connections.get() + 1);
        let name = target.name.clone();
        if name.starts_with('u') {
            let error = LinkError(format!("Failed to connect to the host via ssh: {name}"));
            return Box::pin(std::future::ready(Err(error)));
        }
        let (to, inbox) = mpsc::unbounded_channel();
        let (outbox, from) = mpsc::unbounded_channel();
        for message in early {
            let _ = to.send(message);
        }
        let files = self.present.iter().filter(|(host, _)| *host == name).map(|(_, path)| path.clone());
        let agent = Agent {
            files: files.collect(),
            delay: Delay::new(self.seed, &name),
            journal: self.journal.clone(),
            exchanges: self.exchanges.clone(),
            name,
            inbox,
            outbox,
            queue: VecDeque::new(),
            allowed: HashSet::new(),
            changed: HashSet::new(),
            discarding: None,
            ready: HashSet::new(),
        };
        tokio::task::spawn_local(agent.serve());
        let hello = AgentHello { version: protocol::VERSION, ..AgentHello::default() };
        let channel = Channel { hello, sender: to, receiver: from, agent_uploaded: false };
        Box::pin(std::future::ready(Ok(channel)))
    }

    fn exec(
        &self,
        _target: transport::Target,
        _command: String,
        _input: Vec<u8>,
    ) -> LocalBoxFuture<'static, Result<modules::ProcessOutput, LinkError>> {
        Box::pin(std::future::ready(Err(LinkError("there is no shell here".into()))))
    }
}

/// Numbers that look random but are the same every time: how long something takes.
struct Delay(u64);

impl Delay {
    fn new(seed: u64, name: &str) -> Self {
        Self(if seed == 0 {
            0
        } else {
            name.bytes().fold(seed, |n, b| n.wrapping_mul(31).wrapping_add(u64::from(b))) | 1
        })
    }

    /// One of so many.
    fn choose(&mut self, count: usize) -> usize {
        if self.0 == 0 {
            return 0;
        }
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % count
    }

    async fn pass(&mut self) {
        if self.0 == 0 {
            return;
        }
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        for _ in 0..(self.0 >> 60) {
            tokio::task::yield_now().await;
        }
    }
}

struct Agent {
    name: String,
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
    files: BTreeSet<String>,
    delay: Delay,
    journal: Journal,
    exchanges: Rc<Cell<usize>>,
}

/// What a step would do.
struct Plan {
    changes: bool,
    outcome: Outcome,
}

impl Agent {
    async fn serve(mut self) {
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
        if free.is_empty() { None } else { Some(free[self.delay.choose(free.len())]) }
    }

    /// Has the step something to change, and no permission?
    fn must_wait(&self, step: &Step) -> bool {
        step.permission == Permission::Ask
            && !self.allowed.contains(&step.id)
            && !step.unless_changed.iter().any(|id| self.changed.contains(id))
            && self.plan(step).changes
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
        self.delay.pass().await;
        let plan = self.plan(&step);
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
            self.delay.pass().await;
            self.apply(&step);
        }
        let (failed, changed) = (plan.outcome.failed(), plan.outcome.changed());
        if failed || changed {
            self.changed.insert(step.id);
        }
        self.say(FromAgent::Outcome { id: step.id, outcome: plan.outcome });
        if failed && !step.continue_on_failure && self.discarding.is_none() {
            if step.after.is_some() {
                // What was in hand at the same time is finished.
                while self.delay.choose(3) != 0
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
        let plan = self.plan(step);
        if plan.changes && !step.check {
            self.apply(step);
        }
        if plan.outcome.failed() || plan.outcome.changed() {
            self.changed.insert(step.id);
        }
        self.say(FromAgent::Outcome { id: step.id, outcome: plan.outcome });
    }

    /// `command`: `/bin/true`, `/bin/false`; `file`: whether it is there, or that it cannot be made.
    fn plan(&self, step: &Step) -> Plan {
        let text = |key: &str| step.args.get(key).and_then(Value::as_str).unwrap_or_default();
        let (changes, result) = match (step.module.as_str(), text("_raw_params"), text("path")) {
            ("ping", ..) => (false, json!({"changed": false, "ping": "pong"})),
            ("command", _, _) if step.check => (
                false,
                json!({"changed": false, "skipped": true, "msg": "Command would have run if not in check mode"}),
            ),
            ("command", raw, _) if raw.starts_with("/bin/true") => {
                (true, json!({"changed": true, "rc": 0, "stdout": "", "stderr": ""}))
            }
            ("command", raw, _) if raw.starts_with("/bin/false") => (
                true,
                json!({"changed": true, "rc": 1, "failed": true, "stdout": "", "stderr": "", "msg": "non-zero return code"}),
            ),
            ("file", _, path) if path.contains("fails") => (
                false,
                json!({"changed": false, "failed": true, "msg": "there is no making it", "path": path}),
            ),
            ("file", _, path) => {
                let changes = !self.files.contains(path);
                (changes, json!({"changed": changes, "path": path, "number": path.len()}))
            }
            (module, raw, _) => (
                false,
                json!({"changed": false, "failed": true, "msg": format!("the test has no {module} {raw}")}),
            ),
        };
        let result: Map = result.as_object().cloned().unwrap_or_default();
        Plan { changes, outcome: Outcome { result, ..Outcome::default() } }
    }

    fn apply(&mut self, step: &Step) {
        let what = match step.args.get("path").and_then(Value::as_str) {
            Some(path) => {
                self.files.insert(path.to_owned());
                path.to_owned()
            }
            None => step.args.get("_raw_params").and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        self.journal.borrow_mut().push((self.name.clone(), what));
    }
}
