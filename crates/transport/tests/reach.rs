//! The way to a host: jump hosts, proxy commands, addresses that do not answer, plain commands, and the
//! connections that are not ssh.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use support::*;
use transport::{ConnectError, Connection, ExecOptions, ExitStatus, SshError, Target};

fn ssh_error(error: ConnectError) -> SshError {
    match error {
        ConnectError::Ssh(error) => error,
        other => panic!("not an error of ssh: {other}"),
    }
}

/// A configuration file for both servers, the second behind the first.
fn config(scene: &Scene, jump: &Server, host: &Server, key: &std::path::Path) -> String {
    let text = format!(
        "Host jump\n  HostName 127.0.0.1\n  Port {}\nHost inner\n  HostName 127.0.0.1\n  Port {}\n  ProxyJump jump\n\
         Host *\n  User root\n  IdentityFile {}\n  IdentityAgent none\n  UserKnownHostsFile {}\n  GlobalKnownHostsFile /dev/null\n",
        jump.port,
        host.port,
        key.display(),
        scene.path("known_hosts").display()
    );
    let path = scene.path("config");
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[tokio::test]
async fn through_jump_hosts() {
    let mut scene = Scene::new();
    let (jump, host) = (scene.server(""), scene.server(""));
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    scene.know(&jump, "ed25519");
    scene.know(&host, "ed25519");
    let file = config(&scene, &jump, &host, &key);
    let ports = |port: u16| format!("echo ${{SSH_CONNECTION##* }}; test ${{SSH_CONNECTION##* }} = {port}");
    for (name, arguments) in [
        ("inner", format!("-F {file}")),
        ("inner", format!("-F {file} -J jump")),
        ("inner", format!("-F {file} -J root@127.0.0.1:{}", jump.port)),
        ("inner", format!("-F {file} -J jump,jump")),
        ("inner", format!("-F {file} -o ProxyCommand=ssh\u{1}-F\u{1}{file}\u{1}-W\u{1}%h:%p\u{1}jump")),
        ("jump", format!("-F {file} -o ProxyJump=none")),
    ] {
        let mut target = Target::new(name, Connection::Ssh);
        target.ssh_args = words(&arguments).into_iter().map(|w| w.replace('\u{1}', " ")).collect();
        let port = if name == "inner" { host.port } else { jump.port };
        let got = output(&target, &ports(port)).await;
        assert_eq!(got.map_err(|e| e.to_string()), Ok(format!("{port}\n")), "{arguments}");
    }
}

#[tokio::test]
async fn a_jump_host_that_fails_is_named() {
    let mut scene = Scene::new();
    let (jump, host) = (scene.server(""), scene.server(""));
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    scene.know(&jump, "ed25519");
    scene.know(&host, "ed25519");
    let file = config(&scene, &jump, &host, &key);
    let mut target = Target::new("inner", Connection::Ssh);
    for (arguments, expected) in [
        ("-J nosuch.invalid", "jump host nosuch.invalid: ssh: Could not resolve hostname nosuch.invalid"),
        (
            "-J root@127.0.0.1:1",
            "jump host 127.0.0.1: ssh: connect to host 127.0.0.1 port 1: Connection refused",
        ),
        ("-J jump,nosuch@jump", "jump host jump: nosuch@jump: Permission denied"),
        ("-p 1", "ssh: connect to host 127.0.0.1 port 1: the jump host cannot reach it: ConnectFailed"),
        (
            "-o ProxyCommand=sh\u{1}-c\u{1}'echo\u{1}no\u{1}way\u{1}>&2'",
            "ProxyCommand `sh -c 'echo no way >&2'`: no way",
        ),
    ] {
        target.ssh_args =
            words(&format!("-F {file} {arguments}")).into_iter().map(|w| w.replace('\u{1}', " ")).collect();
        let error = output(&target, "true").await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("Failed to connect to the host via ssh: {expected}")),
            "{arguments}: {error}"
        );
    }
    // A host that is its own jump host does not wait for itself.
    std::fs::write(
        scene.path("loop"),
        "Host *\n ProxyJump a,b\nHost a\n ProxyJump b\nHost b\n ProxyJump a\n",
    )
    .unwrap();
    target.ssh_args = words(&format!("-F {}", scene.path("loop").display()));
    let error = output(&target, "true").await.unwrap_err().to_string();
    assert!(error.contains("it is its own jump host"), "{error}");
}

#[tokio::test]
async fn one_connection_for_all_behind_it() {
    let mut scene = Scene::new();
    let server = scene.server("");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let target = Arc::new(scene.known_target(&server, &key));
    let mut runs = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let target = target.clone();
        runs.spawn(async move { output(&target, "echo $PPID").await.unwrap() });
    }
    let mut parents: Vec<String> = runs.join_all().await;
    parents.dedup();
    assert_eq!(parents.len(), 1, "{parents:?}");
    // Unless a new one is asked for.
    let options = ExecOptions { new_connection: true, ..ExecOptions::default() };
    let other = transport::exec(&target, "echo $PPID", options, Answers::new(&[])).await.unwrap();
    assert_ne!(String::from_utf8(other.stdout).unwrap(), parents[0]);
}

