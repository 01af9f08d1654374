//! Values as YAML text, byte for byte as PyYAML prints them for Ansible's `to_yaml` and `to_nice_yaml`.

use std::collections::HashMap;
use std::sync::Arc;

use super::emitter::{Emitter, Scalar};
use super::{astral, python_float, scalar};
use crate::{Error, Key, Map, Result, Value};

/// The keyword arguments of PyYAML's `dump` that the filters pass on.
#[derive(Clone, Debug)]
pub struct DumpOptions {
    /// Spaces a level, 2 to 9; anything else means 2.
    pub indent: Option<i64>,
    /// Where long lines are folded; 80 by default.
    pub width: Option<i64>,
    /// `None`: lists and dictionaries of scalars alone in `[]` and `{}`, the others in lines.
    pub default_flow_style: Option<bool>,
    pub default_style: ScalarQuotes,
    pub sort_keys: bool,
    pub allow_unicode: bool,
    pub canonical: bool,
    pub explicit_start: bool,
    pub explicit_end: bool,
    /// Print a list or dictionary that is there twice once, and `*id001` for the second.
    pub aliases: bool,
    /// Strings of several lines in the literal style (`|`) where YAML allows it.
    pub literal_lines: bool,
}

/// The quotes around every scalar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ScalarQuotes {
    /// Where they are needed.
    #[default]
    Any,
    Single,
    Double,
    Literal,
    Folded,
}

impl DumpOptions {
    /// What the `to_yaml` filter starts from.
    pub fn to_yaml() -> Self {
        Self {
            indent: None,
            width: None,
            default_flow_style: None,
            default_style: ScalarQuotes::Any,
            sort_keys: true,
            allow_unicode: true,
            canonical: false,
            explicit_start: false,
            explicit_end: false,
            aliases: true,
            literal_lines: false,
        }
    }

    /// What the `to_nice_yaml` filter starts from.
    pub fn to_nice_yaml() -> Self {
        Self { indent: Some(4), default_flow_style: Some(false), ..Self::to_yaml() }
    }
}

/// A value as YAML. An undefined value or `omit` inside of it is an error; an encrypted string keeps its envelope.
pub fn to_yaml(value: &Value, options: &DumpOptions) -> Result<String> {
    let mut anchors = Anchors::default();
    if options.aliases {
        anchors.find(value, options.sort_keys);
    }
    let mut emitter = Emitter::start(options)?;
    emit(value, options, &mut anchors, &mut emitter)?;
    emitter.finish().map(astral::decode)
}

/// Which lists and dictionaries are there more than once, and what they are called.
///
/// As in PyYAML, being the same object counts, not being equal; names are given in the order in which second
/// appearances are met.
#[derive(Default)]
struct Anchors {
    seen: HashMap<usize, Option<String>>,
    printed: std::collections::HashSet<usize>,
    last: u32,
}

impl Anchors {
    fn find(&mut self, value: &Value, sort: bool) {
        let Some(id) = identity(value) else { return };
        if let Some(name) = self.seen.get_mut(&id) {
            if name.is_none() {
                self.last += 1;
                *name = Some(format!("id{:03}", self.last));
            }
            return;
        }
        self.seen.insert(id, None);
        match value {
            Value::List(items) => items.iter().for_each(|item| self.find(item, sort)),
            Value::Map(map) => sorted(map, sort).into_iter().for_each(|(_, item)| self.find(item, sort)),
            _ => {}
        }
    }

    /// The name of this value, and whether it was printed before.
    fn of(&mut self, value: &Value) -> (Option<String>, bool) {
        let Some(id) = identity(value) else { return (None, false) };
        match self.seen.get(&id) {
            Some(Some(name)) => (Some(name.clone()), !self.printed.insert(id)),
            _ => (None, false),
        }
    }
}

fn identity(value: &Value) -> Option<usize> {
    match value {
        Value::List(items) => Some(Arc::as_ptr(items) as usize),
        Value::Map(map) => Some(Arc::as_ptr(map) as usize),
        _ => None,
    }
}

