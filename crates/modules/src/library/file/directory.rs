//! `state: directory`: making it with its parents, and attributes of what is below it.

use std::fs;
use std::path::PathBuf;

use super::times::TimeChange;
use super::{Call, Sides, add_info, followed};
use crate::files::{AttrChange, State, errno_text, fail_at};
use crate::{Applied, Host, Plan, Result, result};

pub(super) fn plan(mut call: Call, host: &Host) -> Result<Plan> {
    call.follow(host);
    let path = call.args.path.0.clone();
    match call.before {
        State::Absent => Ok(make(call, host)),
        State::Directory if call.args.recurse => recurse(call, host),
        State::Directory => {
            let sides = Sides::new(&path, State::Directory, State::Directory);
            call.attributes(host, "path", result! {"path": path}, sides)
        }
        other => Err(fail_at(host, &path, format!("{path} already exists as a {}", other.word()))),
    }
}

fn make(call: Call, host: &Host) -> Plan {
    let path = call.args.path.0.clone();
    let sides = Sides::new(&path, State::Absent, State::Directory);
    let mut plan = Plan::change(result! {"path": path}, move |host| {
        let mut sides = Sides::new(&path, State::Absent, State::Directory);
        let made = make_all(&call, host, &mut sides);
        made.map(|()| {
            let mut result = result! {};
            add_info(host, "path", &path, &mut result);
            Applied { result, final_diff: host.diff().then(|| vec![sides.diff()]), ..Applied::default() }
        })
    });
    if host.diff() {
        plan.diff.push(sides.diff());
    }
    plan
}

/// Make what is missing of a path, each part with the attributes.
fn make_all(call: &Call, host: &Host, sides: &mut Sides) -> Result<()> {
    let path = &call.args.path.0;
    call.args.attrs.verify(host, path)?;
    let mut part = if path.starts_with('/') { String::new() } else { ".".to_owned() };
    for name in path.split('/').filter(|n| !n.is_empty()) {
        part = format!("{part}/{name}");
        let real = host.path(&part);
        if real.exists() {
            continue;
        }
        match fs::create_dir(&real) {
            Err(e) if !(e.kind() == std::io::ErrorKind::AlreadyExists && real.is_dir()) => {
                let why = errno_text(&e, Some(&real));
                let msg = format!("There was an issue creating {part} as requested: {why}");
                return Err(fail_at(host, path, msg));
            }
            _ => {}
        }
        let change = call.args.attrs.apply(host, &part)?;
        change.add_to_diff(&mut sides.before, &mut sides.after);
        let times = call.times.plan(host, &part)?;
        times.apply(host)?;
        times.add_to_diff(sides);
    }
    Ok(())
}

/// The directory and everything below it.
fn recurse(call: Call, host: &Host) -> Result<Plan> {
    let path = call.args.path.0.clone();
    let mut sides = Sides::new(&path, State::Directory, State::Directory);
    let mut changes = Changes::default();
    changes.look_at(&call, host, &path, Some(&mut sides))?;
    let mut visited = Vec::new();
    changes.walk(&call, host, &path, &mut visited)?;
    let mut result = result! {};
    add_info(host, "path", &path, &mut result);
    let mut plan = Plan::unchanged(result);
    if host.diff() {
        plan.diff.push(sides.diff());
    }
    if !changes.0.is_empty() {
        plan.apply = Some(Box::new(move |host: &Host| {
            for (attributes, times) in changes.0 {
                attributes.apply(host)?;
                times.apply(host)?;
            }
            let mut result = result! {};
            add_info(host, "path", &path, &mut result);
            Applied::with(result)
        }));
    }
    Ok(plan)
}

#[derive(Default)]
struct Changes(Vec<(AttrChange, TimeChange)>);

impl Changes {
    fn look_at(&mut self, call: &Call, host: &Host, path: &str, sides: Option<&mut Sides>) -> Result<()> {
        let attributes = call.args.attrs.plan(host, path)?;
        // Times of a link are those of its target, which may be missing.
        let times = if host.path(path).exists() {
            call.times.plan(host, path)?
        } else {
            super::Times::nothing().plan(host, path)?
        };
        if let Some(sides) = sides {
            attributes.add_to_diff(&mut sides.before, &mut sides.after);
            times.add_to_diff(sides);
        }
        if !attributes.is_empty() || !times.is_empty() {
            self.0.push((attributes, times));
        }
        Ok(())
    }

    fn walk(&mut self, call: &Call, host: &Host, dir: &str, visited: &mut Vec<PathBuf>) -> Result<()> {
        let real = host.path(dir);
        // Links may lead in circles.
        match real.canonicalize() {
            Ok(canonical) if !visited.contains(&canonical) => visited.push(canonical),
            _ => return Ok(()),
        }
        let entries = fs::read_dir(&real).map_err(|e| {
            let why = errno_text(&e, Some(&real));
            fail_at(host, dir, format!("could not list the directory {dir}: {why}"))
        })?;
        for entry in entries.flatten() {
            let path = format!("{}/{}", dir.trim_end_matches('/'), entry.file_name().to_string_lossy());
            self.look_at(call, host, &path, None)?;
            let real = host.path(&path);
            if !real.is_symlink() {
                if real.is_dir() {
                    self.walk(call, host, &path, visited)?;
                }
            } else if call.args.follow && real.exists() {
                let target = followed(host, &path);
                if real.is_dir() {
                    self.walk(call, host, &target, visited)?;
                }
                self.look_at(call, host, &target, None)?;
            }
        }
        Ok(())
    }
}
