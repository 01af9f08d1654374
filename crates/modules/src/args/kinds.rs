//! The types of arguments, and how values become them (the rules of Ansible's argument specification).

use protocol::Map;
use serde_json::Value;

use super::ArgError;

/// A type that an argument can have.
pub trait ArgType: Sized {
    /// Ansible's name of the type.
    const KIND: &'static str;

    /// Convert; the error is a sentence about the value.
    fn coerce(value: Value) -> Result<Self, String>;

    /// What to use when the argument is not given and has no default; `None` if that is an error.
    fn missing() -> Option<Self> {
        None
    }

    /// Check a value and bring it into its JSON form.
    fn coerce_json(value: Value) -> Result<Value, String> {
        Self::coerce(value.clone()).map(|_| value)
    }
}

/// Python's name of a JSON value's type.
pub fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

/// The sentence Ansible says when a value does not fit.
pub fn conversion_error(name: &str, from: &str, to: &str, why: &str) -> ArgError {
    ArgError::new(format!("argument '{name}' is of type {from} and we were unable to convert to {to}: {why}"))
        .about(name)
}

/// A boolean as Ansible reads one: `yes`, `on`, `1`, `true`, `t`, `y` and their opposites, in any case.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
        _ => None,
    }
}

impl ArgType for String {
    const KIND: &'static str = "str";

    fn coerce(value: Value) -> Result<Self, String> {
        Ok(match value {
            Value::String(text) => text,
            Value::Bool(b) => if b { "True" } else { "False" }.to_owned(),
            Value::Number(n) => number_text(&n),
            other => python_repr(&other),
        })
    }

    fn coerce_json(value: Value) -> Result<Value, String> {
        Self::coerce(value).map(Value::String)
    }
}

impl ArgType for bool {
    const KIND: &'static str = "bool";

    fn coerce(value: Value) -> Result<Self, String> {
        match &value {
            Value::Bool(b) => Some(*b),
            Value::Number(n) if n.as_f64() == Some(1.0) => Some(true),
            Value::Number(n) if n.as_f64() == Some(0.0) => Some(false),
            Value::String(text) => parse_bool(text),
            _ => None,
        }
        .ok_or_else(|| {
            let shown = match &value {
                Value::String(text) => text.clone(),
                other => python_repr(other),
            };
            format!(
                "The value '{shown}' is not a valid boolean. Valid booleans include: \
                 0, 1, '0', '1', 'f', 'false', 'n', 'no', 'off', 'on', 't', 'true', 'y', 'yes'"
            )
        })
    }

    fn missing() -> Option<Self> {
        Some(false)
    }

    fn coerce_json(value: Value) -> Result<Value, String> {
        Self::coerce(value).map(Value::Bool)
    }
}

impl ArgType for i64 {
    const KIND: &'static str = "int";

    fn coerce(value: Value) -> Result<Self, String> {
        let parsed = match &value {
            Value::Number(n) => {
                n.as_i64().or_else(|| n.as_f64().filter(|f| f.fract() == 0.0).map(|f| f as i64))
            }
            Value::String(text) => {
                let text = text.trim();
                text.parse()
                    .ok()
                    .or_else(|| text.parse().ok().filter(|f: &f64| f.fract() == 0.0).map(|f| f as i64))
            }
            Value::Bool(b) => Some(i64::from(*b)),
            _ => None,
        };
        parsed.ok_or_else(|| {
            let shown = match &value {
                // Quoted twice, as Ansible does.
                Value::String(text) => format!("\"'{text}'\""),
                other => python_repr(other),
            };
            format!("{shown} cannot be converted to an int")
        })
    }

    fn coerce_json(value: Value) -> Result<Value, String> {
        Self::coerce(value).map(Value::from)
    }
}

impl ArgType for f64 {
    const KIND: &'static str = "float";

    fn coerce(value: Value) -> Result<Self, String> {
        let parsed = match &value {
            Value::Number(n) => n.as_f64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        parsed.ok_or_else(|| format!("{} cannot be converted to a float", python_repr(&value)))
    }

    fn coerce_json(value: Value) -> Result<Value, String> {
        Self::coerce(value).map(Value::from)
    }
}

impl<T: ArgType> ArgType for Vec<T> {
    const KIND: &'static str = "list";

    fn coerce(value: Value) -> Result<Self, String> {
        let items = match value {
            Value::Array(items) => items,
            Value::String(text) => text.split(',').map(|s| s.trim().into()).collect(),
            Value::Number(n) => vec![number_text(&n).into()],
            other => return Err(format!("{} cannot be converted to a list", python_repr(&other))),
        };
        items.into_iter().map(T::coerce).collect()
    }

    fn missing() -> Option<Self> {
        Some(Vec::new())
    }

    fn coerce_json(value: Value) -> Result<Value, String> {
        let items = match value {
            Value::Array(items) => items,
            Value::String(text) => text.split(',').map(|s| s.trim().into()).collect(),
            Value::Number(n) => vec![number_text(&n).into()],
            other => return Err(format!("{} cannot be converted to a list", python_repr(&other))),
        };
        items.into_iter().map(T::coerce_json).collect::<Result<Vec<_>, _>>().map(Value::Array)
    }
}

impl<T: ArgType> ArgType for Option<T> {
    const KIND: &'static str = T::KIND;

