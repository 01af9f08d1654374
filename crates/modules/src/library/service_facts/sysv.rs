//! Scripts in `/etc/init.d`, by `service --status-all`.

use super::{Found, program};
use crate::system::program::run;
use crate::{Host, Result};

pub fn list(host: &Host, found: &mut Found) -> Result<()> {
    let said = run(host, &program(host, "service", &["--status-all"])?)?;
    if said.rc == 4 && !host.path("/etc/init.d").exists() {
        return Ok(());
    }
    if !said.success() {
        found.warnings.push(format!("Unable to query 'service' tool ({}): {}", said.rc, said.err()));
    }
    for line in said.out().lines() {
        let line = line.trim_start();
        let sign = [("[ + ]", "running"), ("[ - ]", "stopped")];
        let sign = sign.iter().find_map(|(sign, state)| Some((line.strip_prefix(sign)?, state)));
        if let Some((rest, state)) = sign
            && rest.starts_with(char::is_whitespace)
            && !rest.trim_start().is_empty()
        {
            found.add(rest.trim_start(), "sysv", state, None);
        }
    }
    Ok(())
}
