//! JSON, written as Python's `json.dumps` does.

use std::rc::Rc;

use super::Entry;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::object::{Dict, Fail, Obj, R, V};
use crate::template::{repr, time};
use crate::{Error, Key, Value};

pub(super) const FILTERS: &[Entry] =
    &[("from_json", from_json), ("to_json", to_json), ("to_nice_json", to_nice_json), ("tojson", tojson)];

/// The options of `json.dumps` that matter.
pub(crate) struct DumpOptions {
    pub indent: Option<String>,
    pub sort_keys: bool,
    pub ensure_ascii: bool,
    pub item_separator: String,
    pub key_separator: String,
}

impl Default for DumpOptions {
    fn default() -> Self {
        Self {
            indent: None,
            sort_keys: false,
            ensure_ascii: true,
            item_separator: ", ".into(),
            key_separator: ": ".into(),
        }
    }
}

pub(crate) fn dump_value(value: &V, options: &DumpOptions) -> R<String> {
    let mut out = String::new();
    dump(&mut out, value, options, 0)?;
    Ok(out)
}

fn dump(out: &mut String, value: &V, options: &DumpOptions, depth: usize) -> R<()> {
    if depth > 200 {
        return Fail::python("Circular reference detected");
    }
    if out.len() > ops::MAX_SIZE {
        return Fail::python("JSON text is too long");
    }
    match value.need()? {
        V::None => out.push_str("null"),
        V::Bool(b) => out.push_str(if b { "true" } else { "false" }),
        V::Int(i) => out.push_str(&i.to_string()),
        V::Float(f) if f.is_nan() => out.push_str("NaN"),
        V::Float(f) if f.is_infinite() => out.push_str(if f > 0.0 { "Infinity" } else { "-Infinity" }),
        V::Float(f) => out.push_str(&repr::float(f)),
        V::Str(text) => string(out, text.as_str(), options.ensure_ascii),
        V::List(items) => sequence(out, &items.borrow(), options, depth)?,
        V::Tuple(items) => sequence(out, &items, options, depth)?,
        V::Dict(map) => mapping(out, &map.borrow(), options, depth)?,
        V::Obj(ref obj) => match obj.as_ref() {
            Obj::DateTime(at, zone) => {
                string(out, &time::show(at, zone.as_ref()).replacen(' ', "T", 1), options.ensure_ascii);
            }
            Obj::HostVars(_) | Obj::Vars(_) => {
                if let Some(map) = iterate::as_dict(&V::Obj(obj.clone()))? {
                    mapping(out, &map.borrow(), options, depth)?;
                }
            }
            _ => match iterate::try_items(&V::Obj(obj.clone()))? {
                Some(items) => sequence(out, &items, options, depth)?,
                None => return not_serializable(value),
            },
        },
        V::Bytes(bytes) => string(out, &String::from_utf8_lossy(&bytes), options.ensure_ascii),
        other => return not_serializable(&other),
    }
    Ok(())
}

fn not_serializable(value: &V) -> R<()> {
    Fail::python(format!("Object of type {} is not JSON serializable", value.type_name()))
}

fn newline(out: &mut String, options: &DumpOptions, depth: usize) {
    if let Some(indent) = &options.indent {
        out.push('\n');
        out.push_str(&indent.repeat(depth));
    }
}

fn sequence(out: &mut String, items: &[V], options: &DumpOptions, depth: usize) -> R<()> {
    let items: Vec<&V> = items.iter().filter(|v| !matches!(v, V::Omit)).collect();
    if items.is_empty() {
        out.push_str("[]");
        return Ok(());
    }
    out.push('[');
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.push_str(&options.item_separator);
        }
        newline(out, options, depth + 1);
        dump(out, item, options, depth + 1)?;
    }
    newline(out, options, depth);
    out.push(']');
    Ok(())
}

