//! Jinja2's filters on single values: numbers, text, conversions.

use std::rc::Rc;

use super::Entry;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{attributes, iterate, ops};
use crate::template::methods::{self, str as strings};
use crate::template::object::{Fail, R, V};
use crate::template::{printf, repr};

pub(super) const FILTERS: &[Entry] = &[
    ("abs", abs),
    ("attr", attr),
    ("bool", bool_),
    ("capitalize", |_, v, a| text0(v, a, "do_capitalize", strings::capitalize)),
    ("center", center),
    ("count", length),
    ("d", default),
    ("default", default),
    ("e", escape),
    ("escape", escape),
    ("filesizeformat", filesizeformat),
    ("float", float),
    ("forceescape", escape),
    ("format", format),
    ("indent", indent),
    ("int", int),
    ("length", length),
    ("lower", |_, v, a| text0(v, a, "do_lower", |s| s.to_lowercase())),
    ("pprint", pprint),
    ("replace", replace),
    ("round", round),
    ("safe", |_, v, _| Ok(v)),
    ("string", string),
    ("striptags", striptags),
    ("title", |_, v, a| text0(v, a, "do_title", title)),
    ("trim", trim),
    ("truncate", truncate),
    ("upper", |_, v, a| text0(v, a, "do_upper", |s| s.to_uppercase())),
    ("urlencode", urlencode),
    ("urlize", urlize),
    ("wordcount", wordcount),
    ("wordwrap", wordwrap),
    ("xmlattr", xmlattr),
];

/// A filter from text to text without arguments.
pub(super) fn text0(value: V, args: Args, name: &str, f: impl Fn(&str) -> String) -> R<V> {
    if !args.is_empty() {
        return Fail::python(format!(
            "{name}() takes 1 positional argument but {} were given",
            1 + args.pos.len() + args.kw.len()
        ));
    }
    Ok(V::str(f(ops::text_of(&value)?.as_str())))
}

fn default(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let fallback = |args: &Args, i: usize, name: &str| {
        args.pos.get(i).or_else(|| args.kw.iter().find(|(n, _)| n.as_ref() == name).map(|(_, v)| v)).cloned()
    };
    let extra = args.kw.iter().find(|(n, _)| !matches!(n.as_ref(), "default_value" | "boolean"));
    if let Some((name, _)) = extra {
        return Fail::python(format!("do_default() got an unexpected keyword argument '{name}'"));
    }
    let falsy = match fallback(&args, 1, "boolean") {
        Some(flag) => ops::truth(&flag)?,
        None => false,
    };
    if value.is_undef() || (falsy && !ops::truth(&value)?) {
        return fallback(&args, 0, "default_value").map_or_else(|| Ok(V::str("")), |v| v.force());
    }
    Ok(value)
}

fn abs(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("abs")?;
    match value {
        V::Int(i) => Ok(V::Int(i.abs())),
        V::Bool(b) => Ok(V::Int(i128::from(b))),
        V::Float(f) => Ok(V::Float(f.abs())),
        other => Fail::python(format!("bad operand type for abs(): '{}'", other.type_name())),
    }
}

fn attr(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_attr", ["name"], 1)?;
    let name = ops::text_of(&b.value(0))?.shared();
    match attributes::attribute(&value, &name)? {
        Some(found) => Ok(found),
        None => attributes::get_attr(&V::None, &name).map(|_| {
            let shown = repr::quoted(&name);
            V::undef(format!("object of type '{}' has no attribute {shown}", value.type_name()))
        }),
    }
}

/// Ansible's `bool`: words for true and false; anything else is an error-free `False`.
fn bool_(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("to_bool")?;
    let valid = match &value {
        V::Bool(b) => Some(*b),
        V::Int(1) => Some(true),
        V::Int(0) => Some(false),
        V::Str(text) => match text.as_str().to_lowercase().as_str() {
            "yes" | "on" | "1" | "true" => Some(true),
            "no" | "off" | "0" | "false" => Some(false),
            _ => None,
        },
        _ => None,
    };
    let Some(valid) = valid else {
        let coerced = matches!(&value, V::Float(f) if *f == 1.0);
        let message = format!(
            "The `bool` filter coerced invalid value {} ({}) to {}.",
            repr::repr(&value)?,
            value.type_name(),
            if coerced { "True" } else { "False" }
        );
        env.templar.warn(&message, None);
        return Ok(V::Bool(coerced));
    };
    Ok(V::Bool(valid))
}

