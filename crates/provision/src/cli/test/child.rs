//! Processes of the test: started in a group of their own, so that Ctrl-C reaches the test alone and the test
//! decides what each of them is told, and in which order.

use std::io::Write;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use super::Failure;
use super::checkout::Checkout;
use super::signals::Signals;

/// How long a process may take to stop by itself: alone, and then with all that it has started.
const ALONE: Duration = Duration::from_secs(10);
const TOGETHER: Duration = Duration::from_secs(10);

/// Why the test ends early.
#[derive(Debug)]
pub enum Stop {
    Failed(Failure),
    Signal(i32),
}

impl Stop {
    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed(Failure::new(message))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// This executable, in the checkout. The user's own settings are for the user's hosts, not for these.
pub fn provision(checkout: &Checkout) -> Result<Command, Stop> {
    let program =
        std::env::current_exe().map_err(|e| Stop::failed(format!("this executable cannot be found: {e}")))?;
    let mut command = Command::new(program);
    command.current_dir(checkout.top());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ANSIBLE_") {
            command.env_remove(name);
        }
    }
    command.env("ANSIBLE_CONFIG", "/dev/null");
    if std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        command.env("ANSIBLE_FORCE_COLOR", "true");
    }
    Ok(command)
}

/// Run a command; its status and standard output, which is shown as it comes.
pub async fn shown(command: &mut Command, signals: &mut Signals) -> Result<(ExitStatus, String), Stop> {
    run(command, signals, true).await
}

/// Run a command; its status and standard output.
pub async fn quiet(command: &mut Command, signals: &mut Signals) -> Result<(ExitStatus, String), Stop> {
    run(command, signals, false).await
}

async fn run(command: &mut Command, signals: &mut Signals, show: bool) -> Result<(ExitStatus, String), Stop> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let cannot = |e: std::io::Error| Stop::failed(format!("could not run {name}: {e}"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(cannot)?;
    let done = tokio::select! {
        done = finish(&mut child, show) => Ok(done),
        signal = signals.next() => Err(signal),
    };
    match done {
        Ok(result) => result.map_err(cannot),
        Err(signal) => {
            stop(&mut child, show).await;
            Err(Stop::Signal(signal))
        }
    }
}

/// Read standard output to its end, then the status. Lines are passed on whole: what follows a run must not end
/// up in the middle of one.
async fn finish(child: &mut Child, show: bool) -> std::io::Result<(ExitStatus, String)> {
    let mut output = Vec::new();
    if let Some(pipe) = child.stdout.as_mut() {
        if show {
            let mut lines = BufReader::new(pipe);
            loop {
                let start = output.len();
                if lines.read_until(b'\n', &mut output).await? == 0 {
                    break;
                }
                let mut stdout = std::io::stdout().lock();
                stdout.write_all(&output[start..])?;
                stdout.flush()?;
            }
        } else {
            pipe.read_to_end(&mut output).await?;
        }
    }
    let status = child.wait().await?;
    Ok((status, String::from_utf8_lossy(&output).into_owned()))
}

/// Ask the process to stop, then its whole group, then leave it no choice. A script that is asked alone finishes
/// the command in hand and cleans up after itself.
async fn stop(child: &mut Child, show: bool) {
    let Some(pid) = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw) else {
        return;
    };
    let _ = kill(pid, Signal::SIGTERM);
    if tokio::time::timeout(ALONE, finish(child, show)).await.is_ok() {
        return;
    }
    let _ = killpg(pid, Signal::SIGTERM);
    if tokio::time::timeout(TOGETHER, finish(child, show)).await.is_ok() {
        return;
    }
    let _ = killpg(pid, Signal::SIGKILL);
    let _ = child.wait().await;
}
