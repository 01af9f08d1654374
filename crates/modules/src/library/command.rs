//! `command`: a program with its arguments, without a shell.

use std::path::PathBuf;

use super::run::{self, Run};
use crate::args::{Expanded, expand_with};
use crate::{Effects, Host, Module, Plan, Result, args, fail, words};

args! {
    pub struct CommandArgs {
        /// The command line as written after the module's name.
        _raw_params: Option<String>;
        /// The command line.
        cmd: Option<String>;
        /// The program and its arguments as a list.
        argv: Option<Vec<String>> = elements("str");
        /// Directory to run in.
        chdir: Option<Expanded>;
        /// Do not run if this path (a glob) is there.
        creates: Option<Expanded>;
        /// Run only if this path (a glob) is there.
        removes: Option<Expanded>;
        /// Text for the program's standard input.
        stdin: Option<String>;
        /// End that text with a newline.
        stdin_add_newline: bool = default("yes");
        /// Cut newlines off the end of what the program says.
        strip_empty_ends: bool = default("yes");
        /// Expand `~` and `$VARIABLES` in the arguments.
        expand_argument_vars: bool = default("yes");
        /// Accepted and without effect, as in Ansible: there is no shell.
        executable: Option<String>;
    }
    checks {
        required_one_of(&["_raw_params", "cmd", "argv"]),
        mutually_exclusive(&["_raw_params", "cmd", "argv"]),
    }
}

pub struct Command;

impl Module for Command {
    type Args = CommandArgs;
    const NAME: &'static str = "command";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str =
        "Run a program with arguments. No shell takes part: no pipes, no redirection, no globs.";

    fn effects(_: &CommandArgs) -> Effects {
        Effects::unknown()
    }

    fn plan(args: CommandArgs, host: &Host) -> Result<Plan> {
        let words = match (args._raw_params.or(args.cmd), args.argv) {
            (Some(line), _) => words::split(&line).map_err(|e| fail!("{e}"))?,
            (None, argv) => argv.unwrap_or_default(),
        };
        if words.iter().all(String::is_empty) {
            return Err(fail!("no command given").with("rc", 256).with("cmd", serde_json::Value::Null));
        }
        let environment = |name: &str| host.env(name);
        let expand = |word: &String| {
            if args.expand_argument_vars { expand_with(word, &environment) } else { word.clone() }
        };
        let mut plan = Run {
            argv: words.iter().map(expand).collect(),
            cmd: words.into(),
            chdir: args.chdir.map(|d| PathBuf::from(d.0)),
            creates: args.creates.map(|p| p.0),
            removes: args.removes.map(|p| p.0),
            stdin: run::input(args.stdin, args.stdin_add_newline),
            strip: args.strip_empty_ends,
        }
        .plan(host)?;
        if let Some(shell) = args.executable {
            let warning = format!(
                "As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' module. Not using '{shell}'."
            );
            plan.result.insert("warnings".into(), vec![warning].into());
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use crate::{Host, find, result};

    #[test]
    fn planning_runs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        let host = Host::new(dir.path());
        let args = result! {"cmd": format!("touch {}", file.display())};
        let plan = (find("command").unwrap().plan)(&args, &host).unwrap();
        assert!(plan.changes() && !file.exists());
        assert!(plan.carry_out(&host).changed() && file.exists());
    }

    #[test]
    fn quotes_have_to_be_closed() {
        let host = Host::new("/tmp");
        let plan = (find("command").unwrap().plan)(&result! {"cmd": "echo 'a"}, &host);
        assert_eq!(plan.err().unwrap().msg, "No closing quotation");
    }
}
