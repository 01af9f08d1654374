//! A value as TOML: tables in their order, each after the plain entries of the one around it.

use crate::yaml::python_float;
use crate::{Error, Map, Result, Value};

pub(super) fn toml_text(value: &Value) -> Result<String> {
    let Some(map) = value.as_map() else {
        return Err(Error::new("only a dictionary can be written as TOML"));
    };
    let mut out = String::new();
    table(&mut out, map, &mut Vec::new())?;
    Ok(out.trim_matches('\n').to_owned() + "\n")
}

fn table(out: &mut String, map: &Map, path: &mut Vec<String>) -> Result<()> {
    // TOML has no null: such an entry is left out, as it is when Ansible writes TOML.
    let entries = || map.iter().filter(|(_, value)| !value.is_null());
    for (name, value) in entries().filter(|(_, value)| value.as_map().is_none()) {
        out.push_str(&format!("{} = ", key(&name.to_string())));
        inline(out, value)?;
        out.push('\n');
    }
    for (name, value) in entries() {
        let Some(inner) = value.as_map() else { continue };
        path.push(key(&name.to_string()));
        let only_tables = !inner.is_empty() && inner.values().all(|value| value.as_map().is_some());
        if !only_tables {
            out.push_str(&format!("\n[{}]\n", path.join(".")));
        }
        table(out, inner, path)?;
        path.pop();
    }
    Ok(())
}

fn inline(out: &mut String, value: &Value) -> Result<()> {
    match value {
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Int(i) => out.push_str(&i.to_string()),
        Value::Float(f) if f.is_infinite() => out.push_str(if *f > 0.0 { "inf" } else { "-inf" }),
        Value::Float(f) => out.push_str(&python_float(*f)),
        Value::Str(text) => string(out, text.as_str()),
        Value::Vault(vault) => string(out, &vault.text),
        Value::List(items) => {
            out.push('[');
            for (index, item) in items.iter().filter(|item| !item.is_null()).enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                inline(out, item)?;
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push_str("{ ");
            for (index, (name, value)) in map.iter().filter(|(_, value)| !value.is_null()).enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                out.push_str(&format!("{} = ", key(&name.to_string())));
                inline(out, value)?;
            }
            out.push_str(" }");
        }
        Value::BigInt(_) | Value::Null | Value::Undefined(_) | Value::Omit => {
            return Err(Error::new(format!("TOML has no word for a value of type {}", value.type_name())));
        }
    }
    Ok(())
}

fn key(name: &str) -> String {
    let bare =
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if bare {
        return name.to_owned();
    }
    let mut quoted = String::new();
    string(&mut quoted, name);
    quoted
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
            c if c < ' ' || c == '\u{7f}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
}
