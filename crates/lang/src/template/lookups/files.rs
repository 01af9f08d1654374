//! Lookups that read the controller's files.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{Entry, candidates, controller, find_file, flattened_terms, texts};
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::filters::{expand_user, glob_files};
use crate::template::object::{Dict, Fail, R, V};
use crate::template::templar::{self, TemplateOptions};
use crate::value::VaultText;
use crate::{Key, Map};

pub(super) const LOOKUPS: &[Entry] = &[
    ("csvfile", super::csv::csvfile),
    ("file", file),
    ("fileglob", fileglob),
    ("filetree", filetree),
    ("first_found", first_found),
    ("ini", super::ini::ini),
    ("template", template),
    ("unvault", unvault),
];

fn not_found(name: &str) -> Fail {
    Fail::Python(
        format!("Unable to access the file '{name}': File not found. Use -vvvvv to see paths searched.")
            .into(),
    )
}

/// The bytes of a file of the search path; an encrypted one is decrypted.
fn contents(env: &Rc<Env>, subdir: &str, name: &str) -> R<(PathBuf, Vec<u8>)> {
    found(env, subdir, name)?.ok_or_else(|| not_found(name))
}

/// As [`contents`], `None` when there is no such file.
pub(super) fn found(env: &Rc<Env>, subdir: &str, name: &str) -> R<Option<(PathBuf, Vec<u8>)>> {
    let Some(path) = find_file(env, subdir, name) else { return Ok(None) };
    let data = std::fs::read(&path)
        .map_err(|e| Fail::Python(format!("Unable to access the file '{}': {e}", path.display()).into()))?;
    if data.starts_with(b"$ANSIBLE_VAULT;") {
        let text = VaultText { text: String::from_utf8_lossy(&data).into_owned(), pos: None };
        return Ok(Some((path, env.templar.decrypt(&text)?.into_bytes())));
    }
    Ok(Some((path, data)))
}

pub(super) fn text_contents(env: &Rc<Env>, subdir: &str, name: &str) -> R<(PathBuf, String)> {
    let (path, data) = contents(env, subdir, name)?;
    Ok((path, String::from_utf8_lossy(&data).into_owned()))
}

fn flag(args: &mut Args, name: &str, default: bool) -> R<bool> {
    args.take(name)?.map_or(Ok(default), |value| truth_of(&value))
}

/// An option that says yes or no, in words or as a value.
pub(super) fn truth_of(value: &V) -> R<bool> {
    match value {
        V::Str(word) => {
            Ok(matches!(word.as_str().to_lowercase().as_str(), "yes" | "on" | "1" | "true" | "y" | "t"))
        }
        value => ops::truth(value),
    }
}

fn file(env: &Rc<Env>, mut args: Args) -> R<Vec<V>> {
    controller(env, "file lookup")?;
    let (left, right) = (flag(&mut args, "lstrip", false)?, flag(&mut args, "rstrip", true)?);
    let mut out = Vec::new();
    for name in texts(&args)? {
        let (_, text) = text_contents(env, "files", &name)?;
        let text = if left { text.trim_start() } else { &text };
        out.push(V::str(if right { text.trim_end() } else { text }));
    }
    Ok(out)
}

fn unvault(env: &Rc<Env>, args: Args) -> R<Vec<V>> {
    controller(env, "unvault lookup")?;
    texts(&args)?.iter().map(|name| text_contents(env, "files", name).map(|(_, text)| V::str(text))).collect()
}

fn fileglob(env: &Rc<Env>, args: Args) -> R<Vec<V>> {
    controller(env, "fileglob lookup")?;
    let mut out = Vec::new();
    for term in texts(&args)? {
        let term = expand_user(&term);
        let path = Path::new(&term);
        if path.is_absolute() {
            out.extend(glob_files(&term));
            continue;
        }
        let dirs: Vec<PathBuf> = if path.parent().is_some_and(|p| !p.as_os_str().is_empty()) {
            let dir = path.parent().map(|p| p.display().to_string()).unwrap_or_default();
            candidates(env, "files", &dir).into_iter().find(|p| p.is_dir()).into_iter().collect()
        } else {
            env.scope.search_path().iter().flat_map(|d| [d.join("files"), d.clone()]).collect()
        };
        let pattern = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        for dir in dirs {
            let found =
                glob_files(&format!("{}/{pattern}", glob::Pattern::escape(&dir.display().to_string())));
            if !found.is_empty() {
                out.extend(found);
                break;
            }
        }
    }
    Ok(out.into_iter().map(V::str).collect())
}

