//! `sysctl`: settings of the kernel, in a file and at once.

use crate::args::{Expanded, parse_bool};
use crate::system::program::{self, process};
use crate::system::textfile::{self, Rights};
use crate::{Applied, Effects, Host, Module, Plan, Resource, Result, args, fail, result};

args! {
    pub struct SysctlArgs {
        /// The setting.
        name: String = required(), aliases(&["key"]);
        /// Its value.
        value: Option<String> = aliases(&["val"]);
        /// Whether it should be in the file.
        state: String = choices(&["present", "absent"]), default("present");
        /// Load the file after a change.
        reload: bool = default("yes");
        /// Set it at once.
        sysctl_set: bool = default("no");
        /// Settings that the kernel does not have are no error.
        ignoreerrors: bool = default("no");
        /// The file.
        sysctl_file: Expanded = default("/etc/sysctl.conf");
    }
    checks { required_if("state", "present", &["value"]) }
}

pub struct Sysctl;

impl Module for Sysctl {
    type Args = SysctlArgs;
    const NAME: &'static str = "sysctl";
    const COLLECTION: &'static str = "ansible.posix";
    const DOC: &'static str = "Keep settings of the kernel.";

    fn effects(args: &SysctlArgs) -> Effects {
        Effects::writes([
            Resource::Path(args.sysctl_file.0.clone()),
            Resource::Named("sysctl", args.name.clone()),
        ])
    }

    fn plan(args: SysctlArgs, host: &Host) -> Result<Plan> {
        if args.name.is_empty() {
            return Err(fail!("name cannot be blank"));
        }
        let present = args.state == "present";
        let value = value_of(args.value.as_deref().unwrap_or_default());
        if present && value.is_empty() {
            return Err(fail!("value cannot be blank"));
        }
        let before = textfile::read(host, &args.sysctl_file)?.unwrap_or_default();
        let after = edited(&before, &args.name, present.then_some(value.as_str()));
        let filed = settings(&before).find(|(name, _)| *name == args.name).map(|(_, value)| value.to_owned());
        let write = if present { filed.as_deref() != Some(value.as_str()) } else { filed.is_some() };
        let now = || -> Result<Option<String>> {
            let asked = process(host, "sysctl")?.args(["-e", "-n", &args.name]);
            let said = program::run(host, &asked)?;
            Ok(Some(said.out().trim().to_owned()).filter(|text| said.success() && !text.is_empty()))
        };
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let differs = present
            && (args.sysctl_set || args.reload)
            && now()?.is_none_or(|now| words(&now) != words(&value));
        let set = args.sysctl_set && differs;
        if !write && !differs {
            return Ok(Plan::unchanged(result! {}));
        }
        let path = args.sysctl_file.0.clone();
        let diff = (host.diff() && write).then(|| textfile::diff(&before, &after, &path, &path));
        let mut plan = Plan::change(result! {}, move |host| {
            if set {
                set_now(&args, &value, host)?;
            }
            if write {
                textfile::write(host, &args.sysctl_file, after.as_bytes(), Rights::default())?;
            }
            if args.reload {
                reload(&args, host)?;
            }
            Applied::done()
        });
        plan.diff.extend(diff);
        Ok(plan)
    }
}

/// Truth is a number for the kernel.
fn value_of(text: &str) -> String {
    match text.trim() {
        "0" | "1" => text.trim().to_owned(),
        other => match parse_bool(other) {
            Some(truth) => u8::from(truth).to_string(),
            None => other.to_owned(),
        },
    }
}

/// Name and value of a line that has them.
fn setting(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let (name, value) = line.split_once('=').filter(|_| !line.starts_with(['#', ';']))?;
    Some((name.trim(), value.trim()))
}

fn settings(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(setting)
}

/// The file with the setting, or without it. Of a name that is there twice the first line stays.
fn edited(text: &str, name: &str, value: Option<&str>) -> String {
    let mut lines = Vec::new();
    let mut seen = Vec::new();
    for line in text.lines() {
        let Some((key, old)) = setting(line) else {
            lines.push(line.trim_end().to_owned());
            continue;
        };
        if seen.contains(&key) {
            continue;
        }
        seen.push(key);
        match value {
            _ if key != name => lines.push(format!("{key}={old}")),
            Some(value) => lines.push(format!("{key}={value}")),
            None => {}
        }
    }
    if let Some(value) = value.filter(|_| !seen.contains(&name)) {
        lines.push(format!("{name}={value}"));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

fn set_now(args: &SysctlArgs, value: &str, host: &Host) -> Result<()> {
    let mut line = process(host, "sysctl")?;
    if args.ignoreerrors {
        line = line.arg("-e");
    }
    let said = program::run(host, &line.args(["-w", &format!("{}={value}", args.name)]))?;
    // It does not always say so by its exit status.
    let refused = ["invalid argument", "read-only file system"];
    let refused = refused.iter().any(|text| said.err().to_lowercase().contains(text));
    if said.success() && (!refused || args.ignoreerrors) {
        return Ok(());
    }
    Err(fail!("setting {} failed: {}{}", args.name, said.out(), said.err()))
}

fn reload(args: &SysctlArgs, host: &Host) -> Result<()> {
    let mut line = process(host, "sysctl")?;
    if args.ignoreerrors {
        line = line.arg("-e");
    }
    let said = program::run(host, &line.args(["-p", &args.sysctl_file]))?;
    match said.success() {
        true => Ok(()),
        false => Err(fail!("Failed to reload sysctl: {}{}", said.out(), said.err())),
    }
}

#[cfg(test)]
mod tests {
    use super::edited;

    #[test]
    fn the_file_keeps_what_is_not_meant() {
        let text = "# a\n\na = 1\nb=2\na=3\nno setting\n";
        assert_eq!(edited(text, "b", Some("5")), "# a\n\na=1\nb=5\nno setting\n");
        assert_eq!(edited(text, "a", None), "# a\n\nb=2\nno setting\n");
        assert_eq!(edited("", "c", Some("x y")), "c=x y\n");
    }
}
