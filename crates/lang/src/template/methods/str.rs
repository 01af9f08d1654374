//! Methods of strings.

use std::rc::Rc;

use crate::Str;
use crate::template::env::Env;
use crate::template::eval::args::{Args, Bound};
use crate::template::eval::{iterate, ops};
use crate::template::object::{Dict, Fail, R, V};
use crate::template::printf;

pub(super) const NAMES: &[&str] = &[
    "capitalize",
    "casefold",
    "center",
    "count",
    "encode",
    "endswith",
    "expandtabs",
    "find",
    "format",
    "format_map",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "join",
    "ljust",
    "lower",
    "lstrip",
    "maketrans",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "translate",
    "upper",
    "zfill",
];

pub(super) fn call(source: &Str, name: &str, args: Args, env: &Rc<Env>) -> R<V> {
    let text = source.as_str();
    env.limits.spend(1 + text.len() as u64 / 64)?;
    let plain = |args: Args, value: String| -> R<V> {
        args.none_for("str", name)?;
        Ok(V::str(value))
    };
    let predicate = |args: Args, value: bool| -> R<V> {
        args.none_for("str", name)?;
        Ok(V::Bool(value))
    };
    let all = |test: fn(char) -> bool| !text.is_empty() && text.chars().all(test);
    match name {
        "upper" => plain(args, text.to_uppercase()),
        "lower" | "casefold" => plain(args, text.to_lowercase()),
        "capitalize" => plain(args, capitalize(text)),
        "title" => plain(args, title(text)),
        "swapcase" => plain(args, swapcase(text)),
        "isalnum" => predicate(args, all(char::is_alphanumeric)),
        "isalpha" => predicate(args, all(char::is_alphabetic)),
        "isascii" => predicate(args, text.is_ascii()),
        "isdigit" | "isdecimal" | "isnumeric" => predicate(args, all(char::is_numeric)),
        "isspace" => predicate(args, all(char::is_whitespace)),
        "islower" => predicate(args, cased(text, char::is_lowercase, char::is_uppercase)),
        "isupper" => predicate(args, cased(text, char::is_uppercase, char::is_lowercase)),
        "istitle" => predicate(args, text.chars().any(char::is_alphabetic) && title(text) == text),
        "isprintable" => predicate(args, !text.chars().any(char::is_control)),
        "isidentifier" => {
            let mut chars = text.chars();
            let first = chars.next().is_some_and(|c| c == '_' || c.is_alphabetic());
            predicate(args, first && chars.all(|c| c == '_' || c.is_alphanumeric()))
        }
        "strip" | "lstrip" | "rstrip" => {
            let b = args.bind(name, ["chars"], 0)?;
            let set: Option<Vec<char>> = match b.some(0) {
                Some(value) => Some(need_str(&value, "strip arg must be None or str")?.chars().collect()),
                None => None,
            };
            let matches = |c: char| set.as_ref().map_or(c.is_whitespace(), |set| set.contains(&c));
            let mut out = text;
            if name != "rstrip" {
                out = out.trim_start_matches(matches);
            }
            if name != "lstrip" {
                out = out.trim_end_matches(matches);
            }
            Ok(V::str(out))
        }
        "split" | "rsplit" => {
            for (key, _) in &args.kw {
                if !matches!(key.as_ref(), "sep" | "maxsplit") {
                    return Fail::python(format!("'{key}' is an invalid keyword argument for {name}()"));
                }
            }
            let b = args.bind(name, ["sep", "maxsplit"], 0)?;
            let max = b.int(1, -1)?;
            let max = usize::try_from(max).ok();
            let sep = match b.some(0) {
                Some(value) => Some(need_str(&value, "must be str or None")?),
                None => None,
            };
            if sep.as_deref() == Some("") {
                return Fail::python("empty separator");
            }
            Ok(V::strings(split(text, sep.as_deref(), max, name == "rsplit")))
        }
        "splitlines" => {
            let b = args.bind(name, ["keepends"], 0)?;
            Ok(V::strings(splitlines(text, b.bool(0, false)?)))
        }
        "partition" | "rpartition" => {
            let b = args.bind(name, ["sep"], 1)?;
            let sep = need_str(&b.value(0), "must be str")?;
            if sep.is_empty() {
                return Fail::python("empty separator");
            }
            let found = if name == "partition" { text.split_once(&sep) } else { text.rsplit_once(&sep) };
            let parts = match found {
                Some((before, after)) => [before, &sep, after],
                None if name == "partition" => [text, "", ""],
                None => ["", "", text],
            };
            Ok(V::tuple(parts.into_iter().map(V::str).collect()))
        }
        "join" => {
            let b = args.bind(name, ["iterable"], 1)?;
            let mut out = String::new();
            for (i, item) in iterate::items_of(&b.value(0))?.iter().enumerate() {
                if i > 0 {
                    out.push_str(text);
                }
                match item.need()? {
                    V::Str(part) => out.push_str(part.as_str()),
                    other => {
                        return Fail::python(format!(
                            "sequence item {i}: expected str instance, {} found",
                            other.type_name()
                        ));
                    }
                }
                if out.len() > ops::MAX_SIZE {
                    return Fail::python("joined text is too long");
                }
            }
            Ok(V::str(out))
        }
        "replace" => {
            let b = args.bind(name, ["old", "new", "count"], 2)?;
            let (old, new) = (
                need_str(&b.value(0), "replace() argument 1 must be str")?,
                need_str(&b.value(1), "replace() argument 2 must be str")?,
            );
            let count = b.int(2, -1)?;
            let hits = if old.is_empty() { text.len() + 1 } else { text.matches(&old).count() };
            if text.len().saturating_add(hits.saturating_mul(new.len())) > ops::MAX_SIZE {
                return Fail::python("replaced text is too long");
            }
            Ok(V::str(match usize::try_from(count) {
                Ok(count) => text.replacen(&old, &new, count),
                Err(_) => text.replace(&old, &new),
            }))
        }
        "startswith" | "endswith" => {
            let b = args.bind(name, ["prefix", "start", "end"], 1)?;
            let part = substring(text, &b, 1)?;
            let test = |prefix: &V| -> R<bool> {
                let prefix = match prefix.need()? {
                    V::Str(p) => p,
                    other => {
                        return Fail::python(format!(
                            "{name} first arg must be str or a tuple of str, not {}",
                            other.type_name()
                        ));
                    }
                };
                let prefix = prefix.as_str();
                Ok(if name == "startswith" { part.starts_with(prefix) } else { part.ends_with(prefix) })
            };
            if let V::Tuple(prefixes) = b.value(0) {
                for prefix in prefixes.iter() {
                    if test(prefix)? {
                        return Ok(V::Bool(true));
                    }
                }
                return Ok(V::Bool(false));
            }
            test(&b.value(0)).map(V::Bool)
        }
        "find" | "rfind" | "index" | "rindex" => {
            let b = args.bind(name, ["sub", "start", "end"], 1)?;
            let sub = need_str(&b.value(0), "must be str")?;
            let part = substring(text, &b, 1)?;
            let start = bounds(text, &b, 1)?.0;
            let found = if name.starts_with('r') { part.rfind(&sub) } else { part.find(&sub) };
            match found {
                Some(at) => Ok(V::int((start + part[..at].chars().count()) as u64)),
                None if name.ends_with("find") => Ok(V::Int(-1)),
                None => Fail::python("substring not found"),
            }
        }
        "count" => {
            let b = args.bind(name, ["sub", "start", "end"], 1)?;
            let sub = need_str(&b.value(0), "must be str")?;
            let part = substring(text, &b, 1)?;
            Ok(V::int(
                if sub.is_empty() { part.chars().count() + 1 } else { part.matches(&sub).count() } as u64
            ))
        }
        "ljust" | "rjust" | "center" => {
            let b = args.bind(name, ["width", "fillchar"], 1)?;
            let fill = b.string(1, " ")?;
            if fill.chars().count() != 1 {
                return Fail::python("The fill character must be exactly one character long");
            }
            let width = usize::try_from(b.int(0, 0)?).unwrap_or(0);
            if width > ops::MAX_SIZE {
                return Fail::python("width too big");
            }
            let missing = width.saturating_sub(text.chars().count());
            let (left, right) = match name {
                "ljust" => (0, missing),
                "rjust" => (missing, 0),
                _ => {
                    let left = missing / 2 + (missing & width & 1);
                    (left, missing - left)
                }
            };
            Ok(V::str(format!("{}{text}{}", fill.repeat(left), fill.repeat(right))))
        }
        "zfill" => {
            let b = args.bind(name, ["width"], 1)?;
            let width = usize::try_from(b.int(0, 0)?).unwrap_or(0).min(ops::MAX_SIZE);
            let missing = width.saturating_sub(text.chars().count());
            let split_at = usize::from(text.starts_with(['+', '-']));
            let (sign, digits) = text.split_at(split_at);
            Ok(V::str(format!("{sign}{}{digits}", "0".repeat(missing))))
        }
        "expandtabs" => {
            let b = args.bind(name, ["tabsize"], 0)?;
            Ok(V::str(expandtabs(text, usize::try_from(b.int(0, 8)?).unwrap_or(0).min(10_000))))
        }
        "removeprefix" | "removesuffix" => {
            let b = args.bind(name, ["part"], 1)?;
            let part = need_str(&b.value(0), "must be str")?;
            let stripped =
                if name == "removeprefix" { text.strip_prefix(&*part) } else { text.strip_suffix(&*part) };
            Ok(V::str(stripped.unwrap_or(text)))
        }
        "format" => printf::str_format(text, &args).map(V::str),
        "format_map" => {
            let b = args.bind(name, ["mapping"], 1)?;
            let kw = match iterate::entries(&b.value(0))? {
                Some(entries) => {
                    entries.into_iter().filter_map(|(k, v)| Some((k.as_str()?.into(), v))).collect()
                }
                None => Vec::new(),
            };
            printf::str_format(text, &Args { pos: Vec::new(), kw }).map(V::str)
        }
        "encode" => {
            args.bind(name, ["encoding", "errors"], 0)?;
            Ok(V::Bytes(text.as_bytes().into()))
        }
        "maketrans" => {
            let b = args.bind(name, ["x", "y", "z"], 1)?;
            let mut map = Dict::new();
            if let (Some(from), Some(to)) = (b.value(0).as_str(), b.value(1).as_str()) {
                for (a, c) in from.chars().zip(to.chars()) {
                    map.insert(crate::Key::Int(i64::from(a as u32)), V::str(c.to_string()));
                }
            } else if let Some(entries) = iterate::entries(&b.value(0))? {
                for (key, value) in entries {
                    let key = match key.as_str().and_then(|k| k.chars().next()) {
                        Some(c) => crate::Key::Int(i64::from(c as u32)),
                        None => key,
                    };
                    map.insert(key, value);
                }
            }
            if let Some(drop) = b.value(2).as_str() {
                for c in drop.chars() {
                    map.insert(crate::Key::Int(i64::from(c as u32)), V::None);
                }
            }
            Ok(V::dict(map))
        }
        "translate" => {
            let b = args.bind(name, ["table"], 1)?;
            let table = match iterate::as_dict(&b.value(0))? {
                Some(table) => table,
                None => return Fail::python("translate needs a table"),
            };
            let mut out = String::new();
            for c in text.chars() {
                match table.borrow().get(&crate::Key::Int(i64::from(c as u32))) {
                    None => out.push(c),
                    Some(V::None) => {}
                    Some(V::Int(i)) => out.extend(u32::try_from(*i).ok().and_then(char::from_u32)),
                    Some(other) => out.push_str(&ops::to_str(other)?),
                }
            }
            Ok(V::str(out))
        }
        _ => Fail::python(format!("'str' object has no attribute '{name}'")),
    }
}

