//! `provision config`: which settings there are, and what they are set to.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use lang::template::python_str;
use lang::yaml::DumpOptions;
use lang::{Key, Map, Value};

use super::setup::settings;
use super::{Exit, Failure};
use crate::config::{Config, Kind, Origin, Setting, TABLE, plugin_keys, plugin_variables};

/// Show the configuration.
#[derive(Clone, Debug, Args)]
pub struct ConfigCommand {
    #[command(subcommand)]
    action: Action,
    /// Say more
    #[arg(short, long, action = clap::ArgAction::Count, global = true)]
    verbose: u8,
}

#[derive(Clone, Debug, Subcommand)]
enum Action {
    /// Which settings there are
    List {
        #[command(flatten)]
        which: Which,
        /// How to print
        #[arg(short, long, default_value = "yaml", value_parser = ["json", "yaml"])]
        format: String,
    },
    /// What they are set to
    Dump {
        #[command(flatten)]
        which: Which,
        /// How to print
        #[arg(short, long, default_value = "display", value_parser = ["json", "yaml", "display"])]
        format: String,
        /// Only what is not as it comes
        #[arg(long, visible_alias = "changed-only")]
        only_changed: bool,
    },
    /// The configuration file
    View {
        #[command(flatten)]
        which: Which,
    },
    /// A configuration file with every setting
    Init {
        #[command(flatten)]
        which: Which,
        /// How to print
        #[arg(short, long, default_value = "ini", value_parser = ["ini", "env", "vars"])]
        format: String,
        /// Everything behind a comment sign
        #[arg(long)]
        disabled: bool,
    },
    /// Look for unknown settings
    Validate {
        #[command(flatten)]
        which: Which,
        /// What to look at
        #[arg(short, long, default_value = "ini", value_parser = ["ini", "env"])]
        format: String,
    },
}

#[derive(Clone, Debug, Args)]
struct Which {
    /// Configuration file
    #[arg(short, long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Kind of settings: base, all
    #[arg(short = 't', long = "type", value_name = "TYPE", default_value = "base", value_parser = ["base", "all"])]
    kind: String,
}

impl Which {
    fn load(&self) -> Result<Config, Failure> {
        let config = match &self.config {
            Some(file) => {
                let path = super::setup::absolute(&crate::config::expand(&file.to_string_lossy()));
                if !path.is_file() {
                    let message = format!(
                        "The provided configuration file is missing or not accessible: {}",
                        path.display()
                    );
                    return Err(Failure::with(Exit::Options, message));
                }
                Config::load_from(Some(path))
            }
            None => Config::load(),
        };
        config.map_err(|e| Failure::with(Exit::Options, e))
    }
}

/// Print what was asked for; 1 if something is wrong.
pub fn run(options: ConfigCommand) -> Result<u8, Failure> {
    let which = match &options.action {
        Action::List { which, .. }
        | Action::Dump { which, .. }
        | Action::View { which }
        | Action::Init { which, .. }
        | Action::Validate { which, .. } => which,
    };
    let config = which.load()?;
    super::setup::announce(&config, options.verbose);
    match &options.action {
        Action::List { format, .. } => print(&list(), format)?,
        Action::Dump { format, only_changed, .. } => dump(&config, format, *only_changed)?,
        Action::View { .. } => view(&config)?,
        Action::Init { format, disabled, .. } => super::out(&init(&config, format, *disabled)),
        Action::Validate { format, .. } => return validate(&config, format, which.kind == "all"),
    }
    Ok(0)
}

/// A value as YAML, in Ansible's layout.
pub fn yaml(value: &Value) -> Result<String, Failure> {
    let options = DumpOptions { default_flow_style: Some(false), ..DumpOptions::to_yaml() };
    Ok(lang::yaml::to_yaml(value, &options)?)
}

fn print(value: &Value, format: &str) -> Result<(), Failure> {
    if format == "json" {
        super::out(&format!("{}\n", crate::report::json_text(value, Some(4))));
    } else {
        super::out(&yaml(value)?);
    }
    Ok(())
}

/// The settings of the core, by name. The configuration file itself is none that could be set.
fn base() -> Vec<&'static Setting> {
    let mut all: Vec<&Setting> = TABLE.iter().filter(|s| s.core && s.name != "GALAXY_SERVERS").collect();
    all.sort_by_key(|setting| setting.name);
    all
}

fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "string",
        Kind::Bool => "boolean",
        Kind::Int => "integer",
        Kind::Float => "float",
        Kind::List => "list",
        Kind::Path => "path",
        Kind::PathSpec => "pathspec",
        Kind::PathList => "pathlist",
        Kind::Dict => "dictionary",
    }
}

