//! Runs as a user has them: the task debugger, prompts without a terminal, the log, rejected modules.
//!
//! What is expected was seen of ansible-core 2.19.14 with the same files.

mod said;

use std::fs;
use std::process::Command;

use said::{Said, said};

struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn with(files: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        Self { dir }
    }

    fn run(&self, options: &[&str], env: &[(&str, &str)], input: &str) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
        command
            .args(options)
            .current_dir(self.dir.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", self.dir.path())
            .env("ANSIBLE_LOCALHOST_WARNING", "False")
            .env("ANSIBLE_INVENTORY_UNPARSED_WARNING", "False")
            .envs(env.iter().copied());
        said(&mut command, input)
    }
}

const WRONG: &str = "
- hosts: localhost
  gather_facts: no
  debugger: on_failed
  vars: {wanted: 1}
  tasks:
    - name: first
      assert: {that: wanted == 2}
      run_once: yes
    - name: second
      debug: msg=second
";

#[test]
fn the_debugger_changes_arguments_and_does_the_task_again() {
    let place = Place::with(&[("play.yml", WRONG)]);
    let lines = "p task.args\ntask.args['that'] = 'wanted == 1'\nr\n";
    let said = place.run(&["play.yml"], &[], lines);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("[localhost] TASK: first (debug)> {'that': 'wanted == 2'}\n"), "{}", said.out);
    assert!(said.out.contains("\"msg\": \"second\""), "{}", said.out);
    // The attempt that failed does not count.
    assert!(said.out.contains(": ok=2    changed=0    unreachable=0    failed=0"), "{}", said.out);
}

#[test]
fn variables_of_the_debugger_are_stronger_than_those_of_the_play() {
    let place = Place::with(&[("play.yml", WRONG)]);
    let lines = "p task_vars['wanted']\ntask_vars['wanted'] = 2\nupdate_task\nredo\n";
    let said = place.run(&["play.yml"], &[], lines);
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("(debug)> 1\n"), "{}", said.out);
}

#[test]
fn the_debugger_goes_on_or_quits() {
    let place = Place::with(&[("play.yml", WRONG)]);
    let said = place.run(&["play.yml"], &[], "p nothing\nc\n");
    assert_eq!(said.code, Some(2));
    assert!(said.out.contains("(debug)> ***'nothing' is undefined\n"), "{}", said.out);
    assert!(said.out.contains("failed=1"), "{}", said.out);
    for line in ["q\n", ""] {
        let said = place.run(&["play.yml"], &[], line);
        assert_eq!(said.code, Some(99));
        assert!(said.out.contains("User interrupted execution"), "{}", said.out);
    }
    // Nothing but what may be changed is.
    let said = place.run(&["play.yml"], &[], "task.action = 'x'\nhost.name = 'x'\nc\n");
    assert_eq!(said.out.matches("cannot be changed").count(), 2, "{}", said.out);
}

#[test]
fn the_debugger_is_for_failures_that_count() {
    let play = "
- hosts: localhost
  gather_facts: no
  tasks:
    - fail:
      ignore_errors: yes
    - debug:
      debugger: always
    - fail:
      debugger: never
";
    let place = Place::with(&[("play.yml", play)]);
    let said = place.run(&["play.yml"], &[("ANSIBLE_ENABLE_TASK_DEBUGGER", "1")], "c\nc\nc\n");
    assert_eq!(said.out.matches("(debug)>").count(), 1, "{}", said.out);
    assert!(said.out.contains("TASK: debug (debug)> "), "{}", said.out);
}

#[test]
fn nobody_answers_prompts_without_a_terminal() {
    let play = "
- hosts: '{{ where }}'
  gather_facts: no
  vars_prompt:
    - {name: where, default: localhost}
    - {name: other}
  tasks:
    - assert: {that: [where == 'localhost', other is none]}
    - pause:
";
    let place = Place::with(&[("play.yml", play)]);
    let said = place.run(&["play.yml"], &[], "");
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(
        said.err.contains("[WARNING]: Not prompting as we are not in interactive mode\n"),
        "{}",
        said.err
    );
    let waiting = "[WARNING]: Not waiting for response to prompt as stdin is not interactive\n";
    assert!(said.err.contains(waiting), "{}", said.err);
}

#[test]
fn the_log_has_what_the_terminal_has_and_more() {
    let play = "
- hosts: localhost
  gather_facts: no
  tasks:
    - name: one
      debug: msg=hi
      when: '{{ true }}'
";
    let place = Place::with(&[("play.yml", play)]);
    let env = [("ANSIBLE_LOG_PATH", "log"), ("ANSIBLE_LOG_VERBOSITY", "2")];
    let said = place.run(&["play.yml"], &env, "");
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(!said.out.contains("task path"), "{}", said.out);
    let log = fs::read_to_string(place.dir.path().join("log")).unwrap();
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).unwrap().unwrap().name;
    let mark = format!(" u={user} n=ansible INFO| ");
    assert!(log.contains(&format!("{mark}TASK [one] ****")), "{log}");
    assert!(log.contains(&format!("{mark}task path: ")), "{log}");
    assert!(log.contains(&format!("{mark}[DEPRECATION WARNING]: Conditionals should not be")), "{log}");
    assert!(log.contains(&format!("{mark}PLAY RECAP ****")), "{log}");
}

#[test]
fn rejected_modules_are_not_found() {
    let play = "
- hosts: localhost
  gather_facts: no
  tasks:
    - debug: msg=hi
";
    let filter = "filter_version: 1.0\nmodule_rejectlist: [debug]\n";
    let config = "[defaults]\nplugin_filters_cfg = ./filter.yml\n";
    let place = Place::with(&[("play.yml", play), ("filter.yml", filter), ("ansible.cfg", config)]);
    let said = place.run(&["play.yml"], &[], "");
    assert_ne!(said.code, Some(0));
    assert!(said.err.contains("couldn't resolve module/action 'debug'"), "{}", said.err);
    let place = Place::with(&[("play.yml", play), ("ansible.cfg", config)]);
    let said = place.run(&["play.yml"], &[], "");
    assert_eq!(said.code, Some(0), "{}", said.err);
    assert!(said.err.contains("filter.yml does not exist. Skipping.\n"), "{}", said.err);
}

#[test]
fn broken_variables_of_a_group_concern_its_hosts_only() {
    let place = Place::with(&[
        ("inv", "[good]\na\n[bad]\nb\n[all:vars]\nansible_connection=local\n"),
        ("play.yml", "- hosts: all\n  gather_facts: no\n  tasks:\n    - debug:\n"),
    ]);
    fs::create_dir(place.dir.path().join("group_vars")).unwrap();
    fs::write(place.dir.path().join("group_vars/bad"), "$ANSIBLE_VAULT;1.1;AES256\nxyz\n").unwrap();
    let said = place.run(&["-i", "inv", "play.yml", "-l", "a"], &[], "");
    assert_eq!(said.code, Some(0), "{}", said.err);
    let said = place.run(&["-i", "inv", "play.yml"], &[], "");
    assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
}
