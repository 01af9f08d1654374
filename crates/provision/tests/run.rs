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

#[test]
fn what_cannot_be_parsed_in_an_included_file_ends_the_run() {
    let play = "- hosts: localhost\n  gather_facts: no\n  tasks:\n  - include_tasks: bad.yml\n    ignore_errors: yes\n";
    let place = Place::with(&[("play.yml", play), ("bad.yml", "- debug: msg=x\n  ping: {}\n")]);
    let said = place.run(&["play.yml"], &[], "");
    assert_eq!(said.code, Some(4), "{}{}", said.out, said.err);
    assert!(said.err.contains("conflicting action statements: debug, ping"), "{}", said.err);
    assert!(!said.out.contains("PLAY RECAP"), "{}", said.out);
    // What is no list of tasks fails the host.
    fs::write(place.dir.path().join("bad.yml"), "a: 1\n").unwrap();
    let said = place.run(&["play.yml"], &[], "");
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    assert!(
        said.out.contains("\"reason\": \"included task files must contain a list of tasks\""),
        "{}",
        said.out
    );
}

#[test]
fn a_meta_action_that_cannot_be_decided_ends_the_run() {
    for (action, wrong) in [
        ("meta: foo", "[ERROR]: invalid meta action requested: foo"),
        (
            "meta: clear_facts\n    when: nope",
            "[ERROR]: Error while evaluating conditional: 'nope' is undefined",
        ),
    ] {
        let play =
            format!("- hosts: localhost\n  gather_facts: no\n  tasks:\n  - {action}\n  - debug: msg=x\n");
        let said = Place::with(&[("play.yml", &play)]).run(&["play.yml"], &[], "");
        assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
        assert!(said.err.contains(wrong), "{}", said.err);
        assert!(!said.out.contains("PLAY RECAP"), "{}", said.out);
    }
}

#[test]
fn throttle_has_to_be_a_number() {
    for strategy in ["linear", "free"] {
        for (value, wrong) in [
            ("{{ 'nope' }}", "invalid literal for int() with base 10: 'nope'"),
            ("{{ nope }}", "'nope' is undefined"),
        ] {
            let play = format!(
                "- hosts: localhost\n  gather_facts: no\n  strategy: {strategy}\n  tasks:\n  - debug:\n    throttle: \"{value}\"\n"
            );
            let said = Place::with(&[("play.yml", &play)]).run(&["play.yml"], &[], "");
            assert_eq!(said.code, Some(1), "{}{}", said.out, said.err);
            let wrong = format!("[ERROR]: Failed to convert the throttle value to an integer: {wrong}");
            assert!(said.err.contains(&wrong), "{}", said.err);
        }
    }
}

