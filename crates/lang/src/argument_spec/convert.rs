//! The types that a specification can name, and how values become them.

use crate::inventory::python_literal;
use crate::template::python_str;
use crate::{Key, Map, Value};

use super::{class, quoted};

/// The value as that type; the error says why not.
pub(super) fn convert(value: &Value, kind: &str) -> Result<Value, String> {
    match kind {
        "str" | "path" => Ok(text(value)),
        "raw" => Ok(value.clone()),
        "int" => int(value).ok_or_else(|| format!("{} cannot be converted to an int", quoted(value))),
        "float" => float(value).ok_or_else(|| format!("{} cannot be converted to a float", class(value))),
        "bool" => bool(value),
        "list" => list(value),
        "dict" => dict(value),
        "json" | "jsonarg" => json(value),
        "bytes" => {
            size(value, 'B').ok_or_else(|| format!("{} cannot be converted to a Byte value", class(value)))
        }
        "bits" => {
            size(value, 'b').ok_or_else(|| format!("{} cannot be converted to a Bit value", class(value)))
        }
        _ => Err("there is no such type".to_owned()),
    }
}

fn text(value: &Value) -> Value {
    match value {
        Value::Str(_) => value.clone(),
        other => Value::from(python_str(other)),
    }
}

/// Text may be any decimal number that is whole, as `5`, `5.0` or `5e3`.
fn int(value: &Value) -> Option<Value> {
    match value {
        Value::Int(_) | Value::BigInt(_) => Some(value.clone()),
        Value::Bool(b) => Some(Value::Int(i64::from(*b))),
        Value::Float(f) => whole(*f),
        Value::Str(text) => {
            let digits = number_text(text.as_str())?;
            match digits.parse::<i64>() {
                Ok(i) => Some(Value::Int(i)),
                Err(_) => whole(digits.parse().ok()?),
            }
        }
        _ => None,
    }
}

fn whole(f: f64) -> Option<Value> {
    (f.is_finite() && f.fract() == 0.0).then_some(Value::Int(f as i64))
}

fn float(value: &Value) -> Option<Value> {
    match value {
        Value::Float(_) => Some(value.clone()),
        Value::Int(i) => Some(Value::Float(*i as f64)),
        Value::Bool(b) => Some(Value::Float(f64::from(u8::from(*b)))),
        Value::BigInt(digits) => digits.parse().ok().map(Value::Float),
        Value::Str(text) => number_text(text.as_str())?.parse().ok().map(Value::Float),
        _ => None,
    }
}

/// A number as Python reads it: blanks around it, single underscores between digits.
fn number_text(text: &str) -> Option<String> {
    let text = text.trim();
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_digit);
    let good = (0..bytes.len()).all(|i| bytes[i] != b'_' || (digit(i.checked_sub(1)) && digit(Some(i + 1))));
    good.then(|| text.replace('_', ""))
}

fn bool(value: &Value) -> Result<Value, String> {
    let word = match value {
        Value::Bool(_) => return Ok(value.clone()),
        Value::Int(_) | Value::Float(_) | Value::BigInt(_) | Value::Str(_) => python_str(value),
        _ => return Err(format!("{} cannot be converted to a bool", class(value))),
    };
    let lower = word.to_lowercase();
    let is_number = !matches!(value, Value::Str(_));
    let found = match lower.trim() {
        "1.0" if is_number => Some(true),
        "0.0" if is_number => Some(false),
        lower if super::TRUE.contains(&lower) => Some(true),
        lower if super::FALSE.contains(&lower) => Some(false),
        _ => None,
    };
    found.map(Value::Bool).ok_or_else(|| {
        format!(
            "The value '{word}' is not a valid boolean. Valid booleans include: 0, 1, '0', '1', 'f', 'false', 'n', \
             'no', 'off', 'on', 't', 'true', 'y', 'yes'"
        )
    })
}

fn list(value: &Value) -> Result<Value, String> {
    match value {
        Value::List(_) => Ok(value.clone()),
        Value::Str(text) => Ok(Value::list(text.as_str().split(',').map(Value::from).collect())),
        Value::Int(_) | Value::BigInt(_) | Value::Float(_) | Value::Bool(_) => {
            Ok(Value::list(vec![Value::from(python_str(value))]))
        }
        other => Err(format!("{} cannot be converted to a list", class(other))),
    }
}

fn dict(value: &Value) -> Result<Value, String> {
    let text = match value {
        Value::Map(_) => return Ok(value.clone()),
        Value::Str(text) => text.as_str(),
        other => return Err(format!("{} cannot be converted to a dict", class(other))),
    };
    if text.starts_with('{') {
        let read = match serde_json::from_str(text) {
            Ok(json) => Some(Value::from_json(&json)),
            Err(_) => python_literal(text),
        };
        return read
            .filter(|value| matches!(value, Value::Map(_)))
            .ok_or_else(|| "unable to evaluate string as dictionary".to_owned());
    }
    if !text.contains('=') {
        return Err("dictionary requested, could not parse JSON or key=value".into());
    }
    let mut map = Map::new();
    for pair in pairs(text) {
        let Some((key, value)) = pair.split_once('=') else {
            return Err("unable to evaluate string in the \"key=value\" format as dictionary".into());
        };
        map.insert(Key::from(key), Value::from(value));
    }
    Ok(Value::map(map))
}

/// `key=value` between commas and blanks, quotes taken off, a backslash before what counts as itself.
fn pairs(text: &str) -> Vec<String> {
    let (mut pairs, mut pair) = (Vec::new(), String::new());
    let mut quote = None;
    let mut chars = text.trim().chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) => pair.extend(chars.next()),
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            (',' | ' ', None) => {
                if !pair.is_empty() {
                    pairs.push(std::mem::take(&mut pair));
                }
            }
            (c, _) => pair.push(c),
        }
    }
    if !pair.is_empty() {
        pairs.push(pair);
    }
    pairs
}

fn json(value: &Value) -> Result<Value, String> {
    match value {
        Value::Str(text) => Ok(Value::from(text.as_str().trim())),
        Value::List(_) | Value::Map(_) => Ok(Value::from(value.to_json().to_string())),
        other => Err(format!("{} cannot be converted to a json string", class(other))),
    }
}

/// A size as people write it (`1.5G`, `1 MB`, `1megabyte`; for bits `1Kb`), as a number. `unit` is `B` or `b`.
fn size(value: &Value, unit: char) -> Option<Value> {
    const PREFIXES: &[(&str, &str)] = &[
        ("Y", "yotta"),
        ("Z", "zetta"),
        ("E", "exa"),
        ("P", "peta"),
        ("T", "tera"),
        ("G", "giga"),
        ("M", "mega"),
        ("K", "kilo"),
    ];
    let text = match value {
        Value::Int(_) | Value::Float(_) => return Some(value.clone()),
        Value::Str(text) => text.as_str().trim(),
        _ => return None,
    };
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let name = text[end..].trim();
    let whole = if unit == 'B' { "byte" } else { "bit" };
    let lower = name.to_ascii_lowercase();
    if name.is_empty() || lower == whole || name == unit.to_string() {
        return Some(Value::Int(number.round() as i64));
    }
    let at = PREFIXES.iter().position(|(short, long)| {
        let rest = lower.strip_prefix(&short.to_ascii_lowercase());
        rest == Some("")
            || name.get(1..) == Some(&unit.to_string()) && rest.is_some()
            || lower.strip_prefix(long) == Some(whole)
    })?;
    let factor = 1024f64.powi(i32::try_from(PREFIXES.len() - at).ok()?);
    Some(Value::Int((number * factor).round() as i64))
}
