//! Values of variables: Python's data model as far as playbooks can see it.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::IndexMap;

use crate::Pos;

/// A dictionary in the order it was written.
pub type Map = IndexMap<Key, Value>;

/// A value of a variable, an argument or a result.
///
/// Cloning is cheap: containers and strings are shared.
#[derive(Clone, Debug, Default)]
pub enum Value {
    /// `None`, `null`, `~`.
    #[default]
    Null,
    Bool(bool),
    Int(i64),
    /// An integer that does not fit 64 bits, in decimal digits.
    BigInt(Arc<str>),
    Float(f64),
    Str(Str),
    List(Arc<Vec<Value>>),
    Map(Arc<Map>),
    /// A string encrypted with ansible-vault (`!vault`), not yet decrypted: decryption happens on use.
    Vault(Arc<VaultText>),
    /// The result of an expression that names nothing; holds the message of the error that its use causes.
    Undefined(Arc<str>),
    /// `omit`: an argument with this value is left out.
    Omit,
}

/// Text, with whether it may be rendered as a template and where it was written.
#[derive(Clone)]
pub struct Str {
    text: Arc<str>,
    /// Written by the user in a playbook, inventory or variable file: `{{ }}` in it is a template.
    /// Never true for text that came from a host or out of a template.
    template: bool,
    pos: Option<Arc<Pos>>,
}

/// A `!vault` scalar: the envelope as written.
#[derive(Clone, Debug)]
pub struct VaultText {
    pub text: String,
    pub pos: Option<Pos>,
}

/// A key of a dictionary. Python allows any hashable; playbooks use these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Key {
    Null,
    Bool(bool),
    Int(i64),
    /// A float, by its Python representation.
    Float(Arc<str>),
    Str(Arc<str>),
}

impl Str {
    /// Text that is only text, whatever it contains.
    pub fn plain(text: impl Into<Arc<str>>) -> Self {
        Self { text: text.into(), template: false, pos: None }
    }

    /// Text that the user wrote: `{{ }}` in it is a template.
    pub fn template(text: impl Into<Arc<str>>, pos: Option<Arc<Pos>>) -> Self {
        Self { text: text.into(), template: true, pos }
    }

    /// The same text, with the place it came from.
    #[must_use]
    pub fn from_place(self, pos: Arc<Pos>) -> Self {
        Self { pos: Some(pos), ..self }
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub fn shared(&self) -> Arc<str> {
        self.text.clone()
    }

    pub fn is_template(&self) -> bool {
        self.template
    }

    pub fn pos(&self) -> Option<&Pos> {
        self.pos.as_deref()
    }

    pub fn shared_pos(&self) -> Option<Arc<Pos>> {
        self.pos.clone()
    }

    /// Might rendering change this text? Cheap: looks for the delimiters only.
    pub fn has_template(&self) -> bool {
        self.template && may_be_template(&self.text)
    }
}

/// Does the text contain a Jinja delimiter (`{{`, `{%` or `{#`)?
pub fn may_be_template(text: &str) -> bool {
    text.as_bytes().windows(2).any(|w| w[0] == b'{' && matches!(w[1], b'{' | b'%' | b'#'))
}

impl PartialEq for Str {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Str {}

impl Hash for Str {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for Str {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.template { write!(f, "t{:?}", self.text) } else { write!(f, "{:?}", self.text) }
    }
}

impl Key {
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The key as a value.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(i) => Value::Int(*i),
            Self::Float(f) => f.parse().map(Value::Float).unwrap_or(Value::Null),
            Self::Str(s) => Value::Str(Str::plain(s.clone())),
        }
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

/// A string key hashes as its text does, so that a map can be asked for a `&str`.
impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            Self::Str(text) => text.hash(state),
            Self::Null => 0u8.hash(state),
            Self::Bool(b) => b.hash(state),
            Self::Int(i) => i.hash(state),
            Self::Float(text) => (1u8, text).hash(state),
        }
    }
}

/// Lets `map.get("name")` work without allocating.
impl indexmap::Equivalent<Key> for str {
    fn equivalent(&self, key: &Key) -> bool {
        key.as_str() == Some(self)
    }
}

/// A key as text, the way `json.dumps` writes keys: `true`, `null`, `1`.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Float(s) | Self::Str(s) => f.write_str(s),
        }
    }
}

impl Value {
    /// Text that is only text (not a template).
    pub fn str(text: impl Into<Arc<str>>) -> Self {
        Self::Str(Str::plain(text))
    }

    /// Text that may be a template, as a user would have written it.
    pub fn template(text: impl Into<Arc<str>>) -> Self {
        Self::Str(Str::template(text, None))
    }

    pub fn list(items: Vec<Value>) -> Self {
        Self::List(Arc::new(items))
    }

