//! Jobs of upstart, by `initctl list`.

use super::{Found, program};
use crate::system::program::run;
use crate::{Host, Result, json};

pub fn list(host: &Host, found: &mut Found) -> Result<()> {
    let said = run(host, &program(host, "initctl", &["list"])?)?;
    if !said.success() {
        found.warnings.push(format!("Unable to query upstart for service data: {}", said.err()));
        return Ok(());
    }
    for line in said.out().replace('\r', "").lines() {
        if let Some((name, goal, state)) = job(line) {
            found.services.insert(
                name.to_owned(),
                json!({"name": name, "state": state, "goal": goal, "source": "upstart"}),
            );
        }
    }
    Ok(())
}

/// `name goal/state` or `name goal/state, process 1`.
fn job(line: &str) -> Option<(&str, &str, &str)> {
    let line = line.trim_end();
    let line = match line.split_once(", process ") {
        Some((job, pid)) if !pid.is_empty() && pid.bytes().all(|b| b.is_ascii_digit()) => job,
        _ => line,
    };
    let (name, states) = line.rsplit_once(char::is_whitespace)?;
    let (goal, state) = states.split_once('/')?;
    let word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_');
    (word(goal) && word(state)).then_some((name.strip_prefix(' ').unwrap_or(name), goal, state))
}

#[cfg(test)]
mod tests {
    #[test]
    fn jobs_are_read() {
        assert_eq!(super::job("cron start/running, process 812"), Some(("cron", "start", "running")));
        assert_eq!(super::job("tty (1) stop/waiting"), Some(("tty (1)", "stop", "waiting")));
        assert_eq!(super::job("nothing"), None);
    }
}
