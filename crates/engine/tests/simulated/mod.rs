//! A simulated fleet: no hosts, but the messages that hosts would send, with their latency and their failures.
//!
//! Agents speak the real protocol over Unix sockets, frame by frame. What is not there: SSH (its packets, its
//! cryptography, its buffers), the start of the agent, and the work of modules, whose results are made up.
//! What the hosts do is known from their number, so that the recap of a run can be foretold.

// Each user takes a part of it.
#![allow(dead_code)]

pub mod playbook;
pub mod server;

use std::path::PathBuf;
use std::time::Duration;

use engine::event::HostStats;
use engine::link::{Channel, Connector, LinkError};
use futures::future::LocalBoxFuture;
use protocol::frame::{Decoder, encode};
use protocol::{FromAgent, Start, ToAgent};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::sync::mpsc;

use server::serve;

/// What is the matter with a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// As described already.
    Converged,
    /// Some of its files differ.
    Drifted,
    /// A task fails on it.
    Fails,
    /// Its connection is lost in the middle of the play.
    Lost,
    /// Nobody answers.
    Unreachable,
}

/// 2 % of the hosts each are unreachable, fail, or are lost; 8 % have drifted.
pub fn fate(host: usize) -> Fate {
    match host % 50 {
        7 => Fate::Unreachable,
        13 => Fate::Fails,
        29 => Fate::Lost,
        n if n % 10 == 3 => Fate::Drifted,
        _ => Fate::Converged,
    }
}

/// The name of a host; [`number`] is the way back.
pub fn name(host: usize) -> String {
    format!("sim{host:05}")
}

fn number(name: &str) -> usize {
    name.trim_start_matches("sim").parse().unwrap_or(0)
}

/// The recap's numbers of a host after the play of [`playbook`].
pub fn expected(host: usize) -> HostStats {
    let stats = HostStats::default();
    let all = playbook::TASKS as u32;
    match fate(host) {
        Fate::Converged => HostStats { ok: all, ..stats },
        // The handler is one more.
        Fate::Drifted => HostStats { ok: all + 1, changed: playbook::DRIFTING as u32 + 1, ..stats },
        Fate::Fails => HostStats { ok: playbook::FAILS_AT as u32, failed: 1, ..stats },
        Fate::Lost => HostStats { ok: playbook::LOST_AT as u32, unreachable: 1, ..stats },
        Fate::Unreachable => HostStats { unreachable: 1, ..stats },
    }
}

/// How the controller reaches the simulated hosts.
pub enum Simulation {
    /// In this process.
    Here { latency: Duration },
    /// In another process, through this socket.
    There { socket: PathBuf },
}

impl Connector for Simulation {
    fn connect(
        &self,
        target: transport::Target,
        start: Start,
        early: Vec<ToAgent>,
    ) -> LocalBoxFuture<'static, Result<Channel, LinkError>> {
        let name = target.name;
        let stream = match self {
            Self::Here { latency } => UnixStream::pair().map(|(ours, theirs)| {
                tokio::task::spawn_local(serve(theirs, *latency));
                Stream::Open(ours)
            }),
            Self::There { socket } => Ok(Stream::At(socket.clone())),
        };
        Box::pin(async move {
            let failed = |reason: &str| {
                LinkError(format!("Failed to connect to the host via ssh: connect to host {name}: {reason}"))
            };
            let stream = match stream {
                Ok(Stream::Open(stream)) => stream,
                Ok(Stream::At(socket)) => {
                    UnixStream::connect(socket).await.map_err(|e| failed(&e.to_string()))?
                }
                Err(error) => return Err(failed(&error.to_string())),
            };
            let mut first = encode(&name).map_err(|e| failed(&e.to_string()))?;
            for message in std::iter::once(ToAgent::Start(start)).chain(early) {
                first.extend(encode(&message).map_err(|e| failed(&e.to_string()))?);
            }
            open(stream, first).await.ok_or_else(|| failed("Connection refused"))
        })
    }

    fn exec(
        &self,
        _target: transport::Target,
        _command: String,
        _input: Vec<u8>,
    ) -> LocalBoxFuture<'static, Result<modules::ProcessOutput, LinkError>> {
        Box::pin(std::future::ready(Err(LinkError("simulated hosts have no shell".into()))))
    }
}

enum Stream {
    Open(UnixStream),
    At(PathBuf),
}

/// Say `first`, wait for the hello, and move messages from then on.
async fn open(stream: UnixStream, first: Vec<u8>) -> Option<Channel> {
    let (reader, mut writer) = stream.into_split();
    writer.write_all(&first).await.ok()?;
    let mut incoming = Incoming { reader, decoder: Decoder::default() };
    let hello = match incoming.next().await? {
        FromAgent::Hello(hello) => hello,
        _ => return None,
    };
    let (sender, mut outgoing) = mpsc::unbounded_channel::<ToAgent>();
    tokio::spawn(async move {
        while let Some(message) = outgoing.recv().await {
            let Ok(mut bytes) = encode(&message) else { return };
            while bytes.len() < 128 << 10
                && let Ok(message) = outgoing.try_recv()
            {
                let Ok(more) = encode(&message) else { return };
                bytes.extend(more);
            }
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        }
    });
    let (to_engine, receiver) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = incoming.next().await {
            if to_engine.send(Ok(message)).is_err() {
                return;
            }
        }
        let _ = to_engine.send(Err(LinkError("The connection was lost: the simulation ended it".into())));
    });
    Some(Channel { hello, sender, receiver, agent_uploaded: false })
}

/// Messages of an agent as they arrive.
struct Incoming<R> {
    reader: R,
    decoder: Decoder,
}

impl<R: tokio::io::AsyncRead + Unpin> Incoming<R> {
    /// The next message; `None` when there will be no more.
    async fn next(&mut self) -> Option<FromAgent> {
        let mut piece = [0; 16 << 10];
        loop {
            if let Some(message) = self.decoder.next_frame().ok()? {
                return Some(message);
            }
            match self.reader.read(&mut piece).await {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.decoder.feed(&piece[..length]),
            }
        }
    }
}
