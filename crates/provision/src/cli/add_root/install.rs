//! The work on one host: is the key good already, if not add it, then try it.

use std::sync::Arc;
use std::time::Duration;

use protocol::{Become, FromAgent, Map, Outcome, Permission, Secret, Start, Step, ToAgent};
use serde_json::{Value, json};
use transport::{AgentBinaries, ConnectError, ExecOptions, Prompter, Question, Session, SshError, Target};

use super::asker::Asker;
use super::hosts::Goal;
use super::key::RootKey;
use crate::cli::terminal::Terminal;

/// What came of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// Root's login with the key worked before anything was done.
    Already,
    /// It works now. `fixed` says what else stood in its way.
    Added { added: bool, fixed: Vec<String> },
}

/// Why root cannot log in with the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody got in to the host.
    Unreachable(String),
    Failed(String),
}

/// What a login with the key leads to.
enum Login {
    Root,
    /// Not to a shell of root's: images of clouds have root's key with a command that says whom to log in as.
    Other(String),
}

/// What is the same for all hosts.
#[derive(Clone)]
pub struct Installer {
    pub key: Arc<RootKey>,
    pub agents: Arc<AgentBinaries>,
    pub terminal: Arc<Terminal>,
}

/// Time for a login's command: some say their refusal and wait before they end.
const PATIENCE: Duration = Duration::from_secs(30);

/// What sshd wants of root's files (`StrictModes` in sshd_config(5)): nobody but root may write there. Prints a line
/// for each path whose rights were changed.
const FIX_RIGHTS: &str = r#"
for path in ~root ~root/.ssh ~root/.ssh/authorized_keys; do
    [ -e "$path" ] || continue
    path=$(readlink -f "$path" || echo "$path")
    set -- $(LC_ALL=C ls -ldn "$path")
    [ "$3" = 0 ] || { chown 0 "$path" && echo "$path belongs to root now"; } || exit 1
    case $1 in
        ?????w* | ????????w*) chmod go-w "$path" && echo "nobody but root can write to $path any more" || exit 1;;
    esac
done
"#;

/// The settings of the host's sshd that decide about root and keys. Only words of sshd itself are printed.
const ASK_SSHD: &str = r#"
PATH=$PATH:/usr/sbin:/usr/local/sbin; export PATH
sshd -T -C user=root,host=localhost,addr=127.0.0.1 2>/dev/null |
    grep -E '^(permitrootlogin|pubkeyauthentication|authorizedkeysfile|allowusers|denyusers) '
exit 0
"#;

impl Installer {
    /// Bring one host to where root logs in with the key.
    pub async fn host(&self, goal: Goal) -> Result<Done, Refusal> {
        let asker = Arc::new(Asker::new(self.terminal.clone()));
        let mut goal = goal;
        match self.choose_host_key(&mut goal.target, asker.clone()).await {
            Ok(Login::Root) => return Ok(Done::Already),
            Ok(Login::Other(_)) => {}
            // The host is there and is the right one, but the key is not.
            Err(ConnectError::Ssh(SshError::Denied { .. })) => {}
            Err(error) => return Err(unreachable(&error)),
        }
        let target = login(&goal.target);
        let start = Start { version: protocol::VERSION, ..Start::default() };
        let connected = transport::connect(&target, start, &self.agents, asker.clone(), Vec::new()).await;
        let mut session = connected.map_err(|error| unreachable(&error))?;
        let result = self.add(&goal, &mut session, &asker).await;
        session.close().await;
        result
    }

    /// Try root's login with the key. With a given fingerprint, the host is asked for each type of key until
    /// one has it: the provider may show the fingerprint of any.
    async fn choose_host_key(&self, target: &mut Target, asker: Arc<Asker>) -> Result<Login, ConnectError> {
        let first = self.try_key(target, asker.clone()).await;
        if !matches!(first, Err(ConnectError::Ssh(SshError::HostKeyMismatch { .. }))) {
            return first;
        }
        for kind in ["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"] {
            let mut other = target.clone();
            other.ssh_args.insert(0, format!("-oHostKeyAlgorithms={kind}"));
            let result = self.try_key(&other, asker.clone()).await;
            // The host has no key of that type, or not the right one.
            if matches!(
                result,
                Err(ConnectError::Ssh(SshError::HostKeyMismatch { .. } | SshError::Handshake { .. }))
            ) {
                continue;
            }
            *target = other;
            return result;
        }
        first
    }

    /// Log in as root with nothing but the key.
    async fn try_key(&self, target: &Target, asker: Arc<Asker>) -> Result<Login, ConnectError> {
        let mut target = target.clone();
        target.user = Some("root".into());
        target.password = None;
        target.private_key_file = Some(self.key.identity.clone());
        let only = ["-oPreferredAuthentications=publickey", "-oIdentitiesOnly=yes"];
        target.ssh_args.splice(0..0, only.map(str::to_owned));
        // What counts is a login of now.
        let options = ExecOptions { new_connection: true, timeout: Some(PATIENCE), ..ExecOptions::default() };
        let output = transport::exec(&target, "id -u", options, asker).await?;
        if output.stdout.trim_ascii() == b"0" {
            return Ok(Login::Root);
        }
        let said = [output.stdout, output.stderr].concat();
        Ok(Login::Other(printable(String::from_utf8_lossy(&said).trim())))
    }