fn mapping(out: &mut String, map: &Dict, options: &DumpOptions, depth: usize) -> R<()> {
    let mut entries: Vec<(&Key, &V)> = map.iter().filter(|(_, v)| !matches!(v, V::Omit)).collect();
    if entries.is_empty() {
        out.push_str("{}");
        return Ok(());
    }
    if options.sort_keys {
        let kind = |k: &Key| std::mem::discriminant(k);
        if let Some((first, _)) = entries.first()
            && let Some((other, _)) = entries.iter().find(|(k, _)| kind(k) != kind(first))
        {
            let (a, b) = (ops::from_key(other), ops::from_key(first));
            return Fail::python(format!(
                "'<' not supported between instances of '{}' and '{}'",
                a.type_name(),
                b.type_name()
            ));
        }
        entries.sort_by(|a, b| a.0.cmp(b.0));
    }
    out.push('{');
    for (i, (key, value)) in entries.into_iter().enumerate() {
        if i > 0 {
            out.push_str(&options.item_separator);
        }
        newline(out, options, depth + 1);
        string(out, &key.to_string(), options.ensure_ascii);
        out.push_str(&options.key_separator);
        dump(out, value, options, depth + 1)?;
    }
    newline(out, options, depth);
    out.push('}');
    Ok(())
}

fn string(out: &mut String, text: &str, ascii: bool) {
    use std::fmt::Write as _;
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            c if (c as u32) < 0x20 || (ascii && !c.is_ascii()) => {
                let mut units = [0u16; 2];
                for unit in c.encode_utf16(&mut units) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Keyword arguments of `json.dumps`, and Ansible's own.
fn options(args: Args, name: &str, mut options: DumpOptions) -> R<DumpOptions> {
    if !args.pos.is_empty() && name != "to_nice_json" {
        return Fail::python(format!(
            "{name}() takes 1 positional argument but {} were given",
            args.pos.len() + 1
        ));
    }
    let mut separators_given = false;
    let mut kw = args.kw;
    for (i, value) in args.pos.into_iter().enumerate() {
        let names = ["indent", "sort_keys"];
        match names.get(i) {
            Some(n) => kw.push(((*n).into(), value)),
            None => return Fail::python(format!("{name}() takes from 1 to 3 positional arguments")),
        }
    }
    for (key, value) in kw {
        let value = value.need()?;
        match key.as_ref() {
            "indent" => {
                options.indent = match &value {
                    V::None => None,
                    V::Str(text) => Some(text.as_str().to_string()),
                    V::Bool(b) => Some(" ".repeat(usize::from(*b))),
                    V::Int(n) => Some(" ".repeat(usize::try_from(*n).unwrap_or(0).min(1000))),
                    other => {
                        return Fail::python(format!(
                            "can't multiply sequence by non-int of type '{}'",
                            other.type_name()
                        ));
                    }
                };
                if options.indent.is_some() && !separators_given {
                    options.item_separator = ",".into();
                }
            }
            "sort_keys" => options.sort_keys = ops::truth(&value)?,
            "ensure_ascii" => options.ensure_ascii = ops::truth(&value)?,
            "separators" => {
                let items = iterate::items_of(&value)?;
                let [item, key] = items.as_slice() else {
                    return Fail::python("separators must be two strings");
                };
                options.item_separator = ops::to_str(item)?;
                options.key_separator = ops::to_str(key)?;
                separators_given = true;
            }
            "vault_to_text" | "preprocess_unsafe" | "allow_nan" | "check_circular" | "skipkeys" => {}
            other => {
                return Fail::python(format!(
                    "JSONEncoder.__init__() got an unexpected keyword argument '{other}'"
                ));
            }
        }
    }
    Ok(options)
}

fn to_json(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let options = options(args, "to_json", DumpOptions::default())?;
    dump_value(&value, &options).map(V::str)
}

fn to_nice_json(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let defaults = DumpOptions {
        indent: Some("    ".into()),
        sort_keys: true,
        item_separator: ",".into(),
        ..DumpOptions::default()
    };
    let options = options(args, "to_nice_json", defaults)?;
    dump_value(&value, &options).map(V::str)
}

/// Jinja's own, safe inside HTML.
fn tojson(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_tojson", ["indent"], 0)?;
    let indent = b.some(0).map(|_| b.int(0, 0)).transpose()?;
    let options = DumpOptions {
        item_separator: if indent.is_some() { ",".into() } else { ", ".into() },
        indent: indent.map(|n| " ".repeat(usize::try_from(n).unwrap_or(0).min(1000))),
        sort_keys: true,
        ..DumpOptions::default()
    };
    let text = dump_value(&value, &options)?;
    Ok(V::str(
        text.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026").replace('\'', "\\u0027"),
    ))
}

fn from_json(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.bind("from_json", ["profile"], 0)?;
    let V::Str(text) = &value else {
        return Fail::python(format!(
            "the JSON object must be str, bytes or bytearray, not {}",
            value.type_name()
        ));
    };
    let text = text.as_str();
    let replaced = without_surrogates(text);
    if let Some((_, (unit, place))) = &replaced
        && env.templar.options.config.get("MODULE_STRICT_UTF8_RESPONSE").is_none_or(Value::is_truthy)
    {
        let cause = Error::new(format!(
            "Refusing to deserialize an invalid UTF8 string value: 'utf-8' codec can't encode character '\\u{unit:04x}' in position {place}: surrogates not allowed"
        ))
        .with_help("This check can be disabled with the `MODULE_STRICT_UTF8_RESPONSE` setting.");
        return Err(Error::new("The filter plugin 'ansible.builtin.from_json' failed")
            .caused_by(cause)
            .into());
    }
    let text = replaced.as_ref().map_or(text, |(replaced, _)| replaced);
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => Ok(V::lazy(&Value::from_json(&json), env)),
        Err(error) => Fail::python(json_error(text, &error)),
    }
}

/// Half of a surrogate pair on its own has no text: it becomes a question mark. With the text the first of them, and
/// its place in its string.
fn without_surrogates(text: &str) -> Option<(String, (u16, usize))> {
    if !text.contains("\\u") {
        return None;
    }
    let unit = |at: usize| u16::from_str_radix(text.get(at + 2..at + 6)?, 16).ok();
    let is_escape = |at: usize| text.get(at..).is_some_and(|rest| rest.starts_with("\\u"));
    let mut out = String::with_capacity(text.len());
    let mut first = None;
    let (mut at, mut place) = (0, 0);
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let length = match (c, unit(at).filter(|_| is_escape(at))) {
            ('\\', Some(0xd800..=0xdbff))
                if is_escape(at + 6) && matches!(unit(at + 6), Some(0xdc00..=0xdfff)) =>
            {
                12
            }
            ('\\', Some(lone @ 0xd800..=0xdfff)) => {
                first.get_or_insert((lone, place));
                out.push('?');
                (at, place) = (at + 6, place + 1);
                continue;
            }
            ('\\', Some(_)) => 6,
            ('\\', None) => {
                1 + text.get(at + 1..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8)
            }
            (c, _) => c.len_utf8(),
        };
        out.push_str(&text[at..at + length]);
        // A quote starts a string or ends one: either way the count begins again.
        place = if c == '"' { 0 } else { place + 1 };
        at += length;
    }
    first.map(|first| (out, first))
}

