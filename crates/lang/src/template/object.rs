//! The values that expressions compute with: Python's objects, as far as templates can see them.
//!
//! Lists and dictionaries are shared and change in place (`{% set _ = l.append(1) %}`); members that are
//! templates themselves are rendered when they are touched ([`Lazy`]). A value of this kind lives inside
//! one call of the templar and one thread; what goes in and out are [`Value`]s.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::template::env::Env;
use crate::template::eval::frame::Frame;
use crate::template::mutable::Mutable;
use crate::template::syntax::ast;
use crate::template::tuple::Tuple;
use crate::value::VaultText;
use crate::{Error, Key, Pos, Str, Value};

pub(crate) type R<T> = Result<T, Fail>;
pub(crate) type Dict = IndexMap<Key, V>;

/// Why an expression has no value.
#[derive(Clone, Debug)]
pub(crate) enum Fail {
    /// Something undefined was used; turns into an undefined value again where a variable is read.
    Undefined(Rc<Undef>),
    /// What Python would raise: gets "Error rendering template" in front.
    Python(Box<str>),
    /// A finished error.
    Error(Error),
}

/// An undefined value: the message of the error that its use causes.
#[derive(Clone, Debug)]
pub(crate) struct Undef {
    pub message: Arc<str>,
    /// The name that was looked for, if it was a plain name.
    pub name: Option<Arc<str>>,
    pub pos: Option<Pos>,
}

#[derive(Clone)]
pub(crate) enum V {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Str),
    Bytes(Rc<[u8]>),
    List(Rc<Mutable<Vec<V>>>),
    Tuple(Rc<Tuple>),
    Dict(Rc<Mutable<Dict>>),
    Undef(Rc<Undef>),
    /// What an inline `if` without `else` gives: false, empty text, not an error until it is stored.
    Blank,
    Omit,
    /// A member of a variable that is still to be rendered, decrypted or unpacked.
    Lazy(Rc<Lazy>),
    Func(Rc<Func>),
    Obj(Rc<Obj>),
}

/// A member of a variable as it was written, and the scope in which its names are looked up.
pub(crate) struct Lazy {
    pub value: Value,
    pub env: Rc<Env>,
    pub done: RefCell<Option<V>>,
    pub busy: Cell<bool>,
    /// Members of a dictionary that were asked for before it was unpacked.
    members: RefCell<Vec<(Key, V)>>,
}

/// Something that can be called.
pub(crate) enum Func {
    /// A global function, by name.
    Global(&'static str),
    /// A method of a value.
    Method(V, Arc<str>),
    Macro(Rc<MacroObj>),
    /// `super()` and `self.name()`: the block of that name, from the given level of inheritance on.
    Block(Arc<str>, usize, Rc<Frame>),
}

pub(crate) struct MacroObj {
    pub decl: Arc<ast::Macro>,
    pub frame: Rc<Frame>,
}

/// Objects of other kinds.
pub(crate) enum Obj {
    Namespace(Mutable<Dict>),
    Loop(Rc<LoopState>),
    /// What `{% import %}` binds: the names a template set at its top level.
    Module {
        name: String,
        frame: Rc<Frame>,
    },
    Cycler {
        items: Vec<V>,
        at: Cell<usize>,
    },
    Joiner {
        sep: V,
        used: Cell<bool>,
    },
    Range {
        start: i128,
        stop: i128,
        step: i128,
    },
    DateTime(chrono::NaiveDateTime, Option<chrono::FixedOffset>),
    /// Microseconds.
    TimeDelta(i128),
    HostVars(Rc<Env>),
    /// All variables of one host, each rendered when it is read.
    Vars(Rc<Env>),
    /// `self` of a template with blocks.
    SelfBlocks(Rc<Frame>),
}

pub(crate) struct LoopState {
    pub index0: Cell<usize>,
    pub items: Vec<V>,
    pub depth0: usize,
    pub changed: RefCell<Option<Vec<V>>>,
    /// A recursive loop can be started again on other items.
    pub recurse: Option<(Arc<ast::For>, Rc<Frame>)>,
}

impl Fail {
    pub fn python<T>(message: impl Into<String>) -> R<T> {
        Err(Self::Python(message.into().into_boxed_str()))
    }

