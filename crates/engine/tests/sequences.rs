//! The order of things in a run, compared with ansible-core's (`tests/record/engine.py`).

mod support;

use std::collections::BTreeMap;

use engine::Options;
use serde::Deserialize;
use support::fleet::Fleet;
use support::{by_host, in_rounds, run};

#[derive(Deserialize)]
struct Case {
    files: BTreeMap<String, String>,
    options: Vec<String>,
    code: u8,
    lines: Vec<String>,
}

/// Cases that end differently on purpose: what a host has done is shown although its handler is not there.
const DIFFERENT: &[(&str, &[&str])] =
    &[("a handler is not there", &["PLAY h1,h2,h3", "TASK a", "changed h1", "changed h2", "changed h3"])];

const HOSTS: &str = "h1\nh2\nh3\nh4\nh5\nh6\n[gone]\nu1\nu2\n";

fn options(words: &[String]) -> Options {
    let mut options = Options::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--check" => options.check = true,
            "--tags" => options.tags = words.next().into_iter().cloned().collect(),
            "--start-at-task" => options.start_at_task = words.next().cloned(),
            other => panic!("the test knows no option {other}"),
        }
    }
    options
}

#[test]
fn runs_as_ansible_does() {
    let cases: BTreeMap<String, Case> =
        serde_json::from_str(include_str!("recorded/sequences.json")).expect("recorded cases");
    let only = std::env::var("CASE").ok();
    let mut wrong = Vec::new();
    let mut count = 0;
    for (name, case) in cases.iter().filter(|(name, _)| only.as_ref().is_none_or(|o| *name == o)) {
        count += 1;
        let mut files = case.files.clone();
        files.insert("hosts".into(), HOSTS.into());
        let ran = run(&files, options(&case.options), Fleet::default());
        let own = case.files["site.yml"].contains("strategy: ");
        let order = if own { by_host } else { in_rounds };
        let different = DIFFERENT.iter().find(|(case, _)| case == name);
        let expected = match different {
            Some((_, lines)) => lines.iter().map(|line| (*line).to_owned()).collect(),
            None => order(&case.lines),
        };
        assert!(!expected.is_empty(), "{name}: nothing was recorded");
        let got = order(&ran.lines);
        if got != expected || ran.code != case.code {
            let text =
                similar::TextDiff::from_lines(expected.join("\n"), got.join("\n")).unified_diff().to_string();
            let error = ran.error.unwrap_or_default();
            wrong.push(format!(
                "=== {name}: exit code {} for {} {error}\n{}\n{text}",
                ran.code, case.code, case.files["site.yml"]
            ));
        }
    }
    assert!(count > 0, "no case has that name");
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
