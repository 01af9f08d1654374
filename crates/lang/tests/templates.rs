//! Templates against what ansible-core makes of them, recorded by `tests/record/templates.py`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lang::template::{MapScope, Scope, Templar, TemplateOptions, python_repr};
use lang::{Key, Map, Str, Value};
use serde_json::Value as Json;

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/templates")
}

/// Values as a user wrote them: every string may be a template.
fn trusted(value: &Value) -> Value {
    match value {
        Value::Str(text) => Value::template(text.shared()),
        Value::List(items) => Value::list(items.iter().map(trusted).collect()),
        Value::Map(map) => Value::map(map.iter().map(|(k, v)| (k.clone(), trusted(v))).collect()),
        other => other.clone(),
    }
}

fn from_json(json: &Json) -> Value {
    match json {
        Json::Object(map) if map.contains_key("$int") => {
            Value::BigInt(map["$int"].as_str().unwrap_or_default().into())
        }
        Json::Array(items) => Value::list(items.iter().map(from_json).collect()),
        Json::Object(map) => Value::map(map.iter().map(|(k, v)| (key(k), from_json(v))).collect()),
        other => Value::from_json(other),
    }
}

/// JSON has text keys only; the cases use whole numbers as such.
fn key(text: &str) -> Key {
    text.parse().map_or_else(|_| Key::from(text), Key::Int)
}

fn scope(section: &Json) -> Arc<dyn Scope> {
    let mut vars = Map::new();
    let mut add = |name: &str, trust: bool| {
        if let Value::Map(map) = from_json(&section[name]) {
            for (key, value) in map.iter() {
                vars.insert(key.clone(), if trust { trusted(value) } else { value.clone() });
            }
        }
    };
    add("vars", true);
    add("plain", false);
    vars.insert(Key::from("playbook_dir"), Value::str(data().display().to_string()));
    Arc::new(MapScope { vars, search_path: vec![data()] })
}

fn render(templar: &Templar, case: &Json, scope: &Arc<dyn Scope>) -> lang::Result<Value> {
    let source = &case["source"];
    let text = source.as_str().unwrap_or_default();
    match case["kind"].as_str() {
        Some("templates") => templar.render(&trusted(&from_json(source)), scope),
        Some("expressions") => templar.evaluate(text, scope, None),
        Some("conditions") => templar.condition(&trusted(&from_json(source)), scope).map(Value::Bool),
        _ => {
            let file = data().join("case.j2");
            let mut options = TemplateOptions::default();
            for name in ["ansible_managed", "template_path"] {
                options.vars.insert(Key::from(name), Value::str("Ansible managed"));
            }
            templar.render_template_value(text, &file, &options, scope)
        }
    }
}

fn outcome(result: lang::Result<Value>) -> (Option<String>, String) {
    let place = data().display().to_string();
    match result {
        Ok(Value::Omit) => (None, "A template was resolved to an Omit scalar.".into()),
        Ok(value) => (Some(value.type_name().to_string()), python_repr(&value).replace(&place, "<data>")),
        Err(error) => (None, error.to_string().replace(&place, "<data>")),
    }
}

#[test]
fn templates_give_what_ansible_gives() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recorded/templates.json");
    let sections: Json = serde_json::from_str(&std::fs::read_to_string(recorded).unwrap()).unwrap();
    let only = std::env::var("CASES").ok();
    let templar = Templar::default();
    let (mut run, mut wrong) = (0, Vec::new());
    for section in sections.as_array().unwrap() {
        let file = section["file"].as_str().unwrap();
        if only.as_ref().is_some_and(|o| !file.contains(o.as_str())) {
            continue;
        }
        let scope = scope(section);
        for case in section["cases"].as_array().unwrap() {
            run += 1;
            let (kind, text) = outcome(render(&templar, case, &scope));
            let expected = match case["error"].as_str() {
                Some(error) => (None, error.to_string()),
                None => {
                    (case["type"].as_str().map(str::to_string), case["value"].as_str().unwrap().to_string())
                }
            };
            if (&kind, &text) != (&expected.0, &expected.1) {
                wrong.push(format!(
                    "{file}: {} {}\n   expected {}: {}\n   got      {}: {}",
                    case["kind"].as_str().unwrap(),
                    case["source"],
                    expected.0.as_deref().unwrap_or("error"),
                    expected.1,
                    kind.as_deref().unwrap_or("error"),
                    text,
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {run} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_templar_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Templar>();
    let text = Str::template("{{ 1 + 1 }}", None);
    let scope: Arc<dyn Scope> = Arc::new(MapScope::default());
    assert_eq!(Templar::default().render_str(&text, &scope).unwrap(), Value::Int(2));
}
