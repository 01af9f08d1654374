//! A running agent: messages to it, messages from it, and how it ended.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use protocol::frame::{self, Decoder, FrameError};
use protocol::{AgentHello, FromAgent, ToAgent};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::error::{ConnectError, Lost};
use crate::link::{ExitStatus, Host, Input, Link, Output};

/// Messages to the agent that may wait.
const TO_AGENT: usize = 256;
/// Messages from the agent that may wait before the host is held back.
const FROM_AGENT: usize = 256;
/// Messages are written together up to this many bytes.
const WRITE_TOGETHER: usize = 128 << 10;
/// What is kept of the agent's standard error.
const STDERR: usize = 4000;
/// Time for the agent to leave after its input has ended.
const LEAVE: Duration = Duration::from_secs(5);

/// Why a message could not be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("the agent is gone")]
    Gone,
    #[error("the message is too long: {0}")]
    Frame(String),
}

/// Sends messages to an agent; cheap to clone.
#[derive(Clone)]
pub struct SessionSender {
    queue: mpsc::Sender<Bytes>,
}

impl SessionSender {
    /// Send a message. Waits while the host is slow to take what was sent before.
    pub async fn send(&self, message: ToAgent) -> Result<(), SendError> {
        let bytes = encode(&message)?;
        self.queue.send(bytes).await.map_err(|_| SendError::Gone)
    }
}

fn encode(message: &ToAgent) -> Result<Bytes, SendError> {
    frame::encode(message).map(Bytes::from).map_err(|e: FrameError| SendError::Frame(e.to_string()))
}

/// Receives an agent's messages.
pub struct SessionReceiver {
    queue: mpsc::Receiver<Result<FromAgent, Lost>>,
    lost: Option<Lost>,
}

impl SessionReceiver {
    /// The next message, or why there will be none. May be dropped and called again without loss.
    pub async fn recv(&mut self) -> Result<FromAgent, Lost> {
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        let received = self.queue.recv().await;
        let received = received.unwrap_or_else(|| Err(Lost::Broken("the session was closed".into())));
        if let Err(lost) = &received {
            self.lost = Some(lost.clone());
        }
        received
    }
}

/// A running agent on a host. Dropping everything of it ends the agent after the step in hand.
pub struct Session {
    /// Its answer to `Start`.
    pub hello: AgentHello,
    /// The host did not have the agent: it was sent there.
    pub uploaded: bool,
    sender: SessionSender,
    receiver: SessionReceiver,
    closer: SessionCloser,
}

/// Ends a session whose halves are elsewhere.
pub struct SessionCloser {
    end_input: Arc<Notify>,
    ended: oneshot::Receiver<()>,
    reader: JoinHandle<()>,
    /// Keeps the connection below open.
    _host: Arc<dyn Host>,
}

impl SessionCloser {
    /// End the agent's input and wait for it to leave, a few seconds at most.
    pub async fn close(mut self) {
        self.end_input.notify_one();
        let _ = tokio::time::timeout(LEAVE, &mut self.ended).await;
        self.reader.abort();
    }
}

impl Session {
    /// Take over a started agent: send it `first`, wait for its hello. `rest` is what it said already.
    pub(crate) async fn begin(
        host: Arc<dyn Host>,
        link: Link,
        rest: Bytes,
        first: Vec<ToAgent>,
        patience: Duration,
    ) -> Result<Self, ConnectError> {
        let Link { input, mut output } = link;
        let mut beginning = BytesMut::new();
        for message in &first {
            let bytes = encode(message).map_err(|e| ConnectError::NoAgent { reason: e.to_string() })?;
            beginning.extend_from_slice(&bytes);
        }
        let (to_agent, queue) = mpsc::channel(TO_AGENT);
        let end_input = Arc::new(Notify::new());
        let writer = tokio::spawn(write(input, beginning.freeze(), queue, end_input.clone()));
        let mut reading = Reading { decoder: Decoder::default(), stderr: Vec::new() };
        reading.decoder.feed(&rest);
        let hello = tokio::time::timeout(patience, reading.hello(&mut output)).await;
        let (hello, early) = match hello {
            Ok(Ok(greeted)) => greeted,
            Ok(Err(error)) => {
                writer.abort();
                return Err(error);
            }
            Err(_) => {
                writer.abort();
                return Err(ConnectError::Timeout {
                    seconds: patience.as_secs(),
                    doing: "for the agent to say hello",
                });
            }
        };
        let (sender, queue) = mpsc::channel(FROM_AGENT);
        let (ended_sender, ended) = oneshot::channel();
        let reader = tokio::spawn(async move {
            reading.run(output, early, sender).await;
            writer.abort();
            let _ = ended_sender.send(());
        });
        Ok(Self {
            hello,
            uploaded: false,
            sender: SessionSender { queue: to_agent },
            receiver: SessionReceiver { queue, lost: None },
            closer: SessionCloser { end_input, ended, reader, _host: host },
        })
    }

