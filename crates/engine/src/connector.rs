//! Connections to real hosts, by `transport`.

use std::sync::Arc;

use futures::future::LocalBoxFuture;
use protocol::{Start, ToAgent};
use tokio::sync::mpsc;
use transport::{AgentBinaries, ExecOptions, Prompter, Target};

use crate::link::{Channel, Connector, LinkError};

/// Reaches hosts over the network (or locally, in containers, in a chroot).
pub struct Transport {
    pub agents: Arc<AgentBinaries>,
    pub prompter: Arc<dyn Prompter>,
}

impl Connector for Transport {
    fn connect(
        &self,
        target: Target,
        start: Start,
        early: Vec<ToAgent>,
    ) -> LocalBoxFuture<'static, Result<Channel, LinkError>> {
        let (agents, prompter) = (self.agents.clone(), self.prompter.clone());
        Box::pin(async move {
            // On the runtime's own threads: key exchange is work that must not hold the dispatcher up.
            let connecting =
                tokio::spawn(
                    async move { transport::connect(&target, start, &agents, prompter, early).await },
                );
            let session = match connecting.await {
                Ok(Ok(session)) => session,
                Ok(Err(e)) => return Err(LinkError(e.to_string())),
                Err(e) => return Err(LinkError(format!("connecting was given up: {e}"))),
            };
            Ok(channel(session))
        })
    }

    fn exec(
        &self,
        target: Target,
        command: String,
        input: Vec<u8>,
    ) -> LocalBoxFuture<'static, Result<modules::ProcessOutput, LinkError>> {
        let prompter = self.prompter.clone();
        Box::pin(async move {
            let options = ExecOptions { stdin: input, ..ExecOptions::default() };
            let running =
                tokio::spawn(async move { transport::exec(&target, &command, options, prompter).await });
            let output = match running.await {
                Ok(output) => output.map_err(|e| LinkError(e.to_string()))?,
                Err(e) => return Err(LinkError(format!("the command was given up: {e}"))),
            };
            Ok(modules::ProcessOutput {
                rc: output.status.code(),
                stdout: output.stdout,
                stderr: output.stderr,
            })
        })
    }
}

/// A session as two channels, moved by tasks of their own.
fn channel(session: transport::Session) -> Channel {
    let hello = session.hello.clone();
    let agent_uploaded = session.uploaded;
    let (to, mut to_receiver) = mpsc::unbounded_channel::<ToAgent>();
    let (from_sender, from) = mpsc::unbounded_channel();
    let (sender, mut receiver, closer) = session.split();
    tokio::spawn(async move {
        while let Some(message) = to_receiver.recv().await {
            if sender.send(message).await.is_err() {
                break;
            }
        }
        drop(sender);
        closer.close().await;
    });
    tokio::spawn(async move {
        loop {
            let message = receiver.recv().await;
            let ended = message.is_err();
            if from_sender
                .send(message.map_err(|e| LinkError(format!("The connection was lost: {e}"))))
                .is_err()
                || ended
            {
                return;
            }
        }
    });
    Channel { hello, sender: to, receiver: from, agent_uploaded }
}
