//! `import_tasks` while loading, and `include_tasks` while running.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::ErrorKind;
use crate::keywords::{Keyword, Place};
use crate::playbook::{Block, Frame, FrameKind, Include, Item, Task, TaskId};
use crate::yaml::{Node, NodeKind};
use crate::{Error, Key, Map, Pos, Value};

use super::action::Action;
use super::tasks::Parts;
use super::{Load, files};

impl Load<'_> {
    pub(super) fn import_tasks(
        &mut self,
        parts: Parts,
        action: Action,
        parent: &Arc<Frame>,
        place: Place,
        pos: &Pos,
    ) -> Option<Item> {
        if parts.loop_.is_some() {
            self.bad(
                pos,
                "You cannot use loops on 'import_tasks' statements. You should use 'include_tasks' instead.",
            );
            return None;
        }
        let file = self.file_argument(&action, "import_tasks", pos)?;
        let vars = parts.fields.vars.clone();
        let name = self.render_import(&file, &vars, parent, pos)?;
        let dir = written_dir(&name);
        let frame_of = |file: Arc<Path>| Frame {
            kind: FrameKind::Import,
            name: parts.fields.name.clone(),
            attrs: parts.fields.attrs.clone(),
            vars: parts.fields.vars.clone(),
            parent: Some(parent.clone()),
            file,
            dir: dir.clone(),
            pos: pos.clone(),
        };
        let path = match find(parent, &name, place, &self.basedir) {
            Ok(path) => path,
            Err(path) => {
                self.report(files::missing(&path).at(Some(pos)));
                return None;
            }
        };
        if let Some(chain) = cycle(parent, &path) {
            let error = Error::new(format!("import_tasks: '{}' imports itself", path.display()))
                .with_kind(ErrorKind::Syntax)
                .with_help(format!("imported by {chain}"));
            self.report(error.at(Some(pos)));
            return None;
        }
        let frame = Arc::new(frame_of(path.as_path().into()));
        let items = self.task_file(&path, &frame, place)?;
        let (rescue, always) = (Vec::new(), Vec::new());
        Some(Item::Block(Arc::new(Block { id: TaskId::next(), frame, items, rescue, always })))
    }

    /// The `file` of an import or include.
    pub(super) fn file_argument(&mut self, action: &Action, what: &str, pos: &Pos) -> Option<Value> {
        let allowed: &[&str] = match what == "import_tasks" && action.applies_something() {
            true => &["file", "_raw_params"],
            false => &["file", "_raw_params", "apply"],
        };
        let strange: Vec<String> = action
            .args
            .keys()
            .filter(|k| !k.as_str().is_some_and(|k| allowed.contains(&k)))
            .map(Key::to_string)
            .collect();
        if !strange.is_empty() {
            self.bad(pos, format!("Invalid options for {}: {}", action.name.as_str(), strange.join(",")));
            return None;
        }
        match action.args.get("_raw_params").or_else(|| action.args.get("file")) {
            Some(Value::Null) | None => {
                self.bad(pos, format!("No file specified for {}", action.name.as_str()));
                None
            }
            Some(file) => Some(file.clone()),
        }
    }

    /// The name of an imported file.
    fn render_import(&mut self, file: &Value, vars: &Map, frame: &Arc<Frame>, pos: &Pos) -> Option<String> {
        let rendered = self.render(file, vars, frame).map_err(|cause| {
            let written = file.as_str().unwrap_or_default();
            Error::new(format!("Error when evaluating variable in import path '{written}'"))
                .with_kind(ErrorKind::Syntax)
                .with_help(
                    "When using static imports, ensure that any variables used in their names are defined in \
                     vars/vars_files or extra-vars passed in from the command line. Static imports cannot use \
                     variables from facts or inventory sources like group or host vars.",
                )
                .at(Some(pos))
                .caused_by(cause)
        });
        self.ok(rendered)
    }

    /// The tasks in a file.
    pub(super) fn task_file(&mut self, path: &Path, frame: &Arc<Frame>, place: Place) -> Option<Vec<Item>> {
        let read = self.read(path);
        let node = self.ok(read)?;
        let place_of_list = |node: &Node| node.pos.clone();
        match &node.value {
            NodeKind::Null => {
                self.warnings.push(Error::new(format!(
                    "file {} is empty and had no tasks to include",
                    path.display()
                )));
                Some(Vec::new())
            }
            NodeKind::Seq(nodes) => Some(self.items(nodes, frame, place)),
            _ => {
                self.bad(&place_of_list(&node), "included task files must contain a list of tasks");
                None
            }
        }
    }

    /// What an `include_tasks` brings when it runs.
    pub(super) fn included_tasks(
        &mut self,
        include: &Arc<Task>,
        file: &str,
        params: Map,
    ) -> Option<Arc<Block>> {
        let path = match find(&include.frame, file, include.place, &self.basedir) {
            Ok(path) => path,
            Err(path) => {
                self.report(files::missing(&path).at(Some(&include.pos)));
                return None;
            }
        };
        // Without a place, and no error of the parser: it fails the hosts that include it.
        if let Ok(node) = self.read(&path)
            && !matches!(node.value, NodeKind::Null | NodeKind::Seq(_))
        {
            self.report(Error::new("included task files must contain a list of tasks"));
            return None;
        }
        let frame = included_frame(include, path.as_path().into(), written_dir(file), params);
        let items = self.task_file(&path, &frame, include.place)?;
        let (rescue, always) = (Vec::new(), Vec::new());
        Some(Arc::new(Block { id: TaskId::next(), frame, items, rescue, always }))
    }
}