    fn coerce(value: Value) -> Result<Self, String> {
        T::coerce(value).map(Some)
    }

    fn missing() -> Option<Self> {
        Some(None)
    }

    fn coerce_json(value: Value) -> Result<Value, String> {
        T::coerce_json(value)
    }
}

impl ArgType for Map {
    const KIND: &'static str = "dict";

    fn coerce(value: Value) -> Result<Self, String> {
        match value {
            Value::Object(map) => Ok(map),
            Value::String(text) if text.trim_start().starts_with('{') => {
                serde_json::from_str(&text).map_err(|_| "unable to evaluate string as dictionary".to_owned())
            }
            Value::String(text) if text.contains('=') => Ok(pairs(&text)),
            _ => Err("dictionary requested, could not parse JSON or key=value".to_owned()),
        }
    }

    fn missing() -> Option<Self> {
        Some(Map::new())
    }

    fn coerce_json(value: Value) -> Result<Value, String> {
        Self::coerce(value).map(Value::Object)
    }
}

/// `a=1 b=2` or `a=1, b=2` as a dictionary of strings; quotes group.
fn pairs(text: &str) -> Map {
    let mut fields = vec![String::new()];
    let mut quote = None;
    for c in text.chars() {
        let last = fields.len() - 1;
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (None, ',' | ' ') => {
                if !fields[last].is_empty() {
                    fields.push(String::new());
                }
            }
            (_, c) => fields[last].push(c),
        }
    }
    let pair = |field: String| field.split_once('=').map(|(k, v)| (k.trim().to_owned(), v.trim().into()));
    fields.into_iter().filter_map(pair).collect()
}

/// A value as it is, of any type.
#[derive(Clone, Debug, PartialEq)]
pub struct Raw(pub Value);

impl ArgType for Raw {
    const KIND: &'static str = "raw";

    fn coerce(value: Value) -> Result<Self, String> {
        Ok(Self(value))
    }
}

/// One of a fixed set of words, as an enum. Implemented by hand where a module wants to match on it.
pub trait Choice: Sized {
    fn from_word(word: &str) -> Option<Self>;
}

/// A path of the host with `~` and `$VARIABLES` expanded there, as Ansible's type `path`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Expanded(pub String);

impl std::ops::Deref for Expanded {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl ArgType for Expanded {
    const KIND: &'static str = "path";

    fn coerce(value: Value) -> Result<Self, String> {
        String::coerce(value).map(|text| Self(expand(&text)))
    }

    // The controller checks arguments, too, and must not expand with its own environment.
    fn coerce_json(value: Value) -> Result<Value, String> {
        String::coerce(value).map(Value::String)
    }
}

fn expand(text: &str) -> String {
    expand_with(text, &|name| std::env::var(name).ok())
}

/// Expand a leading `~` or `~user` and `$NAME`, `${NAME}`; unknown names stay as they are.
pub fn expand_with(text: &str, env: &dyn Fn(&str) -> Option<String>) -> String {
    let mut text = text.to_owned();
    if let Some(rest) = text.strip_prefix('~') {
        let (user, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let home = if user.is_empty() { home_of_self(env("HOME")) } else { passwd_home(|f| f[0] == user) };
        if let Some(home) = home {
            text = format!("{home}{tail}");
        }
    }
    if !text.contains('$') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, used) =
            match after.strip_prefix('{').and_then(|a| a.find('}').map(|end| (&a[..end], end + 2))) {
                Some(found) => found,
                None => {
                    let end =
                        after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                    (&after[..end], end)
                }
            };
        match env(name) {
            Some(value) if !name.is_empty() => out.push_str(&value),
            _ => out.push_str(&rest[at..at + 1 + used]),
        }
        rest = &after[used..];
    }
    out + rest
}

fn home_of_self(variable: Option<String>) -> Option<String> {
    variable.filter(|h| !h.is_empty()).or_else(|| {
        let uid = nix::unistd::Uid::current().to_string();
        passwd_home(|f| f[2] == uid)
    })
}

fn passwd_home(wanted: impl Fn(&[&str]) -> bool) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    let found = passwd.lines().map(|l| l.split(':').collect::<Vec<_>>()).find(|f| f.len() > 6 && wanted(f));
    found.map(|f| f[5].to_owned())
}

fn number_text(n: &serde_json::Number) -> String {
    match n.as_f64() {
        Some(f) if n.is_f64() && f.fract() == 0.0 && f.abs() < 1e16 => format!("{f:.1}"),
        _ => n.to_string(),
    }
}

/// A value as Python's `str` shows it.
pub fn python_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => python_repr(other),
    }
}

/// A value as Python's `repr` shows it.
pub fn python_repr(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(b) => if *b { "True" } else { "False" }.to_owned(),
        Value::Number(n) => number_text(n),
        Value::String(text) => {
            let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
            let mut out = String::from(quote);
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
                    c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                        out.push_str(&format!("\\x{:02x}", c as u32))
                    }
                    c => out.push(c),
                }
            }
            out.push(quote);
            out
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(python_repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(map) => {
            let items: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{}: {}", python_repr(&k.as_str().into()), python_repr(v)))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
    }
}
