//! Rules about several arguments together. Each gives the first thing that is wrong.

use crate::template::python_str;
use crate::{Map, Value};

/// The groups of names of a rule; a name alone is a group of one.
fn groups(owner: &Map, rule: &str) -> Vec<Vec<String>> {
    let groups = owner.get(rule).and_then(Value::as_list).unwrap_or_default();
    groups.iter().map(names).collect()
}

fn names(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().map(python_str).collect(),
        Value::Null => Vec::new(),
        other => vec![python_str(other)],
    }
}

fn count(group: &[String], values: &Map) -> usize {
    group.iter().filter(|name| values.contains_key(name.as_str())).count()
}

pub(super) fn mutually_exclusive(owner: &Map, values: &Map) -> Option<String> {
    let groups = groups(owner, "mutually_exclusive");
    let wrong: Vec<String> =
        groups.iter().filter(|group| count(group, values) > 1).map(|group| group.join("|")).collect();
    (!wrong.is_empty()).then(|| format!("parameters are mutually exclusive: {}", wrong.join(", ")))
}

pub(super) fn required_together(owner: &Map, values: &Map) -> Option<String> {
    let groups = groups(owner, "required_together");
    let wrong = groups.iter().find(|group| (1..group.len()).contains(&count(group, values)))?;
    Some(format!("parameters are required together: {}", wrong.join(", ")))
}

pub(super) fn required_one_of(owner: &Map, values: &Map) -> Option<String> {
    let groups = groups(owner, "required_one_of");
    let wrong = groups.iter().find(|group| count(group, values) == 0)?;
    Some(format!("one of the following is required: {}", wrong.join(", ")))
}

/// Each is `[name, value, needed]`, or with a fourth entry that says whether one of the needed is enough.
pub(super) fn required_if(owner: &Map, values: &Map) -> Option<String> {
    for rule in owner.get("required_if").and_then(Value::as_list).unwrap_or_default() {
        let [name, wanted, needed, rest @ ..] = rule.as_list().unwrap_or_default() else { continue };
        let name = python_str(name);
        if values.get(name.as_str()) != Some(wanted) {
            continue;
        }
        let needed = names(needed);
        let one_is_enough = rest.first().is_some_and(Value::is_truthy);
        let missing: Vec<&str> =
            needed.iter().map(String::as_str).filter(|n| !values.contains_key(*n)).collect();
        let allowed = if one_is_enough { needed.len().saturating_sub(1) } else { 0 };
        if missing.len() > allowed {
            let which = if one_is_enough { "any" } else { "all" };
            let (wanted, missing) = (python_str(wanted), missing.join(", "));
            return Some(format!("{name} is {wanted} but {which} of the following are missing: {missing}"));
        }
    }
    None
}

/// `name: needed`; what is null counts as not given.
pub(super) fn required_by(owner: &Map, values: &Map) -> Option<String> {
    let given = |name: &str| values.get(name).is_some_and(|v| !v.is_null());
    for (name, needed) in owner.get("required_by").and_then(Value::as_map)? {
        let name = name.to_string();
        let missing: Vec<String> = names(needed).into_iter().filter(|n| !given(n)).collect();
        if given(&name) && !missing.is_empty() {
            return Some(format!("missing parameter(s) required by '{name}': {}", missing.join(", ")));
        }
    }
    None
}