/// The frame of what a dynamic include brings: the include itself, and `apply` inside.
pub(super) fn included_frame(include: &Arc<Task>, file: Arc<Path>, dir: PathBuf, params: Map) -> Arc<Frame> {
    let mut all = include.vars.clone();
    all.extend(params);
    let outer = Arc::new(Frame {
        kind: FrameKind::Include { params: all },
        name: include.name.clone(),
        attrs: include.attrs.clone(),
        vars: include.vars.clone(),
        parent: Some(include.frame.clone()),
        file: file.clone(),
        dir,
        pos: include.pos.clone(),
    });
    let apply = match &include.include {
        Some(Include::Tasks(tasks)) => &tasks.apply,
        Some(Include::Role(role)) => &role.apply,
        None => return outer,
    };
    if apply.attrs.is_empty() && apply.vars.is_empty() {
        return outer;
    }
    Arc::new(Frame {
        kind: FrameKind::Import,
        name: None,
        attrs: apply.attrs.clone(),
        vars: apply.vars.clone(),
        parent: Some(outer),
        file,
        dir: Default::default(),
        pos: include.pos.clone(),
    })
}

/// The directory in the name of a file.
fn written_dir(name: &str) -> PathBuf {
    Path::new(name).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The file that an import or include means. `Err` is where it should have been.
///
/// Names are relative to the file they stand in, then to the files that bring that one; after each, the directory of the
/// playbook is tried. What is below a role starts at the role's `tasks`.
pub(super) fn find(frame: &Arc<Frame>, name: &str, place: Place, basedir: &Path) -> Result<PathBuf, PathBuf> {
    let kind = if place == Place::Handler { "handlers" } else { "tasks" };
    let role = frame.role();
    let root = role.map_or_else(|| basedir.to_path_buf(), |role| role.path.join(kind));
    let beside = files::below(basedir, name);
    let mut dir = PathBuf::new();
    for around in frame.chain() {
        match &around.kind {
            FrameKind::Import | FrameKind::Include { .. } => dir = around.dir.join(dir),
            FrameKind::Role(_) => break,
            FrameKind::Block | FrameKind::Play { .. } => continue,
        }
        let near = files::below(&root.join(&dir), name);
        for path in [near, beside.clone()] {
            if path.is_file() {
                return Ok(path);
            }
        }
    }
    // Handlers find tasks of their role, too.
    let in_roles = frame.roles().flat_map(|r| {
        let folders = [r.path.join(kind), r.path.join("tasks"), r.path.to_path_buf()];
        folders.map(|dir| files::below(&dir, name))
    });
    if let Some(path) = in_roles.chain([beside.clone()]).find(|path| path.is_file()) {
        return Ok(path);
    }
    Err(beside)
}

/// Is the file imported around here already, with no dynamic include between? Then the chain of imports.
fn cycle(frame: &Arc<Frame>, path: &Path) -> Option<String> {
    let mut chain = Vec::new();
    for around in frame.chain() {
        match &around.kind {
            FrameKind::Include { .. } => return None,
            FrameKind::Import => chain.push(around.pos.to_string()),
            FrameKind::Role(_) => {}
            FrameKind::Block | FrameKind::Play { .. } => continue,
        }
        if &*around.file == path {
            return Some(chain.join(", imported by "));
        }
    }
    None
}

impl Keyword {
    /// May it be written on a dynamic include?
    pub(super) fn allowed_on_include(self) -> bool {
        matches!(
            self,
            Self::Args
                | Self::Vars
                | Self::NoLog
                | Self::Timeout
                | Self::Register
                | Self::Collections
                | Self::Debugger
                | Self::Name
                | Self::LoopControl
                | Self::Loop
                | Self::When
                | Self::Action
                | Self::RunOnce
                | Self::Tags
                | Self::IgnoreErrors
                | Self::Listen
        )
    }
}
