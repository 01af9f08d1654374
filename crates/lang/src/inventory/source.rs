//! One source: which kind it is, and the directory it may be.

use std::path::Path;

use super::{Inventory, LoadOptions, configured, ini, script, tree};
use crate::error::ErrorKind;
use crate::yaml::Document;
use crate::{Error, Result};

/// Names in directories that are never sources.
const NEVER: [&str; 3] = ["host_vars", "group_vars", "vars_plugins"];
const MAX_DEPTH: usize = 16;

/// How a source is named in messages: absolute if it is a file.
pub(super) fn shown(source: &str) -> String {
    if source.contains(',') && !Path::new(source).exists() {
        return source.to_owned();
    }
    let absolute = std::path::absolute(source).map(|path| path.to_string_lossy().into_owned());
    absolute.unwrap_or_else(|_| source.to_owned())
}

/// Read a source; false if nothing could make sense of it.
pub(super) fn read(inventory: &mut Inventory, source: &str, options: &LoadOptions<'_>) -> Result<bool> {
    read_at(inventory, source, options, 0)
}

fn read_at(inventory: &mut Inventory, source: &str, options: &LoadOptions<'_>, depth: usize) -> Result<bool> {
    let path = Path::new(source);
    let parsed = if path.is_dir() {
        read_directory(inventory, path, options, depth)?
    } else {
        read_file(inventory, source, options)?
    };
    if !parsed {
        if options.any_unparsed_is_failed {
            return Err(Error::new(format!("Completely failed to parse inventory source {}", shown(source))));
        }
        if !options.no_unparsed_warning || path.exists() {
            inventory.warn(Error::new(format!("Unable to parse {} as an inventory source", shown(source))));
        }
    }
    Ok(parsed)
}

fn read_directory(
    inventory: &mut Inventory,
    directory: &Path,
    options: &LoadOptions<'_>,
    depth: usize,
) -> Result<bool> {
    if depth > MAX_DEPTH {
        return Err(Error::new(format!("inventory directories nest too deeply: {}", directory.display())));
    }
    let ignored = ignored_names(options)?;
    let entries = std::fs::read_dir(directory).map_err(|error| crate::yaml::unreadable(directory, &error))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    let mut parsed = false;
    for name in names {
        let skip = name.starts_with('.')
            || NEVER.contains(&name.as_str())
            || options.ignore_extensions.iter().any(|ending| name.ends_with(ending.as_str()))
            || ignored.iter().any(|pattern| pattern.is_match(&name).unwrap_or(false));
        if !skip {
            parsed |= read_at(inventory, &directory.join(name).to_string_lossy(), options, depth + 1)?;
        }
    }
    Ok(parsed)
}

fn ignored_names(options: &LoadOptions<'_>) -> Result<Vec<fancy_regex::Regex>> {
    let compile = |pattern: &String| {
        fancy_regex::Regex::new(pattern)
            .map_err(|error| Error::new(format!("Invalid pattern '{pattern}' in ignore_patterns: {error}")))
    };
    options.ignore_patterns.iter().map(compile).collect()
}

/// Try every kind of source until one fits.
fn read_file(inventory: &mut Inventory, source: &str, options: &LoadOptions<'_>) -> Result<bool> {
    inventory.current = Some(shown(source).into());
    let mut failures = Vec::new();
    let mut file = File { source, text: None, document: None };
    for plugin in &options.plugins {
        let plugin = plugin.strip_prefix("ansible.builtin.").unwrap_or(plugin);
        if !file.fits(plugin) {
            continue;
        }
        match file.load(inventory, plugin, options) {
            Ok(()) => return Ok(true),
            Err(error) if error.is_pending() => return Err(error),
            Err(error) => failures.push((plugin.to_owned(), error)),
        }
    }
    for (plugin, error) in failures {
        let message = format!("Failed to parse inventory with '{plugin}' plugin");
        let pos = error.pos().cloned();
        inventory.warn(Error::new(message).caused_by(error).at(pos.as_ref()));
    }
    Ok(false)
}

struct File<'a> {
    source: &'a str,
    text: Option<Vec<u8>>,
    document: Option<Result<Document>>,
}

