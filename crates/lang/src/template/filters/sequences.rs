//! Jinja2's and Ansible's filters on lists.

use std::rc::Rc;

use super::{Entry, apply_named};
use crate::Key;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{attributes, iterate, ops};
use crate::template::methods::list::sorted_by_key;
use crate::template::object::{Fail, R, V};
use crate::template::random::Rng;
use crate::template::tests;

pub(super) const FILTERS: &[Entry] = &[
    ("batch", batch),
    ("dictsort", dictsort),
    ("difference", |_, v, a| set_filter(v, a, "difference", |x, _, in_b| in_b == Some(false) && x)),
    ("first", first),
    ("flatten", flatten),
    ("groupby", groupby),
    ("intersect", |_, v, a| set_filter(v, a, "intersect", |x, _, in_b| in_b == Some(true) && x)),
    ("items", items),
    ("join", join),
    ("last", last),
    ("list", list),
    ("map", map),
    ("max", |_, v, a| extreme(v, a, "do_max", true)),
    ("min", |_, v, a| extreme(v, a, "do_min", false)),
    ("random", random),
    ("reject", |e, v, a| select(e, v, a, false, false)),
    ("rejectattr", |e, v, a| select(e, v, a, true, false)),
    ("reverse", reverse),
    ("select", |e, v, a| select(e, v, a, false, true)),
    ("selectattr", |e, v, a| select(e, v, a, true, true)),
    ("shuffle", shuffle),
    ("slice", slice),
    ("sort", sort),
    ("sum", sum),
    ("symmetric_difference", symmetric_difference),
    ("union", union),
    ("unique", unique),
];

fn first(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("do_first")?;
    match iterate::items_of(&value)?.first() {
        Some(item) => item.force(),
        None => Ok(V::undef("No first item, sequence was empty.")),
    }
}

fn last(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("do_last")?;
    match iterate::items_of(&value)?.last() {
        Some(item) => item.force(),
        None => Ok(V::undef("No last item, sequence was empty.")),
    }
}

fn list(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("do_list")?;
    Ok(V::list(iterate::items_of(&value)?))
}

fn items(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("do_items")?;
    if matches!(value, V::Blank) {
        return Ok(V::list(Vec::new()));
    }
    match iterate::entries(&value)? {
        Some(entries) => {
            Ok(V::list(entries.into_iter().map(|(k, v)| V::tuple(vec![ops::from_key(&k), v])).collect()))
        }
        None => Fail::python("Can only get item pairs from a mapping."),
    }
}

fn reverse(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("do_reverse")?;
    if let V::Str(text) = &value {
        return Ok(V::str(text.as_str().chars().rev().collect::<String>()));
    }
    let Some(mut items) = iterate::try_items(&value)? else {
        return Fail::python("argument must be iterable");
    };
    items.reverse();
    Ok(V::list(items))
}

fn join(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_join", ["d", "attribute"], 0)?;
    let separator = b.string(0, "")?;
    let path = b.some(1);
    let mut out = String::new();
    for (i, item) in iterate::items_of(&value)?.iter().enumerate() {
        if i > 0 {
            out.push_str(&separator);
        }
        let item = match &path {
            Some(path) => attribute_path(item, path)?,
            None => item.clone(),
        };
        out.push_str(ops::text_of(&item)?.as_str());
        if out.len() > ops::MAX_SIZE {
            return Fail::python("joined text is too long");
        }
    }
    Ok(V::str(out))
}

/// `attribute='a.b.0'`: a path of members.
pub(crate) fn attribute_path(item: &V, path: &V) -> R<V> {
    let path = match path {
        V::Int(i) => return attributes::get_item(item, &V::Int(*i)),
        other => ops::text_of(other)?,
    };
    let mut value = item.force()?;
    for part in path.as_str().split('.') {
        let index = match part.parse::<i128>() {
            Ok(i) if part.bytes().all(|b| b.is_ascii_digit()) => V::Int(i),
            _ => V::str(part),
        };
        value = attributes::get_item(&value, &index)?;
    }
    Ok(value)
}