#[tokio::test]
async fn hosts_that_do_not_answer() {
    let scene = Scene::new();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut target = scene.target(&Server { port: silent.local_addr().unwrap().port(), dir: scene.path("") });
    target.timeout = Duration::from_secs(2);
    let begin = Instant::now();
    let error = ssh_error(output(&target, "true").await.unwrap_err());
    assert!(matches!(&error, SshError::Timeout { seconds: 2, doing: "exchanging keys", .. }), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(4));
    assert!(error.to_string().contains("Connection timed out"), "{error}");

    // ConnectTimeout says otherwise.
    target.ssh_args.push("-oConnectTimeout=1".into());
    let error = ssh_error(output(&target, "true").await.unwrap_err());
    assert!(matches!(&error, SshError::Timeout { seconds: 1, .. }), "{error}");

    target.port = Some(1);
    let error = output(&target, "true").await.unwrap_err().to_string();
    assert_eq!(
        error,
        "Failed to connect to the host via ssh: ssh: connect to host 127.0.0.1 port 1: Connection refused"
    );

    target.host = "nosuch.invalid".into();
    let error = ssh_error(output(&target, "true").await.unwrap_err());
    assert!(matches!(&error, SshError::Resolve { host, .. } if host == "nosuch.invalid"), "{error}");
}

#[tokio::test]
async fn what_answers_is_not_ssh() {
    use std::io::Write;
    let scene = Scene::new();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let target = scene.target(&Server { port: other.local_addr().unwrap().port(), dir: scene.path("") });
    let answering = std::thread::spawn(move || {
        for reply in ["HTTP/1.1 400 Bad Request\r\n\r\n", "SSH-1.5-old\r\n", ""] {
            let (mut stream, _) = other.accept().unwrap();
            stream.write_all(reply.as_bytes()).unwrap();
        }
    });
    for _ in 0..3 {
        let error = ssh_error(output(&target, "true").await.unwrap_err());
        assert!(matches!(&error, SshError::Handshake { .. }), "{error:?}");
    }
    answering.join().unwrap();
}

#[tokio::test]
async fn a_server_that_dies_is_noticed() {
    let mut scene = Scene::new();
    let server = scene.server("");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let mut target = scene.known_target(&server, &key);
    target.ssh_common_args = words("-o ServerAliveInterval=1 -o ServerAliveCountMax=2");
    // The server's process for this connection stops, but nobody closes anything.
    let begin = Instant::now();
    let error = output(&target, "kill -STOP $PPID; sleep 60").await.unwrap_err();
    assert!(matches!(error, ConnectError::Lost(_)), "{error}");
    assert!(begin.elapsed() < Duration::from_secs(15), "{:?}", begin.elapsed());
    assert!(error.to_string().contains("not responding"), "{error}");
}

#[tokio::test]
async fn commands() {
    let mut scene = Scene::new();
    let server = scene.server("AcceptEnv LC_*");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    let mut target = scene.known_target(&server, &key);
    target.ssh_common_args = words("-o SetEnv=LC_TEST=there -C");
    let run = async |command: &str, options: ExecOptions| {
        transport::exec(&target, command, options, Answers::new(&[])).await.unwrap()
    };
    let options = || ExecOptions::default();
    let got = run("echo out; echo err >&2; exit 7", options()).await;
    assert_eq!(
        (got.status, &got.stdout[..], &got.stderr[..]),
        (ExitStatus::Code(7), &b"out\n"[..], &b"err\n"[..])
    );
    let got = run("kill -TERM $$", options()).await;
    assert_eq!((got.status.clone(), got.status.code()), (ExitStatus::Signal("TERM".into()), 143));
    let stdin = b"some input".repeat(100_000);
    let got = run("cat", ExecOptions { stdin: stdin.clone(), ..options() }).await;
    assert!(got.stdout == stdin);
    // Input that nobody reads does not hold anything up.
    assert_eq!(run("true", ExecOptions { stdin, ..options() }).await.status, ExitStatus::Code(0));
    let got = run("test -t 0 && test -t 1 && echo terminal", ExecOptions { tty: true, ..options() }).await;
    assert_eq!(got.stdout, b"terminal\r\n");
    assert_eq!(run("echo $LC_TEST", options()).await.stdout, b"there\n");
    let late = ExecOptions { timeout: Some(Duration::from_millis(300)), ..options() };
    let error = transport::exec(&target, "sleep 30", late, Answers::new(&[])).await.unwrap_err();
    assert!(matches!(error, ConnectError::Timeout { .. }), "{error}");
}

