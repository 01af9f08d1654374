//! Configuration: `ansible.cfg`, `ANSIBLE_*` variables, defaults; the first file found counts, as in Ansible
//! (`ANSIBLE_CONFIG`, the current directory, the home directory, `/etc/ansible/ansible.cfg`).

mod check;
mod ini;
mod table;

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};

pub use table::TABLE;

/// Settings of Ansible's own plugins that are not in the table, one a line: section and key of the file, or a variable
/// of the environment. Only `ansible-config validate` asks for them.
const PLUGINS: &str = include_str!("config/plugins.txt");

/// Sections and keys that only plugins read.
pub fn plugin_keys() -> impl Iterator<Item = (&'static str, &'static str)> {
    PLUGINS.lines().filter_map(|line| line.split_once(' '))
}

/// Variables of the environment that only plugins read.
pub fn plugin_variables() -> impl Iterator<Item = &'static str> {
    PLUGINS.lines().filter(|line| !line.contains(' '))
}

/// A setting that exists.
#[derive(Debug)]
pub struct Setting {
    pub name: &'static str,
    pub kind: Kind,
    /// As it would be written.
    pub default: Option<&'static str>,
    pub env: &'static [&'static str],
    /// Section and key of `ansible.cfg`.
    pub ini: &'static [(&'static str, &'static str)],
    /// Of the core itself, not of a plugin.
    pub core: bool,
}

/// The type of a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Text,
    Bool,
    Int,
    Float,
    List,
    /// Relative to the file it is written in.
    Path,
    /// Several, separated by colons.
    PathSpec,
    /// Several, separated by commas.
    PathList,
    Dict,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    Default,
    Env(String),
    File(PathBuf),
}

/// What two defaults build on: endings of files that nobody means.
const REJECT_EXTS: [&str; 9] = [".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst"];

/// The configuration of a run.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// The file that was read.
    pub file: Option<PathBuf>,
    entries: BTreeMap<(String, String), String>,
    env: BTreeMap<String, String>,
    pub warnings: Vec<String>,
}

impl Config {
    /// Read what there is. An unreadable or malformed file is an error.
    pub fn load() -> Result<Self, String> {
        let mut warnings = Vec::new();
        let file = find(&mut warnings);
        Ok(Self { warnings, ..Self::load_from(file)? })
    }

