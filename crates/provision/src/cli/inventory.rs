//! `provision inventory`: what the inventory says, as ansible-inventory shows it.

use std::cell::RefCell;
use std::collections::HashSet;
use std::path::PathBuf;

use clap::{ArgAction, Args};
use lang::inventory::output::{Format, OutputOptions};
use lang::patterns::limit_patterns;

use super::options::{InventoryOptions, VaultOptions};
use super::setup::Setup;
use super::{Exit, Failure};

/// Show the inventory.
#[derive(Clone, Debug, Args)]
pub struct InventoryCommand {
    /// Group whose hosts --graph shows
    #[arg(value_name = "GROUP")]
    group: Option<String>,
    #[command(flatten)]
    inventory: InventoryOptions,
    #[command(flatten)]
    vault: VaultOptions,
    /// Show all hosts with their variables
    #[arg(long)]
    list: bool,
    /// Show the variables of one host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Show groups and hosts as a tree
    #[arg(long)]
    graph: bool,
    /// As YAML
    #[arg(short, long)]
    yaml: bool,
    /// As TOML
    #[arg(long)]
    toml: bool,
    /// Show variables in the tree
    #[arg(long)]
    vars: bool,
    /// Keep variables at the groups that have them, so that the output is an inventory
    #[arg(long)]
    export: bool,
    /// Write to this file
    #[arg(long, value_name = "FILE")]
    output: Option<String>,
    /// Directory whose group_vars and host_vars count as a playbook's
    #[arg(long, value_name = "DIR")]
    playbook_dir: Option<PathBuf>,
    /// Variables: key=value, JSON, YAML, or @FILE
    #[arg(short, long = "extra-vars", value_name = "VARS", action = ArgAction::Append)]
    extra_vars: Vec<String>,
    /// Say more
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

/// Print what was asked for.
pub fn run(options: InventoryCommand) -> Result<u8, Failure> {
    match [options.list, options.graph, options.host.is_some()].iter().filter(|on| **on).count() {
        0 => {
            return Err(Failure::with(
                Exit::Options,
                "No action selected, at least one of --host, --graph or --list needs to be specified.",
            ));
        }
        1 => {}
        _ => {
            return Err(Failure::with(
                Exit::Options,
                "Conflicting options used, only one of --host, --graph or --list can be used at the same time.",
            ));
        }
    }
    let setup = Setup::new(&options.inventory, &options.vault, &options.extra_vars, &[])?;
    let shown = RefCell::default();
    super::setup::announce(&setup.config, options.verbose);
    setup.show_warnings(&shown);
    let mut inventory = setup.inventory()?;
    if let Some(directory) = &options.playbook_dir {
        let directory = super::setup::absolute(&crate::config::expand(&directory.to_string_lossy()));
        inventory.read_vars_files(Some(&directory), Some(&setup.secrets), setup.merge())?;
    }
    if let Some(error) = inventory.hosts().find_map(|host| inventory.broken_vars(&host.name)) {
        return Err(error.clone().into());
    }
    setup.note(&inventory, options.verbose);
    setup.show_deprecated();
    setup.show_warnings(&shown);
    let mut hosts: Option<HashSet<String>> = None;
    if let Some(limit) = super::playbook::limit(&options.inventory.limit) {
        let matched = inventory.limit(inventory.list_hosts("all")?, &limit_patterns(&limit)?)?;
        matched.warnings.iter().for_each(|w| setup.warnings.push(w.to_string()));
        setup.show_warnings(&shown);
        hosts = Some(matched.hosts.into_iter().collect());
    }
    let format = match (options.yaml, options.toml) {
        (true, _) => Format::Yaml,
        (false, true) => Format::Toml,
        _ => Format::Json,
    };
    let export = options.export || setup.config.bool("INVENTORY_EXPORT");
    let how = OutputOptions { export, merge: setup.merge(), hosts: hosts.as_ref() };
    let wrong = |error: lang::Error| Failure { exit: Exit::Options, errors: vec![error] };
    let text = match (&options.host, options.graph) {
        (Some(host), _) => {
            let matched = inventory.list_hosts(host)?;
            matched.warnings.iter().for_each(|w| setup.warnings.push(w.to_string()));
            setup.show_warnings(&shown);
            inventory.show_host(host, format, &how).map_err(wrong)?
        }
        (None, true) => {
            let how = OutputOptions { hosts: None, ..how };
            inventory.show_graph(options.group.as_deref(), options.vars, &how).map_err(wrong)?
        }
        (None, false) => inventory.show_list(format, &how)?,
    };
    setup.show_warnings(&shown);
    match &options.output {
        Some(file) => {
            let path = crate::config::expand(file);
            std::fs::write(&path, text).map_err(|error| {
                let cause = lang::yaml::unreadable(&path, &error);
                let why = cause.message().rsplit(": ").next().unwrap_or_default().to_owned();
                let number = error.raw_os_error().unwrap_or(0);
                let path = path.display();
                Failure::new(format!("Unable to write to destination file '{path}': [Errno {number}] {why}"))
            })?;
        }
        None => super::out(&text),
    }
    Ok(0)
}
