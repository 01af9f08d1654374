//! A real OpenSSH server for each test, on a loopback port, with its own keys and configuration.

#![allow(dead_code)]

use std::collections::VecDeque;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use protocol::{Secret, Start};
use transport::{
    AgentBinaries, BoxFuture, ConnectError, Connection, ExecOptions, ExecOutput, Prompter, Question, Session,
    Target, UnknownHostKey,
};

/// Directory of one test: server and client side of ssh. Removed at the end.
pub struct Scene {
    pub dir: tempfile::TempDir,
    servers: Vec<Child>,
}

/// A running sshd.
#[derive(Clone, Debug)]
pub struct Server {
    pub port: u16,
    pub dir: PathBuf,
}

pub const PASSWORD: &str = "correct horse";

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| {
        panic!(
            "{:?} cannot be started ({e}): these tests need OpenSSH's client and server",
            command.get_program()
        )
    });
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

impl Scene {
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("provision-transport-").tempdir().unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o755)).unwrap();
        std::fs::create_dir(dir.path().join("home")).unwrap();
        std::fs::write(dir.path().join("authorized_keys"), "").unwrap();
        std::fs::set_permissions(dir.path().join("authorized_keys"), PermissionsExt::from_mode(0o644))
            .unwrap();
        Self { dir, servers: Vec::new() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Make a key pair; returns the private file.
    pub fn key(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let path = self.path(name);
        run(Command::new("ssh-keygen").args(["-q", "-f"]).arg(&path).args(arguments).args(["-C", name]));
        path
    }

    /// Make a key pair and let it in.
    pub fn authorized_key(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let path = self.key(name, arguments);
        self.authorize(&path);
        path
    }

    pub fn authorize(&self, key: &Path) {
        let public = std::fs::read_to_string(key.with_extension("pub")).unwrap();
        let all = std::fs::read_to_string(self.path("authorized_keys")).unwrap() + &public;
        std::fs::write(self.path("authorized_keys"), all).unwrap();
    }

    pub fn fingerprint(&self, key: &Path) -> String {
        let line = run(Command::new("ssh-keygen").args(["-lf"]).arg(key));
        line.split_whitespace().nth(1).unwrap().to_owned()
    }

    pub fn public(&self, key: &Path) -> String {
        let text = std::fs::read_to_string(format!("{}.pub", key.display())).unwrap();
        text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
    }

    /// Start a server with an ed25519 host key and these lines of sshd_config in front.
    pub fn server(&mut self, lines: &str) -> Server {
        self.server_with(lines, &["ed25519"], "")
    }

    /// Start a server with host keys of these types. `setup` is run by a shell as root in a mount namespace
    /// of the server's own, with a copy of /etc that it may change.
    pub fn server_with(&mut self, lines: &str, types: &[&str], setup: &str) -> Server {
        let number = self.servers.len();
        let dir = self.path(&format!("server{number}"));
        std::fs::create_dir(&dir).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut config =
            format!("{lines}\nListenAddress 127.0.0.1\nPort {port}\nPidFile none\nStrictModes no\n");
        config += "PermitRootLogin yes\nPermitUserEnvironment no\nLogLevel VERBOSE\nMaxStartups 100\n";
        config += &format!("AuthorizedKeysFile {}\n", self.path("authorized_keys").display());
        for kind in types {
            let name = format!("server{number}/host_{kind}");
            let key = self.key(&name, &["-t", kind, "-N", ""]);
            config += &format!("HostKey {}\n", key.display());
        }
        std::fs::write(dir.join("sshd_config"), &config).unwrap();
        // Where sshd separates its privileges; Debian makes it at boot.
        std::fs::create_dir_all("/run/sshd").unwrap();
        let script = format!(
            "mount --make-rprivate / && cp -a /etc {dir}/etc && mount --bind {dir}/etc /etc && \
             mkdir -p {home} && mount --bind {home} /root/.cache 2>/dev/null; {setup}\n\
             exec $(command -v sshd || echo /usr/sbin/sshd) -D -e -f {dir}/sshd_config",
            dir = dir.display(),
            home = self.path("home").display(),
        );
        let log = std::fs::File::create(dir.join("log")).unwrap();
        let child = Command::new("unshare")
            .args(["-m", "sh", "-c", &script])
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .process_group(0)
            .spawn()
            .expect("unshare cannot be started: these tests need util-linux");
        self.servers.push(child);
        let server = Server { port, dir };
        let begin = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "sshd does not listen (is openssh-server installed?):\n{}",
                server.log()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        server
    }

    /// A target for `server` that uses nothing of the person's own ssh.
    pub fn target(&self, server: &Server) -> Target {
        let mut target = Target::new("web", Connection::Ssh);
        target.host = "127.0.0.1".into();
        target.port = Some(server.port);
        target.user = Some("root".into());
        target.ssh_args = words(&format!(
            "-F none -o IdentityAgent=none -o UserKnownHostsFile={} -o GlobalKnownHostsFile=/dev/null",
            self.path("known_hosts").display()
        ));
        target.agent_dirs = vec![self.path("agents").display().to_string()];
        target
    }

    /// The same, with this key and the server's key known.
    pub fn known_target(&self, server: &Server, key: &Path) -> Target {
        self.know(server, "ed25519");
        let mut target = self.target(server);
        target.private_key_file = Some(key.to_owned());
        target
    }

    /// Put the server's host key into known_hosts.
    pub fn know(&self, server: &Server, kind: &str) {
        let line = format!(
            "[127.0.0.1]:{} {}\n",
            server.port,
            self.public(&server.dir.join(format!("host_{kind}")))
        );
        let file = self.path("known_hosts");
        let all = std::fs::read_to_string(&file).unwrap_or_default() + &line;
        std::fs::write(file, all).unwrap();
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        for server in &mut self.servers {
            // The group: sshd and what it started.
            let _ = Command::new("kill").args(["-KILL", "--", &format!("-{}", server.id())]).status();
            let _ = server.wait();
        }
    }
}

