//! `provision graph`: which tasks of a playbook wait for which, and why.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use clap::{ArgAction, Args};
use engine::event::{Event, Reporter};
use engine::graph::{Graph, draw};
use lang::playbook::{Hooks, Loader};

use super::options::{ConnectionOptions, InventoryOptions, RunOptions, VaultOptions};
use super::playbook::{Passwords, limit, load, new_run, run_options};
use super::setup::Setup;
use super::terminal::{Suspend, Terminal};
use super::{Exit, Failure};

/// Show which tasks of a playbook wait for which, and why.
#[derive(Clone, Debug, Args)]
pub struct GraphCommand {
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbook: PathBuf,
    #[command(flatten)]
    inventory: InventoryOptions,
    #[command(flatten)]
    vault: VaultOptions,
    /// How to draw it: text, dot, mermaid, svg, json
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "dot", "mermaid", "svg", "json"])]
    format: String,
    /// With the variables of this host, not of the first of each play
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Only tasks with these tags
    #[arg(short, long, value_name = "TAGS", action = ArgAction::Append)]
    tags: Vec<String>,
    /// No tasks with these tags
    #[arg(long, value_name = "TAGS", action = ArgAction::Append)]
    skip_tags: Vec<String>,
    /// Variables: key=value, JSON, YAML, or @FILE
    #[arg(short, long = "extra-vars", value_name = "VARS", action = ArgAction::Append)]
    extra_vars: Vec<String>,
    /// Further directories with modules
    #[arg(short = 'M', long, value_name = "DIR", action = ArgAction::Append)]
    module_path: Vec<String>,
}

/// Nothing runs, so there is nothing to report.
struct Silent;

impl Reporter for Silent {
    fn event(&mut self, _event: &Event) {}
}

/// Print the graphs of all plays.
pub fn run(options: GraphCommand) -> Result<u8, Failure> {
    let playbook = &options.playbook;
    if !playbook.is_file() {
        return Err(Failure::new(format!("the playbook: {} could not be found", playbook.display())));
    }
    let setup = Setup::new(&options.inventory, &options.vault, &options.extra_vars, &options.module_path)?;
    let shown = RefCell::default();
    let hooks: Arc<dyn Hooks> = setup.hooks.clone();
    let loader = Loader::new(hooks.clone(), setup.extra_vars.clone());
    let inventory = setup.inventory()?;
    setup.note(&inventory, 0);
    if let Some(host) = options.host.as_ref().filter(|h| !inventory.host_names().contains(h)) {
        return Err(Failure::with(Exit::Error, format!("the inventory has no host '{host}'")));
    }
    let playbooks = load(&loader, std::slice::from_ref(playbook))?;
    let run_only = RunOptions {
        tags: options.tags.clone(),
        skip_tags: options.skip_tags.clone(),
        ..RunOptions::default()
    };
    let mut engine = run_options(&run_only, &ConnectionOptions::default(), &setup, Passwords::default());
    engine.limit = limit(&options.inventory.limit);
    let suspend: Suspend = Arc::new(|work: &mut dyn FnMut()| work());
    let terminal = Arc::new(Terminal::new(suspend));
    let run = new_run(&setup, engine, hooks, loader, inventory, Box::new(Silent), terminal)?;
    let times = super::timings::load(playbook);
    let mut graphs = Vec::new();
    let mut errors = Vec::new();
    for play in playbooks.iter().flat_map(|p| &p.plays) {
        match Rc::clone(&run).graph(play, options.host.as_deref()) {
            Ok(mut graph) => {
                graph.mark_critical(|node| times.get(&node.pos.as_ref()?.to_string()).copied());
                graphs.push(graph);
            }
            Err(more) => errors.extend(more),
        }
    }
    setup.show_warnings(&shown);
    if !errors.is_empty() {
        return Err(errors.into());
    }
    super::out(&drawn(&graphs, &options.format));
    Ok(0)
}

fn drawn(graphs: &[Graph], format: &str) -> String {
    match format {
        "dot" => draw::dot(graphs),
        "mermaid" => draw::mermaid(graphs),
        "svg" => draw::svg(graphs),
        "json" => format!("{:#}\n", draw::json(graphs)),
        _ => draw::text(graphs, &std::env::current_dir().unwrap_or_default()),
    }
}