#[tokio::test]
async fn algorithms_that_are_asked_for() {
    let mut scene = Scene::new();
    let server = scene.server("Ciphers +aes128-cbc\nKexAlgorithms +diffie-hellman-group14-sha1");
    let key = scene.authorized_key("key", &["-t", "ed25519", "-N", ""]);
    for (number, arguments) in [
        "-c aes256-gcm@openssh.com",
        "-c aes128-ctr -m hmac-sha2-512",
        "-c chacha20-poly1305@openssh.com",
        "-c aes128-cbc -m hmac-sha1",
        "-o KexAlgorithms=curve25519-sha256",
        "-o KexAlgorithms=ecdh-sha2-nistp384",
        "-o KexAlgorithms=diffie-hellman-group14-sha1",
        "-o KexAlgorithms=diffie-hellman-group-exchange-sha256",
        "-o Ciphers=-*gcm*",
        "-o MACs=hmac-sha2-256-etm@openssh.com -c aes256-ctr",
    ]
    .iter()
    .enumerate()
    {
        let mut target = scene.known_target(&server, &key);
        // Large groups take long without optimization.
        target.timeout = Duration::from_secs(60);
        target.ssh_common_args = words(&format!("{arguments} -o ServerAliveInterval={}", number + 1));
        let got = output(&target, "echo in").await;
        assert_eq!(got.map_err(|e| e.to_string()), Ok("in\n".into()), "{arguments}");
    }
    let mut target = scene.known_target(&server, &key);
    target.ssh_common_args = words("-o KexAlgorithms=diffie-hellman-group1-sha1");
    let error = output(&target, "true").await.unwrap_err().to_string();
    assert!(error.contains("no matching key exchange method found. Their offer: "), "{error}");
    target.ssh_common_args = words("-c rot13");
    let error = output(&target, "true").await.unwrap_err().to_string();
    assert!(error.contains("none of the Ciphers rot13 is supported"), "{error}");
}

async fn answers(target: &Target, agents: &transport::AgentBinaries) {
    let session = transport::connect(target, start(), agents, Answers::new(&[]), Vec::new()).await;
    let session = session.unwrap();
    assert_eq!(session.hello.user, "arrived");
    session.close().await;
}

#[tokio::test]
async fn locally() {
    let target = Target::new("localhost", Connection::Local);
    let command = vec![test_agent().into_os_string()];
    answers(&target, &transport::AgentBinaries::new().with_local(command)).await;
    let got = exec(&target, "echo out; exit 3", Answers::new(&[])).await.unwrap();
    assert_eq!((got.status, got.stdout), (ExitStatus::Code(3), b"out\n".to_vec()));
    let none = transport::AgentBinaries::new().with_local(vec!["/nonexistent/agent".into()]);
    let error = transport::connect(&target, start(), &none, Answers::new(&[]), Vec::new()).await;
    let error = error.map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        error,
        "Failed to start a process: /nonexistent/agent: No such file or directory (os error 2)"
    );
}

#[tokio::test]
async fn in_a_chroot() {
    let scene = Scene::new();
    let mut target = Target::new("root", Connection::Chroot);
    target.host = "/".into();
    target.agent_dirs = vec![scene.path("agents").display().to_string()];
    answers(&target, &agents()).await;
    answers(&target, &agents()).await;
    target.host = scene.path("").display().to_string();
    let error = connect(&target).await.map(|_| ()).unwrap_err().to_string();
    assert!(error.ends_with("it has no /bin/sh"), "{error}");
    target.host = "/nonexistent".into();
    let error = connect(&target).await.map(|_| ()).unwrap_err().to_string();
    assert_eq!(error, "Failed to enter the chroot /nonexistent: it is not a directory");
}

/// A program that takes the arguments of `docker exec` and shows what it was called with.
#[tokio::test]
async fn in_a_container() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new();
    let docker = scene.path("docker");
    let log = scene.path("log");
    let script = format!(
        "#!/bin/sh\necho \"$1|$2|$3|$4|$5|$6\" >> {}\n\
         [ \"$6\" = web ] || {{ echo \"Error: No such container: $6\" >&2; exit 1; }}\nshift 6; exec \"$@\"\n",
        log.display()
    );
    std::fs::write(&docker, script).unwrap();
    std::fs::set_permissions(&docker, PermissionsExt::from_mode(0o755)).unwrap();
    let mut target = Target::new("web", Connection::Docker);
    target.program = Some(docker.display().to_string());
    target.program_args = words("--tls");
    target.user = Some("app".into());
    target.agent_dirs = vec![scene.path("agents").display().to_string()];
    answers(&target, &agents()).await;
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "--tls|exec|-i|-u|app|web\n");
    target.host = "db".into();
    let error = connect(&target).await.map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        error,
        "The host did not start the agent: it ended with exit code 1: Error: No such container: db"
    );
    target.host = "--privileged".into();
    assert!(matches!(connect(&target).await, Err(ConnectError::Docker { .. })));
}
