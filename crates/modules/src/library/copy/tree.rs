//! A directory with everything in it, as one plan.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Component, Path};

use super::one::{Difference, Put, attributes_diff};
use super::{CopyArgs, join, make_directories};
use crate::args::{ArgType, Raw};
use crate::files::{AttrChange, FileAttrs, strerror};
use crate::{Applied, Blob, Host, ModuleError, Plan, Result, Value, fail, result};

/// One change of the tree.
enum Action {
    Directory(String),
    Link { path: String, target: String },
    File(Put),
    Attributes(AttrChange),
}

pub(super) fn plan(args: CopyArgs, entries: Vec<Raw>, host: &Host) -> Result<Plan> {
    let dest = join(&args.dest, "");
    let directories = args.directory_attrs();
    let mut actions = Vec::new();
    let mut diffs = Vec::new();
    for entry in entries {
        let entry = Entry::read(entry.0)?;
        let path = join(&args.dest, &entry.path);
        let real = host.path(&path);
        match entry.kind {
            Kind::Directory if real.is_dir() => {
                let change = directories.plan(host, &path)?;
                if !change.is_empty() {
                    if host.diff() {
                        diffs.push(attributes_diff(&path, &change));
                    }
                    actions.push(Action::Attributes(change));
                }
            }
            Kind::Directory => actions.push(Action::Directory(path)),
            Kind::Link(target) => {
                if fs::read_link(&real).ok().as_deref() != Some(Path::new(&target)) {
                    actions.push(Action::Link { path, target });
                }
            }
            Kind::File(content) => {
                let mode = entry.mode.or_else(|| args.attrs.mode.clone());
                let put = Put {
                    dest: path.clone(),
                    content,
                    attrs: FileAttrs { mode, ..args.attrs.clone() },
                    backup: args.backup,
                    validate: args.validate.clone(),
                    checksum: None,
                    header: entry.source,
                    name: None,
                };
                if !args.force && real.symlink_metadata().is_ok() {
                    continue;
                }
                match put.difference(host)? {
                    Difference::Content => {
                        diffs.extend(put.diff(host, &path)?);
                        actions.push(Action::File(put));
                    }
                    Difference::Attributes(change) if change.is_empty() => {}
                    Difference::Attributes(change) => {
                        if host.diff() {
                            diffs.push(attributes_diff(&path, &change));
                        }
                        actions.push(Action::Attributes(change));
                    }
                }
            }
        }
    }
    let mut plan = Plan::unchanged(result! {"dest": dest});
    plan.diff = diffs;
    if !actions.is_empty() || !host.path(&*args.dest).is_dir() {
        let dest = args.dest.0;
        plan.apply = Some(Box::new(move |host: &Host| {
            make_directories(host, dest.trim_end_matches('/'), &directories)?;
            for action in actions {
                if host.is_cancelled() {
                    return Err(fail!("it was stopped"));
                }
                action.carry_out(host, &directories)?;
            }
            Applied::done()
        }));
    }
    Ok(plan)
}

impl Action {
    fn carry_out(self, host: &Host, directories: &FileAttrs) -> Result<()> {
        let parent = |path: &str| -> Result<()> {
            let parent = Path::new(path).parent().unwrap_or(Path::new("/")).to_string_lossy().into_owned();
            make_directories(host, &parent, directories)
        };
        match self {
            Self::Directory(path) => make_directories(host, &path, directories),
            Self::Link { path, target } => {
                parent(&path)?;
                let real = host.path(&path);
                let fail = |e: std::io::Error| fail!("could not make the link {path}: {}", strerror(&e));
                if real.symlink_metadata().is_ok() {
                    fs::remove_file(&real).map_err(fail)?;
                }
                symlink(target, &real).map_err(fail)
            }
            Self::File(put) => {
                parent(&put.dest)?;
                put.write(host).map(drop)
            }
            Self::Attributes(change) => change.apply(host),
        }
    }
}

struct Entry {
    path: String,
    kind: Kind,
    mode: Option<Raw>,
    source: Option<String>,
}

enum Kind {
    File(Blob),
    Directory,
    Link(String),
}

impl Entry {
    fn read(value: Value) -> Result<Self> {
        let bad = |why: &str| ModuleError::new(format!("an entry of the tree {why}"));
        let Value::Object(mut map) = value else { return Err(bad("is not a dictionary")) };
        let Some(Value::String(path)) = map.remove("path") else { return Err(bad("has no path")) };
        // It comes from our own controller, but what leaves the destination is refused all the same.
        if !Path::new(&path).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir)) {
            return Err(bad("has a path that leaves the destination"));
        }
        let kind = match (map.remove("content"), map.remove("link"), map.remove("directory")) {
            (Some(content), None, None) => Kind::File(Blob::coerce(content).map_err(ModuleError::new)?),
            (None, Some(Value::String(target)), None) => Kind::Link(target),
            (None, None, Some(Value::Bool(true))) => Kind::Directory,
            _ => return Err(bad("is neither content nor a directory nor a link")),
        };
        let source = map.remove("source").and_then(|s| s.as_str().map(str::to_owned));
        Ok(Self { path, kind, mode: map.remove("mode").map(Raw), source })
    }
}
