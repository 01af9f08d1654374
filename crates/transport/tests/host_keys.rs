//! Known, unknown, changed, revoked and certified host keys, against a real sshd.

mod support;

use std::process::Command;

use support::*;
use transport::{ConnectError, SshError};

fn ssh_error(error: ConnectError) -> SshError {
    match error {
        ConnectError::Ssh(error) => error,
        other => panic!("not an error of ssh: {other}"),
    }
}

fn name(server: &Server) -> String {
    format!("[127.0.0.1]:{}", server.port)
}

#[tokio::test]
async fn an_unknown_host_is_refused_or_asked_about() {
    let mut scene = Scene::new();
    let server = scene.server("");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let mut target = scene.target(&server);
    target.private_key_file = Some(key);
    let shown = scene.fingerprint(&server.dir.join("host_ed25519"));

    let error = ssh_error(output(&target, "true").await.unwrap_err());
    assert!(
        matches!(&error, SshError::HostKeyUnknown { fingerprint, .. } if *fingerprint == shown),
        "{error}"
    );
    assert!(!scene.path("known_hosts").exists());

    // Asked, and refused: nothing is remembered.
    let answers = Answers::new(&[]);
    assert!(exec(&target, "true", answers.clone()).await.is_err());
    let asked = answers.keys.lock().unwrap().clone();
    assert_eq!((asked[0].host.as_str(), asked[0].key_type.as_str()), (name(&server).as_str(), "ssh-ed25519"));
    assert_eq!(asked[0].fingerprint, shown);
    assert!(!scene.path("known_hosts").exists());

    // Asked, and accepted: from now on it is known, to OpenSSH as well.
    assert!(exec(&target, "true", Answers::accepting()).await.is_ok());
    target.ssh_common_args = words("-o StrictHostKeyChecking=yes -o ServerAliveInterval=9");
    assert_eq!(output(&target, "echo in").await.unwrap(), "in\n");
    let found = Command::new("ssh-keygen")
        .arg("-F")
        .arg(name(&server))
        .arg("-f")
        .arg(scene.path("known_hosts"))
        .output();
    assert!(
        String::from_utf8_lossy(&found.unwrap().stdout)
            .contains(&scene.public(&server.dir.join("host_ed25519")))
    );
}

#[tokio::test]
async fn without_checking_an_unknown_key_is_taken_and_remembered() {
    for (checking, arguments) in
        [(false, ""), (true, "-o StrictHostKeyChecking=accept-new"), (true, "-oStrictHostKeyChecking=no")]
    {
        let mut scene = Scene::new();
        let server = scene.server("");
        let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
        let mut target = scene.target(&server);
        target.private_key_file = Some(key);
        target.host_key_checking = checking;
        target.ssh_common_args = words(arguments);
        assert_eq!(output(&target, "echo in").await.unwrap(), "in\n");
        let known = std::fs::read_to_string(scene.path("known_hosts")).unwrap();
        assert_eq!(known, format!("{} {}\n", name(&server), scene.public(&server.dir.join("host_ed25519"))));
    }
}

#[tokio::test]
async fn a_changed_key_is_refused_with_the_line_and_both_fingerprints() {
    let mut scene = Scene::new();
    let server = scene.server_with("UsePAM no\nPasswordAuthentication yes", &["ed25519"], "");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let old = scene.key("old", &["-t", "ed25519", "-N", ""]);
    let file = scene.path("known_hosts");
    std::fs::write(&file, format!("# a comment\n\n{} {}\n", name(&server), scene.public(&old))).unwrap();
    let mut target = scene.target(&server);
    target.private_key_file = Some(key.clone());
    for arguments in ["", "-oStrictHostKeyChecking=accept-new", "-oStrictHostKeyChecking=yes"] {
        target.ssh_common_args = words(arguments);
        match ssh_error(output(&target, "true").await.unwrap_err()) {
            SshError::HostKeyChanged { file: at, line, expected, shown, .. } => {
                assert_eq!((at, line), (file.clone(), 3));
                assert_eq!(expected, scene.fingerprint(&old));
                assert_eq!(shown, scene.fingerprint(&server.dir.join("host_ed25519")));
            }
            other => panic!("{other}"),
        }
    }
    // As ssh: without checking a key still gets in, a password is not sent.
    target.ssh_common_args = Vec::new();
    target.host_key_checking = false;
    assert_eq!(output(&target, "echo in").await.unwrap(), "in\n");
    target.private_key_file = Some(scene.path("nothing"));
    target.password = Some(protocol::Secret::new("never sent"));
    assert!(output(&target, "true").await.is_err());
    assert!(!server.log().contains("Failed password"), "{}", server.log());
}

#[tokio::test]
async fn hashed_names_are_found_and_written() {
    let mut scene = Scene::new();
    let server = scene.server("");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let target = scene.known_target(&server, &key);
    let file = scene.path("known_hosts");
    assert!(Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(&file).status().unwrap().success());
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("|1|"));
    assert_eq!(output(&target, "echo in").await.unwrap(), "in\n");

    std::fs::remove_file(&file).unwrap();
    let mut target = target;
    target.ssh_common_args = words("-o HashKnownHosts=yes -o StrictHostKeyChecking=accept-new");
    assert_eq!(output(&target, "echo in").await.unwrap(), "in\n");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("|1|"));
    let found =
        Command::new("ssh-keygen").arg("-F").arg(name(&server)).arg("-f").arg(&file).output().unwrap();
    assert!(found.status.success(), "ssh-keygen does not find what was written");
}

