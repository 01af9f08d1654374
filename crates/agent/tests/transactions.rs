//! Packages of several steps in one transaction, with the real apt and dpkg.
//!
//! Every test runs in a throw-away copy of this machine (`crates/modules/tests/sandbox.sh`). Where that cannot be made
//! (not root), the tests say so and pass, except under `CI=true`, where they fail.

mod support;

use std::path::Path;
use std::process::Command;

use protocol::{Become, FromAgent, Outcome, Permission, Start, Step, ToAgent, VERSION};
use serde_json::json;
use support::{Agent, call, mkdir, text};

/// Run a test in a sandbox with the packages of `support/packages.sh`.
fn in_sandbox(test: &str, body: fn()) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("IN_SANDBOX").is_some() {
        shell(&std::fs::read_to_string(here.join("tests/support/packages.sh")).expect("packages.sh"));
        // The agent keeps panics quiet.
        return std::panic::catch_unwind(body).unwrap_or_else(|panic| {
            eprintln!("{}", panic.downcast_ref::<String>().map_or("", String::as_str));
            std::panic::resume_unwind(panic)
        });
    }
    let output = Command::new("bash")
        .arg(here.join("../modules/tests/sandbox.sh"))
        .arg(std::env::current_exe().expect("path of the test program"))
        .args(["--exact", test, "--nocapture", "--test-threads=1"])
        .env("IN_SANDBOX", "1")
        .current_dir("/")
        .output()
        .expect("bash");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(0) => {}
        Some(99) | Some(1) if out.trim().is_empty() => {
            assert!(std::env::var_os("CI").is_none(), "the sandbox could not be made: {err}");
            eprintln!("NOT RUN: {test} needs root and overlayfs: {err}");
        }
        _ => panic!("in the sandbox:\n{out}\n{err}"),
    }
}

