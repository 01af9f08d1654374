//! A run of `site.yml` on the hosts of `hosts`, as the command would set it up.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use engine::event::Reporter;
use engine::link::Connector;
use engine::user::Nobody;
use engine::{Options, Run, RunInput};
use lang::inventory::{Inventory, LoadOptions};
use lang::playbook::{Hooks, Loader, Playbook};
use lang::template::{Templar, TemplarOptions};
use lang::vars::RunVars;
use lang::{Key, Map, Value};

use super::hooks::EngineHooks;

/// The run and its playbook, or everything that is wrong with the playbook. `merge`: `hash_behaviour`.
pub fn prepare(
    dir: &Path,
    options: Options,
    connector: Rc<dyn Connector>,
    reporter: Box<dyn Reporter>,
    merge: bool,
) -> Result<(Rc<Run>, Playbook), Vec<lang::Error>> {
    let source = dir.join("hosts").to_string_lossy().into_owned();
    let load = move || Inventory::load(std::slice::from_ref(&source), &LoadOptions::default());
    let inventory = load().map_err(|error| vec![error])?;
    let templar = Arc::new(Templar::new(TemplarOptions::default()));
    let hooks: Arc<dyn Hooks> = Arc::new(EngineHooks(templar.clone()));
    let loader = Loader::new(hooks.clone(), options.extra_vars.clone());
    let playbook = loader.playbook(&dir.join("site.yml"))?;
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
    let run = Rc::new(Run::new(RunInput {
        options,
        templar,
        vars,
        inventory,
        hooks,
        loader,
        secrets: None,
        connector,
        user: Arc::new(Nobody),
        reload_inventory: Box::new(load),
        reporter,
    }));
    Ok((run, playbook))
}
