//! `provision add-root` against a real sshd, in a mount namespace with a /root of its own.
//!
//! Needs root, OpenSSH's client and server, util-linux and sudo.

#[path = "../../transport/tests/support/mod.rs"]
mod support;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use support::{PASSWORD, Scene, Server};

/// A fresh server: root (and `tester`) log in with a password, nobody has a key.
struct Fresh {
    server: Server,
    /// The server's /root, seen from outside.
    root: PathBuf,
}

/// The configuration of a fresh server's sshd.
const LINES: &str = "UsePAM no\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n\
                     AuthorizedKeysFile .ssh/authorized_keys\nStrictModes yes";

fn fresh(scene: &mut Scene, name: &str) -> Fresh {
    fresh_with(scene, name, "", &["ed25519"], "")
}

fn fresh_with(scene: &mut Scene, name: &str, lines: &str, types: &[&str], setup: &str) -> Fresh {
    let root = scene.path(&format!("root-of-{name}"));
    fs::create_dir(&root).unwrap();
    fs::set_permissions(&root, PermissionsExt::from_mode(0o700)).unwrap();
    let setup = format!(
        "mount --bind {root} /root
         useradd -M -d {home} -s /bin/sh tester; mkdir {home}; chown tester {home}
         printf '%s\\n' 'root:{PASSWORD}' 'tester:{PASSWORD}' | chpasswd
         {setup}",
        root = root.display(),
        home = scene.path(&format!("tester-of-{name}")).display(),
    );
    let server = scene.server_with(&format!("{lines}\n{LINES}"), types, &setup);
    Fresh { server, root }
}

impl Fresh {
    fn host(&self) -> String {
        format!("127.0.0.1:{}", self.server.port)
    }

    fn keys(&self) -> String {
        fs::read_to_string(self.root.join(".ssh/authorized_keys")).unwrap_or_default()
    }

    fn has_seen_a_password(&self) -> bool {
        self.server.log().contains("password for")
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// The user: a home with a key, and files with passwords.
fn user(scene: &Scene) -> PathBuf {
    let ssh = scene.path("user/.ssh");
    fs::create_dir_all(&ssh).unwrap();
    for (name, text) in [("right", PASSWORD), ("wrong", "not the password")] {
        fs::write(scene.path(name), format!("{text}\n")).unwrap();
        fs::set_permissions(scene.path(name), PermissionsExt::from_mode(0o600)).unwrap();
    }
    scene.key("user/.ssh/id_ed25519", &["-t", "ed25519", "-N", ""])
}

fn key_line(scene: &Scene) -> String {
    fs::read_to_string(scene.path("user/.ssh/id_ed25519.pub")).unwrap()
}

fn command(scene: &Scene) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_provision"));
    let options = format!(
        "-F none -o IdentityAgent=none -o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null",
        scene.path("known_hosts").display()
    );
    command.args(["add-root", "--ssh-common-args", &options]).stdin(Stdio::null());
    command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", scene.path("user"));
    command.current_dir(scene.path("user"));
    command
}

/// Output of one run, and its exit code.
#[derive(Debug)]
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn line(&self) -> &str {
        self.out.trim_end()
    }
}

fn run(command: &mut Command) -> Ran {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = Ran { code: status.code(), out: text(stdout), err: text(stderr) };
    for secret in [PASSWORD, "not the password"] {
        assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "a password was printed: {ran:?}");
    }
    ran
}

/// `add-root` for one server, with these arguments.
fn add_root(scene: &Scene, fresh: &Fresh, arguments: &[&str]) -> Ran {
    run(command(scene).arg(fresh.host()).args(arguments))
}

fn with_password(scene: &Scene, name: &str) -> [String; 2] {
    ["--connection-password-file".into(), scene.path(name).display().to_string()]
}

/// `add-root` with the right password.
fn add_root_rightly(scene: &Scene, fresh: &Fresh, arguments: &[&str]) -> Ran {
    run(command(scene).arg(fresh.host()).args(with_password(scene, "right")).args(arguments))
}

