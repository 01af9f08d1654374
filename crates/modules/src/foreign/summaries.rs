//! Warnings, deprecations and errors as `ansible.module_utils` of ansible-core 2.19 writes them: dictionaries with the
//! name of their type.

use serde_json::{Value, json};

use crate::Map;

/// The error of a module as the report has it, where it says more than `msg`.
pub const ERROR: &str = "_ansible_error";

/// Put into a result what these dictionaries stand for.
pub(super) fn resolve(result: &mut Map) {
    if let Some(Value::Array(warnings)) = result.get_mut("warnings") {
        for warning in warnings.iter_mut().filter(|warning| is(warning, "WarningSummary")) {
            *warning = brief(&warning["event"]).into();
        }
    }
    if let Some(Value::Array(deprecations)) = result.get_mut("deprecations") {
        for entry in deprecations.iter_mut().filter(|entry| is(entry, "DeprecationSummary")) {
            *entry = deprecation(entry);
        }
    }
    let Some(exception) = result.get("exception").filter(|exception| is(exception, "ErrorSummary")) else {
        return;
    };
    let event = &exception["event"];
    let (error, traceback) = (brief(event), traceback(event));
    if result.get("msg").and_then(Value::as_str) != Some(&error) {
        result.insert(ERROR.into(), error.into());
    }
    let none = || "(traceback unavailable)".to_owned();
    result.insert("exception".into(), traceback.unwrap_or_else(none).into());
}

fn is(value: &Value, kind: &str) -> bool {
    value.get("__ansible_type").and_then(Value::as_str) == Some(kind)
}

/// The message of an event and of those that caused it.
fn brief(event: &Value) -> String {
    let mut text = event["msg"].as_str().unwrap_or_default().to_owned();
    let chain = &event["chain"];
    if chain["follow"] == true {
        let cause = brief(&chain["event"]);
        // What is said already is not said again.
        if !cause.is_empty() && !text.contains(&cause) {
            text = format!("{}: {cause}", text.trim_end_matches('.'));
        }
    }
    text
}

/// Where an event and those that caused it came from, the first cause first.
fn traceback(event: &Value) -> Option<String> {
    let own = event["formatted_traceback"].as_str()?;
    let chain = &event["chain"];
    Some(match traceback(&chain["event"]) {
        Some(cause) => {
            format!("{cause}\n{}\n\n{own}", chain["traceback_reason"].as_str().unwrap_or_default())
        }
        None => own.to_owned(),
    })
}

fn deprecation(entry: &Value) -> Value {
    let plugin = &entry["deprecator"];
    let mut shown = json!({"msg": brief(&entry["event"])});
    if let Some(name) = plugin["resolved_name"].as_str() {
        let collection = name.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
        shown["collection_name"] = collection.into();
        shown["deprecator"] = json!({"resolved_name": name, "type": plugin["type"]});
    }
    for key in ["date", "version"] {
        if let Some(value) = entry.get(key).filter(|value| !value.is_null()) {
            shown[key] = value.clone();
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    // Written by modules with ansible.module_utils of ansible-core 2.19.14.
    #[test]
    fn what_a_module_writes_is_what_is_shown() {
        let mut result = json!({
            "warnings": [{"__ansible_type": "WarningSummary", "event": {"__ansible_type": "Event", "msg": "w"}}, "old"],
            "deprecations": [{
                "__ansible_type": "DeprecationSummary",
                "deprecator": {"__ansible_type": "PluginInfo", "resolved_name": "ansible.builtin", "type": null},
                "event": {"__ansible_type": "Event", "msg": "gone soon"},
                "version": "99.9",
            }],
            "exception": {"__ansible_type": "ErrorSummary", "event": {
                "__ansible_type": "Event", "msg": "outer",
                "chain": {"__ansible_type": "EventChain", "follow": true, "event": {"msg": "inner"}},
            }},
            "msg": "outer",
        });
        let Some(map) = result.as_object_mut() else { panic!() };
        resolve(map);
        assert_eq!(
            result,
            json!({
                "warnings": ["w", "old"],
                "deprecations": [{
                    "collection_name": "ansible.builtin",
                    "deprecator": {"resolved_name": "ansible.builtin", "type": null},
                    "msg": "gone soon",
                    "version": "99.9",
                }],
                "exception": "(traceback unavailable)",
                "msg": "outer",
                "_ansible_error": "outer: inner",
            })
        );
    }
}
