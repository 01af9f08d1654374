//! Argument specifications: what a role says of the variables it takes (`meta/argument_specs.yml`).
//!
//! [`validate`] checks values against a specification and says everything that is wrong with them, in Ansible's
//! order. Sources: "Specification format" in Ansible's documentation of role argument validation; the order of
//! checks and the messages were recorded from ansible-core (`tests/record/argument_specs.py`).

mod convert;
mod rules;

use crate::template::{python_repr, python_str};
use crate::{Key, Map, Value};

use convert::convert;

/// Words for true and false: where just one of them is among the choices, it stands for the boolean.
const TRUE: &[&str] = &["y", "yes", "on", "1", "true", "t"];
const FALSE: &[&str] = &["n", "no", "off", "0", "false", "f"];

/// A value as a boolean; the error says why it is none.
pub fn boolean(value: &Value) -> Result<bool, String> {
    convert(value, "bool").map(|value| value == Value::Bool(true))
}

/// Everything that is wrong with the arguments, one sentence each; nothing if they fit.
pub fn validate(spec: &Map, values: &Map) -> Vec<String> {
    let mut check = Check::default();
    if let Err(error) = unfold_all(spec, values) {
        check.errors.push(error);
    }
    check.level(spec, None, values.clone(), &[]);
    let mut errors = check.errors;
    if !check.unsupported.is_empty() {
        check.unsupported.sort();
        let supported = check.supported.unwrap_or_default();
        errors.push(format!("{}. Supported parameters include: {supported}.", check.unsupported.join(", ")));
    }
    errors
}

#[derive(Default)]
struct Check {
    errors: Vec<String>,
    /// Names that no specification has, with the path to them.
    unsupported: Vec<String>,
    /// What would have been allowed, of the outermost level where something was not.
    supported: Option<String>,
}

impl Check {
    /// One dictionary of arguments. `owner` is the argument whose `options` these are, with its rules; `path` are the
    /// names of the arguments around.
    fn level(&mut self, spec: &Map, owner: Option<&Map>, mut values: Map, path: &[&str]) {
        let entries: Vec<(&str, &Map)> =
            spec.iter().filter_map(|(name, entry)| Some((name.as_str()?, entry.as_map()?))).collect();
        if let Err(error) = resolve_aliases(&entries, &mut values) {
            self.errors.push(error);
            return;
        }
        self.find_unsupported(&entries, &values, path);
        let found = if path.is_empty() { String::new() } else { format!(" found in {}", path.join(" -> ")) };
        let note = |errors: &mut Vec<String>, error: Option<String>| {
            errors.extend(error.map(|error| error + &found));
        };
        if let Some(owner) = owner {
            note(&mut self.errors, rules::mutually_exclusive(owner, &values));
        }
        for (name, entry) in &entries {
            if !values.contains_key(*name)
                && let Some(default) = entry.get("default").filter(|d| !d.is_null())
            {
                values.insert(Key::from(*name), default.clone());
            }
        }
        let missing = entries.iter().filter(|(n, e)| truth(e, "required") && !values.contains_key(*n));
        let mut missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
        if !missing.is_empty() {
            missing.sort_unstable();
            let error = format!("missing required arguments: {}", missing.join(", "));
            note(&mut self.errors, Some(error));
        }
        for (name, entry) in &entries {
            self.check_type(name, entry, &mut values, path);
        }
        for (name, entry) in &entries {
            let error = values.get_mut(*name).and_then(|value| check_choices(name, entry, value));
            note(&mut self.errors, error);
        }
        if let Some(owner) = owner {
            for rule in
                [rules::required_together, rules::required_one_of, rules::required_if, rules::required_by]
            {
                note(&mut self.errors, rule(owner, &values));
            }
        }
        for (name, entry) in &entries {
            self.below(name, entry, &values, path);
        }
    }

