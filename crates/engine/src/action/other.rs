//! Actions around the host rather than on it (raw, reboot, wait_for_connection), and those that choose
//! another module (package, service) or take their arguments in several forms (command, shell).

use std::time::Duration;

use lang::{Result, Value};

use super::{Input, Prepared, Remote, to_json};
use crate::settings::text_of;

pub fn raw(input: &Input<'_>) -> Result<Prepared> {
    let Some(command) = input.text("_raw_params").filter(|c| !c.is_empty()) else {
        return Err(input.error("no command given"));
    };
    Ok(Prepared::Remote(Remote::Raw { command, executable: input.text("executable") }))
}

/// `wait_for_connection`, with its durations.
pub struct WaitForConnection {
    pub connect_timeout: Duration,
    pub delay: Duration,
    pub sleep: Duration,
    pub timeout: Duration,
}

pub fn wait_for_connection(input: &Input<'_>) -> Result<Prepared> {
    input.only("wait_for_connection", &["connect_timeout", "delay", "sleep", "timeout"])?;
    Ok(Prepared::Remote(Remote::WaitForConnection(WaitForConnection {
        connect_timeout: seconds(input, "connect_timeout", 5)?,
        delay: seconds(input, "delay", 0)?,
        sleep: seconds(input, "sleep", 1)?,
        timeout: seconds(input, "timeout", 600)?,
    })))
}

/// `reboot`.
pub struct Reboot {
    pub boot_time_command: String,
    pub connect_timeout: Option<Duration>,
    pub msg: String,
    pub post_reboot_delay: Duration,
    pub pre_reboot_delay: Duration,
    pub reboot_timeout: Duration,
    pub reboot_command: Option<String>,
    pub search_paths: Vec<String>,
    pub test_command: String,
}

pub fn reboot(input: &Input<'_>) -> Result<Prepared> {
    input.allow(
        "ansible.builtin.reboot",
        &[
            "boot_time_command",
            "connect_timeout",
            "msg",
            "post_reboot_delay",
            "pre_reboot_delay",
            "reboot_command",
            "reboot_timeout",
            "search_paths",
            "test_command",
        ],
    )?;
    let paths = match input.args.get("search_paths") {
        Some(Value::List(items)) => items.iter().map(text_of).collect(),
        Some(other) if !other.is_null() => vec![text_of(other)],
        _ => ["/sbin", "/bin", "/usr/sbin", "/usr/bin", "/usr/local/sbin"].map(str::to_owned).to_vec(),
    };
    Ok(Prepared::Remote(Remote::Reboot(Reboot {
        boot_time_command: input
            .text("boot_time_command")
            .unwrap_or_else(|| "cat /proc/sys/kernel/random/boot_id".into()),
        connect_timeout: match input.args.contains_key("connect_timeout") {
            true => Some(seconds(input, "connect_timeout", 5)?),
            false => None,
        },
        msg: input.text("msg").unwrap_or_else(|| "Reboot initiated by Ansible".into()),
        post_reboot_delay: seconds(input, "post_reboot_delay", 0)?,
        pre_reboot_delay: seconds(input, "pre_reboot_delay", 0)?,
        reboot_timeout: seconds(input, "reboot_timeout", 600)?,
        reboot_command: input.text("reboot_command"),
        search_paths: paths,
        test_command: input.text("test_command").unwrap_or_else(|| "whoami".into()),
    })))
}

fn seconds(input: &Input<'_>, name: &str, default: u64) -> Result<Duration> {
    let Some(value) = input.args.get(name).filter(|v| !v.is_null()) else {
        return Ok(Duration::from_secs(default));
    };
    let text = text_of(value);
    let number: f64 = text
        .trim()
        .parse()
        .map_err(|_| lang::Error::new(format!("invalid literal for int() with base 10: '{text}'")))?;
    Ok(Duration::try_from_secs_f64(number.max(0.0)).unwrap_or(Duration::MAX))
}

/// `package`: the agent chooses by what is on the host; `use` or the variable `ansible_package_use` names another module.
pub fn package(input: Input<'_>) -> Result<Prepared> {
    let mut wanted = input.text("use").filter(|name| name != "auto");
    if wanted.is_none()
        && let Some(named) = input.scope.get("ansible_package_use")?
    {
        wanted = Some(text_of(&input.ctx.templar.render(&named, input.scope)?)).filter(|name| name != "auto");
    }
    let (module, chosen) = match &wanted {
        None => ("package", gathered(&input, "pkg_mgr")?),
        Some(name) => {
            let unknown = || {
                input.error(format!("Could not find a matching action for the \"{name}\" package manager."))
            };
            (modules::find(name).ok_or_else(unknown)?.name, wanted.clone())
        }
    };
    let mut args = with_defaults_of(&input, chosen.as_deref().unwrap_or("apt"))?;
    args.shift_remove("use");
    super::step(module, args, &input.task.pos)
}

/// `service`: on hosts with systemd the module `systemd`, chosen by the agent; `use` names another one.
pub fn service(input: Input<'_>) -> Result<Prepared> {
    let wanted = input.text("use").filter(|name| name != "auto");
    let chosen = match &wanted {
        None => gathered(&input, "service_mgr")?,
        some => some.clone(),
    };
    let mut args = with_defaults_of(&input, chosen.as_deref().unwrap_or("systemd"))?;
    args.shift_remove("use");
    match wanted.as_deref() {
        None | Some("service" | "ansible.builtin.service" | "sysvinit" | "ansible.builtin.sysvinit") => {
            super::step("service", args, &input.task.pos)
        }
        Some("systemd" | "ansible.builtin.systemd" | "ansible.builtin.systemd_service") => {
            for unused in ["pattern", "runlevel", "sleep", "arguments", "args"] {
                args.shift_remove(unused);
            }
            super::step("systemd", args, &input.task.pos)
        }
        Some(other) => Err(input.error(format!("Could not find service module '{other}'"))),
    }
}

/// A fact that was gathered about the host, if it was.
fn gathered(input: &Input<'_>, name: &str) -> Result<Option<String>> {
    let facts = input.scope.get("ansible_facts")?;
    let Some(Value::Map(facts)) = facts else { return Ok(None) };
    Ok(facts.get(name).filter(|fact| !fact.is_null()).map(text_of))
}

/// The arguments; what `module_defaults` has for the module that is chosen in the end is there as well.
fn with_defaults_of(input: &Input<'_>, module: &str) -> Result<protocol::Map> {
    let Some(name) = super::canonical(module) else { return Ok(to_json(&input.args)) };
    let mut args = crate::evaluate::module_defaults(input.ctx, input.task, input.scope, &name)?;
    args.extend(input.args.iter().map(|(key, value)| (key.clone(), value.clone())));
    Ok(to_json(&args))
}

/// `command` and `shell`: free-form text, `cmd` or `argv`.
pub fn command(name: &str, input: Input<'_>) -> Result<Prepared> {
    // The shell expands what it is given: only `command` has that argument.
    if name == "shell" && input.args.contains_key("expand_argument_vars") {
        return Err(input.error("Unsupported parameters for (shell) module: expand_argument_vars"));
    }
    let args = to_json(&input.args);
    super::step(name, args, &input.task.pos)
}
