//! What every command that reads playbooks or inventories starts with: configuration, vaults, variables,
//! templates and the inventory.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use lang::inventory::{GroupNames, Inventory, LoadOptions, render_with};
use lang::template::{Templar, TemplarOptions};
use lang::vault::VaultSecrets;
use lang::{Key, Map, Pos, Value};

use super::options::{InventoryOptions, VaultOptions};
use super::outside::Controller;
use super::{Exit, Failure, extra_vars, hooks::CommandHooks, plugin_filter, vault};
use crate::config::{Config, Origin};
use crate::report::log::Log;
use crate::report::{Columns, Style};

/// The version of ansible-core whose language this program speaks.
pub use lang::ANSIBLE_VERSION;

/// Everything that is read before a playbook is.
pub struct Setup {
    pub config: Arc<Config>,
    pub secrets: Arc<VaultSecrets>,
    pub extra_vars: Map,
    pub templar: Arc<Templar>,
    pub hooks: Arc<CommandHooks>,
    /// Sources of the inventory, absolute.
    pub sources: Vec<String>,
    /// Warnings of templates, which may come from any thread.
    pub warnings: Warnings,
    /// `log_path`
    pub log: Option<Log>,
    /// Ctrl-C was pressed: what lookups have started has to end.
    pub interrupted: Arc<AtomicBool>,
}

/// Warnings that wait to be shown.
#[derive(Clone, Default)]
pub struct Warnings {
    warnings: Arc<Mutex<Vec<String>>>,
    deprecated: Arc<Mutex<Vec<String>>>,
}

impl Warnings {
    pub fn push(&self, text: String) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something that playbooks should no longer use.
    pub fn deprecate(&self, text: String) {
        self.deprecated.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }

