//! Bringing the agent up over a real sshd: missing, cached, damaged, and places that do not do.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use protocol::{FromAgent, Map, Permission, Step, ToAgent};
use support::*;
use transport::{AgentBinaries, ConnectError, Lost, Session, Target};

fn step(id: u64, text: &str) -> ToAgent {
    let mut args = Map::new();
    args.insert("text".into(), text.into());
    ToAgent::Step(Box::new(Step {
        id,
        module: "test".into(),
        args,
        r#become: None,
        environment: Default::default(),
        check: false,
        diff: false,
        permission: Permission::Granted,
        continue_on_failure: false,
        unless_changed: Vec::new(),
        after: None,
        together: Vec::new(),
        python: None,
        timeout: 0,
        background: 0,
    }))
}

/// A server, and a target with its key known.
fn scene(lines: &str, setup: &str) -> (Scene, Target) {
    let mut scene = Scene::new();
    let server = scene.server_with(lines, &["ed25519"], setup);
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let target = scene.known_target(&server, &key);
    (scene, target)
}

/// The file of the agent in a directory.
fn cached(directory: &std::path::Path) -> Option<PathBuf> {
    let mut files = std::fs::read_dir(directory).ok()?.map(|entry| entry.unwrap().path());
    let file = files.next()?;
    assert!(files.next().is_none(), "something was left beside {}", file.display());
    Some(file)
}

