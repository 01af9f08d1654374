//! `supervisorctl`: programs and groups that supervisor runs.

use crate::args::Expanded;
use crate::system::supervisor::{Client, Program};
use crate::{Applied, Effects, Host, Map, Module, ModuleError, Plan, Resource, Result, args, result};

args! {
    pub struct SupervisorctlArgs {
        /// Program, `group:program`, `group:` for all of a group, or `all`.
        name: String = required();
        /// Configuration of supervisor.
        config: Option<Expanded>;
        /// Where supervisor listens.
        server_url: Option<String>;
        /// User to log in as.
        username: Option<String>;
        /// Password of that user.
        password: Option<String> = no_log();
        /// What should be.
        state: String = required(),
            choices(&["present", "started", "restarted", "stopped", "absent", "signalled"]);
        /// Stop what is to be removed.
        stop_before_removing: bool = default("no");
        /// Signal to send, for `signalled`.
        signal: Option<String>;
        /// Path of the client.
        supervisorctl_path: Option<Expanded>;
    }
    checks { required_if("state", "signalled", &["signal"]) }
}

pub struct Supervisorctl;

impl Module for Supervisorctl {
    type Args = SupervisorctlArgs;
    const NAME: &'static str = "supervisorctl";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Start, stop, restart, add and remove programs and groups of supervisor.";

    fn effects(args: &SupervisorctlArgs) -> Effects {
        Effects::writes([Resource::Service(format!("supervisor:{}", args.name.trim_end_matches(':')))])
            .and_reads(Resource::Service("supervisor".into()))
    }

    fn plan(args: SupervisorctlArgs, host: &Host) -> Result<Plan> {
        let call = Call::new(args);
        let all = call.client.status(host)?;
        let known = all.iter().any(|p| p.is_in(&call.name));
        let result = result! {"name": call.name, "state": call.state};
        let plan = match (call.state.as_str(), known) {
            ("present", true) | ("absent", false) => return Ok(Plan::unchanged(result)),
            ("present", _) => Plan::change(result, move |host| call.add(host)),
            ("absent", _) => Plan::change(result, move |host| call.remove(host)),
            // What is not known yet may come with the `update` that comes first.
            ("restarted", _) => Plan::change(result, move |host| call.restart(host)),
            _ => {
                let programs = call.chosen(&all)?;
                if programs.is_empty() {
                    return Ok(Plan::unchanged(result));
                }
                Plan::change(result, move |host| call.act(host, &programs))
            }
        };
        Ok(Plan { check: Some(Map::new()), ..plan })
    }
}

struct Call {
    client: Client,
    /// Without the colon of a group.
    name: String,
    group: bool,
    state: String,
    signal: String,
    stop_first: bool,
}

impl Call {
    fn new(args: SupervisorctlArgs) -> Self {
        let client = Client {
            program: args.supervisorctl_path.map(|p| p.0),
            config: args.config.map(|p| p.0),
            server_url: args.server_url,
            username: args.username,
            password: args.password,
        };
        Self {
            client,
            group: args.name.ends_with(':'),
            name: args.name.trim_end_matches(':').to_owned(),
            state: args.state,
            signal: args.signal.unwrap_or_default(),
            stop_first: args.stop_before_removing,
        }
    }

    fn failed(&self, said: &str) -> ModuleError {
        ModuleError::new(said).with("name", self.name.as_str())
    }

    /// Processes that are meant and not yet as they should be.
    fn chosen(&self, all: &[Program]) -> Result<Vec<String>> {
        let meant = |p: &&Program| match (self.name.as_str(), self.group) {
            ("all", false) => true,
            (_, true) => p.is_in(&self.name),
            (name, false) => p.name == name,
        };
        let meant: Vec<&Program> = all.iter().filter(meant).collect();
        if meant.is_empty() {
            return Err(self.failed("ERROR (no such process)"));
        }
        let runs = |p: &Program| matches!(p.state.as_str(), "RUNNING" | "STARTING");
        let wrong = meant.into_iter().filter(|p| match self.state.as_str() {
            "started" => !runs(p),
            "restarted" => true,
            _ => runs(p),
        });
        Ok(wrong.map(|p| p.name.clone()).collect())
    }

    fn act(&self, host: &Host, programs: &[String]) -> Result<Applied> {
        for program in programs {
            let (command, done) = match self.state.as_str() {
                "started" => (vec!["start", program], "started"),
                "restarted" => (vec!["restart", program], "started"),
                "stopped" => (vec!["stop", program], "stopped"),
                _ => (vec!["signal", &self.signal, program], "signalled"),
            };
            let said = self.client.check(host, &command)?;
            if !said.lines().any(|line| line == format!("{program}: {done}")) {
                return Err(self.failed(&said));
            }
        }
        Applied::with(result! {"affected": programs})
    }

    fn restart(&self, host: &Host) -> Result<Applied> {
        self.client.check(host, &["update"])?;
        let programs = self.chosen(&self.client.status(host)?)?;
        self.act(host, &programs)
    }

    fn add(&self, host: &Host) -> Result<Applied> {
        self.client.check(host, &["reread"])?;
        self.change_group(host, "add", "added")
    }

    fn remove(&self, host: &Host) -> Result<Applied> {
        if self.stop_first {
            self.client.check(host, &["stop", &self.name])?;
        }
        self.client.check(host, &["reread"])?;
        self.change_group(host, "remove", "removed")
    }

    fn change_group(&self, host: &Host, command: &str, done: &str) -> Result<Applied> {
        let (output, _) = self.client.run(host, &[command, &self.name])?;
        let said = output.out();
        if said.contains(&format!("{}: {done} process group", self.name)) {
            return Applied::done();
        }
        Err(self.failed(&said).with("state", self.state.as_str()))
    }
}
