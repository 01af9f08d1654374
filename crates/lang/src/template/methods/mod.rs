//! Methods of Python's objects: strings, lists, dictionaries and what else templates call.

pub(crate) mod dict;
pub(crate) mod list;
pub(crate) mod str;

use std::rc::Rc;

use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::iterate::as_dict;
use crate::template::eval::ops;
use crate::template::object::{Fail, Obj, R, V};
use crate::template::time;

const NUMBER: &[&str] = &["bit_length", "is_integer", "conjugate"];
const CYCLER: &[&str] = &["next", "reset"];
const LOOP: &[&str] = &["cycle", "changed"];

/// Does the object have a method of that name?
pub(crate) fn has(object: &V, name: &str) -> bool {
    match object {
        V::Str(_) => str::NAMES.contains(&name),
        V::Bytes(_) => matches!(name, "decode" | "hex"),
        V::List(_) => list::NAMES.contains(&name),
        V::Tuple(_) => matches!(name, "count" | "index"),
        V::Dict(_) => dict::NAMES.contains(&name),
        V::Int(_) | V::Float(_) => NUMBER.contains(&name),
        V::Obj(obj) => match obj.as_ref() {
            Obj::HostVars(_) | Obj::Vars(_) => matches!(name, "get" | "keys" | "values" | "items"),
            Obj::Cycler { .. } => CYCLER.contains(&name),
            Obj::Loop(_) => LOOP.contains(&name),
            Obj::DateTime(..) => time::METHODS.contains(&name),
            Obj::TimeDelta(_) => name == "total_seconds",
            _ => false,
        },
        _ => false,
    }
}

/// Has a dictionary a method of that name?
pub(crate) fn is_of_dict(name: &str) -> bool {
    dict::NAMES.contains(&name)
}

pub(crate) fn call(object: &V, name: &str, args: Args, env: &Rc<Env>) -> R<V> {
    match object {
        V::Str(text) => str::call(text, name, args, env),
        V::Bytes(bytes) => match name {
            "decode" => {
                args.bind("decode", ["encoding", "errors"], 0)?;
                Ok(V::str(String::from_utf8_lossy(bytes).into_owned()))
            }
            _ => Ok(V::str(hex::encode(bytes))),
        },
        V::List(items) => list::call(items, name, args, env),
        V::Tuple(items) => list::read_only(items, name, args),
        V::Dict(map) => dict::call(map, name, args),
        V::Int(i) => match name {
            "bit_length" => Ok(V::int(128 - i.unsigned_abs().leading_zeros())),
            "is_integer" => Ok(V::Bool(true)),
            _ => Ok(V::Int(*i)),
        },
        V::Float(f) => match name {
            "is_integer" => Ok(V::Bool(f.fract() == 0.0)),
            _ => Ok(V::Float(*f)),
        },
        V::Obj(obj) => match obj.as_ref() {
            Obj::HostVars(_) | Obj::Vars(_) => match as_dict(object)? {
                Some(map) => dict::call(&map, name, args),
                None => Fail::python("not a dictionary"),
            },
            Obj::Cycler { items, at } => match name {
                "next" => {
                    let item = items.get(at.get()).cloned().unwrap_or(V::None);
                    at.set((at.get() + 1) % items.len().max(1));
                    Ok(item)
                }
                _ => {
                    at.set(0);
                    Ok(V::None)
                }
            },
            Obj::Loop(state) => match name {
                "cycle" => {
                    if args.pos.is_empty() {
                        return Fail::python("no items for cycling given");
                    }
                    args.pos[state.index0.get() % args.pos.len()].force()
                }
                _ => {
                    let last = state.changed.borrow().clone();
                    let same = match &last {
                        Some(old) => ops::equal(&V::list(old.clone()), &V::list(args.pos.clone()))?,
                        None => false,
                    };
                    *state.changed.borrow_mut() = Some(args.pos);
                    Ok(V::Bool(!same))
                }
            },
            Obj::DateTime(at, zone) => time::method(at, zone.as_ref(), name, args),
            Obj::TimeDelta(micros) => Ok(V::Float(*micros as f64 / 1e6)),
            _ => Fail::python(format!("no method '{name}'")),
        },
        _ => Fail::python(format!("no method '{name}'")),
    }
}