/// Python's message for JSON that does not parse.
pub(crate) fn json_error(text: &str, error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let start: usize =
        text.split_inclusive('\n').take(line.saturating_sub(1)).map(|l| l.chars().count()).sum();
    let message = error.to_string();
    let at = |column: usize, what: &str| {
        format!("{what}: line {line} column {column} (char {})", start + column.saturating_sub(1))
    };
    if message.starts_with("trailing characters") {
        return at(column.max(1), "Extra data");
    }
    if message.starts_with("key must be a string") {
        return at(column.max(1), "Expecting property name enclosed in double quotes");
    }
    if message.starts_with("EOF") {
        let trimmed = text.trim_end();
        let line = trimmed.matches('\n').count() + 1;
        let column = trimmed.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
        let what =
            if message.contains("string") { "Unterminated string starting at" } else { "Expecting value" };
        return format!("{what}: line {line} column {column} (char {})", trimmed.chars().count());
    }
    if message.starts_with("expected `:`") {
        return at(column.max(1), "Expecting ':' delimiter");
    }
    if message.starts_with("expected `,`") {
        return at(column.max(1), "Expecting ',' delimiter");
    }
    let mut column = column.max(1);
    if message.starts_with("expected ident") {
        // Python means the start of a word that is none of JSON's.
        let line: Vec<char> = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().chars().collect();
        let letter = |column: usize| line.get(column - 1).is_some_and(char::is_ascii_alphabetic);
        while column > 1 && letter(column - 1) {
            column -= 1;
        }
    }
    at(column, "Expecting value")
}