/// Several paths with commas between them, for sorting by more than one.
fn attribute_paths(item: &V, path: &V) -> R<V> {
    match path.as_str() {
        Some(text) if text.contains(',') => {
            let parts = text.split(',').map(|p| attribute_path(item, &V::str(p))).collect::<R<Vec<V>>>()?;
            Ok(V::list(parts))
        }
        _ => attribute_path(item, path),
    }
}

fn ignore_case(value: &V) -> R<V> {
    Ok(match value.need()? {
        V::Str(text) => V::str(text.as_str().to_lowercase()),
        V::List(items) => V::list(items.borrow().iter().map(ignore_case).collect::<R<_>>()?),
        other => other,
    })
}

fn sort(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_sort", ["reverse", "case_sensitive", "attribute"], 0)?;
    let (reverse, exact) = (b.bool(0, false)?, b.bool(1, false)?);
    let path = b.some(2);
    let mut keyed = Vec::new();
    for item in iterate::items_of(&value)? {
        let key = match &path {
            Some(path) => attribute_paths(&item, path)?.need()?,
            None => item.need()?,
        };
        keyed.push((if exact { key } else { ignore_case(&key)? }, item));
    }
    Ok(V::list(sorted_by_key(keyed, reverse)?))
}

fn dictsort(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_dictsort", ["case_sensitive", "by", "reverse"], 0)?;
    let exact = b.bool(0, false)?;
    let by = b.string(1, "key")?;
    if !matches!(by.as_str(), "key" | "value") {
        return Fail::python("You can only sort by either \"key\" or \"value\"");
    }
    let Some(entries) = iterate::entries(&value)? else {
        return Fail::python(format!("'{}' object has no attribute 'items'", value.type_name()));
    };
    let mut keyed = Vec::new();
    for (key, value) in entries {
        let by = if by == "key" { ops::from_key(&key) } else { value.need()? };
        let pair = V::tuple(vec![ops::from_key(&key), value]);
        keyed.push((if exact { by } else { ignore_case(&by)? }, pair));
    }
    Ok(V::list(sorted_by_key(keyed, b.bool(2, false)?)?))
}

fn groupby(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_groupby", ["attribute", "default", "case_sensitive"], 1)?;
    let path = b.value(0);
    let exact = b.bool(2, false)?;
    let mut keyed = Vec::new();
    for item in iterate::items_of(&value)? {
        let mut key = attribute_path(&item, &path)?;
        if key.is_undef()
            && let Some(default) = b.get(1)
        {
            key = default.clone();
        }
        let key = key.need()?;
        let folded = if exact { key.clone() } else { ignore_case(&key)? };
        keyed.push((folded.clone(), V::tuple(vec![folded, key, item])));
    }
    let mut groups: Vec<(V, V, Vec<V>)> = Vec::new();
    for triple in sorted_by_key(keyed, false)? {
        let V::Tuple(parts) = triple else { continue };
        match groups.last_mut() {
            Some((folded, _, members)) if ops::equal(folded, &parts[0])? => members.push(parts[2].clone()),
            _ => groups.push((parts[0].clone(), parts[1].clone(), vec![parts[2].clone()])),
        }
    }
    Ok(V::list(groups.into_iter().map(|(_, key, members)| V::tuple(vec![key, V::list(members)])).collect()))
}

fn extreme(value: V, args: Args, name: &str, largest: bool) -> R<V> {
    let b = args.bind(name, ["case_sensitive", "attribute"], 0)?;
    let exact = b.bool(0, false)?;
    let path = b.some(1);
    let mut best: Option<(V, V)> = None;
    for item in iterate::items_of(&value)? {
        let key = match &path {
            Some(path) => attribute_path(&item, path)?,
            None => item.force()?,
        };
        let key = if exact { key.need()? } else { ignore_case(&key)? };
        let better = match &best {
            None => true,
            Some((old, _)) => {
                let (a, b, op) = if largest { (&key, old, ">") } else { (&key, old, "<") };
                let order = ops::order(a, b, op)?;
                order == Some(if largest { std::cmp::Ordering::Greater } else { std::cmp::Ordering::Less })
            }
        };
        if better {
            best = Some((key, item));
        }
    }
    match best {
        Some((_, item)) => item.force(),
        None => Ok(V::undef("No aggregated item, sequence was empty.")),
    }
}

