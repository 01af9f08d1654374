//! Methods of dictionaries.

use std::rc::Rc;

use crate::Key;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::mutable::Mutable;
use crate::template::object::{Dict, Fail, R, V};
use crate::template::repr;

pub(super) const NAMES: &[&str] = &[
    "get",
    "keys",
    "values",
    "items",
    "update",
    "pop",
    "popitem",
    "setdefault",
    "clear",
    "copy",
    "fromkeys",
    "__setitem__",
    "__getitem__",
    "__delitem__",
    "__contains__",
    "__len__",
];

pub(super) fn call(map: &Rc<Mutable<Dict>>, name: &str, mut args: Args) -> R<V> {
    match name {
        "get" => {
            let b = args.bind("get", ["key", "default"], 1)?;
            let found = map.borrow().get(&ops::to_key(&b.value(0))?).cloned();
            found.map_or_else(|| Ok(b.value(1)), |v| v.force())
        }
        "keys" => {
            args.none_for("dict", "keys")?;
            Ok(V::list(map.borrow().keys().map(ops::from_key).collect()))
        }
        "values" => {
            args.none_for("dict", "values")?;
            Ok(V::list(map.borrow().values().cloned().collect()))
        }
        "items" => {
            args.none_for("dict", "items")?;
            let pairs =
                map.borrow().iter().map(|(k, v)| V::tuple(vec![ops::from_key(k), v.clone()])).collect();
            Ok(V::list(pairs))
        }
        "update" => {
            let kw = std::mem::take(&mut args.kw);
            let b = args.bind("update", ["other"], 0)?;
            if let Some(other) = b.get(0) {
                let pairs = pairs(other)?;
                map.edit(|m| m.extend(pairs));
            }
            map.edit(|m| m.extend(kw.into_iter().map(|(k, v)| (Key::Str(k), v))));
            Ok(V::None)
        }
        "pop" => {
            let b = args.bind("pop", ["key", "default"], 1)?;
            let key = ops::to_key(&b.value(0))?;
            let found = map.edit(|m| m.shift_remove(&key));
            match (found, b.get(1)) {
                (Some(value), _) => value.force(),
                (None, Some(default)) => Ok(default.clone()),
                (None, None) => Fail::python(repr::repr(&b.value(0))?),
            }
        }
        "popitem" => {
            args.none_for("dict", "popitem")?;
            match map.edit(|m| m.pop()) {
                Some((key, value)) => Ok(V::tuple(vec![ops::from_key(&key), value])),
                None => Fail::python("'popitem(): dictionary is empty'"),
            }
        }
        "setdefault" => {
            let b = args.bind("setdefault", ["key", "default"], 1)?;
            let key = ops::to_key(&b.value(0))?;
            let value = map.edit(|m| m.entry(key).or_insert_with(|| b.value(1)).clone());
            value.force()
        }
        "clear" => {
            args.none_for("dict", "clear")?;
            map.edit(|m| m.clear());
            Ok(V::None)
        }
        "copy" => {
            args.none_for("dict", "copy")?;
            Ok(V::dict(map.borrow().as_ref().clone()))
        }
        "fromkeys" => {
            let b = args.bind("fromkeys", ["iterable", "value"], 1)?;
            let keys = iterate::items_of(&b.value(0))?;
            Ok(V::dict(keys.iter().map(|k| Ok((ops::to_key(k)?, b.value(1)))).collect::<R<Dict>>()?))
        }
        "__setitem__" => {
            let b = args.bind("__setitem__", ["key", "value"], 2)?;
            let key = ops::to_key(&b.value(0))?;
            map.edit(|m| m.insert(key, b.value(1)));
            Ok(V::None)
        }
        "__getitem__" => {
            let b = args.bind("__getitem__", ["key"], 1)?;
            let found = map.borrow().get(&ops::to_key(&b.value(0))?).cloned();
            found.map_or_else(|| Fail::python(repr::repr(&b.value(0))?), |v| v.force())
        }
        "__delitem__" => {
            let b = args.bind("__delitem__", ["key"], 1)?;
            let key = ops::to_key(&b.value(0))?;
            match map.edit(|m| m.shift_remove(&key)) {
                Some(_) => Ok(V::None),
                None => Fail::python(repr::repr(&b.value(0))?),
            }
        }
        "__contains__" => {
            let b = args.bind("__contains__", ["key"], 1)?;
            Ok(V::Bool(map.borrow().contains_key(&ops::to_key(&b.value(0))?)))
        }
        "__len__" => Ok(V::int(map.borrow().len() as u64)),
        _ => Fail::python(format!("'dict' object has no attribute '{name}'")),
    }
}

/// A dictionary, or a list of pairs.
pub(crate) fn pairs(value: &V) -> R<Dict> {
    if let Some(map) = iterate::as_dict(value)? {
        return Ok(map.borrow().as_ref().clone());
    }
    let mut out = Dict::new();
    for (i, pair) in iterate::items_of(value)?.iter().enumerate() {
        let items = match iterate::try_items(pair)? {
            Some(items) => items,
            None => {
                return Fail::python(format!(
                    "cannot convert dictionary update sequence element #{i} to a sequence"
                ));
            }
        };
        let [key, value] = items.as_slice() else {
            return Fail::python(format!(
                "dictionary update sequence element #{i} has length {}; 2 is required",
                items.len()
            ));
        };
        out.insert(ops::to_key(key)?, value.clone());
    }
    Ok(out)
}
