//! `state: link` and `state: hard`.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use super::{Call, Sides, add_info};
use crate::files::{State, add_path_info, errno_text, fail_at};
use crate::{Applied, Host, ModuleError, Plan, Result, result};

pub(super) fn plan(call: Call, host: &Host) -> Result<Plan> {
    let path = call.args.path.0.clone();
    let real = host.path(&path);
    let current = fs::read_link(&real).ok();
    let src = match &call.args.src {
        Some(src) => Some(src.0.clone()),
        None if call.args.follow && real.exists() => current.as_deref().map(text),
        None => None,
    };
    if let Some(src) = &src
        && !call.args.force
    {
        let base = if call.before == State::Directory {
            real.as_path()
        } else {
            real.parent().unwrap_or(Path::new("/"))
        };
        let there = if src.starts_with('/') { host.path(src) } else { base.join(src) };
        if !there.exists() {
            let base = if call.before == State::Directory {
                Path::new(&path)
            } else {
                Path::new(&path).parent().unwrap_or(Path::new(""))
            };
            let msg = format!(
                "src file does not exist, use 'force=yes' if you really want to create the link: {}",
                base.join(src).display()
            );
            return Err(fail_at(host, &path, msg).with("src", src.as_str()));
        }
    }
    match call.before {
        State::Directory
            if call.args.force && fs::read_dir(&real).is_ok_and(|mut entries| entries.next().is_some()) =>
        {
            let msg = format!("the directory {path} is not empty, refusing to convert it");
            return Err(fail_at(host, &path, msg));
        }
        State::Directory | State::File | State::Hard if !call.args.force => {
            let was = call.before.word();
            return Err(fail_at(
                host,
                &path,
                format!("refusing to convert from {was} to symlink for {path}"),
            ));
        }
        _ => {}
    }
    let mut sides = Sides::new(&path, call.before, State::Link);
    let mut result = result! {"dest": path, "src": src};
    let Some(src) = src else {
        if call.before == State::Link {
            return call.attributes(host, "dest", result, sides);
        }
        return Err(ModuleError::new("src is required for creating new symlinks"));
    };
    if call.before == State::Link {
        let current = current.map(|c| text(&c)).unwrap_or_default();
        if current == src {
            if call.target_is_missing(host) {
                add_path_info_if_there(host, &path, &mut result);
                return Ok(Plan {
                    diff: host.diff().then(|| sides.diff()).into_iter().collect(),
                    ..Plan::unchanged(result)
                });
            }
            return call.attributes(host, "dest", result, sides);
        }
        sides.before.insert("src".into(), current.into());
        sides.after.insert("src".into(), src.clone().into());
    }
    add_path_info_if_there(host, &path, &mut result);
    let old = call.before;
    put(call, host, result, sides, move |real| replace(real, old, |at| symlink(&src, at)))
}

pub(super) fn plan_hard(call: Call, host: &Host) -> Result<Plan> {
    let path = call.args.path.0.clone();
    let real = host.path(&path);
    let src = call.args.src.as_ref().map(|s| s.0.clone());
    let mut sides = Sides::new(&path, call.before, State::Hard);
    let mut result = result! {"dest": path, "src": src};
    let Some(src) = src else {
        if call.before == State::Hard {
            return call.attributes(host, "dest", result, sides);
        }
        return Err(ModuleError::new("src is required for creating new hardlinks"));
    };
    let real_src = host.path(&src);
    let about = |msg: &str| {
        let mut error = ModuleError::new(msg).with("dest", path.as_str()).with("src", src.as_str());
        add_path_info(host, &mut error.result);
        error
    };
    let Ok(source) = fs::metadata(&real_src) else { return Err(about("src does not exist")) };
    let same = fs::metadata(&real).is_ok_and(|m| m.ino() == source.ino() && m.dev() == source.dev());
    match call.before {
        State::Absent => {}
        State::Link => {
            let old = fs::read_link(&real).map(|l| text(&l)).unwrap_or_default();
            if old == src {
                return call.attributes(host, "dest", result, sides);
            }
            sides.before.insert("src".into(), old.into());
            sides.after.insert("src".into(), src.clone().into());
        }
        State::Hard if same => return call.attributes(host, "dest", result, sides),
        _ if call.args.force => {}
        State::Hard => return Err(about("Cannot link, different hard link exists at destination")),
        State::File => return Err(about("Cannot link, file exists at destination")),
        State::Directory => return Err(about("Cannot link: different hard link exists at destination")),
    }
    add_path_info_if_there(host, &path, &mut result);
    let (old, follow) = (call.before, call.args.follow);
    put(call, host, result, sides, move |real| {
        let source = if follow { real_src.canonicalize()? } else { real_src };
        replace(real, old, |at| fs::hard_link(&source, at))
    })
}

/// Put a link in its place, then its attributes.
fn put(
    call: Call,
    host: &Host,
    result: protocol::Map,
    sides: Sides,
    make: impl FnOnce(&Path) -> io::Result<()> + Send + 'static,
) -> Result<Plan> {
    let diff: Vec<_> = host.diff().then(|| sides.diff()).into_iter().collect();
    let path = call.args.path.0.clone();
    let mut plan = Plan::change(result, move |host| {
        call.args.attrs.verify(host, &path)?;
        let mut sides = sides;
        let real = host.path(&path);
        let what = if call.before == State::Absent { "linking" } else { "replacing" };
        make(&real).map_err(|e| {
            fail_at(host, &path, format!("Error while {what}: {}", errno_text(&e, Some(&real))))
        })?;
        call.finish_new(host, &mut sides)?;
        let mut result = result! {};
        add_path_info_if_there(host, &path, &mut result);
        Ok(Applied { result, final_diff: host.diff().then(|| vec![sides.diff()]), ..Applied::default() })
    });
    plan.diff = diff;
    Ok(plan)
}

/// Make something in place of what was there, in one step where the system can.
fn replace(real: &Path, old: State, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    if old == State::Absent {
        return make(real);
    }
    let mut beside = PathBuf::from(real);
    beside.set_file_name(format!(".provision-{}.tmp", std::process::id()));
    let _ = fs::remove_file(&beside);
    make(&beside)?;
    let removed = if old == State::Directory { fs::remove_dir(real) } else { Ok(()) };
    removed.and_then(|()| fs::rename(&beside, real)).inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Results about a link that leads nowhere have no keys about it.
fn add_path_info_if_there(host: &Host, path: &str, result: &mut protocol::Map) {
    if host.path(path).exists() {
        add_info(host, "dest", path, result);
    }
}

impl Call {
    fn target_is_missing(&self, host: &Host) -> bool {
        self.args.follow && !host.path(&*self.args.path).exists()
    }
}
