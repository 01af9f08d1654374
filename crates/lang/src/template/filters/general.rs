//! Filters of `community.general` that public playbooks use.

mod csv;
mod durations;
mod lists;

use std::rc::Rc;

use super::Entry;
use crate::Key;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::object::{Dict, Fail, R, V};
use crate::template::random::{self, Rng};
use crate::template::repr;
use crate::template::tests::compare_loose;

pub(super) const FILTERS: &[Entry] = &[
    ("counter", counter),
    ("dict", dict),
    ("dict_kv", dict_kv),
    ("from_csv", csv::from_csv),
    ("groupby_as_dict", groupby_as_dict),
    ("lists_difference", |_, v, a| lists::fold(v, a, "lists_difference")),
    ("lists_intersect", |_, v, a| lists::fold(v, a, "lists_intersect")),
    ("lists_mergeby", lists::merge_by),
    ("lists_symmetric_difference", |_, v, a| lists::fold(v, a, "lists_symmetric_difference")),
    ("lists_union", |_, v, a| lists::fold(v, a, "lists_union")),
    ("random_mac", random_mac),
    ("to_days", |_, v, a| durations::to_unit(v, a, "day")),
    ("to_hours", |_, v, a| durations::to_unit(v, a, "hour")),
    ("to_milliseconds", |_, v, a| durations::to_unit(v, a, "millisecond")),
    ("to_minutes", |_, v, a| durations::to_unit(v, a, "minute")),
    ("to_months", |_, v, a| durations::to_unit(v, a, "month")),
    ("to_seconds", |_, v, a| durations::to_unit(v, a, "second")),
    ("to_time_unit", durations::to_time_unit),
    ("to_weeks", |_, v, a| durations::to_unit(v, a, "week")),
    ("to_years", |_, v, a| durations::to_unit(v, a, "year")),
    ("version_sort", version_sort),
];

/// `dict`: a dictionary of pairs.
fn dict(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("dict")?;
    let mut out = Dict::new();
    for (at, pair) in iterate::items_of(&value)?.iter().enumerate() {
        match iterate::items_of(pair)?.as_slice() {
            [key, value] => drop(out.insert(ops::to_key(key)?, value.clone())),
            other => {
                return Fail::python(format!(
                    "dictionary update sequence element #{at} has length {}; 2 is required",
                    other.len()
                ));
            }
        }
    }
    Ok(V::dict(out))
}

/// `dict_kv(key)`: a dictionary with the value under that key.
fn dict_kv(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("dict_kv", ["key"], 1)?;
    Ok(V::dict(Dict::from_iter([(ops::to_key(&b.value(0))?, value)])))
}

/// `counter`: how often each element is there.
fn counter(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("counter")?;
    let items = match &value {
        V::Str(_) => iterate::items_of(&value)?,
        other => match iterate::as_list(other)? {
            Some(items) => items,
            None => {
                return Fail::python(format!(
                    "Argument for community.general.counter must be a sequence (string or list). {} is <class '{}'>",
                    ops::to_str(other)?,
                    other.type_name()
                ));
            }
        },
    };
    let mut out = Dict::new();
    for item in items {
        let item = item.force()?;
        if matches!(item, V::List(_) | V::Dict(_)) {
            return Fail::python(format!(
                "community.general.counter needs a sequence with hashable elements (int, float or str) - unhashable type: '{}'",
                item.type_name()
            ));
        }
        let count = out.entry(ops::to_key(&item)?).or_insert(V::Int(0));
        if let V::Int(n) = count {
            *n += 1;
        }
    }
    Ok(V::dict(out))
}

/// `groupby_as_dict(attribute)`: each element of a list under the value that its attribute has.
fn groupby_as_dict(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("groupby_as_dict", ["attribute"], 1)?;
    let attribute = ops::to_key(&b.value(0))?;
    let Some(items) = iterate::as_list(&value)? else { return Fail::python("Input is not a sequence") };
    let mut out = Dict::new();
    for (at, item) in items.into_iter().enumerate() {
        let Some(map) = iterate::as_dict(&item)? else {
            return Fail::python(format!("Sequence element #{at} is not a mapping"));
        };
        let Some(found) = map.borrow().get(&attribute).cloned() else {
            return Fail::python(format!("Attribute not contained in element #{at} of sequence"));
        };
        let key = ops::to_key(&found)?;
        if out.contains_key(&key) {
            return Fail::python(format!(
                "Multiple sequence entries have attribute value {}",
                repr::repr(&found)?
            ));
        }
        out.insert(key, item);
    }
    Ok(V::dict(out))
}

/// `version_sort`: by the numbers in them, as the loose versions of Python's distutils compare.
fn version_sort(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("version_sort", ["reverse"], 0)?;
    let reverse = b.bool(0, false)?;
    let mut items = Vec::new();
    for item in iterate::items_of(&value)? {
        items.push((ops::to_str(&item)?, item));
    }
    let mut failed = None;
    items.sort_by(|a, b| {
        let (a, b) = if reverse { (b, a) } else { (a, b) };
        compare_loose(&a.0, &b.0).unwrap_or_else(|e| {
            failed.get_or_insert(e);
            std::cmp::Ordering::Equal
        })
    });
    match failed {
        Some(reason) => Fail::python(reason),
        None => Ok(V::list(items.into_iter().map(|(_, item)| item).collect())),
    }
}

/// `random_mac(seed)`: the address of a network card that begins like this; the same one for the same seed.
fn random_mac(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("random_mac", ["seed"], 0)?;
    let V::Str(prefix) = &value else {
        return Fail::python(format!(
            "Invalid value type (<class '{}'>) for random_mac ({})",
            value.type_name(),
            ops::to_str(&value)?
        ));
    };
    let prefix = prefix.as_str().to_lowercase();
    let wrong = |why: &str| Fail::python(format!("Invalid value ({prefix}) for random_mac: {why}"));
    let parts: Vec<&str> = prefix.split(':').collect();
    if parts.len() > 5 {
        return wrong("5 colon(:) separated items max");
    }
    for part in &parts {
        if part.is_empty() {
            return wrong("empty item");
        }
        if part.len() != 2 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
            return wrong(&format!("{part} not hexa byte"));
        }
    }
    // Ten hexadecimal digits, of which as many are taken as are missing.
    const LOWEST: u64 = 0x10_0000_0000;
    const COUNT: u64 = 0xff_ffff_ffff - LOWEST + 1;
    let number = LOWEST
        + match b.some(0) {
            None => random::below(COUNT)?,
            Some(V::Int(seed)) => Rng::from_int(seed).below(COUNT)?,
            Some(seed) => Rng::from_text(&ops::to_str(&seed)?).below(COUNT)?,
        };
    let digits = format!("{number:x}");
    let mut all: Vec<&str> = parts;
    all.extend((0..5).map_while(|i| digits.get(i * 2..i * 2 + 2)).take(6 - all.len()));
    Ok(V::str(all.join(":")))
}

/// A value as a member of a set: what cannot be one stands there as its text.
fn member(value: &V) -> R<Key> {
    match value.force()? {
        value @ (V::List(_) | V::Dict(_)) => Ok(Key::from(format!("\u{0}{}", repr::repr(&value)?).as_str())),
        other => ops::to_key(&other),
    }
}
