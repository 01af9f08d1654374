//! Ansible's filters on text: regular expressions, comments, quoting.

use std::rc::Rc;

use super::Entry;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::methods;
use crate::template::object::{Fail, R, V};
use crate::template::regex::{self, Flags};

pub(super) const FILTERS: &[Entry] = &[
    ("comment", comment),
    ("quote", quote),
    ("regex_escape", regex_escape),
    ("regex_findall", regex_findall),
    ("regex_replace", regex_replace),
    ("regex_search", regex_search),
    ("split", split),
];

fn split(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    match &value {
        V::Str(_) => methods::call(&value, "split", args, env),
        other => Fail::python(format!(
            "descriptor 'split' for 'str' objects doesn't apply to a '{}' object",
            other.type_name()
        )),
    }
}

/// `shlex.quote`.
pub(crate) fn shell_quote(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        return text.to_string();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

fn quote(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("quote")?;
    let text = if matches!(value, V::None) { String::new() } else { ops::to_str(&value)? };
    Ok(V::str(shell_quote(&text)))
}

fn flags(ignore_case: bool, multi_line: bool) -> Flags {
    Flags { ignore_case, multi_line, dot_all: false }
}

fn regex_replace(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind(
        "regex_replace",
        ["pattern", "replacement", "ignorecase", "multiline", "count", "mandatory_count"],
        0,
    )?;
    let text = ops::to_str(&value)?;
    let flags = flags(b.bool(2, false)?, b.bool(3, false)?);
    let pattern = regex::compile(&env.templar, &b.string(0, "")?, flags)?;
    let count = usize::try_from(b.int(4, 0)?).unwrap_or(0);
    let (out, made) = regex::substitute(&pattern, &text, &b.string(1, "")?, count)?;
    let wanted = usize::try_from(b.int(5, 0)?).unwrap_or(0);
    if wanted > 0 && made != wanted {
        let shown = b.string(0, "")?;
        return Fail::python(format!(
            "'{shown}' should match {wanted} times, but matches {made} times in '{text}'"
        ));
    }
    Ok(V::str(out))
}

fn group_text(found: &fancy_regex::Captures<'_, str>, index: usize) -> V {
    found.get(index).map_or(V::None, |m| V::str(m.as_str()))
}

fn regex_search(env: &Rc<Env>, value: V, mut args: Args) -> R<V> {
    let ignore = args.take("ignorecase")?;
    let multi = args.take("multiline")?;
    if args.pos.is_empty() {
        match args.take("regex")? {
            Some(pattern) => args.pos.push(pattern),
            None => return Fail::python("regex_search() missing 1 required positional argument: 'regex'"),
        }
    }
    if let Some((name, _)) = args.kw.first() {
        return Fail::python(format!("Unknown argument '{name}'"));
    }
    let truth = |v: Option<V>| v.map_or(Ok(false), |v| ops::truth(&v));
    let pattern = ops::to_str(&args.pos.remove(0))?;
    let regex = regex::compile(&env.templar, &pattern, flags(truth(ignore)?, truth(multi)?))?;
    let text = ops::to_str(&value)?;
    let mut groups = Vec::new();
    for arg in &args.pos {
        let arg = ops::to_str(arg)?;
        if let Some(name) = arg.strip_prefix("\\g<").and_then(|n| n.strip_suffix('>')) {
            groups.push(name.to_string());
        } else if let Some(number) = arg.strip_prefix('\\') {
            groups.push(number.to_string());
        } else {
            return Fail::python(format!("Unknown argument '{arg}'"));
        }
    }
    let Some(found) = regex::captures_at(&regex, &text, 0)? else { return Ok(V::None) };
    if groups.is_empty() {
        return Ok(group_text(&found, 0));
    }
    let mut out = Vec::new();
    for group in groups {
        let index = match group.parse::<usize>() {
            Ok(index) if index < found.len() => index,
            Ok(_) => return Fail::python("no such group"),
            Err(_) => match regex.capture_names().position(|n| n == Some(group.as_str())) {
                Some(index) => index,
                None => return Fail::python("no such group"),
            },
        };
        out.push(group_text(&found, index));
    }
    Ok(V::list(out))
}

fn regex_findall(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("regex_findall", ["regex", "multiline", "ignorecase"], 1)?;
    let regex = regex::compile(&env.templar, &b.string(0, "")?, flags(b.bool(2, false)?, b.bool(1, false)?))?;
    let text = ops::to_str(&value)?;
    let mut out = Vec::new();
    let text_or_empty =
        |c: &fancy_regex::Captures<'_, str>, i: usize| V::str(c.get(i).map_or("", |m| m.as_str()));
    for found in regex::all(&regex, &text)? {
        out.push(match found.len() {
            1 => text_or_empty(&found, 0),
            2 => text_or_empty(&found, 1),
            n => V::tuple((1..n).map(|i| text_or_empty(&found, i)).collect()),
        });
    }
    Ok(V::list(out))
}

fn regex_escape(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("regex_escape", ["re_type"], 0)?;
    let kind = b.string(0, "python")?;
    let text = ops::to_str(&value)?;
    let special: &str = match kind.as_str() {
        "python" => "()[]{}?*+-|^$\\.&~# \t\n\r\x0b\x0c",
        "posix_basic" => "[]{}\\.*^$",
        "posix_extended" => return Fail::python("Regex type (posix_extended) not yet implemented"),
        other => return Fail::python(format!("Invalid regex type ({other})")),
    };
    let special = if kind == "posix_basic" { "].[^$*\\" } else { special };
    let mut out = String::new();
    for c in text.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(V::str(out))
}

fn comment(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let names = [
        "style",
        "newline",
        "beginning",
        "prefix",
        "prefix_count",
        "decoration",
        "postfix",
        "postfix_count",
        "end",
    ];
    let b = args.bind("comment", names, 0)?;
    let style = b.string(0, "plain")?;
    let (beginning, decoration, end) = match style.as_str() {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        other => return Fail::python(format!("Invalid style '{other}'.")),
    };
    let text = ops::to_str(&value)?;
    let newline = b.string(1, "\n")?;
    let beginning = b.string(2, beginning)?;
    let decoration = b.string(5, decoration)?;
    let end = b.string(8, end)?;
    // The line before and the line after: the decoration alone, if nothing else is said.
    let bare = decoration.trim_end().to_string();
    let prefix = b.string(3, &bare)?;
    let postfix = b.string(6, &bare)?;
    let count = |i: usize| -> R<usize> { Ok(usize::try_from(b.int(i, 1)?).unwrap_or(0).min(10_000)) };
    let mut out = String::new();
    if !beginning.is_empty() {
        out.push_str(&beginning);
        out.push_str(&newline);
    }
    if prefix == newline {
        out.push_str(&newline.repeat(count(4)?));
    } else if !prefix.is_empty() {
        out.push_str(&format!("{prefix}{newline}").repeat(count(4)?));
    }
    // Every line is decorated; an empty one without trailing white space.
    let body = text.replace(&newline, &format!("{newline}{decoration}"));
    let body =
        format!("{decoration}{body}").replace(&format!("{decoration}{newline}"), &format!("{bare}{newline}"));
    out.push_str(&body);
    out.push_str(&format!("{newline}{postfix}").repeat(count(7)?));
    if !end.is_empty() {
        out.push_str(&newline);
        out.push_str(&end);
    }
    Ok(V::str(out))
}

#[allow(dead_code)]
fn items(value: &V) -> R<Vec<V>> {
    iterate::items_of(value)
}
