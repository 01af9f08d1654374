//! The rules of the queue, as `protocol::ToAgent` states them.

mod support;

use std::time::{Duration, Instant};

use protocol::{FromAgent, Start, Step, ToAgent, VERSION};
use support::{Agent, asking, call, crash, mkdir, ping, shell, text};

#[test]
fn hello_says_who_answers() {
    let agent = Agent::start();
    assert_eq!(agent.hello.version, VERSION);
    assert_eq!(agent.hello.machine, std::env::consts::ARCH);
    assert!(agent.hello.facts.is_none());
    assert!(agent.end().1.is_ok());
}

#[test]
fn hello_carries_the_facts_that_were_asked_for() {
    let facts = Some(protocol::FactsRequest { filter: vec!["ansible_system".into()], ..Default::default() });
    let agent = Agent::start_with(Start { version: VERSION, facts, ..Start::default() });
    let facts = agent.hello.facts.clone().unwrap();
    assert_eq!(text(&facts, "ansible_system"), "Linux");
}

#[test]
fn steps_are_answered_in_their_order() {
    let mut agent = Agent::start();
    let ids: Vec<u64> = (0..100).map(|_| agent.step(ping())).collect();
    let answered: Vec<u64> = ids.iter().map(|_| agent.outcome().0).collect();
    assert_eq!(answered, ids);
    assert!(agent.end().0.is_empty());
}

#[test]
fn a_change_without_permission_waits_for_go() {
    let mut agent = Agent::start();
    let dir = agent.path("made");
    let id = agent.step(asking(mkdir(&dir)));
    let after = agent.step(ping());
    agent.expect(FromAgent::Ready { id });
    assert!(!dir.exists());
    agent.send(&ToAgent::Go { id });
    let (first, outcome) = agent.outcome();
    assert_eq!((first, outcome.changed()), (id, true));
    assert!(dir.is_dir());
    assert_eq!(agent.outcome().0, after);
}

#[test]
fn nothing_to_change_needs_no_permission() {
    let mut agent = Agent::start();
    let dir = agent.path("made");
    std::fs::create_dir(&dir).unwrap();
    let id = agent.step(asking(mkdir(&dir)));
    let (answered, outcome) = agent.outcome();
    assert_eq!((answered, outcome.changed()), (id, false));
}

#[test]
fn go_may_come_before_ready() {
    let mut agent = Agent::start();
    let slow = agent.step(shell("sleep 0.2"));
    let dir = agent.path("made");
    let id = agent.step(asking(mkdir(&dir)));
    agent.send(&ToAgent::Go { id });
    assert_eq!(agent.outcome().0, slow);
    assert_eq!(agent.outcome().0, id);
    assert!(dir.is_dir());
}

#[test]
fn a_go_for_nothing_means_nothing() {
    let mut agent = Agent::start();
    agent.send(&ToAgent::Go { id: 99 });
    let id = agent.step(ping());
    assert_eq!(agent.outcome().0, id);
}

#[test]
fn check_mode_only_plans() {
    let mut agent = Agent::start();
    let dir = agent.path("made");
    agent.step(Step { check: true, ..asking(mkdir(&dir)) });
    assert!(agent.outcome().1.changed());
    assert!(!dir.exists());
}

#[test]
fn a_failure_drops_the_rest_and_what_comes_until_a_flush() {
    let mut agent = Agent::start();
    let slow = agent.step(shell("sleep 0.2"));
    let failing = agent.step(crash());
    let (dir, late) = (agent.path("dropped"), agent.path("late"));
    let dropped = agent.step(mkdir(&dir));
    assert_eq!(agent.outcome().0, slow);
    let (id, outcome) = agent.outcome();
    assert_eq!((id, text(&outcome.result, "msg")), (failing, "Task failed: Module failed: boom"));
    assert_eq!(agent.flushed(), (0, vec![dropped]));
    // Sent before the controller could know.
    let on_its_way = agent.step(mkdir(&late));
    agent.send(&ToAgent::Flush { token: 5 });
    let next = agent.step(ping());
    assert_eq!(agent.flushed(), (5, vec![on_its_way]));
    assert_eq!(agent.outcome().0, next);
    assert!(!dir.exists() && !late.exists());
}

