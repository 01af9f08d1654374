//! `provision PLAYBOOK...`.

use std::cell::RefCell;
use std::io::{stderr, stdout};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::connector::Transport;
use engine::event::Reporter;
use engine::options::{BecomeDefaults, ConnectionDefaults, FactCache};
use engine::{Options, Run, RunInput, Verdict};
use lang::inventory::Inventory;
use lang::playbook::{Hooks, Loader, Playbook};
use lang::vars::RunVars;
use lang::{Key, Map, Value};
use protocol::Secret;

use super::options::{ConnectionOptions, PlaybookOptions, RunOptions};
use super::setup::{ANSIBLE_VERSION, Setup};
use super::terminal::{Suspend, Terminal, ask_secret, is_terminal};
use super::{Exit, Failure, listing};
use crate::config::Config;
use crate::report::default::{Default_, DefaultOptions};
use crate::report::json::Json;
use crate::report::live::{Above, Live, bar};
use crate::report::log::Logged;

/// Run, or list, what the options say; the exit code.
pub fn run(options: PlaybookOptions) -> Result<u8, Failure> {
    let begun = Instant::now();
    check(&options)?;
    for playbook in &options.playbooks {
        if !playbook.exists() {
            return Err(Failure::new(format!("the playbook: {} could not be found", playbook.display())));
        }
        if !playbook.is_file() {
            return Err(Failure::new(format!(
                "the playbook: {} does not appear to be a file",
                playbook.display()
            )));
        }
    }
    let setup =
        Setup::new(&options.inventory, &options.vault, &options.run.extra_vars, &options.run.module_path)?;
    let shown = RefCell::default();
    let lists = options.list_hosts || options.list_tasks || options.list_tags || options.syntax_check;
    let asked =
        if lists { Passwords::default() } else { Passwords::ask(&options.connection, &setup.config)? };
    let mut engine_options = engine_options(&options, &setup, asked);
    engine_options.profile = options.profile.then_some(begun);
    if options.run.output == "default" {
        super::setup::announce(&setup.config, engine_options.verbosity);
    }
    let hooks: Arc<dyn Hooks> = setup.hooks.clone();
    let loader = Loader::new(hooks.clone(), setup.extra_vars.clone());
    let inventory = setup.inventory()?;
    setup.note(&inventory, engine_options.verbosity);
    setup.show_warnings(&shown);
    if inventory.hosts().next().is_none()
        && !setup.sources.is_empty()
        && setup.config.bool("LOCALHOST_WARNING")
    {
        setup.warnings.push(
            "provided hosts list is empty, only localhost is available. Note that the implicit localhost does not match 'all'"
                .into(),
        );
        setup.show_warnings(&shown);
    }
    check_limit(&inventory, engine_options.limit.as_deref())?;
    let playbooks = load(&loader, &options.playbooks)?;
    let duplicates = setup.config.text("DUPLICATE_YAML_DICT_KEY").unwrap_or_default();
    for warning in playbooks.iter().flat_map(|p| &p.warnings) {
        if warning.message().starts_with("Found duplicate mapping key") {
            match duplicates.as_str() {
                "ignore" => continue,
                "error" => {
                    let message = format!("YAML parsing failed: {}.", warning.message());
                    let error = lang::Error::new(message).with_kind(lang::error::ErrorKind::Syntax);
                    return Err(error.at(warning.pos()).into());
                }
                _ => {}
            }
        }
        setup.warnings.push(crate::report::describe(warning));
    }
    setup.show_warnings(&shown);
    if lists {
        let warn = |text| {
            setup.warnings.push(text);
            setup.show_warnings(&shown);
        };
        listing::print(&options, &playbooks, &loader, &inventory, &warn)?;
        return Ok(0);
    }
    if options.inventory.flush_cache {
        flush_cache(&inventory, &engine_options);
    }
    let drawn = reporter(&setup, &engine_options, &options.run.output);
    execute(&setup, engine_options, hooks, loader, inventory, &playbooks, drawn)
}

/// Forget the facts of every host (`--flush-cache`).
pub fn flush_cache(inventory: &Inventory, options: &Options) {
    let Some(cache) = &options.fact_cache else { return };
    let names = inventory.host_names();
    for host in names.iter().map(String::as_str).chain(["localhost"]) {
        let _ = std::fs::remove_file(cache.directory.join(format!("{}{host}", cache.prefix)));
    }
}

