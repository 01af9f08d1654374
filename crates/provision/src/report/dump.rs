//! Results as JSON, the way Ansible's callbacks print them.

use lang::{Key, Map, Value};

/// How to print.
#[derive(Clone, Copy, Debug, Default)]
pub struct Dump {
    /// Blanks for each level; all on one line without.
    pub indent: Option<usize>,
    /// `invocation` and `diff` are shown, too (`-vvv`).
    pub everything: bool,
}

/// A result without what only the program needs, as JSON with sorted keys.
pub fn dump(result: &Map, how: Dump) -> String {
    let mut out = String::new();
    write(&Value::map(visible(result, how.everything)), how.indent, 0, &mut out);
    out
}

/// A result without what only the program needs; `invocation` and `diff` only with `everything`.
pub fn visible(result: &Map, everything: bool) -> Map {
    let mut shown = Map::new();
    for (key, value) in result {
        let hidden = match key.as_str() {
            Some(key) if key.starts_with("_ansible_") => true,
            Some("failed" | "skipped" | "exception" | "warnings" | "deprecations") => true,
            Some("invocation" | "diff") => !everything,
            _ => false,
        };
        if !hidden {
            shown.insert(key.clone(), strip(value));
        }
    }
    shown
}

/// The same for any value.
pub fn json(value: &Value, indent: Option<usize>) -> String {
    let mut out = String::new();
    write(value, indent, 0, &mut out);
    out
}

fn strip(value: &Value) -> Value {
    match value {
        Value::Map(map) => {
            let kept = map.iter().filter(|(k, _)| k.as_str().is_none_or(|k| !k.starts_with("_ansible_")));
            Value::map(kept.map(|(k, v)| (k.clone(), strip(v))).collect())
        }
        Value::List(items) => Value::list(items.iter().map(strip).collect()),
        other => other.clone(),
    }
}

fn write(value: &Value, indent: Option<usize>, depth: usize, out: &mut String) {
    let comma = match indent {
        Some(_) => ",",
        None => ", ",
    };
    let pad = |out: &mut String, depth: usize| {
        if let Some(indent) = indent {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', indent * depth));
        }
    };
    match value {
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(comma);
                }
                pad(out, depth + 1);
                write(item, indent, depth + 1, out);
            }
            pad(out, depth);
            out.push(']');
        }
        Value::Map(map) if map.is_empty() => out.push_str("{}"),
        Value::Map(map) => {
            let mut entries: Vec<(&Key, &Value)> =
                map.iter().filter(|(_, v)| !matches!(v, Value::Omit)).collect();
            entries.sort_by_key(|entry| entry.0.to_string());
            out.push('{');
            for (i, (key, value)) in entries.into_iter().enumerate() {
                if i > 0 {
                    out.push_str(comma);
                }
                pad(out, depth + 1);
                string(&key.to_string(), out);
                out.push_str(": ");
                write(value, indent, depth + 1, out);
            }
            pad(out, depth);
            out.push('}');
        }
        Value::Null | Value::Omit => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(i) => out.push_str(&i.to_string()),
        Value::BigInt(digits) => out.push_str(digits),
        Value::Float(_) => out.push_str(&lang::template::python_repr(value)),
        Value::Str(text) => string(text.as_str(), out),
        Value::Vault(vault) => string(&vault.text, out),
        Value::Undefined(message) => string(message, out),
    }
}

/// A JSON string; only what has to be is escaped.
fn string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}
