//! Roles: finding them, reading their files, and expanding them with the roles they depend on.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock, PoisonError};

use crate::error::ErrorKind;
use crate::keywords::{Keyword, Place};
use crate::playbook::{Attrs, Block, Frame, FrameKind, Item, ModuleRef, Task, TaskId};
use crate::role::{Metadata, Role, RoleId};
use crate::yaml::{Node, NodeKind};
use crate::{Error, Key, Map, Pos, Str, Value};

use super::fields::{Fields, key_text, map_of};
use super::{Load, files};

/// Which files of a role are taken instead of `main`.
#[derive(Clone, Debug, Default)]
pub(super) struct From {
    pub tasks: Option<String>,
    pub vars: Option<String>,
    pub defaults: Option<String>,
    pub handlers: Option<String>,
}

/// One use of a role: an entry of `roles:`, a dependency, an import or include.
pub(super) struct Use {
    pub name: String,
    pub fields: Fields,
    /// What an entry says besides keywords.
    pub params: Map,
    pub from: From,
    pub included: bool,
    pub public: bool,
    pub allow_duplicates: Option<bool>,
    pub validate: bool,
    pub pos: Pos,
}

impl Default for Use {
    fn default() -> Self {
        Self {
            name: String::new(),
            fields: Fields::default(),
            params: Map::new(),
            from: From::default(),
            included: false,
            public: true,
            allow_duplicates: None,
            validate: true,
            pos: Pos { file: Path::new("").into(), line: 0, column: 0 },
        }
    }
}

pub(super) struct Expanded {
    pub role: Arc<Role>,
    pub block: Arc<Block>,
    pub handlers: Vec<Item>,
}

