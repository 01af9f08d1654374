//! The controller's verdict on a result: `changed_when`, `failed_when`, `until`.

use std::sync::Arc;

use lang::keywords::Keyword;
use lang::playbook::Task;
use lang::template::{Overlay, Scope, Templar};
use lang::{Key, Map, Value};

use crate::results::ResultMap;

/// Does the task have conditions on its result that have to be looked at before anything else can be decided?
pub fn is_open(task: &Task) -> bool {
    task.own(Keyword::Until).is_some()
        || task.own(Keyword::Retries).is_some()
        || !is_constant(&task.changed_when())
        || !is_constant(&task.failed_when())
}

fn is_constant(conditions: &[&Value]) -> bool {
    conditions.iter().all(|c| matches!(c, Value::Bool(_)))
}

/// Can the task not fail by what the host reports (`failed_when: false`)? Or does the controller decide?
pub fn decides_failure(task: &Task) -> bool {
    task.own(Keyword::FailedWhen).is_some()
}

/// The scope in which a result is judged: with the registered name and the facts it brings.
pub fn scope(task: &Task, scope: &Arc<dyn Scope>, result: &Map) -> Arc<dyn Scope> {
    let mut vars = Map::new();
    if let Some(Value::Map(facts)) = result.get("ansible_facts")
        && !task.module.is_builtin("debug")
    {
        let set = matches!(task.module.short(), "set_fact" | "include_vars");
        vars.extend(facts.iter().map(|(k, v)| (k.clone(), v.clone())));
        if !set {
            vars.insert(Key::from("ansible_facts"), Value::Map(facts.clone()));
        }
    }
    if let Some(name) = task.register() {
        vars.insert(Key::from(name), Value::map(visible(result)));
    }
    if vars.is_empty() { scope.clone() } else { Arc::new(Overlay { vars, below: scope.clone() }) }
}

/// A result without the keys that only reporters know.
pub fn visible(result: &Map) -> Map {
    result
        .iter()
        .filter(|(k, _)| k.as_str().is_none_or(|k| !k.starts_with("_ansible_") && k != "invocation"))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

/// `exception` is in every failed result of Ansible, with this text where tracebacks are off (`DISPLAY_TRACEBACK`).
pub fn note_exception(result: &mut Map) {
    result.entry(Key::from("exception")).or_insert(Value::str("(traceback unavailable)"));
}

/// Does something on the host say whether the task failed, rather than an action here?
fn is_module(task: &Task) -> bool {
    // `raw` and `script` are not modules: there is no exception in what they give.
    let bare = task.module.is_builtin("raw") || task.module.is_builtin("script");
    !crate::action::is_controller_action(&task.module.full) && !bare
}

/// Apply `changed_when` and `failed_when`, which may read the result itself.
pub fn judge(templar: &Templar, task: &Task, item_scope: &Arc<dyn Scope>, result: &mut Map) {
    if result.flag("skipped") || result.flag("unreachable") {
        return;
    }
    if result.flag("failed") && is_module(task) {
        note_exception(result);
    }
    if !result.contains_key("failed") {
        let rc = result.get("rc").and_then(crate::settings::to_int).unwrap_or(0);
        result.put("failed", rc != 0);
    }
    let changed_when = task.changed_when();
    if !changed_when.is_empty() {
        let scope = scope(task, item_scope, result);
        match all(templar, &changed_when, &scope) {
            Ok(changed) => result.put("changed", changed),
            Err(e) => {
                result.put("failed", true);
                result.put("changed_when_result", e.to_string());
            }
        }
    }
    let failed_when = task.failed_when();
    if !failed_when.is_empty() && !result.contains_key("changed_when_result") {
        let scope = scope(task, item_scope, result);
        match all(templar, &failed_when, &scope) {
            Ok(failed) => {
                result.put("failed", failed);
                result.put("failed_when_result", failed);
                if !failed && let Some(suppressed) = result.shift_remove("exception") {
                    result.put("failed_when_suppressed_exception", suppressed);
                }
            }
            Err(e) => {
                result.put("failed", true);
                result.put("failed_when_result", e.to_string());
            }
        }
    }
}

/// Is `until` met? Without one, a result that has not failed is good.
pub fn is_met(
    templar: &Templar,
    task: &Task,
    item_scope: &Arc<dyn Scope>,
    result: &Map,
) -> lang::Result<bool> {
    let until = task.until();
    if until.is_empty() {
        return Ok(!result.flag("failed"));
    }
    all(templar, &until, &scope(task, item_scope, result))
}

fn all(templar: &Templar, conditions: &[&Value], scope: &Arc<dyn Scope>) -> lang::Result<bool> {
    for condition in conditions {
        if !templar.condition(condition, scope)? {
            return Ok(false);
        }
    }
    Ok(true)
}
