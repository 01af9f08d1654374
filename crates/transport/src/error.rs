//! Why a host could not be reached. Messages begin the way Ansible's users know them.

use std::path::PathBuf;

use crate::link::ExitStatus;

/// Why [`crate::connect`] or [`crate::exec`] failed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("Failed to connect to the host via ssh: {0}")]
    Ssh(#[from] SshError),
    #[error("Failed to start a process: {program}: {reason}")]
    Start { program: String, reason: String },
    #[error("Failed to connect to the container {container}: {reason}")]
    Docker { container: String, reason: String },
    #[error("Failed to enter the chroot {directory}: {reason}")]
    Chroot { directory: String, reason: String },
    #[error("The agent could not be placed on the host; tried {}", list_places(.0))]
    Place(Vec<Place>),
    #[error("There is no agent for this host: it is {system} on {machine}, agents exist for {}", have.join(", "))]
    ForeignMachine { system: String, machine: String, have: Vec<String> },
    #[error("The host did not start the agent: {reason}")]
    NoAgent { reason: String },
    #[error("The agent on the host speaks version {theirs} of the protocol, this program version {ours}")]
    Version { ours: u32, theirs: u32 },
    #[error(
        "Directory for the agent {0:?}: only names without quotes, backslashes, `!` and control characters can be used"
    )]
    AgentDirectory(String),
    #[error("No answer from the host within {seconds} seconds {doing}")]
    Timeout { seconds: u64, doing: &'static str },
    #[error("The connection was lost: {0}")]
    Lost(#[from] Lost),
}

/// A directory that was tried for the agent, and why it did not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub directory: String,
    pub reason: String,
}

fn list_places(places: &[Place]) -> String {
    if places.is_empty() {
        return "no directory".into();
    }
    places.iter().map(|p| format!("{} ({})", p.directory, p.reason)).collect::<Vec<_>>().join(", ")
}

/// Why a running agent's stream ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Lost {
    /// The agent ended, as asked or by itself.
    #[error("the agent ended ({status}){}", after_colon(stderr))]
    Ended { status: ExitStatus, stderr: String },
    /// The connection below it broke.
    #[error("{0}")]
    Broken(String),
    /// It said something that is not a message.
    #[error("the agent sent what is not a message: {0}")]
    Malformed(String),
}

pub(crate) fn after_colon(text: &str) -> String {
    let text = text.trim();
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// What can go wrong on the way to a host by ssh.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SshError {
    #[error("{0}")]
    Config(#[from] ConfigError),
    #[error("ssh: Could not resolve hostname {host}: {reason}")]
    Resolve { host: String, reason: String },
    #[error("ssh: connect to host {host} port {port}: {reason}")]
    Connect { host: String, port: u16, reason: String },
    #[error("ssh: connect to host {host} port {port}: Connection timed out after {seconds} seconds {doing}")]
    Timeout { host: String, port: u16, seconds: u64, doing: &'static str },
    #[error("{host}: {reason}")]
    Handshake { host: String, reason: String },
    #[error(
        "Host key verification failed. The host {host} is not known: its {key_type} key has the fingerprint \
         {fingerprint}. Add it to {file}, or see host_key_checking"
    )]
    HostKeyUnknown { host: String, key_type: String, fingerprint: String, file: String },
    #[error(
        "Host key verification failed. The key of {host} HAS CHANGED: {file}:{line} has the {key_type} key \
         {expected}, the host shows {shown}. Either somebody is in between, or the host was set up anew"
    )]
    HostKeyChanged {
        host: String,
        key_type: String,
        file: PathBuf,
        line: usize,
        expected: String,
        shown: String,
    },
    #[error(
        "Host key verification failed. The {key_type} key {fingerprint} of {host} is REVOKED by {file}:{line}"
    )]
    HostKeyRevoked { host: String, key_type: String, fingerprint: String, file: PathBuf, line: usize },
    #[error("Host key verification failed. The host {host} shows the key {shown}, expected was {expected}")]
    HostKeyMismatch { host: String, shown: String, expected: String },
    #[error("Host key verification failed. The certificate of {host} is not valid: {reason}")]
    HostCertificate { host: String, reason: String },
    #[error("Host key verification failed. The file of known hosts {file}: {reason}")]
    KnownHosts { file: PathBuf, reason: String },
    #[error(
        "{user}@{host}: Permission denied ({}). Tried: {}",
        if offered.is_empty() { "the host ended the connection".into() } else { offered.join(",") },
        if tried.is_empty() { "nothing, there is no key and no password to try".into() } else { tried.join(", ") }
    )]
    Denied { user: String, host: String, offered: Vec<String>, tried: Vec<String> },
    #[error("jump host {jump}: {error}")]
    Jump { jump: String, error: Box<SshError> },
    #[error("ProxyCommand `{command}`: {reason}")]
    ProxyCommand { command: String, reason: String },
    #[error("{host}: the host refused to open a channel: {reason}")]
    Channel { host: String, reason: String },
    #[error("{host}: connection closed: {reason}")]
    Closed { host: String, reason: String },
}

/// An option of ssh that cannot be used, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {reason}")]
pub struct ConfigError {
    /// `file line 3`, or `command-line`.
    pub place: String,
    /// In ssh's words where ssh has any.
    pub reason: String,
}