    /// A sender; there may be many.
    pub fn sender(&self) -> SessionSender {
        self.sender.clone()
    }

    /// The next message, or why there will be none.
    pub async fn recv(&mut self) -> Result<FromAgent, Lost> {
        self.receiver.recv().await
    }

    /// Both directions apart, and the means to end it. The closer has to be kept as long as the session.
    pub fn split(self) -> (SessionSender, SessionReceiver, SessionCloser) {
        (self.sender, self.receiver, self.closer)
    }

    /// End the agent and wait for it to leave, a few seconds at most.
    pub async fn close(self) {
        let Self { sender, receiver, closer, .. } = self;
        drop(sender);
        // What the agent still says goes nowhere, but must not hold it back.
        let drain = async {
            let mut receiver = receiver;
            while receiver.recv().await.is_ok() {}
        };
        tokio::select! {
            () = closer.close() => {}
            () = async { drain.await; std::future::pending().await } => {}
        }
    }
}

/// Write what is queued, many messages at once, until there will be no more.
async fn write(mut input: Input, first: Bytes, mut queue: mpsc::Receiver<Bytes>, end: Arc<Notify>) {
    if !first.is_empty() && input.write(first).await.is_err() {
        return;
    }
    loop {
        let message = tokio::select! {
            message = queue.recv() => message,
            () = end.notified() => None,
        };
        let Some(message) = message else { break };
        let mut together = message;
        if let Ok(next) = queue.try_recv() {
            let mut buffer = BytesMut::from(together);
            buffer.extend_from_slice(&next);
            while buffer.len() < WRITE_TOGETHER {
                match queue.try_recv() {
                    Ok(next) => buffer.extend_from_slice(&next),
                    Err(_) => break,
                }
            }
            together = buffer.freeze();
        }
        if input.write(together).await.is_err() {
            // The reading side says why.
            return;
        }
    }
    input.end().await;
}

struct Reading {
    decoder: Decoder,
    stderr: Vec<u8>,
}

impl Reading {
    /// Wait for the hello; what else was said before it is given back.
    async fn hello(
        &mut self,
        output: &mut mpsc::Receiver<Output>,
    ) -> Result<(AgentHello, Vec<FromAgent>), ConnectError> {
        let mut early = Vec::new();
        loop {
            match self.message(output).await? {
                FromAgent::Hello(hello) if hello.version == protocol::VERSION => return Ok((hello, early)),
                FromAgent::Hello(hello) => {
                    return Err(ConnectError::Version { ours: protocol::VERSION, theirs: hello.version });
                }
                other => early.push(other),
            }
        }
    }

    async fn run(
        mut self,
        mut output: mpsc::Receiver<Output>,
        early: Vec<FromAgent>,
        sender: mpsc::Sender<Result<FromAgent, Lost>>,
    ) {
        for message in early {
            if sender.send(Ok(message)).await.is_err() {
                return;
            }
        }
        loop {
            let message = self.message(&mut output).await;
            let last = message.is_err();
            if sender.send(message).await.is_err() || last {
                return;
            }
        }
    }

    async fn message(&mut self, output: &mut mpsc::Receiver<Output>) -> Result<FromAgent, Lost> {
        loop {
            match self.decoder.next_frame() {
                Ok(Some(message)) => return Ok(message),
                Ok(None) => {}
                Err(error) => return Err(Lost::Malformed(error.to_string())),
            }
            match output.recv().await {
                Some(Output::Stdout(bytes)) => self.decoder.feed(&bytes),
                Some(Output::Stderr(bytes)) => {
                    tracing::debug!(text = %String::from_utf8_lossy(&bytes), "agent's standard error");
                    self.stderr.extend_from_slice(&bytes);
                    let over = self.stderr.len().saturating_sub(STDERR);
                    self.stderr.drain(..over);
                }
                Some(Output::Exit(status)) => return Err(self.ended(status)),
                Some(Output::Broken(reason)) => return Err(Lost::Broken(reason)),
                None => return Err(self.ended(ExitStatus::Unknown)),
            }
        }
    }

    fn ended(&self, status: ExitStatus) -> Lost {
        let stderr = String::from_utf8_lossy(&self.stderr).trim().to_owned();
        Lost::Ended { status, stderr }
    }
}
