//! Units of systemd: what is loaded, and the files of those that are not.

use super::{Found, program};
use crate::system::program::run;
use crate::{Host, Result};

/// States of a unit that say more than those of its file.
const BAD: [&str; 3] = ["not-found", "masked", "failed"];

pub fn list(host: &Host, found: &mut Found) -> Result<()> {
    let units = ["list-units", "--no-pager", "--type", "service", "--all", "--plain"];
    let said = run(host, &program(host, "systemctl", &units)?)?;
    match said.success() {
        true => said.out().lines().for_each(|line| loaded(line, found)),
        false => found.warnings.push(format!("Could not list units from systemd: {}", said.err())),
    }
    let files = ["list-unit-files", "--no-pager", "--type", "service", "--all"];
    let said = run(host, &program(host, "systemctl", &files)?)?;
    if !said.success() {
        found.warnings.push(format!("Could not get unit files data from systemd: {}", said.err()));
        return Ok(());
    }
    let mut new = Vec::new();
    for line in said.out().lines().filter(|line| line.contains(".service")) {
        let mut words = line.split_whitespace();
        let (Some(name), Some(status)) = (words.next(), words.next()) else { continue };
        match found.get(name, "status") {
            None => new.push((name.to_owned(), status.to_owned())),
            Some(there) if there.as_str().is_none_or(|there| !BAD.contains(&there)) => *there = status.into(),
            Some(_) => {}
        }
    }
    let states = active_states(host, &new)?;
    for ((name, status), state) in new.iter().zip(states) {
        found.add(name, "systemd", &state, Some(status));
    }
    Ok(())
}

/// A line of `list-units`: unit, load, active, sub, description.
fn loaded(line: &str, found: &mut Found) {
    let words: Vec<&str> = line.split_whitespace().collect();
    if !line.contains(".service") || words.len() < 4 {
        return;
    }
    let bad = BAD.iter().find(|bad| words[..words.len() - 1].contains(*bad));
    let state = if words[3] == "running" { "running" } else { "stopped" };
    found.add(words[0], "systemd", state, Some(bad.unwrap_or(&words[2])));
}

/// `ActiveState` of each, asked for at once. Templates have none.
fn active_states(host: &Host, units: &[(String, String)]) -> Result<Vec<String>> {
    let is_template = |name: &str| name.contains("@.");
    let names: Vec<&str> = units.iter().map(|(name, _)| name.as_str()).filter(|n| !is_template(n)).collect();
    let ask = |names: &[&str]| -> Result<Vec<String>> {
        let asked = program(host, "systemctl", &["show", "--property=ActiveState", "--"])?.args(names);
        let said = run(host, &asked)?;
        let out = said.out();
        let states = out.lines().filter_map(|line| line.strip_prefix("ActiveState="));
        Ok(states.filter(|_| said.success()).map(str::to_owned).collect())
    };
    let mut states = if names.is_empty() { Vec::new() } else { ask(&names)? };
    if states.len() != names.len() {
        states.clear();
        for name in names {
            states.push(ask(&[name])?.pop().unwrap_or_else(|| "unknown".to_owned()));
        }
    }
    let mut states = states.into_iter();
    let state = |(name, _): &(String, String)| match is_template(name) {
        true => "unknown".to_owned(),
        false => states.next().unwrap_or_default(),
    };
    Ok(units.iter().map(state).collect())
}