#[test]
fn the_right_password_adds_the_key_once() {
    let mut scene = Scene::new();
    let identity = user(&scene);
    let server = fresh(&mut scene, "a");
    scene.know(&server.server, "ed25519");
    let ran = add_root_rightly(&scene, &server, &[]);
    let expected =
        format!("changed: [127.0.0.1]: the key was added; root can log in with {}", identity.display());
    assert_eq!((ran.code, ran.line()), (Some(0), &*expected), "{ran:?}");
    assert_eq!(server.keys(), key_line(&scene));
    let file = server.root.join(".ssh/authorized_keys");
    assert_eq!((mode(&server.root.join(".ssh")), mode(&file)), (0o700, 0o600));

    // Again: no password is needed, nothing is written.
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    let ran = add_root(&scene, &server, &[]);
    let expected = format!("ok: [127.0.0.1]: root can log in with {}", identity.display());
    assert_eq!((ran.code, ran.line()), (Some(0), &*expected), "{ran:?}");
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);

    // OpenSSH thinks so, too.
    let ssh = Command::new("ssh")
        .args(["-F", "none", "-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-i"])
        .arg(&identity)
        .arg(format!("-oUserKnownHostsFile={}", scene.path("known_hosts").display()))
        .args(["-p", &server.server.port.to_string(), "root@127.0.0.1", "id -un"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&ssh.stdout), "root\n");
}

#[test]
fn a_wrong_password_adds_nothing() {
    let mut scene = Scene::new();
    user(&scene);
    let server = fresh(&mut scene, "a");
    scene.know(&server.server, "ed25519");
    let ran = run(command(&scene).arg(server.host()).args(with_password(&scene, "wrong")));
    let expected =
        "unreachable: [127.0.0.1]: Failed to connect to the host via ssh: root@127.0.0.1: Permission denied";
    assert!(ran.code == Some(4) && ran.line().starts_with(expected), "{ran:?}");
    assert_eq!(server.keys(), "");
    // Nobody is there to be asked, and nothing is given.
    let ran = add_root(&scene, &server, &[]);
    assert_eq!((ran.code, server.keys().as_str()), (Some(4), ""), "{ran:?}");
}

