//! Hosts that only exist in the test: agents that keep to the protocol and do as they are told.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use engine::link::{Channel, Connector, LinkError};
use futures::future::LocalBoxFuture;
use protocol::{AgentHello, Map, Outcome, Start, Step, ToAgent};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::agent::{Agent, Host, Plan};

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
        let host = Scripted {
            files: files.collect(),
            delay: Delay::new(self.seed, &name),
            journal: self.journal.clone(),
            name,
        };
        let agent = Agent::new(host, inbox, outbox, self.exchanges.clone());
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

struct Scripted {
    name: String,
    files: BTreeSet<String>,
    delay: Delay,
    journal: Journal,
}

impl Host for Scripted {
    async fn pass(&mut self) {
        self.delay.pass().await;
    }

    fn choose(&mut self, count: usize) -> usize {
        self.delay.choose(count)
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
