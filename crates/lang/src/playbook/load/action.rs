//! Which module a task runs, with which arguments: the four ways to write it.

use std::sync::Arc;

use crate::error::ErrorKind;
use crate::keywords::Place;
use crate::playbook::words::{self, Words};
use crate::playbook::{Frame, ModuleKind, ModuleRef};
use crate::value::may_be_template;
use crate::yaml::{Node, NodeKind};
use crate::{Error, Key, Map, Pos, Str, Value};

use super::fields::{hint, map_of};
use super::{Load, fields};

/// Modules that take a line of text as it is.
const FREE_FORM: &[&str] = &["command", "shell", "script", "raw", "win_command", "win_shell"];

/// The parts of a task that say what it does, as found in its mapping.
#[derive(Default)]
pub(super) struct Written<'n> {
    pub action: Option<&'n Node>,
    pub local_action: Option<&'n Node>,
    /// Keys that are no keywords: one of them is the module.
    pub others: Vec<(&'n Node, &'n Node)>,
    pub args: Option<&'n Node>,
}

pub(super) struct Action {
    pub name: Str,
    pub module: ModuleRef,
    pub args: Map,
    /// `local_action`.
    pub local: bool,
}

impl Action {
    /// Has it an `apply`, which only includes can have? An empty one passes unnoticed.
    pub(super) fn applies_something(&self) -> bool {
        self.args.get("apply").is_some_and(Value::is_truthy)
    }
}

