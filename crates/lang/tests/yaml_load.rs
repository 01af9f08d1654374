//! Reading YAML, against what ansible-core 2.19 made of the same texts (`tests/record/record_yaml.py`).

use std::path::Path;

use lang::yaml;
use lang::{Key, Value};
use serde_json::{Value as Json, json};

fn typed_key(key: &Key) -> Json {
    match key {
        Key::Null => json!(["null"]),
        Key::Bool(b) => json!(["bool", b]),
        Key::Int(i) => json!(["int", i.to_string()]),
        Key::Float(f) => json!(["float", f.as_ref()]),
        Key::Str(s) => json!(["str", s.as_ref()]),
    }
}

fn typed(value: &Value) -> Json {
    match value {
        Value::Null => json!(["null"]),
        Value::Bool(b) => json!(["bool", b]),
        Value::Int(i) => json!(["int", i.to_string()]),
        Value::BigInt(digits) => json!(["int", digits.as_ref()]),
        Value::Float(f) => json!(["float", yaml::python_float(*f)]),
        Value::Str(s) if s.is_template() => {
            json!(["template", s.as_str(), s.pos().map(|p| p.line), s.pos().map(|p| p.column)])
        }
        Value::Str(s) => json!(["str", s.as_str()]),
        Value::List(items) => json!(["list", items.iter().map(typed).collect::<Vec<_>>()]),
        Value::Map(map) => {
            json!(["map", map.iter().map(|(k, v)| json!([typed_key(k), typed(v)])).collect::<Vec<_>>()])
        }
        Value::Vault(vault) => json!(["vault", vault.text]),
        Value::Undefined(_) | Value::Omit => json!(["?"]),
    }
}

/// Keys have no trust or place here, and JSON files have no places in Ansible.
fn comparable(json: &Json, places: bool) -> Json {
    let Some(parts) = json.as_array() else { return json.clone() };
    match parts.first().and_then(Json::as_str) {
        Some("map") => {
            let pairs = parts[1].as_array().unwrap();
            let pairs: Vec<Json> = pairs
                .iter()
                .map(|pair| {
                    let key = &pair[0];
                    let key = if key[0] == "template" { json!(["str", key[1]]) } else { key.clone() };
                    json!([key, comparable(&pair[1], places)])
                })
                .collect();
            json!(["map", pairs])
        }
        Some("list") => {
            json!([
                "list",
                parts[1].as_array().unwrap().iter().map(|v| comparable(v, places)).collect::<Vec<_>>()
            ])
        }
        Some("template") if !places => json!(["template", parts[1]]),
        _ => json.clone(),
    }
}

#[test]
fn reads_what_ansible_reads() {
    let cases: Vec<Json> = serde_json::from_str(include_str!("recorded/yaml_load.json")).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let text = case["text"].as_str().unwrap();
        let got = yaml::parse_one(text.as_bytes(), Path::new("/t.yml"));
        let report = match (&got, case.get("value")) {
            (Ok(document), Some(expected)) => {
                let value = document.root.to_value();
                let places = !text.starts_with(['{', '[', '"']);
                let got = comparable(&typed(&value), places);
                let expected = comparable(expected, places);
                (got != expected).then(|| format!("{text:?}\n   got {got}\n  want {expected}"))
            }
            (Err(error), None) => {
                let pos = error.pos().map(|p| (i64::from(p.line), i64::from(p.column)));
                let want = case["line"].as_i64().zip(case["column"].as_i64());
                let message = format!("{}.", error.message().trim_end_matches('.'));
                let expected = case["error"].as_str().unwrap();
                let expected = format!("{}.", expected.trim_end_matches('.'));
                // Where a hint replaces libyaml's words, the place alone is compared.
                let same = message == expected || error.help().is_some();
                (!same || (want.is_some() && pos != want))
                    .then(|| format!("{text:?}\n   got {message} {pos:?}\n  want {expected} {want:?}"))
            }
            (Ok(document), None) => Some(format!(
                "{text:?}\n   got {}\n  want {}",
                typed(&document.root.to_value()),
                case["error"]
            )),
            (Err(error), Some(expected)) => Some(format!("{text:?}\n   got {error}\n  want {expected}")),
        };
        wrong.extend(report);
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
