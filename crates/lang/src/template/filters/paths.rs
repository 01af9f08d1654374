//! Ansible's filters on paths, of Unix and of Windows.

use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::Entry;
use super::jinja::text0;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::object::{Fail, R, V};

pub(super) const FILTERS: &[Entry] = &[
    ("basename", |_, v, a| text0(path_text(&v)?, a, "basename", basename)),
    ("commonpath", commonpath),
    ("dirname", |_, v, a| text0(path_text(&v)?, a, "dirname", dirname)),
    ("expanduser", |_, v, a| text0(path_text(&v)?, a, "expanduser", expanduser)),
    ("expandvars", |_, v, a| text0(path_text(&v)?, a, "expandvars", expandvars)),
    ("fileglob", fileglob),
    ("normpath", |_, v, a| text0(path_text(&v)?, a, "normpath", normpath)),
    ("path_join", path_join),
    ("realpath", realpath),
    ("relpath", relpath),
    ("splitext", splitext),
    ("win_basename", |_, v, a| text0(path_text(&v)?, a, "win_basename", win_basename)),
    ("win_dirname", |_, v, a| text0(path_text(&v)?, a, "win_dirname", win_dirname)),
    ("win_splitdrive", win_splitdrive),
];

fn path_text(value: &V) -> R<V> {
    match value.need()? {
        V::Str(text) => Ok(V::Str(text)),
        other => {
            Fail::python(format!("expected str, bytes or os.PathLike object, not {}", other.type_name()))
        }
    }
}

pub(crate) fn basename(path: &str) -> String {
    path.rsplit('/').next().unwrap_or("").to_string()
}

pub(crate) fn dirname(path: &str) -> String {
    let Some(at) = path.rfind('/') else { return String::new() };
    let head = &path[..=at];
    let trimmed = head.trim_end_matches('/');
    if trimmed.is_empty() { head.to_string() } else { trimmed.to_string() }
}

pub(crate) fn expanduser(path: &str) -> String {
    let Some(rest) = path.strip_prefix('~') else { return path.to_string() };
    let (user, tail) = match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, ""),
    };
    let home = if user.is_empty() {
        std::env::var("HOME").ok().or_else(|| home_of(None))
    } else {
        home_of(Some(user))
    };
    match home {
        Some(home) => {
            let joined = format!("{}{tail}", home.trim_end_matches('/'));
            if joined.is_empty() { "/".to_string() } else { joined }
        }
        None => path.to_string(),
    }
}

/// The home of a user, by name, or of root.
fn home_of(user: Option<&str>) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let wanted = user.unwrap_or("root");
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        (fields.first() == Some(&wanted)).then(|| fields.get(5).map(|s| (*s).to_string())).flatten()
    })
}

/// `$NAME` and `${NAME}` replaced from the environment; names that are not there stay.
pub fn expandvars(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let tail = &rest[at + 1..];
        let (name, used) = match tail.strip_prefix('{').and_then(|t| t.find('}').map(|e| (&t[..e], e + 2))) {
            Some(found) => found,
            None => {
                let end = tail.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(tail.len());
                (&tail[..end], end)
            }
        };
        match std::env::var(name) {
            Ok(value) if !name.is_empty() => out.push_str(&value),
            _ => {
                out.push('$');
                out.push_str(&tail[..used]);
            }
        }
        rest = &tail[used..];
    }
    out + rest
}

pub(crate) fn normpath(path: &str) -> String {
    if path.is_empty() {
        return ".".to_string();
    }
    let slashes = if path.starts_with("//") && !path.starts_with("///") {
        2
    } else {
        usize::from(path.starts_with('/'))
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if (slashes == 0 && parts.is_empty()) || parts.last() == Some(&"..") => parts.push(part),
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    let out = format!("{}{}", "/".repeat(slashes), parts.join("/"));
    if out.is_empty() { ".".to_string() } else { out }
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        return normpath(path);
    }
    let here = std::env::current_dir().map(|d| d.display().to_string()).unwrap_or_default();
    normpath(&format!("{here}/{path}"))
}

fn realpath(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("realpath")?;
    let text = ops::to_str(&path_text(&value)?)?;
    Ok(V::str(resolve(Path::new(&absolute(&text)), 0).display().to_string()))
}

/// Links resolved as far as the path exists.
fn resolve(path: &Path, depth: usize) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => {
                let next = out.join(name);
                match std::fs::read_link(&next) {
                    Ok(target) if depth < 40 => {
                        let target = if target.is_absolute() { target } else { out.join(target) };
                        out = resolve(Path::new(&normpath(&target.display().to_string())), depth + 1);
                    }
                    _ => out = next,
                }
            }
            Component::ParentDir => {
                out.pop();
            }
            Component::CurDir => {}
            other => out.push(other),
        }
    }
    out
}

