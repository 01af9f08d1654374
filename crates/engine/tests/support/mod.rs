//! Playbooks run on a scripted fleet; what happens is written down, one line for each event.

// Every test uses a part of it.
#![allow(dead_code)]

pub mod fleet;
mod hooks;
mod sequence;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use engine::run::Verdict;
use engine::user::Nobody;
use engine::world::World;
use engine::{Options, Run};
use lang::inventory::{Inventory, LoadOptions};
use lang::playbook::{Hooks, Loader};
use lang::template::{Templar, TemplarOptions};
use lang::vars::RunVars;
use lang::{Key, Map, Value};

use fleet::Fleet;
use hooks::EngineHooks;
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
    let source = dir.join("hosts").to_string_lossy().into_owned();
    let load = move || Inventory::load(std::slice::from_ref(&source), &LoadOptions::default());
    let inventory = load().expect("the inventory");
    let templar = Arc::new(Templar::new(TemplarOptions::default()));
    let hooks: Arc<dyn Hooks> = Arc::new(EngineHooks(templar.clone()));
    let loader = Loader::new(hooks.clone(), options.extra_vars.clone());
    let fleet = Rc::new(fleet);
    let playbook = match loader.playbook(&dir.join("site.yml")) {
        Ok(playbook) => playbook,
        Err(errors) => {
            let syntax = errors.iter().any(|e| e.kind() == lang::error::ErrorKind::Syntax);
            let error = errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
            return Ran { lines: Vec::new(), code: if syntax { 4 } else { 1 }, fleet, error: Some(error) };
        }
    };
    // What the command says, in part.
    let version = Map::from_iter([(Key::from("full"), Value::from("2.19"))]);
    let constants: Map = [
        ("ansible_check_mode", Value::Bool(options.check)),
        ("ansible_diff_mode", Value::Bool(options.diff)),
        ("ansible_forks", Value::Int(5)),
        ("ansible_run_tags", Value::list(Vec::new())),
        ("ansible_skip_tags", Value::list(Vec::new())),
        ("ansible_verbosity", Value::Int(0)),
        ("ansible_version", Value::map(version)),
    ]
    .into_iter()
    .map(|(name, value)| (Key::from(name), value))
    .collect();
    let vars = RunVars {
        connection: Default::default(),
        extra: Arc::new(options.extra_vars.clone()),
        constants: Arc::new(constants),
        merge,
        inject_facts: true,
    };
    let lines = Rc::new(RefCell::new(Vec::new()));
    let run = Rc::new(Run {
        options: Arc::new(options),
        templar,
        vars: Arc::new(vars),
        world: World::new(inventory),
        hooks,
        loader,
        secrets: None,
        connector: fleet.clone(),
        user: Rc::new(Nobody),
        reload_inventory: Box::new(load),
        reporter: RefCell::new(Box::new(Sequence::new(lines.clone(), PathBuf::from(dir)))),
        contents: Rc::default(),
        links: RefCell::default(),
        stats: RefCell::default(),
        custom: RefCell::default(),
        custom_per_host: RefCell::default(),
        failed: RefCell::default(),
        unreachable: RefCell::default(),
        started: Cell::new(false),
        step_freely: Cell::new(false),
        interrupted: Cell::new(false),
        timings: engine::timings::Timings::default(),
        warned: RefCell::default(),
        broken: RefCell::default(),
    });
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
