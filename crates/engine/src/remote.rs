//! Actions on a host that take more than one step: raw, wait_for_connection, reboot; and background jobs.

use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lang::playbook::Task;
use lang::{Map, Value};
use protocol::{Become, Diff};
use tokio::time::{sleep, timeout};

use crate::action::{Reboot, Remote, StepPlan, WaitForConnection};
use crate::evaluate::Place;
use crate::event::{Event, Status, TaskInfo};
use crate::execute::ItemDone;
use crate::host::HostRun;
use crate::map;
use crate::play::PlayRun;
use crate::results::{ResultMap, lines_of};
use crate::settings::Settings;

impl PlayRun {
    pub async fn run_remote(
        self: &Rc<Self>,
        host: &Rc<HostRun>,
        task: &Arc<Task>,
        remote: &Remote,
        settings: &Settings,
        place: &Place,
    ) -> (Map, Vec<Diff>) {
        host.ahead.borrow_mut().discard();
        let result = match remote {
            Remote::Raw { command, executable } => {
                self.raw(task, command, executable.as_deref(), settings, place).await
            }
            Remote::Fetch(fetch) => self.fetch(task, fetch, settings, place).await,
            Remote::WaitForConnection(wait) => self.wait_for_connection(task, wait, settings, place).await,
            Remote::Reboot(reboot) => self.reboot(task, reboot, settings, place).await,
        };
        (result, Vec::new())
    }

    async fn raw(
        &self,
        task: &Task,
        command: &str,
        executable: Option<&str>,
        settings: &Settings,
        place: &Place,
    ) -> Map {
        if settings.check {
            return map! {"skipped": true, "changed": false};
        }
        let line = raw_line(command, executable, settings);
        let line = match &settings.r#become {
            Some(r#become) if r#become.password.is_some() && r#become.method != "sudo" => {
                return self.raw_by_agent(task, line, settings, place).await;
            }
            Some(r#become) => become_line(r#become, &line),
            None => line,
        };
        let run = self.run.link(&place.target).exec_with(line, become_input(settings)).await;
        match run {
            Err(e) => map! {"unreachable": true, "changed": false, "msg": format!("Task failed: {e}")},
            Ok(output) => {
                let stdout = output.out();
                let stderr = output.err();
                let mut result = map! {
                    "changed": true,
                    "rc": i64::from(output.rc),
                    "stdout_lines": lines_of(&stdout),
                    "stderr_lines": lines_of(&stderr),
                    "stdout": stdout,
                    "stderr": stderr,
                };
                if output.rc != 0 {
                    result.put("failed", true);
                    result.put("msg", "non-zero return code");
                }
                result
            }
        }
    }

    /// A password for `su` or `doas` has to be typed on a terminal, which the agent knows how to do.
    async fn raw_by_agent(&self, task: &Task, line: String, settings: &Settings, place: &Place) -> Map {
        let args = [("_raw_params".to_owned(), line.into())];
        let mut result = self.step(task, "shell", args.into_iter().collect(), settings, place).await;
        for key in ["cmd", "start", "end", "delta", "invocation"] {
            result.shift_remove(key);
        }
        result
    }

    /// One module call whose result the action needs.
    pub(crate) async fn step(
        &self,
        task: &Task,
        module: &str,
        args: protocol::Map,
        settings: &Settings,
        place: &Place,
    ) -> Map {
        let plan = StepPlan { module: module.to_owned(), args, finish: None, contents: Vec::new() };
        let link = self.run.link(&place.target);
        self.clear_link(&link, None);
        self.finish_step(&link, task, &plan, settings, None).await.0
    }

