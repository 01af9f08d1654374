//! A process on the host behind an ssh channel.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use russh::client::Msg;
use russh::{ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::sync::mpsc;

use super::connection::SshConnection;
use crate::error::{ConnectError, SshError};
use crate::link::{Command, ExitStatus, Host, Input, Link, Output};
use crate::prompt::BoxFuture;

/// Pieces of output that may wait before the server is held back.
const OUTPUT_QUEUE: usize = 32;

/// A host reached by ssh.
pub struct SshHost(pub Arc<SshConnection>);

/// The writing half of a channel.
pub struct ChannelInput {
    half: Arc<ChannelWriteHalf<Msg>>,
}

impl ChannelInput {
    pub(crate) async fn write(&mut self, bytes: Bytes) -> io::Result<()> {
        self.half.data_bytes(bytes).await.map_err(io::Error::other)
    }

    pub(crate) async fn end(self) {
        // The channel may be closed already: then there is nobody to tell.
        let _ = self.half.eof().await;
    }
}

impl Host for SshHost {
    fn start<'a>(&'a self, command: &'a Command) -> BoxFuture<'a, Result<Link, ConnectError>> {
        Box::pin(async move {
            let connection = &self.0;
            let refused = |error: russh::Error| SshError::Channel {
                host: connection.settings.host.clone(),
                reason: connection.findings.reason().unwrap_or_else(|| error.to_string()),
            };
            // Nothing waits for an answer: the server takes these in order.
            let mut requests = Vec::new();
            if connection.settings.forward_agent.is_some() {
                requests.push(ChannelMsg::AgentForward { want_reply: false });
            }
            requests.extend(connection.environment.iter().map(|(name, value)| ChannelMsg::SetEnv {
                want_reply: false,
                variable_name: name.clone(),
                variable_value: value.clone(),
            }));
            if command.tty {
                requests.push(ChannelMsg::RequestPty {
                    want_reply: false,
                    term: "dumb".into(),
                    col_width: 80,
                    row_height: 24,
                    pix_width: 0,
                    pix_height: 0,
                    terminal_modes: Vec::new(),
                });
            }
            requests.push(ChannelMsg::Exec { want_reply: true, command: command.line.clone().into_bytes() });
            let opened = connection.handle.channel_open_session_with(requests).await;
            let (read, write) = opened.map_err(refused)?.split();
            let (sender, output) = mpsc::channel(OUTPUT_QUEUE);
            let half = Arc::new(write);
            tokio::spawn(forward(read, half.clone(), sender, connection.clone()));
            Ok(Link { input: Input::Ssh(ChannelInput { half }), output })
        })
    }
}

/// Pass on what the server sends; closes the channel when nobody listens any more.
async fn forward(
    mut read: ChannelReadHalf,
    half: Arc<ChannelWriteHalf<Msg>>,
    sender: mpsc::Sender<Output>,
    connection: Arc<SshConnection>,
) {
    let mut status = None;
    let listening = async {
        loop {
            let output = match read.wait().await {
                Some(ChannelMsg::Data { data }) => Output::Stdout(data),
                Some(ChannelMsg::ExtendedData { data, .. }) => Output::Stderr(data),
                Some(ChannelMsg::ExitStatus { exit_status }) => {
                    status = Some(ExitStatus::Code(exit_status as i32));
                    continue;
                }
                Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                    status = Some(ExitStatus::Signal(signal(&signal_name)));
                    continue;
                }
                Some(ChannelMsg::Failure) => {
                    break Output::Broken("the host refused to run a command".into());
                }
                Some(ChannelMsg::Close) | None => {
                    break match status.take() {
                        Some(status) => Output::Exit(status),
                        None if connection.handle.is_closed() => Output::Broken(connection.ended().await),
                        None => Output::Exit(ExitStatus::Unknown),
                    };
                }
                Some(_) => continue,
            };
            if sender.send(output).await.is_err() {
                return None;
            }
        }
        .into()
    };
    let last: Option<Output> = tokio::select! {
        last = listening => last,
        () = sender.closed() => None,
    };
    if let Some(last) = last {
        let _ = sender.send(last).await;
    }
    let _ = half.close().await;
}

fn signal(name: &russh::Sig) -> String {
    match name {
        russh::Sig::Custom(name) => name.clone(),
        other => format!("{other:?}"),
    }
}