    async fn add(&self, goal: &Goal, session: &mut Session, asker: &Asker) -> Result<Done, Refusal> {
        let mut work = Work { session, r#become: goal.r#become.clone(), next: 0 };
        if work.r#become.password.is_none() {
            work.r#become.password = goal.target.password.clone().or_else(|| asker.typed());
        }
        let args = json!({"user": "root", "key": self.key.line, "state": "present"});
        let mut outcome = work.step("authorized_key", &args).await?;
        if message(&outcome).ends_with(" password") && outcome.failed() {
            // Missing, or not the one of the login: ask for it.
            if let Some(password) = self.ask_for_become(goal, &work.r#become).await {
                work.r#become.password = Some(password);
                outcome = work.step("authorized_key", &args).await?;
            }
        }
        let added = succeeded(&outcome)?.changed();
        let fixed = work.shell(FIX_RIGHTS).await?;
        match self.try_key(&goal.target, Arc::new(Asker::new(self.terminal.clone()))).await {
            Ok(Login::Root) => Ok(Done::Added { added, fixed }),
            Ok(Login::Other(said)) => {
                let text = "the key is in root's authorized_keys and logs in, but no command can be run; the host says:";
                Err(Refusal::Failed(format!("{text} {said}")))
            }
            Err(error) => {
                let settings = work.shell(ASK_SSHD).await.unwrap_or_default();
                Err(Refusal::Failed(still_denied(&error, &settings)))
            }
        }
    }

    async fn ask_for_become(&self, goal: &Goal, wanted: &Become) -> Option<Secret> {
        let user = if wanted.method == "su" { Some("root".into()) } else { goal.target.user.clone() };
        let question = Question::Interactive {
            user: user.clone().unwrap_or_default(),
            host: goal.name.clone(),
            name: String::new(),
            instructions: String::new(),
            prompt: format!("{} password: ", wanted.method),
            echo: false,
        };
        self.terminal.ask(&question).await
    }
}

/// The login that adds the key: with a password, where one is given, and then with nothing else, so that many
/// wrong keys do not use up the attempts that sshd allows.
fn login(target: &Target) -> Target {
    let mut target = target.clone();
    if target.password.is_some() {
        target.ssh_args.insert(0, "-oPubkeyAuthentication=no".into());
    }
    target
}

fn unreachable(error: &ConnectError) -> Refusal {
    Refusal::Unreachable(error.to_string())
}

/// The key is there, but root still cannot log in with it.
fn still_denied(error: &ConnectError, settings: &[String]) -> String {
    let mut text = format!("the key is in root's authorized_keys, but logging in with it fails: {error}");
    if !settings.is_empty() {
        text.push_str(&format!(". The host's sshd has: {}", settings.join("; ")));
    }
    text
}

/// Steps on one host, one after the other.
struct Work<'a> {
    session: &'a mut Session,
    r#become: Become,
    next: u64,
}

impl Work<'_> {
    async fn step(&mut self, module: &str, args: &Value) -> Result<Outcome, Refusal> {
        self.next += 1;
        let step = Step {
            id: self.next,
            module: module.into(),
            args: args.as_object().cloned().unwrap_or_else(Map::new),
            r#become: Some(self.r#become.clone()),
            environment: Default::default(),
            check: false,
            diff: false,
            permission: Permission::Granted,
            // Each is sent after the answer to the one before: there is no queue to drop.
            continue_on_failure: true,
            unless_changed: Vec::new(),
            after: None,
            together: Vec::new(),
            python: None,
            timeout: 0,
            background: 0,
        };
        let lost = |text: String| Refusal::Unreachable(text);
        self.session.sender().send(ToAgent::Step(Box::new(step))).await.map_err(|e| lost(e.to_string()))?;
        loop {
            match self.session.recv().await.map_err(|e| lost(e.to_string()))? {
                FromAgent::Outcome { id, outcome } if id == self.next => return Ok(outcome),
                _ => {}
            }
        }
    }

    /// Run a script as root; the lines it prints.
    async fn shell(&mut self, script: &str) -> Result<Vec<String>, Refusal> {
        let outcome = self.step("shell", &json!({"_raw_params": script})).await?;
        let result = &succeeded(&outcome)?.result;
        let text = result.get("stdout").and_then(Value::as_str).unwrap_or_default();
        Ok(text.lines().filter(|l| !l.is_empty()).map(printable).collect())
    }
}

fn succeeded(outcome: &Outcome) -> Result<&Outcome, Refusal> {
    if !outcome.failed() {
        return Ok(outcome);
    }
    let said = outcome.result.get("stderr").and_then(Value::as_str).map(str::trim).filter(|s| !s.is_empty());
    let text = said.map_or_else(|| message(outcome), |said| format!("{}: {said}", message(outcome)));
    Err(Refusal::Failed(printable(text.strip_prefix("Task failed: ").unwrap_or(&text))))
}

fn message(outcome: &Outcome) -> String {
    outcome.result.get("msg").and_then(Value::as_str).unwrap_or("it failed without a message").to_owned()
}

/// The host's text without what could drive a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
