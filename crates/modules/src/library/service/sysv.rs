//! Services by init scripts: `service` and `update-rc.d`.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::system::program;
use crate::{Applied, Host, Plan, Result, fail, result};

use super::ServiceArgs;

pub fn plan(args: ServiceArgs, host: &Host) -> Result<Plan> {
    let Some(name) = args.name.clone() else { return Err(fail!("missing required arguments: name")) };
    if args.state.is_none() && args.enabled.is_none() {
        return Err(fail!("Neither 'state' nor 'enabled' set"));
    }
    if name.contains('/') || !host.path(format!("/etc/init.d/{name}")).exists() {
        return Err(fail!("Could not find the requested service {name}: host"));
    }
    let mut result = result! {"name": name};
    let mut enable = None;
    if let Some(enabled) = args.enabled {
        result.insert("enabled".into(), enabled.into());
        enable = (enabled != is_enabled(&name, host)).then_some(enabled);
    }
    let mut verbs = Vec::new();
    if let Some(state) = &args.state {
        let running = is_running(&args, &name, host)?;
        verbs = match (state.as_str(), running) {
            ("started", true) | ("stopped", false) => Vec::new(),
            ("started", false) | ("reloaded", false) => vec!["start"],
            ("stopped", true) => vec!["stop"],
            ("reloaded", true) => vec!["reload"],
            _ if args.sleep.is_some() => vec!["stop", "start"],
            _ => vec!["restart"],
        };
        let shown = if state == "stopped" { "stopped" } else { "started" };
        result.insert("state".into(), shown.into());
    }
    if enable.is_none() && verbs.is_empty() {
        return Ok(Plan::unchanged(result));
    }
    Ok(Plan::change(result, move |host| {
        if let Some(enabled) = enable {
            let process = program::process(host, "update-rc.d")?;
            if enabled {
                process.clone().args([&name, "defaults"]).check(host)?;
            }
            process.args([name.as_str(), if enabled { "enable" } else { "disable" }]).check(host)?;
        }
        for (number, verb) in verbs.iter().enumerate() {
            if let (1, Some(seconds)) = (number, args.sleep) {
                thread::sleep(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)));
            }
            let process = program::process(host, "service")?.args([name.as_str(), verb]);
            let process = process.args(args.arguments.split_whitespace());
            let output = program::run(host, &process)?;
            if !output.success() {
                let said = if output.stderr.is_empty() { output.out() } else { output.err() };
                return Err(fail!("{said}").with("rc", output.rc));
            }
        }
        Applied::done()
    }))
}

fn is_enabled(name: &str, host: &Host) -> bool {
    let links =
        |level: char| fs::read_dir(host.path(format!("/etc/rc{level}.d"))).into_iter().flatten().flatten();
    "2345S".chars().flat_map(links).any(|entry| {
        let file = entry.file_name();
        let file = file.to_string_lossy();
        file.starts_with('S') && file.get(3..) == Some(name)
    })
}

fn is_running(args: &ServiceArgs, name: &str, host: &Host) -> Result<bool> {
    let output = program::run(host, &program::process(host, "service")?.args([name, "status"]))?;
    if let Some(pattern) = args.pattern.as_ref().filter(|_| !output.success()) {
        return Ok(has_process(pattern, host));
    }
    Ok(output.success())
}

/// Is there a process with this text in its command line?
fn has_process(pattern: &str, host: &Host) -> bool {
    let own = std::process::id().to_string();
    fs::read_dir(host.path("/proc")).into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name();
        name.to_string_lossy() != own
            && name.to_string_lossy().bytes().all(|b| b.is_ascii_digit())
            && fs::read(entry.path().join("cmdline"))
                .is_ok_and(|line| String::from_utf8_lossy(&line).replace('\0', " ").contains(pattern))
    })
}
