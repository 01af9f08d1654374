//! Scripts that `chkconfig` knows, with their runlevels.

use super::{Found, program};
use crate::system::program::run;
use crate::{Host, Result};

pub fn list(host: &Host, found: &mut Found) -> Result<()> {
    let ask = |args: &[&str]| run(host, &program(host, "chkconfig", args)?);
    let mut said = ask(&[])?;
    let out = said.out();
    if !out.lines().any(|line| enabled(line).is_some()) {
        let short =
            |line: &str| line.split_whitespace().skip(1).any(|w| w.starts_with("on") || w.starts_with("off"));
        if out.lines().any(short) {
            said = ask(&["-l", "--allservices"])?;
        } else if said.err().contains("--list") {
            said = ask(&["--list"])?;
        }
    }
    for line in said.out().lines() {
        let Some((name, enabled)) = enabled(line) else { continue };
        let status = run(host, &program(host, "service", &[name, "status"])?)?;
        let refused = status.err().to_lowercase();
        if !status.success() && ["root", "permission", "not in sudoers"].iter().any(|w| refused.contains(w)) {
            found
                .warnings
                .push(format!("Insufficient permissions to query sysV service \"{name}\" and their states"));
        }
        let state = if status.success() { "running" } else { "stopped" };
        found.add(name, "sysv", state, Some(if enabled { "enabled" } else { "disabled" }));
    }
    Ok(())
}

/// `name  0:off  1:off  2:on  3:on ...`: the name, and whether it is on in runlevel 3.
fn enabled(line: &str) -> Option<(&str, bool)> {
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let mut levels = words.map(|word| match word.split_once(':') {
        Some((_, "on")) => Some(true),
        Some((_, "off")) => Some(false),
        _ => None,
    });
    let levels: Vec<bool> = levels.by_ref().take(7).collect::<Option<_>>()?;
    (levels.len() == 7).then(|| (name, levels[3]))
}

#[cfg(test)]
mod tests {
    #[test]
    fn runlevels_are_read() {
        let line = "network \t0:off\t1:off\t2:on\t3:on\t4:on\t5:on\t6:off";
        assert_eq!(super::enabled(line), Some(("network", true)));
        assert_eq!(super::enabled("Note: This output shows SysV services only"), None);
    }
}
