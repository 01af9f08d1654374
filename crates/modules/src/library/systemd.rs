//! `systemd`: units, by `systemctl`.
//!
//! One `systemctl show` says all that is needed to see that a unit is as it should be. `daemon_reload` is
//! carried out only if a unit file or something that a generator reads is newer than the last time systemd
//! looked, so that a converged task leaves the manager alone.

mod reload;
mod unit;

use crate::system::program;
use crate::{Applied, Effects, Host, Map, Module, Plan, Resource, Result, Value, args, fail, json};

use unit::Unit;

args! {
    pub struct SystemdArgs {
        /// The unit; a name without suffix is a service.
        name: Option<String> = aliases(&["service", "unit"]);
        /// `started` and `stopped` act when needed, `restarted` and `reloaded` always.
        state: Option<String> = choices(&["reloaded", "restarted", "started", "stopped"]);
        /// Start at boot.
        enabled: Option<bool>;
        /// Replace existing links when enabling.
        force: Option<bool>;
        /// Make starting impossible.
        masked: Option<bool>;
        /// Let systemd read unit files anew before anything else.
        daemon_reload: bool = default("no"), aliases(&["daemon-reload"]);
        /// Let the manager execute itself anew before anything else.
        daemon_reexec: bool = default("no"), aliases(&["daemon-reexec"]);
        /// Whose manager.
        scope: String = choices(&["system", "user", "global"]), default("system");
        /// Do not wait until the unit has started or stopped.
        no_block: bool = default("no");
    }
    checks {
        required_by("state", &["name"]), required_by("enabled", &["name"]), required_by("masked", &["name"])
    }
}

pub struct Systemd;

impl Module for Systemd {
    type Args = SystemdArgs;
    const NAME: &'static str = "systemd";
    const COLLECTION: &'static str = "ansible.builtin";
    const ALIASES: &'static [&'static str] = &["systemd_service"];
    const DOC: &'static str = "Manage systemd units.";

    fn effects(args: &SystemdArgs) -> Effects {
        let mut effects = Effects::none();
        if let Some(name) = &args.name {
            effects = effects.and_writes(Resource::Service(name.trim_end_matches(".service").to_owned()));
        }
        effects.and_reads(Resource::Path("/etc/systemd/system".into()))
    }

    fn plan(args: SystemdArgs, host: &Host) -> Result<Plan> {
        plan(args, host)
    }
}

/// `systemctl` with the options that the task asks for.
pub fn systemctl(args: &SystemdArgs, host: &Host) -> Result<crate::Process> {
    let mut process = program::process(host, "systemctl")?;
    if args.scope != "system" {
        process = process.arg(format!("--{}", args.scope));
        if args.scope == "user" && host.env("XDG_RUNTIME_DIR").is_none() {
            process = process.env("XDG_RUNTIME_DIR", format!("/run/user/{}", nix::unistd::geteuid()));
        }
    }
    if args.no_block {
        process = process.arg("--no-block");
    }
    if args.force == Some(true) {
        process = process.arg("--force");
    }
    Ok(process)
}

/// The plan; `service` asks for it, too.
pub fn plan(args: SystemdArgs, host: &Host) -> Result<Plan> {
    program::required(host, "systemctl")?;
    let reload = args.daemon_reload && !host.check() && reload::is_due(&args, host)?;
    let reexec = args.daemon_reexec && !host.check();
    if !reload && !reexec {
        return unit_plan(args, host);
    }
    let mut result = Map::new();
    result.insert("name".into(), args.name.clone().map_or(Value::Null, Into::into));
    Ok(Plan::change(result, move |host| {
        let mut warnings = Vec::new();
        for (wanted, verb) in [(reload, "daemon-reload"), (reexec, "daemon-reexec")] {
            if wanted {
                let output = program::run(host, &systemctl(&args, host)?.arg(verb))?;
                if output.success() {
                    continue;
                }
                let (rc, err) = (output.rc, output.err());
                if !unit::is_offline(host) {
                    return Err(fail!("failure {rc} during {verb}: {err}"));
                }
                warnings.push(format!(
                    "{verb} failed, but target is a chroot or systemd is offline. Continuing. Error was: {rc} / {err}"
                ));
            }
        }
        let plan = unit_plan(args, host)?;
        let changes = plan.changes();
        let mut outcome = plan.carry_out(host);
        if outcome.failed() {
            let text = outcome.result.get("msg").and_then(Value::as_str).unwrap_or_default().to_owned();
            let mut error = fail!("{text}");
            error.result = outcome.result;
            return Err(error);
        }
        outcome.result.insert("changed".into(), changes.into());
        if !warnings.is_empty() {
            match outcome.result.get_mut("warnings").and_then(Value::as_array_mut) {
                Some(more) => more.extend(warnings.into_iter().map(Value::String)),
                None => drop(outcome.result.insert("warnings".into(), warnings.into())),
            }
        }
        Applied::with(outcome.result)
    }))
}

/// What Ansible says when `state` cannot be looked at.
const OFFLINE: &str = "Target is a chroot or systemd is offline. This can lead to false positives or prevent the init \
                       system tools from working.";

/// What is to be done about the unit itself.
fn unit_plan(args: SystemdArgs, host: &Host) -> Result<Plan> {
    let mut result = Map::new();
    result.insert("name".into(), args.name.clone().map_or(Value::Null, Into::into));
    let Some(name) = args.name.clone() else {
        result.insert("status".into(), Map::new().into());
        return Ok(Plan::unchanged(result));
    };
    let unit = Unit::ask(&args, &name, host)?;
    result.insert("status".into(), unit.status.clone().into());
    let mut steps: Vec<(&'static str, String)> = Vec::new();
    if let Some(masked) = args.masked
        && masked != unit.is_masked()
    {
        let verb = if masked { "mask" } else { "unmask" };
        steps.push((verb, format!("Failed to {verb} the service ({name}): ")));
    }
    let wants_more = args.state.is_some() || args.enabled.is_some();
    if (wants_more || (args.masked.is_none() && !unit.is_masked())) && !unit.is_found(&args, host)? {
        return Err(fail!("Could not find the requested service {name}: host"));
    }
    if let Some(enabled) = args.enabled {
        if enabled != unit.is_enabled(&args, host)? {
            let verb = if enabled { "enable" } else { "disable" };
            steps.push((verb, format!("Unable to {verb} service {name}: ")));
        }
        result.insert("enabled".into(), enabled.into());
    }
    if unit.offline
        && let Some(state) = &args.state
    {
        result.insert("state".into(), state.clone().into());
        result.insert("warnings".into(), json!([OFFLINE]));
    } else if let Some(state) = &args.state {
        let running = unit.is_running();
        let verb = match state.as_str() {
            "started" => (!running).then_some("start"),
            "stopped" => (running || unit.active() == "deactivating").then_some("stop"),
            "reloaded" => Some(if running { "reload" } else { "start" }),
            _ => Some(if running { "restart" } else { "start" }),
        };
        steps.extend(verb.map(|verb| (verb, format!("Unable to {verb} service {name}: "))));
        let shown = if state == "stopped" { "stopped" } else { "started" };
        result.insert("state".into(), shown.into());
    }
    if steps.is_empty() {
        return Ok(Plan::unchanged(result));
    }
    Ok(Plan::change(result, move |host| {
        for (verb, failure) in steps {
            let output = program::run(host, &systemctl(&args, host)?.args([verb, "--", &name]))?;
            if !output.success() {
                let said = output.err();
                let said = if verb.ends_with("mask") { said.trim_end() } else { &said };
                return Err(fail!("{failure}{said}"));
            }
        }
        Applied::done()
    }))
}