fn map(entries: Vec<(&str, Value)>) -> Value {
    Value::map(entries.into_iter().map(|(name, value)| (Key::from(name), value)).collect())
}

fn list() -> Value {
    let mut all = Map::new();
    for setting in base().into_iter().filter(|setting| setting.name != "CONFIG_FILE") {
        let env = setting.env.iter().map(|name| map(vec![("name", Value::from(*name))])).collect();
        let ini = setting
            .ini
            .iter()
            .map(|(section, key)| map(vec![("key", Value::from(*key)), ("section", Value::from(*section))]))
            .collect();
        let mut entry = vec![("default", setting.default.map_or(Value::Null, Value::from))];
        if !setting.env.is_empty() {
            entry.push(("env", Value::list(env)));
        }
        if !setting.ini.is_empty() {
            entry.push(("ini", Value::list(ini)));
        }
        entry.push(("type", type_name(setting.kind).into()));
        all.insert(Key::from(setting.name), map(entry));
    }
    Value::map(all)
}

fn dump(config: &Config, format: &str, only_changed: bool) -> Result<(), Failure> {
    let values = settings(config);
    let mut entries = Vec::new();
    let mut text = String::new();
    for setting in base() {
        let name = setting.name;
        let (value, origin) = if name == "CONFIG_FILE" {
            let Some(file) = &config.file else { continue };
            (Value::from(file.to_string_lossy().into_owned()), String::new())
        } else {
            let origin = shown(config.raw(name).map(|(_, origin)| origin));
            (values.get(name).cloned().unwrap_or(Value::Null), origin)
        };
        if only_changed && origin == "default" {
            continue;
        }
        let _ = writeln!(text, "{name}({origin}) = {}", python_str(&value));
        entries.push(map(vec![("name", name.into()), ("origin", Value::from(origin)), ("value", value)]));
    }
    if format == "display" {
        let servers = galaxy_servers(config);
        text.push_str(if servers.is_empty() { "\nGALAXY_SERVERS:\n" } else { "\nGALAXY_SERVERS:\n\n" });
        for (server, mut settings) in servers {
            settings.retain(|(_, origin, _)| !only_changed || origin != "default");
            let _ = writeln!(text, "\n{server}\n{}", "=".repeat(server.chars().count()));
            settings.sort_by_key(|(name, ..)| *name);
            for (name, origin, value) in settings {
                let _ = writeln!(text, "{name}({origin}) = {}", python_str(&value));
            }
        }
        super::out(&text);
        return Ok(());
    }
    let servers = galaxy_servers(config).into_iter().map(|(server, settings)| {
        let settings = settings.into_iter().map(|(name, origin, value)| {
            let entry =
                [("name", name.into()), ("origin", origin.into()), ("type", Value::Null), ("value", value)];
            map(entry.into())
        });
        (Key::from(server), Value::list(settings.collect()))
    });
    entries.push(map(vec![("GALAXY_SERVERS", Value::map(servers.collect()))]));
    print(&Value::list(entries), format)
}

fn shown(origin: Option<Origin>) -> String {
    match origin {
        Some(Origin::Env(variable)) => format!("env: {variable}"),
        Some(Origin::File(file)) => file.to_string_lossy().into_owned(),
        _ => "default".to_owned(),
    }
}

/// Settings of a server for collections.
const GALAXY: [&str; 10] = [
    "url",
    "username",
    "password",
    "token",
    "auth_url",
    "api_version",
    "validate_certs",
    "client_id",
    "client_secret",
    "timeout",
];

/// The servers of `galaxy_server_list` with their settings: name, origin, value. Nothing here asks them.
fn galaxy_servers(config: &Config) -> Vec<(String, Vec<(&'static str, String, Value)>)> {
    let setting = |server: &str, name: &'static str| {
        let (text, origin) = config.galaxy(server, name).unzip();
        let number = |text: &str| text.trim().parse().map_or_else(|_| Value::from(text), Value::Int);
        let value = match (name, text) {
            ("timeout", None) => config.int("GALAXY_SERVER_TIMEOUT").map_or(Value::Null, Value::Int),
            (_, None) => Value::Null,
            ("timeout" | "api_version", Some(text)) => number(&text),
            ("validate_certs", Some(text)) => Value::Bool(matches!(
                text.trim().to_lowercase().as_str(),
                "true" | "yes" | "on" | "1" | "y" | "t"
            )),
            (_, Some(text)) => Value::from(text),
        };
        (name, shown(origin), value)
    };
    let servers = config.list("GALAXY_SERVER_LIST").into_iter();
    servers.map(|server| (server.clone(), GALAXY.map(|name| setting(&server, name)).into())).collect()
}