    async fn wait_for_connection(
        &self,
        task: &Task,
        wait: &WaitForConnection,
        settings: &Settings,
        place: &Place,
    ) -> Map {
        let start = Instant::now();
        if settings.check {
            return map! {"skipped": true};
        }
        sleep(wait.delay).await;
        let mut last = String::new();
        while start.elapsed() < wait.timeout {
            self.run.reset(&place.target);
            let mut target = place.clone();
            target.target.timeout = wait.connect_timeout.max(Duration::from_secs(1));
            let left = wait.timeout.saturating_sub(start.elapsed());
            match timeout(left, self.step(task, "ping", protocol::Map::new(), settings, &target)).await {
                Ok(result) if result.text("ping") == Some("pong") => {
                    return map! {"changed": false, "elapsed": start.elapsed().as_secs() as i64};
                }
                Ok(result) => last = result.text("msg").unwrap_or_default().to_owned(),
                Err(_) => break,
            }
            sleep(wait.sleep.min(wait.timeout.saturating_sub(start.elapsed()))).await;
        }
        map! {
            "failed": true,
            "changed": false,
            "elapsed": start.elapsed().as_secs() as i64,
            "msg": format!("timed out waiting for ping module test: {last}"),
        }
    }

    async fn reboot(&self, task: &Task, reboot: &Reboot, settings: &Settings, place: &Place) -> Map {
        let start = Instant::now();
        if matches!(place.target.connection, transport::Connection::Local) {
            return map! {"changed": false, "elapsed": 0i64, "rebooted": false, "failed": true,
            "msg": "Running reboot with local connection would reboot the control node."};
        }
        if settings.check {
            return map! {"changed": true, "elapsed": 0i64, "rebooted": true};
        }
        let settings = Settings { background: 0, ..settings.clone() };
        let shell = |command: &str| {
            let mut args = protocol::Map::new();
            args.insert("_raw_params".into(), command.into());
            args
        };
        let before = self.step(task, "shell", shell(&reboot.boot_time_command), &settings, place).await;
        if before.flag("unreachable") || before.flag("failed") {
            return before;
        }
        let before = before.text("stdout").unwrap_or_default().to_owned();
        let command = reboot.reboot_command.clone().unwrap_or_else(|| {
            let minutes = reboot.pre_reboot_delay.as_secs() / 60;
            let msg = reboot.msg.replace('\'', "'\\''");
            let path = reboot.search_paths.join(":");
            format!("PATH={}:$PATH shutdown -r {minutes} '{msg}'", shell_word(&path))
        });
        let result = self.step(task, "shell", shell(&command), &settings, place).await;
        if result.flag("failed") {
            let said = result.text("stderr").or(result.text("msg")).unwrap_or_default();
            return map! {"failed": true, "changed": false, "rebooted": false, "elapsed": 0i64,
            "msg": format!("Reboot command failed. Error was: '{}'", said.trim())};
        }
        self.run.reset(&place.target);
        sleep(reboot.post_reboot_delay).await;
        let mut there = place.clone();
        if let Some(limit) = reboot.connect_timeout {
            there.target.timeout = limit;
        }
        let deadline = reboot.reboot_timeout;
        let mut pause = Duration::from_millis(500);
        while start.elapsed() < deadline {
            let asked = self.step(task, "shell", shell(&reboot.boot_time_command), &settings, &there).await;
            let now = asked.text("stdout").unwrap_or_default();
            if !asked.flag("unreachable") && !asked.flag("failed") && now != before {
                let test = self.step(task, "shell", shell(&reboot.test_command), &settings, &there).await;
                if !test.flag("unreachable") && !test.flag("failed") {
                    return map! {"changed": true, "rebooted": true, "elapsed": start.elapsed().as_secs() as i64};
                }
            }
            self.run.reset(&there.target);
            sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(12));
        }
        map! {"failed": true, "changed": true, "rebooted": true, "elapsed": start.elapsed().as_secs() as i64,
        "msg": format!("Timed out waiting for last boot time check (timeout={})", deadline.as_secs())}
    }

    /// `async` with `poll`: ask for the job's state until it is done or its time is up.
    pub async fn wait_for_job(
        self: &Rc<Self>,
        host: &Rc<HostRun>,
        task: &Arc<Task>,
        info: &Arc<TaskInfo>,
        started: Map,
        settings: &Settings,
        place: Option<&Place>,
        done: &ItemDone,
    ) -> Map {
        let Some(place) = place else { return started };
        let Some(job) = started.text("ansible_job_id").map(str::to_owned) else { return started };
        if started.flag("failed") || started.flag("finished") {
            return started;
        }
        let quiet = Settings { background: 0, ..settings.clone() };
        let args = |mode: &str| {
            let mut args = protocol::Map::new();
            args.insert("jid".into(), job.clone().into());
            args.insert("mode".into(), mode.into());
            args
        };
        let mut left = settings.background as i64;
        let mut result = started;
        while left > 0 {
            sleep(Duration::from_secs(settings.poll)).await;
            left -= settings.poll as i64;
            result = self.step(task, "async_status", args("status"), &quiet, place).await;
            let finished = result.flag("finished");
            if finished
                || result.flag("unreachable")
                || (result.flag("failed") && !result.contains_key("started"))
            {
                break;
            }
            let poll = crate::event::TaskResult {
                result: result.clone(),
                ..self.task_result(host, info, Status::Ok, done)
            };
            self.run.emit(Event::AsyncPoll { result: poll, started: true, finished: false });
        }
        let shown = |result: &Map| crate::event::TaskResult {
            result: result.clone(),
            ..self.task_result(host, info, Status::Ok, done)
        };
        if !result.flag("finished") && !result.flag("unreachable") {
            self.run.emit(Event::AsyncFailed(shown(&result)));
            let mut failed = map! {
                "failed": true,
                "changed": false,
                "msg": format!("async task did not complete within the requested time - {}s", settings.background),
            };
            failed.put("async_result", Value::map(result));
            return failed;
        }
        let _ = self.step(task, "async_status", args("cleanup"), &quiet, place).await;
        let event = if result.flag("failed") { Event::AsyncFailed } else { Event::AsyncOk };
        self.run.emit(event(shown(&result)));
        result
    }
}