#[test]
fn a_failure_with_nothing_behind_it_also_says_so() {
    let mut agent = Agent::start();
    agent.step(crash());
    assert!(agent.outcome().1.failed());
    assert_eq!(agent.flushed(), (0, vec![]));
}

#[test]
fn an_ignored_failure_drops_nothing() {
    let mut agent = Agent::start();
    agent.step(Step { continue_on_failure: true, ..crash() });
    let next = agent.step(ping());
    assert!(agent.outcome().1.failed());
    assert_eq!(agent.outcome().0, next);
}

#[test]
fn a_step_that_is_only_valid_without_a_change_is_dropped_after_one() {
    let mut agent = Agent::start();
    let dir = agent.path("made");
    let changing = agent.step(mkdir(&dir));
    let unchanged = agent.step(mkdir(&dir));
    let valid = agent.step(Step { unless_changed: vec![unchanged], ..ping() });
    let invalid = agent.step(Step { unless_changed: vec![changing], ..ping() });
    let behind = agent.step(ping());
    for id in [changing, unchanged, valid] {
        assert_eq!(agent.outcome().0, id);
    }
    assert_eq!(agent.flushed(), (0, vec![invalid, behind]));
}

#[test]
fn an_ignored_failure_counts_as_a_change() {
    let mut agent = Agent::start();
    let failing = agent.step(Step { continue_on_failure: true, ..crash() });
    let invalid = agent.step(Step { unless_changed: vec![failing], ..ping() });
    assert_eq!(agent.outcome().0, failing);
    assert_eq!(agent.flushed(), (0, vec![invalid]));
}

#[test]
fn flush_drops_the_queue_and_the_step_that_waits() {
    let mut agent = Agent::start();
    let dir = agent.path("made");
    let waiting = agent.step(asking(mkdir(&dir)));
    let queued = agent.step(ping());
    agent.expect(FromAgent::Ready { id: waiting });
    agent.send(&ToAgent::Flush { token: 1 });
    assert_eq!(agent.flushed(), (1, vec![waiting, queued]));
    agent.send(&ToAgent::Go { id: waiting });
    let next = agent.step(ping());
    assert_eq!(agent.outcome().0, next);
    assert!(!dir.exists());
}

#[test]
fn flush_lets_a_step_with_permission_finish() {
    let mut agent = Agent::start();
    let file = agent.path("file");
    let running = agent.step(shell(&format!("sleep 0.2; touch {}", file.display())));
    let queued = agent.step(ping());
    std::thread::sleep(Duration::from_millis(100));
    agent.send(&ToAgent::Flush { token: 3 });
    assert_eq!(agent.flushed(), (3, vec![queued]));
    assert_eq!(agent.outcome().0, running);
    assert!(file.exists());
}

#[test]
fn a_running_step_can_be_cancelled_with_all_its_processes() {
    let mut agent = Agent::start();
    let file = agent.path("file");
    let id = agent.step(shell(&format!("(sleep 1; touch {}) & wait", file.display())));
    std::thread::sleep(Duration::from_millis(200));
    let begun = Instant::now();
    agent.send(&ToAgent::Cancel { id });
    let (answered, outcome) = agent.outcome();
    assert!(begun.elapsed() < Duration::from_millis(500));
    assert_eq!((answered, outcome.failed()), (id, true));
    assert_eq!(text(&outcome.result, "msg"), "The task was cancelled");
    std::thread::sleep(Duration::from_millis(1200));
    assert!(!file.exists());
}

