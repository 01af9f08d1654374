//! `shell`: a command line for a shell.

use std::path::PathBuf;

use super::run::{self, Run};
use crate::args::Expanded;
use crate::{Effects, Host, Module, Plan, Result, args, fail};

args! {
    pub struct ShellArgs {
        /// The command line as written after the module's name.
        _raw_params: Option<String>;
        /// The command line.
        cmd: Option<String>;
        /// Directory to run in.
        chdir: Option<Expanded>;
        /// Do not run if this path (a glob) is there.
        creates: Option<Expanded>;
        /// Run only if this path (a glob) is there.
        removes: Option<Expanded>;
        /// The shell, `/bin/sh` by default.
        executable: Option<Expanded>;
        /// Text for the standard input.
        stdin: Option<String>;
        /// End that text with a newline.
        stdin_add_newline: bool = default("yes");
        /// Cut newlines off the end of what is said.
        strip_empty_ends: bool = default("yes");
        /// Accepted for `command`'s sake; the shell expands variables itself.
        expand_argument_vars: bool = default("yes");
    }
    checks {
        required_one_of(&["_raw_params", "cmd"]),
        mutually_exclusive(&["_raw_params", "cmd"]),
    }
}

pub struct Shell;

impl Module for Shell {
    type Args = ShellArgs;
    const NAME: &'static str = "shell";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Run a command line through a shell.";

    fn effects(_: &ShellArgs) -> Effects {
        Effects::unknown()
    }

    fn plan(args: ShellArgs, host: &Host) -> Result<Plan> {
        let line = args._raw_params.or(args.cmd).unwrap_or_default();
        if line.trim().is_empty() {
            return Err(fail!("no command given").with("rc", 256).with("cmd", serde_json::Value::Null));
        }
        let shell = args.executable.map_or_else(|| "/bin/sh".to_owned(), |e| e.0);
        Run {
            argv: vec![shell, "-c".to_owned(), line.clone()],
            cmd: line.into(),
            chdir: args.chdir.map(|d| PathBuf::from(d.0)),
            creates: args.creates.map(|p| p.0),
            removes: args.removes.map(|p| p.0),
            stdin: run::input(args.stdin, args.stdin_add_newline),
            strip: args.strip_empty_ends,
        }
        .plan(host)
    }
}