fn length(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("len")?;
    match iterate::length(&value)? {
        Some(n) => Ok(V::int(n as u64)),
        None if matches!(value, V::Blank) => Ok(V::Int(0)),
        None => Fail::python(format!("object of type '{}' has no len()", value.type_name())),
    }
}

/// Python's `int(text, base)`.
fn parse_int(text: &str, base: u32) -> Option<i128> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match (base, lower.get(..2)) {
        (16 | 0, Some("0x")) => (16, &lower[2..]),
        (8 | 0, Some("0o")) => (8, &lower[2..]),
        (2 | 0, Some("0b")) => (2, &lower[2..]),
        (0, _) => (10, lower.as_str()),
        _ => (base, lower.as_str()),
    };
    if digits.starts_with('_')
        || digits.ends_with('_')
        || digits.contains("__")
        || digits.starts_with(['+', '-'])
    {
        return None;
    }
    let digits = digits.replace('_', "");
    i128::from_str_radix(&digits, base).ok().map(|n| if negative { -n } else { n })
}

fn int(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_int", ["default", "base"], 0)?;
    let base = b.int(1, 10)?;
    let default = b.get(0).cloned().unwrap_or(V::Int(0));
    Ok(match &value {
        V::Int(i) => V::Int(*i),
        V::Bool(b) => V::Int(i128::from(*b)),
        V::Float(f) if f.is_finite() => V::Int(f.trunc() as i128),
        V::Str(text) => {
            let base = u32::try_from(base).ok().filter(|b| *b == 0 || (2..=36).contains(b));
            let Some(base) = base else { return Ok(default) };
            match parse_int(text.as_str(), base) {
                Some(i) => V::Int(i),
                None => match parse_float(text.as_str()) {
                    Some(f) if f.is_finite() => V::Int(f.trunc() as i128),
                    _ => default,
                },
            }
        }
        _ => default,
    })
}

/// Python's `float(text)`.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim().replace('_', "").to_ascii_lowercase();
    match text.trim_start_matches(['+', '-']) {
        "inf" | "infinity" => Some(if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }),
        "nan" => Some(f64::NAN),
        digits if digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') => text.parse().ok(),
        _ => None,
    }
}

fn float(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_float", ["default"], 0)?;
    let default = b.get(0).cloned().unwrap_or(V::Float(0.0));
    Ok(match &value {
        V::Int(i) => V::Float(*i as f64),
        V::Bool(b) => V::Float(f64::from(u8::from(*b))),
        V::Float(f) => V::Float(*f),
        V::Str(text) => parse_float(text.as_str()).map_or(default, V::Float),
        _ => default,
    })
}

fn round(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_round", ["precision", "method"], 0)?;
    let precision = i32::try_from(b.int(0, 0)?.clamp(-300, 300)).unwrap_or(0);
    let method = b.string(1, "common")?;
    let f = match &value {
        V::Int(i) if method == "common" && precision >= 0 => return Ok(V::Int(*i)),
        V::Int(i) => *i as f64,
        V::Bool(b) => f64::from(u8::from(*b)),
        V::Float(f) => *f,
        other => {
            return Fail::python(format!("type {} doesn't define __round__ method", other.type_name()));
        }
    };
    let scale = 10f64.powi(precision);
    let rounded = match method.as_str() {
        // The decimal digits decide, and halves go to the even neighbour, as in Python.
        "common" if precision >= 0 => {
            let places = usize::try_from(precision).unwrap_or(0);
            format!("{f:.places$}").parse().unwrap_or(f)
        }
        "common" => (f * scale).round_ties_even() / scale,
        "ceil" => (f * scale).ceil() / scale,
        "floor" => (f * scale).floor() / scale,
        _ => return Fail::python("method must be common, ceil or floor"),
    };
    if let (V::Int(_), "common") = (&value, method.as_str()) {
        return Ok(V::Int(rounded as i128));
    }
    Ok(V::Float(rounded))
}

