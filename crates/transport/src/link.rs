//! A running process on a host: bytes in, bytes out, and how it ended. Every way to reach a host makes
//! these, and nothing above knows which way it was.

use std::fmt;
use std::io;
use std::process::Stdio;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command as Process};
use tokio::sync::mpsc;

use crate::error::ConnectError;
use crate::prompt::BoxFuture;

/// Pieces of output that may wait before the host is held back.
const OUTPUT_QUEUE: usize = 32;
/// Bytes read from a process at once.
const READ_SIZE: usize = 64 << 10;

/// What to run on a host.
#[derive(Clone, Debug)]
pub struct Command {
    /// A command line for the user's shell.
    pub line: String,
    /// Give it a terminal (ssh only).
    pub tty: bool,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    Code(i32),
    /// Name of the signal without `SIG`.
    Signal(String),
    /// The connection ended before it said.
    Unknown,
}

impl ExitStatus {
    /// The exit code as a shell shows it: 128 and the number for the usual signals, -1 when not known.
    pub fn code(&self) -> i32 {
        match self {
            Self::Code(code) => *code,
            Self::Signal(name) => {
                let number = format!("SIG{name}").parse::<nix::sys::signal::Signal>();
                number.map_or(255, |n| 128 + n as i32)
            }
            Self::Unknown => -1,
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(name) => write!(f, "killed by SIG{name}"),
            Self::Unknown => f.write_str("no exit code"),
        }
    }
}

impl From<std::process::ExitStatus> for ExitStatus {
    fn from(status: std::process::ExitStatus) -> Self {
        use std::os::unix::process::ExitStatusExt;
        if let Some(code) = status.code() {
            return Self::Code(code);
        }
        let signal = status.signal().and_then(|s| nix::sys::signal::Signal::try_from(s).ok());
        signal.map_or(Self::Unknown, |s| Self::Signal(s.as_str().trim_start_matches("SIG").into()))
    }
}

/// What a process says, in the order it arrives. The channel closes after `Exit` or `Broken`.
#[derive(Debug)]
pub enum Output {
    Stdout(Bytes),
    Stderr(Bytes),
    Exit(ExitStatus),
    /// The connection broke, with the reason.
    Broken(String),
}

/// The writing end of a process's standard input.
pub enum Input {
    Process(ChildStdin),
    Ssh(crate::ssh::ChannelInput),
}

impl Input {
    /// Write all of `bytes`, waiting while the host is slow.
    pub async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        match self {
            Self::Process(stdin) => {
                stdin.write_all(&bytes).await?;
                stdin.flush().await
            }
            Self::Ssh(channel) => channel.write(bytes).await,
        }
    }

    /// Tell the process that there is no more.
    pub async fn end(self) {
        match self {
            Self::Process(stdin) => drop(stdin),
            Self::Ssh(channel) => channel.end().await,
        }
    }
}

/// A running process. Dropping it closes its input; a local process is killed then.
pub struct Link {
    pub input: Input,
    pub output: mpsc::Receiver<Output>,
}

/// A way to reach a host: it starts processes there.
pub trait Host: Send + Sync {
    /// Start `command` without waiting for anything it does.
    fn start<'a>(&'a self, command: &'a Command) -> BoxFuture<'a, Result<Link, ConnectError>>;
}

impl Link {
    /// Start a process on the controller and link to it.
    pub(crate) fn spawn(mut process: Process) -> io::Result<Self> {
        let mut child = process
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let missing = || io::Error::other("no pipe to the process");
        let stdin = child.stdin.take().ok_or_else(missing)?;
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let (sender, output) = mpsc::channel(OUTPUT_QUEUE);
        tokio::spawn(watch(child, stdout, stderr, sender));
        Ok(Self { input: Input::Process(stdin), output })
    }
}

/// Forward both outputs, then the exit status; gives up (and kills the process) when nobody listens.
async fn watch(
    mut child: Child,
    stdout: impl AsyncRead + Unpin,
    stderr: impl AsyncRead + Unpin,
    sender: mpsc::Sender<Output>,
) {
    let forward = async {
        tokio::join!(pump(stdout, &sender, Output::Stdout), pump(stderr, &sender, Output::Stderr));
        match child.wait().await {
            Ok(status) => Output::Exit(status.into()),
            Err(error) => Output::Broken(error.to_string()),
        }
    };
    let last = tokio::select! {
        last = forward => last,
        () = sender.closed() => return,
    };
    let _ = sender.send(last).await;
}

async fn pump(mut from: impl AsyncRead + Unpin, to: &mpsc::Sender<Output>, wrap: fn(Bytes) -> Output) {
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(READ_SIZE);
        match from.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {
                if to.send(wrap(buffer.split().freeze())).await.is_err() {
                    return;
                }
            }
        }
    }
}