fn need_str(value: &V, message: &str) -> R<String> {
    match value.need()? {
        V::Str(text) => Ok(text.as_str().to_string()),
        other => Fail::python(format!("{message}, not {}", other.type_name())),
    }
}

/// The characters from argument `i` to argument `i + 1`.
fn bounds<const N: usize>(text: &str, b: &Bound<N>, i: usize) -> R<(usize, usize)> {
    let len = text.chars().count() as i128;
    let clamp = |n: i128| usize::try_from(if n < 0 { (n + len).max(0) } else { n.min(len) }).unwrap_or(0);
    Ok((clamp(b.int(i, 0)?), clamp(b.int(i + 1, len)?)))
}

fn substring<const N: usize>(text: &str, b: &Bound<N>, i: usize) -> R<String> {
    if b.get(i).is_none() && b.get(i + 1).is_none() {
        return Ok(text.to_string());
    }
    let (start, end) = bounds(text, b, i)?;
    Ok(text.chars().skip(start).take(end.saturating_sub(start)).collect())
}

pub(crate) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect(),
        None => String::new(),
    }
}

/// Python's `str.title`: every run of letters starts with a capital.
fn title(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        inside = c.is_alphabetic();
    }
    out
}

fn swapcase(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_uppercase() { out.extend(c.to_lowercase()) } else { out.extend(c.to_uppercase()) }
    }
    out
}

