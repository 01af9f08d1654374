//! A plain command on a host, without the agent: for `raw`, for finding out whether a host is back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::error::{ConnectError, Lost};
use crate::link::{Command, ExitStatus, Link, Output};
use crate::prompt::Prompter;
use crate::target::{Connection, Target};

/// How long a connection that no session uses is kept for the next command.
const KEEP: Duration = Duration::from_secs(60);

/// How to run a command.
#[derive(Clone, Debug, Default)]
pub struct ExecOptions {
    /// What it reads; then its input ends.
    pub stdin: Vec<u8>,
    /// Give it a terminal (ssh only): both outputs come as one, with the terminal's line ends.
    pub tty: bool,
    /// Do not use a connection that exists: the host may have restarted.
    pub new_connection: bool,
    /// Give up (and end the command's input) after this long.
    pub timeout: Option<Duration>,
}

/// What a command said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecOutput {
    pub status: ExitStatus,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// Run `command` by the user's login shell (by `/bin/sh` where there is no login).
pub async fn exec(
    target: &Target,
    command: &str,
    options: ExecOptions,
    prompter: Arc<dyn Prompter>,
) -> Result<ExecOutput, ConnectError> {
    if options.new_connection && target.connection == Connection::Ssh {
        crate::ssh::forget(target, prompter.clone()).await;
    }
    let host = crate::host(target, prompter).await?;
    let command = Command { line: command.to_owned(), tty: options.tty };
    let link = host.start(&command).await?;
    let running = run(link, options.stdin.into());
    let result = match options.timeout {
        None => running.await,
        Some(time) => match tokio::time::timeout(time, running).await {
            Ok(result) => result,
            Err(_) => Err(ConnectError::Timeout { seconds: time.as_secs(), doing: "running a command" }),
        },
    };
    if result.is_ok() && target.connection == Connection::Ssh {
        tokio::spawn(async move {
            tokio::time::sleep(KEEP).await;
            drop(host);
        });
    }
    result
}

async fn run(link: Link, stdin: Bytes) -> Result<ExecOutput, ConnectError> {
    let Link { mut input, mut output } = link;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let feeding = tokio::spawn(async move {
        // A command need not read its input.
        if stdin.is_empty() || input.write(stdin).await.is_ok() {
            input.end().await;
        }
    });
    let ended = loop {
        match output.recv().await {
            Some(Output::Stdout(bytes)) => stdout.extend_from_slice(&bytes),
            Some(Output::Stderr(bytes)) => stderr.extend_from_slice(&bytes),
            Some(Output::Exit(status)) => break Ok(ExecOutput { status, stdout, stderr }),
            Some(Output::Broken(reason)) => break Err(Lost::Broken(reason).into()),
            None => break Err(Lost::Broken("the connection ended".into()).into()),
        }
    };
    feeding.abort();
    ended
}
