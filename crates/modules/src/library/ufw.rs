//! `ufw`: the firewall of that name.

mod rule;

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::process::find_program;
use crate::system::program;
use crate::{Applied, Effects, Host, Module, Plan, Process, Resource, Result, args, fail, json, result};

args! {
    pub struct UfwArgs {
        /// Switch the firewall on or off, for now and for later; `reloaded` and `reset` are done each time.
        state: Option<String> = choices(&["enabled", "disabled", "reloaded", "reset"]);
        /// What happens to traffic that no rule is about.
        r#default: Option<String> = choices(&["allow", "deny", "reject"]), aliases(&["policy"]);
        /// What is logged.
        logging: Option<String> = choices(&["full", "high", "low", "medium", "off", "on"]);
        /// The direction of a rule (`in`, `out`) or of a default (`incoming`, `outgoing`, `routed`).
        direction: Option<String> = choices(&["in", "incoming", "out", "outgoing", "routed"]);
        /// Take the rule away.
        delete: bool = default("no");
        /// The rule is about traffic that is forwarded.
        route: bool = default("no");
        /// The number that a new rule gets.
        insert: Option<i64>;
        /// What `insert` counts from.
        insert_relative_to: String =
            choices(&["zero", "first-ipv4", "last-ipv4", "first-ipv6", "last-ipv6"]), default("zero");
        /// Add a rule.
        rule: Option<String> = choices(&["allow", "deny", "limit", "reject"]);
        /// The interface of a rule; needs `direction`.
        interface: Option<String> = aliases(&["if"]);
        /// The interface at which packets come in.
        interface_in: Option<String> = aliases(&["if_in"]);
        /// The interface at which packets go out.
        interface_out: Option<String> = aliases(&["if_out"]);
        /// Log new connections of the rule.
        log: bool = default("no");
        /// The source's address.
        from_ip: String = default("any"), aliases(&["from", "src"]);
        /// The source's port.
        from_port: Option<String>;
        /// The destination's address.
        to_ip: String = default("any"), aliases(&["dest", "to"]);
        /// The destination's port.
        to_port: Option<String> = aliases(&["port"]);
        /// The protocol.
        proto: Option<String> =
            choices(&["ah", "any", "esp", "ipv6", "tcp", "udp", "gre", "igmp", "vrrp"]), aliases(&["protocol"]);
        /// A profile in `/etc/ufw/applications.d`.
        name: Option<String> = aliases(&["app"]);
        /// A remark about the rule.
        comment: Option<String>;
    }
    checks {
        mutually_exclusive(&["name", "proto", "logging"]),
        mutually_exclusive(&["direction", "interface_in"]),
        mutually_exclusive(&["direction", "interface_out"]),
        required_one_of(&["state", "default", "rule", "logging"]),
        required_by("interface", &["direction"])
    }
}

pub struct Ufw;

impl Module for Ufw {
    type Args = UfwArgs;
    const NAME: &'static str = "ufw";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Manage the firewall ufw.";

    fn effects(_: &UfwArgs) -> Effects {
        Effects::writes([Resource::Path("/etc/ufw".into()), Resource::Named("ufw", String::new())])
    }

