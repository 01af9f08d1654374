//! `supervisor_program`: a program that supervisor keeps running, its configuration included. See
//! `docs/modules-own.md`.

mod configuration;
mod settle;

use std::collections::BTreeMap;

use crate::args::Expanded;
use crate::system::supervisor::{Client, Program};
use crate::system::textfile::{self, Rights};
use crate::{Applied, Effects, Host, Map, Module, Plan, Resource, Result, args, fail, result};

args! {
    pub struct SupervisorProgramArgs {
        /// Name of the program.
        name: String = required();
        /// Command line to run.
        command: Option<String>;
        /// `present`, `started`, `stopped`, `restarted` or `absent`.
        state: String = choices(&["present", "started", "stopped", "restarted", "absent"]), default("started");
        /// Directory to run it in.
        directory: Option<String>;
        /// User to run it as.
        user: Option<String>;
        /// Its umask.
        umask: Option<String>;
        /// Its environment.
        environment: Map;
        /// Start it with supervisor.
        autostart: bool = default("yes");
        /// Start it again when it ends.
        autorestart: String = choices(&["true", "false", "unexpected"]), default("unexpected");
        /// Seconds after which it counts as started.
        startsecs: Option<i64>;
        /// How often it is tried.
        startretries: Option<i64>;
        /// Seconds to wait for its end.
        stopwaitsecs: Option<i64>;
        /// Its place in the order of starting.
        priority: Option<i64>;
        /// Exit statuses that are expected.
        exitcodes: Option<Vec<i64>>;
        /// Signal that stops it.
        stopsignal: Option<String>;
        /// Send the signal to its whole group.
        stopasgroup: Option<bool>;
        /// Kill its whole group.
        killasgroup: Option<bool>;
        /// Errors into the log of the output.
        redirect_stderr: Option<bool>;
        /// Log of the output: path, `AUTO`, `NONE`.
        stdout_logfile: Option<String>;
        /// Log of the errors.
        stderr_logfile: Option<String>;
        /// Size at which the log is changed.
        stdout_logfile_maxbytes: Option<String>;
        /// Size at which the log of errors is changed.
        stderr_logfile_maxbytes: Option<String>;
        /// Old logs to keep.
        stdout_logfile_backups: Option<i64>;
        /// Old logs of errors to keep.
        stderr_logfile_backups: Option<i64>;
        /// How many of it.
        numprocs: i64 = default("1");
        /// Name of one process.
        process_name: Option<String>;
        /// Where the file is.
        config_dir: Expanded = default("/etc/supervisor/conf.d");
        /// The client.
        supervisorctl_path: String = default("supervisorctl");
    }
}

pub struct SupervisorProgram;

impl Module for SupervisorProgram {
    type Args = SupervisorProgramArgs;
    const NAME: &'static str = "supervisor_program";
    const COLLECTION: &'static str = "";
    const DOC: &'static str = "A program under supervisor: its configuration and its state.";

    fn effects(args: &SupervisorProgramArgs) -> Effects {
        Effects::writes([
            Resource::Path(format!("{}/{}.conf", args.config_dir.0, args.name)),
            Resource::Service(format!("supervisor:{}", args.name)),
        ])
        .and_reads(Resource::Service("supervisor".into()))
        .and_reads(Resource::Package("supervisor".into()))
    }