fn first_found(env: &Rc<Env>, mut args: Args) -> R<Vec<V>> {
    controller(env, "first_found lookup")?;
    let skip = flag(&mut args, "skip", false)?;
    let files = args.take("files")?;
    let paths = args.take("paths")?;
    let mut terms = args.pos.clone();
    if files.is_some() || (paths.is_some() && terms.is_empty()) {
        let mut map = Dict::new();
        map.insert(Key::from("files"), files.unwrap_or_else(|| V::list(Vec::new())));
        if let Some(paths) = &paths {
            map.insert(Key::from("paths"), paths.clone());
        }
        terms.push(V::dict(map));
    }
    let subdir = args.take("_subdir")?;
    let shared_paths = paths.map(|p| words(&p)).transpose()?.unwrap_or_default();
    let mut names = Vec::new();
    let mut skip = skip;
    if subdir.is_none() {
        no_undefined(&terms)?;
    }
    collect_names(&terms, &shared_paths, &mut names, &mut skip)?;
    let subdir = match subdir {
        Some(dir) => ops::to_str(&dir)?,
        None => "files".to_string(),
    };
    for name in &names {
        if let Some(path) = find_file(env, &subdir, name) {
            return Ok(vec![V::str(path.display().to_string())]);
        }
    }
    if skip {
        return Ok(Vec::new());
    }
    Fail::python("No file was found when using first_found.")
}

/// Only a loop passes over names with an undefined variable in them.
fn no_undefined(terms: &[V]) -> R<()> {
    for term in terms {
        if let Some(items) = iterate::as_list(&term.need()?)? {
            no_undefined(&items)?;
        }
    }
    Ok(())
}

fn collect_names(terms: &[V], shared: &[String], names: &mut Vec<String>, skip: &mut bool) -> R<()> {
    for term in terms {
        let term = term.force()?;
        match &term {
            // A name with an undefined variable in it is passed over.
            V::Undef(_) => {}
            V::Str(text) if shared.is_empty() => names.push(text.as_str().to_string()),
            V::Str(text) => {
                names.extend(shared.iter().map(|p| format!("{}/{}", p.trim_end_matches('/'), text.as_str())));
            }
            other => {
                if let Some(items) = iterate::as_list(other)? {
                    collect_names(&items, shared, names, skip)?;
                } else if iterate::as_dict(other)?.is_some() {
                    let member = |key: &str| -> R<Option<V>> {
                        match iterate::member(other, key) {
                            Ok(Some(V::Undef(_))) => Ok(None),
                            other => other,
                        }
                    };
                    let files = member("files")?.map(|v| words(&v)).transpose()?.unwrap_or_default();
                    let paths = member("paths")?.map(|v| words(&v)).transpose()?.unwrap_or_default();
                    if let Some(flag) = member("skip")? {
                        *skip = ops::truth(&flag)?;
                    }
                    if paths.is_empty() {
                        names.extend(files);
                    } else if files.is_empty() {
                        names.extend(paths);
                    } else {
                        for path in &paths {
                            names.extend(files.iter().map(|f| format!("{}/{f}", path.trim_end_matches('/'))));
                        }
                    }
                } else {
                    return Fail::python(format!(
                        "Invalid term supplied. A string, dict or list is required, not '{}'.",
                        other.type_name()
                    ));
                }
            }
        }
    }
    Ok(())
}

/// A list of names, or one text with commas, semicolons or colons between them.
fn words(value: &V) -> R<Vec<String>> {
    match iterate::as_list(value)? {
        Some(items) => {
            let mut out = Vec::new();
            for item in items {
                match item.force()? {
                    V::Undef(_) => {}
                    item => out.extend(words(&item)?),
                }
            }
            Ok(out)
        }
        None => Ok(ops::to_str(value)?
            .split([',', ';', ':'])
            .map(|w| w.trim().to_string())
            .filter(|w| !w.is_empty())
            .collect()),
    }
}

fn template(env: &Rc<Env>, mut args: Args) -> R<Vec<V>> {
    controller(env, "template lookup")?;
    let mut options = TemplateOptions::default();
    let text_option = |args: &mut Args, name: &str, slot: &mut String| -> R<()> {
        if let Some(value) = args.take(name)? {
            *slot = ops::to_str(&value)?;
        }
        Ok(())
    };
    text_option(&mut args, "variable_start_string", &mut options.variable_start_string)?;
    text_option(&mut args, "variable_end_string", &mut options.variable_end_string)?;
    text_option(&mut args, "comment_start_string", &mut options.comment_start_string)?;
    text_option(&mut args, "comment_end_string", &mut options.comment_end_string)?;
    options.trim_blocks = flag(&mut args, "trim_blocks", true)?;
    options.lstrip_blocks = flag(&mut args, "lstrip_blocks", false)?;
    args.take("convert_data")?;
    args.take("jinja2_native")?;
    let mut vars = Map::new();
    if let Some(given) = args.take("template_vars")? {
        for (key, value) in iterate::entries(&given)?.unwrap_or_default() {
            vars.insert(key, crate::template::eval::finalize::finalize(&value)?);
        }
    }
    let mut out = Vec::new();
    for name in texts(&args)? {
        let Some(path) = find_file(env, "templates", &name) else {
            return Fail::python(format!("the template file {name} could not be found for the lookup"));
        };
        let (path, text) = text_contents(env, "", &path.display().to_string())?;
        let mut names = vars.clone();
        for (key, value) in template_vars(&path) {
            // What the user has set himself counts.
            if key.as_str() != Some("ansible_managed") || env.variable(&"ansible_managed".into())?.is_none() {
                names.entry(key).or_insert(value);
            }
        }
        let inner = Env::for_template(env, &path, &names);
        let rendered = templar::render_file(&env.templar, &text, &path, &options, &inner)?;
        out.push(rendered);
    }
    Ok(out)
}

