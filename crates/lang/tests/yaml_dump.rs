//! Writing YAML, against what PyYAML with Ansible's dumper printed (`tests/record/record_yaml.py`).

use std::collections::HashMap;

use lang::yaml::{self, DumpOptions, ScalarQuotes};
use lang::{Key, Map, Value};
use serde_json::Value as Json;

/// A recorded value. Equal lists and dictionaries are made one object where `shared` is given, as they are there.
fn value(json: &Json, shared: &mut Option<HashMap<String, Value>>) -> Value {
    let text = || json[1].as_str().unwrap();
    match json[0].as_str().unwrap() {
        "null" => Value::Null,
        "bool" => Value::Bool(json[1].as_bool().unwrap()),
        "int" => text().parse().map_or_else(|_| Value::BigInt(text().into()), Value::Int),
        "float" => Value::Float(text().parse().unwrap()),
        "str" => Value::str(text()),
        kind => {
            if let Some(known) = shared.as_ref().and_then(|s| s.get(&json.to_string())) {
                return known.clone();
            }
            let items = json[1].as_array().unwrap();
            let made = if kind == "list" {
                Value::list(items.iter().map(|item| value(item, shared)).collect())
            } else {
                let entries = items.iter().map(|pair| (key(&pair[0]), value(&pair[1], shared)));
                Value::map(entries.collect::<Map>())
            };
            if let Some(shared) = shared {
                shared.insert(json.to_string(), made.clone());
            }
            made
        }
    }
}

fn key(json: &Json) -> Key {
    match value(json, &mut None) {
        Value::Null => Key::Null,
        Value::Bool(b) => Key::Bool(b),
        Value::Int(i) => Key::Int(i),
        Value::Float(f) => Key::Float(yaml::python_float(f).into()),
        Value::Str(s) => Key::Str(s.shared()),
        other => panic!("{other:?} as a key"),
    }
}

#[test]
fn prints_what_pyyaml_prints() {
    let cases: Vec<Json> = serde_json::from_str(include_str!("recorded/yaml_dump.json")).unwrap();
    let mut wrong = Vec::new();
    for case in &cases {
        let mut options = DumpOptions::to_yaml();
        for (name, option) in case["options"].as_object().unwrap() {
            match name.as_str() {
                "default_flow_style" => options.default_flow_style = option.as_bool(),
                "indent" => options.indent = option.as_i64(),
                "width" => options.width = option.as_i64(),
                "sort_keys" => options.sort_keys = option.as_bool().unwrap(),
                "explicit_start" => options.explicit_start = option.as_bool().unwrap(),
                "explicit_end" => options.explicit_end = option.as_bool().unwrap(),
                "allow_unicode" => options.allow_unicode = option.as_bool().unwrap(),
                "canonical" => options.canonical = option.as_bool().unwrap(),
                "default_style" if option == "|" => options.default_style = ScalarQuotes::Literal,
                "default_style" => options.default_style = ScalarQuotes::Double,
                other => panic!("{other}"),
            }
        }
        let expected = case["yaml"].as_str().unwrap();
        let mut shared = expected.contains("id001").then(HashMap::new);
        let got = yaml::to_yaml(&value(&case["value"], &mut shared), &options).unwrap();
        if got != expected {
            wrong.push(format!("{} {}\n   got {got:?}\n  want {expected:?}", case["value"], case["options"]));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