fn cased(text: &str, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    text.chars().any(wanted) && !text.chars().any(other)
}

pub(crate) fn split(text: &str, sep: Option<&str>, max: Option<usize>, from_right: bool) -> Vec<String> {
    let Some(sep) = sep else { return split_whitespace(text, max, from_right) };
    let own = |parts: Vec<&str>| parts.into_iter().map(str::to_string).collect::<Vec<_>>();
    match (max, from_right) {
        (None, _) => own(text.split(sep).collect()),
        (Some(max), false) => own(text.splitn(max.saturating_add(1), sep).collect()),
        (Some(max), true) => {
            let mut parts: Vec<&str> = text.rsplitn(max.saturating_add(1), sep).collect();
            parts.reverse();
            own(parts)
        }
    }
}

fn split_whitespace(text: &str, max: Option<usize>, from_right: bool) -> Vec<String> {
    let max = max.unwrap_or(usize::MAX);
    let mut out = Vec::new();
    if from_right {
        let mut rest = text.trim_end();
        while !rest.is_empty() && out.len() < max {
            match rest.rfind(char::is_whitespace) {
                Some(at) => {
                    let width = rest[at..].chars().next().map_or(1, char::len_utf8);
                    out.push(rest[at + width..].to_string());
                    rest = rest[..at].trim_end();
                }
                None => {
                    out.push(rest.to_string());
                    rest = "";
                }
            }
        }
        if !rest.is_empty() {
            out.push(rest.to_string());
        }
        out.reverse();
        return out;
    }
    let mut rest = text.trim_start();
    while !rest.is_empty() && out.len() < max {
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        out.push(rest[..end].to_string());
        rest = rest[end..].trim_start();
    }
    if !rest.is_empty() {
        out.push(rest.to_string());
    }
    out
}

pub(crate) fn splitlines(text: &str, keep_ends: bool) -> Vec<String> {
    let mut out = Vec::new();
    let mut line = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let is_break =
            matches!(c, '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}');
        if !is_break {
            line.push(c);
            continue;
        }
        if keep_ends {
            line.push(c);
        }
        if c == '\r' && chars.peek() == Some(&'\n') {
            chars.next();
            if keep_ends {
                line.push('\n');
            }
        }
        out.push(std::mem::take(&mut line));
    }
    if !line.is_empty() {
        out.push(line);
    }
    out
}

fn expandtabs(text: &str, size: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    for c in text.chars() {
        match c {
            '\t' if size == 0 => {}
            '\t' => {
                let fill = size - column % size;
                out.push_str(&" ".repeat(fill));
                column += fill;
            }
            '\n' | '\r' => {
                out.push(c);
                column = 0;
            }
            c => {
                out.push(c);
                column += 1;
            }
        }
    }
    out
}
