//! Argument specifications against ansible-core (`tests/record/argument_specs.py`).

use lang::{Value, argument_spec};
use serde_json::Value as Json;

/// Python's names of its own classes and the order of its sets are not ours.
fn plain(error: &str) -> String {
    let mut text = error.replace("ansible.module_utils._internal._datatag._AnsibleTagged", "");
    for (python, name) in
        [("Str", "str"), ("Int", "int"), ("List", "list"), ("Dict", "dict"), ("Float", "float")]
    {
        text = text.replace(&format!("<class '{python}'>"), &format!("<class '{name}'>"));
        text = text.replace(&format!("'_AnsibleTagged{python}'"), &format!("'{name}'"));
    }
    text = text.replace("'NoneType' object is not callable", "there is no such type");
    match text.split_once("Valid booleans include: ") {
        Some((before, words)) => {
            let mut words: Vec<&str> = words.split(", ").collect();
            words.sort_unstable();
            format!("{before}Valid booleans include: {}", words.join(", "))
        }
        None => text,
    }
}

#[test]
fn says_what_ansible_says() {
    let rows: Vec<(Json, Json, Vec<String>)> =
        serde_json::from_str(include_str!("recorded/argument_specs.json")).unwrap();
    let mut wrong = Vec::new();
    for (spec, args, expected) in &rows {
        let (Value::Map(s), Value::Map(a)) = (Value::from_json(spec), Value::from_json(args)) else {
            panic!("not dictionaries: {spec} {args}");
        };
        let got: Vec<String> = argument_spec::validate(&s, &a).iter().map(|e| plain(e)).collect();
        let expected: Vec<String> = expected.iter().map(|e| plain(e)).collect();
        if got != expected {
            wrong.push(format!("{spec} {args}\n  expected {expected:#?}\n  got {got:#?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}