    /// The same with this file, or with none.
    pub fn load_from(file: Option<PathBuf>) -> Result<Self, String> {
        let env = env::vars_os()
            .filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)))
            .collect();
        let entries = match &file {
            Some(file) => {
                let text = std::fs::read_to_string(file)
                    .map_err(|e| format!("Error reading config file ({}): {e}", file.display()))?;
                ini::parse(&text)
                    .map_err(|e| format!("Error reading config file ({}): {e}", file.display()))?
            }
            None => BTreeMap::new(),
        };
        let config = Self { file, entries, env, warnings: Vec::new() };
        check::values(&config)?;
        Ok(config)
    }

    /// Sections and keys of the file.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &str)> {
        self.entries.keys().map(|(section, key)| (section.as_str(), key.as_str()))
    }

    /// A setting of a server for collections (`[galaxy_server.NAME]`), as it is written.
    pub fn galaxy(&self, server: &str, key: &str) -> Option<(String, Origin)> {
        let variable = format!("ANSIBLE_GALAXY_SERVER_{}_{}", server.to_uppercase(), key.to_uppercase());
        if let Some(value) = self.env.get(&variable) {
            return Some((value.clone(), Origin::Env(variable)));
        }
        let value = self.entries.get(&(format!("galaxy_server.{server}"), key.to_owned()))?;
        Some((value.clone(), Origin::File(self.file.clone()?)))
    }

    /// The value as text, and where it came from. `None` if nothing and no default is there.
    pub fn raw(&self, name: &str) -> Option<(String, Origin)> {
        let setting = TABLE.iter().find(|s| s.name == name)?;
        // Of several variables the last one counts. An empty one is no number.
        let number = matches!(setting.kind, Kind::Int | Kind::Float);
        for variable in setting.env.iter().rev() {
            if let Some(value) = self.env.get(*variable).filter(|value| !(number && value.is_empty())) {
                return Some((value.clone(), Origin::Env((*variable).to_owned())));
            }
        }
        if let Some(file) = &self.file {
            // Of several keys the last one in the table is the newest name.
            for (section, key) in setting.ini.iter().rev() {
                if let Some(value) = self.entries.get(&((*section).to_owned(), (*key).to_owned())) {
                    return Some((value.clone(), Origin::File(file.clone())));
                }
            }
        }
        setting.default.map(|d| (d.to_owned(), Origin::Default))
    }

    /// Is it set by anybody, rather than a default?
    pub fn is_set(&self, name: &str) -> bool {
        self.raw(name).is_some_and(|(_, origin)| origin != Origin::Default)
    }

    /// Text; templates in defaults (`{{ ANSIBLE_HOME ~ "/x" }}`) are resolved.
    pub fn text(&self, name: &str) -> Option<String> {
        self.raw(name).map(|(text, _)| self.resolve(&text)).filter(|t| !t.is_empty())
    }

    pub fn bool(&self, name: &str) -> bool {
        self.raw(name).and_then(|(text, _)| modules::args::parse_bool(&text)).unwrap_or(false)
    }

    /// A boolean that may be left open.
    pub fn maybe_bool(&self, name: &str) -> Option<bool> {
        self.raw(name).and_then(|(text, _)| modules::args::parse_bool(&text))
    }

    pub fn int(&self, name: &str) -> Option<i64> {
        self.raw(name).and_then(|(text, _)| check::integer(&text))
    }

    pub fn float(&self, name: &str) -> Option<f64> {
        self.raw(name).and_then(|(text, _)| text.trim().trim_end_matches('%').parse().ok())
    }

    pub fn list(&self, name: &str) -> Vec<String> {
        let Some((text, _)) = self.raw(name) else { return Vec::new() };
        if let Some(more) = text.strip_prefix("{{ REJECT_EXTS + [").and_then(|t| t.strip_suffix("] }}")) {
            let more = more.split(',').map(|t| t.trim().trim_matches('\''));
            return REJECT_EXTS.iter().copied().chain(more).map(str::to_owned).collect();
        }
        text.split(',').map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect()
    }

    /// A path, relative to the file it was written in (or to the current directory).
    pub fn path(&self, name: &str) -> Option<PathBuf> {
        let (text, origin) = self.raw(name)?;
        let text = self.resolve(&text);
        (!text.is_empty()).then(|| self.place(&text, &origin))
    }

    /// Several paths: separated by colons, or by commas for a list of paths.
    pub fn paths(&self, name: &str) -> Vec<PathBuf> {
        let Some((text, origin)) = self.raw(name) else { return Vec::new() };
        let separator = match TABLE.iter().find(|s| s.name == name).map(|s| s.kind) {
            Some(Kind::PathList) => ',',
            _ => ':',
        };
        let text = self.resolve(&text);
        text.split(separator)
            .map(str::trim)
            .filter(|t| !t.is_empty())
            .map(|t| self.place(t, &origin))
            .collect()
    }

    fn place(&self, text: &str, origin: &Origin) -> PathBuf {
        let path = expand(text);
        match origin {
            Origin::File(file) if path.is_relative() => {
                let dir = file.parent().map(Path::to_path_buf).unwrap_or_default();
                let text = text.replace("{{CWD}}", &env::current_dir().unwrap_or_default().to_string_lossy());
                dir.join(expand(&text))
            }
            _ if path.is_relative() => lang::playbook::absolute(&path),
            _ => path,
        }
    }

    /// `{{ ANSIBLE_HOME ~ "/roles" }}`, the only form of template in defaults.
    fn resolve(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(start) = rest.find("{{") {
            let Some(length) = rest[start..].find("}}") else { break };
            out.push_str(&rest[..start]);
            let inner = rest[start + 2..start + length].trim();
            let (name, tail) = inner.split_once('~').map_or((inner, ""), |(a, b)| (a.trim(), b.trim()));
            let base = match name {
                "ANSIBLE_HOME" => self
                    .raw("ANSIBLE_HOME")
                    .map(|(home, _)| expand(&home).to_string_lossy().into_owned())
                    .unwrap_or_default(),
                "CWD" => env::current_dir().unwrap_or_default().to_string_lossy().into_owned(),
                _ => return text.to_owned(),
            };
            out.push_str(&base);
            out.push_str(tail.trim_matches(['"', '\'']));
            rest = &rest[start + length + 2..];
        }
        out.push_str(rest);
        out
    }
}

/// `~` and `$VARIABLES`.
pub fn expand(text: &str) -> PathBuf {
    let mut text = text.to_owned();
    if let Some(rest) = text.strip_prefix('~')
        && (rest.is_empty() || rest.starts_with('/'))
        && let Ok(home) = env::var("HOME")
    {
        text = format!("{home}{rest}");
    }
    PathBuf::from(lang::template::expand_variables(&text))
}

fn find(warnings: &mut Vec<String>) -> Option<PathBuf> {
    if let Some(path) = env::var_os("ANSIBLE_CONFIG") {
        let mut path = expand(&path.to_string_lossy());
        if path.is_dir() {
            path.push("ansible.cfg");
        }
        if path.is_file() {
            return Some(std::path::absolute(&path).unwrap_or(path));
        }
    }
    if let Ok(dir) = env::current_dir() {
        let path = dir.join("ansible.cfg");
        if path.is_file() {
            if is_world_writable(&dir) {
                warnings.push(format!(
                    "Ansible is being run in a world writable directory ({}), ignoring it as an ansible.cfg source.",
                    dir.display()
                ));
            } else {
                return Some(path);
            }
        }
    }
    if let Ok(home) = env::var("HOME") {
        let path = Path::new(&home).join(".ansible.cfg");
        if path.is_file() {
            return Some(path);
        }
    }
    let path = PathBuf::from("/etc/ansible/ansible.cfg");
    path.is_file().then_some(path)
}

fn is_world_writable(dir: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    dir.metadata().is_ok_and(|m| m.permissions().mode() & 0o002 != 0)
}
