//! `provision graph`, from playbooks to edges.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

const PLAYBOOK: &str = "\
- name: Pages
  hosts: web
  gather_facts: false
  strategy: graph
  vars:
    root: /srv/{{ site }}
    message: it is {{ now.stdout }}
  handlers:
    - name: Restart
      service: {name: nginx, state: restarted}
  tasks:
    - name: directory
      file: {path: \"{{ root }}\", state: directory, owner: www}
    - name: page
      copy: {dest: \"{{ root }}/index.html\", content: x}
      notify: Restart
    - name: other
      copy: {dest: /etc/motd, content: x}
    - name: time
      command: date
      register: now
      needs: [other]
    - name: message
      debug: {msg: \"{{ message }}\"}
    - name: users
      user: {name: \"{{ item }}\"}
      loop: [www]
    - name: packages
      apt: {name: [nginx]}
    - name: unknown place
      copy: {dest: \"{{ now.stdout }}\", content: x}
";

fn graph(dir: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_provision"))
        .arg("graph")
        .args(args)
        .current_dir(dir)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .output()
        .expect("a run")
}

fn write(playbook: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    fs::write(dir.path().join("site.yml"), playbook).expect("a file");
    fs::write(dir.path().join("hosts"), "[web]\nw1 site=a\nw2 site=b\n").expect("a file");
    dir
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// `from -> to: reasons` of a graph as JSON.
fn edges(json: &str) -> Vec<String> {
    let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let play = &json[0];
    let title = |number: &serde_json::Value| {
        let at = number.as_u64().expect("a number") as usize - 1;
        play["tasks"][at]["title"].as_str().expect("a title").to_owned()
    };
    let edges = play["edges"].as_array().expect("edges");
    let text = |edge: &serde_json::Value| {
        let reasons: Vec<String> = edge["reasons"]
            .as_array()
            .expect("reasons")
            .iter()
            .map(|r| r["about"].as_str().or(r["kind"].as_str()).expect("a word").to_owned())
            .collect();
        format!("{} -> {}: {}", title(&edge["from"]), title(&edge["to"]), reasons.join(", "))
    };
    let mut edges: Vec<String> = edges.iter().map(text).collect();
    edges.sort();
    edges
}

#[test]
fn edges_have_their_reasons() {
    let dir = write(PLAYBOOK);
    let json = out(&graph(dir.path(), &["site.yml", "-i", "hosts", "--format", "json"]));
    assert_eq!(
        edges(&json),
        [
            "directory -> page: path /srv/a/index.html",
            "directory -> users: user www",
            "handlers -> Restart: handlers run one after the other",
            "message -> handlers: handlers run here",
            "other -> time: needs",
            "packages -> unknown place: dest is only known when it runs",
            "page -> Restart: notify",
            "page -> packages: package nginx",
            "time -> message: now",
            "time -> unknown place: now",
            "time -> users: what command does is not known",
            "unknown place -> handlers: handlers run here",
            "users -> packages: package nginx",
        ]
    );
    let other = out(&graph(dir.path(), &["site.yml", "-i", "hosts", "--format", "json", "--host", "w2"]));
    assert!(edges(&other).contains(&"directory -> page: path /srv/b/index.html".to_owned()));
}

#[test]
fn every_format_is_drawn() {
    let dir = write(PLAYBOOK);
    for (format, expected) in [
        ("text", "Pages as w1 meets it (strategy graph)"),
        ("dot", "digraph"),
        ("mermaid", "flowchart TD"),
        ("svg", "</svg>"),
        ("json", "\"play\": \"Pages\""),
    ] {
        let text = out(&graph(dir.path(), &["site.yml", "-i", "hosts", "--format", format]));
        assert!(text.contains(expected), "{format}: {text}");
        assert!(text.contains("other"), "{format}: {text}");
    }
}

#[test]
fn without_an_inventory_less_is_known() {
    let dir = write(PLAYBOOK);
    let json = out(&graph(dir.path(), &["site.yml", "-i", "elsewhere,", "--format", "json"]));
    assert!(edges(&json).iter().any(|e| e == "directory -> page: dest is only known when it runs"));
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let dir = write(
        "- hosts: web\n  tasks:\n    - name: one\n      ping:\n      needs:\n        - tow\n      notify: Nobody\n    - name: two\n      ping:\n",
    );
    let output = graph(dir.path(), &["site.yml", "-i", "hosts"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    for expected in [
        "needs names a task that is not in the play: 'tow'",
        "did you mean 'two'?",
        "site.yml:6:11",
        "notify names a handler that is not in the play: 'Nobody'",
        "site.yml:7:15",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let dir = write(
        "- hosts: web\n  tasks:\n    - name: one\n      ping:\n      needs: two\n    - name: two\n      ping:\n      needs: [one]\n",
    );
    let said = String::from_utf8_lossy(&graph(dir.path(), &["site.yml", "-i", "hosts"]).stderr).into_owned();
    assert!(said.contains("tasks need each other: 'one' needs 'two' needs 'one'"), "{said}");
    assert!(said.contains("site.yml:5:"), "{said}");
}

#[test]
fn tasks_that_need_nothing_of_each_other_run_at_the_same_time() {
    // Each waits for the other's file.
    let task = |name: &str, mine: &str, theirs: &str| {
        format!(
            "    - name: {name}\n      shell: touch {mine}; for i in $(seq 1000); do test -e {theirs} && exit 0; sleep 0.01; done; exit 1\n      needs: []\n"
        )
    };
    let dir = tempfile::tempdir().expect("a directory");
    let path = |name: &str| dir.path().join(name).display().to_string();
    let playbook = format!(
        "- hosts: all\n  gather_facts: false\n  strategy: graph\n  tasks:\n{}{}    - name: last\n      command: sleep 0.1\n",
        task("one", &path("one"), &path("other")),
        task("other", &path("other"), &path("one")),
    );
    fs::write(dir.path().join("site.yml"), playbook).expect("a file");
    let command = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_provision"))
            .args(args)
            .current_dir(dir.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", dir.path())
            .env("XDG_STATE_HOME", dir.path().join("state"))
            .output();
        out(&output.expect("a run"))
    };
    let before = command(&["graph", "site.yml", "-i", "here,"]);
    assert!(!before.contains("critical"), "{before}");
    let ran = command(&["site.yml", "-i", "here,", "-c", "local"]);
    assert!(ran.contains("ok=3    changed=3"), "{ran}");
    let after = command(&["graph", "site.yml", "-i", "here,"]);
    assert!(after.contains("critical path of the last run"), "{after}");
    assert!(after.contains("* 3 last"), "{after}");
}
