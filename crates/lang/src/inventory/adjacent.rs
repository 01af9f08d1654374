//! `group_vars` and `host_vars` beside the inventory and beside the playbook.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{ALL, Host, Inventory};
use crate::vault::VaultSecrets;
use crate::yaml::{self, NodeKind};
use crate::{Error, Key, Map, Pos, Result, Value};

/// In this order: a file without an extension, or a directory, goes before the others.
const EXTENSIONS: [&str; 4] = ["", "yml", "yaml", "json"];
const MAX_DEPTH: usize = 32;

/// What the files say, by group and host.
#[derive(Clone, Debug, Default)]
pub(super) struct Adjacent {
    inventory: Vars,
    playbook: Vars,
}

#[derive(Clone, Debug, Default)]
struct Vars {
    groups: HashMap<String, Arc<Map>>,
    hosts: HashMap<String, Arc<Map>>,
    /// Groups and hosts whose files cannot be read: an error for those who need them.
    broken_groups: HashMap<String, Error>,
    broken_hosts: HashMap<String, Error>,
}

impl Inventory {
    /// Read `group_vars` and `host_vars` for every group and host, beside the sources of the inventory and, if it
    /// is given, beside the playbook. What an earlier call read of the playbook's is forgotten.
    pub fn read_vars_files(
        &mut self,
        playbook_dir: Option<&Path>,
        secrets: Option<&VaultSecrets>,
        merge: bool,
    ) -> Result<()> {
        let mut directories: Vec<PathBuf> = Vec::new();
        for source in &self.sources {
            let path = Path::new(source);
            let directory = if path.is_dir() { Some(path) } else { path.parent().filter(|_| path.exists()) };
            if let Some(directory) = directory.map(Path::to_path_buf)
                && !directories.contains(&directory)
            {
                directories.push(directory);
            }
        }
        let reader = Reader { secrets, merge };
        let mut warnings = Vec::new();
        let mut inventory = Vars::default();
        for directory in &directories {
            self.read_directory(directory, &reader, &mut inventory, &mut warnings)?;
        }
        let mut playbook = Vars::default();
        // Beside both: read once, as the inventory's.
        if let Some(directory) = playbook_dir {
            self.read_directory(directory, &reader, &mut playbook, &mut warnings)?;
        }
        self.adjacent = Adjacent { inventory, playbook };
        warnings.into_iter().for_each(|warning| self.warn(warning));
        Ok(())
    }

    fn read_directory(
        &self,
        directory: &Path,
        reader: &Reader<'_>,
        into: &mut Vars,
        warnings: &mut Vec<Error>,
    ) -> Result<()> {
        let groups: Vec<&str> = self.groups.keys().map(String::as_str).collect();
        let mut hosts: Vec<&str> = self.hosts.keys().map(String::as_str).collect();
        if !self.hosts.contains_key("localhost") {
            hosts.push("localhost");
        }
        for (folder, names, into, broken) in [
            ("group_vars", groups, &mut into.groups, &mut into.broken_groups),
            ("host_vars", hosts, &mut into.hosts, &mut into.broken_hosts),
        ] {
            let folder = directory.join(folder);
            let Ok(metadata) = folder.metadata() else { continue };
            if !metadata.is_dir() {
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                let message = format!("Found {name} that is not a directory, skipping: {}", folder.display());
                warnings.push(Error::new(message));
                continue;
            }
            for name in names {
                // A name with a slash at its start would leave the directory.
                if name.starts_with('/') {
                    continue;
                }
                let read = reader.entity(&folder, name, warnings);
                if let Some(vars) = read.unwrap_or_else(|error| {
                    broken.entry(name.to_owned()).or_insert(error);
                    None
                }) {
                    let slot = into.entry(name.to_owned()).or_default();
                    let mut all = Map::clone(slot);
                    combine(&mut all, vars, reader.merge);
                    *slot = Arc::new(all);
                }
            }
        }
        Ok(())
    }

