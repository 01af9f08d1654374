//! JSON as Python's `json.dumps(value, indent=4, sort_keys=True, ensure_ascii=False)` writes it.

use crate::yaml::{is_timestamp, python_float};
use crate::{Str, Value};

/// A value as indented JSON with sorted keys; an encrypted string as Ansible marks it in JSON.
pub fn json_text(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, 0);
    out
}

fn write(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Null | Value::Omit | Value::Undefined(_) => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(i) => out.push_str(&i.to_string()),
        Value::BigInt(digits) => out.push_str(digits),
        Value::Float(f) if f.is_nan() => out.push_str("NaN"),
        Value::Float(f) if f.is_infinite() => out.push_str(if *f > 0.0 { "Infinity" } else { "-Infinity" }),
        Value::Float(f) => out.push_str(&python_float(*f)),
        // Text that is data has to stay data when it is read back. Dates are the exception: in Ansible no text.
        Value::Str(text) if !text.is_template() && !is_timestamp(text.as_str()) => {
            let quoted = Value::Str(Str::template(text.shared(), None));
            object(out, [("__ansible_unsafe".to_owned(), &quoted)].into_iter(), depth);
        }
        Value::Str(text) => string(out, text.as_str()),
        Value::Vault(vault) => {
            let entry = [("__ansible_vault".to_owned(), &Value::str(vault.text.as_str()))];
            object(out, entry.into_iter(), depth);
        }
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                line(out, index, depth + 1);
                write(out, item, depth + 1);
            }
            line(out, 0, depth);
            out.push(']');
        }
        Value::Map(map) => {
            let mut entries: Vec<(String, &Value)> = map.iter().map(|(k, v)| (k.to_string(), v)).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            object(out, entries.into_iter(), depth);
        }
    }
}

fn object<'a>(out: &mut String, entries: impl Iterator<Item = (String, &'a Value)>, depth: usize) {
    let mut empty = true;
    out.push('{');
    for (index, (name, value)) in entries.enumerate() {
        empty = false;
        line(out, index, depth + 1);
        string(out, &name);
        out.push_str(": ");
        write(out, value, depth + 1);
    }
    if !empty {
        line(out, 0, depth);
    }
    out.push('}');
}

/// The comma before all but the first, and the indentation of a new line.
fn line(out: &mut String, index: usize, depth: usize) {
    if index > 0 {
        out.push(',');
    }
    out.push('\n');
    out.extend(std::iter::repeat_n("    ", depth));
}

fn string(out: &mut String, text: &str) {
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
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
