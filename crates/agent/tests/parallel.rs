//! Steps that say which others they follow: several in hand at the same time.

mod support;

use protocol::{FromAgent, Start, Step, ToAgent, VERSION};
use support::{Agent, asking, call, crash, mkdir, ping, shell, text};

fn following(after: &[u64], step: Step) -> Step {
    Step { after: Some(after.to_vec()), ..step }
}

fn working(parallel: u16) -> Agent {
    Agent::start_with(Start { version: VERSION, parallel, ..Start::default() })
}

#[test]
fn steps_that_need_not_follow_each_other_are_done_at_the_same_time() {
    let mut agent = working(4);
    // Each waits for the other's file.
    let (one, other) = (agent.path("one"), agent.path("other"));
    let meet = |mine: &std::path::Path, theirs: &std::path::Path| {
        let (mine, theirs) = (mine.display(), theirs.display());
        shell(&format!(
            "touch {mine}; for i in $(seq 500); do [ -e {theirs} ] && exit 0; sleep 0.01; done; exit 1"
        ))
    };
    let first = agent.step(following(&[], meet(&one, &other)));
    let second = agent.step(following(&[], meet(&other, &one)));
    let mut answered = [agent.outcome(), agent.outcome()];
    answered.sort_by_key(|(id, _)| *id);
    assert_eq!(
        answered.each_ref().map(|(id, outcome)| (*id, outcome.failed())),
        [(first, false), (second, false)]
    );
}

#[test]
fn no_more_than_allowed_are_in_hand() {
    let mut agent = working(2);
    let dir = agent.path("running");
    std::fs::create_dir(&dir).unwrap();
    let dir = dir.display();
    let line = |i: usize| format!("touch {dir}/{i}; ls {dir} | wc -l; sleep 0.05; rm {dir}/{i}");
    for i in 0..6 {
        agent.step(following(&[], shell(&line(i))));
    }
    let most = (0..6).map(|_| text(&agent.outcome().1.result, "stdout").trim().parse::<u32>().unwrap()).max();
    assert_eq!(most, Some(2));
}

#[test]
fn a_step_follows_those_it_names() {
    let mut agent = working(4);
    let slow = agent.step(following(&[], shell("sleep 0.2")));
    let behind = agent.step(following(&[slow], ping()));
    let free = agent.step(following(&[], ping()));
    let answered: Vec<u64> = (0..3).map(|_| agent.outcome().0).collect();
    assert_eq!(answered, [free, slow, behind]);
}

#[test]
fn a_step_without_a_word_about_order_is_alone() {
    let mut agent = working(4);
    let slow = agent.step(following(&[], shell("sleep 0.2")));
    let alone = agent.step(shell("sleep 0.1"));
    let behind = agent.step(following(&[], ping()));
    let answered: Vec<u64> = (0..3).map(|_| agent.outcome().0).collect();
    assert_eq!(answered, [slow, alone, behind]);
}

#[test]
fn a_failure_waits_for_what_is_in_hand_before_it_names_the_dropped() {
    let mut agent = working(4);
    let slow = agent.step(following(&[], shell("sleep 0.5")));
    let dir = agent.path("asked");
    let asked = agent.step(following(&[], asking(mkdir(&dir))));
    agent.expect(FromAgent::Ready { id: asked });
    // Time for all of them to be in the queue: what arrives after a failure is named by the next flush.
    let before = agent.step(following(&[], shell("sleep 0.1")));
    let failing = agent.step(following(&[before], crash()));
    let queued = agent.step(following(&[failing], ping()));
    assert_eq!(agent.outcome().0, before);
    assert_eq!(agent.outcome().0, failing);
    let (id, outcome) = agent.outcome();
    assert_eq!((id, outcome.failed()), (slow, false));
    assert_eq!(agent.flushed(), (0, vec![asked, queued]));
    assert!(!dir.exists());
}

#[test]
fn a_flush_after_a_failure_names_all_that_was_dropped() {
    let mut agent = working(4);
    let slow = agent.step(following(&[], shell("sleep 0.3")));
    let failing = agent.step(following(&[], crash()));
    let queued = agent.step(following(&[failing], ping()));
    assert_eq!(agent.outcome().0, failing);
    agent.send(&ToAgent::Flush { token: 7 });
    let next = agent.step(following(&[], ping()));
    assert_eq!(agent.flushed(), (7, vec![queued]));
    let mut answered = [agent.outcome().0, agent.outcome().0];
    answered.sort_unstable();
    assert_eq!(answered, [slow, next]);
    assert!(agent.end().0.is_empty());
}

#[test]
fn contents_reach_the_steps_that_want_them() {
    let mut agent = working(4);
    let contents: Vec<Vec<u8>> = (0..4u8).map(|i| vec![i; 1000]).collect();
    let hash = |bytes: &[u8]| protocol::Hash::of(bytes);
    let paths: Vec<_> = (0..4).map(|i| agent.path(&format!("file{i}"))).collect();
    for (path, bytes) in paths.iter().zip(&contents) {
        let blob = serde_json::json!({"$blob": hash(bytes).to_string(), "size": bytes.len()});
        agent.step(following(&[], call("copy", serde_json::json!({"dest": path, "content": blob}))));
    }
    let mut done = 0;
    while done < 4 {
        match agent.receive() {
            FromAgent::Want { hashes, .. } => {
                for wanted in hashes {
                    let data = contents.iter().find(|bytes| hash(bytes) == wanted).unwrap().clone();
                    agent.send(&ToAgent::Blob {
                        hash: wanted,
                        offset: 0,
                        data,
                        compressed: false,
                        last: true,
                    });
                }
            }
            FromAgent::Outcome { outcome, .. } => {
                assert!(outcome.changed(), "{outcome:?}");
                done += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    for (path, bytes) in paths.iter().zip(&contents) {
        assert_eq!(&std::fs::read(path).unwrap(), bytes);
    }
}
