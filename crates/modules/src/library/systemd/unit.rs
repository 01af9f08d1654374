//! What systemd knows about a unit.

use std::fs;

use crate::system::chroot::is_chroot;
use crate::system::program;
use crate::{Host, Map, Result, Value};

use super::{SystemdArgs, systemctl};

/// What `systemctl is-enabled` says of units that exist (systemctl(1)).
const STATES: &[&str] = &[
    "enabled",
    "enabled-runtime",
    "linked",
    "linked-runtime",
    "masked",
    "masked-runtime",
    "static",
    "indirect",
    "disabled",
    "generated",
    "transient",
    "alias",
];

/// Is there no systemd to talk to, on purpose?
pub fn is_offline(host: &Host) -> bool {
    host.env("SYSTEMD_OFFLINE").as_deref() == Some("1") || is_chroot(host)
}

pub struct Unit {
    name: String,
    /// The properties that `systemctl show` prints; empty for a template.
    pub status: Map,
    /// In a changed root, or with `SYSTEMD_OFFLINE=1`, systemctl tells nothing of what runs.
    pub offline: bool,
}

impl Unit {
    pub fn ask(args: &SystemdArgs, name: &str, host: &Host) -> Result<Self> {
        let output = program::run(host, &systemctl(args, host)?.args(["show", "--", name]))?;
        let status = if output.success() { parse(&output.out()) } else { Map::new() };
        let offline = !status.contains_key("ActiveState") && is_offline(host);
        Ok(Self { name: name.to_owned(), status, offline })
    }

    fn property(&self, name: &str) -> &str {
        self.status.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn active(&self) -> &str {
        self.property("ActiveState")
    }

    pub fn is_running(&self) -> bool {
        matches!(self.active(), "active" | "activating")
    }

    pub fn is_masked(&self) -> bool {
        self.property("LoadState") == "masked" || self.property("UnitFileState") == "masked"
    }

    /// Is there such a unit, template or init script?
    pub fn is_found(&self, args: &SystemdArgs, host: &Host) -> Result<bool> {
        let loaded = !matches!(self.property("LoadState"), "" | "not-found");
        Ok(loaded
            || self.is_template(host)
            || self.has_init_script(host)
            || self.offline && self.is_installed(args, host)?)
    }

    /// Is there a file of this name? That is known without a running systemd, too.
    fn is_installed(&self, args: &SystemdArgs, host: &Host) -> Result<bool> {
        let said = program::run(host, &systemctl(args, host)?.args(["is-enabled", "--", &self.name]))?;
        Ok(STATES.contains(&said.out().trim())
            || program::run(host, &systemctl(args, host)?.args(["list-unit-files", "--", &self.name]))?
                .success())
    }

    fn is_template(&self, host: &Host) -> bool {
        let Some(stem) = self.name.trim_end_matches(".service").strip_suffix('@') else { return false };
        let places =
            ["/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system"];
        places.iter().any(|dir| host.path(format!("{dir}/{stem}@.service")).exists())
    }

    fn has_init_script(&self, host: &Host) -> bool {
        !self.name.contains(['.', '/', '@']) && host.path(format!("/etc/init.d/{}", self.name)).exists()
    }

    /// Does it start at boot? The words are those of `systemctl is-enabled`.
    pub fn is_enabled(&self, args: &SystemdArgs, host: &Host) -> Result<bool> {
        if args.scope != "global" {
            match self.property("UnitFileState") {
                "enabled" | "static" | "linked" | "transient" => return Ok(true),
                "disabled" | "masked" | "linked-runtime" => return Ok(false),
                "generated" if self.has_init_script(host) => return Ok(self.is_enabled_in_rc(host)),
                _ => {}
            }
        }
        // With `--full`, the links that enable an indirect unit follow.
        let ask = systemctl(args, host)?.args(["is-enabled", "--full", "--", &self.name]);
        let output = program::run(host, &ask)?;
        Ok(output.success() && !matches!(output.out().trim(), "enabled-runtime" | "indirect" | "alias"))
    }

    /// Is there a link like `/etc/rc2.d/S01name`?
    fn is_enabled_in_rc(&self, host: &Host) -> bool {
        let links = |level: char| {
            fs::read_dir(host.path(format!("/etc/rc{level}.d"))).into_iter().flatten().flatten()
        };
        "0123456S".chars().flat_map(links).any(|entry| {
            let file = entry.file_name();
            let file = file.to_string_lossy();
            file.starts_with('S') && file.len() == self.name.len() + 3 && file.ends_with(&self.name)
        })
    }
}

/// `Name=value` lines. A value that starts with a brace may go over lines until one ends with a brace.
fn parse(text: &str) -> Map {
    let mut map = Map::new();
    let mut open: Option<(String, String)> = None;
    for line in text.lines() {
        if let Some((key, value)) = &mut open {
            value.push('\n');
            value.push_str(line);
            if line.trim_end().ends_with('}') {
                map.insert(std::mem::take(key), std::mem::take(value).trim().into());
                open = None;
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else { continue };
        if value.trim_start().starts_with('{') && !value.trim_end().ends_with('}') {
            open = Some((key.to_owned(), value.to_owned()));
        } else {
            map.insert(key.to_owned(), value.trim().into());
        }
    }
    map
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result;

    #[test]
    fn properties_may_go_over_lines() {
        let text = "Id=x.service\nExecStart={ path=/bin/sh ; argv[]=sh -c a\nb ; pid=1 }\nDescription=a=b \nEmpty=\n";
        let expected = result! {
            "Id": "x.service", "ExecStart": "{ path=/bin/sh ; argv[]=sh -c a\nb ; pid=1 }",
            "Description": "a=b", "Empty": ""
        };
        assert_eq!(parse(text), expected);
    }
}
