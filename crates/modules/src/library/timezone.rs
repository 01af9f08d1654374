//! `timezone`: the time zone of the host, and what its hardware clock counts.

use std::os::unix::fs::symlink;
use std::path::{Component, Path};

use crate::files::strerror;
use crate::process::find_program;
use crate::system::program::process;
use crate::system::textfile::{self, Rights};
use crate::{Applied, Diff, Effects, Host, Map, Module, Plan, Resource, Result, args, fail, json, result};

const ZONES: &str = "/usr/share/zoneinfo";
const LINK: &str = "/etc/localtime";
const NAME: &str = "/etc/timezone";
const CLOCK: &str = "/etc/adjtime";

args! {
    pub struct TimezoneArgs {
        /// The zone: `Europe/Berlin`.
        name: Option<String>;
        /// Whether the hardware clock counts local time.
        hwclock: Option<String> = choices(&["local", "UTC"]), aliases(&["rtc"]);
    }
    checks { required_one_of(&["hwclock", "name"]) }
}

pub struct Timezone;

impl Module for Timezone {
    type Args = TimezoneArgs;
    const NAME: &'static str = "timezone";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Set the time zone.";

    fn effects(_: &TimezoneArgs) -> Effects {
        Effects::writes([LINK, NAME, CLOCK].map(|path| Resource::Path(path.to_owned())))
    }

    fn plan(args: TimezoneArgs, host: &Host) -> Result<Plan> {
        let (mut before, mut after) = (Map::new(), Map::new());
        let mut zone = None;
        if let Some(name) = args.name {
            check(&name, host)?;
            let now = current(host)?;
            before.insert("name".into(), now.clone().into());
            after.insert("name".into(), name.clone().into());
            let written = textfile::read(host, NAME)?;
            if now != name || written.is_some_and(|text| text.trim() != name) {
                zone = Some(name);
            }
        }
        let mut clock = None;
        if let Some(wanted) = args.hwclock {
            let now = clock_of(host)?;
            before.insert("hwclock".into(), now.into());
            after.insert("hwclock".into(), wanted.clone().into());
            if now != wanted {
                clock = Some(wanted);
            }
        }
        let mut plan = Plan::unchanged(result! {});
        if host.diff() {
            plan.diff.push(Diff {
                before: Some(json!(before)),
                after: Some(json!(after)),
                ..Diff::default()
            });
        }
        if zone.is_some() || clock.is_some() {
            plan.apply = Some(Box::new(move |host: &Host| {
                let systemd =
                    host.path("/run/systemd/system").exists() && find_program(host, "timedatectl").is_some();
                let mut result = Map::new();
                match &zone {
                    Some(zone) if systemd => {
                        drop(process(host, "timedatectl")?.args(["set-timezone", zone]).check(host)?)
                    }
                    Some(zone) => drop(result.insert("msg".into(), set(zone, host)?.into())),
                    None => {}
                }
                match clock.as_deref() {
                    Some(clock) if systemd => {
                        let local = if clock == "local" { "yes" } else { "no" };
                        process(host, "timedatectl")?.args(["set-local-rtc", local]).check(host)?;
                    }
                    Some(clock) => set_clock(clock, host)?,
                    None => {}
                }
                Applied::with(result)
            }));
        }
        Ok(plan)
    }
}

/// Is there such a zone?
fn check(name: &str, host: &Host) -> Result<()> {
    let plain = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if plain && host.path(Path::new(ZONES).join(name)).is_file() {
        return Ok(());
    }
    Err(fail!("Error message:\ngiven timezone \"{name}\" is not available"))
}

/// The zone now: what the link says, else the file.
fn current(host: &Host) -> Result<String> {
    let target = std::fs::read_link(host.path(LINK)).unwrap_or_default();
    let target = target.to_string_lossy();
    if let Some((_, zone)) = target.split_once("zoneinfo/") {
        return Ok(zone.to_owned());
    }
    Ok(textfile::read(host, NAME)?.unwrap_or_default().trim().to_owned())
}

/// Set it in the files; tells what was done in Ansible's words.
fn set(zone: &str, host: &Host) -> Result<String> {
    let old = textfile::read(host, NAME)?.unwrap_or_default();
    textfile::write(host, NAME, format!("{zone}\n").as_bytes(), Rights::default())?;
    let link = host.path(LINK);
    let beside = link.with_file_name(format!(".provision-{}", std::process::id()));
    let made = symlink(Path::new(ZONES).join(zone), &beside).and_then(|()| std::fs::rename(&beside, &link));
    made.map_err(|e| fail!("could not link {LINK}: {}", strerror(&e)))?;
    Ok(format!("Added 1 line and deleted {} line(s) on {NAME}", old.lines().count()))
}

/// What the hardware clock counts.
fn clock_of(host: &Host) -> Result<&'static str> {
    let text = textfile::read(host, CLOCK)?.unwrap_or_default();
    Ok(if text.lines().nth(2).is_some_and(|line| line.trim() == "LOCAL") { "local" } else { "UTC" })
}

fn set_clock(clock: &str, host: &Host) -> Result<()> {
    let text = textfile::read(host, CLOCK)?.unwrap_or_default();
    let mut lines: Vec<&str> = text.lines().collect();
    for missing in ["0.0 0 0.0", "0"].iter().skip(lines.len()) {
        lines.push(missing);
    }
    lines.truncate(2);
    let word = if clock == "local" { "LOCAL" } else { "UTC" };
    textfile::write(host, CLOCK, format!("{}\n{word}\n", lines.join("\n")).as_bytes(), Rights::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_the_third_line() {
        let dir = tempfile::tempdir().unwrap();
        let host = Host::at(dir.path(), dir.path());
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        assert_eq!(clock_of(&host).unwrap(), "UTC");
        set_clock("local", &host).unwrap();
        assert_eq!(textfile::read(&host, CLOCK).unwrap().unwrap(), "0.0 0 0.0\n0\nLOCAL\n");
        assert_eq!(clock_of(&host).unwrap(), "local");
    }
}