#[test]
fn an_unknown_host_gets_no_password_unless_its_fingerprint_is_given() {
    let mut scene = Scene::new();
    user(&scene);
    let server = fresh_with(&mut scene, "a", "", &["ed25519", "rsa"], "");
    let shown = scene.fingerprint(&server.server.dir.join("host_ed25519"));

    let ran = add_root_rightly(&scene, &server, &[]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.line().contains("Host key verification failed") && ran.line().contains(&shown), "{ran:?}");

    let other = format!("SHA256:{}", "A".repeat(43));
    let ran = add_root_rightly(&scene, &server, &["--fingerprint", &other]);
    assert!(ran.code == Some(4) && ran.line().contains(&format!("expected was {other}")), "{ran:?}");
    assert!(!server.has_seen_a_password(), "{}", server.server.log());
    assert!(!scene.path("known_hosts").exists());

    // That of another of its keys is as good.
    let rsa = scene.fingerprint(&server.server.dir.join("host_rsa"));
    let ran = add_root_rightly(&scene, &server, &["--fingerprint", &rsa]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(server.keys(), key_line(&scene));
    let known = fs::read_to_string(scene.path("known_hosts")).unwrap();
    assert!(known.contains(&scene.public(&server.server.dir.join("host_rsa"))), "{known}");

    let ran = add_root(&scene, &server, &["--fingerprint", &format!("127.0.0.1={shown}")]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
}

#[test]
fn a_changed_host_key_is_refused() {
    let mut scene = Scene::new();
    user(&scene);
    let server = fresh(&mut scene, "a");
    let old = scene.key("old", &["-t", "ed25519", "-N", ""]);
    let known = format!("[127.0.0.1]:{} {}\n", server.server.port, scene.public(&old));
    fs::write(scene.path("known_hosts"), &known).unwrap();
    // No password even from those who do not check.
    let mut unchecked = command(&scene);
    unchecked.arg(server.host()).args(with_password(&scene, "right"));
    let ran = run(unchecked.env("ANSIBLE_HOST_KEY_CHECKING", "False"));
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let ran = add_root_rightly(&scene, &server, &[]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    let place = format!("{}:1", scene.path("known_hosts").display());
    assert!(ran.line().contains("HAS CHANGED") && ran.line().contains(&place), "{ran:?}");
    assert!(!server.has_seen_a_password(), "{}", server.server.log());
    assert_eq!((&*server.keys(), fs::read_to_string(scene.path("known_hosts")).unwrap()), ("", known));
}

#[test]
fn a_home_with_wrong_rights_is_mended() {
    let mut scene = Scene::new();
    user(&scene);
    let server = fresh(&mut scene, "a");
    scene.know(&server.server, "ed25519");
    let ssh = server.root.join(".ssh");
    fs::create_dir(&ssh).unwrap();
    let file = ssh.join("authorized_keys");
    // The key is there, but sshd does not trust the file.
    fs::write(&file, key_line(&scene)).unwrap();
    for (path, mode) in [(&server.root, 0o775), (&ssh, 0o777), (&file, 0o666)] {
        fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
    std::os::unix::fs::chown(&ssh, Some(12345), None).unwrap();
    let ran = add_root_rightly(&scene, &server, &[]);
    assert!(ran.code == Some(0) && ran.line().starts_with("changed: [127.0.0.1]: "), "{ran:?}");
    for part in [
        "nobody but root can write to /root any more",
        "/root/.ssh belongs to root now",
        "nobody but root can write to /root/.ssh any more",
        "nobody but root can write to /root/.ssh/authorized_keys any more",
    ] {
        assert!(ran.line().contains(part), "{part}: {ran:?}");
    }
    assert!(!ran.line().contains("the key was added"), "{ran:?}");
    assert_eq!((mode(&server.root), mode(&ssh), mode(&file)), (0o755, 0o755, 0o644));
    assert_eq!(server.keys(), key_line(&scene));
}

#[test]
fn other_keys_stay_and_a_forced_command_goes() {
    let mut scene = Scene::new();
    user(&scene);
    let server = fresh(&mut scene, "a");
    scene.know(&server.server, "ed25519");
    let other = scene.key("other", &["-t", "ed25519", "-N", ""]);
    let other = format!("# of the image\n{} somebody\n", scene.public(&other));
    // As images of clouds have it.
    let forced = format!("command=\"echo Please login as admin; exit 142\" {}", key_line(&scene));
    fs::create_dir(server.root.join(".ssh")).unwrap();
    fs::write(server.root.join(".ssh/authorized_keys"), format!("{other}{forced}")).unwrap();
    let ran = add_root_rightly(&scene, &server, &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(server.keys(), format!("{other}{}", key_line(&scene)));
}

#[test]
fn a_user_with_sudo() {
    for (rule, password, expected) in [
        ("tester ALL=(ALL) NOPASSWD: ALL", None, Some(0)),
        // Without another, the login's password is sudo's.
        ("tester ALL=(ALL) ALL", None, Some(0)),
        ("tester ALL=(ALL) ALL", Some("right"), Some(0)),
        ("tester ALL=(ALL) ALL", Some("wrong"), Some(2)),
        ("# nothing for tester", None, Some(2)),
    ] {
        let mut scene = Scene::new();
        user(&scene);
        let setup = format!("echo '{rule}' > /etc/sudoers.d/tester; chmod 440 /etc/sudoers.d/tester");
        let server = fresh_with(&mut scene, "a", "PermitRootLogin prohibit-password", &["ed25519"], &setup);
        scene.know(&server.server, "ed25519");
        let mut command = command(&scene);
        command.arg(format!("tester@{}", server.host())).args(with_password(&scene, "right"));
        if let Some(name) = password {
            command.arg("--become-password-file").arg(scene.path(name));
        }
        let ran = run(&mut command);
        assert_eq!(ran.code, expected, "{rule} with {password:?}: {ran:?}");
        let keys = if expected == Some(0) { key_line(&scene) } else { String::new() };
        assert_eq!(server.keys(), keys, "{rule} with {password:?}");
        if password == Some("wrong") {
            assert_eq!(ran.line(), "failed: [127.0.0.1]: Incorrect sudo password");
        }
    }
}

#[test]
fn root_that_may_not_log_in_at_all_is_no_success() {
    let mut scene = Scene::new();
    user(&scene);
    let setup = "echo 'tester ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers.d/tester
                 echo 'PermitRootLogin no' > /etc/ssh/sshd_config; ssh-keygen -A >/dev/null";
    let server = fresh_with(&mut scene, "a", "PermitRootLogin no", &["ed25519"], setup);
    scene.know(&server.server, "ed25519");
    let ran = add_root_rightly(&scene, &server, &["-u", "tester"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    let expected = "the key is in root's authorized_keys, but logging in with it fails";
    assert!(ran.line().contains(expected) && ran.line().contains("permitrootlogin no"), "{ran:?}");
    assert_eq!(server.keys(), key_line(&scene));
}

#[test]
fn hosts_of_an_inventory_at_once() {
    let mut scene = Scene::new();
    user(&scene);
    let servers: Vec<Fresh> = ["a", "b", "c"].map(|name| fresh(&mut scene, name)).into();
    let mut inventory = String::from("[web]\n");
    for (name, server) in ["a", "b"].iter().zip(&servers) {
        scene.know(&server.server, "ed25519");
        inventory += &format!("{name} ansible_host=127.0.0.1 ansible_port={}\n", server.server.port);
    }
    // Later runs log in as another user; -u is about this one.
    inventory += "[web:vars]\nansible_user=deploy\nansible_password=\"{{ initial }}\"\n[db]\n";
    inventory += &format!("c ansible_host=127.0.0.1 ansible_port={}\n", servers[2].server.port);
    fs::write(scene.path("hosts"), inventory).unwrap();
    let initial = format!("initial={PASSWORD:?}");
    let base = || {
        let mut command = command(&scene);
        command.arg("-i").arg(scene.path("hosts")).args(["-u", "root", "-e", &initial]);
        command
    };
    let ran = run(base().args(["-l", "web"]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let mut lines: Vec<&str> = ran.out.lines().map(|l| l.split(": the key").next().unwrap()).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["changed: [a]", "changed: [b]"]);
    assert!(servers[2].keys().is_empty());

    // One that cannot be reached does not keep the others from it. Patterns do as well as a limit.
    let ran = run(base().args(["db", "a"]));
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(
        ran.out.contains("ok: [a]: root can log in") && ran.out.contains("unreachable: [c]: "),
        "{ran:?}"
    );

    let ran = run(base().arg("nosuch"));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("Could not match supplied host pattern: nosuch"), "{ran:?}");
}

#[test]
fn a_password_from_a_file_descriptor() {
    let mut scene = Scene::new();
    user(&scene);
    let server = fresh(&mut scene, "a");
    scene.know(&server.server, "ed25519");
    let add = command(&scene);
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$@\" 3< \"$RIGHT\"", "sh"]).arg(add.get_program()).args(add.get_args());
    shell.args([&server.host(), "--password-fd", "3"]);
    shell.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", scene.path("user"));
    let ran = run(shell.env("RIGHT", scene.path("right")));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(server.keys(), key_line(&scene));

    let ran = add_root(&scene, &server, &["--password-fd", "77"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("file descriptor 77: it is not open"), "{ran:?}");
}

/// On a terminal: the host's key is shown and accepted, the password is asked for, and not shown.
#[test]
fn questions_on_a_terminal() {
    let mut scene = Scene::new();
    user(&scene);
    let server = fresh(&mut scene, "a");
    let add = command(&scene);
    let words: Vec<String> = std::iter::once(add.get_program())
        .chain(add.get_args())
        .map(|word| format!("'{}'", word.to_str().unwrap()))
        .collect();
    let mut script = Command::new("script")
        .args(["-qefc", &format!("{} {}", words.join(" "), server.host()), "/dev/null"])
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("TERM", "dumb")])
        .env("HOME", scene.path("user"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = script.stdin.take().unwrap();
    let mut screen = script.stdout.take().unwrap();
    let mut seen = String::new();
    let mut wait_for = |text: &str| {
        let mut piece = [0; 4096];
        while !seen.contains(text) {
            let count = screen.read(&mut piece).unwrap();
            assert!(count > 0, "no {text:?} in {seen:?}");
            seen.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
    };
    wait_for(&scene.fingerprint(&server.server.dir.join("host_ed25519")));
    wait_for("(yes/no)? ");
    keyboard.write_all(b"yes\n").unwrap();
    wait_for("root@127.0.0.1's password: ");
    keyboard.write_all(format!("{PASSWORD}\n").as_bytes()).unwrap();
    wait_for("root can log in with");
    drop(keyboard);
    assert!(script.wait().unwrap().success(), "{seen}");
    assert!(!seen.contains(PASSWORD), "{seen}");
    assert_eq!(server.keys(), key_line(&scene));
}

#[test]
fn wrong_options_are_refused_before_anything_connects() {
    let scene = Scene::new();
    user(&scene);
    let fingerprint = format!("SHA256:{}", "A".repeat(43));
    for (arguments, code, text) in [
        (&[][..], 5, "no hosts"),
        (&["web", "--become-user", "admin"], 5, "--become-user"),
        (&["web", "-c", "local"], 5, "--connection"),
        (&["web", "--fingerprint", "MD5:00"], 5, "is not a fingerprint"),
        (&["web", "db", "--fingerprint", &fingerprint], 5, "for one host, but there are 2"),
        (&["web", "--fingerprint", &format!("db={fingerprint}")], 5, "none of the hosts"),
        (&["web:x"], 5, "the port is not a number"),
        (&["web", "--key", "/nonexistent"], 1, "Could not read the public key /nonexistent.pub"),
        (&["web", "--nonsense"], 2, "--nonsense"),
    ] {
        let ran = run(command(&scene).args(arguments));
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(text), "{arguments:?}: {ran:?}");
    }
    fs::remove_file(scene.path("user/.ssh/id_ed25519.pub")).unwrap();
    let ran = run(command(&scene).arg("web"));
    assert!(ran.err.contains("There is no key to add"), "{ran:?}");
}
