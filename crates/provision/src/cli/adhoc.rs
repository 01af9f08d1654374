//! `provision adhoc PATTERN -m MODULE -a ARGS`: one task, without a playbook.
//!
//! The task is put into a playbook that exists only in memory, so that it is read and run like any other.

use std::cell::RefCell;
use std::io::{stderr, stdout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgAction, Args};
use lang::inventory::Inventory;
use lang::patterns::limit_patterns;
use lang::playbook::{Hooks, Loader, ModuleRef};
use lang::template::{MapScope, Scope, python_repr};
use lang::{Map, Value};
use serde_json::json;

use super::hooks::CommandHooks;
use super::options::{ConnectionOptions, InventoryOptions, RunOptions, VaultOptions};
use super::playbook::{
    Passwords, check_limit, default_options, execute, flush_cache, limit, load, run_options,
};
use super::setup::{Setup, absolute};
use super::terminal::Suspend;
use super::{Exit, Failure};
use crate::report::default::Default_;
use crate::report::minimal::Minimal;

/// Run one task on hosts.
#[derive(Clone, Debug, Args)]
pub struct AdhocCommand {
    /// Which hosts
    #[arg(value_name = "PATTERN")]
    pattern: String,
    #[command(flatten)]
    inventory: InventoryOptions,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    vault: VaultOptions,
    /// Module to run; command if nothing is said
    #[arg(short, long, value_name = "MODULE")]
    module_name: Option<String>,
    /// Its arguments: key=value, or JSON
    #[arg(short = 'a', long = "args", value_name = "ARGS", allow_hyphen_values = true)]
    args: Option<String>,
    /// Run in the background, for at most so many seconds
    #[arg(short = 'B', long, value_name = "SECONDS")]
    background: Option<u64>,
    /// Seconds between looking at a task in the background; 0: do not look
    #[arg(short = 'P', long, value_name = "SECONDS")]
    poll: Option<u64>,
    /// A line for each host
    #[arg(short, long)]
    one_line: bool,
    /// Also write each host's result into a file in this directory
    #[arg(short, long, value_name = "DIR")]
    tree: Option<String>,
    /// Show the hosts and do nothing else
    #[arg(long)]
    list_hosts: bool,
    /// Seconds the task may take
    #[arg(long, value_name = "SECONDS")]
    task_timeout: Option<u64>,
    /// Directory that counts as the playbook's
    #[arg(long, value_name = "DIR")]
    playbook_dir: Option<String>,
    /// Variables: key=value, JSON, YAML, or @FILE
    #[arg(short, long = "extra-vars", value_name = "VARS", action = ArgAction::Append)]
    extra_vars: Vec<String>,
    /// Change nothing; show what would be changed
    #[arg(short = 'C', long)]
    check: bool,
    /// Show what changes in files
    #[arg(short = 'D', long)]
    diff: bool,
    /// Hosts worked on at the same time
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    forks: Option<u32>,
    /// Directory with modules (repeatable)
    #[arg(short = 'M', long, value_name = "PATH", action = ArgAction::Append)]
    module_path: Vec<String>,
    /// Say more (-vv, -vvv: still more)
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

/// Run the task, or list its hosts; the exit code.
pub fn run(options: AdhocCommand) -> Result<u8, Failure> {
    let setup = Setup::new(&options.inventory, &options.vault, &options.extra_vars, &options.module_path)?;
    let shown = RefCell::default();
    super::setup::announce(&setup.config, options.verbose);
    let passwords = if options.list_hosts {
        Passwords::default()
    } else {
        Passwords::ask(&options.connection, &setup.config)?
    };
    let inventory = setup.inventory()?;
    setup.note(&inventory, options.verbose);
    setup.show_warnings(&shown);
    let hosts = hosts(&options, &setup, &inventory, &shown)?;
    setup.show_warnings(&shown);
    if options.list_hosts {
        super::out(&format!("  hosts ({}):\n", hosts.as_ref().map_or(0, Vec::len)));
        hosts.iter().flatten().for_each(|host| super::out(&format!("    {host}\n")));
        return Ok(0);
    }
    if hosts.as_ref().is_some_and(Vec::is_empty) {
        return Ok(0);
    }
    let directory = playbook_directory(&options, &setup);
    let task = task(&options, &setup, &directory)?;
    let mut engine_options = run_options(&run_part(&options), &options.connection, &setup, passwords);
    engine_options.limit = limit(&options.inventory.limit);
    if options.inventory.flush_cache {
        flush_cache(&inventory, &engine_options);
    }
    let path = directory.join(format!("<adhoc '{}' task>", task.name));
    let hooks: Arc<dyn Hooks> =
        Arc::new(AdhocHooks { inner: setup.hooks.clone(), path: path.clone(), text: task.playbook });
    let loader = Loader::new(hooks.clone(), setup.extra_vars.clone());
    let playbooks = load(&loader, &[path])?;
    let look = default_options(&setup, engine_options.verbosity, engine_options.check);
    let config = &setup.config;
    let inner = Default_::new(look, stdout(), stderr());
    let suspend: Suspend = Arc::new(|print: &mut dyn FnMut()| print());
    let reporter: Box<dyn engine::event::Reporter> = if config.bool("DEFAULT_LOAD_CALLBACK_PLUGINS")
        && !matches!(config.text("DEFAULT_STDOUT_CALLBACK").as_deref(), Some("minimal" | "oneline"))
    {
        Box::new(inner)
    } else {
        let oneline = options.one_line
            || (config.bool("DEFAULT_LOAD_CALLBACK_PLUGINS")
                && config.text("DEFAULT_STDOUT_CALLBACK").as_deref() == Some("oneline"));
        let tree = options.tree.as_deref().map(crate::config::expand);
        Box::new(Minimal::new(inner, oneline, tree, task.origin))
    };
    execute(&setup, engine_options, hooks, loader, inventory, &playbooks, (reporter, suspend))
}

fn run_part(options: &AdhocCommand) -> RunOptions {
    RunOptions {
        check: options.check,
        diff: options.diff,
        forks: options.forks.and_then(|n| usize::try_from(n).ok()),
        verbose: options.verbose,
        ..RunOptions::default()
    }
}

/// The hosts of the pattern. `None` if they are only known when a template in it is rendered.
fn hosts(
    options: &AdhocCommand,
    setup: &Setup,
    inventory: &Inventory,
    shown: &RefCell<Vec<String>>,
) -> Result<Option<Vec<String>>, Failure> {
    let limit = limit(&options.inventory.limit);
    if options.pattern.contains("{{") {
        return Ok(None);
    }
    let mut matched = inventory.list_hosts(&options.pattern)?;
    if let Some(limit) = &limit {
        matched = inventory.limit(matched, &limit_patterns(limit)?)?;
    }
    let warn = |text: String| setup.warnings.push(text);
    matched.warnings.iter().for_each(|w| warn(w.to_string()));
    if matched.hosts.is_empty() {
        setup.show_warnings(shown);
        check_limit(inventory, limit.as_deref())?;
        if inventory.hosts().next().is_none() && setup.config.bool("LOCALHOST_WARNING") {
            warn("provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'".into());
        }
        warn("No hosts matched, nothing to do".into());
    }
    Ok(Some(matched.hosts))
}

/// The task, and the playbook around it.
struct OneTask {
    name: String,
    playbook: String,
    /// The lines of an error that say where the task comes from.
    origin: String,
}

/// Where the playbook would be (`--playbook-dir`, `playbook_dir`).
fn playbook_directory(options: &AdhocCommand, setup: &Setup) -> std::path::PathBuf {
    match &options.playbook_dir {
        Some(directory) => absolute(&crate::config::expand(directory)),
        None => {
            setup.config.path("PLAYBOOK_DIR").unwrap_or_else(|| std::env::current_dir().unwrap_or_default())
        }
    }
}

fn task(options: &AdhocCommand, setup: &Setup, directory: &Path) -> Result<OneTask, Failure> {
    let config = &setup.config;
    let given = options.module_name.clone().or_else(|| config.text("DEFAULT_MODULE_NAME"));
    let mut name = given.filter(|name| !name.is_empty()).unwrap_or_else(|| "command".into());
    if name.contains("{{") {
        let scope: Arc<dyn Scope> =
            Arc::new(MapScope { vars: setup.extra_vars.clone(), ..MapScope::default() });
        name = engine::settings::text_of(&setup.templar.render(&Value::template(name.as_str()), &scope)?);
    }
    let text = options.args.clone().or_else(|| config.text("DEFAULT_MODULE_ARGS")).unwrap_or_default();
    let short = name.strip_prefix("ansible.builtin.").or_else(|| name.strip_prefix("ansible.legacy."));
    let short = short.unwrap_or(&name);
    if text.trim().is_empty() && matches!(short, "command" | "shell" | "raw" | "script") {
        return Err(Failure::with(Exit::Options, format!("No argument passed to {name} module")));
    }
    if short == "import_playbook" {
        return Err(Failure::with(
            Exit::Options,
            format!("'{name}' is not a valid action for ad-hoc commands"),
        ));
    }
    // The directory the command was started in has no say about modules, unless it is named.
    let named = options.playbook_dir.is_some() || setup.config.is_set("PLAYBOOK_DIR");
    let beside = if named { directory } else { Path::new("/dev/null") };
    if !Loader::new(setup.hooks.clone(), Map::new()).has_module(&name, beside) {
        let mut message = format!("Cannot resolve '{name}' to an action or module.");
        if let Some(near) = lang::keywords::nearest(&name, engine::action::all_names()) {
            message.push_str(&format!(" Did you mean '{near}'?"));
        }
        return Err(Failure::new(message));
    }
    let is_object = text.trim_start().starts_with('{') && !text.trim_start().starts_with("{{");
    let (args, shown) = if is_object {
        let value = lang::yaml::parse_one(text.as_bytes(), Path::new("<CLI option '-a'>"))?.root.to_value();
        (value.to_json(), value)
    } else if text.trim().is_empty() {
        (serde_json::Value::Null, Value::map(Map::new()))
    } else {
        let shown = match short {
            "command" | "shell" | "raw" | "script" => {
                [("_raw_params".into(), Value::from(text.as_str()))].into_iter().collect()
            }
            _ => lang::playbook::parse_key_values(&text).unwrap_or_default(),
        };
        (serde_json::Value::from(text.as_str()), Value::map(shown))
    };
    let timeout = options.task_timeout.unwrap_or_else(|| {
        config.int("TASK_TIMEOUT").and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(0)
    });
    let (background, poll) = (options.background.unwrap_or(0), options.poll.unwrap_or(15));
    let mut task = serde_json::Map::new();
    task.insert(name.clone(), args);
    task.insert("timeout".into(), timeout.into());
    if background > 0 {
        task.insert("async".into(), background.into());
        task.insert("poll".into(), poll.into());
    }
    let play = json!([{
        "name": "Ansible Ad-Hoc", "hosts": options.pattern, "gather_facts": false, "tasks": [task],
    }]);
    let origin = format!(
        "Origin: <adhoc '{name}' task>\n\n{{'action': '{name}', 'args': {}, 'timeout': {timeout}, 'async_val': {background}, 'poll': {poll}}}",
        python_repr(&shown)
    );
    Ok(OneTask { name, playbook: play.to_string(), origin })
}

/// The command's hooks, with one file that is not on the disk.
struct AdhocHooks {
    inner: Arc<CommandHooks>,
    path: PathBuf,
    text: String,
}

impl Hooks for AdhocHooks {
    fn module(&self, name: &str) -> Option<ModuleRef> {
        self.inner.module(name)
    }

    fn module_names(&self) -> Vec<&str> {
        self.inner.module_names()
    }

    /// The host's result says what is wrong, as with Ansible.
    fn check_args(&self, _module: &ModuleRef, _args: &Map) -> Vec<lang::Error> {
        Vec::new()
    }

    fn render(&self, value: &Value, scope: &Arc<dyn Scope>) -> lang::Result<Value> {
        self.inner.render(value, scope)
    }

    fn read(&self, path: &Path) -> lang::Result<Vec<u8>> {
        if path == self.path { Ok(self.text.clone().into_bytes()) } else { self.inner.read(path) }
    }

    fn roles_path(&self) -> &[PathBuf] {
        self.inner.roles_path()
    }

    fn private_role_vars(&self) -> Option<bool> {
        self.inner.private_role_vars()
    }

    fn library_path(&self) -> &[PathBuf] {
        self.inner.library_path()
    }

    fn collections_path(&self) -> &[PathBuf] {
        self.inner.collections_path()
    }
}