    pub fn undefined<T>(message: impl Into<Arc<str>>) -> R<T> {
        Err(Self::Undefined(Undef::new(message)))
    }

    /// The sentence without what stands in front of it.
    pub fn message(&self) -> String {
        match self {
            Self::Undefined(undef) => undef.message.to_string(),
            Self::Python(message) => message.to_string(),
            Self::Error(error) => error.to_string(),
        }
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Undef {
    pub fn new(message: impl Into<Arc<str>>) -> Rc<Self> {
        Rc::new(Self { message: message.into(), name: None, pos: None })
    }

    pub fn name(name: &Arc<str>) -> Rc<Self> {
        Rc::new(Self {
            message: format!("'{name}' is undefined").into(),
            name: Some(name.clone()),
            pos: None,
        })
    }
}

impl V {
    pub fn str(text: impl Into<Arc<str>>) -> Self {
        Self::Str(Str::plain(text))
    }

    pub fn list(items: Vec<V>) -> Self {
        Self::List(Rc::new(Mutable::new(items)))
    }

    pub fn tuple(items: Vec<V>) -> Self {
        Self::Tuple(Rc::new(Tuple::new(items)))
    }

    pub fn dict(items: Dict) -> Self {
        Self::Dict(Rc::new(Mutable::new(items)))
    }

    pub fn undef(message: impl Into<Arc<str>>) -> Self {
        Self::Undef(Undef::new(message))
    }

    pub fn int(i: impl TryInto<i128>) -> Self {
        Self::Int(i.try_into().unwrap_or(i128::MAX))
    }

    pub fn obj(obj: Obj) -> Self {
        Self::Obj(Rc::new(obj))
    }

    pub fn strings<S: Into<Arc<str>>>(items: impl IntoIterator<Item = S>) -> Self {
        Self::list(items.into_iter().map(V::str).collect())
    }

    /// A value as written, whose templates are rendered when they are read.
    pub fn lazy(value: &Value, env: &Rc<Env>) -> Self {
        match value {
            Value::Null => Self::None,
            Value::Bool(b) => Self::Bool(*b),
            Value::Int(i) => Self::Int(i128::from(*i)),
            Value::BigInt(digits) => digits.parse().map_or_else(|_| Self::str(digits.clone()), Self::Int),
            Value::Float(f) => Self::Float(*f),
            Value::Undefined(message) => Self::undef(message.clone()),
            Value::Omit => Self::Omit,
            Value::Str(text) if !text.has_template() => {
                env.templar.note_untrusted(text);
                Self::Str(text.clone())
            }
            Value::List(items) if items.is_empty() => Self::list(Vec::new()),
            Value::Map(map) if map.is_empty() => Self::dict(Dict::new()),
            _ => Self::Lazy(Rc::new(Lazy {
                value: value.clone(),
                env: env.clone(),
                done: RefCell::new(None),
                busy: Cell::new(false),
                members: RefCell::default(),
            })),
        }
    }

    /// This value, rendered if it was not yet. Members of containers may stay lazy.
    pub fn force(&self) -> R<V> {
        match self {
            Self::Lazy(lazy) => lazy.force(),
            other => Ok(other.clone()),
        }
    }

    /// As [`force`](Self::force), and an undefined value is an error.
    pub fn need(&self) -> R<V> {
        match self.force()? {
            Self::Undef(undef) => Err(Fail::Undefined(undef)),
            other => Ok(other),
        }
    }

    /// Does it refer to a frame of a template?
    pub fn knows_frame(&self) -> bool {
        match self {
            Self::Func(func) => matches!(func.as_ref(), Func::Macro(_) | Func::Block(..)),
            Self::Obj(obj) => match obj.as_ref() {
                Obj::Module { .. } | Obj::SelfBlocks(_) => true,
                Obj::Loop(state) => state.recurse.is_some(),
                _ => false,
            },
            _ => false,
        }
    }

    pub fn is_undef(&self) -> bool {
        matches!(self, Self::Undef(_))
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// Python's name of the type, as messages show it.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Str(_) => "str",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Tuple(_) => "tuple",
            Self::Dict(_) => "dict",
            Self::Undef(_) => "UndefinedMarker",
            Self::Blank => "Undefined",
            Self::Omit => "Omit",
            Self::Lazy(lazy) => lazy.value.type_name(),
            Self::Func(func) => match func.as_ref() {
                Func::Global(_) => "function",
                Func::Method(V::Dict(_), _) => "method",
                Func::Method(..) => "builtin_function_or_method",
                Func::Macro(_) => "Macro",
                Func::Block(..) => "BlockReference",
            },
            Self::Obj(obj) => match obj.as_ref() {
                Obj::Namespace(_) => "Namespace",
                Obj::Loop(_) => "LoopContext",
                Obj::Module { .. } => "TemplateModule",
                Obj::Cycler { .. } => "Cycler",
                Obj::Joiner { .. } => "Joiner",
                Obj::Range { .. } => "range",
                Obj::DateTime(..) => "datetime",
                Obj::TimeDelta(_) => "timedelta",
                Obj::HostVars(_) => "HostVars",
                Obj::Vars(_) => "HostVarsVars",
                Obj::SelfBlocks(_) => "TemplateReference",
            },
        }
    }
}

impl Lazy {
    fn force(self: &Rc<Self>) -> R<V> {
        if let Some(done) = self.done.borrow().as_ref() {
            return Ok(done.clone());
        }
        let done = match &self.value {
            Value::Str(text) => self.env.render_nested(text, &self.busy)?,
            Value::Vault(text) => self.decrypt(text)?,
            Value::List(items) => V::list(items.iter().map(|v| V::lazy(v, &self.env)).collect()),
            Value::Map(map) => {
                let mut dict: Dict = map.iter().map(|(k, v)| (k.clone(), V::lazy(v, &self.env))).collect();
                dict.extend(self.members.take());
                V::dict(dict)
            }
            other => V::lazy(other, &self.env),
        };
        *self.done.borrow_mut() = Some(done.clone());
        Ok(done)
    }