    /// The options of an argument that is a dictionary, or a list of dictionaries.
    fn below(&mut self, name: &str, entry: &Map, values: &Map, path: &[&str]) {
        let (Some(options), true) = (entry.get("options").and_then(Value::as_map), takes_options(entry))
        else {
            return;
        };
        let empty = Value::map(Map::new());
        let value = match values.get(name) {
            None if truth(entry, "apply_defaults") => &empty,
            None | Some(Value::Null) => return,
            Some(value) => value,
        };
        let path: Vec<&str> = path.iter().copied().chain([name]).collect();
        let elements = value.as_list().unwrap_or(std::slice::from_ref(value));
        for element in elements.iter().filter_map(Value::as_map) {
            self.level(options, Some(entry), element.clone(), &path);
        }
    }

    fn find_unsupported(&mut self, entries: &[(&str, &Map)], values: &Map, path: &[&str]) {
        let mut names: Vec<&str> = entries.iter().map(|(name, _)| *name).collect();
        let mut aliases: Vec<&str> = entries.iter().flat_map(|(_, entry)| aliases_of(entry)).collect();
        let strange: Vec<String> = values
            .keys()
            .map(Key::to_string)
            .filter(|key| !names.contains(&key.as_str()) && !aliases.contains(&key.as_str()))
            .map(|key| path.iter().map(|name| format!("{name}.")).collect::<String>() + &key)
            .filter(|key| !self.unsupported.contains(key))
            .collect();
        if strange.is_empty() {
            return;
        }
        self.unsupported.extend(strange);
        names.sort_unstable();
        aliases.sort_unstable();
        self.supported.get_or_insert_with(|| match aliases.as_slice() {
            [] => names.join(", "),
            aliases => format!("{} ({})", names.join(", "), aliases.join(", ")),
        });
    }

    /// Bring a value into its type, and the elements of a list into theirs.
    fn check_type(&mut self, name: &str, entry: &Map, values: &mut Map, path: &[&str]) {
        let Some(value) = values.get(name) else { return };
        // Nothing is as good as no value, unless there has to be one.
        let has_default = entry.get("default").is_some_and(|default| !default.is_null());
        if value.is_null() && !truth(entry, "required") && !has_default {
            return;
        }
        let kind = entry.get("type").and_then(Value::as_str).unwrap_or("str");
        let mut value = value.clone();
        match convert(&value, kind) {
            Ok(converted) => value = converted,
            Err(error) => {
                let place = match path {
                    [] => String::new(),
                    path => format!(" found in '{}'.", path.join(" -> ")),
                };
                self.errors.push(format!(
                    "argument '{name}' is of type {}{place} and we were unable to convert to {kind}: {error}",
                    value.type_name()
                ));
                return;
            }
        }
        if let Some(wanted) = entry.get("elements").and_then(Value::as_str) {
            if kind != "list" {
                self.errors.push(format!(
                    "Invalid type {kind} for option '{}', elements value check is supported only with 'list' type",
                    python_str(&value)
                ));
            }
            let converted = self.check_elements(name, wanted, &value, path);
            if kind == "list" {
                value = Value::list(converted);
            }
        }
        values.insert(Key::from(name), value);
    }

    fn check_elements(&mut self, name: &str, wanted: &str, value: &Value, path: &[&str]) -> Vec<Value> {
        let place = match path {
            [] => String::new(),
            path => format!(" found in '{}'", path.join(" -> ")),
        };
        let elements = match value {
            Value::List(items) => items.to_vec(),
            Value::Map(map) => map.keys().map(Key::to_value).collect(),
            Value::Str(text) => text.as_str().chars().map(|c| Value::from(c.to_string())).collect(),
            _ => Vec::new(),
        };
        let mut converted = Vec::with_capacity(elements.len());
        for element in elements {
            match convert(&element, wanted) {
                Ok(element) => converted.push(element),
                Err(error) => self.errors.push(format!(
                    "Elements value for option '{name}'{place} is of type {} and we were unable to convert to \
                     {wanted}: {error}",
                    element.type_name()
                )),
            }
        }
        converted
    }
}

/// Python's truth of an entry of the specification: `required: "no"` is true.
fn truth(entry: &Map, key: &str) -> bool {
    entry.get(key).is_some_and(Value::is_truthy)
}