impl Load<'_> {
    pub(super) fn action(
        &mut self,
        written: &Written<'_>,
        frame: &Arc<Frame>,
        collections: &[String],
        owner: &Pos,
        place: Place,
    ) -> Option<Action> {
        if written.action.is_some() && written.local_action.is_some() {
            self.bad(owner, "action and local_action are mutually exclusive");
            return None;
        }
        let names: Vec<String> = written
            .action
            .or(written.local_action)
            .map(|node| self.written_name(node))
            .into_iter()
            .chain(written.others.iter().map(|(key, _)| fields::key_text(key)))
            .collect();
        if names.len() > 1 {
            self.conflict(written, &names, collections, owner, place);
            return None;
        }
        if let Some(node) = written.action.or(written.local_action) {
            let (name, args) = self.old_style(node, frame, collections, owner)?;
            let local = written.local_action.is_some();
            return self.finish_action(name, args, written.args, frame, collections, owner, local);
        }
        let Some((key, value)) = written.others.first() else {
            self.bad(owner, "no module/action detected in task.");
            return None;
        };
        let Some(name) = key.shared_str() else {
            self.bad(owner, format!("couldn't resolve module/action '{}'.", fields::key_text(key)));
            return None;
        };
        let name = Str::template(name, Some(Arc::new(key.pos.clone())));
        let args = self.arguments(name.as_str(), value, owner)?;
        self.finish_action(name, args, written.args, frame, collections, owner, false)
    }

    /// The name in `action:`, for messages.
    fn written_name(&self, node: &Node) -> String {
        let text = match &node.value {
            NodeKind::Map(_) => node.get("module").and_then(Node::as_str),
            _ => node.as_str(),
        };
        text.and_then(|t| t.split_whitespace().next()).unwrap_or_default().to_owned()
    }

    /// More than one thing that could be the module: if all but one are not, they are wrong keywords.
    fn conflict(
        &mut self,
        written: &Written<'_>,
        names: &[String],
        collections: &[String],
        owner: &Pos,
        place: Place,
    ) {
        let message = format!("conflicting action statements: {}", names.join(", "));
        let mut error = Error::new(message).with_kind(ErrorKind::Syntax).at(Some(owner));
        let strange = written.others.iter().map(|(key, _)| fields::key_text(key));
        let mut strange = strange.filter(|name| self.module(name, collections).is_none());
        if let Some(name) = strange.next() {
            let what = format!("`{name}` is neither a keyword nor a module");
            error = error.with_help(match hint(&name, place) {
                Some(help) => format!("{what}: {help}"),
                None => what,
            });
        }
        self.report(error);
    }

    /// `action: copy src=a` and `action: {module: copy, src: a}`.
    fn old_style(
        &mut self,
        node: &Node,
        frame: &Arc<Frame>,
        collections: &[String],
        owner: &Pos,
    ) -> Option<(Str, Map)> {
        let pos = Some(Arc::new(node.pos.clone()));
        match &node.value {
            NodeKind::Str(text) => {
                let (name, rest) = self.split_line(text, owner)?;
                let args = self.line(&name, &rest, node.trusted, &node.pos, owner)?;
                Some((Str::template(name, pos), args))
            }
            NodeKind::Map(_) => {
                let Some(line) = node.get("module").and_then(Node::as_str) else {
                    self.bad(owner, "no module/action detected in task.");
                    return None;
                };
                let (name, rest) = self.split_line(line, owner)?;
                let mut args = self.line(&name, &rest, node.trusted, &node.pos, owner)?;
                let mut more = map_of(node);
                more.shift_remove("module");
                // `action: {module: x, args: {...}}`
                if let Some(Value::Map(nested)) = more.get("args") {
                    let nested = nested.clone();
                    more.shift_remove("args");
                    more.extend(nested.iter().map(|(k, v)| (k.clone(), v.clone())));
                }
                args.extend(more);
                let _ = (frame, collections);
                Some((Str::template(name, pos), args))
            }
            _ => {
                self.bad(
                    owner,
                    format!("unexpected parameter type in action: <class '{}'>", node.type_name()),
                );
                None
            }
        }
    }

    fn split_line(&mut self, line: &str, owner: &Pos) -> Option<(String, String)> {
        let parts = words::split_action(line).map_err(|e| unbalanced(e, owner));
        self.ok(parts)
    }

    /// `copy: src=a`, `copy: {src: a}`, `copy:`.
    fn arguments(&mut self, name: &str, value: &Node, owner: &Pos) -> Option<Map> {
        match &value.value {
            NodeKind::Null => Some(Map::new()),
            NodeKind::Map(_) => Some(map_of(value)),
            NodeKind::Str(text) => self.line(name, text, value.trusted, &value.pos, owner),
            NodeKind::Vault(_) => Some([(Key::from("_raw_params"), value.to_value())].into_iter().collect()),
            _ => {
                self.bad(
                    owner,
                    format!("unexpected parameter type in action: <class '{}'>", value.type_name()),
                );
                None
            }
        }
    }

    /// A line of arguments.
    fn line(&mut self, name: &str, text: &str, trusted: bool, pos: &Pos, owner: &Pos) -> Option<Map> {
        let Words { options, raw } =
            self.ok(words::parse(text, is_free_form(name)).map_err(|e| unbalanced(e, owner)))?;
        let string = |text: String| {
            if trusted {
                Value::Str(Str::template(text, Some(Arc::new(pos.clone()))))
            } else {
                Value::str(text)
            }
        };
        let mut args: Map = options.into_iter().map(|(key, value)| (Key::from(key), string(value))).collect();
        if let Some(raw) = raw {
            // `debug: "{{ arguments }}"`: all arguments from one expression.
            let key =
                if takes_text(name) || !is_one_template(&raw) { "_raw_params" } else { "_variable_params" };
            args.insert(key.into(), string(raw));
        }
        Some(args)
    }

    /// Put `args:` below the module's own arguments, and find the module.
    fn finish_action(
        &mut self,
        name: Str,
        args: Map,
        more: Option<&Node>,
        frame: &Arc<Frame>,
        collections: &[String],
        owner: &Pos,
        local: bool,
    ) -> Option<Action> {
        let mut all = Map::new();
        match more.map(|node| (&node.value, node)) {
            None | Some((NodeKind::Null, _)) => {}
            Some((NodeKind::Map(_), node)) => all = map_of(node),
            Some((NodeKind::Str(text), node)) if may_be_template(text) => {
                all.insert("_variable_params".into(), node.to_value());
            }
            Some((_, node)) => {
                let error = Error::new("The value of the task `args` keyword is invalid.")
                    .with_kind(ErrorKind::Syntax)
                    .with_help("A mapping or template which resolves to a mapping is required.");
                self.report(error.at(Some(&node.pos)));
                return None;
            }
        }
        all.extend(args);
        if is_removed_include(name.as_str()) {
            let message = "The 'ansible.builtin.include' action plugin has been removed. Use include_tasks or \
                           import_tasks instead. This feature was removed from ansible-core in a release after \
                           2023-05-16.";
            self.report(Error::new(message).at(Some(owner)));
            return None;
        }
        if let Some(key) = all.keys().filter_map(Key::as_str).find(|key| key.starts_with("_ansible_")) {
            self.report(Error::new(format!(
                "Invalid parameter specified beginning with keyword '_ansible_' for action '{}': '{key}'. The prefix \
                 '_ansible_' is reserved for internal use only.",
                name.as_str()
            )));
            return None;
        }
        let found = self.module(name.as_str(), collections).or_else(|| {
            let full = self.loader.hooks.absent_module(name.as_str())?;
            Some(ModuleRef { full: full.into(), kind: ModuleKind::Absent })
        });
        let Some(module) = found else {
            let error = self.unknown_module(name.as_str(), frame, owner);
            self.report(error);
            return None;
        };
        Some(Action { name, module, args: all, local })
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .or_else(|| name.strip_prefix("ansible.windows."))
        .unwrap_or(name)
}

fn is_free_form(name: &str) -> bool {
    FREE_FORM.contains(&short(name))
}

/// May the text be one expression and nothing else?
fn is_one_template(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("{{") && text.ends_with("}}")
}

/// Modules to which text that is not `key=value` means something.
pub fn takes_text(name: &str) -> bool {
    is_free_form(name)
        || matches!(
            short(name),
            "include_vars"
                | "include_tasks"
                | "include_role"
                | "import_tasks"
                | "import_role"
                | "add_host"
                | "group_by"
                | "set_fact"
                | "meta"
        )
}

fn is_removed_include(name: &str) -> bool {
    matches!(short(name), "include")
}

fn unbalanced(error: Error, owner: &Pos) -> Error {
    Error::new(format!("Error loading tasks: {}", error.message()))
        .with_kind(ErrorKind::Syntax)
        .at(Some(owner))
}
