//! Reaching hosts: one trait, four ways (ssh, docker, local, chroot), and bringing the agent up.
//!
//! [`connect`] gives a [`Session`] with a running agent; [`exec`] runs a plain command without one. Both
//! share one ssh connection per host and user. Nothing here knows of tasks.
//!
//! What decides is the number of round trips that wait for each other. The agent's first message travels in
//! the command that starts it, the first steps follow as soon as the host takes input, and nothing is asked
//! that is sure to be granted.

mod agents;
mod bootstrap;
mod chroot;
mod clock;
mod docker;
mod error;
mod exec;
mod link;
mod local;
mod prompt;
mod session;
mod ssh;
mod target;

use std::sync::Arc;
use std::time::Duration;

pub use agents::{AgentBinaries, AgentBinary, PackedAgent};
pub use error::{ConfigError, ConnectError, Lost, Place, SshError};
pub use exec::{ExecOptions, ExecOutput, exec};
pub use link::ExitStatus;
pub use prompt::{BoxFuture, NoPrompter, Prompter, Question, UnknownHostKey};
use protocol::{Start, ToAgent};
pub use session::{SendError, Session, SessionCloser, SessionReceiver, SessionSender};
pub use target::{Connection, Target};

use link::{Host, Link};

/// Time for an agent to answer `Start`, besides what gathering facts may take.
const HELLO: Duration = Duration::from_secs(60);

/// Reach `target`, start the agent there (placing it first if need be) and say hello. `early` are messages
/// sent right behind `start`, without waiting for the hello.
pub async fn connect(
    target: &Target,
    start: Start,
    agents: &AgentBinaries,
    prompter: Arc<dyn Prompter>,
    early: Vec<ToAgent>,
) -> Result<Session, ConnectError> {
    let host = host(target, prompter).await?;
    let facts = start.facts.as_ref().and_then(|f| f.timeout).unwrap_or(0);
    let patience = HELLO + Duration::from_secs(facts);
    if let (Connection::Local, Some(command)) = (target.connection, agents.local.as_ref()) {
        let link = start_local(command)?;
        let first = [ToAgent::Start(start)].into_iter().chain(early).collect();
        return Session::begin(host, link, bytes::Bytes::new(), first, patience).await;
    }
    let up = bootstrap::bring_up(&*host, target, &start, agents, false).await?;
    let cached = up.cached;
    let began = Session::begin(host.clone(), up.link, up.rest, early.clone(), patience).await;
    match began {
        // A cached agent that does not run, or says what no agent says, is damaged: place it anew, once.
        Err(
            error @ (ConnectError::Lost(Lost::Ended { .. } | Lost::Malformed(_))
            | ConnectError::Version { .. }),
        ) if cached => {
            tracing::warn!(host = target.name, %error, "the cached agent does not work, placing it anew");
            let up = bootstrap::bring_up(&*host, target, &start, agents, true).await?;
            let mut session = Session::begin(host, up.link, up.rest, early, patience).await?;
            session.uploaded = true;
            Ok(session)
        }
        Ok(mut session) => {
            session.uploaded = !cached;
            Ok(session)
        }
        Err(error) => Err(error),
    }
}

fn start_local(command: &[std::ffi::OsString]) -> Result<Link, ConnectError> {
    let Some((program, arguments)) = command.split_first() else {
        return Err(ConnectError::NoAgent { reason: "the command of the local agent is empty".into() });
    };
    let mut process = tokio::process::Command::new(program);
    process.args(arguments);
    local::spawn(process, &program.to_string_lossy())
}

/// The way to a host.
async fn host(target: &Target, prompter: Arc<dyn Prompter>) -> Result<Arc<dyn Host>, ConnectError> {
    match target.connection {
        Connection::Ssh => Ok(Arc::new(ssh::host(target, prompter).await?)),
        Connection::Local => Ok(Arc::new(local::Local)),
        Connection::Docker => docker::Docker::host(target),
        Connection::Chroot => chroot::Chroot::host(target),
    }
}