    /// Everything the inventory knows of a host in layers, the weakest first: variables of `all`, of the other
    /// groups, `group_vars/all`, `group_vars/*`, the host's own, `host_vars`; each beside the inventory before
    /// beside the playbook. `None` for a host that is not there.
    pub fn var_layers(&self, host: &str) -> Option<Vec<Arc<Map>>> {
        self.layers(host, Map::new())
    }

    /// The same with what Ansible itself says of a host: `inventory_hostname`, `group_names` and the like. They are over
    /// the host's own variables, but under those of `host_vars`.
    pub fn var_layers_with_magic(&self, host: &str) -> Option<Vec<Arc<Map>>> {
        let (file, directory) = self.source_of(host);
        let groups = self.groups_of(host).into_iter().map(Value::from).collect();
        let magic = [
            ("inventory_hostname", Value::from(host)),
            ("inventory_hostname_short", Value::from(host.split('.').next().unwrap_or(host))),
            ("group_names", Value::list(groups)),
            ("inventory_file", file),
            ("inventory_dir", directory),
        ];
        self.layers(host, magic.into_iter().map(|(name, value)| (Key::from(name), value)).collect())
    }

    /// What counts for a host that is not in the inventory: the variables of `all`.
    pub fn var_layers_of_stranger(&self, host: &str) -> Vec<Arc<Map>> {
        let all = self.groups.get(ALL).map(|all| Arc::new(all.vars.clone()));
        let both = [&self.adjacent.inventory, &self.adjacent.playbook];
        let files = both.iter().filter_map(|vars| vars.groups.get(ALL).cloned());
        let magic = [
            ("inventory_hostname", Value::from(host)),
            ("inventory_hostname_short", Value::from(host.split('.').next().unwrap_or(host))),
            ("group_names", Value::list(Vec::new())),
        ];
        let magic = magic.into_iter().map(|(name, value)| (Key::from(name), value)).collect();
        all.into_iter().chain(files).chain([Arc::new(magic)]).collect()
    }

    fn layers(&self, host: &str, magic: Map) -> Option<Vec<Arc<Map>>> {
        let host = self.host(host)?;
        let groups = self.var_groups(host);
        let mut layers = Vec::new();
        let own = |vars: &Map| Arc::new(vars.clone());
        layers.extend(self.groups.get(ALL).map(|all| own(&all.vars)));
        layers.extend(groups.iter().map(|group| own(&group.vars)));
        let both = [&self.adjacent.inventory, &self.adjacent.playbook];
        layers.extend(both.iter().filter_map(|vars| vars.groups.get(ALL).cloned()));
        for vars in both {
            layers.extend(groups.iter().filter_map(|group| vars.groups.get(&group.name).cloned()));
        }
        layers.push(own(&host.vars));
        layers.push(Arc::new(magic));
        layers.extend(both.iter().filter_map(|vars| vars.hosts.get(&host.name).cloned()));
        layers.retain(|layer| !layer.is_empty());
        Some(layers)
    }

    /// Why the variables of a host cannot be known: a file of it, or of a group it is in, cannot be read.
    pub fn broken_vars(&self, host: &str) -> Option<&Error> {
        let files = [&self.adjacent.inventory, &self.adjacent.playbook];
        if files.iter().all(|vars| vars.broken_groups.is_empty() && vars.broken_hosts.is_empty()) {
            return None;
        }
        let host = self.host(host)?;
        let groups = self.var_groups(host);
        let names = || std::iter::once(ALL).chain(groups.iter().map(|group| group.name.as_str()));
        files.iter().find_map(|vars| {
            names()
                .find_map(|name| vars.broken_groups.get(name))
                .or_else(|| vars.broken_hosts.get(&host.name))
        })
    }

    /// What the sources themselves say of a host: of its groups, then of itself. Files beside them are left out.
    pub(super) fn own_vars(&self, host: &Host) -> Map {
        let mut vars = self.groups.get(ALL).map(|all| all.vars.clone()).unwrap_or_default();
        for group in self.var_groups(host) {
            vars.extend(group.vars.clone());
        }
        vars.extend(host.vars.clone());
        vars
    }