/// The entries in the order to print: sorted if that is asked for and Python could compare the keys.
fn sorted(map: &Map, sort: bool) -> Vec<(&Key, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    let all_text = entries.iter().all(|(key, _)| matches!(key, Key::Str(_)));
    let all_numbers =
        entries.iter().all(|(key, _)| matches!(key, Key::Int(_) | Key::Bool(_) | Key::Float(_)));
    if sort && all_text {
        entries.sort_by(|a, b| a.0.cmp(b.0));
    } else if sort && all_numbers {
        let number = |key: &Key| match key {
            Key::Int(i) => *i as f64,
            Key::Bool(b) => f64::from(u8::from(*b)),
            Key::Float(f) => f.parse().unwrap_or(f64::NAN),
            _ => f64::NAN,
        };
        entries.sort_by(|a, b| number(a.0).total_cmp(&number(b.0)));
    }
    entries
}

/// Do all of these print as scalars?
fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::List(_) | Value::Map(_) | Value::Vault(_))
}

fn emit(value: &Value, options: &DumpOptions, anchors: &mut Anchors, emitter: &mut Emitter) -> Result<()> {
    let (anchor, printed) = anchors.of(value);
    if let (Some(anchor), true) = (&anchor, printed) {
        return emitter.alias(anchor);
    }
    let anchor = anchor.as_deref();
    let quotes = options.default_style != ScalarQuotes::Any;
    match value {
        Value::List(items) => {
            let flow = options.default_flow_style.unwrap_or_else(|| !quotes && items.iter().all(is_scalar));
            emitter.start_sequence(anchor, flow)?;
            for item in items.iter() {
                emit(item, options, anchors, emitter)?;
            }
            emitter.end_sequence()
        }
        Value::Map(map) => {
            let flow = options.default_flow_style.unwrap_or_else(|| !quotes && map.values().all(is_scalar));
            emitter.start_mapping(anchor, flow)?;
            for (key, item) in sorted(map, options.sort_keys) {
                emit(&key.to_value(), options, anchors, emitter)?;
                emit(item, options, anchors, emitter)?;
            }
            emitter.end_mapping()
        }
        Value::Null => emit_scalar("null", "null", options, emitter),
        Value::Bool(true) => emit_scalar("bool", "true", options, emitter),
        Value::Bool(false) => emit_scalar("bool", "false", options, emitter),
        Value::Int(i) => emit_scalar("int", &i.to_string(), options, emitter),
        Value::BigInt(digits) => emit_scalar("int", digits, options, emitter),
        Value::Float(f) => emit_scalar("float", &float(*f), options, emitter),
        Value::Str(text) => emit_scalar("str", text.as_str(), options, emitter),
        Value::Vault(vault) => emitter.scalar(&Scalar {
            anchor: None,
            tag: "!vault",
            text: vault.text.as_bytes(),
            plain_implicit: false,
            quoted_implicit: false,
            style: ScalarQuotes::Literal,
        }),
        Value::Undefined(message) => {
            Err(Error::new(message.as_ref()).with_kind(crate::error::ErrorKind::Undefined))
        }
        Value::Omit => Err(Error::new("('cannot represent an object', <<Omit>>)")),
    }
}

/// A scalar of one of YAML's own tags. Reading it back unquoted has to give the same tag, otherwise it is quoted.
fn emit_scalar(tag: &str, text: &str, options: &DumpOptions, emitter: &mut Emitter) -> Result<()> {
    let bytes = if options.allow_unicode { astral::encode(text) } else { text.as_bytes().into() };
    emitter.scalar(&Scalar {
        anchor: None,
        tag: &format!("tag:yaml.org,2002:{tag}"),
        text: &bytes,
        plain_implicit: scalar::tag_of(text) == tag,
        quoted_implicit: tag == "str",
        style: if options.literal_lines && tag == "str" && text.contains('\n') {
            ScalarQuotes::Literal
        } else {
            options.default_style
        },
    })
}

/// A float as PyYAML prints it: always with a dot, so that YAML 1.1 reads a float back.
fn float(f: f64) -> String {
    if f.is_nan() {
        return ".nan".into();
    }
    if f.is_infinite() {
        return if f > 0.0 { ".inf".into() } else { "-.inf".into() };
    }
    let text = python_float(f);
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}
