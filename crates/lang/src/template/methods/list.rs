//! Methods of lists.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::attributes::position;
use crate::template::eval::{iterate, ops};
use crate::template::mutable::Mutable;
use crate::template::object::{Fail, R, V};
use crate::template::repr;

pub(super) const NAMES: &[&str] = &[
    "append",
    "extend",
    "insert",
    "pop",
    "remove",
    "index",
    "count",
    "sort",
    "reverse",
    "clear",
    "copy",
    "__setitem__",
    "__len__",
    "__contains__",
];

pub(super) fn call(items: &Rc<Mutable<Vec<V>>>, name: &str, args: Args, env: &Rc<Env>) -> R<V> {
    match name {
        "append" => {
            let b = args.bind("append", ["object"], 1)?;
            items.edit(|l| l.push(b.value(0)));
            Ok(V::None)
        }
        "extend" => {
            let b = args.bind("extend", ["iterable"], 1)?;
            let more = iterate::items_of(&b.value(0))?;
            env.limits.allocate(more.len() * size_of::<V>())?;
            items.edit(|l| l.extend(more));
            Ok(V::None)
        }
        "insert" => {
            let b = args.bind("insert", ["index", "object"], 2)?;
            let len = items.borrow().len();
            let at = b.int(0, 0)?;
            let at = if at < 0 { (at + len as i128).max(0) } else { at.min(len as i128) };
            items.edit(|l| l.insert(usize::try_from(at).unwrap_or(len), b.value(1)));
            Ok(V::None)
        }
        "pop" => {
            let b = args.bind("pop", ["index"], 0)?;
            let len = items.borrow().len();
            if len == 0 {
                return Fail::python("pop from empty list");
            }
            let Some(at) = position(&V::Int(b.int(0, -1)?), len) else {
                return Fail::python("pop index out of range");
            };
            let item = items.edit(|l| l.remove(at));
            item.force()
        }
        "remove" => {
            let b = args.bind("remove", ["value"], 1)?;
            match find(&items.borrow(), &b.value(0))? {
                Some(at) => {
                    items.edit(|l| {
                        if at < l.len() {
                            l.remove(at);
                        }
                    });
                    Ok(V::None)
                }
                None => Fail::python("list.remove(x): x not in list"),
            }
        }
        "sort" => {
            let mut args = args;
            let reverse = match args.take("reverse")? {
                Some(value) => ops::truth(&value)?,
                None => false,
            };
            args.none_for("list", "sort")?;
            let new = sorted(items.borrow().as_ref().clone(), reverse)?;
            items.edit(|l| *l = new);
            Ok(V::None)
        }
        "reverse" => {
            args.none_for("list", "reverse")?;
            items.edit(|l| l.reverse());
            Ok(V::None)
        }
        "clear" => {
            args.none_for("list", "clear")?;
            items.edit(|l| l.clear());
            Ok(V::None)
        }
        "copy" => {
            args.none_for("list", "copy")?;
            Ok(V::list(items.borrow().as_ref().clone()))
        }
        "__setitem__" => {
            let b = args.bind("__setitem__", ["index", "value"], 2)?;
            let len = items.borrow().len();
            match position(&b.value(0), len) {
                Some(at) => {
                    items.edit(|l| l[at] = b.value(1));
                    Ok(V::None)
                }
                None => Fail::python("list assignment index out of range"),
            }
        }
        _ => read_only(&items.borrow(), name, args),
    }
}

/// Methods that lists and tuples share.
pub(super) fn read_only(items: &[V], name: &str, args: Args) -> R<V> {
    match name {
        "index" => {
            let b = args.bind("index", ["value", "start", "stop"], 1)?;
            let len = items.len() as i128;
            let clamp =
                |i: i128| usize::try_from(if i < 0 { (i + len).max(0) } else { i.min(len) }).unwrap_or(0);
            let (start, stop) = (clamp(b.int(1, 0)?), clamp(b.int(2, len)?));
            let part = items.get(start..stop.max(start)).unwrap_or(&[]);
            match find(part, &b.value(0))? {
                Some(at) => Ok(V::int((start + at) as u64)),
                None => Fail::python(format!("{} is not in list", repr::repr(&b.value(0))?)),
            }
        }
        "count" => {
            let b = args.bind("count", ["value"], 1)?;
            let mut n = 0u64;
            for item in items {
                if ops::equal(item, &b.value(0))? {
                    n += 1;
                }
            }
            Ok(V::int(n))
        }
        "__len__" => Ok(V::int(items.len() as u64)),
        "__contains__" => {
            let b = args.bind("__contains__", ["key"], 1)?;
            Ok(V::Bool(find(items, &b.value(0))?.is_some()))
        }
        _ => Fail::python(format!("'list' object has no attribute '{name}'")),
    }
}

fn find(items: &[V], wanted: &V) -> R<Option<usize>> {
    for (i, item) in items.iter().enumerate() {
        if ops::equal(item, wanted)? {
            return Ok(Some(i));
        }
    }
    Ok(None)
}

/// Sorted as Python does: stable, and an error where two items do not compare.
pub(crate) fn sorted(items: Vec<V>, reverse: bool) -> R<Vec<V>> {
    let keyed: Vec<(V, V)> = items.into_iter().map(|v| (v.clone(), v)).collect();
    sorted_by_key(keyed, reverse)
}

/// Sorted by the first of each pair.
pub(crate) fn sorted_by_key(mut keyed: Vec<(V, V)>, reverse: bool) -> R<Vec<V>> {
    let mut failure = None;
    keyed.sort_by(|a, b| {
        if failure.is_some() {
            return Ordering::Equal;
        }
        // As Python: only "less than" is asked for, of the later item against the earlier.
        let (x, y) = if reverse { (b, a) } else { (a, b) };
        let less = |x: &V, y: &V| ops::order(x, y, "<").map(|o| o == Some(Ordering::Less));
        match (less(&y.0, &x.0), less(&x.0, &y.0)) {
            (Ok(true), _) => Ordering::Greater,
            (Ok(false), Ok(true)) => Ordering::Less,
            (Ok(false), Ok(false)) => Ordering::Equal,
            (Err(fail), _) | (_, Err(fail)) => {
                failure = Some(fail);
                Ordering::Equal
            }
        }
    });
    match failure {
        Some(fail) => Err(fail),
        None => Ok(keyed.into_iter().map(|(_, v)| v).collect()),
    }
}