    fn plan(args: SupervisorProgramArgs, host: &Host) -> Result<Plan> {
        let name = &args.name;
        let odd = |c: char| matches!(c, ':' | '/' | ']') || c.is_whitespace() || c.is_control();
        if name.is_empty() || name.contains(odd) {
            return Err(fail!("name must have no ':', '/', ']', blanks or control characters: {name:?}"));
        }
        let absent = args.state == "absent";
        let text = if absent { None } else { Some(configuration::text(&args)?) };
        let path = format!("{}/{name}.conf", args.config_dir.0.trim_end_matches('/'));
        let before = textfile::read(host, &path)?;
        let client = Client { program: Some(args.supervisorctl_path.clone()), ..Client::default() };
        let now = match client.status(host) {
            Ok(all) => of(name, &all),
            // What would bring supervisor itself has not run.
            Err(_) if host.check() => Vec::new(),
            Err(error) => return Err(error),
        };
        let write = before != text;
        let take_in = write || now.is_empty() != absent;
        let right = match args.state.as_str() {
            "started" => now.iter().all(runs),
            "stopped" => !now.iter().any(|p| runs(p) || p.state == "BACKOFF"),
            "restarted" => false,
            _ => true,
        };
        let result = result! {"name": name, "state": args.state, "path": path, "processes": processes(&now)};
        if !take_in && right {
            return Ok(Plan::unchanged(result));
        }
        let mut diffs = Vec::new();
        if host.diff() && write {
            let (old, new) = (before.clone().unwrap_or_default(), text.clone().unwrap_or_default());
            diffs.push(textfile::diff(&old, &new, &path, &path));
        }
        let change = Change { args, client, path, before, text, write, take_in };
        let mut plan = Plan::change(result, move |host| change.carry_out(host));
        plan.diff = diffs;
        Ok(plan)
    }
}

/// The processes of this program.
fn of(name: &str, all: &[Program]) -> Vec<Program> {
    all.iter().filter(|p| p.is_in(name)).cloned().collect()
}

fn runs(program: &Program) -> bool {
    matches!(program.state.as_str(), "RUNNING" | "STARTING")
}

fn processes(programs: &[Program]) -> BTreeMap<String, String> {
    programs.iter().map(|p| (p.name.clone(), p.state.clone())).collect()
}

struct Change {
    args: SupervisorProgramArgs,
    client: Client,
    path: String,
    /// The file as it was and as it shall be.
    before: Option<String>,
    text: Option<String>,
    write: bool,
    take_in: bool,
}

impl Change {
    fn carry_out(&self, host: &Host) -> Result<Applied> {
        let known = of(&self.args.name, &self.client.status(host)?);
        if self.write {
            self.put(host, self.text.as_deref())?;
        }
        let mut fresh = false;
        if self.take_in {
            if let Err(error) = self.update(host) {
                // What supervisor does not take would go unnoticed the next time.
                if self.write {
                    self.put(host, self.before.as_deref())?;
                    let _ = self.client.run(host, &["reread"]);
                }
                return Err(error);
            }
            fresh = self.args.autostart && (self.write || known.is_empty());
        }
        if self.args.state != "absent" {
            self.bring_to_state(host, fresh)?;
        }
        let now = of(&self.args.name, &self.client.status(host)?);
        Applied::with(result! {"processes": processes(&now)})
    }

    fn put(&self, host: &Host, text: Option<&str>) -> Result<()> {
        match text {
            Some(text) => {
                let rights = Rights { uid: Some(0), gid: Some(0), mode: Some(0o644), force: false };
                textfile::write(host, &self.path, text.as_bytes(), rights)
            }
            None => match std::fs::remove_file(host.path(&self.path)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    Err(fail!("could not remove {}: {}", self.path, crate::files::strerror(&e)))
                }
                _ => Ok(()),
            },
        }
    }

    /// `reread` and `update` say what is wrong on their output, some versions with status 0.
    fn update(&self, host: &Host) -> Result<()> {
        for words in [vec!["reread"], vec!["update", &self.args.name]] {
            let (output, _) = self.client.run(host, &words)?;
            let said = format!("{}{}", output.out(), output.err());
            if !output.success() || said.lines().any(|l| l.contains("ERROR")) {
                let error = fail!("supervisorctl {} failed: {}", words.join(" "), said.trim());
                return Err(error
                    .with("rc", output.rc)
                    .with("stdout", output.out())
                    .with("stderr", output.err()));
            }
        }
        Ok(())
    }
}