/// All playbooks, or everything that is wrong with the first that cannot be read.
pub fn load(loader: &Loader, paths: &[PathBuf]) -> Result<Vec<Playbook>, Failure> {
    paths.iter().map(|path| loader.playbook(path).map_err(Failure::from)).collect()
}

/// Run loaded playbooks and report; the exit code.
pub fn execute(
    setup: &Setup,
    options: Options,
    hooks: Arc<dyn Hooks>,
    loader: Loader,
    inventory: Inventory,
    playbooks: &[Playbook],
    (reporter, suspend): (Box<dyn Reporter>, Suspend),
) -> Result<u8, Failure> {
    let reporter = logged(setup, &options, reporter);
    let terminal = Arc::new(Terminal::new(suspend));
    let run = new_run(setup, options, hooks, loader, inventory, reporter, terminal)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .map_err(|e| Failure::new(format!("the runtime could not be started: {e}")))?;
    // On a thread of its own: it has to be seen while a template is rendered on this one.
    let interrupted = setup.interrupted.clone();
    runtime.spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            interrupted.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    });
    let local = tokio::task::LocalSet::new();
    let warnings = setup.warnings.clone();
    let verdict = local.block_on(&runtime, async {
        tokio::task::spawn_local(on_interrupt(run.clone()));
        // Warnings of templates come from deep inside; they are shown as events like all others.
        let relay = {
            let run = run.clone();
            async move {
                loop {
                    show(&run, &warnings);
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
        };
        tokio::select! {
            verdict = run.playbooks(playbooks) => verdict,
            () = relay => Verdict::Error,
        }
    });
    show(&run, &setup.warnings);
    if let Some(error) = run.broken.borrow_mut().take() {
        run.close();
        return Err(error.into());
    }
    run.finish();
    run.close();
    // A run that changes nothing says nothing of how long changes take.
    if let ([playbook], false) = (playbooks, run.options.check)
        && let Err(e) = super::timings::save(&playbook.path, run.timings.longest())
    {
        tracing::debug!("the times of the tasks are not kept: {e}");
    }
    // Connections end in good order, but nobody waits long for it.
    runtime.shutdown_timeout(Duration::from_millis(500));
    if run.interrupted.get() {
        return Ok(Exit::Interrupted as u8);
    }
    Ok(verdict as u8)
}

/// A run that has not begun.
pub fn new_run(
    setup: &Setup,
    options: Options,
    hooks: Arc<dyn Hooks>,
    loader: Loader,
    inventory: Inventory,
    reporter: Box<dyn Reporter>,
    terminal: Arc<Terminal>,
) -> Result<Rc<Run>, Failure> {
    let constants = constants(setup, &options);
    let vars = RunVars {
        connection: Arc::new(connection_variables(&options.connection)),
        extra: Arc::new(setup.extra_vars.clone()),
        constants: Arc::new(constants),
        merge: setup.merge(),
        inject_facts: options.inject_facts,
    };
    let executable = std::env::current_exe()
        .map_err(|e| Failure::new(format!("the path of this program is not known: {e}")))?;
    let agents = crate::agent_binary::embedded().with_local(vec![executable.into(), "__agent".into()]);
    let connector = Transport { agents: Arc::new(agents), prompter: terminal.clone() };
    Ok(Rc::new(Run::new(RunInput {
        options,
        templar: setup.templar.clone(),
        vars,
        inventory,
        hooks,
        loader,
        secrets: Some(setup.secrets.clone()),
        connector: Rc::new(connector),
        user: terminal,
        reload_inventory: setup.reload(),
        reporter,
    })))
}

/// What modules write tracebacks for.
fn tracebacks(config: &Config) -> Vec<String> {
    let wanted = config.list("DISPLAY_TRACEBACK");
    let has = |name: &str| wanted.iter().any(|item| item == name);
    let all = ["error", "warning", "deprecated", "deprecated_value"];
    let chosen = all.into_iter().filter(|name| !has("never") && (has("always") || has(name)));
    chosen.map(str::to_owned).collect()
}

/// Warnings of templates become events.
fn show(run: &Run, warnings: &super::setup::Warnings) {
    warnings.take().into_iter().for_each(|text| run.warn(text));
    warnings.take_deprecated().into_iter().for_each(|text| run.deprecate(text));
}

/// With a log, where the configuration wants one.
fn logged(setup: &Setup, options: &Options, reporter: Box<dyn Reporter>) -> Box<dyn Reporter> {
    let Some(log) = &setup.log else { return reporter };
    let verbosity = setup.config.int("LOG_VERBOSITY").and_then(|n| u8::try_from(n).ok());
    let look = default_options(setup, verbosity.unwrap_or(0).max(options.verbosity), options.check);
    Box::new(Logged::new(reporter, log, look))
}

/// The first Ctrl-C ends the run after the tasks in hand, the second at once.
async fn on_interrupt(run: Rc<Run>) {
    if tokio::signal::ctrl_c().await.is_err() {
        return;
    }
    run.interrupted.set(true);
    eprintln!(
        " [ERROR]: User interrupted execution; tasks in hand are finished first (again to leave at once)"
    );
    if tokio::signal::ctrl_c().await.is_ok() {
        std::process::exit(Exit::Interrupted as i32);
    }
}

/// What the command line says of connections, as variables that stand in where nothing else is said.
fn connection_variables(defaults: &ConnectionDefaults) -> Map {
    let password = defaults.password.as_ref().map(|secret| secret.expose().to_owned());
    let key = defaults.private_key_file.as_ref().map(|path| path.to_string_lossy().into_owned());
    let said = [
        ("ansible_user", defaults.remote_user.clone()),
        ("ansible_ssh_user", defaults.remote_user.clone()),
        ("ansible_password", password.clone()),
        ("ansible_ssh_pass", password),
        ("ansible_private_key_file", key.clone()),
        ("ansible_ssh_private_key_file", key),
    ];
    said.into_iter().filter_map(|(name, value)| Some((Key::from(name), Value::from(value?)))).collect()
}

/// What draws the run, and how to get the live line out of the way.
fn reporter(setup: &Setup, options: &Options, output: &str) -> (Box<dyn Reporter>, Suspend) {
    let nothing_there: Suspend = Arc::new(|print: &mut dyn FnMut()| print());
    if output == "json" {
        return (Box::new(Json::new(stdout(), stderr())), nothing_there);
    }
    let look = default_options(setup, options.verbosity, options.check);
    if is_terminal(1) && is_terminal(2) {
        let bar = bar();
        let reporter = Default_::new(look, Above::new(&bar, false), Above::new(&bar, true));
        let line = bar.clone();
        let suspend: Suspend = Arc::new(move |print: &mut dyn FnMut()| line.suspend(print));
        return (Box::new(Live::new(reporter, bar)), suspend);
    }
    (Box::new(Default_::new(look, stdout(), stderr())), nothing_there)
}

/// How the default output looks; `check`: nothing is changed in this run.
pub fn default_options(setup: &Setup, verbosity: u8, check: bool) -> DefaultOptions {
    let config = &setup.config;
    DefaultOptions {
        verbosity,
        style: setup.style(1),
        columns: setup.columns(),
        display_skipped_hosts: config.bool("DISPLAY_SKIPPED_HOSTS"),
        debug: config.bool("DEFAULT_DEBUG"),
        display_ok_hosts: config.bool("DISPLAY_OK_HOSTS"),
        display_failed_stderr: config.bool("DISPLAY_FAILED_STDERR"),
        show_custom_stats: config.bool("SHOW_CUSTOM_STATS"),
        check_mode_markers: config.bool("CHECK_MODE_MARKERS"),
        check,
        show_per_host_start: config.bool("SHOW_PER_HOST_START"),
        show_task_path_on_failure: config.bool("SHOW_TASK_PATH_ON_FAILURE"),
        display_args: config.bool("DISPLAY_ARGS_TO_STDOUT"),
        yaml: config.text("CALLBACK_RESULT_FORMAT").as_deref() == Some("yaml"),
        pretty: config.maybe_bool("CALLBACK_FORMAT_PRETTY"),
        deprecation_warnings: config.bool("DEPRECATION_WARNINGS"),
    }
}

/// Combinations of options that make no sense.
fn check(options: &PlaybookOptions) -> Result<(), Failure> {
    let connection = &options.connection;
    if connection.ask_pass && connection.connection_password_file.is_some() {
        return Err(Failure::with(
            Exit::Options,
            "-k/--ask-pass and --connection-password-file exclude each other",
        ));
    }
    if connection.ask_become_pass && connection.become_password_file.is_some() {
        return Err(Failure::with(
            Exit::Options,
            "-K/--ask-become-pass and --become-password-file exclude each other",
        ));
    }
    if options.run.forks == Some(0) {
        return Err(Failure::with(Exit::Options, "The number of processes (--forks) must be >= 1"));
    }
    Ok(())
}

/// `--limit`, all of them as one pattern.
pub fn limit(given: &[String]) -> Option<String> {
    (!given.is_empty()).then(|| given.join(","))
}

/// A limit that matches no host at all is an error before anything runs.
pub fn check_limit(inventory: &Inventory, limit: Option<&str>) -> Result<(), Failure> {
    let Some(limit) = limit else { return Ok(()) };
    let patterns = lang::patterns::limit_patterns(limit)?;
    let all = inventory.list_hosts("all")?;
    let matched = inventory.limit(all, &patterns)?;
    let local = inventory.limit(inventory.list_hosts("localhost")?, &patterns)?;
    if matched.hosts.is_empty() && local.hosts.is_empty() {
        let message = "Specified inventory, host pattern and/or --limit leaves us with no hosts to target.";
        return Err(Failure::new(message));
    }
    Ok(())
}

/// Passwords that were asked for or read from files.
#[derive(Default)]
pub struct Passwords {
    pub connection: Option<Secret>,
    pub r#become: Option<Secret>,
}

impl Passwords {
    pub fn ask(options: &ConnectionOptions, config: &Config) -> Result<Self, Failure> {
        let file = |given: &Option<PathBuf>, setting: &str| given.clone().or_else(|| config.path(setting));
        let mut connection = None;
        if options.ask_pass || config.bool("DEFAULT_ASK_PASS") {
            connection = ask_secret("SSH password: ");
        } else if let Some(path) = file(&options.connection_password_file, "CONNECTION_PASSWORD_FILE") {
            connection = Some(password_file(&path)?);
        }
        let mut r#become = None;
        if options.ask_become_pass || config.bool("DEFAULT_BECOME_ASK_PASS") {
            let default = if connection.is_some() { "[defaults to SSH password]" } else { "" };
            r#become = ask_secret(&format!("BECOME password{default}: ")).filter(|p| !p.is_empty());
            if r#become.is_none() {
                r#become = connection.clone();
            }
        } else if let Some(path) = file(&options.become_password_file, "BECOME_PASSWORD_FILE") {
            r#become = Some(password_file(&path)?);
        }
        Ok(Self { connection: connection.map(Secret::new), r#become: r#become.map(Secret::new) })
    }
}

/// The password in a file, or what the file prints if it is a program.
fn password_file(path: &Path) -> Result<String, Failure> {
    use std::os::unix::fs::PermissionsExt;
    let path = crate::config::expand(&path.to_string_lossy());
    let problem =
        |e: std::io::Error| Failure::new(format!("Could not read password file {}: {e}", path.display()));
    let metadata = path.metadata().map_err(problem)?;
    let bytes = if metadata.permissions().mode() & 0o111 != 0 {
        let output = std::process::Command::new(&path).output().map_err(problem)?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!("The password script {} failed: {said}", path.display())));
        }
        output.stdout
    } else {
        std::fs::read(&path).map_err(problem)?
    };
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::new(format!("The password file {} is not UTF-8 text", path.display())))?;
    let text = text.trim().to_owned();
    if text.is_empty() {
        return Err(Failure::new(format!("Empty password was provided from file ({})", path.display())));
    }
    Ok(text)
}

