//! Inventories: which hosts there are, in which groups, with which variables.
//!
//! [`Inventory::load`] reads any number of sources, each a file (INI, YAML, TOML, a script, a plugin's
//! configuration), a directory of them, or a list of hosts with a comma in it. As in Ansible, every kind is tried
//! until one fits, a source that none fits is a warning, and what a source said before its error stays.
//! `group_vars` and `host_vars` are read by [`Inventory::read_vars_files`]; [`Inventory::var_layers`] gives all that
//! is known of a host in the order of precedence. Patterns over hosts are in [`crate::patterns`].

mod address;
mod adjacent;
mod configured;
mod data;
mod ini;
mod literal;
pub mod output;
mod script;
mod source;
mod tree;

pub(crate) use address::parse_address;
pub use address::split_address;
pub(crate) use adjacent::combine;
pub use adjacent::read_vars_file;
pub(crate) use data::is_localhost;
pub use data::{ALL, Group, Host, Inventory, UNGROUPED};
pub(crate) use literal::python_literal;

use std::path::Path;
use std::sync::Arc;

use crate::template::{MapScope, Scope, Templar};
use crate::{Error, Key, Map, Result, Value};

/// Renders a template natively over variables: for plugins that make groups and variables by expressions.
pub type Render<'a> = &'a dyn Fn(&str, &Map) -> Result<Value>;

/// Renders with the templar, natively: what `render` of [`LoadOptions`] usually is.
pub fn render_with(templar: &Templar) -> impl Fn(&str, &Map) -> Result<Value> {
    |text, vars| {
        let scope: Arc<dyn Scope> = Arc::new(MapScope { vars: vars.clone(), ..MapScope::default() });
        templar.render(&Value::template(text), &scope)
    }
}

/// What to do with names of groups that are no valid variable names (`force_valid_group_names`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GroupNames {
    /// Keep them, with a warning.
    #[default]
    Never,
    /// Keep them without a word.
    Ignore,
    /// Replace what is invalid by underscores, with a warning.
    Always,
    /// Replace what is invalid by underscores without a word.
    Silently,
}

/// Settings of reading sources.
pub struct LoadOptions<'a> {
    /// Kinds of source in the order they are tried (`enable_plugins`).
    pub plugins: Vec<String>,
    /// Endings of file names in directories that are passed over (`ignore_extensions`).
    pub ignore_extensions: Vec<String>,
    /// Regular expressions of file names in directories that are passed over (`ignore_patterns`).
    pub ignore_patterns: Vec<String>,
    pub group_names: GroupNames,
    /// Opens encrypted sources.
    pub secrets: Option<&'a crate::vault::VaultSecrets>,
    /// Renders templates of `constructed` and `generator`; they are refused without it.
    pub render: Option<Render<'a>>,
    /// `-e`, for `use_extra_vars`.
    pub extra_vars: Map,
    /// Dictionaries that several sources give to a group or host are merged (`hash_behaviour = merge`).
    pub merge: bool,
    /// Show what scripts write to their standard error.
    pub show_stderr: bool,
    /// A source that cannot be read is an error (`any_unparsed_is_failed`).
    pub any_unparsed_is_failed: bool,
    /// If no source can be read, that is an error (`unparsed_is_failed`).
    pub unparsed_is_failed: bool,
    /// No warning if nothing was read (`unparsed_warning = false`).
    pub no_unparsed_warning: bool,
}

impl Default for LoadOptions<'_> {
    fn default() -> Self {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            plugins: list(&["host_list", "script", "auto", "yaml", "ini", "toml"]),
            ignore_extensions: list(&[
                ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry",
            ]),
            ignore_patterns: Vec::new(),
            group_names: GroupNames::Never,
            secrets: None,
            render: None,
            extra_vars: Map::new(),
            merge: false,
            show_stderr: false,
            any_unparsed_is_failed: false,
            unparsed_is_failed: false,
            no_unparsed_warning: false,
        }
    }
}