fn sum(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_sum", ["attribute", "start"], 0)?;
    let path = b.some(0);
    let mut total = b.get(1).cloned().unwrap_or(V::Int(0));
    if total.as_str().is_some() {
        return Fail::python("sum() can't sum strings [use ''.join(seq) instead]");
    }
    for item in iterate::items_of(&value)? {
        let item = match &path {
            Some(path) => attribute_path(&item, path)?,
            None => item,
        };
        total = ops::binary(crate::template::syntax::ast::BinOp::Add, &total, &item)?;
        if let Some(n) = iterate::length(&total)?
            && n > ops::MAX_SIZE / 16
        {
            return Fail::python("the sum is too large");
        }
    }
    Ok(total)
}

fn batch(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_batch", ["linecount", "fill_with"], 1)?;
    let count = usize::try_from(b.int(0, 1)?).unwrap_or(0);
    if count > 1_000_000 {
        return Fail::python("batch is too large");
    }
    let mut out = Vec::new();
    let mut current: Vec<V> = Vec::new();
    for item in iterate::items_of(&value)? {
        if current.len() == count {
            out.push(V::list(std::mem::take(&mut current)));
        }
        current.push(item);
    }
    if !current.is_empty() {
        if let Some(fill) = b.some(1) {
            current.resize(count.max(current.len()), fill);
        }
        out.push(V::list(current));
    }
    Ok(V::list(out.into_iter().filter(|v| !matches!(v, V::List(l) if l.borrow().is_empty())).collect()))
}

fn slice(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("sync_do_slice", ["slices", "fill_with"], 1)?;
    let slices = usize::try_from(b.int(0, 1)?).unwrap_or(0);
    if slices == 0 {
        return Fail::python("integer division or modulo by zero");
    }
    if slices > 1_000_000 {
        return Fail::python("too many slices");
    }
    let items = iterate::items_of(&value)?;
    let (per_slice, with_extra) = (items.len() / slices, items.len() % slices);
    let mut out = Vec::new();
    let mut offset = 0;
    for number in 0..slices {
        let start = offset + number * per_slice;
        if number < with_extra {
            offset += 1;
        }
        let end = offset + (number + 1) * per_slice;
        let mut part = items.get(start..end).unwrap_or(&[]).to_vec();
        if number >= with_extra
            && let Some(fill) = b.some(1)
        {
            part.push(fill);
        }
        out.push(V::list(part));
    }
    Ok(V::list(out))
}

fn map(env: &Rc<Env>, value: V, mut args: Args) -> R<V> {
    let items = iterate::items_of(&value)?;
    if args.pos.is_empty()
        && let Some(path) = args.take("attribute")?
    {
        let default = args.take("default")?;
        if let Some((name, _)) = args.kw.first() {
            return Fail::python(format!("Unexpected keyword argument '{name}'"));
        }
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            let mut found = attribute_path(&item, &path)?;
            if found.is_undef()
                && let Some(default) = &default
            {
                found = default.clone();
            }
            out.push(found);
        }
        return Ok(V::list(out));
    }
    if args.pos.is_empty() {
        return Fail::python("map requires a filter argument");
    }
    let name = ops::to_str(&args.pos.remove(0))?;
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        out.push(apply_named(&name, item, args.clone(), env)?);
    }
    Ok(V::list(out))
}

fn select(env: &Rc<Env>, value: V, mut args: Args, by_attribute: bool, keep: bool) -> R<V> {
    let items = iterate::items_of(&value)?;
    let path = if by_attribute {
        if args.pos.is_empty() {
            return Fail::python("Missing parameter for attribute name");
        }
        Some(args.pos.remove(0))
    } else {
        None
    };
    let test = if args.pos.is_empty() { None } else { Some(ops::to_str(&args.pos.remove(0))?) };
    let mut out = Vec::new();
    for item in items {
        let tested = match &path {
            Some(path) => attribute_path(&item, path)?,
            None => item.force()?,
        };
        let passes = match &test {
            Some(test) => ops::truth(&tests::apply_named(test, tested, args.clone(), env)?)?,
            None => ops::truth(&tested)?,
        };
        if passes == keep {
            out.push(item);
        }
    }
    Ok(V::list(out))
}

