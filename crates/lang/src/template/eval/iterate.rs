//! Going over the items of a value.

use std::rc::Rc;

use crate::template::eval::ops::{from_key, range_len};
use crate::template::mutable::Mutable;
use crate::template::object::{Dict, Fail, Obj, R, V};
use crate::template::repr;
use crate::{Key, Str};

/// Jinja's sandbox knows a limit like this one, too.
const MAX_RANGE: i128 = 10_000_000;

/// The items of anything that Python can iterate over; members may still be lazy.
pub(crate) fn items_of(value: &V) -> R<Vec<V>> {
    try_items(value)?.map_or_else(
        || {
            let name = value.force().map(|v| v.type_name()).unwrap_or("object");
            Fail::python(format!("'{name}' object is not iterable"))
        },
        Ok,
    )
}

/// As [`items_of`], `None` for what cannot be iterated over.
pub(crate) fn try_items(value: &V) -> R<Option<Vec<V>>> {
    Ok(Some(match value.need()? {
        V::Blank => Vec::new(),
        V::List(items) => items.borrow().as_ref().clone(),
        V::Tuple(items) => items.to_vec(),
        V::Dict(map) => map.borrow().keys().map(from_key).collect(),
        V::Str(text) => text.as_str().chars().map(|c| V::str(c.to_string())).collect(),
        V::Bytes(bytes) => bytes.iter().map(|b| V::int(*b)).collect(),
        V::Obj(obj) => match obj.as_ref() {
            Obj::Range { start, stop, step } => {
                let len = range_len(*start, *stop, *step);
                if len > MAX_RANGE {
                    return Fail::python(format!("range of {len} items is too large"));
                }
                (0..len).map(|i| V::Int(start + i * step)).collect()
            }
            Obj::HostVars(env) => env.scope.hostnames().into_iter().map(V::str).collect(),
            Obj::Vars(env) => env.scope.names().into_iter().map(V::str).collect(),
            Obj::Namespace(map) => map.borrow().keys().map(from_key).collect(),
            Obj::Loop(state) => {
                let at = state.index0.get() + 1;
                state.items.iter().skip(at).cloned().collect()
            }
            _ => return Ok(None),
        },
        _ => return Ok(None),
    }))
}

/// `len(value)`, `None` for what has none.
pub(crate) fn length(value: &V) -> R<Option<usize>> {
    Ok(Some(match value.need()? {
        V::List(items) => items.borrow().len(),
        V::Tuple(items) => items.len(),
        V::Dict(map) => map.borrow().len(),
        V::Str(text) => text.as_str().chars().count(),
        V::Bytes(bytes) => bytes.len(),
        V::Obj(obj) => match obj.as_ref() {
            Obj::Range { start, stop, step } => {
                usize::try_from(range_len(*start, *stop, *step)).unwrap_or(usize::MAX)
            }
            Obj::HostVars(env) => env.scope.hostnames().len(),
            Obj::Vars(env) => env.scope.names().len(),
            Obj::Loop(state) => state.items.len(),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    }))
}

/// The dictionary that a value is, if it is one.
pub(crate) fn as_dict(value: &V) -> R<Option<Rc<Mutable<Dict>>>> {
    Ok(match value.need()? {
        V::Dict(map) => Some(map),
        V::Obj(obj) => match obj.as_ref() {
            Obj::HostVars(env) => {
                let mut map = Dict::new();
                for host in env.scope.hostnames() {
                    if let Some(other) = env.host(&host)? {
                        map.insert(Key::from(host), V::obj(Obj::Vars(other)));
                    }
                }
                Some(Rc::new(Mutable::new(map)))
            }
            Obj::Vars(env) => {
                let mut map = Dict::new();
                for name in env.scope.names() {
                    if let Some(value) = env.scope.get(&name)? {
                        map.insert(Key::from(name), V::lazy(&value, env));
                    }
                }
                Some(Rc::new(Mutable::new(map)))
            }
            _ => None,
        },
        _ => None,
    })
}

/// A list or tuple: what Python calls a sequence, without strings.
pub(crate) fn as_list(value: &V) -> R<Option<Vec<V>>> {
    Ok(match value.need()? {
        V::List(items) => Some(items.borrow().as_ref().clone()),
        V::Tuple(items) => Some(items.to_vec()),
        V::Obj(obj) if matches!(obj.as_ref(), Obj::Range { .. }) => Some(items_of(&V::Obj(obj))?),
        _ => None,
    })
}

/// The entries of a dictionary, members possibly lazy.
pub(crate) fn entries(value: &V) -> R<Option<Vec<(Key, V)>>> {
    Ok(as_dict(value)?.map(|map| map.borrow().iter().map(|(k, v)| (k.clone(), v.clone())).collect()))
}

/// A member of a dictionary by a string key.
#[allow(dead_code)]
pub(crate) fn member(value: &V, key: &str) -> R<Option<V>> {
    match as_dict(value)? {
        Some(map) => {
            let found = map.borrow().get(key).cloned();
            found.map(|v| v.force()).transpose()
        }
        None => Ok(None),
    }
}

/// What a sorted or joined value shows when it fails.
#[allow(dead_code)]
pub(crate) fn shown(value: &V) -> String {
    match value.force() {
        Ok(V::Str(text)) => text.as_str().to_string(),
        Ok(other) => repr::repr(&other).unwrap_or_default(),
        Err(_) => String::new(),
    }
}

#[allow(dead_code)]
pub(crate) fn plain(text: &str) -> V {
    V::Str(Str::plain(text))
}
