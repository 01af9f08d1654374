//! Checks of the values of keywords, as far as they can be known while loading.

use crate::error::ErrorKind;
use crate::keywords::{Keyword, Kind};
use crate::value::may_be_template;
use crate::yaml::{Node, NodeKind};
use crate::{Error, Pos};

/// Help for a wrong name of a variable.
const VARIABLE_NAMES: &str = "Variable names must be strings starting with a letter or underscore character, and \
                              contain only letters, numbers and underscores.";

/// When a value of the wrong type is an error: those of a play when it is read, those of tasks and blocks when the
/// task runs, so that it can be ignored or rescued.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Loading,
    Running,
}

/// What is wrong with the value of a keyword; `None` if it is right or a template. `owner` is where the play or
/// task starts.
pub(super) fn check(keyword: Keyword, value: &Node, owner: &Pos, when: When) -> Option<Error> {
    if keyword == Keyword::ModuleDefaults {
        return check_module_defaults(value);
    }
    let wrong =
        |message: String, pos: &Pos| Some(Error::new(message).with_kind(ErrorKind::Syntax).at(Some(pos)));
    match (keyword.entry().kind, &value.value) {
        (Kind::Text, NodeKind::Seq(_) | NodeKind::Map(_)) => wrong(
            format!(
                "The field '{keyword}' is supposed to be a string type, however the incoming data structure is a \
                 <class '{}'>",
                value.type_name()
            ),
            owner,
        ),
        (Kind::Names, NodeKind::Str(_) | NodeKind::Seq(_)) => None,
        (Kind::Names, _) => Some(Error::new("tags must be specified as a list").at(Some(&value.pos))),
        (Kind::Bool | Kind::Int | Kind::Float | Kind::Percent, _) if when == When::Running => None,
        (kind, NodeKind::Str(text)) if !may_be_template(text) => {
            let text = text.trim();
            let fits = match kind {
                Kind::Bool => boolean(text).is_some(),
                Kind::Int => text.parse::<i64>().is_ok(),
                Kind::Float => text.parse::<f64>().is_ok(),
                Kind::Percent => text.trim_end_matches('%').parse::<f64>().is_ok(),
                _ => true,
            };
            let name = python_name(kind);
            let message = format!(
                "Error processing keyword '{keyword}': The value '{text}' could not be converted to '{name}'."
            );
            if fits { None } else { wrong(message, &value.pos) }
        }
        (
            kind @ (Kind::Bool | Kind::Int | Kind::Float | Kind::Percent),
            NodeKind::Seq(_) | NodeKind::Map(_),
        ) => {
            let (is, wanted) = (value.type_name(), python_name(kind));
            wrong(
                format!(
                    "Error processing keyword '{keyword}': The value of type '{is}' could not be converted to '{wanted}'."
                ),
                &value.pos,
            )
        }
        _ => None,
    }
}

fn python_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "bool",
        Kind::Int => "int",
        Kind::Float => "float",
        Kind::Percent => "percent",
        _ => "str",
    }
}

/// Ansible's words for true and false.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
        _ => None,
    }
}

fn check_module_defaults(value: &Node) -> Option<Error> {
    let fits = |node: &Node| match &node.value {
        NodeKind::Map(pairs) => pairs.iter().all(|(k, _)| k.as_str().is_some_and(|k| !may_be_template(k))),
        NodeKind::Null => true,
        _ => false,
    };
    let good = match &value.value {
        NodeKind::Seq(items) => items.iter().all(fits),
        _ => fits(value),
    };
    let error = Error::new(
        "The field 'module_defaults' is supposed to be a dictionary or list of dictionaries, the keys of which must \
         be static action, module, or group names. Only the values may contain templates. For example: {'ping': \
         \"{{ ping_defaults }}\"}",
    );
    (!good).then(|| error.with_kind(ErrorKind::Syntax).at(Some(&value.pos)))
}

/// What is wrong with the name of a variable.
pub(super) fn check_variable_name(key: &Node) -> Option<Error> {
    let message = match (&key.value, key.as_str()) {
        (_, Some(name)) if is_identifier(name) => return None,
        (_, Some(name)) => format!("Invalid variable name '{name}'."),
        (NodeKind::Int(i), _) => format!("Invalid variable name '{i}' of type 'int'."),
        (NodeKind::Bool(b), _) => {
            format!("Invalid variable name '{}' of type 'bool'.", if *b { "True" } else { "False" })
        }
        _ => format!("Invalid variable name of type '{}'.", key.type_name()),
    };
    Some(Error::new(message).with_help(VARIABLE_NAMES).at(Some(&key.pos)))
}

/// Can a variable have that name?
pub(crate) fn is_identifier(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}