    /// Is it a dictionary that was not unpacked yet?
    pub fn is_packed(&self) -> bool {
        matches!(self.value, Value::Map(_)) && self.done.borrow().is_none()
    }

    /// A member of a dictionary, which is not unpacked for it: facts have hundreds. `None` when there is no such, or the
    /// dictionary is unpacked already.
    pub fn member(&self, name: &str) -> Option<V> {
        let Value::Map(map) = &self.value else { return None };
        if !self.is_packed() {
            return None;
        }
        let (key, value) = map.get_key_value(name)?;
        let mut members = self.members.borrow_mut();
        if let Some((_, known)) = members.iter().find(|(known, _)| known == key) {
            return Some(known.clone());
        }
        let member = V::lazy(value, &self.env);
        // What can be changed in place has to be the same one the next time.
        if matches!(member, V::Lazy(_) | V::List(_) | V::Dict(_)) {
            members.push((key.clone(), member.clone()));
        }
        Some(member)
    }

    fn decrypt(&self, text: &VaultText) -> R<V> {
        let plain = self.env.templar.decrypt(text)?;
        if !crate::value::may_be_template(&plain) {
            return Ok(V::str(plain));
        }
        // An encrypted string is the user's own text, so templates in it are rendered.
        let pos = text.pos.clone().map(Arc::new);
        self.env.render_nested(&Str::template(plain, pos), &self.busy)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::template::{MapScope, Scope, Templar};
    use crate::{Key, Value};

    #[test]
    fn members_changed_in_place_are_the_dictionary_s_own() {
        let json = serde_json::json!({"d": {"l": [1], "n": {"m": []}, "x": 1}});
        let vars = [(Key::from("d"), Value::from_json(&json["d"]))].into_iter().collect();
        let scope: Arc<dyn Scope> = Arc::new(MapScope { vars, ..MapScope::default() });
        let text = "{% set _ = d.l.append(2) %}{% set _ = d['n'].m.append(3) %}{{ d.l }} {{ d }} {{ d.n.m }}";
        let shown = Templar::default().render(&Value::template(text), &scope).unwrap();
        assert_eq!(shown, Value::str("[1, 2] {'l': [1, 2], 'n': {'m': [3]}, 'x': 1} [3]"));
    }
}
