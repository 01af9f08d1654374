//! The lookup `pipe`: what a command of the controller prints.

use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use lang::{Error, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// How long after Ctrl-C a process may still be there.
const PATIENCE: Duration = Duration::from_millis(100);

/// Run a command; when `interrupted` becomes true, end it and everything it has started.
pub fn run(command: &str, interrupted: &AtomicBool) -> Result<String> {
    let failed = |what: &str| Error::new(format!("lookup_plugin.pipe({command}) {what}"));
    if interrupted.load(Ordering::Relaxed) {
        return Err(failed("was interrupted"));
    }
    // The lookup is documented to hand its text to the shell; it comes from the playbook's author.
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| failed(&format!("could not be started: {e}")))?;
    let Some(mut stdout) = child.stdout.take() else { return Err(failed("has no output")) };
    let (sender, output) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.read_to_end(&mut bytes);
        let _ = sender.send(read.map(|_| bytes));
    });
    let bytes = loop {
        match output.recv_timeout(PATIENCE) {
            Ok(read) => break read.map_err(|e| failed(&format!("could not be read: {e}")))?,
            Err(RecvTimeoutError::Disconnected) => return Err(failed("could not be read")),
            Err(RecvTimeoutError::Timeout) if interrupted.load(Ordering::Relaxed) => {
                end_all(child.id());
                let _ = child.wait();
                return Err(failed("was interrupted"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    };
    let status = child.wait().map_err(|e| failed(&format!("was lost: {e}")))?;
    if !status.success() {
        return Err(failed(&format!("returned {}", status.code().unwrap_or(-1))));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Ask a process and its descendants to end, the youngest first.
fn end_all(process: u32) {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    for child in children.unwrap_or_default().split_whitespace().filter_map(|id| id.parse().ok()) {
        end_all(child);
    }
    if let Ok(id) = i32::try_from(process) {
        let _ = kill(Pid::from_raw(id), Signal::SIGTERM);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn output_and_exit_codes() {
        let never = AtomicBool::new(false);
        assert_eq!(run("printf 'a\\n'; cat", &never).expect("runs"), "a\n");
        assert!(run("exit 3", &never).expect_err("fails").to_string().ends_with("returned 3"));
    }

    #[test]
    fn an_interrupt_ends_what_the_shell_has_started() {
        let interrupted = std::sync::Arc::new(AtomicBool::new(false));
        let flag = interrupted.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(200));
            flag.store(true, Ordering::Relaxed);
        });
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("pid");
        let start = Instant::now();
        let command = format!("sleep 60 & echo $! > '{}'; wait", file.display());
        assert!(run(&command, &interrupted).is_err());
        assert!(start.elapsed() < Duration::from_secs(20));
        let child: i32 = std::fs::read_to_string(file).expect("a file").trim().parse().expect("a number");
        let gone = || {
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            stat.is_empty() || stat.contains(") Z ")
        };
        while !gone() && start.elapsed() < Duration::from_secs(20) {
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(gone());
    }
}