#[test]
fn a_waiting_or_queued_step_can_be_cancelled() {
    let mut agent = Agent::start();
    let dir = agent.path("made");
    let waiting = agent.step(Step { continue_on_failure: true, ..asking(mkdir(&dir)) });
    let queued = agent.step(Step { continue_on_failure: true, ..mkdir(&dir) });
    agent.expect(FromAgent::Ready { id: waiting });
    agent.send(&ToAgent::Cancel { id: queued });
    agent.send(&ToAgent::Cancel { id: waiting });
    for id in [waiting, queued] {
        let (answered, outcome) = agent.outcome();
        assert_eq!((answered, outcome.failed()), (id, true));
    }
    assert!(!dir.exists());
}

/// Message and key as ansible-core 2.19 reports `timeout: 1` of a `command: sleep 3`.
#[test]
fn a_step_that_takes_too_long_fails() {
    let mut agent = Agent::start();
    agent.step(Step { timeout: 1, ..call("command", serde_json::json!({"_raw_params": "sleep 3"})) });
    let begun = Instant::now();
    let (_, outcome) = agent.outcome();
    assert!(begun.elapsed() < Duration::from_secs(2));
    assert_eq!(text(&outcome.result, "msg"), "Task failed: Timed out after 1 second(s).");
    assert_eq!(outcome.result["timedout"]["period"], 1);
}

#[test]
fn waiting_for_permission_does_not_use_up_the_time_of_a_step() {
    let mut agent = Agent::start();
    let dir = agent.path("made");
    let id = agent.step(Step { timeout: 1, ..asking(mkdir(&dir)) });
    agent.expect(FromAgent::Ready { id });
    std::thread::sleep(Duration::from_millis(1300));
    agent.send(&ToAgent::Go { id });
    assert!(!agent.outcome().1.failed());
}

#[test]
fn an_unknown_module_fails_its_step_only() {
    let mut agent = Agent::start();
    agent.step(Step { continue_on_failure: true, ..call("frobnicate", serde_json::json!({})) });
    let next = agent.step(ping());
    assert!(agent.outcome().1.failed());
    assert_eq!(agent.outcome().0, next);
}

#[test]
fn the_step_in_hand_is_finished_at_the_end_of_input() {
    let mut agent = Agent::start();
    let (file, dir) = (agent.path("file"), agent.path("made"));
    let running = agent.step(shell(&format!("sleep 0.3; touch {}", file.display())));
    agent.step(mkdir(&dir));
    std::thread::sleep(Duration::from_millis(100));
    let (rest, ended) = agent.end();
    assert!(ended.is_ok());
    assert!(matches!(&rest[..], [FromAgent::Outcome { id, .. }] if *id == running), "{rest:?}");
}

#[test]
fn a_waiting_step_is_forgotten_at_the_end_of_input() {
    let mut agent = Agent::start();
    let dir = agent.path("made");
    let id = agent.step(asking(mkdir(&dir)));
    agent.expect(FromAgent::Ready { id });
    assert!(agent.end().0.is_empty());
}

#[test]
fn another_version_of_the_protocol_is_refused() {
    let mut agent = Agent::start_with(Start { version: VERSION + 1, ..Start::default() });
    assert!(matches!(agent.receive(), FromAgent::Warning { .. }));
    assert!(agent.end().1.is_err());
}

#[test]
fn damaged_frames_end_the_agent_with_an_error() {
    let too_long = [0xff; 8].to_vec();
    let not_a_message = [0, 0, 0, 3, 0xc1, 0xc1, 0xc1].to_vec();
    let cut = [0, 0, 1, 0, 0x81].to_vec();
    for bytes in [too_long, not_a_message, cut] {
        let mut agent = Agent::start();
        agent.raw(&bytes);
        let (rest, ended) = agent.end();
        assert!(ended.is_err(), "{bytes:?}");
        assert!(matches!(&rest[..], [FromAgent::Warning { .. }]), "{rest:?}");
    }
}
