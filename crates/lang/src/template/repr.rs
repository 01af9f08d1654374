//! How Python prints values: `repr()`, and `str()` of everything but strings.

use std::fmt::Write as _;

use crate::template::eval::iterate::as_dict;
use crate::template::eval::ops::MAX_SIZE;
use crate::template::object::{Fail, Func, Obj, R, V};
use crate::template::time;
use crate::{Key, Value};

/// Python's `repr(value)`; strings at the top are quoted, too.
pub(crate) fn repr(value: &V) -> R<String> {
    let mut out = String::new();
    write(&mut out, value, 0)?;
    Ok(out)
}

fn write(out: &mut String, value: &V, depth: usize) -> R<()> {
    if out.len() > MAX_SIZE {
        return Fail::python("text of the value is too long");
    }
    if depth > 200 {
        return Fail::python("maximum recursion depth exceeded while getting the repr of an object");
    }
    match value.need()? {
        V::None => out.push_str("None"),
        V::Bool(b) => out.push_str(if b { "True" } else { "False" }),
        V::Int(i) => {
            let _ = write!(out, "{i}");
        }
        V::Float(f) => out.push_str(&float(f)),
        V::Str(text) => quote(out, text.as_str()),
        V::Bytes(bytes) => out.push_str(&bytes_repr(&bytes)),
        V::List(items) => sequence(out, "[", &items.borrow(), "]", depth)?,
        V::Tuple(items) if items.len() == 1 => sequence(out, "(", &items, ",)", depth)?,
        V::Tuple(items) => sequence(out, "(", &items, ")", depth)?,
        V::Omit => out.push_str("<<Omit>>"),
        V::Func(func) => match func.as_ref() {
            Func::Global(name) => {
                let _ = write!(out, "<function {name}>");
            }
            Func::Method(_, name) => {
                let _ = write!(out, "<built-in method {name}>");
            }
            Func::Macro(m) => {
                let _ = write!(out, "<Macro '{}'>", m.decl.name);
            }
            Func::Block(name, ..) => {
                let _ = write!(out, "<BlockReference '{name}'>");
            }
        },
        V::Obj(ref obj) => match obj.as_ref() {
            Obj::HostVars(_) | Obj::Vars(_) => {
                if let Some(map) = as_dict(&V::Obj(obj.clone()))? {
                    write(out, &V::Dict(map), depth + 1)?;
                }
            }
            Obj::Range { start, stop, step: 1 } => {
                let _ = write!(out, "range({start}, {stop})");
            }
            Obj::Range { start, stop, step } => {
                let _ = write!(out, "range({start}, {stop}, {step})");
            }
            Obj::Namespace(map) => {
                out.push_str("<Namespace ");
                write(out, &V::dict(map.borrow().as_ref().clone()), depth + 1)?;
                out.push('>');
            }
            Obj::Module { name, .. } => {
                let _ = write!(out, "<TemplateModule '{name}'>");
            }
            Obj::Loop(state) => {
                let _ = write!(out, "<LoopContext {}/{}>", state.index0.get() + 1, state.items.len());
            }
            Obj::Cycler { .. } => out.push_str("<Cycler>"),
            Obj::Joiner { .. } => out.push_str("<Joiner>"),
            Obj::DateTime(time, zone) => out.push_str(&time::show(time, zone.as_ref())),
            Obj::TimeDelta(micros) => out.push_str(&time::show_delta(*micros)),
            Obj::SelfBlocks(_) => out.push_str("<TemplateReference>"),
        },
        V::Dict(map) => {
            out.push('{');
            for (i, (key, value)) in map.borrow().iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                key_repr(out, key);
                out.push_str(": ");
                write(out, value, depth + 1)?;
            }
            out.push('}');
        }
        V::Undef(_) | V::Lazy(_) | V::Blank => {}
    }
    Ok(())
}

fn sequence(out: &mut String, open: &str, items: &[V], close: &str, depth: usize) -> R<()> {
    out.push_str(open);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push_str(", ");
        }
        write(out, item, depth + 1)?;
    }
    out.push_str(close);
    Ok(())
}

fn key_repr(out: &mut String, key: &Key) {
    match key {
        Key::Null => out.push_str("None"),
        Key::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
        Key::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Key::Float(text) => out.push_str(text),
        Key::Str(text) => quote(out, text),
    }
}

/// A string in quotes as Python prints it: single ones unless only those occur inside.
pub(crate) fn quote(out: &mut String, text: &str) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || (0x7f..0xa1).contains(&(c as u32)) || c == '\u{ad}' => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c if matches!(c as u32, 0x2028 | 0x2029 | 0x200b..=0x200f | 0xfeff | 0xfff9..=0xfffb) => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push(quote);
}

pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::new();
    quote(&mut out, text);
    out
}

fn bytes_repr(bytes: &[u8]) -> String {
    let mut out = String::from("b'");
    for b in bytes {
        match b {
            b'\\' => out.push_str("\\\\"),
            b'\'' => out.push_str("\\'"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x20..=0x7e => out.push(char::from(*b)),
            _ => {
                let _ = write!(out, "\\x{b:02x}");
            }
        }
    }
    out.push('\'');
    out
}

/// A float as Python prints it: the shortest digits that read back the same.
pub(crate) fn float(f: f64) -> String {
    if f.is_nan() {
        return "nan".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { "inf".into() } else { "-inf".into() };
    }
    let scientific = format!("{f:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if f != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{f}");
    if plain.contains('.') { plain } else { format!("{plain}.0") }
}

/// A finished value as Python prints it: `str()` for strings, `repr()` for the rest.
pub fn python_str(value: &Value) -> String {
    match value {
        Value::Str(text) => text.as_str().to_string(),
        other => python_repr(other),
    }
}

/// A finished value as Python's `repr()` prints it.
pub fn python_repr(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
        Value::Int(i) => {
            let _ = write!(out, "{i}");
        }
        Value::BigInt(digits) => out.push_str(digits),
        Value::Float(f) => out.push_str(&float(*f)),
        Value::Str(text) => quote(out, text.as_str()),
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (i, (key, value)) in map.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                key_repr(out, key);
                out.push_str(": ");
                write_value(out, value);
            }
            out.push('}');
        }
        Value::Vault(text) => quote(out, &text.text),
        Value::Undefined(message) => out.push_str(message),
        Value::Omit => out.push_str("<<Omit>>"),
    }
}