fn seed(value: Option<V>) -> R<Rng> {
    Ok(match value {
        None => Rng::System,
        Some(V::Int(i)) => Rng::from_int(i),
        Some(V::Bool(b)) => Rng::from_int(i128::from(b)),
        Some(other) => Rng::from_text(&ops::to_str(&other)?),
    })
}

fn random(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("rand", ["start", "step", "seed"], 0)?;
    let mut rng = seed(b.some(2))?;
    if let V::Int(end) = value {
        let start = b.int(0, 0)?;
        let step = b.int(1, 1)?;
        let count = ops::range_len(start, end, step.max(1));
        if step <= 0 || count <= 0 {
            return Fail::python(format!("empty range for randrange() ({start}, {end}, {})", end - start));
        }
        let chosen = rng.below(u64::try_from(count).unwrap_or(u64::MAX))?;
        return Ok(V::Int(start + i128::from(chosen) * step));
    }
    if iterate::length(&value)?.is_none() {
        return Fail::python("random can only be used on sequences and integers");
    }
    if b.some(0).is_some() || b.some(1).is_some() {
        return Fail::python("start and step can only be used with integer values");
    }
    let items = iterate::items_of(&value)?;
    if items.is_empty() {
        return Fail::python("list index out of range");
    }
    let chosen = rng.below(items.len() as u64)?;
    items.get(usize::try_from(chosen).unwrap_or(0)).map_or(Ok(V::None), V::force)
}

fn shuffle(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("randomize_list", ["seed"], 0)?;
    let Some(mut items) = iterate::try_items(&value)? else { return Ok(value) };
    seed(b.some(0))?.shuffle(&mut items)?;
    Ok(V::list(items))
}

/// Flatten lists in lists; Ansible leaves out `None` unless told.
fn flatten(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("flatten", ["mylist", "levels", "skip_nulls"], 0)?;
    // The first parameter of the filter itself is the level, not the list.
    let (levels, skip) = (b.get(1).or(b.get(0)).cloned(), b.bool(2, true)?);
    let levels = match levels {
        None | Some(V::None) => None,
        Some(V::Int(n)) => Some(n),
        Some(other) => Some(ops::to_str(&other)?.trim().parse().unwrap_or(0)),
    };
    let Some(items) = iterate::as_list(&value)? else {
        return Fail::python(format!("'{}' object is not iterable", value.type_name()));
    };
    let mut out = Vec::new();
    flatten_into(&items, levels, skip, &mut out, 0)?;
    Ok(V::list(out))
}

pub(super) fn flatten_into(
    items: &[V],
    levels: Option<i128>,
    skip: bool,
    out: &mut Vec<V>,
    depth: usize,
) -> R<()> {
    if depth > 200 {
        return Fail::python("lists are nested too deeply");
    }
    for item in items {
        let item = item.force()?;
        match (&item, iterate::as_list(&item)) {
            (V::None, _) if skip => {}
            // So does Ansible: these texts count as nothing, too.
            (V::Str(text), _) if skip && matches!(text.as_str(), "None" | "null") => {}
            (V::Undef(_), _) => out.push(item),
            (_, Ok(Some(inner))) => match levels {
                None => flatten_into(&inner, None, skip, out, depth + 1)?,
                Some(n) if n >= 1 => flatten_into(&inner, Some(n - 1), skip, out, depth + 1)?,
                _ => out.push(item),
            },
            _ => out.push(item),
        }
        if out.len() > ops::MAX_SIZE / 16 {
            return Fail::python("the list is too long");
        }
    }
    Ok(())
}

/// A set of values in the order of appearance, comparing as Python does. Simple values are found by hash.
#[derive(Default)]
pub(crate) struct Seen {
    keys: std::collections::HashSet<Key>,
    others: Vec<V>,
}

impl Seen {
    fn key(value: &V) -> Option<Key> {
        match value {
            V::Bool(b) => Some(Key::Int(i64::from(*b))),
            V::None | V::Int(_) | V::Float(_) | V::Str(_) => ops::to_key(value).ok(),
            _ => None,
        }
    }