fn shell(script: &str) -> String {
    let output = Command::new("bash").arg("-c").arg(script).output().expect("bash");
    assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// A step that installs a package.
fn install(name: &str) -> Step {
    let step = call("apt", json!({"name": name}));
    Step { diff: true, ..step }
}

/// What came of steps that each follow the one before.
struct Run {
    outcomes: Vec<(u64, Outcome)>,
    dropped: Vec<u64>,
    /// How often `apt-get` and `dpkg --unpack` did something.
    transactions: usize,
    unpackings: usize,
}

fn count(what: &str, log: &str) -> usize {
    shell(&format!("grep -c '{what}' {log} || true")).parse().expect("a number")
}

fn counts() -> (usize, usize) {
    (count("^Start-Date", "/var/log/apt/history.log"), count("startup archives unpack", "/var/log/dpkg.log"))
}

impl Run {
    /// Steps that may be in one transaction.
    fn of(steps: Vec<Step>) -> Self {
        let steps = steps.into_iter().enumerate().map(|(number, step)| {
            let together = if number > 0 && step.module != "file" { vec![number as u64] } else { Vec::new() };
            Step { together, ..step }
        });
        Self::apart(steps.collect())
    }

    /// Steps as they are.
    fn apart(steps: Vec<Step>) -> Self {
        let before = counts();
        let mut agent = Agent::start_with(Start { version: VERSION, parallel: 4, ..Start::default() });
        let count = steps.len();
        // The first waits until all are there.
        for (number, step) in steps.into_iter().enumerate() {
            let before: Vec<u64> = if number > 0 { vec![number as u64] } else { Vec::new() };
            let permission = if number > 0 { Permission::Granted } else { Permission::Ask };
            agent.step(Step { after: Some(before), permission, ..step });
        }
        agent.send(&ToAgent::Go { id: 1 });
        let (mut outcomes, mut dropped) = (Vec::new(), Vec::new());
        while outcomes.len() + dropped.len() < count {
            match agent.receive() {
                FromAgent::Outcome { id, outcome } => outcomes.push((id, outcome)),
                FromAgent::Flushed { token: 0, dropped: ids } => dropped.extend(ids),
                FromAgent::Ready { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(agent.end().1.is_ok());
        let after = counts();
        Self { outcomes, dropped, transactions: after.0 - before.0, unpackings: after.1 - before.1 }
    }

    fn packages(names: &[&str]) -> Self {
        Self::of(names.iter().map(|name| install(name)).collect())
    }

    /// Each step's outcome in a word, in the order in which they came.
    fn words(&self) -> Vec<String> {
        let word = |outcome: &Outcome| match (outcome.failed(), outcome.changed()) {
            (true, _) => "failed",
            (_, true) => "changed",
            _ => "ok",
        };
        self.outcomes.iter().map(|(id, outcome)| format!("{id} {}", word(outcome))).collect()
    }

    fn message(&self, number: usize) -> &str {
        text(&self.outcomes[number].1.result, "msg")
    }

    fn diff(&self, number: usize) -> &str {
        self.outcomes[number].1.diff.first().and_then(|d| d.prepared.as_deref()).unwrap_or_default()
    }
}

/// The packages of the tests that are there, with their states.
fn there() -> String {
    shell(
        "dpkg-query -W -f '${Package}:${db:Status-Status} ' 'z*' 2>/dev/null | tr ' ' '\\n' | \
         grep -E '^z(one|lib|two|three|gone|post|pre|maybe|left|right|enemy):' | grep -v not-installed | sort | xargs",
    )
}

macro_rules! sandboxed {
    ($($name:ident: $body:expr;)*) => { $(
        #[test]
        fn $name() {
            in_sandbox(stringify!($name), $body);
        }
    )* };
}

sandboxed! {
    two_steps_are_one_transaction_and_nothing_when_all_is_there: || {
        let first = Run::packages(&["zone", "ztwo"]);
        assert_eq!(first.words(), ["1 changed", "2 changed"]);
        assert_eq!((first.transactions, first.unpackings), (1, 1));
        assert_eq!(there(), "zlib:installed zone:installed ztwo:installed");
        assert_eq!(
            first.diff(0),
            "The following additional packages will be installed:\n  zlib\nThe following NEW packages will be \
             installed:\n  zlib zone\n0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded."
        );
        assert_eq!(
            first.diff(1),
            "The following NEW packages will be installed:\n  ztwo\n0 upgraded, 1 newly installed, 0 to remove and 0 \
             not upgraded."
        );
        for (_, outcome) in &first.outcomes {
            assert!(text(&outcome.result, "stdout").contains("Setting up ztwo"), "{outcome:?}");
            assert!(outcome.result.contains_key("cache_update_time") && outcome.result.contains_key("stdout_lines"));
        }
        let second = Run::packages(&["zone", "ztwo"]);
        assert_eq!(second.words(), ["1 ok", "2 ok"]);
        assert_eq!(second.transactions, 0);
    };

    what_is_there_already_does_not_part_the_others: || {
        shell("apt-get install -y ztwo");
        let run = Run::packages(&["zone", "ztwo", "zthree"]);
        assert_eq!(run.words(), ["1 changed", "2 ok", "3 changed"]);
        assert_eq!(run.transactions, 1);
        assert_eq!(Run::packages(&["zmaybe", "ztwo"]).words(), ["1 changed", "2 ok"]);
    };

    a_package_that_another_one_brings_is_no_change: || {
        let run = Run::packages(&["zone", "zlib", "ztwo"]);
        assert_eq!(run.words(), ["1 changed", "2 ok", "3 changed"]);
        assert_eq!(run.transactions, 1);
        assert_eq!(shell("apt-mark showauto zone zlib ztwo"), "zlib");
    };

    a_package_that_does_not_exist_fails_alone: || {
        let run = Run::packages(&["zone", "znothere", "ztwo"]);
        assert_eq!(run.words(), ["1 changed", "2 failed"]);
        assert_eq!(run.message(1), "No package matching 'znothere' is available");
        assert_eq!(run.dropped, [3]);
        assert_eq!(there(), "zlib:installed zone:installed");
    };

    a_failure_that_is_ignored_parts_a_transaction: || {
        let ignored = Step { continue_on_failure: true, ..install("znothere") };
        let run = Run::of(vec![install("zone"), install("ztwo"), ignored, install("zthree"), install("zright")]);
        assert_eq!(run.words(), ["1 changed", "2 changed", "3 failed", "4 changed", "5 changed"]);
        assert_eq!(run.transactions, 2);
    };

    what_cannot_be_downloaded_fails_alone: || {
        let run = Run::packages(&["zone", "zgone", "ztwo"]);
        assert_eq!(run.words(), ["1 changed", "2 failed"]);
        let message = run.message(1);
        assert!(message.contains("install 'zgone=1.0'' failed") && !message.contains("zone=1.0"), "{message}");
        assert_eq!(run.dropped, [3]);
        assert_eq!(there(), "zlib:installed zone:installed");
    };

    a_script_that_fails_while_configuring_fails_its_own_step: || {
        let run = Run::packages(&["zone", "zpost", "ztwo"]);
        // The last one was installed with the others before the failure was known: it is not concealed.
        assert_eq!(run.words(), ["1 changed", "2 failed", "3 changed"]);
        assert!(run.message(1).contains("install 'zpost=1.0'' failed"), "{}", run.message(1));
        assert_eq!(there(), "zlib:installed zone:installed zpost:half-configured ztwo:installed");
    };

    a_script_that_fails_while_unpacking_fails_its_own_step: || {
        let run = Run::packages(&["zone", "zpre", "ztwo"]);
        assert_eq!(run.words()[..2], ["1 changed", "2 failed"]);
        assert!(run.message(1).contains("install 'zpre=1.0'' failed"), "{}", run.message(1));
        // Whatever is there was reported, and nothing is there in part.
        assert_eq!(there().contains("ztwo:installed"), run.dropped.is_empty(), "{}", there());
        assert!(there().starts_with("zlib:installed zone:installed"), "{}", there());
    };

    what_would_come_to_something_else_is_done_separately: || {
        // Together, what the first needs would be the second's.
        let run = Run::packages(&["zmaybe", "zright"]);
        assert_eq!((run.words(), run.transactions), (vec!["1 changed".into(), "2 changed".into()], 2));
        assert_eq!(there(), "zleft:installed zmaybe:installed zright:installed");
        let run = Run::packages(&["zone", "zenemy"]);
        assert_eq!((run.words(), run.transactions), (vec!["1 changed".into(), "2 changed".into()], 2));
        assert!(there().contains("zenemy:installed") && !there().contains("zone:installed"));
    };

    together_and_apart_come_to_the_same: || {
        let reset = "apt-get purge -y --auto-remove zone zlib ztwo zthree zmaybe zleft zright zenemy";
        let ignored = |name: &str| Step { continue_on_failure: true, ..install(name) };
        let sequences: [&dyn Fn() -> Vec<Step>; 6] = [
            &|| ["ztwo", "zlib", "zone"].map(install).into(),
            &|| ["zright", "zmaybe", "zone", "zlib"].map(install).into(),
            &|| ["zone", "zmaybe", "zright", "zenemy", "zlib"].map(install).into(),
            &|| vec![ignored("zgone"), install("zone"), install("zlib"), ignored("znothere"), install("ztwo")],
            &|| ["zenemy", "zone", "zthree", "zgone", "ztwo"].map(install).into(),
            &|| ["zone=1.0", "zlib,ztwo", "zone,zthree", "zmaybe>=1.0"].map(install).into(),
        ];
        for (number, sequence) in sequences.iter().enumerate() {
            let state = || (there(), shell("apt-mark showauto zone zlib ztwo zthree zmaybe zleft zright zenemy"));
            shell(reset);
            let apart = Run::apart(sequence());
            let expected = (apart.words(), apart.dropped, state());
            shell(reset);
            let together = Run::of(sequence());
            assert_eq!((together.words(), together.dropped, state()), expected, "sequence {number}");
            assert!(together.transactions <= apart.transactions, "sequence {number}");
        }
    };

    other_options_and_other_steps_are_a_boundary: || {
        let other = Step { args: call("apt", json!({"name": "ztwo", "install_recommends": false})).args, ..install("") };
        assert_eq!(Run::of(vec![install("zone"), other]).transactions, 2);
        let between = mkdir(Path::new("/srv/between"));
        let run = Run::of(vec![install("zthree"), between, install("zleft")]);
        assert_eq!(run.words(), ["1 changed", "2 changed", "3 changed"]);
        assert_eq!(run.transactions, 2);
        let package = Step { module: "package".into(), ..install("zright") };
        assert_eq!(Run::of(vec![install("zmaybe"), package]).transactions, 1);
    };

    steps_of_another_user_are_one_transaction_of_that_user: || {
        let wanted =
            Become { method: "sudo".into(), user: "packager".into(), exe: None, flags: None, password: None };
        let theirs = |name: &str| Step { r#become: Some(wanted.clone()), ..install(name) };
        let run = Run::of(vec![theirs("zone"), theirs("zlib"), theirs("ztwo"), install("zthree")]);
        assert_eq!(run.words(), ["1 changed", "2 ok", "3 changed", "4 changed"]);
        assert_eq!(run.transactions, 2);
        let run = Run::of(vec![theirs("zmaybe"), theirs("zgone"), theirs("zright")]);
        assert_eq!(run.words(), ["1 changed", "2 failed"]);
        assert_eq!(run.dropped, [3]);
        // Its agent goes on.
        let ignored = Step { continue_on_failure: true, ..theirs("zgone") };
        let run = Run::of(vec![theirs("zright"), ignored, theirs("zenemy"), theirs("zmaybe")]);
        assert_eq!(run.words(), ["1 changed", "2 failed", "3 changed", "4 ok"]);
    };
}
