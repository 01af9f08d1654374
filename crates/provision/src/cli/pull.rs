//! `provision pull -U URL`: fetch a repository of playbooks and run one of them on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::options::{ConnectionOptions, InventoryOptions, RunOptions, VaultOptions};
use super::setup::{Setup, absolute};
use super::{Exit, Failure};

/// Fetch playbooks from a repository and run them here.
#[derive(Clone, Debug, Args)]
pub struct PullCommand {
    /// Playbooks in the repository; without any one with this host's name, or local.yml
    #[arg(value_name = "PLAYBOOK")]
    playbooks: Vec<String>,
    /// The repository
    #[arg(short = 'U', long, value_name = "URL")]
    url: Option<String>,
    /// Branch, tag or commit
    #[arg(short = 'C', long, value_name = "REVISION")]
    checkout: Option<String>,
    /// Where to put it
    #[arg(short, long, value_name = "DIR")]
    directory: Option<String>,
    /// Run only if something new was fetched
    #[arg(short, long)]
    only_if_changed: bool,
    /// Run even if nothing could be fetched
    #[arg(short, long)]
    force: bool,
    /// Wait for a random number of seconds, at most so many
    #[arg(short, long, value_name = "SECONDS")]
    sleep: Option<u64>,
    /// Remove the directory after the run
    #[arg(long)]
    purge: bool,
    /// The whole history rather than the newest commit
    #[arg(long)]
    full: bool,
    /// Throw away what was changed in the directory
    #[arg(long)]
    clean: bool,
    /// Follow the newest commits of submodules
    #[arg(long)]
    track_subs: bool,
    /// Refuse a commit without a good signature
    #[arg(long)]
    verify_commit: bool,
    /// Accept the host key of a repository's host that is not known yet
    #[arg(long)]
    accept_host_key: bool,
    /// Kind of repository: git
    #[arg(short, long, value_name = "NAME", default_value = "git", value_parser = ["git", "ansible.builtin.git"])]
    module_name: String,
    /// Show the hosts and do nothing else
    #[arg(long)]
    list_hosts: bool,
    #[command(flatten)]
    inventory: InventoryOptions,
    #[command(flatten)]
    connection: PullConnection,
    #[command(flatten)]
    vault: VaultOptions,
    /// Only tasks with these tags
    #[arg(short, long, value_name = "TAGS", action = ArgAction::Append)]
    tags: Vec<String>,
    /// No tasks with these tags
    #[arg(long, value_name = "TAGS", action = ArgAction::Append)]
    skip_tags: Vec<String>,
    /// Variables: key=value, JSON, YAML, or @FILE
    #[arg(short, long = "extra-vars", value_name = "VARS", action = ArgAction::Append)]
    extra_vars: Vec<String>,
    /// Change nothing; show what would be changed
    #[arg(long)]
    check: bool,
    /// Show what changes in files
    #[arg(long)]
    diff: bool,
    /// Directory with modules (repeatable)
    #[arg(short = 'M', long, value_name = "PATH", action = ArgAction::Append)]
    module_path: Vec<String>,
    /// Say more (-vv, -vvv: still more)
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

/// Connections and passwords, as far as they mean something on this machine.
#[derive(Clone, Debug, Default, Args)]
struct PullConnection {
    /// Connect as this user
    #[arg(short = 'u', long = "user", value_name = "USER")]
    remote_user: Option<String>,
    /// Ask for the connection's password
    #[arg(short = 'k', long)]
    ask_pass: bool,
    /// File with the connection's password
    #[arg(long, visible_alias = "conn-pass-file", value_name = "FILE")]
    connection_password_file: Option<PathBuf>,
    /// Key file for the repository and for connections
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
    private_key: Option<PathBuf>,
    /// How to connect
    #[arg(short, long, value_name = "CONNECTION")]
    connection: Option<String>,
    /// Seconds a connection may take
    #[arg(short = 'T', long, value_name = "SECONDS")]
    timeout: Option<u64>,
    /// Ask for the password to become another user
    #[arg(short = 'K', long)]
    ask_become_pass: bool,
    /// File with the password to become another user
    #[arg(long, visible_alias = "become-pass-file", value_name = "FILE")]
    become_password_file: Option<PathBuf>,
}

/// Fetch, choose the playbooks and run them; the exit code.
pub fn run(options: PullCommand) -> Result<u8, Failure> {
    let Some(url) = &options.url else {
        return Err(Failure::with(Exit::Options, "URL for repository not specified, use -h for help"));
    };
    let host = host_name();
    let setup = Setup::new(&options.inventory, &options.vault, &options.extra_vars, &options.module_path)?;
    let directory = match &options.directory {
        Some(directory) => absolute(&crate::config::expand(directory)),
        None => setup.config.path("ANSIBLE_HOME").unwrap_or_default().join("pull").join(&host),
    };
    if let Some(most) = options.sleep {
        let seconds = random(most)?;
        super::out(&format!("Sleeping for {seconds} seconds...\n"));
        std::thread::sleep(Duration::from_secs(seconds));
    }
    let changed = match fetch(&options, url, &directory) {
        Ok(changed) => changed,
        Err(error) if options.force => {
            eprintln!(
                "[WARNING]: Unable to update repository. Continuing with (forced) run of playbook: {error}"
            );
            true
        }
        Err(error) => return Err(Failure::new(error)),
    };
    if options.only_if_changed && !changed {
        super::out("Repository has not changed, quitting.\n");
        return Ok(0);
    }
    let playbooks = playbooks(&options, &directory, &host)?;
    std::env::set_current_dir(&directory)
        .map_err(|e| Failure::new(format!("{}: {e}", directory.display())))?;
    let mut inventory = options.inventory.clone();
    if inventory.limit.is_empty() {
        let short = host.split('.').next().unwrap_or_default();
        inventory.limit.push(format!("localhost,{host},{short},127.0.0.1"));
    }
    let result = super::playbook::run(super::options::PlaybookOptions {
        playbooks,
        inventory,
        connection: connection(&options.connection),
        run: RunOptions {
            tags: options.tags.clone(),
            skip_tags: options.skip_tags.clone(),
            extra_vars: options.extra_vars.clone(),
            check: options.check,
            diff: options.diff,
            module_path: options.module_path.clone(),
            verbose: options.verbose,
            output: "default".into(),
            ..RunOptions::default()
        },
        vault: options.vault.clone(),
        list_hosts: options.list_hosts,
        list_tasks: false,
        list_tags: false,
        syntax_check: false,
        start_at_task: None,
        step: false,
        profile: false,
    });
    if options.purge {
        let _ = std::env::set_current_dir("/");
        if let Err(e) = std::fs::remove_dir_all(&directory) {
            eprintln!("[ERROR]: Failed to remove: {}: {e}", directory.display());
        }
    }
    result
}

fn connection(options: &PullConnection) -> ConnectionOptions {
    ConnectionOptions {
        remote_user: options.remote_user.clone(),
        ask_pass: options.ask_pass,
        connection_password_file: options.connection_password_file.clone(),
        private_key: options.private_key.clone(),
        // The machine that pulls is the one that is set up.
        connection: Some(options.connection.clone().unwrap_or_else(|| "local".into())),
        timeout: options.timeout,
        ask_become_pass: options.ask_become_pass,
        become_password_file: options.become_password_file.clone(),
        ..ConnectionOptions::default()
    }
}

fn host_name() -> String {
    nix::unistd::gethostname().ok().and_then(|n| n.into_string().ok()).unwrap_or_else(|| "localhost".into())
}

/// A number from 0 to `most`, so that many machines do not fetch at once.
fn random(most: u64) -> Result<u64, Failure> {
    let mut bytes = [0; 8];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| std::io::Read::read_exact(&mut file, &mut bytes))
        .map_err(|e| Failure::new(format!("/dev/urandom: {e}")))?;
    Ok(u64::from_ne_bytes(bytes) % most.saturating_add(1))
}

