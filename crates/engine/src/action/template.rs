//! `template` and `nginx_site`: rendered here, compared and written by the agent.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use lang::template::{Overlay, Scope, TemplateOptions};
use lang::{Error, Map, Result, Value};

use super::files::{basename, find_file, send_bytes};
use super::{Finish, Input, Prepared, StepPlan, to_json};
use crate::map;
use crate::results::ResultMap;
use crate::scope::calculate;
use crate::settings::{text_of, to_bool};

/// Arguments that only rendering looks at.
const RENDERING: &[&str] = &[
    "newline_sequence",
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "trim_blocks",
    "lstrip_blocks",
    "output_encoding",
];

pub fn template(input: Input<'_>) -> Result<Prepared> {
    let (Some(src), Some(dest)) = (input.text("src"), input.text("dest")) else {
        return Err(input.error("src and dest are required"));
    };
    if let Some(state) = input.text("state") {
        return Err(input.error(format!("'state' cannot be specified on a template (got '{state}')")));
    }
    if input.args.get("content").is_some_and(|content| !content.is_null()) {
        return Err(input.error("src and content are mutually exclusive"));
    }
    let path = find_file(input.scope.search_path(), "templates", &src)
        .map_err(|e| e.with_kind(lang::error::ErrorKind::Refused))?;
    if path.is_dir() {
        let path = path.display();
        return Err(input.error(format!(
            "Task failed: An error occurred while trying to read the file '{path}': [Errno 21] Is a directory: '{path}'"
        )));
    }
    let shown = if dest.ends_with('/') { format!("{dest}{}", basename(&path)) } else { dest.clone() };
    let content = render(&input, &path, Some(&shown))?;
    let sent = send_bytes(content);
    let mut args = to_json(&input.args);
    for key in RENDERING.iter().chain(&["src"]) {
        args.shift_remove(*key);
    }
    args.insert("dest".into(), dest.into());
    args.insert("content".into(), sent.argument);
    args.insert("_original_basename".into(), basename(&path).into());
    args.insert("_source".into(), path.to_string_lossy().into_owned().into());
    if input.text("mode").as_deref() == Some("preserve") {
        args.insert("mode".into(), super::copy::mode_of(&path).into());
    }
    if !args.contains_key("follow") {
        args.insert("follow".into(), false.into());
    }
    Ok(Prepared::Step(Box::new(StepPlan {
        module: "copy".into(),
        args,
        finish: None,
        contents: sent.offer.into_iter().collect(),
    })))
}

pub fn nginx_site(input: Input<'_>) -> Result<Prepared> {
    let mut args = to_json(&input.args);
    let mut contents = Vec::new();
    let mut finish: Option<Finish> = None;
    if let Some(src) = input.text("src") {
        if input.args.contains_key("content") {
            return Err(input.error("parameters are mutually exclusive: src|content"));
        }
        let path = find_file(input.scope.search_path(), "templates", &src)?;
        let content = render(&input, &path, None)?;
        let sent = send_bytes(content);
        args.shift_remove("src");
        args.insert("content".into(), sent.argument);
        contents.extend(sent.offer);
        let shown = path.to_string_lossy().into_owned();
        finish = Some(Rc::new(move |result: &mut Map| result.put("src", shown.as_str())));
    }
    Ok(Prepared::Step(Box::new(StepPlan { module: "nginx_site".into(), args, finish, contents })))
}

