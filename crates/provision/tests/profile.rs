//! `--profile`: what is said about a run is what happened in it.

use std::path::Path;
use std::process::Command;

const PLAY: &str = "
- name: Measured
  hosts: all
  connection: local
  gather_facts: false
  tasks:
    - name: Look
      stat: {path: /}
    - name: Sleep {{ seconds }}
      command: sleep {{ seconds }}
      changed_when: false
    - name: Try again
      command: 'false'
      register: tried
      retries: 1
      delay: 0.3
      until: tried is success
      ignore_errors: true
";

fn provision(dir: &Path, options: &[&str]) -> String {
    std::fs::write(dir.join("site.yml"), PLAY).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_provision"))
        .args(["site.yml", "-i", "here,", "-e", "seconds=0.4"])
        .args(options)
        .current_dir(dir)
        .env("HOME", dir)
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn the_document_adds_up() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = provision(dir.path(), &["--profile", "--output", "json"]);
    let document: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let profile = &document["profile"];
    let number = |value: &serde_json::Value| value.as_f64().expect("a number");
    let parts = profile["parts"].as_object().expect("the parts");
    let sum: f64 = parts.values().map(number).sum();
    let total = number(&profile["duration"]);
    assert!((sum - total).abs() < 0.001, "{sum} of {total}");
    // The sleep is the module's time, the delay before the other attempt is waiting.
    assert!(number(&parts["modules"]) >= 0.39, "{profile:#}");
    assert!(number(&parts["waiting"]) >= 0.29, "{profile:#}");
    assert!(number(&parts["connecting"]) > 0.0, "{profile:#}");
    assert!(number(&parts["evaluation"]) > 0.0, "{profile:#}");
    let tasks = profile["tasks"].as_array().expect("the tasks");
    let titles: Vec<_> = tasks.iter().map(|task| task["task"].as_str().unwrap_or_default()).collect();
    assert_eq!(titles, ["Look", "Sleep 0.4", "Try again"]);
    assert!(number(&tasks[1]["modules"]) >= 0.4 && number(&tasks[0]["modules"]) < 0.3, "{profile:#}");
    assert!(number(&profile["hosts"]["here"]["modules"]) >= 0.4, "{profile:#}");
    let path = profile["critical_path"].as_array().expect("the path");
    assert_eq!(path.iter().map(|leg| &leg["host"]).collect::<Vec<_>>(), ["here"; 3]);
}

#[test]
fn it_comes_behind_the_recap_and_only_if_it_is_wanted() {
    let dir = tempfile::tempdir().expect("a directory");
    let text = provision(dir.path(), &["--profile"]);
    let recap = text.find("PLAY RECAP").expect("a recap");
    let profile = text.find("PROFILE ***").expect("a profile");
    assert!(recap < profile);
    let line = text.lines().find(|line| line.contains("Sleep 0.4 (here)")).expect("its line");
    assert!(line.contains("modules 0.4"), "{line}");
    assert!(!provision(dir.path(), &[]).contains("PROFILE"));
}