async fn works(session: &mut Session) {
    session.sender().send(step(7, "hello")).await.unwrap();
    match session.recv().await.unwrap() {
        FromAgent::Outcome { id: 7, outcome } => assert_eq!(outcome.result["text"], "hello"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn missing_then_cached() {
    let (scene, target) = scene("", "");
    let mut first = connect(&target).await.unwrap();
    assert!(first.uploaded);
    assert_eq!(first.hello.user, "arrived");
    works(&mut first).await;
    first.close().await;
    let file = cached(&scene.path("agents")).unwrap();
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o755);
    assert_eq!(std::fs::metadata(scene.path("agents")).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(std::fs::read(&file).unwrap(), std::fs::read(test_agent()).unwrap());

    let early = (0..3).map(|id| step(id, "early")).collect();
    let second = transport::connect(&target, start(), &agents(), Answers::new(&[]), early).await;
    let mut second = second.unwrap();
    assert!(!second.uploaded);
    for expected in 0..3 {
        assert!(matches!(second.recv().await.unwrap(), FromAgent::Outcome { id, .. } if id == expected));
    }
    works(&mut second).await;
}

#[tokio::test]
async fn what_is_sent_early_reaches_an_agent_that_had_to_be_placed_first() {
    let (_scene, target) = scene("", "");
    let early = vec![step(1, &"x".repeat(300_000)), step(2, "b")];
    let mut session =
        transport::connect(&target, start(), &agents(), Answers::new(&[]), early).await.unwrap();
    assert!(session.uploaded);
    for expected in 1..3 {
        assert!(matches!(session.recv().await.unwrap(), FromAgent::Outcome { id, .. } if id == expected));
    }
}

#[tokio::test]
async fn a_damaged_agent_is_replaced() {
    let (scene, target) = scene("", "");
    connect(&target).await.unwrap().close().await;
    let file = cached(&scene.path("agents")).unwrap();
    let good = std::fs::read(&file).unwrap();
    let bad = [
        // Cut off.
        good[..good.len() / 2].to_vec(),
        // Of the right size, but something else.
        vec![b'\n'; good.len()],
        [b"#!/bin/sh\necho surprise; exit 3\n".to_vec(), vec![b'#'; good.len() - 32]].concat(),
        [good[..64].to_vec(), vec![0; good.len() - 64]].concat(),
    ];
    for content in bad {
        std::fs::write(&file, content).unwrap();
        let mut session = connect(&target).await.unwrap();
        assert!(session.uploaded);
        works(&mut session).await;
        session.close().await;
        assert!(std::fs::read(&file).unwrap() == good);
    }
}

#[tokio::test]
async fn a_place_that_others_can_write_to_is_not_trusted() {
    let (scene, target) = scene("", "");
    connect(&target).await.unwrap().close().await;
    let directory = scene.path("agents");
    let file = cached(&directory).unwrap();
    for (path, mode) in [(&directory, 0o777), (&directory, 0o770), (&file, 0o722)] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        let session = connect(&target).await.unwrap();
        assert!(session.uploaded, "{} with {mode:o} was trusted", path.display());
        session.close().await;
        assert_eq!(std::fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o755);
    }
}

/// A place on the server's side of its own mount namespace, shared with the test by a directory.
#[tokio::test]
async fn noexec_full_read_only_and_foreign_places_are_passed_over() {
    let setup = "
        mkdir -p /mnt/p/noexec /mnt/p/full /mnt/p/readonly
        mount -t tmpfs -o mode=755 p /mnt && mkdir -p /mnt/noexec /mnt/full /mnt/readonly /mnt/foreign
        mount -t tmpfs -o noexec n /mnt/noexec
        mount -t tmpfs -o size=200k f /mnt/full
        mount -t tmpfs -o ro r /mnt/readonly
        chown 65534 /mnt/foreign
        : > /mnt/file";
    let (scene, mut target) = scene("", setup);
    let good = scene.path("agents").display().to_string();
    target.agent_dirs = ["/mnt/noexec/a", "/mnt/full/a", "/mnt/readonly/a", "/mnt/foreign", "/mnt/file"]
        .map(String::from)
        .to_vec();
    target.agent_dirs.push(good.clone());
    let mut session = connect(&target).await.unwrap();
    works(&mut session).await;
    assert!(cached(&scene.path("agents")).is_some());
    session.close().await;
    assert_eq!(
        output(&target, "ls -A /mnt/full/a /mnt/noexec/a").await.unwrap(),
        "/mnt/full/a:\n\n/mnt/noexec/a:\n"
    );
}

#[tokio::test]
async fn nowhere_to_place_it_names_every_place_and_reason() {
    let mut scene = Scene::new();
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    // What sshd itself needs stays where it is, on top of the mounts.
    let setup = format!(
        "mount --bind {0} /mnt; for d in /dev/shm /tmp; do mount -t tmpfs -o noexec n $d; done
         mount -t tmpfs -o ro r /root; mount -t tmpfs -o size=100k f /var/tmp
         mkdir -p {0}; mount --bind /mnt {0}",
        scene.dir.path().display()
    );
    let server = scene.server_with("", &["ed25519"], &setup);
    let mut target = scene.known_target(&server, &key);
    target.agent_dirs = Vec::new();
    match connect(&target).await.map(|_| ()).unwrap_err() {
        ConnectError::Place(places) => {
            let text = places
                .iter()
                .map(|p| format!("{}: {}", p.directory, p.reason))
                .collect::<Vec<_>>()
                .join("\n");
            for (directory, reason) in [
                ("/root/.cache/provision", "Read-only file system"),
                ("/var/tmp/provision-0", "No space left on device"),
                ("/dev/shm/provision-0", "programs cannot be run there"),
                ("/tmp/provision-0", "programs cannot be run there"),
            ] {
                let found = places.iter().find(|p| p.directory == directory);
                assert!(found.is_some_and(|p| p.reason.contains(reason)), "{directory}: {reason}\n{text}");
            }
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_foreign_machine_is_named() {
    let (_scene, target) = scene("", "");
    let agents = AgentBinaries::new().with("s390x", "x").with("mips", "y");
    let error = transport::connect(&target, start(), &agents, Answers::new(&[]), Vec::new())
        .await
        .map(|_| ())
        .unwrap_err();
    let expected = format!(
        "There is no agent for this host: it is Linux on {}, agents exist for mips, s390x",
        machine()
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn what_login_shells_print_is_passed_over() {
    for command in [
        "printf 'Welcome! no end of line'; eval \"$SSH_ORIGINAL_COMMAND\"",
        "echo 'provision-0 run'; head -c 100000 /dev/zero; eval \"$SSH_ORIGINAL_COMMAND\"",
        "echo warning >&2; eval \"$SSH_ORIGINAL_COMMAND\"",
    ] {
        let (_scene, target) = scene(&format!("ForceCommand {command}"), "");
        for uploaded in [true, false] {
            let mut session = connect(&target).await.unwrap();
            assert_eq!(session.uploaded, uploaded, "{command}");
            works(&mut session).await;
            session.close().await;
        }
    }
}

#[tokio::test]
async fn a_host_that_runs_no_commands_says_what_it_printed() {
    let (_scene, target) = scene("ForceCommand echo 'This account is not available.'; exit 1", "");
    let error = connect(&target).await.map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        error,
        "The host did not start the agent: it ended with exit code 1: This account is not available."
    );
}

/// Every shell there is on this machine can be the login shell.
#[tokio::test]
async fn any_login_shell_will_do() {
    let mut found = 0;
    for shell in ["sh", "bash", "dash", "zsh", "ksh", "mksh", "fish", "csh", "tcsh", "busybox sh"] {
        let program = shell.split(' ').next().unwrap();
        let there =
            std::process::Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
        if !there.status.success() {
            continue;
        }
        found += 1;
        let (_scene, target) = scene(&format!("ForceCommand exec {shell} -c \"$SSH_ORIGINAL_COMMAND\""), "");
        for uploaded in [true, false] {
            let mut session = connect(&target).await.unwrap_or_else(|e| panic!("{shell}: {e}"));
            assert_eq!(session.uploaded, uploaded, "{shell}");
            works(&mut session).await;
            session.close().await;
        }
    }
    assert!(found > 0);
}

/// Few programs are needed on the host, and the better ones are not.
#[tokio::test]
async fn a_host_with_hardly_any_programs() {
    let mut least = vec!["sh", "ls", "id", "uname", "mkdir", "chmod", "mv", "rm", "dd"];
    for more in [None, Some("cksum"), Some("head"), Some("gzip"), Some("sha256sum")] {
        least.extend(more);
        let links: String = least.iter().map(|p| format!("ln -s $(command -v {p}) /mnt/{p}; ")).collect();
        let setup = format!("mount -t tmpfs t /mnt; {links}");
        let (_scene, target) = scene("SetEnv PATH=/mnt", &setup);
        for uploaded in [true, false] {
            let mut session = connect(&target).await.unwrap_or_else(|e| panic!("with {more:?}: {e}"));
            assert_eq!(session.uploaded, uploaded, "with {more:?}");
            works(&mut session).await;
            session.close().await;
        }
    }
}

#[tokio::test]
async fn much_in_both_directions_at_once() {
    let (_scene, target) = scene("", "");
    let text = "0123456789".repeat(20_000);
    let early: Vec<ToAgent> = (0..40).map(|id| step(id, &text)).collect();
    let mut session =
        transport::connect(&target, start(), &agents(), Answers::new(&[]), early).await.unwrap();
    let sender = session.sender();
    let sending = {
        let text = text.clone();
        tokio::spawn(async move {
            for id in 40..100 {
                sender.send(step(id, &text)).await.unwrap();
            }
        })
    };
    for expected in 0..100 {
        match session.recv().await.unwrap() {
            FromAgent::Outcome { id, outcome } => {
                assert_eq!((id, outcome.result["text"].as_str()), (expected, Some(text.as_str())));
            }
            other => panic!("{other:?}"),
        }
    }
    sending.await.unwrap();
}

#[tokio::test]
async fn the_end_of_an_agent_and_of_a_connection_are_told_apart() {
    let (_scene, target) = scene("", "");
    let mut session = connect(&target).await.unwrap();
    let pid = session.hello.pid;
    output(&target, &format!("kill -KILL {pid}")).await.unwrap();
    let lost = session.recv().await.unwrap_err();
    assert!(matches!(&lost, Lost::Ended { .. }), "{lost:?}");
    assert_eq!(lost.to_string(), "the agent ended (killed by SIGKILL)");
    // Told again, as often as asked.
    assert_eq!(session.recv().await.unwrap_err(), lost);
    drop(session);

    let mut session = connect(&target).await.unwrap();
    // The sshd of this connection: the parent of the command's parent.
    let _ = output(&target, "kill -KILL $PPID").await;
    let lost = tokio::time::timeout(Duration::from_secs(20), session.recv()).await.unwrap().unwrap_err();
    assert!(matches!(&lost, Lost::Broken(_)), "{lost:?}");
    // And the next connection is a new one.
    works(&mut connect(&target).await.unwrap()).await;
}

#[tokio::test]
async fn an_agent_leaves_when_its_session_is_closed_or_dropped() {
    let (_scene, target) = scene("", "");
    for close in [true, false] {
        let session = connect(&target).await.unwrap();
        let pid = session.hello.pid;
        // Keep the connection, so that only the channel ends.
        let other = connect(&target).await.unwrap();
        if close {
            session.close().await
        } else {
            drop(session)
        }
        let mut gone = String::new();
        for _ in 0..50 {
            gone = output(&target, &format!("kill -0 {pid} 2>/dev/null || echo gone")).await.unwrap();
            if !gone.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(gone, "gone\n", "close: {close}");
        drop(other);
    }
}
