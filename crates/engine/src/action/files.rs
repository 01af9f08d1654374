//! Files of the controller: finding them as Ansible does, and the actions that send them as they are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use lang::error::ErrorKind;
use lang::{Error, Result};
use protocol::Hash;

use super::basic::flag;
use super::{Input, Prepared, StepPlan, to_json};
use crate::link::Content;
use crate::map;
use crate::results::ResultMap;

/// Contents up to this many bytes travel with the step itself: asking for them would cost a round trip.
const INLINE: usize = 32 << 10;

/// Find `name` on the search path of a scope: in the folder `kind` (`files`, `templates`, `vars`) of each directory
/// first, then in the directory itself.
pub fn find_file(path: &[PathBuf], kind: &str, name: &str) -> Result<PathBuf> {
    let wanted = Path::new(name);
    let expanded = expand_home(name);
    if expanded.is_absolute() {
        return if expanded.exists() { Ok(expanded) } else { Err(not_found(name, &[])) };
    }
    let mut tried = Vec::new();
    for dir in path {
        let mut bases = vec![dir.clone()];
        if dir.file_name().is_some_and(|n| n == "tasks")
            && let Some(parent) = dir.parent()
        {
            bases.insert(0, parent.to_owned());
        }
        for base in bases {
            for candidate in [base.join(kind).join(wanted), base.join(wanted)] {
                if candidate.exists() {
                    return Ok(candidate);
                }
                tried.push(candidate);
            }
        }
    }
    Err(not_found(name, &tried))
}

fn not_found(name: &str, tried: &[PathBuf]) -> Error {
    let mut message = format!("Could not find or access '{name}'");
    if !tried.is_empty() {
        let list: Vec<String> = tried.iter().map(|p| format!("\t{}", p.display())).collect();
        message = format!("{message}\nSearched in:\n{}", list.join("\n"));
    }
    Error::new(format!("{message} on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option"))
        .with_kind(lang::error::ErrorKind::NotFound)
}

/// With the home directory for a leading `~/`.
pub fn expand_home(name: &str) -> PathBuf {
    match (name.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => PathBuf::from(name),
    }
}

/// Names that mean the controller itself.
pub fn is_localhost(name: &str) -> bool {
    matches!(name, "localhost" | "127.0.0.1" | "::1")
}

/// A file's content as an argument of a step, and what has to be offered for it.
pub struct Sent {
    pub argument: serde_json::Value,
    pub offer: Option<(Hash, Content)>,
}

/// Content that is in memory.
pub fn send_bytes(content: Vec<u8>) -> Sent {
    if content.len() <= INLINE {
        return Sent { argument: modules::Blob::Inline(content).to_json(), offer: None };
    }
    let hash = Hash::of(&content);
    let argument = modules::Blob::Remote { hash, size: content.len() as u64 }.to_json();
    Sent { argument, offer: Some((hash, Content::Bytes(Arc::from(content)))) }
}

/// The content of a file on the controller; a vault is decrypted if `decrypt` says so.
pub fn send_file(input: &Input<'_>, path: &Path, decrypt: bool) -> Result<Sent> {
    let unreadable = |e: std::io::Error| {
        input.error(format!("Could not find or access '{}' on the Ansible Controller: {e}", path.display()))
    };
    let size = std::fs::metadata(path).map_err(unreadable)?.len();
    if size > 4 << 20 {
        let mut head = [0; 16];
        let mut file = std::fs::File::open(path).map_err(unreadable)?;
        let n = std::io::Read::read(&mut file, &mut head).map_err(unreadable)?;
        if !(decrypt && head[..n].starts_with(b"$ANSIBLE_VAULT")) {
            let hash = hash_file(path).map_err(unreadable)?;
            let argument = modules::Blob::Remote { hash, size }.to_json();
            return Ok(Sent { argument, offer: Some((hash, Content::File(path.to_owned()))) });
        }
    }
    let content = match decrypt {
        true => input.ctx.hooks.read(path).map_err(|e| match e.kind() {
            ErrorKind::NoSecrets => lang::Error::new(format!(
                "A vault password or secret must be specified to decrypt {}",
                path.display()
            )),
            _ => e,
        })?,
        false => std::fs::read(path).map_err(unreadable)?,
    };
    Ok(send_bytes(content))
}

