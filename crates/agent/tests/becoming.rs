//! Becoming other users by the real sudo, su and doas, from an ordinary user's agent.
//!
//! Each agent runs in a mount namespace of its own, whose copy of /etc has the users, passwords and rules of the
//! test. Needs root, util-linux, sudo and opendoas (installed with apt-get when they are missing).

#[path = "support/programs.rs"]
mod programs;

use std::fs;
use std::io::BufReader;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use protocol::{Become, FromAgent, Map, Outcome, Permission, Secret, Start, Step, ToAgent, VERSION, frame};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse";
const ROOT_PASSWORD: &str = "battery staple";

/// The agent of the user `tester`.
struct Agent {
    process: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    next: u64,
    dir: tempfile::TempDir,
}

impl Agent {
    /// `rules` are shell commands that set up /etc further.
    fn start(rules: &str) -> Self {
        programs::need(&[("sudo", "sudo"), ("doas", "opendoas"), ("setpriv", "util-linux")]);
        let dir = tempfile::Builder::new().prefix("provision-becoming-").tempdir().unwrap();
        fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        // As on a host: in a directory that only its user can enter.
        fs::create_dir(dir.path().join("private")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_provision-agent"), dir.path().join("private/agent")).unwrap();
        let script = format!(
            "set -e; mount --make-rprivate /; cp -a /etc {dir}/etc; mount --bind {dir}/etc /etc
             useradd -M -d {dir} -s /bin/sh tester; useradd -M -d {dir} -s /bin/sh other
             printf '%s\\n' 'tester:{PASSWORD}' 'root:{ROOT_PASSWORD}' 'other:{PASSWORD}' | chpasswd
             chown -R tester {dir}/private; chmod 700 {dir}/private
             {rules}
             cd /; exec setpriv --reuid tester --regid tester --init-groups env -i PATH=\"$PATH\" HOME={dir} \
             {dir}/private/agent",
            dir = dir.path().display(),
        );
        let mut process = Command::new("unshare")
            .args(["-m", "sh", "-c", &script])
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut agent = Self {
            to: process.stdin.take().unwrap(),
            from: BufReader::new(process.stdout.take().unwrap()),
            process,
            next: 0,
            dir,
        };
        agent.send(&ToAgent::Start(Start { version: VERSION, parallel: 2, ..Start::default() }));
        match agent.receive() {
            FromAgent::Hello(hello) => assert_eq!(hello.user, "tester"),
            other => panic!("instead of a hello: {other:?}"),
        }
        agent
    }

    fn send(&mut self, message: &ToAgent) {
        frame::write(&mut self.to, message).unwrap();
    }

    fn receive(&mut self) -> FromAgent {
        frame::read(&mut self.from).unwrap().expect("the agent is gone")
    }

    /// Run a shell line as somebody else.
    fn shell(&mut self, wanted: Option<Become>, line: &str) -> Outcome {
        self.next += 1;
        let Value::Object(args) = json!({"_raw_params": line}) else { unreachable!() };
        let id = self.next;
        self.send(&ToAgent::Step(Box::new(step(id, args, wanted))));
        match self.receive() {
            FromAgent::Outcome { id: answered, outcome } if answered == id => outcome,
            other => panic!("instead of an outcome: {other:?}"),
        }
    }

    fn output(&mut self, wanted: Become, line: &str) -> String {
        let outcome = self.shell(Some(wanted.clone()), line);
        match outcome.result.get("stdout").and_then(Value::as_str) {
            Some(text) if !outcome.failed() => text.to_owned(),
            _ => panic!("{wanted:?}: {:?}", outcome.result),
        }
    }

    fn refusal(&mut self, wanted: Become) -> String {
        let outcome = self.shell(Some(wanted.clone()), "id -un");
        assert!(outcome.failed(), "{wanted:?}: {:?}", outcome.result);
        outcome.result["msg"].as_str().unwrap().to_owned()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn step(id: u64, args: Map, wanted: Option<Become>) -> Step {
    Step {
        id,
        module: "shell".into(),
        args,
        r#become: wanted,
        environment: Default::default(),
        check: false,
        diff: false,
        permission: Permission::Granted,
        // A refusal is not the end of the queue.
        continue_on_failure: true,
        unless_changed: Vec::new(),
        after: None,
        together: Vec::new(),
        python: None,
        timeout: 0,
        background: 0,
    }
}

fn become_by(method: &str, user: &str, password: Option<&str>) -> Become {
    Become {
        method: method.into(),
        user: user.into(),
        exe: None,
        flags: None,
        password: password.map(Secret::new),
    }
}

/// A rule of sudo's for `tester`.
fn sudo_rule(rule: &str) -> String {
    format!("echo 'tester ALL=({rule}' > /etc/sudoers.d/tester; chmod 440 /etc/sudoers.d/tester")
}

#[test]
fn sudo_without_a_password() {
    let mut agent = Agent::start(&sudo_rule("ALL) NOPASSWD: ALL"));
    assert_eq!(
        agent.output(become_by("sudo", "root", None), "id -un; echo $HOME $SUDO_USER"),
        "root\n/root tester"
    );
    assert_eq!(agent.output(become_by("sudo", "other", None), "id -un"), "other");
    // A password that is not asked for does no harm.
    assert_eq!(agent.output(become_by("sudo", "other", Some("unused")), "id -un"), "other");
    assert_eq!(agent.shell(None, "id -un").result["stdout"], "tester");
    let unknown = agent.refusal(become_by("sudo", "nosuch", None));
    assert!(unknown.contains("unknown user nosuch"), "{unknown}");
}

#[test]
fn steps_at_the_same_time_have_a_child_each() {
    let mut agent = Agent::start(&sudo_rule("ALL) NOPASSWD: ALL"));
    let dir = agent.dir.path().join("meet");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, PermissionsExt::from_mode(0o777)).unwrap();
    let dir = dir.display();
    // Each waits for the other's file.
    for (id, mine, theirs) in [(1, "a", "b"), (2, "b", "a")] {
        let line = format!(
            "id -un; touch {dir}/{mine}; for i in $(seq 500); do [ -e {dir}/{theirs} ] && exit 0; sleep 0.01; done; exit 1"
        );
        let Value::Object(args) = json!({"_raw_params": line}) else { unreachable!() };
        let step = step(id, args, Some(become_by("sudo", "other", None)));
        agent.send(&ToAgent::Step(Box::new(Step { after: Some(Vec::new()), ..step })));
    }
    for _ in 0..2 {
        match agent.receive() {
            FromAgent::Outcome { outcome, .. } => {
                assert_eq!(outcome.result["stdout"], "other", "{outcome:?}")
            }
            other => panic!("instead of an outcome: {other:?}"),
        }
    }
}

#[test]
fn sudo_with_a_password() {
    let mut agent = Agent::start(&sudo_rule("ALL) ALL"));
    assert_eq!(agent.refusal(become_by("sudo", "root", None)), "Task failed: Missing sudo password");
    assert_eq!(
        agent.refusal(become_by("sudo", "root", Some("wrong"))),
        "Task failed: Incorrect sudo password"
    );
    assert_eq!(agent.output(become_by("sudo", "root", Some(PASSWORD)), "id -un"), "root");
    let mut with_flags = become_by("sudo", "other", Some(PASSWORD));
    with_flags.flags = Some(vec!["-nH".into()]);
    assert_eq!(agent.output(with_flags, "id -un"), "other");
}

#[test]
fn sudo_that_talks_first() {
    // Neither a lecture nor a prompt of the administrator's own is an obstacle.
    let rule = format!(
        "{}; printf 'Defaults lecture=always\\nDefaults passprompt=\"Kennwort: \"\\n' > /etc/sudoers.d/talk
         chmod 440 /etc/sudoers.d/talk",
        sudo_rule("ALL) ALL")
    );
    let mut agent = Agent::start(&rule);
    assert_eq!(agent.output(become_by("sudo", "root", Some(PASSWORD)), "id -un"), "root");
}

#[test]
fn sudo_for_somebody_who_may_not() {
    let mut agent = Agent::start("rm -f /etc/sudoers.d/tester");
    let refused = agent.refusal(become_by("sudo", "root", Some(PASSWORD)));
    assert!(refused.contains("tester is not in the sudoers file"), "{refused}");
    assert!(!refused.contains(PASSWORD), "{refused}");
}

#[test]
fn the_password_is_in_no_command_line_and_no_environment() {
    let mut agent =
        Agent::start(&format!("{}; echo 'tester:in-nobodys-arguments' | chpasswd", sudo_rule("ALL) ALL")));
    // The bracket keeps the search from finding itself.
    let line = "grep -laE 'in-nobodys-argument[s]' /proc/[0-9]*/cmdline /proc/[0-9]*/environ \
                2>/dev/null; id -un";
    assert_eq!(agent.output(become_by("sudo", "root", Some("in-nobodys-arguments")), line), "root");
}

#[test]
fn su_asks_for_the_password_of_the_other() {
    let mut agent = Agent::start("");
    assert_eq!(agent.output(become_by("su", "root", Some(ROOT_PASSWORD)), "id -un"), "root");
    assert_eq!(agent.output(become_by("su", "other", Some(PASSWORD)), "id -un"), "other");
    let mut agent = Agent::start("");
    assert_eq!(agent.refusal(become_by("su", "root", Some(PASSWORD))), "Task failed: Incorrect su password");
    assert_eq!(agent.refusal(become_by("su", "root", None)), "Task failed: Missing su password");
}

/// sudo closes descriptors that it does not know, and may put a terminal of its own in between.
#[test]
fn su_behind_sudo() {
    for terminal in ["use_pty", "!use_pty"] {
        let rules = format!(
            "{}; echo 'Defaults {terminal}' > /etc/sudoers.d/terminal; chmod 440 /etc/sudoers.d/terminal",
            sudo_rule("ALL) NOPASSWD: ALL")
        );
        let exe = |exe: &str, wanted| Become { exe: Some(exe.into()), ..wanted };
        let mut agent = Agent::start(&rules);
        let as_root = exe("sudo su -", become_by("su", "root", None));
        assert_eq!(agent.output(as_root, "id -un; pwd"), "root\n/root", "{terminal}");
        let other = |password| exe("sudo -n -u other su", become_by("su", "root", password));
        assert_eq!(agent.output(other(Some(ROOT_PASSWORD)), "id -un"), "root", "{terminal}");
        // That the right one was given before does not help.
        assert_eq!(agent.refusal(other(Some(PASSWORD))), "Task failed: Incorrect su password", "{terminal}");
        assert_eq!(agent.refusal(other(None)), "Task failed: Missing su password", "{terminal}");
    }
}

#[test]
fn doas_with_and_without_a_password() {
    let rules = "printf 'permit nopass tester as other\\npermit tester as root\\n' > /etc/doas.conf
                 chmod 400 /etc/doas.conf";
    let mut agent = Agent::start(rules);
    assert_eq!(agent.output(become_by("doas", "other", None), "id -un"), "other");
    assert_eq!(agent.refusal(become_by("doas", "root", None)), "Task failed: Missing doas password");
    assert_eq!(
        agent.refusal(become_by("doas", "root", Some("wrong"))),
        "Task failed: Incorrect doas password"
    );
    assert_eq!(agent.output(become_by("doas", "root", Some(PASSWORD)), "id -un"), "root");
}

#[test]
fn root_becomes_anybody_without_asking() {
    let mut agent = Agent::start(&sudo_rule("ALL) NOPASSWD: ALL"));
    let rest = "cat /proc/self/status | grep -E '^(Uid|Gid|Groups):' | tr -d '[:space:]'";
    // The same identity as the one that the real sudo gives: user, group, supplementary groups.
    let direct = agent.output(become_by("sudo", "other", None), rest);
    let id = agent.output(become_by("sudo", "root", None), "echo $(id -u other) $(id -g other)");
    let (uid, gid) = id.split_once(' ').unwrap();
    assert_eq!(direct, format!("Uid:{0}{0}{0}{0}Gid:{1}{1}{1}{1}Groups:{1}", uid, gid));
}

#[test]
fn a_program_that_the_other_cannot_reach_is_copied_and_removed() {
    let mut agent = Agent::start(&sudo_rule("ALL) NOPASSWD: ALL"));
    let path = agent.output(become_by("sudo", "other", None), "readlink /proc/$PPID/exe");
    let path = Path::new(&path);
    assert!(!path.starts_with(agent.dir.path()), "{}", path.display());
    assert!(path.exists());
    end(agent);
    assert!(!path.exists(), "{} is left", path.display());
}

/// End the agent's input, and wait for it.
fn end(mut agent: Agent) {
    let to = std::mem::replace(&mut agent.to, {
        let mut nobody = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
        let stdin = nobody.stdin.take().unwrap();
        let _ = nobody.wait();
        stdin
    });
    drop(to);
    let _ = agent.process.wait();
}

#[test]
fn methods_that_there_are_not() {
    let mut agent = Agent::start("");
    assert_eq!(
        agent.refusal(become_by("pbrun", "root", None)),
        "Task failed: become method 'pbrun' is not supported; sudo, su and doas are"
    );
    let mut missing = become_by("sudo", "root", None);
    missing.exe = Some("/nonexistent/sudo".into());
    let refused = agent.refusal(missing);
    assert!(refused.contains("/nonexistent/sudo: not found"), "{refused}");
    let refused = agent.refusal(become_by("sudo", "-s", None));
    assert!(refused.contains("not a name of a user"), "{refused}");
}
