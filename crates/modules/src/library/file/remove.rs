//! `state: absent`.

use std::fs;
use std::path::Path;

use super::{Call, Sides, add_info};
use crate::files::{State, errno_text, fail_at};
use crate::{Applied, Host, Plan, Result, json, result};

/// Names listed in a diff at most.
const LISTED: usize = 10_000;

pub(super) fn plan(call: Call, host: &Host) -> Result<Plan> {
    let path = call.args.path.0;
    let gone = result! {"path": path, "state": "absent"};
    if call.before == State::Absent {
        return Ok(Plan::unchanged(gone));
    }
    let mut result = gone.clone();
    if host.path(&path).exists() {
        add_info(host, "path", &path, &mut result);
    }
    let mut sides = Sides::new(&path, call.before, State::Absent);
    if host.diff() && call.before == State::Directory {
        let mut found = (Vec::new(), Vec::new());
        list(&host.path(&path), &path, &mut found);
        sides.before.insert("path_content".into(), json!({"directories": found.0, "files": found.1}));
    }
    let directory = call.before == State::Directory;
    let diff = host.diff().then(|| sides.diff());
    let mut plan = Plan::change(gone, move |host| {
        let real = host.path(&path);
        let (removed, what) = if directory {
            (fs::remove_dir_all(&real), "rmtree failed")
        } else {
            (fs::remove_file(&real), "unlinking failed")
        };
        match removed {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(fail_at(host, &path, format!("{what}: {}", errno_text(&e, Some(&real)))))
            }
            _ => Applied::done(),
        }
    });
    plan.check = Some(result);
    plan.diff.extend(diff);
    Ok(plan)
}

/// Directories and files below a directory, in the order of a walk.
fn list(real: &Path, shown: &str, found: &mut (Vec<String>, Vec<String>)) {
    let mut below = Vec::new();
    for entry in fs::read_dir(real).into_iter().flatten().flatten() {
        if found.0.len() + found.1.len() >= LISTED {
            return;
        }
        let name = format!("{shown}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            if !entry.path().is_symlink() {
                below.push((entry.path(), name.clone()));
            }
            found.0.push(name);
        } else {
            found.1.push(name);
        }
    }
    for (real, shown) in below {
        list(&real, &shown, found);
    }
}