fn string(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("soft_str")?;
    Ok(match value {
        V::Str(text) => V::Str(text),
        other => V::str(ops::to_str(&other)?),
    })
}

fn trim(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_trim", ["chars"], 0)?;
    let text = ops::text_of(&value)?;
    Ok(V::str(match b.some(0) {
        Some(chars) => {
            let set: Vec<char> = ops::to_str(&chars)?.chars().collect();
            text.as_str().trim_matches(|c| set.contains(&c)).to_string()
        }
        None => text.as_str().trim().to_string(),
    }))
}

fn replace(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_replace", ["old", "new", "count"], 2)?;
    let text = ops::text_of(&value)?;
    let mut call = Args::new(vec![V::str(b.string(0, "")?), V::str(b.string(1, "")?)]);
    if let Some(count) = b.some(2) {
        call.pos.push(count);
    }
    methods::call(&V::Str(text), "replace", call, env)
}

fn format(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    if !args.pos.is_empty() && !args.kw.is_empty() {
        return Fail::python("can't handle positional and keyword arguments at the same time");
    }
    let template = ops::text_of(&value)?;
    let values = if args.kw.is_empty() {
        V::tuple(args.pos)
    } else {
        V::dict(args.kw.into_iter().map(|(k, v)| (crate::Key::Str(k), v)).collect())
    };
    printf::format(template.as_str(), &values).map(V::str)
}

/// Jinja's `title`: a capital after white space, hyphens and opening brackets.
fn title(text: &str) -> String {
    let mut out = String::new();
    let mut start = true;
    for c in text.chars() {
        if start {
            out.extend(c.to_uppercase())
        } else {
            out.extend(c.to_lowercase())
        }
        start = c.is_whitespace() || "-({[<".contains(c);
    }
    out
}

fn center(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_center", ["width"], 0)?;
    let text = ops::text_of(&value)?;
    methods::call(&V::Str(text), "center", Args::new(vec![V::Int(b.int(0, 80)?)]), env)
}

fn indent(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_indent", ["width", "first", "blank"], 0)?;
    let prefix = match b.get(0) {
        Some(V::Str(text)) => text.as_str().to_string(),
        _ => " ".repeat(usize::try_from(b.int(0, 4)?).unwrap_or(0).min(100_000)),
    };
    let (first, blank) = (b.bool(1, false)?, b.bool(2, false)?);
    let text = ops::to_str(&value)?;
    // A newline is added so that the last line counts, as Jinja does.
    let lines = strings::splitlines(&format!("{text}\n"), false);
    let mut out = String::new();
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if (i > 0 && (blank || !line.is_empty())) || (i == 0 && first) {
            out.push_str(&prefix);
        }
        out.push_str(line);
        if out.len() > ops::MAX_SIZE {
            return Fail::python("indented text is too long");
        }
    }
    Ok(V::str(out))
}

fn truncate(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_truncate", ["length", "killwords", "end", "leeway"], 0)?;
    let text = ops::to_str(&value)?;
    let length = usize::try_from(b.int(0, 255)?).unwrap_or(0);
    let end = b.string(2, "...")?;
    let leeway = usize::try_from(b.int(3, 5)?).unwrap_or(0);
    let end_len = end.chars().count();
    if length < end_len {
        return Fail::python(format!("expected length >= {end_len}, got {length}"));
    }
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= length.saturating_add(leeway) {
        return Ok(V::str(text));
    }
    let head: String = chars[..length - end_len].iter().collect();
    if b.bool(1, false)? {
        return Ok(V::str(head + &end));
    }
    let cut = head.rfind(' ').map_or(head.as_str(), |i| &head[..i]);
    Ok(V::str(format!("{cut}{end}")))
}

fn wordcount(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("do_wordcount")?;
    let text = ops::to_str(&value)?;
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|w| !w.is_empty());
    Ok(V::int(words.count() as u64))
}

