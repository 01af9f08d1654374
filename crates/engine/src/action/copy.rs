//! `copy`: content, files and whole directories of the controller.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use lang::{Result, Value};
use protocol::Hash;
use serde_json::json;

use super::basic::flag;
use super::files::{basename, find_file, send_bytes, send_file};
use super::{Input, Prepared, StepPlan, to_json};
use crate::link::Content;
use crate::map;
use crate::results::ResultMap;
use crate::scope::calculate;
use crate::settings::text_of;

pub fn copy(input: Input<'_>) -> Result<Prepared> {
    // As in Python: what is false is not there.
    let src = input.args.get("src").filter(|src| src.is_truthy()).map(text_of);
    let content = input.args.get("content").filter(|c| !c.is_null());
    if input.args.contains_key("_raw_params") {
        return Err(input.error("src (or content) and dest are required"));
    }
    let dest = input.text("dest").filter(|d| !d.is_empty());
    let Some(dest) = dest else {
        return Err(input.error("dest is required"));
    };
    match (&src, content) {
        (Some(_), Some(_)) => return Err(input.error("src and content are mutually exclusive")),
        (None, None) => return Err(input.error("src (or content) is required")),
        _ => {}
    }
    let mut args = to_json(&input.args);
    for key in ["src", "content", "decrypt"] {
        args.shift_remove(key);
    }
    if let Some(content) = content {
        if dest.ends_with('/') {
            return Err(input.error("can not use content with a dir as dest"));
        }
        let bytes = match content {
            Value::Map(_) | Value::List(_) => {
                text_of(&calculate(&input.ctx.templar, "value | to_json", map! {"value": content.clone()})?)
                    .into_bytes()
            }
            other => text_of(other).into_bytes(),
        };
        let sent = send_bytes(bytes);
        args.insert("content".into(), sent.argument);
        if input.text("mode").as_deref() == Some("preserve") {
            // That of the temporary file that Ansible writes the content to.
            args.insert("mode".into(), "0600".into());
        }
        return Ok(Prepared::Step(Box::new(StepPlan {
            module: "copy".into(),
            args,
            finish: None,
            contents: sent.offer.into_iter().collect(),
        })));
    }
    let src = src.unwrap_or_default();
    if flag(&input.args, "remote_src", false)? {
        args.insert("src".into(), src.into());
        return super::step("copy", args, &input.task.pos);
    }
    let path = find_file(input.scope.search_path(), "files", &src).map_err(refused)?;
    if path.is_dir() {
        return tree(&input, &path, &src, &dest, args);
    }
    one_file(&input, &path, args)
}

/// A file as one step; `dest` is in the arguments already.
fn one_file(input: &Input<'_>, path: &Path, mut args: protocol::Map) -> Result<Prepared> {
    let sent = send_file(input, path, flag(&input.args, "decrypt", true)?)?;
    let source = path.to_string_lossy().into_owned();
    args.insert("content".into(), sent.argument);
    args.insert("_original_basename".into(), basename(path).into());
    args.insert("_source".into(), source.clone().into());
    if input.text("mode").as_deref() == Some("preserve") {
        args.insert("mode".into(), mode_of(path).into());
    }
    let contents = sent.offer.into_iter().collect();
    let finish: super::Finish = Rc::new(move |result| {
        // A file that is there and is not to be replaced.
        if !result.flag("failed") && !result.flag("changed") && !result.contains_key("path") {
            result.put("src", source.as_str());
        }
    });
    Ok(Prepared::Step(Box::new(StepPlan { module: "copy".into(), args, finish: Some(finish), contents })))
}

/// An error that the action says itself.
fn refused(error: lang::Error) -> lang::Error {
    error.with_kind(lang::error::ErrorKind::Refused)
}

/// The permissions of a file of the controller, for `mode: preserve`.
pub(super) fn mode_of(path: &Path) -> String {
    path.metadata()
        .map(|m| format!("0{:o}", m.permissions().mode() & 0o7777))
        .unwrap_or_else(|_| "0644".into())
}