/// SHA-256 of a file, read in pieces.
fn hash_file(path: &Path) -> std::io::Result<Hash> {
    use sha2::{Digest, Sha256};
    let mut hasher = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut hasher)?;
    Ok(Hash::from_bytes(hasher.finalize().into()))
}

pub fn script(input: Input<'_>) -> Result<Prepared> {
    input.not_in_background("script")?;
    let known = ["_raw_params", "chdir", "cmd", "creates", "executable", "removes"];
    let mut unknown: Vec<String> = input.args.keys().map(ToString::to_string).collect();
    unknown.retain(|k| !known.contains(&k.as_str()) && k != "decrypt");
    if !unknown.is_empty() {
        unknown.sort();
        return Err(input.error(format!(
            "Unsupported parameters for (script) module: {}. Supported parameters include: {}.",
            unknown.join(", "),
            known.join(", ")
        )));
    }
    let (free, cmd) = (input.text("_raw_params").filter(|r| !r.is_empty()), input.text("cmd"));
    if free.is_some() && cmd.is_some() {
        return Err(input.error("parameters are mutually exclusive: _raw_params|cmd"));
    }
    let Some(raw) = free.or(cmd).filter(|r| !r.trim().is_empty()) else {
        return Err(input.error("one of the following is required: _raw_params, cmd"));
    };
    if let Some(dir) = input.text("chdir").filter(|dir| !dir.starts_with('/')) {
        return Err(input.error(format!("chdir {dir} must be an absolute path for a Unix-aware remote node")));
    }
    let rest = raw.trim_start();
    let (name, rest) = first_word(rest);
    let path = find_file(input.scope.search_path(), "files", &name)
        .map_err(|e| e.with_kind(lang::error::ErrorKind::Refused))?;
    let sent = send_file(&input, &path, flag(&input.args, "decrypt", true)?)?;
    let mut args = to_json(&input.args);
    for key in ["_raw_params", "cmd", "decrypt"] {
        args.shift_remove(key);
    }
    args.insert("_content".into(), sent.argument);
    // The rest of the line goes to the shell as it was written.
    args.insert("_words".into(), rest.trim().into());
    args.insert("_name".into(), basename(&path).into());
    Ok(Prepared::Step(Box::new(StepPlan {
        module: "script".into(),
        args,
        finish: None,
        contents: sent.offer.into_iter().collect(),
    })))
}

/// The first word of a line as a shell reads it, and what is behind it.
fn first_word(line: &str) -> (String, &str) {
    let mut word = String::new();
    let mut quote = None;
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => word.extend(chars.next().map(|(_, c)| c)),
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            (c, None) if c.is_whitespace() => return (word, &line[at..]),
            (c, _) => word.push(c),
        }
    }
    (word, "")
}

pub fn unarchive(input: Input<'_>) -> Result<Prepared> {
    input.not_in_background("unarchive")?;
    let src = input.text("src");
    let dest = input.text("dest");
    let (Some(src), Some(_)) = (src, dest) else {
        return Err(input.error("src (or content) and dest are required"));
    };
    if input.args.contains_key("copy") && input.args.contains_key("remote_src") {
        return Err(input.error("parameters are mutually exclusive: ('copy', 'remote_src')"));
    }
    // `copy: false` is the older name of `remote_src: true`.
    let remote = flag(&input.args, "remote_src", false)? || !flag(&input.args, "copy", true)?;
    let mut args = to_json(&input.args);
    for key in ["decrypt", "copy"] {
        args.shift_remove(key);
    }
    if remote {
        args.insert("remote_src".into(), true.into());
        return super::step("unarchive", args, &input.task.pos);
    }
    if src.contains("://") {
        return Err(input.error(format!(
            "Unsupported option, an URI src ({src}) is only supported when remote_src is True"
        )));
    }
    args.shift_remove("src");
    let path = match find_file(input.scope.search_path(), "files", &src) {
        Ok(path) => path,
        // Only where there is something to unpack.
        Err(error) if input.args.contains_key("creates") => {
            args.insert("_missing".into(), format!("Task failed: {error}").into());
            return super::step("unarchive", args, &input.task.pos);
        }
        Err(error) => return Err(error),
    };
    let sent = send_file(&input, &path, flag(&input.args, "decrypt", true)?)?;
    args.insert("_content".into(), sent.argument);
    args.insert("_original_basename".into(), basename(&path).into());
    let source = path.to_string_lossy().into_owned();
    Ok(Prepared::Step(Box::new(StepPlan {
        module: "unarchive".into(),
        args,
        finish: Some(std::rc::Rc::new(move |result| {
            if !result.contains_key("src") && !result.flag("failed") && !result.flag("skipped") {
                result.put("src", source.as_str());
            }
        })),
        contents: sent.offer.into_iter().collect(),
    })))
}