fn wordwrap(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_wordwrap", ["width", "break_long_words", "wrapstring", "break_on_hyphens"], 0)?;
    let text = ops::to_str(&value)?;
    let width = usize::try_from(b.int(0, 79)?).unwrap_or(0);
    if width == 0 {
        return Fail::python("invalid width 0 (must be > 0)");
    }
    let wrap = match b.some(2) {
        Some(v) => ops::to_str(&v)?,
        None => "\n".to_string(),
    };
    let (long, hyphens) = (b.bool(1, true)?, b.bool(3, true)?);
    let lines: Vec<String> = strings::splitlines(&text, false)
        .iter()
        .map(|line| wrap_line(line, width, long, hyphens).join(&wrap))
        .collect();
    Ok(V::str(lines.join(&wrap)))
}

/// Python's `textwrap.wrap` with white space kept as it is.
pub(crate) fn wrap_line(line: &str, width: usize, break_long: bool, hyphens: bool) -> Vec<String> {
    let mut chunks: Vec<Vec<char>> = Vec::new();
    for c in line.chars() {
        let space = c.is_whitespace();
        match chunks.last_mut() {
            Some(last)
                if last.last().is_some_and(|l| l.is_whitespace()) == space
                    && !(hyphens && !space && breaks_after(last)) =>
            {
                last.push(c);
            }
            _ => chunks.push(vec![c]),
        }
    }
    chunks.reverse();
    let mut lines = Vec::new();
    while !chunks.is_empty() {
        let mut current: Vec<char> = Vec::new();
        if !lines.is_empty() && chunks.last().is_some_and(|c| c.iter().all(|c| c.is_whitespace())) {
            chunks.pop();
        }
        while let Some(chunk) = chunks.last() {
            if current.len() + chunk.len() > width {
                break;
            }
            current.extend(chunks.pop().unwrap_or_default());
        }
        if let Some(chunk) = chunks.last_mut()
            && chunk.len() > width
        {
            let room = width - current.len().min(width);
            if break_long {
                let take = if current.is_empty() { room.max(1) } else { room };
                current.extend(chunk.drain(..take.min(chunk.len())));
            } else if current.is_empty() {
                current.extend(chunks.pop().unwrap_or_default());
            }
        }
        while current.last().is_some_and(|c| c.is_whitespace()) {
            current.pop();
        }
        if !current.is_empty() {
            lines.push(current.into_iter().collect());
        }
    }
    lines
}

fn breaks_after(chunk: &[char]) -> bool {
    chunk.len() > 1 && chunk.last() == Some(&'-') && chunk[chunk.len() - 2].is_alphanumeric()
}

pub(crate) fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out
}

fn escape(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("escape")?;
    Ok(V::str(escape_html(&ops::to_str(&value)?)))
}

fn striptags(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("do_striptags")?;
    let text = ops::to_str(&value)?;
    let mut out = String::new();
    let mut rest = text.as_str();
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        let tail = &rest[start..];
        let close = if tail.starts_with("<!--") { "-->" } else { ">" };
        match tail.find(close) {
            Some(end) => rest = &tail[end + close.len()..],
            None => {
                out.push_str(tail);
                rest = "";
            }
        }
    }
    out.push_str(rest);
    let joined = out.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(V::str(
        joined
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&#39;", "'")
            .replace("&#34;", "\"")
            .replace("&quot;", "\"")
            .replace("&amp;", "&"),
    ))
}

fn filesizeformat(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_filesizeformat", ["binary"], 0)?;
    let binary = b.bool(0, false)?;
    let bytes = match &value {
        V::Int(i) => *i as f64,
        V::Float(f) => *f,
        other => match parse_float(&ops::to_str(other)?) {
            Some(f) => f,
            None => {
                let shown = repr::repr(&value)?;
                return Fail::python(format!("could not convert string to float: {shown}"));
            }
        },
    };
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    let units = if binary {
        ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"]
    } else {
        ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"]
    };
    if bytes == 1.0 {
        return Ok(V::str("1 Byte"));
    }
    if bytes < base {
        return Ok(V::str(format!("{} Bytes", bytes.trunc())));
    }
    let mut unit_size = base;
    for (i, unit) in units.iter().enumerate() {
        unit_size *= base;
        if bytes < unit_size || i + 1 == units.len() {
            return Ok(V::str(format!("{:.1} {unit}", base * bytes / unit_size)));
        }
    }
    Ok(V::str(""))
}

fn pprint(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("do_pprint")?;
    Ok(V::str(repr::repr(&value)?))
}

pub(crate) fn percent_encode(text: &str, safe: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"_.-~".contains(&b) || safe.as_bytes().contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}