fn render(input: &Input<'_>, path: &Path, dest: Option<&str>) -> Result<Vec<u8>> {
    let bytes = input.ctx.hooks.read(path)?;
    let source = String::from_utf8(bytes).map_err(|e| {
        Error::new(format!("Template source files must be utf-8 encoded: {}: {e}", path.display()))
            .at(Some(&input.task.pos))
    })?;
    let mut options = TemplateOptions::default();
    let text = |name: &str| input.text(name);
    if let Some(newline) = text("newline_sequence") {
        options.newline_sequence = match newline.as_str() {
            "\\n" | "\n" => "\n".into(),
            "\\r" | "\r" => "\r".into(),
            "\\r\\n" | "\r\n" => "\r\n".into(),
            _ => return Err(input.error("newline_sequence needs to be one of: \n, \r or \r\n")),
        };
    }
    for (name, slot) in [
        ("block_start_string", &mut options.block_start_string),
        ("block_end_string", &mut options.block_end_string),
        ("variable_start_string", &mut options.variable_start_string),
        ("variable_end_string", &mut options.variable_end_string),
        ("comment_start_string", &mut options.comment_start_string),
        ("comment_end_string", &mut options.comment_end_string),
    ] {
        if let Some(value) = text(name) {
            *slot = value;
        }
    }
    let flag = |name: &str| input.args.get(name).and_then(to_bool);
    options.trim_blocks = flag("trim_blocks").unwrap_or(true);
    options.lstrip_blocks = flag("lstrip_blocks").unwrap_or(false);
    let vars = about(input, path, dest)?;
    let scope: Arc<dyn Scope> = Arc::new(Overlay { vars, below: input.scope.clone() });
    let rendered = input.ctx.templar.render_template(&source, path, &options, &scope)?;
    match text("output_encoding").filter(|encoding| !encoding.is_empty()) {
        None => Ok(rendered.into_bytes()),
        Some(encoding) => {
            super::encoding::encode(&rendered, &encoding).map_err(|e| Error::new(e).at(Some(&input.task.pos)))
        }
    }
}

/// The variables that a template has about itself.
fn about(input: &Input<'_>, path: &Path, dest: Option<&str>) -> Result<Map> {
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let metadata = path.metadata().ok();
    let host = nix::unistd::gethostname().map(|h| h.to_string_lossy().into_owned()).unwrap_or_default();
    let owner = metadata.as_ref().map(|m| user_name(m.uid())).unwrap_or_default();
    let time = metadata.as_ref().map(|m| local_time(m.mtime())).unwrap_or_default();
    let mut vars = map! {
        "template_host": host,
        "template_path": input.text("src").unwrap_or_default(),
        "template_fullpath": full.to_string_lossy().into_owned(),
        "template_uid": owner,
        "template_mtime": time.clone(),
        "template_run_date": local_time(chrono::Utc::now().timestamp()),
    };
    if let Some(dest) = dest {
        vars.put("template_destpath", dest);
    } else {
        vars.put("template_destpath", Value::Null);
    }
    // What the user has set himself counts.
    if !matches!(input.scope.get("ansible_managed"), Ok(Some(_))) {
        let modified = metadata.as_ref().map(|m| m.mtime()).unwrap_or_default();
        let managed = managed(input, &vars, modified)?;
        vars.put("ansible_managed", managed);
    }
    Ok(vars)
}

/// `ansible_managed` as the configuration wants it: a format of Python's with the time of the template's last change,
/// and then a template itself. What a file is called is not taken for either.
fn managed(input: &Input<'_>, vars: &Map, modified: i64) -> Result<Value> {
    let Some(format) = &input.ctx.options.managed_str else { return Ok(Value::str("Ansible managed")) };
    let mut text = String::new();
    let mut rest = format.as_str();
    let fields = [
        ("{{", "{"),
        ("}}", "}"),
        ("{host}", "{{ template_host }}"),
        ("{uid}", "{{ template_uid }}"),
        ("{file}", "{{ template_path }}"),
    ];
    while let Some(first) = rest.chars().next() {
        let field = fields.iter().find(|(name, _)| rest.starts_with(name));
        let (taken, becomes) =
            field.copied().unwrap_or((&rest[..first.len_utf8()], &rest[..first.len_utf8()]));
        text.push_str(becomes);
        rest = &rest[taken.len()..];
    }
    let values = map! {"value": text, "modified": modified};
    let text = text_of(&calculate(&input.ctx.templar, "value | strftime(modified)", values)?);
    let scope: Arc<dyn Scope> = Arc::new(Overlay { vars: vars.clone(), below: input.scope.clone() });
    input.ctx.templar.render(&Value::template(text.as_str()), &scope)
}

fn user_name(uid: u32) -> String {
    match nix::unistd::User::from_uid(nix::unistd::Uid::from_raw(uid)) {
        Ok(Some(user)) => user.name,
        _ => uid.to_string(),
    }
}

fn local_time(seconds: i64) -> String {
    use chrono::TimeZone;
    chrono::Local
        .timestamp_opt(seconds, 0)
        .single()
        .map(|t| t.format("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}
