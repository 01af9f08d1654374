//! Arguments of calls, bound to parameters the way Python does.

use std::sync::Arc;

use crate::template::eval::ops;
use crate::template::object::{Fail, R, V};

#[derive(Clone, Default)]
pub(crate) struct Args {
    pub pos: Vec<V>,
    pub kw: Vec<(Arc<str>, V)>,
}

impl Args {
    pub fn new(pos: Vec<V>) -> Self {
        Self { pos, kw: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.pos.is_empty() && self.kw.is_empty()
    }

    /// Take a keyword argument out.
    pub fn take(&mut self, name: &str) -> R<Option<V>> {
        match self.kw.iter().position(|(n, _)| n.as_ref() == name) {
            Some(i) => self.kw.remove(i).1.force().map(Some),
            None => Ok(None),
        }
    }

    /// Bind to parameters; the first `required` have no default. Unbound ones are `None`.
    pub fn bind<const N: usize>(self, func: &str, names: [&str; N], required: usize) -> R<Bound<N>> {
        let mut bound: [Option<V>; N] = std::array::from_fn(|_| None);
        let given = self.pos.len();
        if given > N {
            let plural = if N == 1 { "" } else { "s" };
            return Fail::python(format!(
                "{func}() takes {N} positional argument{plural} but {given} were given"
            ));
        }
        for (slot, value) in bound.iter_mut().zip(&self.pos) {
            *slot = Some(value.force()?);
        }
        for (name, value) in &self.kw {
            let Some(i) = names.iter().position(|n| *n == name.as_ref()) else {
                return Fail::python(format!("{func}() got an unexpected keyword argument '{name}'"));
            };
            if bound[i].is_some() {
                return Fail::python(format!("{func}() got multiple values for argument '{name}'"));
            }
            bound[i] = Some(value.force()?);
        }
        for (i, slot) in bound.iter().enumerate().take(required) {
            if slot.is_none() {
                let name = names[i];
                return Fail::python(format!("{func}() missing 1 required positional argument: '{name}'"));
            }
        }
        Ok(Bound(bound))
    }

    /// No arguments at all.
    pub fn none(self, func: &str) -> R<()> {
        self.bind(func, [], 0).map(|_| ())
    }

    /// No arguments for a method of a built-in type.
    pub fn none_for(self, kind: &str, method: &str) -> R<()> {
        match (self.pos.len(), self.kw.len()) {
            (0, 0) => Ok(()),
            (_, 1..) => Fail::python(format!("{kind}.{method}() takes no keyword arguments")),
            (given, _) => Fail::python(format!("{kind}.{method}() takes no arguments ({given} given)")),
        }
    }
}

/// Parameters with their values.
pub(crate) struct Bound<const N: usize>(pub [Option<V>; N]);

impl<const N: usize> Bound<N> {
    pub fn get(&self, i: usize) -> Option<&V> {
        self.0.get(i).and_then(Option::as_ref)
    }

    /// The value, `None` (Python's) when it was not given.
    pub fn value(&self, i: usize) -> V {
        self.get(i).cloned().unwrap_or(V::None)
    }

    /// Was something other than `None` given?
    pub fn some(&self, i: usize) -> Option<V> {
        self.get(i).filter(|v| !matches!(v, V::None)).cloned()
    }

    pub fn bool(&self, i: usize, default: bool) -> R<bool> {
        self.get(i).map_or(Ok(default), ops::truth)
    }

    pub fn int(&self, i: usize, default: i128) -> R<i128> {
        match self.get(i) {
            None | Some(V::None) => Ok(default),
            Some(V::Int(n)) => Ok(*n),
            Some(V::Bool(b)) => Ok(i128::from(*b)),
            Some(V::Float(f)) if f.fract() == 0.0 => Ok(*f as i128),
            Some(V::Str(text)) if text.as_str().trim().parse::<i128>().is_ok() => {
                Ok(text.as_str().trim().parse().unwrap_or(default))
            }
            Some(other) => {
                Fail::python(format!("'{}' object cannot be interpreted as an integer", other.type_name()))
            }
        }
    }

    pub fn string(&self, i: usize, default: &str) -> R<String> {
        match self.get(i) {
            None => Ok(default.to_string()),
            Some(value) => ops::to_str(value),
        }
    }
}
