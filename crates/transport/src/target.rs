//! How to reach one host: everything a play's variables and options say about its connection.

use std::path::PathBuf;
use std::time::Duration;

use protocol::Secret;

/// The four ways to reach a host (`ansible_connection`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Connection {
    /// OpenSSH's protocol, spoken by this program itself.
    #[default]
    Ssh,
    /// The controller's own machine.
    Local,
    /// A running container, by `docker exec` (or a program that takes the same arguments).
    Docker,
    /// A directory that holds a system's root.
    Chroot,
}

/// Everything needed to reach one host, already templated from the `ansible_*` variables and the options.
///
/// What is `None` is left to `ssh_config`, then to OpenSSH's default.
#[derive(Clone, Debug)]
pub struct Target {
    /// Name in the inventory; only shown.
    pub name: String,
    /// `ansible_connection`.
    pub connection: Connection,
    /// `ansible_host`: a name or address; the container's name or id; the chroot's directory.
    pub host: String,
    /// `ansible_port`.
    pub port: Option<u16>,
    /// `ansible_user`; for docker the user of `docker exec -u`.
    pub user: Option<String>,
    /// `ansible_password`: for the methods `password` and `keyboard-interactive`. Never sent to jump hosts.
    pub password: Option<Secret>,
    /// `ansible_ssh_private_key_file`: the only key file tried besides those of `ssh_config`.
    pub private_key_file: Option<PathBuf>,
    /// `ansible_ssh_private_key_passphrase`: opens any encrypted key file without asking.
    pub private_key_passphrase: Option<Secret>,
    /// `ansible_ssh_args`: options of ssh(1) that come before the variables above (the first one wins).
    pub ssh_args: Vec<String>,
    /// `ansible_ssh_common_args` and `ansible_ssh_extra_args`: the same, after the variables above.
    pub ssh_common_args: Vec<String>,
    /// `ansible_host_key_checking`; off is `StrictHostKeyChecking=no`. On leaves it to the configuration.
    pub host_key_checking: bool,
    /// The host must show the key with this fingerprint (`SHA256:...`), whatever `known_hosts` says.
    pub host_key_fingerprint: Option<String>,
    /// `ansible_ssh_timeout`: TCP, key exchange and authentication together. The time a person takes to
    /// answer a question is not counted.
    pub timeout: Duration,
    /// Directories for the agent to try before the usual ones; `~` is the user's home.
    pub agent_dirs: Vec<String>,
    /// The program to start containers' or chroots' processes with (`ansible_docker_command`,
    /// `ansible_chroot_exe`): `docker`, `chroot`.
    pub program: Option<String>,
    /// Options for that program (`ansible_docker_extra_args`), split as a shell would.
    pub program_args: Vec<String>,
}

impl Target {
    /// A host reached with nothing but its name.
    pub fn new(name: impl Into<String>, connection: Connection) -> Self {
        let name = name.into();
        Self {
            host: name.clone(),
            name,
            connection,
            port: None,
            user: None,
            password: None,
            private_key_file: None,
            private_key_passphrase: None,
            ssh_args: Vec::new(),
            ssh_common_args: Vec::new(),
            host_key_checking: true,
            host_key_fingerprint: None,
            timeout: Duration::from_secs(10),
            agent_dirs: Vec::new(),
            program: None,
            program_args: Vec::new(),
        }
    }
}