/// `template_path`, `template_mtime` and the others that describe a template file.
pub(crate) fn template_vars(path: &Path) -> Map {
    let text = |s: String| crate::Value::str(s);
    let meta = std::fs::metadata(path).ok();
    let full = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let modified = meta.as_ref().map_or(0, |m| m.mtime());
    let at = chrono::DateTime::from_timestamp(modified, 0).unwrap_or_default().with_timezone(&chrono::Local);
    let owner = meta.as_ref().map_or_else(String::new, |m| user_name(m.uid()));
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_string();
    let managed = "Ansible managed";
    [
        ("ansible_managed", text(managed.to_string())),
        ("template_host", text(host)),
        ("template_path", text(path.display().to_string())),
        ("template_fullpath", text(full.display().to_string())),
        ("template_uid", text(owner)),
        ("template_mtime", text(at.format("%Y-%m-%d %H:%M:%S").to_string())),
        ("template_run_date", text(chrono::Local::now().format("%Y-%m-%d %H:%M:%S%.6f").to_string())),
    ]
    .into_iter()
    .map(|(k, v)| (Key::from(k), v))
    .collect()
}

fn user_name(uid: u32) -> String {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let id = uid.to_string();
    let name = passwd.lines().find_map(|l| {
        let f: Vec<&str> = l.split(':').collect();
        (f.get(2) == Some(&id.as_str())).then(|| f[0].to_string())
    });
    name.unwrap_or(id)
}

fn filetree(env: &Rc<Env>, args: Args) -> R<Vec<V>> {
    controller(env, "filetree lookup")?;
    let mut out = Vec::new();
    let mut seen = std::collections::HashSet::new();
    for term in flattened_terms(&args)? {
        let term = ops::to_str(&term)?;
        let term = expand_user(&term);
        let name = term.trim_end_matches('/');
        let dirs: Vec<PathBuf> = if Path::new(name).is_absolute() {
            vec![PathBuf::from(name)]
        } else {
            candidates(env, "files", name).into_iter().filter(|d| d.is_dir()).collect()
        };
        for dir in dirs {
            walk(&dir, &dir, &mut seen, &mut out, 0)?;
        }
    }
    Ok(out)
}

fn walk(
    root: &Path,
    dir: &Path,
    seen: &mut std::collections::HashSet<PathBuf>,
    out: &mut Vec<V>,
    depth: usize,
) -> R<()> {
    if depth > 100 {
        return Fail::python("directories are nested too deeply");
    }
    let Ok(entries) = std::fs::read_dir(dir) else { return Ok(()) };
    let mut entries: Vec<PathBuf> = entries.filter_map(std::result::Result::ok).map(|e| e.path()).collect();
    entries.sort();
    let (dirs, files): (Vec<_>, Vec<_>) = entries.into_iter().partition(|p| p.is_dir() && !p.is_symlink());
    for path in dirs.iter().chain(&files) {
        let relative = path.strip_prefix(root).unwrap_or(path).to_path_buf();
        if seen.insert(relative.clone())
            && let Some(item) = describe(root, path, &relative)
        {
            out.push(item);
        }
    }
    for dir in dirs {
        walk(root, &dir, seen, out, depth + 1)?;
    }
    Ok(())
}

fn describe(root: &Path, path: &Path, relative: &Path) -> Option<V> {
    let meta = path.symlink_metadata().ok()?;
    let kind = meta.file_type();
    let (state, src) = if kind.is_symlink() {
        ("link", std::fs::read_link(path).ok()?.display().to_string())
    } else if kind.is_dir() {
        ("directory", String::new())
    } else if kind.is_file() {
        ("file", path.display().to_string())
    } else {
        return None;
    };
    let mut map = Dict::new();
    let mut put = |key: &str, value: V| {
        map.insert(Key::from(key), value);
    };
    put("root", V::str(root.display().to_string()));
    put("path", V::str(relative.display().to_string()));
    put("state", V::str(state));
    if state != "directory" {
        put("src", V::str(src));
    }
    put("owner", V::str(user_name(meta.uid())));
    put("group", V::int(meta.gid()));
    put("uid", V::int(meta.uid()));
    put("gid", V::int(meta.gid()));
    put("mode", V::str(format!("0{:o}", meta.permissions().mode() & 0o7777)));
    put("size", V::int(meta.size()));
    put("mtime", V::Float(meta.mtime() as f64));
    put("ctime", V::Float(meta.ctime() as f64));
    Some(V::dict(map))
}
