//! Services of OpenRC, by `rc-status` and `rc-update`.

use std::collections::HashMap;

use super::{Found, program};
use crate::system::program::run;
use crate::{Host, Result, json};

pub fn list(host: &Host, found: &mut Found) -> Result<()> {
    let states = run(host, &program(host, "rc-status", &["-a", "-s", "-m"])?)?.out();
    let levels = run(host, &program(host, "rc-update", &["show", "-v"])?)?.out();
    let levels: HashMap<&str, Vec<&str>> = levels
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('|');
            Some((fields.next()?.trim(), fields.next()?.split_whitespace().collect()))
        })
        .collect();
    for (name, state) in states.lines().filter_map(service) {
        let Some(levels) = levels.get(name) else {
            found.warnings.push(format!("Service {name} not found in the service list"));
            continue;
        };
        let levels = Some(levels).filter(|levels| !levels.is_empty());
        found.services.insert(
            name.to_owned(),
            json!({"name": name, "runlevels": levels, "state": state, "source": "openrc"}),
        );
    }
    Ok(())
}

/// ` sshd   [  started  ]`.
fn service(line: &str) -> Option<(&str, &str)> {
    let bracket = |c: char| c.is_whitespace() || c == '[' || c == ']';
    let mut words = line.strip_prefix(' ')?.split(bracket).filter(|word| !word.is_empty());
    let service = (words.next()?, words.next()?);
    (service.0 != "*").then_some(service)
}

#[cfg(test)]
mod tests {
    #[test]
    fn states_are_read() {
        assert_eq!(super::service(" sshd            [  started  ]"), Some(("sshd", "started")));
        assert_eq!(super::service("Runlevel: default"), None);
    }
}
