//! `script`: run a file of the controller here.
//!
//! The controller sends the script as `_content` and what followed its name as `_words`; its own arguments
//! (`_raw_params`, `cmd`) do not reach the host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::args::Expanded;
use crate::{
    Applied, Blob, Effects, Host, Module, ModuleError, Plan, Process, Result, args, fail, result, words,
};

args! {
    pub struct ScriptArgs {
        /// The script, a file of the controller, and its arguments as a shell reads them.
        _raw_params: Option<String>;
        /// The same.
        cmd: Option<String>;
        /// Decrypt the script if it is a vault.
        decrypt: bool = default("yes");
        /// The script's content.
        _content: Option<Blob>;
        /// Its file name.
        _name: String = default("script");
        /// Its arguments.
        _words: String = default("");
        /// Directory to run in.
        chdir: Option<Expanded>;
        /// Do not run if this path is there.
        creates: Option<Expanded>;
        /// Run only if this path is there.
        removes: Option<Expanded>;
        /// Program to run it with, with its options.
        executable: Option<String>;
    }
}

pub struct Script;

impl Module for Script {
    type Args = ScriptArgs;
    const NAME: &'static str = "script";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Run a script of the controller on the host.";

    fn effects(_: &ScriptArgs) -> Effects {
        Effects::unknown()
    }

    fn plan(mut args: ScriptArgs, host: &Host) -> Result<Plan> {
        let content = args._content.take();
        let content = content.ok_or_else(|| fail!("the controller has to send the script's content"))?;
        let dir = args.chdir.as_ref().map_or(Path::new("/"), |d| Path::new(&d.0));
        let exists = |path: &Expanded| host.path(dir.join(&**path)).symlink_metadata().is_ok();
        let skip = |msg: String| Ok(Plan::unchanged(result! {"skipped": true, "msg": msg}));
        if let Some(creates) = args.creates.as_ref().filter(|path| exists(path)) {
            return skip(format!("{} exists, matching creates option", creates.0));
        }
        if let Some(removes) = args.removes.as_ref().filter(|path| !exists(path)) {
            return skip(format!("{} does not exist, matching removes option", removes.0));
        }
        let conditional = args.creates.is_some() || args.removes.is_some();
        let check = if conditional {
            result! {"changed": true}
        } else {
            result! {"skipped": true, "changed": false, "msg": "Check mode is not supported for this task."}
        };
        let mut plan = Plan::change(result! {}, move |host| run(&args, &content, host));
        plan.check = Some(check);
        Ok(plan)
    }
}

fn run(args: &ScriptArgs, content: &Blob, host: &Host) -> Result<Applied> {
    let io = |e: std::io::Error| ModuleError::new(format!("could not write the script: {e}"));
    let dir = tempfile::Builder::new().prefix("script-").tempdir_in(host.tmp()).map_err(io)?;
    let name = Path::new(&args._name).file_name().unwrap_or("script".as_ref());
    let file = dir.path().join(name);
    let mut target = fs::File::create(&file).map_err(io)?;
    std::io::copy(&mut content.open(host)?, &mut target).map_err(io)?;
    target.set_permissions(fs::Permissions::from_mode(0o700)).map_err(io)?;
    // A file that is open for writing cannot be run.
    drop(target);
    let path = words::quote(&file.to_string_lossy());
    let line = match &args.executable {
        Some(program) => format!("{program} {path} {}", args._words),
        None => format!("{path} {}", args._words),
    };
    let line = match &args.chdir {
        Some(dir) => format!("cd {} && {line}", words::quote(&host.path(&**dir).to_string_lossy())),
        None => line,
    };
    let process = Process::new("/bin/sh").arg("-c").arg(line.trim_end()).user_locale();
    let output = process.run(host).map_err(|e| ModuleError::new(format!("could not run the script: {e}")))?;
    let result = result! {
        "changed": true, "rc": output.rc, "stdout": output.out(), "stderr": output.err(),
    };
    if output.rc == 0 {
        return Applied::with(result);
    }
    let mut error = ModuleError::new("non-zero return code");
    error.result = result;
    Err(error)
}