fn urlencode(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("do_urlencode")?;
    let quote_form = |text: &str| percent_encode(text, " ").replace(' ', "+");
    if let V::Str(text) = &value {
        return Ok(V::str(percent_encode(text.as_str(), "/")));
    }
    let pairs: Vec<(V, V)> = match iterate::entries(&value)? {
        Some(entries) => entries.into_iter().map(|(k, v)| (ops::from_key(&k), v)).collect(),
        None => match iterate::try_items(&value)? {
            Some(items) => items
                .iter()
                .map(|item| {
                    let pair = iterate::items_of(item)?;
                    match pair.as_slice() {
                        [k, v] => Ok((k.clone(), v.clone())),
                        _ => Fail::python("not enough values to unpack"),
                    }
                })
                .collect::<R<_>>()?,
            None => return Ok(V::str(percent_encode(&ops::to_str(&value)?, "/"))),
        },
    };
    let mut out = Vec::new();
    for (k, v) in pairs {
        out.push(format!("{}={}", quote_form(&ops::to_str(&k)?), quote_form(&ops::to_str(&v)?)));
    }
    Ok(V::str(out.join("&")))
}

fn urlize(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_urlize", ["trim_url_limit", "nofollow", "target", "rel", "extra_schemes"], 0)?;
    let limit = b.some(0).map(|_| b.int(0, 0)).transpose()?.and_then(|n| usize::try_from(n).ok());
    let mut rel: Vec<String> = b.string(3, "")?.split_whitespace().map(str::to_string).collect();
    if b.bool(1, false)? {
        rel.push("nofollow".into());
    }
    rel.push("noopener".into());
    rel.sort();
    rel.dedup();
    let rel = format!(" rel=\"{}\"", rel.join(" "));
    let target = b.some(2).map(|t| ops::to_str(&t)).transpose()?;
    let target = target.map_or(String::new(), |t| format!(" target=\"{}\"", escape_html(&t)));
    let text = escape_html(&ops::to_str(&value)?);
    let mut out = String::new();
    for word in text.split_inclusive(char::is_whitespace) {
        let core = word.trim_end();
        let space = &word[core.len()..];
        let body = core.trim_start_matches(['(']).trim_end_matches([')', '.', ',']);
        let start = core.len() - core.trim_start_matches(['(']).len();
        let (before, after) = (&core[..start], &core[start + body.len()..]);
        let shown = match limit {
            Some(limit) if body.chars().count() > limit => {
                format!("{}...", body.chars().take(limit).collect::<String>())
            }
            _ => body.to_string(),
        };
        let lower = body.to_lowercase();
        let linked = if lower.starts_with("https://") || lower.starts_with("http://") {
            format!("<a href=\"{body}\"{rel}{target}>{shown}</a>")
        } else if lower.starts_with("www.") && body.len() > 4 {
            format!("<a href=\"https://{body}\"{rel}{target}>{shown}</a>")
        } else if body.contains('@') && body.contains('.') && !body.starts_with('@') && !body.contains(':') {
            format!("<a href=\"mailto:{body}\">{body}</a>")
        } else {
            body.to_string()
        };
        out.push_str(before);
        out.push_str(&linked);
        out.push_str(after);
        out.push_str(space);
    }
    Ok(V::str(out))
}

fn xmlattr(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_xmlattr", ["autospace"], 0)?;
    let Some(entries) = iterate::entries(&value)? else {
        return Fail::python(format!("'{}' object has no attribute 'items'", value.type_name()));
    };
    let mut out = Vec::new();
    for (key, value) in entries {
        let value = value.force()?;
        if matches!(value, V::None | V::Undef(_) | V::Blank) {
            continue;
        }
        let key = ops::to_str(&ops::from_key(&key))?;
        if key.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '>' | '=')) {
            return Fail::python(format!("Invalid character in attribute name: {}", repr::quoted(&key)));
        }
        out.push(format!("{}=\"{}\"", escape_html(&key), escape_html(&ops::to_str(&value)?)));
    }
    let joined = out.join(" ");
    Ok(V::str(if b.bool(0, true)? && !joined.is_empty() { format!(" {joined}") } else { joined }))
}