    fn plan(args: UfwArgs, host: &Host) -> Result<Plan> {
        let mut run = Run::new(host)?;
        let before = run.status(host)?;
        let rules = run.rules(host);
        let mut sure = false;
        let mut likely = false;
        let mut steps: Vec<Vec<String>> = Vec::new();
        if let Some(state) = &args.state {
            sure |= matches!(state.as_str(), "reloaded" | "reset");
            let active = before.contains(" active");
            likely |= (state == "disabled" && active) || (state == "enabled" && !active);
            let verb = match state.as_str() {
                "enabled" => "enable",
                "disabled" => "disable",
                "reloaded" => "reload",
                other => other,
            };
            steps.push(vec!["-f".into(), verb.into()]);
        }
        if let Some(policy) = &args.r#default {
            likely |= changes_default(policy, args.direction.as_deref(), &before)?;
            let words = [Some("default"), Some(policy), args.direction.as_deref()];
            steps.push(words.into_iter().flatten().map(str::to_owned).collect());
        }
        // ufw is asked for its version behind the commands before.
        let asked_at = steps.len();
        if args.rule.is_some() {
            let words = rule::words(&args, &run, host)?;
            likely |= changes_rules(&args, &rules, &mut run, &words, host)?;
            steps.push(words);
        }
        if let Some(level) = &args.logging {
            sure |= changes_logging(level, &before);
            steps.push(vec!["logging".into(), level.clone()]);
        }
        let dry = run.said.clone();
        let with_rule = args.rule.is_some();
        run.said.truncate(2);
        if !sure && !likely {
            // What the commands would have been, which change nothing.
            run.would(&steps, with_rule.then_some(asked_at));
            let commands = if host.check() { dry } else { run.said };
            return Ok(Plan::unchanged(match host.check() {
                true => result! {"commands": commands},
                false => result! {"commands": commands, "msg": before.trim_end()},
            }));
        }
        let check = Some(result! {"commands": dry});
        let plan = Plan::change(result! {}, move |host| {
            for (at, words) in steps.iter().enumerate() {
                if with_rule && at == asked_at {
                    run.execute(&["--version".to_owned()], host)?;
                }
                run.execute(words, host)?;
            }
            let after = run.status(host)?;
            let changed = sure || {
                let now = run.rules(host);
                before != after || rules != now
            };
            Applied::with(result! {"changed": changed, "commands": run.said, "msg": after.trim_end()})
        });
        Ok(Plan { check, ..plan })
    }
}

/// Where ufw keeps its rules.
const RULES: [&str; 6] = [
    "/lib/ufw/user.rules",
    "/lib/ufw/user6.rules",
    "/etc/ufw/user.rules",
    "/etc/ufw/user6.rules",
    "/var/lib/ufw/user.rules",
    "/var/lib/ufw/user6.rules",
];

const TUPLE: &str = "### tuple";

/// Commands, remembered as they are shown.
struct Run {
    ufw: String,
    grep: String,
    said: Vec<String>,
}

impl Run {
    fn new(host: &Host) -> Result<Self> {
        let ufw = program::required(host, "ufw")?.to_string_lossy().into_owned();
        let grep =
            find_program(host, "grep").map_or("grep".into(), |path| path.to_string_lossy().into_owned());
        Ok(Self { ufw, grep, said: Vec::new() })
    }

    fn shown(&self, words: &[String]) -> String {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut shown = self.ufw.clone();
        for (at, word) in words.iter().enumerate() {
            // A comment and the name of a profile may have blanks.
            let quoted = at > 0 && matches!(words[at - 1], "comment" | "app");
            shown += &if quoted { format!(" '{word}'") } else { format!(" {word}") };
        }
        shown
    }

    fn execute(&mut self, words: &[String], host: &Host) -> Result<String> {
        self.execute_as(self.shown(words), words, host)
    }

    /// Run a command, and show another.
    fn execute_as(&mut self, shown: String, words: &[String], host: &Host) -> Result<String> {
        self.said.push(shown);
        let said = program::run(host, &Process::new(&self.ufw).args(words))?;
        if said.success() {
            return Ok(said.out());
        }
        let msg = if said.stderr.is_empty() { said.out() } else { said.err() };
        Err(fail!("{msg}").with("commands", json!(self.said)))
    }

    fn status(&mut self, host: &Host) -> Result<String> {
        self.execute(&["status".to_owned(), "verbose".to_owned()], host)
    }

    /// The lines of ufw's files that are rules.
    fn rules(&mut self, host: &Host) -> String {
        self.said.push(format!("{} -h '^{TUPLE}' {}", self.grep, RULES.join(" ")));
        let mut rules = String::new();
        for path in RULES {
            let text = std::fs::read(host.path(path)).unwrap_or_default();
            for line in String::from_utf8_lossy(&text).lines().filter(|line| line.starts_with(TUPLE)) {
                rules.push_str(line);
                rules.push('\n');
            }
        }
        rules
    }