/// The playbooks that were named, or the one for this host.
fn playbooks(options: &PullCommand, directory: &Path, host: &str) -> Result<Vec<PathBuf>, Failure> {
    if !options.playbooks.is_empty() {
        return Ok(options.playbooks.iter().map(|name| directory.join(name)).collect());
    }
    let short = host.split('.').next().unwrap_or_default();
    let names = [format!("{host}.yml"), format!("{short}.yml"), "local.yml".to_owned()];
    let found = names.iter().map(|name| directory.join(name)).find(|path| path.is_file());
    found.map(|path| vec![path]).ok_or_else(|| {
        Failure::with(Exit::Options, format!("Could not find a playbook to run: tried {}", names.join(", ")))
    })
}

/// Bring the directory to the newest commit; whether that is another than before.
fn fetch(options: &PullCommand, url: &str, directory: &Path) -> Result<bool, String> {
    let git = |args: &[&str]| git(options, directory, args);
    let before = if directory.join(".git").exists() { git(&["rev-parse", "HEAD"]).ok() } else { None };
    let revision = options.checkout.as_deref().unwrap_or("HEAD");
    if before.is_none() {
        std::fs::create_dir_all(directory).map_err(|e| format!("{}: {e}", directory.display()))?;
        git(&["init", "--quiet"])?;
    }
    if options.clean {
        git(&["reset", "--quiet", "--hard"])?;
        git(&["clean", "--quiet", "-d", "--force", "-x"])?;
    }
    if !options.clean
        && before.is_some()
        && !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty()
    {
        return Err(format!("Local modifications exist in the destination: {}", directory.display()));
    }
    let depth: &[&str] = if options.full { &[] } else { &["--depth=1"] };
    let fetch = [&["fetch", "--quiet", "--force", "--tags"], depth, &["--", url, revision]].concat();
    git(&fetch)?;
    if options.verify_commit {
        git(&["verify-commit", "FETCH_HEAD"])?;
    }
    git(&["checkout", "--quiet", "--force", "--detach", "FETCH_HEAD"])?;
    if directory.join(".gitmodules").is_file() {
        let mut update = vec!["submodule", "update", "--quiet", "--init", "--recursive"];
        if options.track_subs {
            update.push("--remote");
        }
        git(&update)?;
    }
    Ok(Some(git(&["rev-parse", "HEAD"])?) != before)
}

fn git(options: &PullCommand, directory: &Path, args: &[&str]) -> Result<String, String> {
    let mut command = Command::new("git");
    command.current_dir(directory).args(args);
    let mut ssh = vec!["ssh".to_owned()];
    if let Some(key) = &options.connection.private_key {
        let key = absolute(&crate::config::expand(&key.to_string_lossy()));
        ssh.extend(["-i".to_owned(), key.to_string_lossy().into_owned()]);
    }
    if options.accept_host_key {
        ssh.push("-oStrictHostKeyChecking=accept-new".into());
    }
    if ssh.len() > 1 {
        let line = shlex::try_join(ssh.iter().map(String::as_str)).map_err(|e| e.to_string())?;
        command.env("GIT_SSH_COMMAND", line);
    }
    let output = command.output().map_err(|e| format!("git could not be started: {e}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("git {}: {}", args.first().unwrap_or(&""), said.trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
