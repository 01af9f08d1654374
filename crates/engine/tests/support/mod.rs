//! Playbooks run on a scripted fleet; what happens is written down, one line for each event.

// Every test uses a part of it.
#![allow(dead_code)]

pub mod agent;
pub mod dice;
pub mod fleet;
mod hooks;
pub mod prepare;
mod sequence;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use engine::Options;
use engine::run::Verdict;

use fleet::Fleet;
use prepare::prepare;
use sequence::Sequence;

/// What came of a run.
pub struct Ran {
    pub lines: Vec<String>,
    pub code: u8,
    pub fleet: Rc<Fleet>,
    pub error: Option<String>,
}

/// Write files, and run `site.yml` on the hosts of `hosts` among them.
pub fn run(files: &BTreeMap<String, String>, options: Options, fleet: Fleet) -> Ran {
    run_with(files, options, fleet, false)
}

/// The same with `hash_behaviour` of the configuration.
pub fn run_with(files: &BTreeMap<String, String>, options: Options, fleet: Fleet, merge: bool) -> Ran {
    let dir = tempfile::tempdir().expect("a directory");
    for (name, text) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
        std::fs::write(path, text).expect("a file");
    }
    run_in(dir.path(), options, fleet, merge)
}

fn run_in(dir: &Path, options: Options, fleet: Fleet, merge: bool) -> Ran {
    let fleet = Rc::new(fleet);
    let lines = Rc::new(RefCell::new(Vec::new()));
    let reporter = Box::new(Sequence::new(lines.clone(), PathBuf::from(dir)));
    let (run, playbook) = match prepare(dir, options, fleet.clone(), reporter, merge) {
        Ok(prepared) => prepared,
        Err(errors) => {
            let syntax = errors.iter().any(|e| e.kind() == lang::error::ErrorKind::Syntax);
            let error = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            return Ran { lines: Vec::new(), code: if syntax { 4 } else { 1 }, fleet, error: Some(error) };
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    let verdict = local.block_on(&runtime, async {
        let playbooks = [playbook];
        tokio::time::timeout(Duration::from_secs(60), run.playbooks(&playbooks)).await.unwrap_or_else(|_| {
            lines.borrow_mut().push("the run hangs".into());
            Verdict::Error
        })
    });
    let error = run.broken.borrow().as_ref().map(ToString::to_string);
    // As the command does: after an error of the run itself there are no numbers.
    if error.is_none() {
        run.finish();
    }
    run.close();
    let lines = lines.borrow().clone();
    Ran { lines, code: verdict as u8, fleet, error }
}

#[allow(unused_imports)]
pub use sequence::{by_host, in_rounds};
