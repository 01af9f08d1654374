//! Starting: the command line of an agent, and the program that its children are.
//!
//! Users never see this command line. `__agent` makes `provision` an agent; `--announce WORD` is for those who
//! were started through a program that may print things first; `--door NAME` for those whose standard input
//! and output are a terminal, and who fetch others; `--job` for background jobs. `--start HEX` is the first message (without its
//! length), which saves a round trip: sshd takes no input before it has started the command.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::path::PathBuf;
use std::process::ExitCode;

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};

use crate::serve::serve;
use crate::{escalate, job};

/// The program to start for other users and for jobs.
#[derive(Clone, Debug)]
pub struct Program {
    pub path: PathBuf,
    /// Arguments that make it an agent.
    pub args: Vec<String>,
    /// It is the program that runs now.
    pub is_this: bool,
}

impl Program {
    /// The running program, with the arguments that made it an agent.
    pub fn this() -> Self {
        let mut args = std::env::args_os();
        let first = args.next().map(PathBuf::from).unwrap_or_default();
        let path = std::env::current_exe().unwrap_or(first);
        let args = args.next().filter(|a| a == HIDDEN).map(|_| HIDDEN.to_owned());
        Self { path, args: args.into_iter().collect(), is_this: true }
    }
}

/// The hidden sub-command of `provision`.
const HIDDEN: &str = "__agent";

/// Be an agent on standard input and output, as the command line says.
pub fn main() -> ExitCode {
    ignore_hangups();
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "provision agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut door = None;
    let mut announcement = None;
    let mut first = Vec::new();
    let mut args = std::env::args().skip(1).peekable();
    args.next_if(|a| a == HIDDEN);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--announce" => announcement = Some(value()?),
            "--door" => door = Some(value()?),
            "--start" => first = message(&value()?).ok_or("--start is not hexadecimal")?,
            "--job" => return Ok(job::main()?),
            "--version" => {
                writeln!(
                    io::stdout(),
                    "provision-agent {} protocol {}",
                    env!("CARGO_PKG_VERSION"),
                    protocol::VERSION
                )?;
                return Ok(());
            }
            _ => return Err(format!("unknown argument {arg}").into()),
        }
    }
    let (input, mut output) = match door {
        Some(name) => escalate::fetch(&name)?,
        None => (take(0), take(1)),
    };
    if let Some(word) = announcement {
        output.write_all(format!("{word}\n").as_bytes())?;
    }
    serve(io::Cursor::new(first).chain(input), output, Program::this())?;
    Ok(())
}

/// A message given in hexadecimal, as the frame it would have come in.
fn message(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
    let content = digits.collect::<Option<Vec<u8>>>()?;
    let length = u32::try_from(content.len()).ok()?;
    Some([&length.to_be_bytes()[..], &content[..]].concat())
}

/// A standard descriptor, as a file of its own.
fn take(fd: RawFd) -> File {
    // SAFETY: whoever started this process gave it the descriptor for this purpose; nothing else uses it.
    unsafe { OwnedFd::from_raw_fd(fd) }.into()
}

/// A closed terminal or Ctrl-C there is not the agent's end: that is the end of its input, after the step in hand.
/// A handler, not "ignore", because that would be inherited by every program that modules start.
fn ignore_hangups() {
    extern "C" fn nothing(_: i32) {}
    let action = SigAction::new(SigHandler::Handler(nothing), SaFlags::SA_RESTART, SigSet::empty());
    for signal in [Signal::SIGHUP, Signal::SIGINT] {
        // SAFETY: the handler does nothing.
        let _ = unsafe { sigaction(signal, &action) };
    }
}