/// The engine's options, from the command line and the configuration.
fn engine_options(options: &PlaybookOptions, setup: &Setup, passwords: Passwords) -> Options {
    Options {
        limit: limit(&options.inventory.limit),
        start_at_task: options.start_at_task.clone(),
        step: options.step,
        work_ahead: true,
        ..run_options(&options.run, &options.connection, setup, passwords)
    }
}

/// The part of the engine's options that every command has that runs something.
pub fn run_options(
    run: &RunOptions,
    connection: &ConnectionOptions,
    setup: &Setup,
    passwords: Passwords,
) -> Options {
    let config = &setup.config;
    let tags = |given: &[String], setting: &str| -> Vec<String> {
        let given: Vec<String> = if given.is_empty() { config.list(setting) } else { given.to_vec() };
        given
            .iter()
            .flat_map(|t| t.split(','))
            .map(|t| t.trim().to_owned())
            .filter(|t| !t.is_empty())
            .collect()
    };
    let mut only = tags(&run.tags, "TAGS_RUN");
    if only.is_empty() {
        only.push("all".into());
    }
    Options {
        check: run.check,
        diff: run.diff || config.bool("DIFF_ALWAYS"),
        forks: run.forks.or_else(|| {
            config
                .is_set("DEFAULT_FORKS")
                .then(|| config.int("DEFAULT_FORKS"))
                .flatten()
                .and_then(|n| usize::try_from(n).ok())
        }),
        limit: None,
        tags: only,
        skip_tags: tags(&run.skip_tags, "TAGS_SKIP"),
        start_at_task: None,
        step: false,
        tasks_per_host: run.tasks_per_host.unwrap_or(4),
        work_ahead: true,
        force_handlers: run.force_handlers || config.bool("DEFAULT_FORCE_HANDLERS"),
        extra_vars: setup.extra_vars.clone(),
        connection: connection_defaults(connection, config, passwords.connection),
        r#become: BecomeDefaults {
            r#become: connection.r#become || config.bool("DEFAULT_BECOME"),
            method: connection.become_method.clone().or_else(|| config.text("DEFAULT_BECOME_METHOD")),
            user: connection.become_user.clone().or_else(|| config.text("DEFAULT_BECOME_USER")),
            exe: config.text("DEFAULT_BECOME_EXE"),
            flags: config.text("DEFAULT_BECOME_FLAGS"),
            password: passwords.r#become,
            allow_same_user: config.bool("BECOME_ALLOW_SAME_USER"),
        },
        strategy: config.text("DEFAULT_STRATEGY").unwrap_or_else(|| "linear".into()),
        gathering: config.text("DEFAULT_GATHERING").unwrap_or_else(|| "implicit".into()),
        gather_subset: Vec::new(),
        gather_timeout: None,
        facts_modules: config.list("FACTS_MODULES"),
        fact_path: None,
        task_timeout: config.int("TASK_TIMEOUT").and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
        poll_interval: config.int("DEFAULT_POLL_INTERVAL").and_then(|n| u64::try_from(n).ok()).unwrap_or(15),
        any_errors_fatal: config.bool("ANY_ERRORS_FATAL"),
        max_fail_percentage: None,
        ignore_errors: false,
        no_log: config.bool("DEFAULT_NO_LOG"),
        module_set_locale: false,
        inject_facts: config.bool("INJECT_FACTS_AS_VARS"),
        python: config.text("INTERPRETER_PYTHON").filter(|name| !name.starts_with("auto")),
        error_on_missing_handler: config.bool("ERROR_ON_MISSING_HANDLER"),
        verbosity: run
            .verbose
            .max(config.int("DEFAULT_VERBOSITY").and_then(|n| u8::try_from(n).ok()).unwrap_or(0)),
        task_debugger: config.bool("ENABLE_TASK_DEBUGGER"),
        debugger_ignores_errors: config.bool("TASK_DEBUGGER_IGNORE_ERRORS"),
        local_tmp: config.path("DEFAULT_LOCAL_TMP").unwrap_or_else(std::env::temp_dir),
        profile: None,
        managed_str: config.text("DEFAULT_MANAGED_STR"),
        tracebacks_for: tracebacks(config),
        fact_cache: fact_cache(config),
        host_pattern_mismatch_is_error: config.text("HOST_PATTERN_MISMATCH").as_deref() == Some("error"),
        host_pattern_mismatch_is_silent: config.text("HOST_PATTERN_MISMATCH").as_deref() == Some("ignore"),
    }
}