#[test]
fn items_of_a_loop_see_what_those_before_them_registered() {
    let play = "
- hosts: localhost
  gather_facts: no
  tasks:
    - command: echo {{ item }}
      loop: [1, 2, 3]
      register: r
      when: r is not defined or r.stdout != '2'
      loop_control: {label: 'came to {{ r.stdout | default(r.skip_reason) }}'}
    - debug: msg=x
      loop: [1]
      loop_control: {label: '{{ nope }}'}
      ignore_errors: yes
";
    let said = Place::with(&[("play.yml", play)]).run(&["play.yml"], &[], "");
    assert_eq!(said.code, Some(0), "{}{}", said.out, said.err);
    assert!(said.out.contains("changed: [localhost] => (item=came to 2)\n"), "{}", said.out);
    assert!(
        said.out.contains("skipping: [localhost] => (item=came to Conditional result was False) \n"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("\"msg\": \"Failed to template loop_control.label: 'nope' is undefined\""),
        "{}",
        said.out
    );
}

#[test]
fn a_loop_that_is_none_fails_even_if_the_task_is_skipped() {
    let play = "
- hosts: localhost
  gather_facts: no
  tasks:
    - debug: msg=x
      loop: '{{ nope }}'
      when: false
    - debug: msg=x
      loop: 5
      when: false
";
    let said = Place::with(&[("play.yml", play)]).run(&["play.yml"], &[], "");
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    let wrong = "{\"msg\": \"The `loop` value must resolve to a 'list', not 'int'.\"}";
    assert!(said.out.contains(wrong), "{}", said.out);
}

#[test]
fn tags_of_a_block_and_a_play_may_be_templates() {
    let play = "
- hosts: localhost
  gather_facts: no
  vars: {names: [a, b]}
  tags: '{{ names[1] }}'
  tasks:
    - block:
        - debug: msg=first
      tags: '{{ names }}'
    - debug: msg=second
";
    let place = Place::with(&[("play.yml", play)]);
    for (options, first, second) in [(["--tags", "a"], true, false), (["--tags", "b"], true, true)] {
        let said = place.run(&["play.yml", options[0], options[1]], &[], "");
        assert_eq!(said.out.contains("\"first\""), first, "{}{}", said.out, said.err);
        assert_eq!(said.out.contains("\"second\""), second, "{}{}", said.out, said.err);
    }
}

#[test]
fn what_tasks_made_outlives_a_new_reading_of_the_inventory() {
    let play = "
- hosts: localhost
  gather_facts: no
  tasks:
    - add_host: \"{{ {'name': 'new', 'groups': 'fresh', 'x': 1} }}\"
    - group_by: {key: own}
    - meta: refresh_inventory
    - debug: msg=\"{{ groups.fresh }} {{ hostvars.new.x }} {{ groups.own }}\"
";
    let place = Place::with(&[("play.yml", play), ("hosts", "localhost ansible_connection=local\n")]);
    let said = place.run(&["-i", "hosts", "play.yml"], &[], "");
    assert!(said.out.contains("\"msg\": \"['new'] 1 ['localhost']\""), "{}{}", said.out, said.err);
}

#[test]
fn a_delegated_task_knows_the_variables_of_the_other_host() {
    let play = "
- hosts: one
  gather_facts: no
  tasks:
    - debug:
        msg: \"{{ ansible_delegated_vars.two.x }} {{ ansible_delegated_vars.two.inventory_hostname }}\"
      delegate_to: two
    - debug: msg=x
      delegate_to: \"{{ '' }}\"
";
    let place = Place::with(&[("play.yml", play), ("hosts", "one\ntwo x=5\n")]);
    let said = place.run(&["-i", "hosts", "play.yml"], &[], "");
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
    assert!(said.out.contains("\"msg\": \"5 one\""), "{}", said.out);
    assert!(said.out.contains("Empty hostname produced from delegate_to: "), "{}", said.out);
}

#[test]
fn roles_keep_their_files_inside_and_their_variables_private() {
    let tasks = "- hosts: localhost\n  gather_facts: no\n  tasks:\n";
    let out = format!("{tasks}  - import_role: {{name: r, tasks_from: ../../x.yml}}\n");
    let private =
        format!("{tasks}  - import_role: {{name: r}}\n  - debug: msg=\"{{{{ own | default('none') }}}}\"\n");
    let place = Place::with(&[("out.yml", &out), ("private.yml", &private), ("x.yml", "- debug:\n")]);
    for folder in ["tasks", "vars"] {
        fs::create_dir_all(place.dir.path().join("roles/r").join(folder)).unwrap();
    }
    fs::write(place.dir.path().join("roles/r/vars/main.yml"), "own: 7\n").unwrap();
    fs::write(place.dir.path().join("roles/x.yml"), "- debug:\n").unwrap();
    let said = place.run(&["out.yml"], &[], "");
    assert_eq!(said.code, Some(4), "{}{}", said.out, said.err);
    assert!(said.err.contains("for role (r) as it is not inside the expected role path: '"), "{}", said.err);
    let said = place.run(&["private.yml"], &[], "");
    assert!(said.out.contains("\"msg\": 7"), "{}{}", said.out, said.err);
    let said = place.run(&["private.yml"], &[("ANSIBLE_PRIVATE_ROLE_VARS", "1")], "");
    assert!(said.out.contains("\"msg\": \"none\""), "{}{}", said.out, said.err);
}

#[test]
fn other_names_of_connection_variables_count() {
    let play = "
- hosts: all
  gather_facts: no
  remote_user: z
  tasks:
    - debug: msg=\"{{ [ansible_host, ansible_ssh_host, ansible_user, ansible_ssh_user] | join(' ') }}\"
    - debug: msg=\"{{ ansible_delegated_vars.zz.x }} {{ ansible_host }}\"
      delegate_to: zz
";
    let hosts = "a ansible_ssh_host=h3\nb ansible_ssh_host=h3 ansible_host=h4 ansible_ssh_user=x ansible_user=y\n[all:vars]\nx=1\n";
    let place = Place::with(&[("play.yml", play), ("hosts", hosts)]);
    let said = place.run(&["-i", "hosts", "play.yml"], &[], "");
    // A host that is not in the inventory has the variables of all.
    for msg in ["h3 h3 z z", "h4 h3 y x", "1 h3", "1 h4"] {
        assert!(said.out.contains(&format!("\"msg\": \"{msg}\"")), "{}{}", said.out, said.err);
    }
}

#[test]
fn a_host_that_is_none_fails_even_if_the_task_is_skipped() {
    let play = "- hosts: localhost\n  gather_facts: no\n  tasks:\n  - debug:\n    delegate_to: \"{{ '' }}\"\n    when: false\n";
    let said = Place::with(&[("play.yml", play)]).run(&["play.yml"], &[], "");
    assert_eq!(said.code, Some(2), "{}{}", said.out, said.err);
}

#[test]
fn a_keyword_that_is_omit_is_what_the_play_says() {
    let play = "
- hosts: localhost
  gather_facts: no
  check_mode: yes
  tasks:
    - command: 'true'
      check_mode: '{{ omit }}'
      register: r
    - debug: msg=\"{{ r.skipped | default(false) }}\"
";
    let said = Place::with(&[("play.yml", play)]).run(&["play.yml"], &[], "");
    assert!(said.out.contains("\"msg\": true"), "{}{}", said.out, said.err);
}

#[test]
fn a_module_cannot_change_how_its_host_is_reached() {
    let play = "
- hosts: localhost
  gather_facts: no
  tasks:
    - bad:
    - debug:
        msg: \"{{ ansible_ssh_args | default('none') }} {{ ansible_python_interpreter | default('none') }} {{ harmless }}
          {{ ansible_facts.ssh_args }} {{ ansible_facts.discovered_interpreter_python | default('none') }}\"
";
    let module = "#!/bin/sh\necho '{\"ansible_facts\": {\"ansible_facts\": {\"x\": 1}, \"ansible_ssh_args\": \"a\", \"harmless\": 1,
        \"ansible_python_interpreter\": \"p\", \"discovered_interpreter_python\": \"d\"}}'\n";
    let place = Place::with(&[("play.yml", play), ("bad", module)]);
    fs::create_dir(place.dir.path().join("library")).unwrap();
    fs::rename(place.dir.path().join("bad"), place.dir.path().join("library/bad")).unwrap();
    let hosts = "localhost ansible_connection=local\n";
    fs::write(place.dir.path().join("hosts"), hosts).unwrap();
    let said = place.run(&["-i", "hosts", "play.yml"], &[], "");
    assert!(said.out.contains("\"msg\": \"none none 1 a none\""), "{}{}", said.out, said.err);
    let warning = "[WARNING]: Removed restricted key from module data: ansible_ssh_args\n";
    assert!(said.err.contains(warning), "{}", said.err);
}

#[test]
fn a_loop_whose_items_are_hidden_has_no_line_of_its_own() {
    let play = "
- hosts: localhost
  gather_facts: no
  tasks:
    - command: 'false'
      loop: [1]
      no_log: yes
      ignore_errors: yes
";
    let said = Place::with(&[("play.yml", play)]).run(&["play.yml"], &[], "");
    assert!(said.out.contains("failed: [localhost] (item=(censored due to no_log)) => "), "{}", said.out);
    assert!(!said.out.contains("fatal: "), "{}", said.out);
}

#[test]
fn text_is_no_argument_of_most_modules() {
    let play = "
- hosts: localhost
  gather_facts: no
  tasks:
    - debug: \"garbage {{ 'x' }}\"
      ignore_errors: yes
    - debug: \"{{ {'msg': 'hi'} }}\"
    - gather_facts: {parallel: true}
      module_defaults: {setup: {gather_subset: min}}
    - debug: msg=\"{{ gather_subset }}\"
    - gather_facts:
      vars: {ansible_facts_modules: [setup, other]}
";
    let said = Place::with(&[("play.yml", play)]).run(&["play.yml"], &[], "");
    let wrong = "{\"msg\": \"Task failed: Action 'ansible.builtin.debug' does not support raw params.\"}";
    assert!(said.out.contains(wrong), "{}{}", said.out, said.err);
    assert!(said.out.contains("\"msg\": \"hi\""), "{}{}", said.out, said.err);
    assert!(said.out.contains("\"min\""), "{}{}", said.out, said.err);
    assert!(
        said.out.contains("facts are gathered with setup only, not with the module 'other'"),
        "{}",
        said.out
    );
}
