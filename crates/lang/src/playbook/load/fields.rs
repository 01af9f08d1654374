//! Keywords of a play, role, block or task, from a mapping.

use std::sync::Arc;

use crate::error::ErrorKind;
use crate::keywords::{self, Keyword, Place, nearest};
use crate::yaml::{Node, NodeKind};
use crate::{Error, Map, Pos, Str, Value};

use super::super::Attrs;
use super::{Load, values};

/// What every owner of keywords has.
#[derive(Default)]
pub(super) struct Fields {
    pub name: Option<Value>,
    pub attrs: Attrs,
    pub vars: Map,
}

impl Load<'_> {
    /// Take one keyword in, checking its value. `owner` is where the thing starts, `what` its name in messages.
    pub(super) fn field(
        &mut self,
        fields: &mut Fields,
        keyword: Keyword,
        value: &Node,
        owner: &Pos,
        what: &str,
    ) {
        let place = if what == "Play" { values::When::Loading } else { values::When::Running };
        if let Some(error) = values::check(keyword, value, owner, place) {
            self.report(error);
            return;
        }
        match keyword {
            Keyword::Name => fields.name = Some(value.to_value()),
            Keyword::Vars => fields.vars = self.vars(value, what),
            Keyword::Tags => {
                fields.attrs.set(keyword, Value::list(tags(value)), value.pos.clone());
            }
            _ => fields.attrs.set(keyword, value.to_value(), value.pos.clone()),
        }
    }

    /// The value of `vars:`.
    pub(super) fn vars(&mut self, value: &Node, what: &str) -> Map {
        match &value.value {
            NodeKind::Null => Map::new(),
            NodeKind::Map(pairs) => {
                for (key, _) in pairs {
                    if let Some(error) = values::check_variable_name(key) {
                        self.report(error);
                    }
                    let warning = key.as_str().and_then(|name| crate::vars::check_name(name, &key.pos));
                    self.warnings.extend(warning);
                }
                map_of(value)
            }
            _ => {
                self.bad(&value.pos, format!("Vars in a {what} must be specified as a dictionary."));
                Map::new()
            }
        }
    }

    /// Report a keyword that has no place here.
    pub(super) fn unknown(&mut self, key: &Node, what: &str, place: Place) {
        let name = key_text(key);
        let error = Error::new(format!("'{name}' is not a valid attribute for a {what}"))
            .with_kind(ErrorKind::Syntax)
            .at(Some(&key.pos));
        self.report(match hint(&name, place) {
            Some(help) => error.with_help(help),
            None => error,
        });
    }
}

/// A node as a dictionary; empty if it is none.
pub(super) fn map_of(node: &Node) -> Map {
    match node.to_value() {
        Value::Map(map) => Arc::unwrap_or_clone(map),
        _ => Map::new(),
    }
}

/// What a wrong keyword may have meant.
pub(super) fn hint(name: &str, place: Place) -> Option<String> {
    match name {
        "sudo" | "su" => return Some("use `become: true` instead".into()),
        "sudo_user" | "su_user" => return Some("use `become_user` instead".into()),
        "user" => return Some("use `remote_user` instead".into()),
        _ => {}
    }
    if let Some(keyword) = Keyword::find(name) {
        let places: Vec<String> =
            keyword.entry().places.iter().map(|p| format!("{p:?}").to_lowercase()).collect();
        return Some(format!("`{name}` can be written on: {}", places.join(", ")));
    }
    nearest(name, keywords::of(place).map(|e| e.name)).map(|near| format!("did you mean `{near}`?"))
}

/// A key as messages show it.
pub(super) fn key_text(key: &Node) -> String {
    match &key.value {
        NodeKind::Bool(b) => (if *b { "True" } else { "False" }).to_owned(),
        NodeKind::Null => "None".to_owned(),
        _ => key.to_key().map(|k| k.to_string()).unwrap_or_default(),
    }
}

/// The value of `tags:` as a list; a text is split at its commas.
fn tags(value: &Node) -> Vec<Value> {
    match value.to_value() {
        Value::List(items) => Arc::unwrap_or_clone(items),
        Value::Str(text) => {
            let part = |part: &str| match text.is_template() {
                true => Value::Str(Str::template(part, text.shared_pos())),
                false => Value::str(part),
            };
            text.as_str().split(',').map(|p| part(p.trim())).collect()
        }
        other => vec![other],
    }
}
