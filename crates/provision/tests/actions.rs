//! Actions in whole playbooks against what ansible-core did with the same ones.
//!
//! The expectations in `recorded/` are made by `tests/record/actions.py`. Each case is made in a directory of its own, its
//! playbook is run twice with hosts that are this machine, and what every task said and the files that are left are compared.
//! `CASE=text` runs those with the text in their name.

mod actions_support;

use actions_support::{compare, run_case, said};
use serde_json::Value;

fn run(action: &str) {
    let file = format!("{}/tests/recorded/{action}.json", env!("CARGO_MANIFEST_DIR"));
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let only = std::env::var("CASE").unwrap_or_default();
    let server = actions_support::Server::start(&cases);
    let mut wrong = Vec::new();
    let mut count = 0;
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        if !name.contains(&only) {
            continue;
        }
        count += 1;
        let (got, left) = run_case(case, server.port());
        let mut problems = Vec::new();
        for (number, (expected, got)) in case["runs"].as_array().unwrap().iter().zip(&got).enumerate() {
            compare(
                &format!("run {}: ", number + 1),
                &said(expected).into(),
                &said(got).into(),
                &mut problems,
            );
        }
        compare("files: ", &case["tree"], &left, &mut problems);
        // Where we differ on purpose: what is in the names of the keys, and why.
        for key in case["better"].as_object().into_iter().flatten().map(|(key, _)| key) {
            let before = problems.len();
            problems.retain(|problem| !problem.contains(key));
            if problems.len() == before {
                problems.push(format!("  {key} does not differ"));
            }
        }
        if !problems.is_empty() {
            wrong.push(format!("## {action}: {name}\n{}", problems.join("\n")));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} cases differ\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(count > 0, "no case has {only} in its name");
}

macro_rules! recorded {
    ($($name:ident),* $(,)?) => { $(
        #[test]
        fn $name() {
            run(stringify!($name));
        }
    )* };
}

recorded![assemble, control, copy, fetch, get_url, script, template, unarchive, uri];