fn connection_defaults(
    options: &ConnectionOptions,
    config: &Config,
    password: Option<Secret>,
) -> ConnectionDefaults {
    let words = |text: Option<String>| text.map_or(Vec::new(), |t| engine::settings::split_words(&t));
    let timeout = options
        .timeout
        .or_else(|| config.int("DEFAULT_TIMEOUT").and_then(|n| u64::try_from(n).ok()))
        .unwrap_or(10);
    ConnectionDefaults {
        connection: options.connection.clone().or_else(|| config.text("DEFAULT_TRANSPORT")),
        remote_user: options.remote_user.clone().or_else(|| config.text("DEFAULT_REMOTE_USER")),
        remote_port: config.int("DEFAULT_REMOTE_PORT").and_then(|n| u16::try_from(n).ok()),
        private_key_file: options.private_key.clone().or_else(|| config.path("DEFAULT_PRIVATE_KEY_FILE")),
        password,
        timeout,
        // The default speaks of multiplexing, which one connection for the whole run does not need.
        ssh_args: if config.is_set("SSH_ARGS") { words(config.text("SSH_ARGS")) } else { Vec::new() },
        ssh_common_args: words(options.ssh_common_args.clone().or_else(|| config.text("SSH_COMMON_ARGS"))),
        ssh_extra_args: words(options.ssh_extra_args.clone().or_else(|| config.text("SSH_EXTRA_ARGS"))),
        host_key_checking: config.bool("HOST_KEY_CHECKING"),
        remote_tmp: config.is_set("REMOTE_TMP").then(|| config.text("REMOTE_TMP")).flatten(),
        executable: config.text("DEFAULT_EXECUTABLE"),
    }
}

