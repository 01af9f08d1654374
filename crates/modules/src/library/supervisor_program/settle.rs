//! Bringing the processes into the wanted state, and waiting until they are in it.

use std::thread;
use std::time::{Duration, Instant};

use crate::system::supervisor::Program;
use crate::{Host, ModuleError, Result, fail};

use super::{Change, of};

impl Change {
    /// `fresh`: `update` has started the program just now.
    pub fn bring_to_state(&self, host: &Host, fresh: bool) -> Result<()> {
        let now = of(&self.args.name, &self.client.status(host)?);
        match self.args.state.as_str() {
            "stopped" => {
                for program in now.iter().filter(|p| is_up(p)) {
                    self.client.check(host, &["stop", &program.name])?;
                }
            }
            "restarted" if !fresh => {
                for program in &now {
                    self.stop_and_start(host, program)?;
                }
                self.settle(host)?;
            }
            "started" | "restarted" => {
                for program in &now {
                    match program.state.as_str() {
                        "RUNNING" | "STARTING" => {}
                        // Just started, and between two tries: it has its chance.
                        "BACKOFF" if fresh => {}
                        _ => self.stop_and_start(host, program)?,
                    }
                }
                self.settle(host)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn stop_and_start(&self, host: &Host, program: &Program) -> Result<()> {
        if is_up(program) {
            self.client.check(host, &["stop", &program.name])?;
        }
        let (output, _) = self.client.run(host, &["start", &program.name])?;
        let said = output.out();
        if output.success() && said.contains(": started") {
            return Ok(());
        }
        Err(self.failed(host, &program.name, said.trim()))
    }

    /// Wait until every process runs; what has given up is an error.
    fn settle(&self, host: &Host) -> Result<()> {
        let (seconds, tries) =
            (self.args.startsecs.unwrap_or(1).max(0), self.args.startretries.unwrap_or(3).max(0));
        // supervisor waits one second longer after each try.
        let most = (seconds + 1) * (tries + 1) + tries * (tries + 1) / 2 + 5;
        let until = Instant::now() + Duration::from_secs(most.unsigned_abs());
        loop {
            let now = of(&self.args.name, &self.client.status(host)?);
            if let Some(program) =
                now.iter().find(|p| matches!(p.state.as_str(), "FATAL" | "EXITED" | "UNKNOWN"))
            {
                return Err(self.failed(host, &program.name, &self.words_of(host, &program.name)));
            }
            let waiting = now.iter().find(|p| p.state != "RUNNING");
            match waiting {
                None if now.is_empty() => return Err(fail!("supervisor does not know {}", self.args.name)),
                None => return Ok(()),
                Some(program) if Instant::now() >= until => {
                    return Err(self.failed(host, &program.name, &self.words_of(host, &program.name)));
                }
                Some(_) => thread::sleep(Duration::from_millis(200)),
            }
        }
    }

    /// What `status` says about one process.
    fn words_of(&self, host: &Host, name: &str) -> String {
        let said = self.client.run(host, &["status", name]).map(|(output, _)| output.out());
        said.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// supervisor's words and the last lines of the program's logs.
    fn failed(&self, host: &Host, name: &str, said: &str) -> ModuleError {
        let tail = |channel: &str| {
            let output =
                self.client.run(host, &["tail", "-2000", name, channel]).map(|(output, _)| output.out());
            output.ok().filter(|text| !text.contains(": ERROR (no log file)")).unwrap_or_default()
        };
        let error = fail!("{name} did not start: {said}");
        error.with("stdout", tail("stdout")).with("stderr", tail("stderr"))
    }
}

/// Something of it is there that has to be stopped first.
fn is_up(program: &Program) -> bool {
    matches!(program.state.as_str(), "RUNNING" | "STARTING" | "BACKOFF" | "STOPPING")
}
