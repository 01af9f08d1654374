use std::sync::Arc;

use crate::value::VaultText;
use crate::{Error, Key, Map, Pos, Str, Value};

/// One value of a YAML document, with where it was written and how.
#[derive(Clone, Debug)]
pub struct Node {
    pub value: NodeKind,
    pub style: Style,
    /// Strings in it may be rendered as templates. False under `!unsafe` and for text that is data.
    pub trusted: bool,
    pub pos: Pos,
}

/// What a node holds. Merges (`<<`) are carried out, and of several equal keys the last one is left.
#[derive(Clone, Debug)]
pub enum NodeKind {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, in decimal digits.
    BigInt(Arc<str>),
    Float(f64),
    Str(Arc<str>),
    Seq(Vec<Node>),
    Map(Vec<(Node, Node)>),
    /// The envelope of a `!vault` string.
    Vault(Arc<str>),
}

/// How a node was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
    /// `[a, b]`, `{a: b}`
    Flow,
    Block,
}

impl Node {
    /// The value, its strings as templates that know where they were written (`!unsafe` ones as mere text).
    pub fn to_value(&self) -> Value {
        match &self.value {
            NodeKind::Str(text) if self.trusted => {
                Value::Str(Str::template(text.clone(), Some(Arc::new(self.pos.clone()))))
            }
            NodeKind::Seq(items) => Value::list(items.iter().map(Self::to_value).collect()),
            NodeKind::Map(pairs) => Value::map(entries(pairs, Self::to_value)),
            _ => self.scalar_value(),
        }
    }

    /// The value, all its strings as mere text.
    pub fn to_plain_value(&self) -> Value {
        match &self.value {
            NodeKind::Seq(items) => Value::list(items.iter().map(Self::to_plain_value).collect()),
            NodeKind::Map(pairs) => Value::map(entries(pairs, Self::to_plain_value)),
            _ => self.scalar_value(),
        }
    }

    fn scalar_value(&self) -> Value {
        match &self.value {
            NodeKind::Bool(b) => Value::Bool(*b),
            NodeKind::Int(i) => Value::Int(*i),
            NodeKind::BigInt(digits) => Value::BigInt(digits.clone()),
            NodeKind::Float(f) => Value::Float(*f),
            NodeKind::Str(text) => Value::Str(Str::plain(text.clone())),
            NodeKind::Vault(text) => {
                Value::Vault(Arc::new(VaultText { text: text.as_ref().into(), pos: Some(self.pos.clone()) }))
            }
            NodeKind::Null | NodeKind::Seq(_) | NodeKind::Map(_) => Value::Null,
        }
    }

    /// The node as a key of a dictionary; `None` for what cannot be one (lists, dictionaries).
    pub fn to_key(&self) -> Option<Key> {
        Some(match &self.value {
            NodeKind::Null => Key::Null,
            NodeKind::Bool(b) => Key::Bool(*b),
            NodeKind::Int(i) => Key::Int(*i),
            NodeKind::BigInt(digits) => Key::Float(digits.clone()),
            NodeKind::Float(f) => Key::Float(super::python_float(*f).into()),
            NodeKind::Str(text) | NodeKind::Vault(text) => Key::Str(text.clone()),
            NodeKind::Seq(_) | NodeKind::Map(_) => return None,
        })
    }

    /// The value under a string key; `None` if this is no dictionary or has no such key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Key and value under a string key.
    pub fn entry(&self, key: &str) -> Option<(&Node, &Node)> {
        self.as_map()?.iter().find(|(k, _)| k.as_str() == Some(key)).map(|(k, v)| (k, v))
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            NodeKind::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a string without copying it.
    pub fn shared_str(&self) -> Option<Arc<str>> {
        match &self.value {
            NodeKind::Str(text) => Some(text.clone()),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            NodeKind::Bool(b) => Some(b),
            _ => None,
        }
    }

    pub fn as_int(&self) -> Option<i64> {
        match self.value {
            NodeKind::Int(i) => Some(i),
            _ => None,
        }
    }

    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.value {
            NodeKind::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The entries in the order they were written (those merged with `<<` first).
    pub fn as_map(&self) -> Option<&[(Node, Node)]> {
        match &self.value {
            NodeKind::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self.value, NodeKind::Null)
    }

    /// Was this written as a bare word, so that `yes` may have been meant as text?
    pub fn is_plain(&self) -> bool {
        self.style == Style::Plain
    }

    /// The name of its type in Python, as error messages show it.
    pub fn type_name(&self) -> &'static str {
        match self.value {
            NodeKind::Null => "NoneType",
            NodeKind::Bool(_) => "bool",
            NodeKind::Int(_) | NodeKind::BigInt(_) => "int",
            NodeKind::Float(_) => "float",
            NodeKind::Str(_) | NodeKind::Vault(_) => "str",
            NodeKind::Seq(_) => "list",
            NodeKind::Map(_) => "dict",
        }
    }

    /// An error about this node.
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error::new(message).at(Some(&self.pos))
    }
}

fn entries(pairs: &[(Node, Node)], value: impl Fn(&Node) -> Value) -> Map {
    // Keys were checked when the document was composed: `to_key` gives one for each.
    pairs.iter().filter_map(|(k, v)| Some((k.to_key()?, value(v)))).collect()
}