fn fact_cache(config: &Config) -> Option<FactCache> {
    let plugin = config.text("CACHE_PLUGIN")?;
    if !matches!(plugin.as_str(), "jsonfile" | "ansible.builtin.jsonfile") {
        return None;
    }
    let directory = config.text("CACHE_PLUGIN_CONNECTION")?;
    let prefix = if config.is_set("CACHE_PLUGIN_PREFIX") {
        config.text("CACHE_PLUGIN_PREFIX").unwrap_or_default()
    } else {
        String::new()
    };
    let seconds = config.int("CACHE_PLUGIN_TIMEOUT").and_then(|n| u64::try_from(n).ok()).unwrap_or(86400);
    Some(FactCache {
        directory: crate::config::expand(&directory),
        prefix,
        timeout: Duration::from_secs(seconds),
    })
}

/// Magic variables that never change in a run.
pub fn constants(setup: &Setup, options: &Options) -> Map {
    let mut map = Map::new();
    let mut put = |name: &str, value: Value| drop(map.insert(Key::from(name), value));
    let list = |items: Vec<String>| Value::list(items.into_iter().map(Value::from).collect());
    let numbers: Vec<i64> = ANSIBLE_VERSION.split('.').filter_map(|n| n.parse().ok()).collect();
    let mut version = Map::new();
    version.insert("full".into(), ANSIBLE_VERSION.into());
    version.insert("string".into(), ANSIBLE_VERSION.into());
    for (name, number) in ["major", "minor", "revision"].iter().zip(numbers) {
        version.insert((*name).into(), Value::Int(number));
    }
    put("ansible_version", Value::map(version));
    put("ansible_check_mode", Value::Bool(options.check));
    put("ansible_diff_mode", Value::Bool(options.diff));
    put("ansible_forks", Value::Int(options.forks.map_or(5, |n| n as i64)));
    put("ansible_verbosity", Value::Int(options.verbosity.into()));
    put("ansible_run_tags", list(options.tags.clone()));
    put("ansible_skip_tags", list(options.skip_tags.clone()));
    put("ansible_limit", options.limit.clone().map_or(Value::Null, Value::from));
    put("ansible_inventory_sources", list(setup.sources.clone()));
    let file = setup.config.file.as_ref().map(|f| f.to_string_lossy().into_owned());
    put("ansible_config_file", file.map_or(Value::Null, Value::from));
    // Without Python there is nothing that runs on it; playbooks hand it to delegated tasks.
    let python = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).map(|dir| dir.join("python3")).find(|program| program.is_file())
    });
    let python = python.map_or_else(|| "/usr/bin/python3".into(), |p| p.to_string_lossy().into_owned());
    put("ansible_playbook_python", Value::from(python));
    if options.limit.is_none() {
        map.shift_remove("ansible_limit");
    }
    map
}
