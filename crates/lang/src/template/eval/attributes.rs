//! `a.b`, `a[b]` and `a[b:c]`: attributes and members, in Jinja's order.

use std::rc::Rc;
use std::sync::Arc;

use crate::template::eval::iterate::as_dict;
use crate::template::eval::ops;
use crate::template::methods;
use crate::template::object::{Fail, Func, LoopState, Obj, R, Undef, V};
use crate::template::{repr, time};

/// `object.name`: a method or attribute first, a member of that name second.
pub(crate) fn get_attr(object: &V, name: &Arc<str>) -> R<V> {
    find_attr(object, name)?.force()
}

/// `object[index]`: a member first, for a string an attribute of that name second.
pub(crate) fn get_item(object: &V, index: &V) -> R<V> {
    find_item(object, index)?.force()
}

/// As [`get_attr`], but a dictionary may be lazy.
pub(crate) fn find_attr(object: &V, name: &Arc<str>) -> R<V> {
    if !methods::is_of_dict(name)
        && let Some(value) = packed_member(object, name)?
    {
        return Ok(value);
    }
    let object = object.force()?;
    if let V::Undef(_) = object {
        return Ok(object);
    }
    if let Some(value) = attribute(&object, name)? {
        return Ok(value);
    }
    if let Some(value) = member(&object, &V::str(name.clone()))? {
        return Ok(value);
    }
    Ok(missing(&object, &V::str(name.clone())))
}