/// `uri`: files of the controller go along as contents.
pub fn uri(input: Input<'_>) -> Result<Prepared> {
    if input.settings.is_some_and(|s| s.check) {
        let msg = "This action (uri) does not support check mode.";
        return Ok(Prepared::Done(map! {"skipped": true, "changed": false, "msg": msg}));
    }
    let given = |name: &str| input.args.get(name).is_some_and(|value| !value.is_null());
    if given("body") && given("src") {
        return Err(input.error("parameters are mutually exclusive: body|src"));
    }
    let mut args = to_json(&input.args);
    let mut contents = Vec::new();
    if flag(&input.args, "remote_src", false)? {
        return super::step("uri", args, &input.task.pos);
    }
    if let Some(src) = input.text("src") {
        let path = find_file(input.scope.search_path(), "files", &src)?;
        let sent = send_file(&input, &path, true)?;
        args.shift_remove("src");
        args.insert("_content".into(), sent.argument);
        contents.extend(sent.offer);
    }
    if input.text("body_format").as_deref() == Some("form-multipart")
        && let Some(serde_json::Value::Object(fields)) = args.get_mut("body")
    {
        for field in fields.values_mut().filter_map(serde_json::Value::as_object_mut) {
            let name = field.get("filename").and_then(serde_json::Value::as_str).map(str::to_owned);
            let Some(name) = name.filter(|_| !field.contains_key("content")) else { continue };
            let path = find_file(input.scope.search_path(), "files", &name)?;
            let sent = send_file(&input, &path, true)?;
            field.insert("content".into(), sent.argument);
            field.insert("_file".into(), true.into());
            contents.extend(sent.offer);
        }
    }
    Ok(Prepared::Step(Box::new(StepPlan { module: "uri".into(), args, finish: None, contents })))
}

pub fn assemble(input: Input<'_>) -> Result<Prepared> {
    input.not_in_background("assemble")?;
    let (Some(src), Some(_)) = (input.text("src"), input.text("dest")) else {
        return Err(input.error("src and dest are required"));
    };
    let mut args = to_json(&input.args);
    if flag(&input.args, "remote_src", true)? {
        return super::step("assemble", args, &input.task.pos);
    }
    let dir = find_file(input.scope.search_path(), "files", &src)?;
    if !dir.is_dir() {
        return Err(input.error(format!("Source ({}) is not a directory", dir.display())));
    }
    let sent = send_bytes(assemble_local(&input, &dir)?);
    args.shift_remove("src");
    args.insert("_content".into(), sent.argument);
    args.insert("_source".into(), dir.to_string_lossy().into_owned().into());
    Ok(Prepared::Step(Box::new(StepPlan {
        module: "assemble".into(),
        args,
        finish: None,
        contents: sent.offer.into_iter().collect(),
    })))
}

/// What the fragments of a directory of the controller make.
fn assemble_local(input: &Input<'_>, dir: &Path) -> Result<Vec<u8>> {
    let io = |e: std::io::Error| input.error(format!("Could not read {}: {e}", dir.display()));
    let hidden = flag(&input.args, "ignore_hidden", false)?;
    let decrypt = flag(&input.args, "decrypt", true)?;
    let mut names = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(io)? {
        names.push(entry.map_err(io)?.file_name().to_string_lossy().into_owned());
    }
    let names = modules::library::assemble::select(names, input.text("regexp").as_deref(), hidden)
        .map_err(|e| input.error(e.msg))?;
    let mut fragments = Vec::new();
    for path in names.iter().map(|name| dir.join(name)).filter(|path| path.is_file()) {
        fragments.push(if decrypt {
            input.ctx.hooks.read(&path)?
        } else {
            std::fs::read(&path).map_err(io)?
        });
    }
    Ok(modules::library::assemble::join(fragments, input.text("delimiter").as_deref()))
}

pub fn basename(path: &Path) -> String {
    path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default()
}