impl File<'_> {
    fn path(&self) -> &Path {
        Path::new(self.source)
    }

    /// May this kind of source be tried?
    fn fits(&self, plugin: &str) -> bool {
        let path = self.path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let extension = path.extension().map(|e| e.to_string_lossy().into_owned());
        // `/dev/null` is the inventory of those who want none.
        let is_file = path.is_file() || path == Path::new("/dev/null");
        match plugin {
            "host_list" | "advanced_host_list" => !path.exists() && self.source.contains(','),
            "script" => is_file && script::is_script(path),
            "auto" => is_file && (name.ends_with(".yml") || name.ends_with(".yaml")),
            "constructed" | "generator" => {
                is_file
                    && extension.as_deref().is_none_or(|e| matches!(e, "config" | "yml" | "yaml" | "json"))
            }
            "yaml" => is_file && extension.as_deref().is_none_or(|e| matches!(e, "yml" | "yaml" | "json")),
            "toml" => is_file && extension.as_deref() == Some("toml"),
            "ini" => is_file && extension.as_deref() != Some("toml"),
            _ => is_file,
        }
    }

    fn load(&mut self, inventory: &mut Inventory, plugin: &str, options: &LoadOptions<'_>) -> Result<()> {
        match plugin {
            "host_list" => host_list(inventory, self.source, false),
            "advanced_host_list" => host_list(inventory, self.source, true),
            "script" => script::load(inventory, self.path(), options),
            "auto" => self.load_configured(inventory, None, options),
            "constructed" | "generator" => self.load_configured(inventory, Some(plugin), options),
            "yaml" => {
                let document = self.document(options)?;
                document.warnings.iter().for_each(|warning| inventory.warn(warning.clone()));
                tree::load_yaml(inventory, &document.root, options)
            }
            "ini" => {
                let path = self.path().to_path_buf();
                ini::load(inventory, &self.text(options)?, &path, options).map_err(|error| {
                    let pos = error.pos().cloned();
                    Error::new("Failed to parse inventory").caused_by(error).at(pos.as_ref())
                })
            }
            "toml" => {
                let path = self.path().to_path_buf();
                tree::load_toml(inventory, &self.text(options)?, &path, options)
            }
            other => Err(Error::new(format!("inventory plugin '{other}' is not supported"))),
        }
    }

    fn load_configured(
        &mut self,
        inventory: &mut Inventory,
        wanted: Option<&str>,
        options: &LoadOptions<'_>,
    ) -> Result<()> {
        let shown = shown(self.source);
        let document = self.document(options)?;
        let Some(name) = configured::plugin_name(&document.root) else {
            return Err(Error::new(format!(
                "no root 'plugin' key found, '{shown}' is not a valid YAML inventory plugin config file"
            )));
        };
        if wanted.is_some_and(|wanted| wanted != name) {
            return Err(Error::new(format!("'{shown}' is the configuration of the plugin '{name}'")));
        }
        match name {
            "constructed" => configured::construct(inventory, &document.root, options),
            "generator" => configured::generate(inventory, &document.root, options),
            other => {
                Err(Error::new(format!("inventory config '{shown}' specifies unknown plugin '{other}'"))
                    .at(document.root.get("plugin").map(|node| &node.pos)))
            }
        }
    }

    fn bytes(&mut self, options: &LoadOptions<'_>) -> Result<&[u8]> {
        if self.text.is_none() {
            let text =
                std::fs::read(self.path()).map_err(|error| crate::yaml::unreadable(self.path(), &error))?;
            let text = match options.secrets {
                Some(secrets) => secrets.decrypt_if_encrypted(text)?,
                None if crate::vault::is_encrypted(&text) => {
                    crate::vault::VaultSecrets::default().decrypt(&text)?
                }
                None => text,
            };
            self.text = Some(text);
        }
        Ok(self.text.as_deref().unwrap_or_default())
    }

    fn text(&mut self, options: &LoadOptions<'_>) -> Result<String> {
        let source = self.source;
        let bytes = self.bytes(options)?;
        let text = std::str::from_utf8(bytes)
            .map_err(|_| Error::new(format!("the inventory {source} is not UTF-8 text")))?;
        Ok(text.trim_start_matches('\u{feff}').to_owned())
    }

    fn document(&mut self, options: &LoadOptions<'_>) -> Result<Document> {
        if self.document.is_none() {
            let path = self.path().to_path_buf();
            let parsed = self.bytes(options).and_then(|text| crate::yaml::parse_one(text, &path));
            self.document = Some(parsed);
        }
        self.document.clone().unwrap_or_else(|| Err(Error::new("could not be read")))
    }
}

/// `host,list`; with ranges if `advanced`.
fn host_list(inventory: &mut Inventory, list: &str, advanced: bool) -> Result<()> {
    for entry in list.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        if advanced {
            let (hosts, port) = match super::address::expand_host_pattern(entry) {
                Ok(expanded) => expanded,
                // A bound that is no number is an error; an entry that is wrong otherwise is a name.
                Err(error) if error.kind() == ErrorKind::Syntax => return Err(error),
                Err(error) => {
                    inventory.remarks.push(format!(
                        "Unable to parse address from hostname, leaving unchanged: {}",
                        error.message()
                    ));
                    (vec![entry.to_owned()], None)
                }
            };
            for host in hosts {
                inventory.add_host(&host, Some(super::UNGROUPED), port)?;
            }
        } else {
            let (host, port) = parse_single(entry);
            inventory.add_host(host, Some(super::UNGROUPED), port)?;
        }
    }
    Ok(())
}

/// A host without ranges; what is no name of a host is taken as it is.
fn parse_single(entry: &str) -> (&str, Option<u16>) {
    match super::parse_address(entry) {
        Some((host, port)) if !host.contains('[') => (host, port),
        _ => (entry, None),
    }
}
