//! The sub-commands, and how they are chosen.

mod add_root;
mod adhoc;
mod configuration;
mod doc;
mod errors;
mod extra_vars;
mod graph;
mod hooks;
mod inventory;
mod listing;
mod locale;
mod options;
mod outside;
mod playbook;
mod plugin_filter;
mod pull;
mod setup;
mod terminal;
mod test;
mod timings;
mod vault;
mod version;

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches};

pub use errors::{Exit, Failure};

/// Run the command line.
///
/// Called by the name of one of Ansible's programs this is that program; otherwise the first argument chooses a
/// command, and without one playbooks are run.
pub fn run(args: &[OsString]) -> ExitCode {
    let called =
        args.first().map(Path::new).and_then(Path::file_name).map(|n| n.to_string_lossy().into_owned());
    let called = called.unwrap_or_default();
    let first = args.get(1).and_then(|a| a.to_str()).unwrap_or_default();
    let (command, program) = match called.as_str() {
        "ansible" => ("adhoc", true),
        _ => match called.strip_prefix("ansible-") {
            Some(command) => (command, true),
            None => (first, false),
        },
    };
    let name = if program { called.clone() } else { format!("provision {command}") };
    if program && let Some(problem) = locale::problem() {
        eprintln!("ERROR: {problem}");
        return ExitCode::from(Exit::Error as u8);
    }
    if program && args.iter().skip(1).take_while(|a| *a != "--").any(|a| a == "--version") {
        return ended(version::print(&called));
    }
    let rest = if program { 1 } else { 2 };
    let line = CommandLine { name, args: args.get(rest..).unwrap_or_default() };
    ended(match command {
        "adhoc" => line.run(adhoc::run),
        "config" => line.run(configuration::run),
        "doc" => line.run(doc::run),
        "inventory" => line.run(inventory::run),
        "pull" => line.run(pull::run),
        "vault" => line.run(vault::run),
        "add-root" if !program => line.run(add_root::run),
        "graph" if !program => line.run(graph::run),
        "test" if !program => line.run(test::run),
        "playbook" if program => playbooks(args),
        _ if program => Err(Failure::new(format!("{called} has no counterpart here"))),
        _ => playbooks(args),
    })
}

/// Print a text. Whoever closed the pipe does not want to read on.
pub fn out(text: &str) {
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn ended(result: Result<u8, Failure>) -> ExitCode {
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.report(),
    }
}

/// A command that has a name of its own, and the arguments behind it.
struct CommandLine<'a> {
    name: String,
    args: &'a [OsString],
}

impl CommandLine<'_> {
    fn run<O: Args>(&self, run: fn(O) -> Result<u8, Failure>) -> Result<u8, Failure> {
        let command = clap::Command::new("provision")
            .bin_name(self.name.as_str())
            .version(env!("CARGO_PKG_VERSION"))
            .infer_long_args(true);
        let command = O::augment_args(command);
        let args = std::iter::once(OsString::from(&self.name)).chain(self.args.iter().cloned());
        match command.try_get_matches_from(args).and_then(|matches| O::from_arg_matches(&matches)) {
            Ok(options) => run(options),
            Err(e) => Ok(wrong(&e)),
        }
    }
}

/// As Ansible's programs: 2 for a wrong command line, 0 for --help and --version.
fn wrong(error: &clap::Error) -> u8 {
    let _ = error.print();
    if error.use_stderr() { 2 } else { 0 }
}

fn playbooks(args: &[OsString]) -> Result<u8, Failure> {
    let command = options::PlaybookOptions::command().infer_long_args(true);
    match command.try_get_matches_from(args).and_then(|m| options::PlaybookOptions::from_arg_matches(&m)) {
        Ok(options) => playbook::run(options),
        Err(e) => Ok(wrong(&e)),
    }
}