fn relpath(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("relpath", ["start"], 0)?;
    let path = ops::to_str(&path_text(&value)?)?;
    if path.is_empty() {
        return Fail::python("no path specified");
    }
    let (path, start) = (absolute(&path), absolute(&b.string(0, ".")?));
    let split = |p: &str| p.split('/').filter(|s| !s.is_empty()).map(str::to_string).collect::<Vec<_>>();
    let (path, start) = (split(&path), split(&start));
    let common = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let mut parts: Vec<String> = vec!["..".to_string(); start.len() - common];
    parts.extend(path[common..].iter().cloned());
    Ok(V::str(if parts.is_empty() { ".".to_string() } else { parts.join("/") }))
}

pub(crate) fn split_extension(path: &str) -> (&str, &str) {
    let name_start = path.rfind('/').map_or(0, |i| i + 1);
    let name = &path[name_start..];
    let leading = name.len() - name.trim_start_matches('.').len();
    match name[leading..].rfind('.') {
        Some(at) => path.split_at(name_start + leading + at),
        None => (path, ""),
    }
}

fn splitext(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("splitext")?;
    let text = ops::to_str(&path_text(&value)?)?;
    let (root, extension) = split_extension(&text);
    Ok(V::tuple(vec![V::str(root), V::str(extension)]))
}

fn path_join(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("path_join")?;
    let parts = match &value {
        V::Str(text) => vec![text.as_str().to_string()],
        other => match iterate::as_list(other)? {
            Some(items) => items.iter().map(|i| ops::to_str(&path_text(i)?)).collect::<R<_>>()?,
            None => {
                return Fail::python(format!(
                    "|path_join expects string or sequence, got {} instead.",
                    other.type_name()
                ));
            }
        },
    };
    let mut out = String::new();
    for part in parts {
        if part.starts_with('/') || out.is_empty() {
            out = part;
        } else {
            if !out.ends_with('/') {
                out.push('/');
            }
            out.push_str(&part);
        }
    }
    Ok(V::str(out))
}

fn commonpath(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("commonpath")?;
    let Some(items) = iterate::as_list(&value)? else {
        return Fail::python(format!("|commonpath expects sequence, got {} instead.", value.type_name()));
    };
    let paths: Vec<String> = items.iter().map(|i| ops::to_str(&path_text(i)?)).collect::<R<_>>()?;
    let Some(first) = paths.first() else { return Fail::python("commonpath() arg is an empty sequence") };
    if paths.iter().any(|p| p.starts_with('/') != first.starts_with('/')) {
        return Fail::python("Can't mix absolute and relative paths");
    }
    let split =
        |p: &str| p.split('/').filter(|s| !s.is_empty() && *s != ".").map(str::to_string).collect::<Vec<_>>();
    let mut common = split(first);
    for path in &paths[1..] {
        let parts = split(path);
        let n = common.iter().zip(&parts).take_while(|(a, b)| a == b).count();
        common.truncate(n);
    }
    let root = if first.starts_with('/') { "/" } else { "" };
    Ok(V::str(format!("{root}{}", common.join("/"))))
}

/// The files that match a pattern, sorted.
pub(crate) fn glob_files(pattern: &str) -> Vec<String> {
    let options = glob::MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    let Ok(paths) = glob::glob_with(pattern, options) else { return Vec::new() };
    let files = paths.filter_map(std::result::Result::ok).filter(|p| p.is_file());
    files.map(|p| p.display().to_string()).collect()
}

fn fileglob(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("fileglob")?;
    crate::template::lookups::controller(env, "fileglob")?;
    Ok(V::strings(glob_files(&ops::to_str(&value)?)))
}

fn win_split(path: &str) -> (String, String) {
    let (drive, rest) = win_drive(path);
    let at = rest.rfind(['/', '\\']).map_or(0, |i| i + 1);
    let (head, tail) = rest.split_at(at);
    let trimmed = head.trim_end_matches(['/', '\\']);
    let head = if trimmed.is_empty() { head } else { trimmed };
    (format!("{drive}{head}"), tail.to_string())
}

fn win_drive(path: &str) -> (String, String) {
    let normal = path.replace('/', "\\");
    if normal.starts_with("\\\\") && !normal.starts_with("\\\\\\") {
        if let Some(server_end) = normal[2..].find('\\').map(|i| i + 2) {
            let share_end = normal[server_end + 1..].find('\\').map_or(path.len(), |i| i + server_end + 1);
            if share_end > server_end + 1 {
                return (path[..share_end].to_string(), path[share_end..].to_string());
            }
        }
        return (String::new(), path.to_string());
    }
    match path.char_indices().nth(1) {
        Some((1, ':')) => (path[..2].to_string(), path[2..].to_string()),
        _ => (String::new(), path.to_string()),
    }
}

fn win_basename(path: &str) -> String {
    win_split(path).1
}

fn win_dirname(path: &str) -> String {
    win_split(path).0
}

fn win_splitdrive(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("win_splitdrive")?;
    let (drive, rest) = win_drive(&ops::to_str(&path_text(&value)?)?);
    Ok(V::tuple(vec![V::str(drive), V::str(rest)]))
}
