//! The arguments of `include_tasks` and `include_role`, and the roles they bring while running.

use std::sync::Arc;

use crate::error::ErrorKind;
use crate::keywords::{Keyword, Place};
use crate::playbook::{Apply, Frame, FrameKind, Include, IncludeRole, IncludeTasks, Item, Task};
use crate::{Error, Key, Map, Pos, Value};

use super::action::Action;
use super::roles::{From, Use};
use super::tasks::Parts;
use super::{IncludedRole, Load, RoleRequest, import};

/// Options of `include_role` and `import_role`.
const ROLE_OPTIONS: &[&str] = &[
    "name",
    "role",
    "tasks_from",
    "vars_from",
    "defaults_from",
    "handlers_from",
    "apply",
    "public",
    "allow_duplicates",
    "rolespec_validate",
];

impl Load<'_> {
    pub(super) fn include_tasks_args(
        &mut self,
        parts: &Parts,
        action: &Action,
        place: Place,
        pos: &Pos,
    ) -> Option<Include> {
        let what = if place == Place::Handler { "HandlerTaskInclude" } else { "TaskInclude" };
        self.include_keywords(parts, what, pos)?;
        let file = self.file_argument(action, "include_tasks", pos)?;
        let apply = self.apply(action, pos)?;
        Some(Include::Tasks(IncludeTasks { file, apply }))
    }

    pub(super) fn include_role_args(
        &mut self,
        parts: &Parts,
        action: &Action,
        place: Place,
        pos: &Pos,
    ) -> Option<Include> {
        if place == Place::Handler {
            self.bad(pos, "Using 'include_role' as a handler is not supported.");
            return None;
        }
        self.include_keywords(parts, "IncludeRole", pos)?;
        Some(Include::Role(self.role_options(action, "include_role", pos)?))
    }

    fn include_keywords(&mut self, parts: &Parts, what: &str, pos: &Pos) -> Option<()> {
        let strange =
            parts.fields.attrs.iter().map(|(keyword, ..)| keyword).find(|k| !k.allowed_on_include());
        if let Some(keyword) = strange {
            let error = Error::new(format!("'{keyword}' is not a valid attribute for a {what}"))
                .with_kind(ErrorKind::Syntax)
                .with_help(format!("to give it to the included tasks, use `apply: {{{keyword}: ...}}`"));
            self.report(error.at(Some(pos)));
            return None;
        }
        Some(())
    }

    /// The options of `include_role` and `import_role`.
    pub(super) fn role_options(&mut self, action: &Action, what: &str, pos: &Pos) -> Option<IncludeRole> {
        let args = &action.args;
        let Some(name) = args.get("name").or_else(|| args.get("role")).filter(|v| !v.is_null()) else {
            self.bad(pos, format!("'name' is a required field for {}.", action.name.as_str()));
            return None;
        };
        let strange: Vec<String> = args
            .keys()
            .filter(|k| !k.as_str().is_some_and(|k| ROLE_OPTIONS.contains(&k)))
            .map(Key::to_string)
            .chain((what == "import_role" && action.applies_something()).then(|| "apply".into()))
            .collect();
        if !strange.is_empty() {
            self.bad(pos, format!("Invalid options for {}: {}", action.name.as_str(), strange.join(",")));
            return None;
        }
        for key in ["tasks_from", "vars_from", "defaults_from", "handlers_from"] {
            if let Some(value) = args.get(key)
                && !matches!(value, Value::Str(_))
            {
                let message =
                    format!("Expected a string for {key} but got <class '{}'> instead", value.type_name());
                self.bad(pos, message);
                return None;
            }
        }
        let option = |key: &str| args.get(key).cloned();
        Some(IncludeRole {
            name: name.clone(),
            tasks_from: option("tasks_from"),
            vars_from: option("vars_from"),
            defaults_from: option("defaults_from"),
            handlers_from: option("handlers_from"),
            public: option("public"),
            allow_duplicates: option("allow_duplicates"),
            rolespec_validate: option("rolespec_validate"),
            apply: self.apply(action, pos)?,
        })
    }

    /// `apply:`; its keywords are those of a block.
    fn apply(&mut self, action: &Action, pos: &Pos) -> Option<Apply> {
        let map = match action.args.get("apply") {
            None => return Some(Apply::default()),
            Some(Value::Map(map)) => map.clone(),
            Some(other) => {
                let message =
                    format!("Expected a dict for apply but got <class '{}'> instead", other.type_name());
                self.bad(pos, message);
                return None;
            }
        };
        let mut apply = Apply::default();
        for (key, value) in map.iter() {
            match key.as_str().and_then(Keyword::find).filter(|k| k.allowed(Place::Block)) {
                Some(Keyword::Vars) => match value {
                    Value::Map(vars) => apply.vars = (**vars).clone(),
                    Value::Null => {}
                    _ => self.bad(pos, "Vars in a Block must be specified as a dictionary."),
                },
                Some(Keyword::Name) => {}
                Some(keyword) => apply.attrs.set(keyword, value.clone(), pos.clone()),
                None => {
                    let error = Error::new(format!("'{key}' is not a valid attribute for a Block"))
                        .with_kind(ErrorKind::Syntax)
                        .at(Some(pos));
                    self.report(error);
                }
            }
        }
        Some(apply)
    }

    pub(super) fn import_role(
        &mut self,
        parts: Parts,
        action: Action,
        parent: &Arc<Frame>,
        place: Place,
        pos: &Pos,
    ) -> Option<Item> {
        if place == Place::Handler {
            self.bad(pos, "Using 'import_role' as a handler is not supported.");
            return None;
        }
        if parts.loop_.is_some() {
            self.bad(
                pos,
                "You cannot use loops on 'import_role' statements. You should use 'include_role' instead.",
            );
            return None;
        }
        let options = self.role_options(&action, "import_role", pos)?;
        let vars = &parts.fields.vars;
        let mut value = |value: &Option<Value>| match value {
            Some(value) if value.has_template() => {
                let rendered = self.render_value(value, vars, parent).map_err(|e| e.at(Some(pos)));
                self.ok(rendered).map(Some)
            }
            other => Some(other.clone()),
        };
        let public = value(&options.public)?;
        let allow_duplicates = value(&options.allow_duplicates)?;
        let rolespec_validate = value(&options.rolespec_validate)?;
        let mut text = |value: &Option<Value>| match value {
            None => Some(None),
            Some(value) => {
                let rendered = self.render(value, vars, parent).map_err(|e| e.at(Some(pos)));
                self.ok(rendered).map(Some)
            }
        };
        let name = text(&Some(options.name.clone()))??;
        let from = From {
            tasks: text(&options.tasks_from)?,
            vars: text(&options.vars_from)?,
            defaults: text(&options.defaults_from)?,
            handlers: text(&options.handlers_from)?,
        };
        let frame = Arc::new(Frame {
            kind: FrameKind::Import,
            name: parts.fields.name,
            attrs: parts.fields.attrs,
            vars: parts.fields.vars,
            parent: Some(parent.clone()),
            file: parent.file.clone(),
            dir: Default::default(),
            pos: pos.clone(),
        });
        let entry = Use {
            name,
            from,
            included: true,
            public: truth(&public, !self.loader.hooks.private_role_vars().unwrap_or(false)),
            allow_duplicates: Some(truth(&allow_duplicates, true)),
            validate: truth(&rolespec_validate, true),
            pos: options.name.pos().cloned().unwrap_or_else(|| pos.clone()),
            ..Use::default()
        };
        let expanded = self.role(entry, &frame)?;
        self.role_handlers.extend(expanded.handlers);
        Some(Item::Block(expanded.block))
    }

    /// What an `include_role` brings when it runs.
    pub(super) fn included_role(
        &mut self,
        include: &Arc<Task>,
        request: &RoleRequest,
        params: Map,
    ) -> Option<IncludedRole> {
        let frame = import::included_frame(include, include.frame.file.clone(), Default::default(), params);
        let entry = Use {
            name: request.name.clone(),
            from: From {
                tasks: request.tasks_from.clone(),
                vars: request.vars_from.clone(),
                defaults: request.defaults_from.clone(),
                handlers: request.handlers_from.clone(),
            },
            included: true,
            public: request.public,
            allow_duplicates: Some(request.allow_duplicates),
            validate: request.rolespec_validate,
            pos: include.pos.clone(),
            ..Use::default()
        };
        let expanded = self.role(entry, &frame)?;
        let mut handlers = std::mem::take(&mut self.role_handlers);
        handlers.splice(0..0, expanded.handlers);
        Some(IncludedRole { role: expanded.role, block: expanded.block, handlers })
    }
}

/// A static option as truth; templates count as what is usual.
fn truth(value: &Option<Value>, usual: bool) -> bool {
    match value {
        Some(Value::Bool(b)) => *b,
        Some(Value::Str(text)) => super::values::boolean(text.as_str()).unwrap_or(usual),
        Some(Value::Int(i)) => *i != 0,
        _ => usual,
    }
}