/// A whole directory, as one step: a manifest of what should be there.
fn tree(input: &Input<'_>, path: &Path, src: &str, dest: &str, mut args: protocol::Map) -> Result<Prepared> {
    let local_follow = flag(&input.args, "local_follow", true)?;
    let decrypt = flag(&input.args, "decrypt", true)?;
    let preserve = input.text("mode").as_deref() == Some("preserve");
    // As rsync: `dir/` means what is in it, `dir` the directory itself.
    let prefix = if src.ends_with('/') { String::new() } else { basename(path) };
    let slash = if src.ends_with('/') { "/" } else { "" };
    let source = format!("{}{slash}", path.to_string_lossy().trim_end_matches('/'));
    let mut manifest = Vec::new();
    let mut contents = Vec::new();
    if !prefix.is_empty() {
        manifest.push(json!({"path": prefix, "directory": true}));
    }
    let top = prefix.clone();
    let mut waiting = vec![(path.to_owned(), prefix, Way::new(path, None))];
    while let Some((dir, relative, way)) = waiting.pop() {
        let io = |e: std::io::Error| input.error(format!("Could not read {}: {e}", dir.display()));
        let mut names: Vec<_> =
            std::fs::read_dir(&dir).map_err(io)?.filter_map(|e| e.ok().map(|e| e.file_name())).collect();
        names.sort();
        for name in names {
            let file = dir.join(&name);
            let name = name.to_string_lossy();
            let below = if relative.is_empty() { name.into_owned() } else { format!("{relative}/{name}") };
            let metadata = match file.symlink_metadata() {
                Ok(own) if own.is_symlink() && local_follow && !way.leads_nowhere(&file) => file.metadata(),
                own => own,
            };
            let metadata = match metadata {
                Ok(metadata) => metadata,
                Err(e) => return Err(input.error(format!("Could not read {}: {e}", file.display()))),
            };
            if metadata.is_symlink() {
                let target = std::fs::read_link(&file).map_err(io)?;
                manifest.push(json!({"path": below, "link": target.to_string_lossy()}));
            } else if metadata.is_dir() {
                manifest.push(json!({"path": below, "directory": true}));
                let way = Way::new(&file, Some(&way));
                waiting.push((file, below, way));
            } else if metadata.is_file() {
                let sent = send_for_tree(input, &file, decrypt)?;
                let mut entry = json!({"path": below, "content": sent.argument});
                if preserve {
                    entry["mode"] = mode_of(&file).into();
                }
                manifest.push(entry);
                contents.extend(sent.offer);
            }
        }
    }
    // The directory itself comes with what is in it; one file alone is reported as a file.
    match manifest.iter().filter(|entry| entry["path"] != top.as_str()).collect::<Vec<_>>()[..] {
        [] => {
            let dest = format!("{}/", dest.trim_end_matches('/'));
            return Ok(Prepared::Done(map! {"changed": false, "dest": dest, "src": source}));
        }
        [one] if one.get("content").is_some() => {
            let below = one["path"].as_str().unwrap_or_default();
            let file = path.join(below.strip_prefix(&format!("{top}/")).unwrap_or(below));
            let parent = Path::new(dest).join(below);
            let parent = parent.parent().unwrap_or(Path::new("/")).to_string_lossy();
            args.insert("dest".into(), format!("{}/", parent.trim_end_matches('/')).into());
            return one_file(input, &file, args);
        }
        _ => {}
    }
    args.insert("tree".into(), manifest.into());
    let dest = dest.to_owned();
    let finish: super::Finish = Rc::new(move |result| {
        if result.flag("failed") {
            return;
        }
        if !result.contains_key("dest") {
            result.put("dest", dest.as_str());
        }
        if !result.contains_key("src") {
            result.put("src", source.as_str());
        }
    });
    let finish = Some(finish);
    Ok(Prepared::Step(Box::new(StepPlan { module: "copy".into(), args, finish, contents })))
}

/// The directories on the way to one of a tree, without links.
struct Way {
    real: Option<PathBuf>,
    before: Option<Rc<Way>>,
}

impl Way {
    fn new(dir: &Path, before: Option<&Rc<Self>>) -> Rc<Self> {
        Rc::new(Self { real: dir.canonicalize().ok(), before: before.cloned() })
    }

    /// Does a link lead to nothing, to itself, or to a directory that it is in? Such links stay links.
    fn leads_nowhere(&self, link: &Path) -> bool {
        let Ok(target) = link.canonicalize() else { return true };
        let mut way = Some(self);
        while let Some(at) = way {
            if at.real.as_ref().is_some_and(|dir| dir.starts_with(&target)) {
                return true;
            }
            way = at.before.as_deref();
        }
        false
    }
}

/// In a tree nothing is sent that the host may have: only tiny files travel with the manifest.
fn send_for_tree(input: &Input<'_>, path: &Path, decrypt: bool) -> Result<super::files::Sent> {
    let sent = send_file(input, path, decrypt)?;
    if sent.offer.is_some() {
        return Ok(sent);
    }
    let content = if decrypt {
        input.ctx.hooks.read(path)?
    } else {
        std::fs::read(path).map_err(|e| input.error(format!("Could not read {}: {e}", path.display())))?
    };
    if content.len() <= 64 {
        return Ok(sent);
    }
    let hash = Hash::of(&content);
    let argument = modules::Blob::Remote { hash, size: content.len() as u64 }.to_json();
    Ok(super::files::Sent { argument, offer: Some((hash, Content::Bytes(content.into()))) })
}
