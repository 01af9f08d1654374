//! Values of arguments that are secret (`no_log`) are taken out of what a module says.
//!
//! As Ansible: a text that is such a value becomes [`WHOLE`], one that contains it gets eight stars in its place,
//! wherever it is in the result; whoever runs `command` with the password of another task is not looked after.

use protocol::{Map, Outcome};
use serde_json::Value;

use crate::registry::Entry;

/// What stands where nothing but the secret was.
pub const WHOLE: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";
const PART: &str = "********";

/// Keys of `uri`'s results that stay what they are, whatever the secret is.
const KEPT: &[&str] = &[
    "msg",
    "exception",
    "warnings",
    "deprecations",
    "failed",
    "skipped",
    "changed",
    "rc",
    "stdout",
    "stderr",
    "elapsed",
    "path",
    "location",
    "content_type",
];

/// Take the secrets among `args` out of the outcome.
pub fn hide(entry: &Entry, args: &Map, outcome: &mut Outcome) {
    let spec = (entry.spec)();
    if !spec.args.iter().any(|arg| arg.secret) {
        return;
    }
    let Ok(args) = entry.check(args) else { return };
    let mut secrets = Vec::new();
    for arg in spec.args.iter().filter(|arg| arg.secret) {
        args.get(arg.name).into_iter().for_each(|value| collect(value, &mut secrets));
    }
    if secrets.is_empty() {
        return;
    }
    // The longer ones first: one may be a part of another.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    secrets.dedup();
    // What a server answers may have a secret as a key.
    let keys = entry.name == "uri";
    outcome.result.values_mut().for_each(|value| clean(value, &secrets, keys));
    if keys {
        clean_keys(&mut outcome.result, &secrets);
    }
    for diff in &mut outcome.diff {
        let sides = diff.before.iter_mut().chain(&mut diff.after);
        sides.for_each(|side| clean(side, &secrets, keys));
        diff.prepared.iter_mut().for_each(|text| clean_text(text, &secrets));
    }
}

fn collect(value: &Value, secrets: &mut Vec<String>) {
    match value {
        Value::String(text) if !text.is_empty() => secrets.push(text.clone()),
        Value::Number(number) => secrets.push(number.to_string()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, secrets)),
        Value::Object(map) => map.values().for_each(|item| collect(item, secrets)),
        _ => {}
    }
}

fn clean(value: &mut Value, secrets: &[String], keys: bool) {
    match value {
        Value::String(text) => clean_text(text, secrets),
        Value::Number(number) => {
            let text = number.to_string();
            if secrets.iter().any(|secret| text.contains(secret.as_str())) {
                *value = WHOLE.into();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| clean(item, secrets, keys)),
        Value::Object(map) => {
            map.values_mut().for_each(|item| clean(item, secrets, keys));
            if keys {
                clean_keys(map, secrets);
            }
        }
        _ => {}
    }
}

fn clean_keys(map: &mut Map, secrets: &[String]) {
    let found =
        |key: &str| !KEPT.contains(&key) && secrets.iter().any(|secret| key.contains(secret.as_str()));
    if !map.keys().any(|key| found(key)) {
        return;
    }
    *map = std::mem::take(map)
        .into_iter()
        .map(|(mut key, value)| {
            if found(&key) {
                clean_text(&mut key, secrets);
            }
            (key, value)
        })
        .collect();
}

fn clean_text(text: &mut String, secrets: &[String]) {
    if secrets.iter().any(|secret| secret == text) {
        *text = WHOLE.into();
        return;
    }
    for secret in secrets {
        if text.contains(secret.as_str()) {
            *text = text.replace(secret.as_str(), PART);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{json, result};

    #[test]
    fn secrets_are_taken_out() {
        let args = result! {"url": "http://x", "password": "hush", "user": "me"};
        let entry = crate::find("uri").unwrap();
        let result = result! {
            "msg": "hush", "stdout": "a hush b", "url": "http://x", "n": 1,
            "json": json!({"key-hush": ["hush", "no"]})
        };
        let mut outcome = Outcome { result, ..Outcome::default() };
        hide(entry, &args, &mut outcome);
        let expected = json!({
            "msg": WHOLE, "stdout": "a ******** b", "url": "http://x", "n": 1,
            "json": {"key-********": [WHOLE, "no"]}
        });
        assert_eq!(Value::from(outcome.result), expected);
    }
}
