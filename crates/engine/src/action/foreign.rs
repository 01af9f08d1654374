//! Modules that are files of the controller: what of them is sent to the host (see [`modules::foreign`]).

use std::path::Path;

use lang::Result;
use modules::foreign::{Call, STEP, Style};

use super::files::{basename, send_bytes};
use super::{Input, Prepared, StepPlan, to_json};
use crate::settings::Keywords;

/// File systems without labels of SELinux, which modules in Python are told.
const SPECIAL_FS: [&str; 6] = ["fuse", "nfs", "vboxsf", "ramfs", "9p", "vfat"];

/// The step that runs the module at `path`; `there` renders what the host it runs on is configured with.
pub fn foreign(name: &str, path: &Path, input: &Input<'_>, there: &Keywords<'_>) -> Result<Prepared> {
    let content = std::fs::read(path)
        .map_err(|e| input.error(format!("could not read the module {}: {e}", path.display())))?;
    let style = Style::of(&content);
    if path.extension().is_some_and(|e| e == "ps1") {
        return Err(
            input.error(format!("the module {name} is written for PowerShell, which is not supported"))
        );
    }
    let interpreter = match style {
        Style::Binary => Vec::new(),
        _ => shebang(&content),
    };
    let mut args = to_json(&input.args);
    if let Some(raw) = args.get("_raw_params").and_then(serde_json::Value::as_str) {
        return Err(input.error(format!(
            "this task '{name}' has extra params, which is only allowed in the following modules: {raw}"
        )));
    }
    args.extend(internal(name, input));
    let call = Call {
        name: name.to_owned(),
        file: basename(path),
        style,
        content: serde_json::Value::Null,
        args,
        chosen: chosen(style, &interpreter, input, there)?,
        interpreter,
    };
    let sent = send_bytes(content);
    let mut args = match serde_json::to_value(call) {
        Ok(serde_json::Value::Object(args)) => args,
        _ => return Err(input.error(format!("the arguments of the module {name} cannot be sent"))),
    };
    args.insert("content".into(), sent.argument);
    Ok(Prepared::Step(Box::new(StepPlan {
        module: STEP.into(),
        args,
        finish: None,
        contents: sent.offer.into_iter().collect(),
    })))
}

/// The words of a `#!` line.
fn shebang(content: &[u8]) -> Vec<String> {
    let line = content.split(|b| *b == b'\n').next().unwrap_or_default();
    match line.strip_prefix(b"#!") {
        Some(rest) => crate::settings::split_words(String::from_utf8_lossy(rest).trim()),
        None => Vec::new(),
    }
}

/// The interpreter that the host is configured with for this kind of program.
fn chosen(
    style: Style,
    interpreter: &[String],
    input: &Input<'_>,
    there: &Keywords<'_>,
) -> Result<Option<String>> {
    let first = interpreter.first().map(String::as_str).unwrap_or_default();
    if style == Style::Python || modules::foreign::is_python(first) {
        return there.python(&input.ctx.options);
    }
    if first.is_empty() {
        return Ok(None);
    }
    let program = basename(Path::new(first));
    there.variables_text(&[&format!("ansible_{program}_interpreter")])
}

/// What Ansible tells every module beside its arguments.
fn internal(name: &str, input: &Input<'_>) -> protocol::Map {
    let options = &input.ctx.options;
    let on = |read: fn(&crate::settings::Settings) -> bool| input.settings.is_some_and(read);
    let mut args = protocol::Map::new();
    let mut put = |key: &str, value: serde_json::Value| args.insert(format!("_ansible_{key}"), value);
    put("check_mode", on(|s| s.check).into());
    put("no_log", on(|s| s.no_log).into());
    put("debug", false.into());
    put("diff", on(|s| s.diff).into());
    put("verbosity", options.verbosity.into());
    put("version", lang::ANSIBLE_VERSION.into());
    put("module_name", name.into());
    put("syslog_facility", "LOG_USER".into());
    put("selinux_special_fs", SPECIAL_FS.to_vec().into());
    put("socket", serde_json::Value::Null);
    put("shell_executable", options.connection.executable.as_deref().unwrap_or("/bin/sh").into());
    put("keep_remote_files", false.into());
    put("tmpdir", serde_json::Value::Null);
    put("remote_tmp", options.connection.remote_tmp.as_deref().unwrap_or("~/.ansible/tmp").into());
    put("ignore_unknown_opts", false.into());
    put("target_log_info", serde_json::Value::Null);
    put("tracebacks_for", options.tracebacks_for.clone().into());
    args
}
