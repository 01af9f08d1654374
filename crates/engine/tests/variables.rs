//! What variables have which value where: the order of precedence, roles, includes, magic variables. Compared with
//! what ansible-core printed (`tests/record/playbook.py variables`).

mod support;

use std::collections::BTreeMap;

use engine::Options;
use lang::Map;
use serde::Deserialize;
use serde_json::Value as Json;
use support::fleet::Fleet;
use support::run_with;

#[derive(Deserialize)]
struct Case {
    files: BTreeMap<String, String>,
    options: Vec<String>,
    env: BTreeMap<String, String>,
    stdout: String,
}

/// Magic variables that the command brings, not the engine.
const OF_THE_COMMAND: &[&str] = &[
    "ansible_check_mode=",
    "ansible_diff_mode=",
    "ansible_limit=",
    "ansible_run_tags=",
    "ansible_skip_tags=",
    "ansible_forks=",
    "ansible_verbosity=",
    "ansible_version.full=",
    "ansible_config_file=",
    "ansible_playbook_python=",
    "ansible_inventory_sources=",
];

/// The messages of `debug` in the order they were printed.
fn printed(stdout: &str) -> Vec<String> {
    let blocks = stdout.split(" => {\n").skip(1);
    let messages = blocks.map(|block| {
        let end = block.find("\n}").expect("the end of a result");
        let result: Json = serde_json::from_str(&format!("{{{}}}", &block[..end])).expect("JSON");
        result["msg"].to_string()
    });
    messages.filter(|message| is_ours(message)).collect()
}

fn is_ours(message: &str) -> bool {
    !OF_THE_COMMAND.iter().any(|name| message.trim_start_matches('"').starts_with(name))
}

fn extra_vars(text: &str) -> Map {
    if text.starts_with('{') {
        let document = lang::yaml::parse_one(text.as_bytes(), std::path::Path::new("-e")).expect("YAML");
        return document.root.to_value().as_map().cloned().expect("a dictionary");
    }
    lang::playbook::parse_key_values(text).expect("words")
}

#[test]
fn variables_are_those_of_ansible() {
    let text = include_str!("../../lang/tests/recorded/playbook_variables.json");
    let cases: BTreeMap<String, Case> = serde_json::from_str(text).expect("recorded cases");
    let mut wrong = Vec::new();
    for (name, case) in &cases {
        let mut options = Options::default();
        let mut words = case.options.iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "-e" => options.extra_vars.extend(extra_vars(words.next().expect("variables"))),
                "-l" => options.limit = words.next().cloned(),
                _ => {}
            }
        }
        let merge = case.env.contains_key("ANSIBLE_HASH_BEHAVIOUR");
        let ran = run_with(&case.files, options, Fleet::default(), merge);
        let got: Vec<String> = ran
            .lines
            .iter()
            .filter(|line| line.starts_with("ok "))
            .filter_map(|line| line.find(" {\"msg\":").map(|at| &line[at + 1..]))
            .map(|json| serde_json::from_str::<Json>(json).expect("JSON")["msg"].to_string())
            .filter(|message| is_ours(message))
            .collect();
        let expected = printed(&case.stdout);
        assert!(!expected.is_empty(), "{name}: nothing was recorded");
        if got != expected {
            let diff = similar::TextDiff::from_lines(expected.join("\n"), got.join("\n"));
            wrong.push(format!("=== {name} {:?}\n{}", ran.error, diff.unified_diff().context_radius(0)));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