impl Load<'_> {
    /// `roles:` of a play and `dependencies:` of a role.
    pub(super) fn role_entries(&mut self, nodes: &[Node], frame: &Arc<Frame>) -> Vec<Use> {
        nodes.iter().filter_map(|node| self.role_entry(node, frame)).collect()
    }

    fn role_entry(&mut self, node: &Node, frame: &Arc<Frame>) -> Option<Use> {
        let public = !self.loader.hooks.private_role_vars().unwrap_or(false);
        let mut entry = Use { pos: node.pos.clone(), public, ..Use::default() };
        let written = match &node.value {
            NodeKind::Str(_) => node.to_value(),
            NodeKind::Map(pairs) => {
                for (key, value) in pairs {
                    match key.as_str() {
                        Some("role") => {}
                        Some("name" | "src" | "scm" | "version") if node.get("role").is_none() => {}
                        Some(text) => match Keyword::find(text).filter(|k| k.allowed(Place::Role)) {
                            Some(keyword) => {
                                self.field(&mut entry.fields, keyword, value, &node.pos, "RoleInclude");
                            }
                            None => {
                                entry.params.insert(Key::from(text), value.to_value());
                            }
                        },
                        None => self.bad(
                            &key.pos,
                            format!("'{}' is not a valid attribute for a RoleInclude", key_text(key)),
                        ),
                    }
                }
                let name = node.get("role").or_else(|| node.get("name"));
                match name.filter(|n| !n.is_null()) {
                    Some(name) => {
                        entry.pos = name.pos.clone();
                        name.to_value()
                    }
                    None => match node.get("src").and_then(Node::as_str) {
                        Some(source) => Value::template(requirement_name(source)),
                        None => {
                            self.report(
                                Error::new("role definitions must contain a role name").at(Some(&node.pos)),
                            );
                            return None;
                        }
                    },
                }
            }
            _ => {
                self.bad(&node.pos, "Invalid role definition.");
                return None;
            }
        };
        let vars = entry.fields.vars.clone();
        let name = self.render(&written, &vars, frame).map_err(|e| e.at(Some(&entry.pos)));
        entry.name = self.ok(name)?;
        if entry.name.contains(',') {
            self.report(
                Error::new(format!("Invalid old style role requirement: {}", entry.name))
                    .at(Some(&entry.pos)),
            );
            return None;
        }
        Some(entry)
    }

    /// Expand a use of a role below `parent`.
    pub(super) fn role(&mut self, entry: Use, parent: &Arc<Frame>) -> Option<Expanded> {
        if !self.one_more(&entry.pos) {
            return None;
        }
        let found = match self.find_role(&entry.name, parent) {
            Ok(found) => found,
            Err(error) => {
                self.report(error.at(Some(&entry.pos)));
                return None;
            }
        };
        self.loader.modules.add_role(&found.path);
        let tasks_from = entry.from.tasks.clone().unwrap_or_else(|| "main".into());
        if let Some(chain) = cycle(parent, &found.path, &tasks_from) {
            let error = Error::new(
                "A recursion loop was detected with the roles specified. Make sure child roles do not have \
                 dependencies on parent roles",
            );
            let chain = format!("{chain} -> {}", found.name);
            self.report(error.with_help(chain).at(Some(&entry.pos)));
            return None;
        }
        let (metadata, dependencies) = self.metadata(&found)?;
        let defaults = self.role_vars(&found, "defaults", entry.from.defaults.as_deref())?;
        let vars = self.role_vars(&found, "vars", entry.from.vars.as_deref())?;
        let id = self.role_id(&entry, &found);
        let role = Arc::new(Role {
            id,
            name: found.name.as_str().into(),
            collection: found.collection.as_deref().map(Into::into),
            path: found.path.as_path().into(),
            tasks_from: tasks_from.as_str().into(),
            defaults: Arc::new(defaults),
            vars: Arc::new(vars),
            params: entry.params,
            entry_vars: entry.fields.vars,
            allow_duplicates: entry.allow_duplicates.unwrap_or(metadata.allow_duplicates),
            metadata: Arc::new(metadata),
            dependencies: OnceLock::new(),
            public: entry.public,
            from_include: entry.included,
        });
        let tasks_dir = found.path.join("tasks");
        let tasks_file = files::with_extension(&tasks_dir, &tasks_from);
        if let Some(path) = &tasks_file {
            self.inside(path, &tasks_dir, &tasks_from, &found.name)?;
        }
        let frame = |file: Arc<Path>| {
            Arc::new(Frame {
                kind: FrameKind::Role(role.clone()),
                name: None,
                attrs: entry.fields.attrs.clone(),
                vars: Map::new(),
                parent: Some(parent.clone()),
                file,
                dir: Default::default(),
                pos: entry.pos.clone(),
            })
        };
        let task_frame = frame(match &tasks_file {
            Some(path) => path.as_path().into(),
            None => found.path.join("tasks").join("main.yml").into(),
        });
        let (mut items, mut handlers, mut needed) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(node) = dependencies {
            let nodes = node.as_seq().unwrap_or_default();
            for dependency in self.role_entries(nodes, &task_frame) {
                let dependency = Use { public: entry.public, ..dependency };
                if let Some(expanded) = self.role(dependency, &task_frame) {
                    items.push(Item::Block(expanded.block));
                    handlers.extend(expanded.handlers);
                    needed.push(expanded.role);
                }
            }
        }
        let _ = role.dependencies.set(needed);
        if entry.validate {
            items.extend(validation(&role, &task_frame));
        }
        match tasks_file {
            Some(path) => items.extend(self.role_tasks(&path, &role, "tasks", &task_frame, Place::Task)?),
            None if entry.from.tasks.is_some() => {
                self.bad(&entry.pos, format!("Could not find specified file in role: tasks/{tasks_from}"));
                return None;
            }
            None => {}
        }
        items.push(Item::Task(Arc::new(complete(&task_frame))));
        let handlers_from = entry.from.handlers.as_deref();
        let handlers_dir = found.path.join("handlers");
        match files::with_extension(&handlers_dir, handlers_from.unwrap_or("main")) {
            Some(path) => {
                self.inside(&path, &handlers_dir, handlers_from.unwrap_or("main"), &found.name)?;
                let frame = frame(path.as_path().into());
                handlers.extend(self.role_tasks(&path, &role, "handlers", &frame, Place::Handler)?);
            }
            None => {
                if let Some(name) = handlers_from {
                    self.bad(&entry.pos, format!("Could not find specified file in role: handlers/{name}"));
                    return None;
                }
            }
        }
        self.roles.push(role.clone());
        let (rescue, always) = (Vec::new(), Vec::new());
        let block = Arc::new(Block { id: TaskId::next(), frame: task_frame, items, rescue, always });
        Some(Expanded { role, block, handlers })
    }

    /// Refuse a file of a role that is not below its directory there.
    fn inside(&mut self, path: &Path, dir: &Path, written: &str, role: &str) -> Option<()> {
        if path.starts_with(dir) {
            return Some(());
        }
        let mut shown = dir.join(written).into_os_string();
        if Path::new(written).extension().is_none()
            && let Some(extension) = path.extension()
        {
            shown.push(".");
            shown.push(extension);
        }
        let message = format!(
            "Failed loading '{}' for role ({role}) as it is not inside the expected role path: '{}'",
            shown.display(),
            dir.display()
        );
        self.report(Error::new(message).with_kind(ErrorKind::Syntax));
        None
    }

    fn role_tasks(
        &mut self,
        path: &Path,
        role: &Role,
        kind: &str,
        frame: &Arc<Frame>,
        place: Place,
    ) -> Option<Vec<Item>> {
        let read = self.read(path);
        let node = self.ok(read)?;
        match &node.value {
            NodeKind::Null => Some(Vec::new()),
            NodeKind::Seq(nodes) => Some(self.items(nodes, frame, place)),
            _ => {
                let message = format!(
                    "The {kind}/main.yml file for role '{}' must contain a list of tasks: it should be a list or None \
                     but is <class '{}'>",
                    role.name,
                    node.type_name()
                );
                self.bad(&node.pos, message);
                None
            }
        }
    }

    /// `defaults` or `vars` of a role.
    fn role_vars(&mut self, found: &Found, kind: &str, from: Option<&str>) -> Option<Map> {
        let dir = found.path.join(kind);
        let paths = files::variables(&dir, from.unwrap_or("main"));
        for path in &paths {
            self.inside(path, &dir, from.unwrap_or("main"), &found.name)?;
        }
        if paths.is_empty()
            && let Some(name) = from
        {
            self.report(
                Error::new(format!("Could not find specified file in role: {kind}/{name}"))
                    .with_kind(ErrorKind::Syntax),
            );
            return None;
        }
        let mut vars = Map::new();
        for path in paths {
            let read = self.read(&path);
            let node = self.ok(read)?;
            match &node.value {
                NodeKind::Null => {}
                NodeKind::Map(_) => vars.extend(map_of(&node)),
                _ => {
                    let message = format!(
                        "The {kind}/main.yml file for role '{}' must contain a dictionary of variables",
                        found.name
                    );
                    self.bad(&node.pos, message);
                    return None;
                }
            }
        }
        Some(vars)
    }

    /// `meta/main.yml` and `meta/argument_specs.yml`; the dependencies as written.
    fn metadata(&mut self, found: &Found) -> Option<(Metadata, Option<Node>)> {
        let mut metadata = Metadata::default();
        let mut dependencies = None;
        let dir = found.path.join("meta");
        if let Some(path) = files::with_extension(&dir, "main") {
            let read = self.read(&path);
            let node = self.ok(read)?;
            let pairs = match &node.value {
                NodeKind::Null => &[][..],
                NodeKind::Map(pairs) => pairs.as_slice(),
                _ => {
                    let message = format!("the 'meta/main.yml' for role {} is not a dictionary", found.name);
                    self.bad(&node.pos, message);
                    return None;
                }
            };
            for (key, value) in pairs {
                match key.as_str() {
                    Some("dependencies") => match &value.value {
                        NodeKind::Seq(_) => dependencies = Some(value.clone()),
                        NodeKind::Null => {}
                        _ => self.bad(&node.pos, "Expected role dependencies to be a list."),
                    },
                    Some("allow_duplicates") => {
                        metadata.allow_duplicates = match &value.value {
                            NodeKind::Str(text) => super::values::boolean(text).unwrap_or(false),
                            _ => value.to_value().is_truthy(),
                        };
                    }
                    Some("galaxy_info") => metadata.galaxy_info = value.to_value(),
                    Some("argument_specs") => metadata.argument_specs = map_of(value),
                    Some("collections") => {
                        let names = value.as_seq().unwrap_or_default().iter().filter_map(Node::shared_str);
                        metadata.collections = names.collect();
                    }
                    // Keywords that every object of Ansible has mean nothing here.
                    Some(text)
                        if Keyword::find(text)
                            .is_some_and(|k| k.allowed(Place::Play) && k.allowed(Place::Role)) => {}
                    _ => {
                        let message =
                            format!("'{}' is not a valid attribute for a RoleMetadata", key_text(key));
                        self.bad(&key.pos, message);
                    }
                }
            }
        }
        if let Some(path) = files::with_extension(&dir, "argument_specs") {
            let read = self.read(&path);
            let node = self.ok(read)?;
            if let Some(specs) = node.get("argument_specs") {
                metadata.argument_specs = map_of(specs);
            }
        }
        if let Some(collection) = &found.collection
            && metadata.collections.is_empty()
        {
            metadata.collections.push(collection.as_str().into());
        }
        Some((metadata, dependencies))
    }

    /// The same number for uses that count as the same.
    fn role_id(&self, entry: &Use, found: &Found) -> RoleId {
        let value = |value: &Value| value.to_json().to_string();
        let map = |map: &Map| Value::map(map.clone()).to_json().to_string();
        let attr = |keyword| entry.fields.attrs.get(keyword).map(value).unwrap_or_default();
        let key = format!(
            "{}|{}|{}|{}|{}|{:?}|{}",
            found.path.display(),
            map(&entry.params),
            map(&entry.fields.vars),
            attr(Keyword::When),
            attr(Keyword::Tags),
            entry.from,
            entry.included
        );
        let mut ids = self.loader.roles.lock().unwrap_or_else(PoisonError::into_inner);
        let next = RoleId(ids.len() as u32);
        *ids.entry(key).or_insert(next)
    }

    fn find_role(&self, name: &str, frame: &Arc<Frame>) -> Result<Found, Error> {
        let plain = |path: PathBuf| Found { name: name.to_owned(), collection: None, path };
        let mut parts = name.splitn(3, '.');
        if let (Some(namespace), Some(collection), Some(role)) = (parts.next(), parts.next(), parts.next())
            && let Some(dir) = self.collection(namespace, collection)
        {
            let path = dir.join("roles").join(role);
            if path.is_dir() {
                let collection = Some(format!("{namespace}.{collection}"));
                return Ok(Found { name: role.to_owned(), collection, path });
            }
        }
        if !name.contains('.') {
            for collection in self.role_collections(frame) {
                let Some((namespace, short)) = collection.split_once('.') else { continue };
                let Some(dir) = self.collection(namespace, short) else { continue };
                let path = dir.join("roles").join(name);
                if path.is_dir() {
                    return Ok(Found { name: name.to_owned(), collection: Some(collection), path });
                }
            }
        }
        let mut dirs = vec![self.basedir.join("roles")];
        dirs.extend(self.loader.hooks.roles_path().iter().cloned());
        dirs.extend(frame.role().and_then(|role| role.path.parent()).map(Path::to_path_buf));
        dirs.push(self.basedir.to_path_buf());
        for dir in &dirs {
            let path = files::below(dir, name);
            if path.is_dir() {
                return Ok(plain(path));
            }
        }
        let path = files::absolute(Path::new(name));
        if name.contains('/') && path.is_dir() {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Ok(Found { name, collection: None, path });
        }
        let legacy = frame.role().map(|_| "ansible.legacy".to_owned());
        let dirs = legacy.into_iter().chain(dirs.iter().map(|dir| dir.display().to_string()));
        let dirs: Vec<String> = dirs.collect();
        let error = Error::new(format!("the role '{name}' was not found in {}", dirs.join(":")));
        Err(error.with_kind(ErrorKind::NotFound))
    }

    /// Collections in which roles are looked for.
    fn role_collections(&self, frame: &Arc<Frame>) -> Vec<String> {
        let from_role =
            frame.role().map(|r| r.metadata.collections.iter().map(ToString::to_string).collect());
        let written = || match frame.keyword(Keyword::Collections) {
            Some(Value::List(items)) => items.iter().filter_map(|v| Some(v.as_str()?.to_owned())).collect(),
            Some(Value::Str(name)) => vec![name.as_str().to_owned()],
            _ => Vec::new(),
        };
        from_role.unwrap_or_else(written)
    }
}

