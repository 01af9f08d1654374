//! The options of `provision PLAYBOOK...`: those of ansible-playbook, and a few of our own.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser};

/// Bring hosts to the state that playbooks describe.
#[derive(Clone, Debug, Parser)]
#[command(name = "provision", version, about, disable_help_subcommand = true)]
#[command(
    after_help = "Other commands: provision graph, test, add-root, inventory, vault, adhoc, doc, config, pull (each with --help)"
)]
pub struct PlaybookOptions {
    /// Playbooks, run one after the other
    #[arg(required = true, value_name = "PLAYBOOK")]
    pub playbooks: Vec<PathBuf>,

    #[command(flatten)]
    pub inventory: InventoryOptions,
    #[command(flatten)]
    pub connection: ConnectionOptions,
    #[command(flatten)]
    pub run: RunOptions,
    #[command(flatten)]
    pub vault: VaultOptions,

    /// List the hosts that each play is for, and do nothing else
    #[arg(long)]
    pub list_hosts: bool,
    /// List the tasks that would be run
    #[arg(long)]
    pub list_tasks: bool,
    /// List all tags
    #[arg(long)]
    pub list_tags: bool,
    /// Check the playbooks without running them
    #[arg(long)]
    pub syntax_check: bool,
    /// Start with the task of this name
    #[arg(long, value_name = "NAME")]
    pub start_at_task: Option<String>,
    /// Ask before each task
    #[arg(long)]
    pub step: bool,
    /// Show at the end where the time went
    #[arg(long)]
    pub profile: bool,
}

/// Which hosts.
#[derive(Clone, Debug, Default, Args)]
pub struct InventoryOptions {
    /// Inventory file or directory, or a list of hosts with commas
    #[arg(short, long, visible_alias = "inventory-file", value_name = "INVENTORY", action = ArgAction::Append)]
    pub inventory: Vec<String>,
    /// Only the hosts of this pattern
    #[arg(short, long, value_name = "PATTERN", action = ArgAction::Append)]
    pub limit: Vec<String>,
    /// Forget facts that were kept
    #[arg(long)]
    pub flush_cache: bool,
}

/// How to connect and whom to become.
#[derive(Clone, Debug, Default, Args)]
pub struct ConnectionOptions {
    /// Connect as this user
    #[arg(short = 'u', long = "user", value_name = "USER")]
    pub remote_user: Option<String>,
    /// Ask for the connection's password
    #[arg(short = 'k', long)]
    pub ask_pass: bool,
    /// File with the connection's password
    #[arg(long, visible_alias = "conn-pass-file", value_name = "FILE")]
    pub connection_password_file: Option<PathBuf>,
    /// Authenticate with this key file
    #[arg(long, visible_alias = "key-file", value_name = "FILE")]
    pub private_key: Option<PathBuf>,
    /// How to connect: ssh, local, docker, chroot
    #[arg(short, long, value_name = "CONNECTION")]
    pub connection: Option<String>,
    /// Seconds a connection may take
    #[arg(short = 'T', long, value_name = "SECONDS")]
    pub timeout: Option<u64>,
    /// Options for ssh, sftp and scp alike
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_common_args: Option<String>,
    /// Options for ssh only
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true)]
    pub ssh_extra_args: Option<String>,
    /// Accepted for Ansible's sake: files travel over the connection itself
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true, hide = true)]
    pub sftp_extra_args: Option<String>,
    /// Accepted for Ansible's sake: files travel over the connection itself
    #[arg(long, value_name = "ARGS", allow_hyphen_values = true, hide = true)]
    pub scp_extra_args: Option<String>,
    /// Become another user
    #[arg(short = 'b', long = "become")]
    pub r#become: bool,
    /// How to become another user: sudo, su, doas
    #[arg(long, value_name = "METHOD")]
    pub become_method: Option<String>,
    /// Whom to become
    #[arg(long, value_name = "USER")]
    pub become_user: Option<String>,
    /// Ask for the password to become another user
    #[arg(short = 'K', long)]
    pub ask_become_pass: bool,
    /// File with the password to become another user
    #[arg(long, visible_alias = "become-pass-file", value_name = "FILE")]
    pub become_password_file: Option<PathBuf>,
}

/// What to run, and how to show it.
#[derive(Clone, Debug, Default, Args)]
pub struct RunOptions {
    /// Only tasks with these tags
    #[arg(short, long, value_name = "TAGS", action = ArgAction::Append)]
    pub tags: Vec<String>,
    /// No tasks with these tags
    #[arg(long, value_name = "TAGS", action = ArgAction::Append)]
    pub skip_tags: Vec<String>,
    /// Variables: key=value, JSON, YAML, or @FILE
    #[arg(short, long = "extra-vars", value_name = "VARS", action = ArgAction::Append)]
    pub extra_vars: Vec<String>,
    /// Change nothing; show what would be changed
    #[arg(short = 'C', long)]
    pub check: bool,
    /// Show what changes in files
    #[arg(short = 'D', long)]
    pub diff: bool,
    /// Hosts worked on at the same time
    #[arg(short, long, value_name = "N")]
    pub forks: Option<usize>,
    /// Tasks of a host that may run at the same time, with strategy graph
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub tasks_per_host: Option<u16>,
    /// Run handlers also after a failure
    #[arg(long)]
    pub force_handlers: bool,
    /// Directory with modules (repeatable)
    #[arg(short = 'M', long, value_name = "PATH", action = ArgAction::Append)]
    pub module_path: Vec<String>,
    /// Say more (-vv, -vvv: still more)
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// What to print: default, json
    #[arg(long, value_name = "FORMAT", default_value = "default", value_parser = ["default", "json"])]
    pub output: String,
}

/// Where passwords of vaults come from.
#[derive(Clone, Debug, Default, Args)]
pub struct VaultOptions {
    /// Vault identity and where its password comes from: ID@SOURCE
    #[arg(long, value_name = "ID", action = ArgAction::Append)]
    pub vault_id: Vec<String>,
    /// File (or program) with a vault's password
    #[arg(long, visible_alias = "vault-pass-file", value_name = "FILE", action = ArgAction::Append)]
    pub vault_password_file: Vec<String>,
    /// Ask for a vault's password
    #[arg(short = 'J', long, visible_alias = "ask-vault-pass", conflicts_with = "vault_password_file")]
    pub ask_vault_password: bool,
}
