//! Bringing the agent up on a host.
//!
//! One command looks for a cached agent and becomes it. When there is none, it says for which machine it
//! wants one, and where it would put it; the agent is sent once, checked, tried, moved to its name, and
//! started by that same command. So a host that knows the agent costs no round trip of its own, one that
//! does not costs one more. Directories that do not do (not executable, full, read-only, somebody else's)
//! are named with their reasons; the next is taken.
//!
//! Whatever a login shell prints before is passed over: our lines carry a mark.

mod lines;
mod script;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::Start;

use crate::agents::{AgentBinaries, AgentBinary};
use crate::error::{ConnectError, Place};
use crate::link::{Command, Host, Link};
use crate::target::Target;
use lines::{Line, Lines};

/// No sign of life for this long while the agent is brought up: give up.
const SILENCE: Duration = Duration::from_secs(60);
/// Bytes of the agent written at once, between looks at what the host says.
const PIECE: usize = 256 << 10;
/// Starts of the command, each with one more directory known to be bad, before giving up.
const ATTEMPTS: usize = 8;

/// A started agent: everything it says comes from `lines`, which holds what was read too far.
pub struct Up {
    pub link: Link,
    /// The beginning of the agent's output.
    pub rest: Bytes,
    /// It was there already.
    pub cached: bool,
}

/// Start the agent. `fresh`: put it there anew even if there is one.
pub async fn bring_up(
    host: &dyn Host,
    target: &Target,
    start: &Start,
    agents: &AgentBinaries,
    fresh: bool,
) -> Result<Up, ConnectError> {
    let mut directories = target.agent_dirs.clone();
    directories.retain(|d| !d.is_empty());
    let mut tried: Vec<Place> = Vec::new();
    let mut skip: Vec<String> = Vec::new();
    for _ in 0..ATTEMPTS {
        let mark = mark();
        let line = script::command(&script::Parameters {
            agents,
            start,
            mark: &mark,
            directories: &directories,
            skip: &skip,
            fresh,
        })?;
        let link = host.start(&Command { line, tty: false }).await?;
        let mut lines = Lines::new(link, mark);
        match converse(&mut lines, agents, &mut tried).await? {
            Ended::Running { cached } => {
                let (link, rest) = lines.into_parts();
                return Ok(Up { link, rest, cached });
            }
            Ended::Bad(place) => {
                skip.push(place.directory.clone());
                tried.push(place);
            }
            Ended::Nowhere => return Err(ConnectError::Place(tried)),
        }
    }
    Err(ConnectError::Place(tried))
}

enum Ended {
    Running {
        cached: bool,
    },
    /// A directory failed after the agent was sent there.
    Bad(Place),
    Nowhere,
}

async fn converse(
    lines: &mut Lines,
    agents: &AgentBinaries,
    tried: &mut Vec<Place>,
) -> Result<Ended, ConnectError> {
    let mut wanted: Option<(Arc<AgentBinary>, bool)> = None;
    loop {
        let line = next(lines).await?;
        match line {
            Line::Run => return Ok(Ended::Running { cached: wanted.is_none() }),
            Line::Missing { machine, system, gzip } => {
                let found = agents.for_machine(&machine).filter(|_| system == "Linux");
                let Some(agent) = found else {
                    return Err(ConnectError::ForeignMachine { system, machine, have: agents.machines() });
                };
                wanted = Some((agent.clone(), gzip));
            }
            Line::No(place) => note(tried, place),
            Line::Send => {
                let Some((agent, gzip)) = &wanted else {
                    return Err(ConnectError::NoAgent {
                        reason: "it wants an agent for an unknown machine".into(),
                    });
                };
                upload(lines, agent, *gzip).await?;
            }
            Line::Bad(place) => return Ok(Ended::Bad(place)),
            Line::Nowhere => return Ok(Ended::Nowhere),
        }
    }
}

/// The same directory is met again at each start.
fn note(tried: &mut Vec<Place>, place: Place) {
    if !tried.iter().any(|known| known.directory == place.directory) {
        tried.push(place);
    }
}

async fn next(lines: &mut Lines) -> Result<Line, ConnectError> {
    match tokio::time::timeout(SILENCE, lines.next()).await {
        Ok(line) => line,
        Err(_) => Err(ConnectError::Timeout { seconds: SILENCE.as_secs(), doing: "starting the agent" }),
    }
}

/// Send the agent. Stops early when the host has something to say: then it does not want the rest.
async fn upload(lines: &mut Lines, agent: &AgentBinary, gzip: bool) -> Result<(), ConnectError> {
    let packed = if gzip { agent.packed() } else { Bytes::new() };
    let (form, content) = if packed.is_empty() { ("plain", agent.content()) } else { ("gzip", packed) };
    let head = Bytes::from(format!("{} {form}\n", content.len()));
    let mut pieces = vec![head];
    pieces
        .extend((0..content.len()).step_by(PIECE).map(|at| content.slice(at..content.len().min(at + PIECE))));
    for piece in pieces {
        let done = tokio::time::timeout(SILENCE, lines.write(piece)).await;
        match done {
            Ok(true) => {}
            // Its last words say why.
            Ok(false) => return Ok(()),
            Err(_) => {
                return Err(ConnectError::Timeout { seconds: SILENCE.as_secs(), doing: "sending the agent" });
            }
        }
    }
    Ok(())
}

/// Something that no login message contains.
fn mark() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("provision-{:016x}", RandomState::new().hash_one(0))
}
