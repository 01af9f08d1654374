//! `provision add-root`: from a fresh server with a password to one that root reaches with a key.
//!
//! Each host is asked first whether root's login with the key works already; then nothing else happens and no
//! password is needed. Otherwise the key is added by the agent, as root or through sudo, su or doas, and
//! only a login that then works with nothing but the key counts as success.

mod asker;
mod host_keys;
mod hosts;
mod install;
mod key;
mod secrets;

use std::cell::RefCell;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{ArgAction, Args};
use futures::StreamExt;

use super::options::{ConnectionOptions, InventoryOptions, VaultOptions};
use super::setup::Setup;
use super::terminal::Terminal;
use super::{Exit, Failure};
use crate::report::Colour;
use install::{Done, Installer, Refusal};

/// Hosts worked on at the same time, unless `--forks` says otherwise.
const FORKS: usize = 20;
/// Exit codes of Ansible for hosts that failed and hosts that could not be reached; both together are their sum.
const FAILED: u8 = 2;
const UNREACHABLE: u8 = 4;

/// Let root log in with your SSH key, on servers that so far ask for a password
///
/// The key is added to root's authorized_keys, and tried, before a host is called done. Hosts where
/// it works already are left alone.
#[derive(Clone, Debug, Args)]
pub struct AddRootOptions {
    /// Hosts: patterns of the inventory, or [USER@]HOST[:PORT]
    #[arg(value_name = "HOST")]
    pub hosts: Vec<String>,
    /// The key to add: a public key file, or a private one with its .pub beside it [default: the first of
    /// ~/.ssh/id_ed25519, id_ecdsa, id_rsa]
    #[arg(long, value_name = "FILE")]
    pub key: Option<PathBuf>,
    /// The fingerprint that the host's key must have: SHA256:..., or HOST=SHA256:... for one of several hosts
    #[arg(long, value_name = "FINGERPRINT", action = ArgAction::Append)]
    pub fingerprint: Vec<String>,
    /// Read the connection's password from this file descriptor
    #[arg(long, value_name = "FD", conflicts_with_all = ["ask_pass", "connection_password_file"])]
    pub password_fd: Option<i32>,
    /// Read the password to become root from this file descriptor
    #[arg(long, value_name = "FD", conflicts_with_all = ["ask_become_pass", "become_password_file"])]
    pub become_password_fd: Option<i32>,
    /// Variables: key=value, JSON, YAML, or @FILE
    #[arg(short, long = "extra-vars", value_name = "VARS", action = ArgAction::Append)]
    pub extra_vars: Vec<String>,
    /// Hosts worked on at the same time
    #[arg(short, long, value_name = "N")]
    pub forks: Option<usize>,

    #[command(flatten)]
    pub inventory: InventoryOptions,
    #[command(flatten)]
    pub connection: ConnectionOptions,
    #[command(flatten)]
    pub vault: VaultOptions,
}

/// Do it on all hosts; the exit code.
pub fn run(options: AddRootOptions) -> Result<u8, Failure> {
    check(&options)?;
    let setup = Setup::new(&options.inventory, &options.vault, &options.extra_vars, &[])?;
    let key = key::find(options.key.as_deref())?;
    let goals = hosts::goals(&options, &setup)?;
    setup.show_warnings(&RefCell::default());
    let agents = crate::agent_binary::embedded();
    let installer = Installer {
        key: Arc::new(key),
        agents: Arc::new(agents),
        terminal: Arc::new(Terminal::new(Arc::new(|print: &mut dyn FnMut()| print()))),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(2)
        .build()
        .map_err(|e| Failure::new(format!("the runtime could not be started: {e}")))?;
    let forks = options.forks.unwrap_or(FORKS).max(1);
    let code = runtime.block_on(async {
        let work = goals.into_iter().map(|goal| {
            let installer = installer.clone();
            async move { (goal.name.clone(), installer.host(goal).await) }
        });
        let mut results = futures::stream::iter(work).buffer_unordered(forks);
        let mut code = 0;
        while let Some((host, result)) = results.next().await {
            code |= report(&setup, &host, &installer.key, &result);
        }
        code
    });
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    Ok(code)
}

fn check(options: &AddRootOptions) -> Result<(), Failure> {
    let wrong = |text: &str| Err(Failure::with(Exit::Options, text));
    let connection = &options.connection;
    if connection.become_user.as_deref().is_some_and(|user| user != "root") {
        return wrong("add-root adds the key for root: --become-user cannot be another user");
    }
    if connection.connection.as_deref().is_some_and(|c| c.rsplit('.').next() != Some("ssh")) {
        return wrong("add-root speaks ssh: --connection cannot be something else");
    }
    if connection.ask_pass && connection.connection_password_file.is_some() {
        return wrong("-k/--ask-pass and --connection-password-file exclude each other");
    }
    if connection.ask_become_pass && connection.become_password_file.is_some() {
        return wrong("-K/--ask-become-pass and --become-password-file exclude each other");
    }
    Ok(())
}

/// Print one host's line; its part of the exit code.
fn report(setup: &Setup, host: &str, key: &key::RootKey, result: &Result<Done, Refusal>) -> u8 {
    let (word, colour, text, code) = match result {
        Ok(Done::Already) => ("ok", Colour::Ok, format!("root can log in with {}", key.shown()), 0),
        Ok(Done::Added { added, fixed }) => {
            let mut parts = Vec::new();
            if *added {
                parts.push("the key was added".to_owned());
            }
            parts.extend(fixed.iter().cloned());
            let what = parts.join(", ");
            let what = if what.is_empty() { "the key was there".into() } else { what };
            let text = format!("{what}; root can log in with {}", key.shown());
            if parts.is_empty() { ("ok", Colour::Ok, text, 0) } else { ("changed", Colour::Changed, text, 0) }
        }
        Err(Refusal::Unreachable(text)) => ("unreachable", Colour::Unreachable, text.clone(), UNREACHABLE),
        Err(Refusal::Failed(text)) => ("failed", Colour::Error, text.clone(), FAILED),
    };
    let line = setup.style(1).paint(&format!("{word}: [{host}]: {text}"), colour);
    let _ = writeln!(std::io::stdout(), "{line}");
    code
}