    /// What the files say of a group: beside the inventory, then beside the playbook.
    pub(super) fn group_files(&self, group: &str) -> impl Iterator<Item = &Arc<Map>> {
        [&self.adjacent.inventory, &self.adjacent.playbook]
            .into_iter()
            .filter_map(move |v| v.groups.get(group))
    }

    /// What the files say of a host: beside the inventory, then beside the playbook.
    pub(super) fn host_files(&self, host: &str) -> impl Iterator<Item = &Arc<Map>> {
        [&self.adjacent.inventory, &self.adjacent.playbook].into_iter().filter_map(move |v| v.hosts.get(host))
    }
}

/// Later variables over earlier ones; dictionaries are merged if that is asked for (`hash_behaviour = merge`).
pub(crate) fn combine(into: &mut Map, over: Map, merge: bool) {
    for (name, value) in over {
        let merged = match (merge, into.get(&name), &value) {
            (true, Some(Value::Map(old)), Value::Map(new)) => {
                let mut both = Map::clone(old);
                combine(&mut both, Map::clone(new), true);
                Some(Value::map(both))
            }
            _ => None,
        };
        into.insert(name, merged.unwrap_or(value));
    }
}

struct Reader<'a> {
    secrets: Option<&'a VaultSecrets>,
    merge: bool,
}

impl Reader<'_> {
    /// The variables of one group or host: of its file, or of all files of its directory.
    fn entity(&self, folder: &Path, name: &str, warnings: &mut Vec<Error>) -> Result<Option<Map>> {
        for extension in EXTENSIONS {
            let path = folder.join(if extension.is_empty() {
                name.to_owned()
            } else {
                format!("{name}.{extension}")
            });
            let Ok(metadata) = path.metadata() else { continue };
            let mut files = Vec::new();
            if metadata.is_dir() {
                list(&path, 0, &mut files)?;
            } else {
                files.push(path);
            }
            let mut all = Map::new();
            for file in files {
                combine(&mut all, self.file(&file, warnings)?, self.merge);
            }
            return Ok(Some(all));
        }
        Ok(None)
    }

    fn file(&self, path: &Path, warnings: &mut Vec<Error>) -> Result<Map> {
        read_vars_file(path, self.secrets, warnings)
    }
}

/// A file of variables: YAML or JSON, perhaps encrypted; empty is no variables.
pub fn read_vars_file(path: &Path, secrets: Option<&VaultSecrets>, warnings: &mut Vec<Error>) -> Result<Map> {
    let mut text = std::fs::read(path).map_err(|error| yaml::unreadable(path, &error))?;
    let start = Pos { file: path.into(), line: 1, column: 1 };
    if crate::vault::is_encrypted(&text) {
        let none = VaultSecrets::default();
        text = secrets.unwrap_or(&none).decrypt(&text).map_err(|error| error.at(Some(&start)))?;
    }
    let document = yaml::parse_one(&text, path)?;
    warnings.extend(document.warnings);
    match &document.root.value {
        NodeKind::Map(pairs) => {
            // Names that are no strings are of no use, but no error either.
            let name = |key: &yaml::Node| key.to_key().map(|key| Key::from(key.to_string()));
            Ok(pairs.iter().filter_map(|(key, value)| Some((name(key)?, value.to_value()))).collect())
        }
        NodeKind::Null => Ok(Map::new()),
        _ => Err(document.root.error(format!(
            "failed to combine variables, expected dicts but got a 'dict' and a '{}'",
            document.root.type_name()
        ))),
    }
}

/// The files of variables in a directory, sorted, those of sub-directories in their place.
fn list(directory: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(Error::new(format!("directories nest too deeply: {}", directory.display())));
    }
    let entries = std::fs::read_dir(directory).map_err(|error| yaml::unreadable(directory, &error))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.file_name().to_string_lossy().into_owned())).collect();
    names.sort();
    for name in names {
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let path = directory.join(&name);
        let extension = path.extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() && extension.is_empty() {
            list(&path, depth + 1, files)?;
        } else if path.is_file() && EXTENSIONS.contains(&extension.as_str()) {
            files.push(path);
        }
    }
    Ok(())
}
