//! A rule in ufw's long form.

use super::{Run, UfwArgs};
use crate::system::program;
use crate::{Host, Process, Result, fail};

/// The words behind `ufw`.
pub fn words(args: &UfwArgs, run: &Run, host: &Host) -> Result<Vec<String>> {
    if matches!(args.direction.as_deref(), Some("incoming" | "outgoing" | "routed")) {
        return Err(fail!(
            "For rules, direction must be one of \"in\" and \"out\", or direction must not be specified."
        ));
    }
    let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
    let (incoming, outgoing) = (given(&args.interface_in), given(&args.interface_out));
    if !args.route && incoming.is_some() && outgoing.is_some() {
        return Err(fail!("Only route rules can combine interface_in and interface_out"));
    }
    let mut words: Vec<String> = Vec::new();
    let mut add = |them: &[&str]| words.extend(them.iter().map(|word| (*word).to_owned()));
    if args.route {
        add(&["route"]);
    }
    if args.delete {
        add(&["delete"]);
    }
    if let Some(number) = args.insert.filter(|_| !args.delete)
        && let Some(at) = position(number, &args.insert_relative_to, run, host)?
    {
        add(&["insert", &at.to_string()]);
    }
    add(&[args.rule.as_deref().unwrap_or_default()]);
    let pairs: [(&[&str], Option<String>); 10] = [
        (&[], given(&args.direction)),
        (&["on"], given(&args.interface)),
        (&["in", "on"], incoming),
        (&["out", "on"], outgoing),
        (&[], args.log.then(|| "log".to_owned())),
        (&["from"], given(&Some(args.from_ip.clone()))),
        (&["port"], given(&args.from_port)),
        (&["to"], given(&Some(args.to_ip.clone()))),
        (&["port"], given(&args.to_port)),
        (&["proto"], given(&args.proto)),
    ];
    for (before, value) in pairs {
        if let Some(value) = value {
            add(before);
            add(&[&value]);
        }
    }
    for (before, value) in [("app", given(&args.name)), ("comment", given(&args.comment))] {
        if let Some(value) = value.filter(|_| before == "app" || has_comments(run, host)) {
            add(&[before, &value]);
        }
    }
    Ok(words)
}

/// Since 0.35.
fn has_comments(run: &Run, host: &Host) -> bool {
    let said = program::run(host, &Process::new(&run.ufw).arg("--version"));
    let said = said.map(|said| said.out()).unwrap_or_default();
    let version = said.lines().next().and_then(|line| line.strip_prefix("ufw ")).unwrap_or_default();
    let mut numbers = version.split(['.', '-']).map(|part| part.trim().parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (0, 35)
}

/// The number of a new rule; none where it comes behind all others.
fn position(number: i64, relative_to: &str, run: &Run, host: &Host) -> Result<Option<i64>> {
    if relative_to == "zero" {
        return Ok(Some(number));
    }
    let said = program::run(host, &Process::new(&run.ufw).args(["status", "numbered"]))?.out();
    Ok(relative(number, relative_to, &said))
}

fn relative(number: i64, relative_to: &str, status: &str) -> Option<i64> {
    let numbered = |line: &str| {
        let (number, _) = line.strip_prefix('[')?.split_once("] ")?;
        Some((number.trim().parse::<i64>().ok()?, line.contains("(v6)")))
    };
    let rules: Vec<(i64, bool)> = status.lines().filter_map(numbered).collect();
    let last = rules.iter().map(|(number, _)| *number).max().unwrap_or(0);
    let last_of_4 = rules.iter().filter(|(_, v6)| !v6).map(|(number, _)| *number).max();
    let base = match relative_to {
        "first-ipv4" => 1,
        "last-ipv4" => last_of_4.unwrap_or(1),
        "first-ipv6" => last_of_4.map_or(1, |last| last + 1),
        _ if rules.iter().any(|(_, v6)| *v6) => last,
        _ => last + 1,
    };
    Some(number + base).filter(|at| *at <= last)
}

#[cfg(test)]
mod tests {
    use super::relative;

    #[test]
    fn numbers_count_from_rules_of_a_protocol() {
        let status = "Status: active\n\n[ 1] 22/tcp ALLOW IN Anywhere\n[ 2] 80/tcp ALLOW IN Anywhere\n[ 3] 22/tcp (v6) \
                      ALLOW IN Anywhere (v6)\n";
        assert_eq!(relative(0, "first-ipv4", status), Some(1));
        assert_eq!(relative(0, "last-ipv4", status), Some(2));
        assert_eq!(relative(0, "first-ipv6", status), Some(3));
        assert_eq!(relative(-1, "last-ipv6", status), Some(2));
        assert_eq!(relative(1, "last-ipv6", status), None);
        assert_eq!(relative(0, "first-ipv4", "Status: inactive\n"), None);
    }
}
