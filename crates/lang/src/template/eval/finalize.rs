//! From the values of expressions to finished values.

use std::cell::Cell;
use std::rc::Rc;

use crate::template::eval::iterate::as_dict;
use crate::template::mutable::on_a_stack_that_grows;
use crate::template::object::{Fail, Obj, R, V};
use crate::template::repr;
use crate::template::time;
use crate::{Map, Str, Value};

/// The finished value: everything rendered, tuples and generators as lists, omitted members left out.
/// Its strings are never templates again.
pub(crate) fn finalize(value: &V) -> R<Value> {
    convert(value, 0, &Cell::new(MAX_VALUES))
}

/// Values that a result may have in it: containers can hold the same one many times over.
const MAX_VALUES: u64 = 10_000_000;

/// `left` is how many values there may still be.
fn convert(value: &V, depth: usize, left: &Cell<u64>) -> R<Value> {
    if depth > 200 {
        return Fail::python("value is nested too deeply");
    }
    match left.get().checked_sub(1) {
        Some(fewer) => left.set(fewer),
        None => return Fail::python("there are too many values in the result"),
    }
    Ok(match value.force()? {
        V::None => Value::Null,
        V::Bool(b) => Value::Bool(b),
        V::Int(i) => i64::try_from(i).map_or_else(|_| Value::BigInt(i.to_string().into()), Value::Int),
        V::Float(f) => Value::Float(f),
        V::Str(text) if text.is_template() => match text.shared_pos() {
            Some(_) if !text.has_template() => Value::Str(text),
            _ => Value::Str(Str::plain(text.shared())),
        },
        V::Str(text) => Value::Str(text),
        V::Bytes(bytes) => Value::str(String::from_utf8_lossy(&bytes).into_owned()),
        V::List(items) => list(&items.borrow(), depth, left)?,
        V::Tuple(items) => list(&items, depth, left)?,
        V::Undef(undef) => return Err(Fail::Undefined(undef)),
        V::Omit => Value::Omit,
        V::Dict(map) => dict(&map.borrow(), depth, left)?,
        V::Obj(ref obj) => match obj.as_ref() {
            Obj::DateTime(at, zone) => Value::str(time::show(at, zone.as_ref())),
            Obj::TimeDelta(micros) => Value::str(time::show_delta(*micros)),
            Obj::HostVars(_) | Obj::Vars(_) => match as_dict(&V::Obj(Rc::clone(obj)))? {
                Some(map) => dict(&map.borrow(), depth, left)?,
                None => Value::Null,
            },
            _ => return unsupported(&V::Obj(obj.clone())),
        },
        other @ (V::Func(_) | V::Blank) => return unsupported(&other),
        V::Lazy(_) => Value::Null,
    })
}

fn list(items: &[V], depth: usize, left: &Cell<u64>) -> R<Value> {
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        match on_a_stack_that_grows(|| convert(item, depth + 1, left))? {
            Value::Omit => {}
            value => out.push(value),
        }
    }
    Ok(Value::list(out))
}

fn dict(map: &crate::template::object::Dict, depth: usize, left: &Cell<u64>) -> R<Value> {
    let mut out = Map::with_capacity(map.len());
    for (key, value) in map {
        match on_a_stack_that_grows(|| convert(value, depth + 1, left))? {
            Value::Omit => {}
            value => {
                out.insert(key.clone(), value);
            }
        }
    }
    Ok(Value::map(out))
}

fn unsupported(value: &V) -> R<Value> {
    Fail::python(format!("Type '{}' is unsupported for variable storage.", value.type_name()))
}

/// A value as text between other text.
pub(crate) fn show(value: &V) -> R<String> {
    match value {
        V::None | V::Bool(_) | V::Int(_) | V::Float(_) => repr::repr(value),
        other => Ok(repr::python_str(&finalize(other)?)),
    }
}
