//! Contents of files: asked for when needed, verified, kept.

mod support;

use protocol::{FromAgent, Hash, Step, ToAgent};
use serde_json::json;
use support::{Agent, call, text};

fn copy(content: &[u8], dest: &std::path::Path) -> Step {
    let blob = json!({"$blob": Hash::of(content).to_string(), "size": content.len()});
    call("copy", json!({"content": blob, "dest": dest}))
}

/// More than two pieces, not compressible to nothing.
fn large() -> Vec<u8> {
    (0..700_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()
}

#[test]
fn a_content_is_asked_for_once() {
    let mut agent = Agent::start();
    let content = large();
    let (a, b) = (agent.path("a"), agent.path("b"));
    let first = agent.step(copy(&content, &a));
    agent.step(copy(&content, &b));
    agent.expect(FromAgent::Want { id: first, hashes: vec![Hash::of(&content)] });
    agent.content(&content);
    for path in [a, b] {
        assert!(agent.outcome().1.changed());
        assert!(std::fs::read(path).unwrap() == content);
    }
}

#[test]
fn a_content_that_is_there_is_not_asked_for() {
    let mut agent = Agent::start();
    let (content, path) = (large(), agent.path("a"));
    agent.content(&content);
    agent.step(copy(&content, &path));
    assert!(agent.outcome().1.changed());
    // The host has it already.
    agent.step(copy(&content, &path));
    assert!(!agent.outcome().1.changed());
}

#[test]
fn compressed_pieces_are_inflated() {
    use std::io::Write;
    let mut agent = Agent::start();
    let (content, path) = (b"line\n".repeat(1000), agent.path("a"));
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(&content).unwrap();
    let data = encoder.finish().unwrap();
    agent.send(&ToAgent::Blob { hash: Hash::of(&content), offset: 0, data, compressed: true, last: true });
    agent.step(copy(&content, &path));
    assert!(agent.outcome().1.changed());
    assert!(std::fs::read(path).unwrap() == content);
}

#[test]
fn a_damaged_content_fails_the_step_and_can_be_sent_again() {
    let mut agent = Agent::start();
    let (content, path) = (large(), agent.path("a"));
    let step = Step { continue_on_failure: true, ..copy(&content, &path) };
    agent.step(step.clone());
    assert!(matches!(agent.receive(), FromAgent::Want { .. }));
    let mut damaged = content.clone();
    damaged[400_000] ^= 1;
    agent.content_as(Hash::of(&content), &damaged);
    let (_, outcome) = agent.outcome();
    assert!(outcome.failed());
    assert!(text(&outcome.result, "msg").contains("damaged"), "{outcome:?}");
    assert!(!path.exists());
    agent.step(step);
    assert!(matches!(agent.receive(), FromAgent::Want { .. }));
    agent.content(&content);
    assert!(agent.outcome().1.changed());
}

#[test]
fn pieces_that_do_not_fit_together_are_refused() {
    let mut agent = Agent::start();
    let (content, path) = (large(), agent.path("a"));
    agent.step(copy(&content, &path));
    assert!(matches!(agent.receive(), FromAgent::Want { .. }));
    let hash = Hash::of(&content);
    agent.send(&ToAgent::Blob { hash, offset: 0, data: vec![1], compressed: false, last: false });
    agent.send(&ToAgent::Blob { hash, offset: 7, data: vec![1], compressed: false, last: false });
    assert!(agent.outcome().1.failed());
}

#[test]
fn a_piece_that_explodes_is_refused() {
    use std::io::Write;
    let mut agent = Agent::start();
    let path = agent.path("a");
    let content = vec![0; 50 << 20];
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&content).unwrap();
    let data = encoder.finish().unwrap();
    agent.step(copy(&content, &path));
    assert!(matches!(agent.receive(), FromAgent::Want { .. }));
    agent.send(&ToAgent::Blob { hash: Hash::of(&content), offset: 0, data, compressed: true, last: true });
    let (_, outcome) = agent.outcome();
    assert!(text(&outcome.result, "msg").contains("longer than"), "{outcome:?}");
}

#[test]
fn a_content_that_the_controller_lost_fails_the_step_with_its_reason() {
    let mut agent = Agent::start();
    let path = agent.path("a");
    agent.step(copy(b"x", &path));
    assert!(matches!(agent.receive(), FromAgent::Want { .. }));
    agent.send(&ToAgent::NoBlob { hash: Hash::of(b"x"), reason: "it was removed".into() });
    let (_, outcome) = agent.outcome();
    assert!(text(&outcome.result, "msg").contains("it was removed"), "{outcome:?}");
}

#[test]
fn a_full_file_system_is_named() {
    if !nix::unistd::geteuid().is_root() || !mounted("tests of a full file system") {
        return;
    }
    let mut agent = Agent::start();
    let path = agent.path("a");
    let content = large();
    let tmp = agent.path("tmp");
    let dir = std::fs::read_dir(&tmp).unwrap().next().unwrap().unwrap().path();
    let full = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"])
        .arg(&dir)
        .status()
        .unwrap();
    assert!(full.success());
    agent.step(copy(&content, &path));
    assert!(matches!(agent.receive(), FromAgent::Want { .. }));
    agent.content(&content);
    let (_, outcome) = agent.outcome();
    let unmounted = std::process::Command::new("umount").arg(&dir).status().unwrap();
    assert!(unmounted.success());
    assert!(text(&outcome.result, "msg").contains("no space left in"), "{outcome:?}");
}

/// Mounts are made in a namespace of this test's thread only.
fn mounted(what: &str) -> bool {
    let private = nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).is_ok();
    let made = private
        && std::process::Command::new("mount")
            .args(["--make-rprivate", "/"])
            .status()
            .is_ok_and(|s| s.success());
    if !made {
        eprintln!("skipped: {what} need a mount namespace");
    }
    made
}
