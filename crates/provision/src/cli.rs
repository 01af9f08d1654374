//! The sub-commands, and how they are chosen.

mod add_root;
mod errors;
mod extra_vars;
mod hooks;
mod listing;
mod options;
mod outside;
mod playbook;
mod setup;
mod terminal;
mod test;
mod vault;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches};

pub use errors::{Exit, Failure};

/// Run the command line.
pub fn run(args: &mut Vec<OsString>) -> ExitCode {
    let name =
        args.first().map(Path::new).and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
    let called = name.unwrap_or_default();
    // `ansible-playbook` by name is the command without a sub-command.
    let sub = match called.strip_prefix("ansible-") {
        Some("playbook") => None,
        _ => args.get(1).and_then(|a| a.to_str()).map(str::to_owned),
    };
    let result = match sub.as_deref() {
        Some("add-root") => subcommand(args, add_root::run),
        Some("test") => subcommand(args, test::run),
        _ => playbooks(args),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.report(),
    }
}

/// Run a command that has a name of its own, with the options that are left.
fn subcommand<O: Args>(args: &[OsString], run: fn(O) -> Result<u8, Failure>) -> Result<u8, Failure> {
    let name = args[1].to_string_lossy().into_owned();
    let command = clap::Command::new("provision")
        .version(env!("CARGO_PKG_VERSION"))
        .bin_name(format!("provision {name}"));
    let command = O::augment_args(command);
    match command.try_get_matches_from(&args[1..]).and_then(|matches| O::from_arg_matches(&matches)) {
        Ok(options) => run(options),
        Err(e) => {
            let _ = e.print();
            Ok(if e.use_stderr() { 2 } else { 0 })
        }
    }
}

fn playbooks(args: &[OsString]) -> Result<u8, Failure> {
    let command = options::PlaybookOptions::command();
    let matches = match command.try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(e) => {
            let _ = e.print();
            // As ansible-playbook: 2 for a wrong command line, 0 for --help and --version.
            return Ok(if e.use_stderr() { 2 } else { 0 });
        }
    };
    let options =
        options::PlaybookOptions::from_arg_matches(&matches).map_err(|e| Failure::new(e.to_string()))?;
    playbook::run(options)
}
