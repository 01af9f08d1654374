//! Lists of tasks and blocks.

use std::sync::Arc;

use crate::error::ErrorKind;
use crate::keywords::{Keyword, Place};
use crate::playbook::{Block, Frame, FrameKind, Item, Loop, LoopControl, LoopWith, ModuleKind, Task, TaskId};
use crate::yaml::{Node, NodeKind};
use crate::{Error, Pos, Value};

use super::action::{Action, Written};
use super::fields::Fields;
use super::{Load, values};

/// How deep blocks and imports may nest.
const MAX_DEPTH: usize = 200;

/// What a task consists of before its module is looked at.
#[derive(Default)]
pub(super) struct Parts {
    pub fields: Fields,
    pub loop_: Option<Loop>,
    pub loop_control: LoopControl,
    pub listen: Vec<Arc<str>>,
}

impl Load<'_> {
    /// The items of a list of tasks that stands below `frame`.
    pub(super) fn items(&mut self, nodes: &[Node], frame: &Arc<Frame>, place: Place) -> Vec<Item> {
        if frame.chain().count() > MAX_DEPTH {
            self.bad(&frame.pos, "tasks are nested too deeply");
            return Vec::new();
        }
        nodes.iter().filter_map(|node| self.item(node, frame, place)).collect()
    }

    fn item(&mut self, node: &Node, frame: &Arc<Frame>, place: Place) -> Option<Item> {
        if node.is_null() || !self.one_more(&node.pos) {
            return None;
        }
        let Some(pairs) = node.as_map() else {
            self.bad(
                &node.pos,
                format!(
                    "A malformed block was encountered while loading a block: it should be a dict but was a \
                     <class '{}'>",
                    node.type_name()
                ),
            );
            return None;
        };
        if ["block", "rescue", "always"].iter().any(|key| node.get(key).is_some()) {
            // The outermost block counts as the list of handlers itself.
            if place == Place::Handler && matches!(frame.kind, FrameKind::Block) {
                self.bad(&node.pos, "Using a block as a handler is not supported.");
                return None;
            }
            return self.block(node, pairs, frame, place).map(|block| Item::Block(Arc::new(block)));
        }
        self.task(node, pairs, frame, place)
    }

    fn block(
        &mut self,
        node: &Node,
        pairs: &[(Node, Node)],
        parent: &Arc<Frame>,
        place: Place,
    ) -> Option<Block> {
        if node.get("block").is_none() {
            let key = if node.get("rescue").is_some() { "rescue" } else { "always" };
            self.bad(&node.pos, format!("'{key}' keyword cannot be used without 'block'"));
            return None;
        }
        let mut fields = Fields::default();
        for (key, value) in pairs {
            match key.as_str().and_then(Keyword::find) {
                Some(Keyword::Block | Keyword::Rescue | Keyword::Always) => {}
                Some(keyword) if keyword.allowed(Place::Block) => {
                    self.field(&mut fields, keyword, value, &node.pos, "Block");
                }
                _ => self.unknown(key, "Block", Place::Block),
            }
        }
        let frame = Arc::new(Frame {
            kind: FrameKind::Block,
            name: fields.name,
            attrs: fields.attrs,
            vars: fields.vars,
            parent: Some(parent.clone()),
            file: parent.file.clone(),
            dir: Default::default(),
            pos: node.pos.clone(),
        });
        let mut branch = |key: &str| match node.get(key) {
            None => Vec::new(),
            Some(list) => match list.as_seq() {
                Some(nodes) => self.items(nodes, &frame, place),
                None => {
                    let message = format!(
                        "A malformed block was encountered while loading a block: it should be a list but was a \
                         <class '{}'>",
                        list.type_name()
                    );
                    self.bad(&node.pos, message);
                    Vec::new()
                }
            },
        };
        let (items, rescue, always) = (branch("block"), branch("rescue"), branch("always"));
        Some(Block { id: TaskId::next(), frame, items, rescue, always })
    }

    fn task(
        &mut self,
        node: &Node,
        pairs: &[(Node, Node)],
        frame: &Arc<Frame>,
        place: Place,
    ) -> Option<Item> {
        let what = if place == Place::Handler { "Handler" } else { "Task" };
        let mut parts = Parts::default();
        let mut written = Written::default();
        let before = self.errors.len();
        for (key, value) in pairs {
            let name = key.as_str();
            match name.and_then(Keyword::find) {
                Some(Keyword::Action) => written.action = Some(value),
                Some(Keyword::LocalAction) => written.local_action = Some(value),
                Some(Keyword::Args) => written.args = Some(value),
                Some(Keyword::Loop) => self.set_loop(&mut parts, LoopWith::Loop, value, &node.pos),
                Some(Keyword::LoopControl) => self.loop_control(&mut parts, value),
                Some(Keyword::Listen) if place == Place::Handler => self.listen(&mut parts, value),
                Some(Keyword::Listen) => self.unknown(key, what, place),
                Some(Keyword::Register) => self.register(&mut parts, value),
                Some(keyword) if keyword.allowed(place) => {
                    self.field(&mut parts.fields, keyword, value, &node.pos, what);
                }
                _ => match name.and_then(|n| n.strip_prefix("with_")) {
                    Some(lookup) if self.loader.hooks.has_lookup(lookup) => {
                        self.set_loop(&mut parts, LoopWith::Lookup(lookup.into()), value, &node.pos);
                    }
                    Some(_) => self.unknown(key, what, place),
                    None => written.others.push((key, value)),
                },
            }
        }
        let collections = self.collections(&parts.fields, frame);
        let action = self.action(&written, frame, &collections, &node.pos, place)?;
        if self.errors.len() > before {
            return None;
        }
        match &*action.module.full {
            "ansible.builtin.import_tasks" => self.import_tasks(parts, action, frame, place, &node.pos),
            "ansible.builtin.import_role" => self.import_role(parts, action, frame, place, &node.pos),
            _ => self.plain_task(parts, action, frame, place, &node.pos),
        }
    }

    fn plain_task(
        &mut self,
        parts: Parts,
        action: Action,
        frame: &Arc<Frame>,
        place: Place,
        pos: &Pos,
    ) -> Option<Item> {
        let include = match &*action.module.full {
            "ansible.builtin.include_tasks" => Some(self.include_tasks_args(&parts, &action, place, pos)?),
            "ansible.builtin.include_role" => Some(self.include_role_args(&parts, &action, place, pos)?),
            _ => None,
        };
        let Parts { mut fields, loop_, loop_control, listen } = parts;
        if action.local {
            fields.attrs.set(Keyword::DelegateTo, Value::str("localhost"), pos.clone());
        }
        let task = Task {
            id: TaskId::next(),
            name: fields.name,
            attrs: fields.attrs,
            vars: fields.vars,
            action: action.name,
            module: action.module,
            args: action.args,
            loop_,
            loop_control,
            include,
            listen,
            place,
            implicit: false,
            frame: frame.clone(),
            pos: pos.clone(),
        };
        self.check_args(&task);
        if task.module.is_builtin("meta")
            && task.args.get("_raw_params").and_then(Value::as_str) == Some("end_role")
        {
            if place == Place::Handler {
                self.bad(pos, "Cannot execute 'end_role' from a handler");
            } else if task.role().is_none() {
                self.bad(pos, "Cannot execute 'end_role' from outside of a role");
            }
        }
        // Without a condition it is certain to be run.
        if task.module.kind == ModuleKind::Absent && task.keywords(Keyword::When).is_empty() {
            self.report(task.module.absent().with_kind(ErrorKind::Syntax).at(Some(pos)));
        }
        Some(Item::Task(Arc::new(task)))
    }

    /// Ask the module what it thinks of its arguments, unless the playbook is prepared for a failure.
    fn check_args(&mut self, task: &Task) {
        let prepared = task.keyword(Keyword::IgnoreErrors).is_some()
            || task.own(Keyword::FailedWhen).is_some()
            || task.frame.chain().any(|frame| matches!(frame.kind, FrameKind::Block))
            || !task.keywords(Keyword::ModuleDefaults).is_empty();
        if task.module.kind != ModuleKind::Native || prepared || task.args.contains_key("_variable_params") {
            return;
        }
        for error in self.loader.hooks.check_args(&task.module, &task.args) {
            self.report(error.with_kind(ErrorKind::Syntax).at(Some(&task.pos)));
        }
    }

    /// `collections:` that counts for a task: its own, or the innermost around it; a role's metadata says it, too.
    fn collections(&self, fields: &Fields, frame: &Arc<Frame>) -> Vec<String> {
        let written = fields.attrs.get(Keyword::Collections).or_else(|| frame.keyword(Keyword::Collections));
        let from_role = frame.role().map(|role| role.metadata.collections.as_slice()).unwrap_or_default();
        let mut names: Vec<String> = match written {
            Some(Value::List(items)) => items.iter().filter_map(|v| Some(v.as_str()?.to_owned())).collect(),
            Some(Value::Str(name)) => vec![name.as_str().to_owned()],
            _ => Vec::new(),
        };
        names.extend(from_role.iter().map(ToString::to_string));
        names
    }

    fn set_loop(&mut self, parts: &mut Parts, with: LoopWith, value: &Node, owner: &Pos) {
        let name = match &with {
            LoopWith::Loop => "items".to_owned(),
            LoopWith::Lookup(name) => name.to_string(),
        };
        if parts.loop_.is_some() {
            self.report(Error::new(format!("duplicate loop in task: {name}")).at(Some(owner)));
        } else if value.is_null() {
            // `loop:` without a value is no loop.
            if with != LoopWith::Loop {
                let message = format!("you must specify a value when using with_{name}");
                self.report(Error::new(message).at(Some(owner)));
            }
        } else {
            parts.loop_ = Some(Loop { with, value: value.to_value(), pos: value.pos.clone() });
        }
    }

    fn loop_control(&mut self, parts: &mut Parts, value: &Node) {
        let Some(pairs) = value.as_map() else {
            self.bad(
                &value.pos,
                "the `loop_control` value must be specified as a dictionary and cannot be a variable itself (though \
                 it can contain variables)",
            );
            return;
        };
        let control = &mut parts.loop_control;
        for (key, value) in pairs {
            let field = match key.as_str() {
                Some("loop_var") => &mut control.loop_var,
                Some("index_var") => &mut control.index_var,
                Some("label") => &mut control.label,
                Some("pause") => &mut control.pause,
                Some("extended") => &mut control.extended,
                Some("extended_allitems") => &mut control.extended_allitems,
                Some("break_when") => {
                    control.break_when = match value.to_value() {
                        Value::List(items) => items.to_vec(),
                        Value::Null => Vec::new(),
                        single => vec![single],
                    };
                    continue;
                }
                _ => {
                    let name = super::fields::key_text(key);
                    self.bad(&key.pos, format!("'{name}' is not a valid attribute for a LoopControl"));
                    continue;
                }
            };
            *field = Some(value.to_value());
        }
    }

    fn listen(&mut self, parts: &mut Parts, value: &Node) {
        let items = match &value.value {
            NodeKind::Seq(items) => items.as_slice(),
            NodeKind::Null => &[],
            _ => std::slice::from_ref(value),
        };
        for item in items {
            match item.shared_str() {
                Some(name) => parts.listen.push(name),
                None => self.bad(
                    &item.pos,
                    format!("Keyword 'listen' items must be of type 'str', not '{}'.", item.type_name()),
                ),
            }
        }
    }

    fn register(&mut self, parts: &mut Parts, value: &Node) {
        if value.is_null() {
            return;
        }
        match values::check_variable_name(value) {
            None => parts.fields.attrs.set(Keyword::Register, value.to_value(), value.pos.clone()),
            Some(error) => {
                let help = error.help().unwrap_or_default().to_owned();
                let message = format!("Invalid 'register' specified: {}", error.message());
                self.report(
                    Error::new(message).with_kind(ErrorKind::Syntax).with_help(help).at(Some(&value.pos)),
                );
            }
        }
    }
}