#[tokio::test]
async fn the_type_that_is_known_is_asked_for() {
    for kind in ["rsa", "ecdsa", "ed25519"] {
        let mut scene = Scene::new();
        let server = scene.server_with("", &["rsa", "ecdsa", "ed25519"], "");
        let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
        scene.know(&server, kind);
        let mut target = scene.target(&server);
        target.private_key_file = Some(key);
        assert_eq!(output(&target, "echo in").await.map_err(|e| e.to_string()), Ok("in\n".into()), "{kind}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_even_without_checking() {
    let mut scene = Scene::new();
    let server = scene.server("");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let mut target = scene.known_target(&server, &key);
    let public = scene.public(&server.dir.join("host_ed25519"));
    let known = std::fs::read_to_string(scene.path("known_hosts")).unwrap();
    std::fs::write(scene.path("known_hosts"), format!("{known}@revoked * {public}\n")).unwrap();
    target.host_key_checking = false;
    let error = ssh_error(output(&target, "true").await.unwrap_err());
    assert!(matches!(&error, SshError::HostKeyRevoked { line: 2, .. }), "{error}");
}

#[tokio::test]
async fn the_expected_fingerprint_decides() {
    let mut scene = Scene::new();
    let server = scene.server("");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let mut target = scene.target(&server);
    target.private_key_file = Some(key);
    target.host_key_fingerprint = Some("SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into());
    let error = ssh_error(output(&target, "true").await.unwrap_err());
    assert!(matches!(&error, SshError::HostKeyMismatch { .. }), "{error}");
    target.host_key_fingerprint = Some(scene.fingerprint(&server.dir.join("host_ed25519")));
    assert_eq!(output(&target, "echo in").await.unwrap(), "in\n");
    target.host_key_fingerprint = None;
    assert_eq!(output(&target, "echo known").await.unwrap(), "known\n");
}

#[tokio::test]
async fn host_certificates() {
    let mut scene = Scene::new();
    let authority = scene.key("authority", &["-t", "ed25519", "-N", ""]);
    let stranger = scene.key("stranger", &["-t", "ed25519", "-N", ""]);
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let mut target = scene.target(&Server { port: 0, dir: scene.path("") });
    target.private_key_file = Some(key);
    let mut number = 0;
    let mut certified = |signer: &std::path::Path, arguments: &[&str]| {
        number += 1;
        let host_key = scene.key(&format!("host{number}"), &["-t", "ed25519", "-N", ""]);
        let mut sign = Command::new("ssh-keygen");
        sign.args(["-q", "-s"]).arg(signer).args(["-I", "web"]).args(arguments);
        assert!(sign.arg(format!("{}.pub", host_key.display())).status().unwrap().success());
        let lines = format!("HostKey {0}\nHostCertificate {0}-cert.pub", host_key.display());
        let server = scene.server_with(&lines, &[], "");
        let line = format!(
            "@cert-authority [127.0.0.1]:{},*.example.org {}\n",
            server.port,
            scene.public(&authority)
        );
        std::fs::write(scene.path("known_hosts"), line).unwrap();
        server.port
    };
    target.port = Some(certified(&authority, &["-h", "-n", "web,127.0.0.1"]));
    assert_eq!(output(&target, "echo in").await.map_err(|e| e.to_string()), Ok("in\n".into()));
    for (why, signer, arguments) in [
        ("no @cert-authority line", &stranger, &["-h", "-n", "127.0.0.1"][..]),
        ("it is for other.example.org", &authority, &["-h", "-n", "other.example.org"]),
        ("it is for a user", &authority, &["-n", "127.0.0.1"]),
        ("expired", &authority, &["-h", "-n", "127.0.0.1", "-V", "20200101:20200102"]),
    ] {
        target.port = Some(certified(signer, arguments));
        let error = output(&target, "true").await.unwrap_err().to_string();
        assert!(error.contains("Host key verification failed") && error.contains(why), "{why}: {error}");
    }
}

#[tokio::test]
async fn many_runs_at_once_write_each_host_once() {
    let mut scene = Scene::new();
    let servers: Vec<Server> = (0..3).map(|_| scene.server("")).collect();
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let mut runs = tokio::task::JoinSet::new();
    for number in 0..12 {
        let mut target = scene.target(&servers[number % 3]);
        target.private_key_file = Some(key.clone());
        target.host_key_checking = false;
        // Each a connection of its own.
        target.ssh_common_args = vec![format!("-oServerAliveInterval={}", number + 1)];
        runs.spawn(async move { output(&target, "echo in").await });
    }
    while let Some(run) = runs.join_next().await {
        assert_eq!(run.unwrap().unwrap(), "in\n");
    }
    let known = std::fs::read_to_string(scene.path("known_hosts")).unwrap();
    assert_eq!(known.lines().count(), 3, "{known}");
}