    pub fn contains(&self, value: &V) -> R<bool> {
        let value = value.need()?;
        if let Some(key) = Self::key(&value) {
            return Ok(self.keys.contains(&key));
        }
        for other in &self.others {
            if ops::equal(other, &value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// True when it was not there.
    pub fn insert(&mut self, value: &V) -> R<bool> {
        let value = value.need()?;
        if self.contains(&value)? {
            return Ok(false);
        }
        match Self::key(&value) {
            Some(key) => {
                self.keys.insert(key);
            }
            None => self.others.push(value),
        }
        Ok(true)
    }
}

/// Items of the first list, each once, chosen by whether the second has them.
fn set_filter(value: V, args: Args, name: &str, keep: fn(bool, bool, Option<bool>) -> bool) -> R<V> {
    let b = args.bind(name, ["b"], 1)?;
    let mut other = Seen::default();
    for item in iterate::items_of(&b.value(0))? {
        other.insert(&item)?;
    }
    let mut seen = Seen::default();
    let mut out = Vec::new();
    for item in iterate::items_of(&value)? {
        let new = seen.insert(&item)?;
        if keep(new, true, Some(other.contains(&item)?)) {
            out.push(item);
        }
    }
    Ok(V::list(out))
}

fn union(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("union", ["b"], 1)?;
    let mut seen = Seen::default();
    let mut out = Vec::new();
    for item in iterate::items_of(&value)?.into_iter().chain(iterate::items_of(&b.value(0))?) {
        if seen.insert(&item)? {
            out.push(item);
        }
    }
    Ok(V::list(out))
}

fn symmetric_difference(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("symmetric_difference", ["b"], 1)?;
    let (left, right) = (iterate::items_of(&value)?, iterate::items_of(&b.value(0))?);
    let fill = |items: &[V]| -> R<Seen> {
        let mut seen = Seen::default();
        for item in items {
            seen.insert(item)?;
        }
        Ok(seen)
    };
    let (in_left, in_right) = (fill(&left)?, fill(&right)?);
    let mut out = Vec::new();
    let mut seen = Seen::default();
    for (item, other) in left.iter().map(|i| (i, &in_right)).chain(right.iter().map(|i| (i, &in_left))) {
        if !other.contains(item)? && seen.insert(item)? {
            out.push(item.clone());
        }
    }
    Ok(V::list(out))
}

/// Jinja2's own filter, which takes no note of case unless it is told to and keeps a set; where something cannot be in a
/// set, Ansible's stands in for it, which compares exactly and knows no options.
fn unique(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("unique", ["case_sensitive", "attribute"], 0)?;
    let case_sensitive = b.some(0).map(|flag| ops::truth(&flag)).transpose()?;
    let path = b.some(1);
    let strict = path.is_some() || b.get(0).is_some_and(|flag| matches!(flag, V::Bool(false)));
    let items = iterate::items_of(&value)?;
    let mut keys = Vec::with_capacity(items.len());
    let mut exact = case_sensitive.unwrap_or(false);
    for item in &items {
        let key = match &path {
            Some(path) => attribute_path(item, path)?,
            None => item.force()?,
        };
        let unusable = match &key {
            V::Undef(undef) => Some(undef.message.to_string()),
            V::Dict(_) => Some("unhashable type: '_AnsibleLazyTemplateDict'".to_string()),
            V::List(_) => Some("unhashable type: '_AnsibleLazyTemplateList'".to_string()),
            _ => None,
        };
        match unusable {
            Some(reason) if strict => {
                return Fail::python(format!(
                    "Jinja2's unique filter failed and we cannot fall back to Ansible's version as it does not support the parameters supplied: {reason}"
                ));
            }
            Some(_) => exact = true,
            None => {}
        }
        keys.push(key);
    }
    let mut seen = Seen::default();
    let mut out = Vec::new();
    for (item, key) in items.into_iter().zip(keys) {
        let key = if exact { key } else { ignore_case(&key)? };
        if seen.insert(&key)? {
            out.push(item);
        }
    }
    Ok(V::list(out))
}