/// A member of a dictionary that is not unpacked, or a variable of another host.
fn packed_member(object: &V, name: &Arc<str>) -> R<Option<V>> {
    match object {
        V::Lazy(lazy) => Ok(lazy.member(name)),
        V::Obj(obj) => match obj.as_ref() {
            Obj::Vars(env) => env.packed(name),
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// As [`get_item`], but a dictionary may be lazy.
pub(crate) fn find_item(object: &V, index: &V) -> R<V> {
    if let V::Str(name) = index
        && let Some(value) = packed_member(object, &name.shared())?
    {
        return Ok(value);
    }
    let object = object.force()?;
    if let V::Undef(_) = object {
        return Ok(object);
    }
    let index = index.need()?;
    if let Some(value) = member(&object, &index)? {
        return Ok(value);
    }
    if let V::Str(name) = &index
        && let Some(value) = attribute(&object, &name.shared())?
    {
        return Ok(value);
    }
    Ok(missing(&object, &index))
}

fn missing(object: &V, index: &V) -> V {
    let shown = repr::repr(index).unwrap_or_default();
    V::Undef(Undef::new(format!("object of type '{}' has no attribute {shown}", object.type_name())))
}

/// A method or attribute, `None` when there is no such.
pub(crate) fn attribute(object: &V, name: &Arc<str>) -> R<Option<V>> {
    if methods::has(object, name) {
        return Ok(Some(V::Func(Rc::new(Func::Method(object.clone(), name.clone())))));
    }
    let obj = match object {
        V::Obj(obj) => obj,
        // The pairs that `groupby` gives have names as well.
        V::Tuple(pair) if pair.len() == 2 && matches!(pair[1], V::List(_)) => {
            return Ok(match name.as_ref() {
                "grouper" => Some(pair[0].clone()),
                "list" => Some(pair[1].clone()),
                _ => None,
            });
        }
        _ => return Ok(None),
    };
    match obj.as_ref() {
        Obj::Namespace(map) => Ok(map.borrow().get(name.as_ref()).cloned()),
        Obj::Module { frame, .. } => Ok(frame.vars.borrow().get(name).cloned()),
        Obj::Loop(state) => loop_attribute(state, name),
        Obj::Cycler { items, at } => Ok((name.as_ref() == "current").then(|| items[at.get()].clone())),
        Obj::DateTime(at, zone) => Ok(time::attribute(at, zone.as_ref(), name)),
        Obj::TimeDelta(micros) => Ok(time::delta_attribute(*micros, name)),
        Obj::SelfBlocks(frame) if frame.context.blocks.borrow().contains_key(name) => {
            Ok(Some(V::Func(Rc::new(Func::Block(name.clone(), 0, frame.clone())))))
        }
        Obj::Range { start, stop, step } => Ok(match name.as_ref() {
            "start" => Some(V::Int(*start)),
            "stop" => Some(V::Int(*stop)),
            "step" => Some(V::Int(*step)),
            _ => None,
        }),
        _ => Ok(None),
    }
}

fn loop_attribute(state: &Rc<LoopState>, name: &str) -> R<Option<V>> {
    let (at, items) = (state.index0.get(), &state.items);
    let len = items.len();
    let neighbour = |i: Option<usize>, what: &str| match i.and_then(|i| items.get(i)) {
        Some(item) => item.force(),
        None => Ok(V::undef(format!("there is no {what} item"))),
    };
    Ok(Some(match name {
        "index" => V::int(at as u64 + 1),
        "index0" => V::int(at as u64),
        "revindex" => V::int((len - at) as u64),
        "revindex0" => V::int((len - at) as u64 - 1),
        "first" => V::Bool(at == 0),
        "last" => V::Bool(at + 1 == len),
        "length" => V::int(len as u64),
        "depth" => V::int(state.depth0 as u64 + 1),
        "depth0" => V::int(state.depth0 as u64),
        "previtem" => neighbour(at.checked_sub(1), "previous")?,
        "nextitem" => neighbour(Some(at + 1), "next")?,
        _ => return Ok(None),
    }))
}

/// A member by key or index, `None` when there is no such.
pub(crate) fn member(object: &V, index: &V) -> R<Option<V>> {
    match object {
        V::Dict(map) => {
            let Ok(key) = ops::to_key(index) else { return Ok(None) };
            let found = match map.borrow().get(&key) {
                Some(value) => Some(value.clone()),
                None => number_key(&map.borrow(), index),
            };
            found.map(|v| v.force()).transpose()
        }
        V::List(items) => {
            let found = position(index, items.borrow().len()).and_then(|i| items.borrow().get(i).cloned());
            found.map(|v| v.force()).transpose()
        }
        V::Tuple(items) => position(index, items.len()).and_then(|i| items.get(i)).map(V::force).transpose(),
        V::Str(text) => Ok(match index {
            V::Int(_) | V::Bool(_) => {
                let chars: Vec<char> = text.as_str().chars().collect();
                position(index, chars.len()).and_then(|i| chars.get(i)).map(|c| V::str(c.to_string()))
            }
            _ => None,
        }),
        V::Bytes(bytes) => Ok(position(index, bytes.len()).and_then(|i| bytes.get(i)).map(|b| V::int(*b))),
        V::Obj(obj) => match obj.as_ref() {
            Obj::HostVars(env) => match index.as_str() {
                Some(host) => match env.host(host)? {
                    Some(other) => Ok(Some(V::obj(Obj::Vars(other)))),
                    None => Ok(Some(V::undef(format!("\"hostvars['{host}']\" is undefined")))),
                },
                None => Ok(None),
            },
            Obj::Vars(env) => match index.as_str() {
                Some(name) => env.variable(&name.into()),
                None => Ok(None),
            },
            Obj::Range { start, stop, step } => {
                let len = usize::try_from(ops::range_len(*start, *stop, *step)).unwrap_or(usize::MAX);
                Ok(position(index, len).map(|i| V::Int(start + i as i128 * step)))
            }
            _ => Ok(None),
        },
        _ => Ok(None),
    }
}

/// `True`, `1` and `1.0` are the same key in Python.
fn number_key(map: &crate::template::object::Dict, index: &V) -> Option<V> {
    match index {
        V::Bool(b) => map.get(&crate::Key::Int(i64::from(*b))).cloned(),
        V::Int(i @ (0 | 1)) => map.get(&crate::Key::Bool(*i == 1)).cloned(),
        _ => None,
    }
}

/// An index from either end.
pub(crate) fn position(index: &V, len: usize) -> Option<usize> {
    let i = match index {
        V::Int(i) => *i,
        V::Bool(b) => i128::from(*b),
        _ => return None,
    };
    let at = if i < 0 { i + len as i128 } else { i };
    usize::try_from(at).ok().filter(|at| *at < len)
}

pub(crate) fn slice(object: &V, start: &V, stop: &V, step: &V) -> R<V> {
    let object = object.force()?;
    if let V::Undef(_) = object {
        return Ok(object);
    }
    Ok(match &object {
        V::List(items) => V::list(pick(&items.borrow(), start, stop, step)?),
        V::Tuple(items) => V::tuple(pick(items, start, stop, step)?),
        V::Str(text) => {
            let chars: Vec<char> = text.as_str().chars().collect();
            V::str(pick(&chars, start, stop, step)?.into_iter().collect::<String>())
        }
        V::Bytes(bytes) => V::Bytes(pick(bytes, start, stop, step)?.into()),
        V::Obj(obj) if matches!(obj.as_ref(), Obj::Range { .. }) => {
            let items = crate::template::eval::iterate::items_of(&object)?;
            V::list(pick(&items, start, stop, step)?)
        }
        other => {
            if as_dict(other)?.is_some() {
                return Ok(V::undef("unhashable type: 'slice'"));
            }
            V::undef(format!("'{}' object is not subscriptable", other.type_name()))
        }
    })
}

fn pick<T: Clone>(items: &[T], start: &V, stop: &V, step: &V) -> R<Vec<T>> {
    let bound = |v: &V| -> R<Option<i128>> {
        match v.need()? {
            V::None => Ok(None),
            V::Int(i) => Ok(Some(i)),
            V::Bool(b) => Ok(Some(i128::from(b))),
            _ => Fail::python("slice indices must be integers or None or have an __index__ method"),
        }
    };
    let (start, stop, step) = (bound(start)?, bound(stop)?, bound(step)?.unwrap_or(1));
    if step == 0 {
        return Fail::python("slice step cannot be zero");
    }
    let len = items.len() as i128;
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clamp = |i: Option<i128>, default: i128| match i {
        None => default,
        Some(i) if i < 0 => (i + len).clamp(low, high),
        Some(i) => i.clamp(low, high),
    };
    let (mut at, end) =
        if step > 0 { (clamp(start, 0), clamp(stop, len)) } else { (clamp(start, len - 1), clamp(stop, -1)) };
    let mut out = Vec::new();
    while (step > 0 && at < end) || (step < 0 && at > end) {
        if let Some(item) = usize::try_from(at).ok().and_then(|i| items.get(i)) {
            out.push(item.clone());
        }
        at += step;
    }
    Ok(out)
}