impl Server {
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }
}

pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The stand-in for the agent that cargo has built beside the tests.
pub fn test_agent() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.pop();
    let path = path.join("examples/test_agent");
    assert!(
        path.exists(),
        "{} is missing: build it with `cargo build -p transport --examples`",
        path.display()
    );
    path
}

pub fn machine() -> String {
    run(Command::new("uname").arg("-m")).trim().to_owned()
}

/// The agents there are: one, for this machine; packed once for all tests.
pub fn agents() -> AgentBinaries {
    static AGENTS: std::sync::OnceLock<AgentBinaries> = std::sync::OnceLock::new();
    let read = || AgentBinaries::new().with(&machine(), std::fs::read(test_agent()).unwrap());
    AGENTS.get_or_init(read).clone()
}

/// A start whose answer shows that it arrived.
pub fn start() -> Start {
    Start { version: protocol::VERSION, remote_tmp: Some("arrived".into()), ..Start::default() }
}

/// Answers from a list; what was asked is kept.
#[derive(Default)]
pub struct Answers {
    pub answers: Mutex<VecDeque<String>>,
    pub asked: Mutex<Vec<Question>>,
    pub accept: bool,
    pub keys: Mutex<Vec<UnknownHostKey>>,
    /// Time to think about each.
    pub delay: Duration,
}

impl Answers {
    pub fn new(answers: &[&str]) -> Arc<Self> {
        let answers = Mutex::new(answers.iter().map(|a| (*a).to_owned()).collect());
        Arc::new(Self { answers, ..Self::default() })
    }

    pub fn accepting() -> Arc<Self> {
        Arc::new(Self { accept: true, ..Self::default() })
    }
}

impl Prompter for Answers {
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Option<Secret>> {
        Box::pin(async move {
            tokio::time::sleep(self.delay).await;
            self.asked.lock().unwrap().push(question.clone());
            self.answers.lock().unwrap().pop_front().map(Secret::new)
        })
    }

    fn accept_host_key<'a>(&'a self, key: &'a UnknownHostKey) -> BoxFuture<'a, bool> {
        self.keys.lock().unwrap().push(key.clone());
        Box::pin(std::future::ready(self.accept))
    }
}

pub async fn connect(target: &Target) -> Result<Session, ConnectError> {
    transport::connect(target, start(), &agents(), Answers::new(&[]), Vec::new()).await
}

/// Run `command`, and give its standard output.
pub async fn output(target: &Target, command: &str) -> Result<String, ConnectError> {
    let output = exec(target, command, Answers::new(&[])).await?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

pub async fn exec(target: &Target, command: &str, answers: Arc<Answers>) -> Result<ExecOutput, ConnectError> {
    transport::exec(target, command, ExecOptions::default(), answers).await
}
