//! Filters that work on several lists at once.

use std::collections::HashSet;
use std::rc::Rc;

use super::member;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::filters::data::merge;
use crate::template::object::{Dict, Fail, R, V};
use crate::{Key, template::repr};

/// `lists_union`, `lists_intersect` and so on: of the first two lists, of that and the third, and so on.
pub(super) fn fold(value: V, mut args: Args, name: &str) -> R<V> {
    let flatten = match args.take("flatten")? {
        Some(flag) => ops::truth(&flag)?,
        None => false,
    };
    if let Some((unknown, _)) = args.kw.first() {
        return Fail::python(format!("{name}() got an unexpected keyword argument '{unknown}'"));
    }
    let mut given = vec![value];
    given.extend(args.pos);
    if flatten {
        let mut flat = Vec::new();
        for list in given {
            // A list of lists is as good as its lists one by one.
            match iterate::as_list(&list)? {
                Some(items) if !items.is_empty() && all_lists(&items)? => flat.extend(items),
                _ => flat.push(list),
            }
        }
        given = flat;
    }
    let mut lists = Vec::new();
    for list in &given {
        match iterate::as_list(list)? {
            Some(items) => lists.push(items),
            None => return Fail::python(format!("'{}' object is not iterable", list.type_name())),
        }
    }
    let mut lists = lists.into_iter();
    let Some(mut all) = lists.next() else { return Ok(V::list(Vec::new())) };
    for other in lists {
        all = combine(name, &all, &other)?;
    }
    Ok(V::list(all))
}

fn all_lists(items: &[V]) -> R<bool> {
    for item in items {
        if matches!(item.force()?, V::Str(_)) || iterate::as_list(item)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn combine(name: &str, left: &[V], right: &[V]) -> R<Vec<V>> {
    let members = |items: &[V]| items.iter().map(member).collect::<R<HashSet<Key>>>();
    let (in_left, in_right) = (members(left)?, members(right)?);
    let mut done = HashSet::new();
    let mut out = Vec::new();
    let mut keep = |items: &[V], wanted: &dyn Fn(&Key) -> bool| -> R<()> {
        for item in items {
            let key = member(item)?;
            if wanted(&key) && done.insert(key) {
                out.push(item.clone());
            }
        }
        Ok(())
    };
    match name {
        "lists_union" => {
            keep(left, &|_| true)?;
            keep(right, &|_| true)?;
        }
        "lists_intersect" => keep(left, &|key| in_right.contains(key))?,
        "lists_difference" => keep(left, &|key| !in_right.contains(key))?,
        _ => {
            keep(left, &|key| !in_right.contains(key))?;
            keep(right, &|key| !in_left.contains(key))?;
        }
    }
    Ok(out)
}

/// `lists_mergeby(list, ..., index)`: dictionaries that have the same value under `index`, in one.
pub(super) fn merge_by(_: &Rc<Env>, value: V, mut args: Args) -> R<V> {
    let recursive = args.take("recursive")?.map_or(Ok(false), |flag| ops::truth(&flag))?;
    let list_merge = args.take("list_merge")?.map_or(Ok("replace".to_owned()), |mode| ops::to_str(&mode))?;
    let mut given = vec![value];
    given.append(&mut args.pos);
    let index = match args.take("index")? {
        Some(index) => index,
        None if given.len() >= 2 => given.pop().unwrap_or(V::None),
        None => return Fail::python("At least one list is needed."),
    };
    let V::Str(name) = index.force()? else {
        return Fail::python(format!(
            "Expected a string for the last argument, index. {} is {}",
            ops::to_str(&index)?,
            index.type_name()
        ));
    };
    let key = Key::from(name.as_str());
    let mut merged: Vec<(V, Dict)> = Vec::new();
    for list in given {
        let Some(items) = iterate::as_list(&list)? else {
            return Fail::python(format!(
                "All arguments before the argument index for community.general.lists_mergeby must be lists. {} is {}",
                repr::repr(&list)?,
                list.type_name()
            ));
        };
        for item in items {
            let Some(map) = iterate::as_dict(&item)? else {
                return Fail::python(format!(
                    "Elements of list arguments for lists_mergeby must be dictionaries. {} is {}",
                    repr::repr(&item)?,
                    item.type_name()
                ));
            };
            let map = Dict::clone(&map.borrow());
            let Some(value) = map.get(&key).cloned() else { continue };
            let mut place = None;
            for (at, (known, _)) in merged.iter().enumerate() {
                if ops::equal(known, &value)? {
                    place = Some(at);
                    break;
                }
            }
            match place.and_then(|at| merged.get_mut(at)) {
                Some((_, below)) => *below = merge(std::mem::take(below), map, recursive, &list_merge, 0)?,
                None => merged.push((value, map)),
            }
        }
    }
    // In the order of what they are merged by.
    let mut failed = None;
    merged.sort_by(|(a, _), (b, _)| match ops::order(a, b, "<") {
        Ok(order) => order.unwrap_or(std::cmp::Ordering::Equal),
        Err(e) => {
            failed.get_or_insert(e);
            std::cmp::Ordering::Equal
        }
    });
    match failed {
        Some(e) => Err(e),
        None => Ok(V::list(merged.into_iter().map(|(_, map)| V::dict(map)).collect())),
    }
}