/// The command line of `raw`.
fn raw_line(command: &str, executable: Option<&str>, settings: &Settings) -> String {
    let mut line = String::new();
    for (name, value) in &settings.environment {
        line.push_str(&format!("{name}={} ", shell_word(value)));
    }
    match executable {
        Some(program) if !program.is_empty() => {
            line.push_str(&format!("{program} -c {}", shell_word(command)));
        }
        _ if line.is_empty() => line.push_str(command),
        _ => line.push_str(&format!("/bin/sh -c {}", shell_word(command))),
    }
    line
}

/// The line through the program that changes the user. There is no agent for `raw`, so a password goes to the
/// program's standard input.
fn become_line(r#become: &Become, line: &str) -> String {
    let user = shell_word(&r#become.user);
    let exe = shell_word(r#become.exe.as_deref().unwrap_or(&r#become.method));
    let flags = |default: &str| match &r#become.flags {
        Some(flags) => flags.iter().map(|f| shell_word(f)).collect::<Vec<_>>().join(" "),
        None => default.to_owned(),
    };
    let line = shell_word(line);
    match (r#become.method.as_str(), &r#become.password) {
        ("sudo", Some(_)) => format!("{exe} -H -S -p '' {} -u {user} /bin/sh -c {line}", flags("")),
        ("sudo", None) => format!("{exe} {} -u {user} /bin/sh -c {line}", flags("-H -S -n")),
        ("su", _) => format!("{exe} {} {user} -c {line}", flags("-l")),
        _ => format!("{exe} {} -u {user} /bin/sh -c {line}", flags("-n")),
    }
}

fn become_input(settings: &Settings) -> Vec<u8> {
    match settings.r#become.as_ref().and_then(|b| b.password.as_ref()) {
        Some(password) => format!("{}\n", password.expose()).into_bytes(),
        None => Vec::new(),
    }
}

/// One word for a POSIX shell.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}