fn view(config: &Config) -> Result<(), Failure> {
    let Some(file) = &config.file else {
        return Err(Failure::new("Invalid or no config file was supplied"));
    };
    let text = std::fs::read_to_string(file)
        .map_err(|e| Failure::new(format!("Failed to open config file {}: {e}", file.display())))?;
    super::out(&text);
    if !text.ends_with('\n') {
        super::out("\n");
    }
    Ok(())
}

/// A default as it is written in a file.
fn written(config: &Config, setting: &Setting) -> String {
    match setting.kind {
        Kind::List => {
            setting.default.unwrap_or_default().split(',').map(str::trim).collect::<Vec<_>>().join(", ")
        }
        Kind::PathSpec => {
            let paths = config.paths(setting.name);
            paths.iter().map(|p| p.to_string_lossy().into_owned()).collect::<Vec<_>>().join(":")
        }
        _ => setting.default.unwrap_or_default().to_owned(),
    }
}

fn init(config: &Config, format: &str, disabled: bool) -> String {
    let mut out = String::new();
    if format == "vars" {
        return out;
    }
    if format == "env" {
        let mark = if disabled { "#" } else { "" };
        for setting in base() {
            let Some(name) = setting.env.first() else { continue };
            let value = written(config, setting);
            let value = match (setting.kind, value.as_str()) {
                (Kind::Bool, "True") => "1".to_owned(),
                (Kind::Bool, "False") => "0".to_owned(),
                (Kind::Int | Kind::Float, _) => value,
                _ => shlex::try_quote(&value).map(std::borrow::Cow::into_owned).unwrap_or_default(),
            };
            let _ = writeln!(out, "# ({})\n{mark}{name}={value}\n", type_name(setting.kind));
        }
        return out;
    }
    let mark = if disabled { ";" } else { "" };
    let mut sections: Vec<&str> = base().iter().filter_map(|s| s.ini.first().map(|i| i.0)).collect();
    sections.sort_unstable();
    sections.dedup();
    // Ansible's first section comes first.
    sections.sort_by_key(|name| *name != "defaults");
    for section in sections {
        let _ = writeln!(out, "[{section}]");
        for setting in base().into_iter().filter(|s| s.ini.first().is_some_and(|i| i.0 == section)) {
            let key = setting.ini[0].1;
            let _ =
                writeln!(out, "# ({})\n{mark}{key}={}\n", type_name(setting.kind), written(config, setting));
        }
        out.push('\n');
    }
    out
}

fn validate(config: &Config, format: &str, all: bool) -> Result<u8, Failure> {
    let mut found = Vec::new();
    // Without a type only the settings of the core count, as with Ansible.
    let settings: Vec<&Setting> = TABLE.iter().filter(|s| s.core || all).collect();
    if format == "ini"
        && let Some(file) = &config.file
    {
        let plugins = || plugin_keys().filter(|_| all);
        let ini = || settings.iter().flat_map(|s| s.ini.iter().copied()).chain(plugins());
        let known = |section: &str| ini().any(|(name, _)| name == section);
        let mut sections: Vec<&str> = Vec::new();
        let servers = config.list("GALAXY_SERVER_LIST");
        for (section, key) in config.keys() {
            let server =
                section.strip_prefix("galaxy_server.").filter(|name| servers.iter().any(|s| s == name));
            if server.is_some() && GALAXY.contains(&key) {
                continue;
            }
            if server.is_none() && !known(section) {
                if !sections.contains(&section) {
                    sections.push(section);
                    found.push(format!("Found unknown section '{section}' in '{}.", file.display()));
                }
            } else if !ini().any(|(s, k)| s == section && k == key) {
                let file = file.display();
                found.push(format!("Found unknown key '{key}' in section '{section}' in '{file}."));
            }
        }
    }
    if format == "env" {
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            // These are not settings: they choose the file, or are for tools that test playbooks.
            let special = matches!(name.as_ref(), "ANSIBLE_CONFIG" | "ANSIBLE_DEV_HOME")
                || name.starts_with("ANSIBLE_TEST_")
                || name.starts_with("ANSIBLE_LINT_");
            if name.starts_with("ANSIBLE_")
                && !special
                && !TABLE.iter().any(|s| s.env.contains(&name.as_ref()))
                && !plugin_variables().any(|known| all && known == name)
            {
                found.push(format!("Found unknown environment variable '{name}'."));
            }
        }
    }
    if found.is_empty() {
        super::out("All configurations seem valid!\n");
        return Ok(0);
    }
    Err(Failure { exit: Exit::Error, errors: found.into_iter().map(lang::Error::new).collect() })
}