    pub fn take_deprecated(&self) -> Vec<String> {
        std::mem::take(&mut *self.deprecated.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Setup {
    pub fn new(
        inventory: &InventoryOptions,
        vaults: &VaultOptions,
        extra: &[String],
        module_path: &[String],
    ) -> Result<Self, Failure> {
        let config = Arc::new(Config::load().map_err(|e| Failure::with(Exit::Options, e))?);
        let warnings = Warnings::default();
        config.warnings.iter().for_each(|w| warnings.push(w.clone()));
        let secrets = Arc::new(vault::secrets(vaults, &config, &|text| warnings.push(text))?);
        let extra_vars = extra_vars::read(extra, &secrets)?;
        let interrupted = Arc::default();
        let templar = Arc::new(templar(&config, &secrets, &warnings, &interrupted));
        let mut library: Vec<PathBuf> = module_path.iter().map(|p| crate::config::expand(p)).collect();
        library.extend(config.paths("DEFAULT_MODULE_PATH"));
        let rejected = plugin_filter::rejected(&config, &|text| warnings.push(text))?;
        let hooks = Arc::new(CommandHooks {
            rejected,
            templar: templar.clone(),
            secrets: secrets.clone(),
            roles: config.paths("DEFAULT_ROLES_PATH"),
            private_role_vars: config
                .is_set("DEFAULT_PRIVATE_ROLE_VARS")
                .then(|| config.bool("DEFAULT_PRIVATE_ROLE_VARS")),
            library,
            collections: config.paths("COLLECTIONS_PATHS"),
        });
        let sources = sources(&inventory.inventory, &config);
        let log = config.path("DEFAULT_LOG_PATH").and_then(|path| {
            let problem =
                |e| warnings.push(format!("The log file {} cannot be written: {e}", path.display()));
            Log::open(&path).map_err(problem).ok()
        });
        Ok(Self { config, secrets, extra_vars, templar, hooks, sources, warnings, log, interrupted })
    }

    /// Read the inventory with the variables beside its sources.
    pub fn inventory(&self) -> lang::Result<Inventory> {
        load_inventory(&self.config, &self.secrets, &self.templar, &self.extra_vars, &self.sources)
    }

    /// The same as a function of its own, for `meta: refresh_inventory`.
    pub fn reload(&self) -> Box<dyn Fn() -> lang::Result<Inventory>> {
        let (config, secrets, templar) = (self.config.clone(), self.secrets.clone(), self.templar.clone());
        let (extra, sources) = (self.extra_vars.clone(), self.sources.clone());
        Box::new(move || load_inventory(&config, &secrets, &templar, &extra, &sources))
    }

    pub fn merge(&self) -> bool {
        self.config.text("DEFAULT_HASH_BEHAVIOUR").as_deref() == Some("merge")
    }

    /// Take over what was odd about the inventory; show what scripts have complained of.
    pub fn note(&self, inventory: &Inventory, verbosity: u8) {
        if i64::from(verbosity).max(self.config.int("DEFAULT_VERBOSITY").unwrap_or(0)) >= 3 {
            let colour = crate::report::Colour::Verbose;
            inventory.remarks.iter().for_each(|text| println!("{}", self.style(1).paint(text, colour)));
        }
        for text in &inventory.script_errors {
            eprintln!("{}", self.style(2).paint(&format!("[ERROR]: {text}"), crate::report::Colour::Error));
            self.log.iter().for_each(|log| log.record(&format!("[ERROR]: {text}\n")));
        }
        inventory.deprecations.iter().for_each(|text| self.warnings.deprecate(text.clone()));
        inventory.warnings.iter().for_each(|warning| self.warnings.push(crate::report::describe(warning)));
    }

    /// Show what should no longer be done, for commands that run no tasks.
    pub fn show_deprecated(&self) {
        let deprecated = self.warnings.take_deprecated();
        if deprecated.is_empty() || !self.config.bool("DEPRECATION_WARNINGS") {
            return;
        }
        let say = |text: &str, colour| eprintln!("{}", self.style(2).paint(text, colour));
        say(&format!("[WARNING]: {}", crate::report::default::EXPLANATION), crate::report::Colour::Warn);
        for text in deprecated {
            say(&format!("[DEPRECATION WARNING]: {text}"), crate::report::Colour::Deprecate);
        }
    }

    /// Show warnings that have come up so far, each once.
    pub fn show_warnings(&self, shown: &RefCell<Vec<String>>) {
        for text in self.warnings.take() {
            if !shown.borrow().contains(&text) {
                eprintln!(
                    "{}",
                    self.style(2).paint(&format!("[WARNING]: {text}"), crate::report::Colour::Warn)
                );
                self.log.iter().for_each(|log| log.record(&format!("[WARNING]: {text}\n")));
                shown.borrow_mut().push(text);
            }
        }
    }

    /// Colours on a file descriptor: on terminals, unless the configuration says otherwise.
    pub fn style(&self, descriptor: i32) -> Style {
        style(&self.config, descriptor)
    }

    pub fn columns(&self) -> Columns {
        Columns::of_terminal(super::terminal::width())
    }
}

/// The sources as given, paths made absolute; those of the configuration without any.
fn sources(given: &[String], config: &Config) -> Vec<String> {
    if given.is_empty() {
        let paths = config.paths("DEFAULT_HOST_LIST");
        return paths.iter().map(|p| absolute(p).to_string_lossy().into_owned()).collect();
    }
    let one = |source: &String| {
        if source.contains(',') && !Path::new(source).exists() {
            return source.clone();
        }
        absolute(&crate::config::expand(source)).to_string_lossy().into_owned()
    };
    given.iter().map(one).collect()
}

/// `-v`: which configuration is used.
pub fn announce(config: &Config, verbosity: u8) {
    let configured = config.int("DEFAULT_VERBOSITY").unwrap_or(0);
    if verbosity == 0 && configured <= 0 {
        return;
    }
    let text = match &config.file {
        Some(file) => format!("Using {} as config file", file.display()),
        None => "No config file found; using defaults".to_owned(),
    };
    println!("{}", style(config, 1).paint(&text, crate::report::Colour::Verbose));
}

/// Colours on a file descriptor: on terminals, unless the configuration says otherwise.
fn style(config: &Config, descriptor: i32) -> Style {
    if config.bool("ANSIBLE_NOCOLOR") || std::env::var_os("NO_COLOR").is_some() {
        return Style { colours: false };
    }
    Style { colours: config.bool("ANSIBLE_FORCE_COLOR") || super::terminal::is_terminal(descriptor) }
}

/// Absolute, without following links.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn load_inventory(
    config: &Config,
    secrets: &VaultSecrets,
    templar: &Templar,
    extra_vars: &Map,
    sources: &[String],
) -> lang::Result<Inventory> {
    let render = render_with(templar);
    let mut options = LoadOptions { secrets: Some(secrets), render: Some(&render), ..LoadOptions::default() };
    options.plugins = config.list("INVENTORY_ENABLED");
    // The default is a template that names another setting.
    if config.is_set("INVENTORY_IGNORE_EXTS") {
        options.ignore_extensions = config.list("INVENTORY_IGNORE_EXTS");
    }
    options.ignore_patterns = config.list("INVENTORY_IGNORE_PATTERNS");
    options.group_names = match config.text("TRANSFORM_INVALID_GROUP_CHARS").as_deref() {
        Some("always") => GroupNames::Always,
        Some("ignore") => GroupNames::Ignore,
        Some("silently") => GroupNames::Silently,
        _ => GroupNames::Never,
    };
    options.extra_vars = extra_vars.clone();
    options.show_stderr = config.bool("INVENTORY_SCRIPT_STDERR");
    options.any_unparsed_is_failed = config.bool("INVENTORY_ANY_UNPARSED_IS_FAILED");
    options.unparsed_is_failed = config.bool("INVENTORY_UNPARSED_IS_FAILED");
    options.no_unparsed_warning = !config.bool("INVENTORY_UNPARSED_WARNING");
    // The default source need not be there.
    let default = !config.is_set("DEFAULT_HOST_LIST");
    let missing =
        |source: &&String| default && *source == "/etc/ansible/hosts" && !Path::new(source).exists();
    let sources: Vec<String> = sources.iter().filter(|s| !missing(s)).cloned().collect();
    let merge = config.text("DEFAULT_HASH_BEHAVIOUR").as_deref() == Some("merge");
    options.merge = merge;
    let mut inventory = Inventory::load(&sources, &options)?;
    inventory.read_vars_files(None, Some(secrets), merge)?;
    Ok(inventory)
}

fn templar(
    config: &Arc<Config>,
    secrets: &Arc<VaultSecrets>,
    warnings: &Warnings,
    interrupted: &Arc<AtomicBool>,
) -> Templar {
    let (vaults, deprecated, warnings) = (secrets.clone(), warnings.clone(), warnings.clone());
    let place = |message: &str, pos: Option<&Pos>| {
        let error = lang::Error::new(message);
        crate::report::describe(&if pos.is_some() { error.at(pos) } else { error })
    };
    Templar::new(TemplarOptions {
        allow_broken_conditionals: config.bool("ALLOW_BROKEN_CONDITIONALS"),
        decrypt: Some(Box::new(move |text| vaults.decrypt_str(text).map(|s| s.as_str().to_owned()))),
        outside: Some(Arc::new(Controller::new(config.clone(), interrupted.clone()))),
        warn: Some(Box::new(move |message, pos| warnings.push(place(message, pos)))),
        deprecate: Some(Box::new(move |message, pos| deprecated.deprecate(place(message, pos)))),
        warn_of_untrusted: config.text("_TEMPLAR_UNTRUSTED_TEMPLATE_BEHAVIOR").as_deref() == Some("warning"),
        config: settings(config),
        config_origins: crate::config::TABLE
            .iter()
            .filter_map(|setting| {
                let origin = match config.raw(setting.name)?.1 {
                    Origin::Default => return None,
                    Origin::Env(variable) => format!("env: {variable}"),
                    Origin::File(file) => file.to_string_lossy().into_owned(),
                };
                Some((Key::from(setting.name), Value::from(origin)))
            })
            .collect(),
    })
}

/// The configuration as the lookup `config` gives it.
pub fn settings(config: &Config) -> Map {
    use crate::config::{Kind, TABLE};
    let list = |items: Vec<String>| Value::list(items.into_iter().map(Value::from).collect());
    let mut map = Map::new();
    for setting in TABLE {
        let name = setting.name;
        let value = match setting.kind {
            Kind::Bool => config.maybe_bool(name).map(Value::Bool),
            Kind::Int => config.int(name).map(Value::Int),
            Kind::Float => config.float(name).map(Value::Float),
            Kind::List => config.raw(name).map(|_| list(config.list(name))),
            Kind::PathSpec | Kind::PathList => {
                let paths = config.paths(name);
                Some(list(paths.iter().map(|p| p.to_string_lossy().into_owned()).collect()))
            }
            Kind::Path => config.path(name).map(|p| Value::from(p.to_string_lossy().into_owned())),
            Kind::Text => config.raw(name).map(|_| Value::from(config.text(name).unwrap_or_default())),
            // As JSON, which is YAML.
            Kind::Dict => config.text(name).map(|text| {
                lang::yaml::parse_one(text.as_bytes(), Path::new("<configuration>"))
                    .map_or_else(|_| Value::from(text), |document| document.root.to_value())
            }),
        };
        map.insert(Key::from(name), value.unwrap_or(Value::Null));
    }
    map
}