/// Where a role is.
struct Found {
    name: String,
    collection: Option<String>,
    path: PathBuf,
}

/// Is the same part of the role being expanded around here? Then the chain of roles.
fn cycle(frame: &Arc<Frame>, path: &Path, tasks_from: &str) -> Option<String> {
    let mut chain = Vec::new();
    for around in frame.chain() {
        match &around.kind {
            FrameKind::Include { .. } => return None,
            FrameKind::Role(role) => {
                chain.push(role.name.to_string());
                if &*role.path == path && &*role.tasks_from == tasks_from {
                    chain.reverse();
                    return Some(chain.join(" -> "));
                }
            }
            _ => {}
        }
    }
    None
}

/// The name that a requirement of ansible-galaxy gives a role: the last part of its address.
fn requirement_name(source: &str) -> String {
    let name = source.rsplit('/').next().unwrap_or(source);
    let name = name.split(',').next().unwrap_or(name);
    name.trim_end_matches(".git").trim_end_matches(".tar.gz").to_owned()
}

/// The task that checks the arguments of a role, if it has a specification of them.
fn validation(role: &Arc<Role>, frame: &Arc<Frame>) -> Option<Item> {
    let entry = Path::new(&*role.tasks_from).file_stem().and_then(|s| s.to_str()).unwrap_or("main");
    let spec = role.metadata.argument_specs.get(entry)?.as_map()?;
    let mut name = format!("Validating arguments against arg spec '{entry}'");
    if let Some(short) = spec.get("short_description").and_then(Value::as_str).filter(|s| !s.is_empty()) {
        name.push_str(&format!(" - {short}"));
    }
    let options = spec.get("options").cloned().unwrap_or_else(|| Value::map(Map::new()));
    let context: Map = [
        ("type", Value::str("role")),
        ("name", Value::str(role.name.clone())),
        ("argument_spec_name", Value::str(entry)),
        ("path", Value::str(role.path.to_string_lossy())),
    ]
    .into_iter()
    .map(|(k, v)| (Key::from(k), v))
    .collect();
    let args: Map = [
        ("argument_spec", options),
        ("provided_arguments", Value::map(role.params.clone())),
        ("validate_args_context", Value::map(context)),
    ]
    .into_iter()
    .map(|(k, v)| (Key::from(k), v))
    .collect();
    let mut attrs = Attrs::default();
    attrs.set(Keyword::Tags, Value::list(vec![Value::str("always")]), frame.pos.clone());
    let mut task = implicit("ansible.builtin.validate_argument_spec", args, frame);
    task.name = Some(Value::str(name));
    task.attrs = attrs;
    Some(Item::Task(Arc::new(task)))
}

/// The task at the end of a role by which the engine knows that a host has been through it.
fn complete(frame: &Arc<Frame>) -> Task {
    let mut task = implicit(
        "ansible.builtin.meta",
        [(Key::from("_raw_params"), Value::str("role_complete"))].into_iter().collect(),
        frame,
    );
    task.action = Str::plain("meta");
    task.attrs.set(Keyword::Tags, Value::list(vec![Value::str("always")]), frame.pos.clone());
    task
}

fn implicit(module: &str, args: Map, frame: &Arc<Frame>) -> Task {
    Task {
        id: TaskId::next(),
        name: None,
        attrs: Attrs::default(),
        vars: Map::new(),
        action: Str::plain(module),
        module: ModuleRef::native(module),
        args,
        loop_: None,
        loop_control: Default::default(),
        include: None,
        listen: Vec::new(),
        place: Place::Task,
        implicit: true,
        frame: frame.clone(),
        pos: frame.pos.clone(),
    }
}