    /// Remember commands that need not be run.
    fn would(&mut self, steps: &[Vec<String>], version_at: Option<usize>) {
        let first = self.said.clone();
        for (at, words) in steps.iter().enumerate() {
            if version_at == Some(at) {
                self.said.push(format!("{} --version", self.ufw));
            }
            self.said.push(self.shown(words));
        }
        self.said.extend(first);
    }
}

fn changes_default(policy: &str, direction: Option<&str>, status: &str) -> Result<bool> {
    if matches!(direction, Some("in" | "out")) {
        return Err(fail!(
            "For default, direction must be one of \"outgoing\", \"incoming\" and \"routed\", or direction must not be \
             specified."
        ));
    }
    let now = default_of(status, direction.unwrap_or("incoming"));
    Ok(now.is_none_or(|now| now != policy && now != "disabled"))
}

/// Of `Default: deny (incoming), allow (outgoing), disabled (routed)`.
fn default_of<'a>(status: &'a str, direction: &str) -> Option<&'a str> {
    let line = status.lines().find_map(|line| line.strip_prefix("Default: "))?;
    let direction = format!("({direction})");
    line.split(", ")
        .find_map(|part| part.split_once(' ').filter(|(_, of)| *of == direction))
        .map(|(now, _)| now)
}

/// Of `Logging: on (low)`.
fn changes_logging(level: &str, status: &str) -> bool {
    let Some(now) = status.lines().find_map(|line| line.strip_prefix("Logging: ")) else { return true };
    let (switch, now) = now.split_once(' ').unwrap_or((now, ""));
    match level {
        "off" => switch != "off",
        "on" => switch == "off",
        level => switch == "off" || now.trim_matches(['(', ')']) != level,
    }
}

/// ufw says without doing it which rules there would be; of the protocol that the rule is about, if it has an address.
fn changes_rules(args: &UfwArgs, rules: &str, run: &mut Run, words: &[String], host: &Host) -> Result<bool> {
    run.execute(&["--version".to_owned()], host)?;
    let dry: Vec<String> = std::iter::once("--dry-run".to_owned()).chain(words.iter().cloned()).collect();
    let shown = if host.check() { run.shown(&dry) } else { run.shown(words) };
    let said = run.execute_as(shown, &dry, host)?;
    let skipped = said.lines().filter(|line| line.contains("Skipping")).count();
    if skipped > 0 && skipped == said.lines().count() {
        return Ok(false);
    }
    let new: Vec<&str> = said.lines().filter(|line| line.starts_with(TUPLE)).collect();
    let old: Vec<&str> = rules.lines().collect();
    let about = |fits: fn(&str) -> bool| {
        let of = |lines: &[&str]| {
            lines
                .iter()
                .filter(|line| line.split([' ', '/']).any(fits))
                .map(|l| (*l).to_owned())
                .collect::<Vec<_>>()
        };
        of(&old) != of(&new)
    };
    let address = |fits: fn(&str) -> bool| {
        [&args.from_ip, &args.to_ip].iter().any(|ip| fits(ip.split('/').next().unwrap_or_default()))
    };
    let ipv4 = |text: &str| text.parse::<Ipv4Addr>().is_ok();
    let ipv6 = |text: &str| text.parse::<Ipv6Addr>().is_ok();
    Ok(if address(ipv4) {
        about(ipv4)
    } else if address(ipv6) {
        about(ipv6)
    } else {
        old != new
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_status_says_is_compared() {
        let status = "Status: active\nLogging: on (low)\nDefault: deny (incoming), allow (outgoing), disabled (routed)\n";
        assert!(!changes_default("deny", None, status).unwrap());
        assert!(changes_default("deny", Some("outgoing"), status).unwrap());
        assert!(!changes_default("allow", Some("routed"), status).unwrap());
        assert!(changes_default("allow", Some("in"), status).is_err());
        assert!(!changes_logging("low", status) && !changes_logging("on", status));
        assert!(changes_logging("high", status) && changes_logging("off", status));
        assert!(changes_logging("on", "Status: inactive\n"));
    }
}