impl LoadOptions<'_> {
    /// The name under which a group is kept.
    fn safe_group_name(&self, inventory: &mut Inventory, name: &str) -> String {
        let replaced = replace_invalid(name);
        if replaced == name {
            return replaced;
        }
        let message = |what: &str| {
            format!("Invalid characters were found in group names {what}, use -vvvv to see details")
        };
        match self.group_names {
            GroupNames::Never => inventory.warn(Error::new(message("but not replaced"))),
            GroupNames::Always => inventory.warn(Error::new(message("and automatically replaced"))),
            GroupNames::Ignore | GroupNames::Silently => {}
        }
        match self.group_names {
            GroupNames::Never | GroupNames::Ignore => name.to_owned(),
            GroupNames::Always | GroupNames::Silently => replaced,
        }
    }

    fn render(&self, template: &str, vars: &Map) -> Result<Value> {
        match self.render {
            Some(render) => render(template, vars),
            None => Err(Error::new("this inventory needs templates, which are not available here")),
        }
    }

    fn render_text(&self, template: &str, vars: &Map) -> Result<String> {
        Ok(match self.render(template, vars)? {
            Value::Str(text) => text.as_str().to_owned(),
            Value::Null => String::new(),
            other => Key::from(other.to_json().to_string()).to_string(),
        })
    }
}

/// A name whose characters are those of a variable: what is not becomes `_`, also a digit at the start.
fn replace_invalid(name: &str) -> String {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let valid = |(index, c): (usize, char)| if word(c) && !(index == 0 && c.is_numeric()) { c } else { '_' };
    name.chars().enumerate().map(valid).collect()
}

impl Inventory {
    /// Read sources in their order. Errors of single sources become [`Inventory::warnings`], unless the options
    /// say that they are errors.
    pub fn load(sources: &[String], options: &LoadOptions<'_>) -> Result<Self> {
        let mut inventory = Self { merge: options.merge, ..Self::default() };
        for source in sources {
            if source.is_empty() {
                continue;
            }
            let parsed = source::read(&mut inventory, source, options)?;
            inventory.parsed |= parsed;
            inventory.sources.push(source::shown(source));
        }
        if inventory.parsed {
            inventory.reconcile();
        }
        inventory.current = None;
        if !inventory.parsed {
            if options.unparsed_is_failed {
                return Err(Error::new(
                    "No inventory was parsed, please check your configuration and options",
                ));
            }
            if !options.no_unparsed_warning {
                let message = "No inventory was parsed, only implicit localhost is available";
                inventory.warn(Error::new(message));
            }
        }
        Ok(inventory)
    }

    /// Names of all hosts, in the order of the group `all`.
    pub fn host_names(&self) -> Vec<String> {
        self.hosts_in(ALL).into_iter().map(|host| host.name.clone()).collect()
    }

    /// Every group with the names of its hosts: the variable `groups`.
    pub fn group_hosts(&self) -> Vec<(String, Vec<String>)> {
        let hosts = |group: &str| self.hosts_in(group).into_iter().map(|host| host.name.clone()).collect();
        self.groups.keys().map(|group| (group.clone(), hosts(group))).collect()
    }

    /// Names of the groups of a host without `all`, sorted: the variable `group_names`.
    pub fn groups_of(&self, host: &str) -> Vec<String> {
        let groups = self.host(host).map(|host| &host.groups);
        let mut names: Vec<String> =
            groups.into_iter().flatten().filter(|group| *group != ALL).cloned().collect();
        names.sort();
        names
    }

    /// `inventory_file` and `inventory_dir` of a host; null for one that no file names.
    pub fn source_of(&self, host: &str) -> (Value, Value) {
        let source = self.host(host).and_then(|host| host.source.clone());
        let Some(source) = source.filter(|source| !source.contains(',')) else {
            return (Value::Null, Value::Null);
        };
        let directory = Path::new(source.as_ref()).parent().map(|dir| dir.to_string_lossy().into_owned());
        (Value::str(source.as_ref()), directory.map_or(Value::Null, Value::str))
    }

    /// Is there any host besides the implicit localhost?
    pub fn is_empty(&self) -> bool {
        self.hosts.is_empty()
    }

    /// What templates of a host see besides its variables.
    pub(crate) fn magic_vars(&self, host: &Host) -> Map {
        let short = host.name.split('.').next().unwrap_or_default();
        let groups: Vec<Value> = self.groups_of(&host.name).into_iter().map(Value::from).collect();
        [
            (Key::from("inventory_hostname"), Value::str(host.name.as_str())),
            (Key::from("inventory_hostname_short"), Value::str(short)),
            (Key::from("group_names"), Value::list(groups)),
        ]
        .into_iter()
        .collect()
    }
}