fn aliases_of(entry: &Map) -> impl Iterator<Item = &str> {
    let aliases = entry.get("aliases").and_then(Value::as_list).unwrap_or_default();
    aliases.iter().filter_map(Value::as_str)
}

/// Do `options` count for an argument of this type?
fn takes_options(entry: &Map) -> bool {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    text("type") == Some("dict") || (text("type") == Some("list") && text("elements") == Some("dict"))
}

/// Values under other names also under the name itself. The error is one of the specification.
fn resolve_aliases(entries: &[(&str, &Map)], values: &mut Map) -> Result<(), String> {
    for (name, entry) in entries {
        if truth(entry, "required") && entry.get("default").is_some_and(|d| !d.is_null()) {
            return Err(format!("internal error: required and default are mutually exclusive for {name}"));
        }
        match entry.get("aliases") {
            None | Some(Value::Null | Value::List(_)) => {}
            Some(_) => return Err("internal error: aliases must be a list or tuple".into()),
        }
        for alias in aliases_of(entry) {
            if let Some(value) = values.get(alias).cloned() {
                values.insert(Key::from(*name), value);
            }
        }
    }
    Ok(())
}

/// Ansible looks for secrets in the options before it checks anything, and fails there already where a value has no
/// place for options.
fn unfold_all(spec: &Map, values: &Map) -> Result<(), String> {
    for (name, entry) in spec {
        let (Some(name), Some(entry)) = (name.as_str(), entry.as_map()) else { continue };
        let (Some(options), true) = (entry.get("options").and_then(Value::as_map), takes_options(entry))
        else {
            continue;
        };
        let value = match values.get(name) {
            None | Some(Value::Null) => continue,
            Some(value) => value,
        };
        let elements = match value {
            Value::List(items) => items.to_vec(),
            Value::Map(_) | Value::Str(_) => vec![value.clone()],
            other => {
                let (shown, is) = (python_str(other), other.type_name());
                return Err(format!(
                    "Value '{shown}' in the sub parameter field '{name}' must be a list, not '{is}'"
                ));
            }
        };
        for element in elements {
            let element = match element {
                Value::Str(_) => convert(&element, "dict")?,
                other => other,
            };
            let Some(map) = element.as_map() else {
                let (shown, is) = (python_str(&element), element.type_name());
                return Err(format!(
                    "Value '{shown}' in the sub parameter field '{name}' must be a dict, not '{is}'"
                ));
            };
            unfold_all(options, map)?;
        }
    }
    Ok(())
}

/// Is the value one of the choices? A boolean counts as the one word for it that is among them.
fn check_choices(name: &str, entry: &Map, value: &mut Value) -> Option<String> {
    let choices = match entry.get("choices") {
        None | Some(Value::Null) => return None,
        Some(Value::List(choices)) => choices,
        Some(other) => {
            let shown = python_str(other);
            return Some(format!("internal error: choices for argument {name} are not iterable: {shown}"));
        }
    };
    let shown = choices.iter().map(python_str).collect::<Vec<_>>().join(", ");
    if let Value::List(items) = value {
        let strange: Vec<String> = items.iter().filter(|i| !choices.contains(i)).map(python_str).collect();
        let strange = (!strange.is_empty()).then(|| strange.join(", "))?;
        return Some(format!("value of {name} must be one or more of: {shown}. Got no match for: {strange}"));
    }
    if choices.contains(value) {
        return None;
    }
    let words = match value.as_str() {
        Some("True") => TRUE,
        Some("False") => FALSE,
        _ => &[],
    };
    let mut fitting = choices.iter().filter(|c| c.as_str().is_some_and(|c| words.contains(&c)));
    if let (Some(word), None) = (fitting.next(), fitting.next()) {
        *value = word.clone();
        return None;
    }
    Some(format!("value of {name} must be one of: {shown}, got: {}", python_str(value)))
}

/// A value as Python shows its type's class.
fn class(value: &Value) -> String {
    format!("<class '{}'>", value.type_name())
}

fn quoted(value: &Value) -> String {
    format!("\"{}\"", python_repr(value))
}
