//! Logging in to a real sshd: keys of all kinds, certificates, the ssh-agent, passwords, questions.

mod support;

use std::process::{Command, Stdio};
use std::time::Duration;

use protocol::Secret;
use support::*;
use transport::{ConnectError, Question, SshError};

#[tokio::test]
async fn keys_of_every_type_and_format() {
    let mut scene = Scene::new();
    let server = scene.server("");
    for (name, arguments) in [
        ("ed25519", &["-t", "ed25519", "-N", ""][..]),
        ("rsa", &["-t", "rsa", "-b", "2048", "-N", ""]),
        ("rsa-pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""]),
        ("rsa-pkcs8", &["-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", ""]),
        ("ecdsa256", &["-t", "ecdsa", "-b", "256", "-N", ""]),
        ("ecdsa384", &["-t", "ecdsa", "-b", "384", "-N", ""]),
        ("ecdsa521", &["-t", "ecdsa", "-b", "521", "-N", ""]),
        ("ecdsa-pem", &["-t", "ecdsa", "-b", "256", "-m", "PEM", "-N", ""]),
        ("ecdsa-pkcs8", &["-t", "ecdsa", "-b", "256", "-m", "PKCS8", "-N", ""]),
    ] {
        let key = scene.authorized_key(name, arguments);
        let target = scene.known_target(&server, &key);
        let got = output(&target, "echo in").await;
        assert_eq!(got.map_err(|e| e.to_string()), Ok("in\n".into()), "{name}");
    }
}

#[tokio::test]
async fn an_encrypted_key_is_asked_for_once_and_only_when_the_server_wants_it() {
    let mut scene = Scene::new();
    let server = scene.server("");
    let wanted = scene.authorized_key("wanted", &["-t", "ed25519", "-N", "secret"]);
    let other = scene.key("other", &["-t", "ed25519", "-N", "other secret"]);
    let mut target = scene.known_target(&server, &other);
    target.ssh_common_args = words(&format!("-i {}", wanted.display()));
    let answers = Answers::new(&["wrong", "secret"]);
    let got = exec(&target, "echo in", answers.clone()).await.unwrap();
    assert_eq!(got.stdout, b"in\n");
    let question = Question::Passphrase { file: wanted };
    assert_eq!(*answers.asked.lock().unwrap(), [question.clone(), question]);
    // Another connection to the same host does not ask again.
    target.ssh_common_args.push("-oServerAliveInterval=7".into());
    assert_eq!(output(&target, "echo in").await.unwrap(), "in\n");
}

#[tokio::test]
async fn a_given_passphrase_opens_a_key_in_each_format() {
    let mut scene = Scene::new();
    let server = scene.server("");
    for (name, arguments) in [
        ("openssh", &["-t", "ed25519", "-N", "pass phrase"][..]),
        ("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "pass phrase"]),
        ("pkcs8", &["-t", "ecdsa", "-m", "PKCS8", "-N", "pass phrase"]),
    ] {
        let key = scene.authorized_key(name, arguments);
        let mut target = scene.known_target(&server, &key);
        target.private_key_passphrase = Some(Secret::new("pass phrase"));
        let got = output(&target, "echo in").await;
        assert_eq!(got.map_err(|e| e.to_string()), Ok("in\n".into()), "{name}");
    }
}

#[tokio::test]
async fn thinking_does_not_use_up_the_time() {
    let mut scene = Scene::new();
    let server = scene.server("");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", "secret"]);
    let mut target = scene.known_target(&server, &key);
    target.timeout = Duration::from_secs(4);
    let answers = Answers {
        answers: std::sync::Mutex::new(["secret".to_owned()].into()),
        delay: Duration::from_secs(6),
        ..Answers::default()
    };
    let got = exec(&target, "echo in", std::sync::Arc::new(answers)).await.unwrap();
    assert_eq!(got.stdout, b"in\n");
}

#[tokio::test]
async fn a_wrong_key_says_what_was_tried_and_what_is_offered() {
    let mut scene = Scene::new();
    let server = scene.server("PasswordAuthentication no\nKbdInteractiveAuthentication no");
    let key = scene.key("key", &["-t", "ed25519", "-N", ""]);
    let target = scene.known_target(&server, &key);
    let error = output(&target, "true").await.unwrap_err().to_string();
    let expected = format!(
        "Failed to connect to the host via ssh: root@127.0.0.1: Permission denied (publickey). Tried: key {}",
        key.display()
    );
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_key_file_that_is_missing_or_open_to_others_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let mut scene = Scene::new();
    let server = scene.server("");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    std::fs::set_permissions(&key, PermissionsExt::from_mode(0o644)).unwrap();
    let mut target = scene.known_target(&server, &key);
    target.ssh_common_args = words("-i /nonexistent/key");
    let error = output(&target, "true").await.unwrap_err().to_string();
    assert!(error.contains("permissions 0644 are too open"), "{error}");
    assert!(error.contains("key /nonexistent/key (no such file)"), "{error}");
}

struct SshAgent {
    process: std::process::Child,
    socket: std::path::PathBuf,
}

impl SshAgent {
    fn new(scene: &Scene, keys: &[&std::path::Path]) -> Self {
        let socket = scene.path("agent.sock");
        let process =
            Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
        while !socket.exists() {
            std::thread::sleep(Duration::from_millis(10));
        }
        for key in keys {
            let added =
                Command::new("ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &socket).status().unwrap();
            assert!(added.success());
        }
        Self { process, socket }
    }
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn the_ssh_agent_signs_and_many_keys_do_not_hide_the_named_one() {
    let mut scene = Scene::new();
    let server = scene.server("MaxAuthTries 3\nPasswordAuthentication no\nKbdInteractiveAuthentication no");
    let right = scene.authorized_key("right", &["-t", "rsa", "-b", "2048", "-N", ""]);
    let wrong: Vec<_> =
        (0..5).map(|n| scene.key(&format!("wrong{n}"), &["-t", "ed25519", "-N", ""])).collect();
    let mut all: Vec<&std::path::Path> = wrong.iter().map(|p| &**p).collect();
    all.push(&right);
    let agent = SshAgent::new(&scene, &all);
    scene.know(&server, "ed25519");
    let mut target = scene.target(&server);
    target.ssh_args =
        target
            .ssh_args
            .into_iter()
            .map(|a| {
                if a == "IdentityAgent=none" {
                    format!("IdentityAgent={}", agent.socket.display())
                } else {
                    a
                }
            })
            .collect();

    // Too many wrong ones before the right one: the server hangs up.
    let error = output(&target, "true").await.unwrap_err();
    assert!(matches!(error, ConnectError::Ssh(SshError::Denied { .. })), "{error}");
    assert!(error.to_string().contains("Too many authentication failures"), "{error}");

    // The named one is first; its private half may be in the agent alone.
    let public = scene.path("only.pub");
    std::fs::copy(right.with_extension("pub"), &public).unwrap();
    for name in ["only", "only.pub"] {
        let mut target = target.clone();
        target.private_key_file = Some(scene.path(name));
        assert_eq!(output(&target, "echo in").await.map_err(|e| e.to_string()), Ok("in\n".into()), "{name}");
    }
    target.ssh_common_args = words("-o IdentitiesOnly=yes -i");
    target.ssh_common_args.push(wrong[0].display().to_string());
    assert!(output(&target, "true").await.is_err());
}

#[tokio::test]
async fn a_forwarded_ssh_agent_is_there() {
    let mut scene = Scene::new();
    let server = scene.server("AllowAgentForwarding yes");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let agent = SshAgent::new(&scene, &[&key]);
    let mut target = scene.known_target(&server, &key);
    target.ssh_common_args = vec!["-o".into(), format!("ForwardAgent={}", agent.socket.display())];
    let listed = output(&target, "ssh-add -l").await.unwrap();
    assert!(listed.contains(&scene.fingerprint(&key)), "{listed}");
    target.ssh_common_args = Vec::new();
    assert_eq!(output(&target, "echo -n $SSH_AUTH_SOCK").await.unwrap(), "");
}

#[tokio::test]
async fn a_user_certificate() {
    let mut scene = Scene::new();
    let authority = scene.key("authority", &["-t", "ed25519", "-N", ""]);
    let server = scene.server(&format!("TrustedUserCAKeys {}.pub", authority.display()));
    let key = scene.key("key", &["-t", "rsa", "-b", "2048", "-N", ""]);
    let target = scene.known_target(&server, &key);
    assert!(output(&target, "true").await.is_err());
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-s"])
        .arg(&authority)
        .args(["-I", "me", "-n", "root"])
        .arg(format!("{}.pub", key.display()))
        .status()
        .unwrap();
    assert!(signed.success());
    // The cached file did not have it.
    std::fs::OpenOptions::new()
        .write(true)
        .open(&key)
        .unwrap()
        .set_modified(std::time::SystemTime::now())
        .unwrap();
    assert_eq!(output(&target, "echo in").await.map_err(|e| e.to_string()), Ok("in\n".into()));
}

/// A user with a password, in the server's own /etc.
fn with_password() -> String {
    format!("useradd -M -d /tmp -s /bin/sh tester && echo 'tester:{PASSWORD}' | chpasswd")
}

#[tokio::test]
async fn password_right_and_wrong() {
    let mut scene = Scene::new();
    let server = scene.server_with(
        "UsePAM no\nPasswordAuthentication yes\nKbdInteractiveAuthentication no",
        &["ed25519"],
        &with_password(),
    );
    scene.know(&server, "ed25519");
    let mut target = scene.target(&server);
    target.user = Some("tester".into());
    target.password = Some(Secret::new(PASSWORD));
    assert_eq!(output(&target, "id -un").await.map_err(|e| e.to_string()), Ok("tester\n".into()));
    target.password = Some(Secret::new("wrong"));
    let error = output(&target, "true").await.unwrap_err().to_string();
    assert!(
        error.contains("tester@127.0.0.1: Permission denied (publickey,password). Tried: password"),
        "{error}"
    );
    assert!(!error.contains("wrong"), "{error}");

    // Asked for, with a second try.
    target.password = None;
    let answers = Answers::new(&["wrong", PASSWORD]);
    assert_eq!(exec(&target, "id -un", answers.clone()).await.unwrap().stdout, b"tester\n");
    assert_eq!(answers.asked.lock().unwrap().len(), 2);
    // Nobody is asked in batch mode.
    target.ssh_common_args = words("-o BatchMode=yes");
    let answers = Answers::new(&[PASSWORD]);
    assert!(exec(&target, "true", answers.clone()).await.is_err());
    assert!(answers.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn questions_of_the_server() {
    let mut scene = Scene::new();
    let server = scene.server_with(
        "UsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes",
        &["ed25519"],
        &with_password(),
    );
    scene.know(&server, "ed25519");
    let mut target = scene.target(&server);
    target.user = Some("tester".into());
    target.password = Some(Secret::new(PASSWORD));
    assert_eq!(output(&target, "id -un").await.map_err(|e| e.to_string()), Ok("tester\n".into()));
    target.password = None;
    let answers = Answers::new(&[PASSWORD]);
    assert_eq!(exec(&target, "id -un", answers.clone()).await.unwrap().stdout, b"tester\n");
    let asked = answers.asked.lock().unwrap();
    assert!(matches!(&asked[..], [Question::Interactive { echo: false, .. }]), "{asked:?}");
}

#[tokio::test]
async fn key_and_password_both_wanted() {
    let mut scene = Scene::new();
    let server = scene.server_with(
        "UsePAM no\nPasswordAuthentication yes\nAuthenticationMethods publickey,password",
        &["ed25519"],
        &with_password(),
    );
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let mut target = scene.known_target(&server, &key);
    target.user = Some("tester".into());
    target.password = Some(Secret::new(PASSWORD));
    assert_eq!(output(&target, "id -un").await.map_err(|e| e.to_string()), Ok("tester\n".into()));
}
