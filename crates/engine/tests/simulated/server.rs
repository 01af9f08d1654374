//! The hosts' side of the simulation.

use std::cell::Cell;
use std::path::Path;
use std::rc::Rc;
use std::sync::OnceLock;
use std::time::Duration;

use engine::link::LinkError;
use protocol::frame::{Decoder, encode};
use protocol::{AgentHello, FromAgent, Map, Outcome, Step, ToAgent};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until};

use super::{Fate, fate, number, playbook};
use crate::support::agent::{Agent, Host, Plan};

/// Round trips before the agent is there, as with the real ones.
const BRING_UP: u32 = 5;

/// Be all hosts that are asked for at this socket, for ever.
pub async fn listen(socket: &Path, latency: Duration) -> std::io::Result<()> {
    let listener = UnixListener::bind(socket)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::task::spawn_local(serve(stream, latency));
    }
}

/// Be the host whose name comes first. Every message is `latency / 2` on its way.
pub async fn serve(stream: UnixStream, latency: Duration) {
    let (mut reader, mut writer) = stream.into_split();
    let mut decoder = Decoder::default();
    let mut piece = vec![0; 16 << 10];
    let name: String = loop {
        match reader.read(&mut piece).await {
            Ok(0) | Err(_) => return,
            Ok(length) => decoder.feed(&piece[..length]),
        }
        match decoder.next_frame() {
            Ok(Some(name)) => break name,
            Ok(None) => {}
            Err(_) => return,
        }
    };
    let host = number(&name);
    if fate(host) == Fate::Unreachable {
        return sleep(latency).await;
    }
    sleep(latency * (BRING_UP - 1)).await;
    let lost = Rc::new(Cell::new(None));
    let (to_agent, inbox) = mpsc::unbounded_channel();
    let (outbox, mut from_agent) = mpsc::unbounded_channel();
    let simulated = Simulated { fate: fate(host), name, lost: lost.clone() };
    let agent = Agent::new(simulated, inbox, outbox.clone(), Rc::default());
    let (delayed_in, mut arriving) = mpsc::unbounded_channel::<(Instant, ToAgent)>();
    let (delayed_out, mut leaving) = mpsc::unbounded_channel::<(Instant, FromAgent)>();
    let receive = async {
        loop {
            while let Ok(Some(message)) = decoder.next_frame::<ToAgent>() {
                let _ = delayed_in.send((Instant::now() + latency / 2, message));
            }
            match reader.read(&mut piece).await {
                // The controller is done; what is under way no longer matters.
                Ok(0) | Err(_) => return,
                Ok(length) => decoder.feed(&piece[..length]),
            }
        }
    };
    let hand_over = async {
        while let Some((due, message)) = arriving.recv().await {
            sleep_until(due).await;
            if let ToAgent::Start(_) = message {
                let hello = AgentHello { version: protocol::VERSION, ..AgentHello::default() };
                let _ = outbox.send(Ok(FromAgent::Hello(hello)));
            }
            let _ = to_agent.send(message);
        }
    };
    let stamp = async {
        while let Some(Ok::<_, LinkError>(message)) = from_agent.recv().await {
            let _ = delayed_out.send((Instant::now() + latency / 2, message));
        }
    };
    let send = async {
        while let Some((due, message)) = leaving.recv().await {
            sleep_until(due).await;
            if matches!(message, FromAgent::Outcome { id, .. } if Some(id) == lost.get()) {
                return;
            }
            let Ok(bytes) = encode(&message) else { return };
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = receive => {}
        () = send => {}
        () = async { tokio::join!(hand_over, stamp, agent.serve()); } => {}
    }
}

struct Simulated {
    fate: Fate,
    name: String,
    /// Its connection ends in place of the outcome of this step.
    lost: Rc<Cell<Option<u64>>>,
}

impl Host for Simulated {
    /// A module that finds nothing to do takes some 50 µs: less than the simulation can tell.
    async fn pass(&mut self) {}

    fn choose(&mut self, _count: usize) -> usize {
        0
    }

    fn plan(&self, step: &Step) -> Plan {
        let mut result = result(step, &self.name);
        let mut changes = false;
        if let Some((round, place)) = playbook::place(&step.module, &step.args) {
            let index = 1 + round * 5 + place;
            match self.fate {
                Fate::Fails if index == playbook::FAILS_AT => {
                    result.insert("failed".into(), true.into());
                    result.insert("msg".into(), "No space left on device".into());
                }
                Fate::Lost if index == playbook::LOST_AT => self.lost.set(Some(step.id)),
                Fate::Drifted => changes = place == 1 && round < playbook::DRIFTING,
                _ => {}
            }
        }
        changes |= step.module == "service";
        result.insert("changed".into(), changes.into());
        Plan { changes, outcome: Outcome { result, elapsed_us: 50, ..Outcome::default() } }
    }

    fn apply(&mut self, _step: &Step) {}
}

/// What the module would say, in size and kind.
fn result(step: &Step, name: &str) -> Map {
    let text = |key: &str| step.args.get(key).cloned().unwrap_or_default();
    let value = match step.module.as_str() {
        "setup" => {
            let mut facts = facts().clone();
            facts.insert("ansible_hostname".into(), name.into());
            facts.insert("ansible_fqdn".into(), name.into());
            json!({"ansible_facts": facts})
        }
        "stat" => json!({"stat": {
            "exists": true, "path": text("path"), "mode": "0644", "isdir": false, "isreg": true, "islnk": false,
            "uid": 0, "gid": 0, "size": 1234, "inode": 4711, "dev": 64769, "nlink": 1, "atime": 1.5, "mtime": 1.5,
            "ctime": 1.5, "pw_name": "root", "gr_name": "root", "writeable": true, "readable": true,
            "checksum": "da39a3ee5e6b4b0d3255bfef95601890afd80709"
        }}),
        "command" => json!({
            "cmd": ["initialise"], "rc": 0, "stdout": "skipped, since it exists", "stderr": "", "start": null,
            "end": null, "delta": null
        }),
        "service" => json!({"name": text("name"), "state": "started"}),
        _ => json!({
            "path": text("path"), "dest": text("dest"), "mode": "0640", "owner": "app", "group": "app", "uid": 33,
            "gid": 33, "size": 120, "state": "file"
        }),
    };
    value.as_object().cloned().unwrap_or_default()
}

/// Facts of a real machine: this one's.
fn facts() -> &'static Map {
    static FACTS: OnceLock<Map> = OnceLock::new();
    FACTS.get_or_init(|| {
        let gather = || {
            let setup = modules::find("setup")?;
            let host = modules::Host::new(std::env::temp_dir());
            let plan = (setup.plan)(&Map::new(), &host).ok()?;
            plan.result.get("ansible_facts").and_then(Value::as_object).cloned()
        };
        let mut facts = gather().unwrap_or_default();
        // What the play asks for.
        facts.insert("ansible_os_family".into(), "Debian".into());
        facts.insert("ansible_memtotal_mb".into(), 2048.into());
        facts.insert("ansible_processor_vcpus".into(), 2.into());
        facts
    })
}