    pub fn map(map: Map) -> Self {
        Self::Map(Arc::new(map))
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text.as_str()),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(b) => Some(*b),
            _ => None,
        }
    }

    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(i) => Some(*i),
            _ => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// Look a string key up; `None` for what is not a dictionary.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_map()?.get(key)
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Where it was written, if it is a string that knows.
    pub fn pos(&self) -> Option<&Pos> {
        match self {
            Self::Str(text) => text.pos(),
            Self::Vault(vault) => vault.pos.as_ref(),
            _ => None,
        }
    }

    /// Python's truth value.
    pub fn is_truthy(&self) -> bool {
        match self {
            Self::Null | Self::Undefined(_) => false,
            Self::Bool(b) => *b,
            Self::Int(i) => *i != 0,
            Self::BigInt(_) | Self::Vault(_) | Self::Omit => true,
            Self::Float(f) => *f != 0.0,
            Self::Str(text) => !text.as_str().is_empty(),
            Self::List(items) => !items.is_empty(),
            Self::Map(map) => !map.is_empty(),
        }
    }

    /// The name of its type in Python, as error messages show it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::BigInt(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) | Self::Vault(_) => "str",
            Self::List(_) => "list",
            Self::Map(_) => "dict",
            Self::Undefined(_) => "Undefined",
            Self::Omit => "Omit",
        }
    }

    /// Does any string below contain something to render (or decrypt)?
    pub fn has_template(&self) -> bool {
        match self {
            Self::Str(text) => text.has_template(),
            Self::Vault(_) => true,
            Self::List(items) => items.iter().any(Self::has_template),
            Self::Map(map) => map.values().any(Self::has_template),
            _ => false,
        }
    }

    /// The same value whose strings are only text: for everything that comes from a host or out of a template.
    pub fn untrusted(self) -> Self {
        match self {
            Self::Str(text) if text.template => Self::Str(Str { template: false, ..text }),
            Self::List(items) => Self::list(items.iter().cloned().map(Self::untrusted).collect()),
            Self::Map(map) => {
                Self::map(map.iter().map(|(k, v)| (k.clone(), v.clone().untrusted())).collect())
            }
            other => other,
        }
    }

    /// A value from JSON: its strings are only text.
    pub fn from_json(json: &serde_json::Value) -> Self {
        use serde_json::Value as J;
        match json {
            J::Null => Self::Null,
            J::Bool(b) => Self::Bool(*b),
            J::Number(n) => match (n.as_i64(), n.as_u64()) {
                (Some(i), _) => Self::Int(i),
                (None, Some(u)) => Self::BigInt(u.to_string().into()),
                (None, None) => Self::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            J::String(text) => Self::str(text.as_str()),
            J::Array(items) => Self::list(items.iter().map(Self::from_json).collect()),
            J::Object(map) => Self::from_json_map(map),
        }
    }

    /// A dictionary from a JSON object: its strings are only text.
    pub fn from_json_map(map: &serde_json::Map<String, serde_json::Value>) -> Self {
        Self::map(map.iter().map(|(k, v)| (Key::from(k.as_str()), Self::from_json(v))).collect())
    }

    /// As JSON, the way Python's `json.dumps` shows it: keys become text; what JSON has no word for
    /// (undefined, omit, an encrypted string) becomes its text. Entries of dictionaries that are `Omit` are left out.
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as J;
        match self {
            Self::Null => J::Null,
            Self::Bool(b) => J::Bool(*b),
            Self::Int(i) => (*i).into(),
            Self::BigInt(digits) => digits.parse::<u64>().map_or_else(|_| digits.as_ref().into(), J::from),
            Self::Float(f) => serde_json::Number::from_f64(*f).map_or(J::Null, J::Number),
            Self::Str(text) => text.as_str().into(),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(map) => J::Object(
                map.iter()
                    .filter(|(_, v)| !matches!(v, Self::Omit))
                    .map(|(k, v)| (k.to_string(), v.to_json()))
                    .collect(),
            ),
            Self::Vault(vault) => vault.text.as_str().into(),
            Self::Undefined(message) => message.as_ref().into(),
            Self::Omit => J::Null,
        }
    }
}

/// Python's `==`: `1 == 1.0 == True`, strings by their text, whatever their origin.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        fn number(value: &Value) -> Option<f64> {
            match value {
                Value::Bool(b) => Some(f64::from(u8::from(*b))),
                Value::Int(i) => Some(*i as f64),
                Value::Float(f) => Some(*f),
                _ => None,
            }
        }
        match (self, other) {
            (Self::Null, Self::Null) | (Self::Omit, Self::Omit) => true,
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::BigInt(a), Self::BigInt(b)) => a == b,
            (Self::Str(a), Self::Str(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Map(a), Self::Map(b)) => a == b,
            (Self::Vault(a), Self::Vault(b)) => a.text == b.text,
            (a, b) => matches!((number(a), number(b)), (Some(a), Some(b)) if a == b),
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(i: i64) -> Self {
        Self::Int(i)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::str(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::str(text)
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::list(items)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::map(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_can_be_asked_for_a_str() {
        let map: Map = [(Key::from("a"), Value::Int(1)), (Key::Int(1), Value::Null)].into_iter().collect();
        assert_eq!(map.get("a"), Some(&Value::Int(1)));
        assert_eq!(map.get("1"), None);
    }

    #[test]
    fn numbers_compare_as_in_python() {
        assert_eq!(Value::Bool(true), Value::Float(1.0));
        assert_ne!(Value::Int(1), Value::str("1"));
    }

    #[test]
    fn text_from_json_is_never_a_template() {
        let value = Value::from_json(&serde_json::json!({"a": ["{{ x }}"]}));
        assert!(!value.has_template());
        assert!(Value::list(vec![Value::template("{{ x }}")]).has_template());
    }
}
