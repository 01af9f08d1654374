//! What `ssh_config`, the command line and the inventory say about reaching one host.
//!
//! The first value obtained wins: `ansible_ssh_args`, the inventory's variables, `ansible_ssh_common_args`
//! and `ansible_ssh_extra_args` (this is the order in which Ansible writes ssh's command line), then
//! `~/.ssh/config`, then `/etc/ssh/ssh_config`.

mod arguments;
mod files;
mod keywords;
mod options;
pub mod pattern;
mod settings;
mod time;
pub mod tokens;
mod words;

use std::path::{Path, PathBuf};
use std::time::Duration;

use options::Options;
pub use settings::{AgentSocket, Proxy, Settings, Strict};

use crate::error::ConfigError;
use crate::target::Target;

/// What is asked for: a host, and what comes before the configuration files.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub host: String,
    pub arguments_before: Vec<String>,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub private_key_file: Option<PathBuf>,
    pub no_host_key_checking: bool,
    pub timeout: Option<Duration>,
    pub arguments_after: Vec<String>,
    /// `-J` with these hops: what is left of a chain.
    pub jump: Option<String>,
}

impl Request {
    /// The request that `target` makes.
    pub fn of(target: &Target) -> Self {
        Self {
            host: target.host.clone(),
            arguments_before: target.ssh_args.clone(),
            port: target.port,
            user: target.user.clone(),
            private_key_file: target.private_key_file.clone(),
            no_host_key_checking: !target.host_key_checking,
            timeout: Some(target.timeout),
            arguments_after: target.ssh_common_args.clone(),
            jump: None,
        }
    }
}

/// Work out the settings for `request`. Reads files, and may run a command (`Match exec`): blocks.
pub fn resolve(request: &Request) -> Result<Settings, ConfigError> {
    let mut options = Options::default();
    let mut arguments = arguments::Arguments::default();
    let given =
        |name: &str, value: &str, options: &mut Options| options.set(name, value, "command-line", true);
    arguments::read(&request.arguments_before, &mut options, &mut arguments)?;
    if request.no_host_key_checking {
        given("stricthostkeychecking", "no", &mut options)?;
    }
    if let Some(port) = request.port {
        given("port", &port.to_string(), &mut options)?;
    }
    if let Some(user) = &request.user {
        given("user", &arguments::quoted(user), &mut options)?;
    }
    if let Some(file) = &request.private_key_file {
        given("identityfile", &arguments::quoted(&file.to_string_lossy()), &mut options)?;
    }
    if let Some(jump) = &request.jump {
        given("proxyjump", jump, &mut options)?;
    }
    arguments::read(&request.arguments_after, &mut options, &mut arguments)?;

    let (home, local_user) = own_account();
    let subject = files::Subject { original: request.host.clone(), local_user, home };
    let mut reader = files::Reader { subject: &subject, options, final_pass: false, wants_final: false };
    read_files(&mut reader, arguments.config_file.as_deref())?;
    if reader.wants_final {
        reader.final_pass = true;
        read_files(&mut reader, arguments.config_file.as_deref())?;
    }
    let options = reader.options;
    Settings::from_options(&subject, &options, request, arguments.config_file)
}

fn read_files(reader: &mut files::Reader<'_>, only: Option<&str>) -> Result<(), ConfigError> {
    match only {
        Some("none") => Ok(()),
        Some(file) => {
            let path = tokens::tilde(file, &reader.subject.home);
            reader.read_file(&path, true, true)
        }
        None => {
            let own = reader.subject.home.join(".ssh/config");
            reader.read_file(&own, true, false)?;
            reader.read_file(Path::new("/etc/ssh/ssh_config"), false, false)
        }
    }
}

/// Home directory and name of who runs this, from the password database as ssh has it.
fn own_account() -> (PathBuf, String) {
    if let Ok(Some(user)) = nix::unistd::User::from_uid(nix::unistd::getuid()) {
        return (user.dir, user.name);
    }
    let variable = |name| std::env::var_os(name).unwrap_or_default();
    (PathBuf::from(variable("HOME")), variable("USER").to_string_lossy().into_owned())
}
