//! Ansible's filters on data: dictionaries, YAML, conversions between shapes.

use std::rc::Rc;

use super::Entry;
use super::sequences::attribute_path;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::finalize::finalize;
use crate::template::eval::{attributes, iterate, ops};
use crate::template::object::{Dict, Fail, R, V};
use crate::template::{repr, time};
use crate::{Error, Key, Value, yaml};

pub(super) const FILTERS: &[Entry] = &[
    ("combine", combine),
    ("dict2items", dict2items),
    ("extract", extract),
    ("finalize", finalized),
    ("from_yaml", from_yaml),
    ("from_yaml_all", from_yaml_all),
    ("items2dict", items2dict),
    ("mandatory", mandatory),
    ("origin", origin),
    ("rekey_on_member", rekey_on_member),
    ("strftime", strftime),
    ("subelements", subelements),
    ("ternary", ternary),
    ("to_datetime", to_datetime),
    ("to_nice_yaml", |_, v, a| to_yaml(v, a, true)),
    ("to_yaml", |_, v, a| to_yaml(v, a, false)),
    ("type_debug", type_debug),
    ("zip", zip),
    ("zip_longest", zip_longest),
];

fn mandatory(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("mandatory", ["msg"], 0)?;
    let V::Undef(undef) = &value else { return Ok(value) };
    if let Some(message) = b.some(0) {
        return Fail::python(ops::to_str(&message)?);
    }
    let name = undef.name.as_ref().map_or(String::new(), |n| format!("{} ", repr::quoted(n)));
    Fail::python(format!("Mandatory variable {name}not defined."))
}

/// `ansible._protomatter.finalize`: the value as it leaves a template.
fn finalized(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("finalize")?;
    Ok(V::lazy(&finalize(&value)?, env))
}

/// `ansible._protomatter.origin`: where a text was written, if that is known.
fn origin(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("origin")?;
    Ok(match &value {
        V::Str(text) => text.pos().map_or(V::None, |pos| V::str(pos.to_string())),
        _ => V::None,
    })
}

fn type_debug(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("type_debug")?;
    Ok(V::str(value.type_name()))
}

fn ternary(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let given = |i: usize, name: &str| {
        args.pos.get(i).or_else(|| args.kw.iter().find(|(n, _)| n.as_ref() == name).map(|(_, v)| v)).cloned()
    };
    if value.is_undef() {
        return Ok(value);
    }
    let (yes, no, none) = (given(0, "true_val"), given(1, "false_val"), given(2, "none_val"));
    let (Some(yes), Some(no)) = (yes, no) else {
        return Fail::python("ternary() missing required positional arguments: 'true_val' and 'false_val'");
    };
    match (&value, none) {
        (V::None, Some(none)) if !matches!(none, V::None) => none.force(),
        _ if ops::truth(&value)? => yes.force(),
        _ => no.force(),
    }
}

fn combine(_: &Rc<Env>, value: V, mut args: Args) -> R<V> {
    let recursive = match args.take("recursive")? {
        Some(v) => ops::truth(&v)?,
        None => false,
    };
    let list_merge = match args.take("list_merge")? {
        Some(v) => ops::to_str(&v)?,
        None => "replace".to_string(),
    };
    if !args.kw.is_empty() {
        return Fail::python("'recursive' and 'list_merge' are the only valid keyword arguments");
    }
    const MODES: [&str; 6] = ["replace", "keep", "append", "prepend", "append_rp", "prepend_rp"];
    if !MODES.contains(&list_merge.as_str()) {
        return Fail::python(
            "merge_hash: 'list_merge' argument can only be equal to 'replace', 'keep', 'append', 'prepend', 'append_rp' or 'prepend_rp'",
        );
    }
    // Lists among the arguments are flattened one level, without what `flatten` takes for nothing.
    let mut dicts = Vec::new();
    let terms: Vec<V> = std::iter::once(value).chain(args.pos).collect();
    super::sequences::flatten_into(&terms, Some(1), true, &mut dicts, 0)?;
    let mut out: Option<Dict> = None;
    for dict in dicts {
        let Some(map) = iterate::as_dict(&dict)? else {
            let other = out.as_ref().map_or_else(|| "dict", |_| "dict");
            let shown = dict.type_name();
            return Fail::python(format!(
                "failed to combine variables, expected dicts but got a '{other}' and a '{shown}'."
            ));
        };
        let map = map.borrow().as_ref().clone();
        out = Some(match out {
            None => map,
            Some(below) => merge(below, map, recursive, &list_merge, 0)?,
        });
    }
    Ok(V::dict(out.unwrap_or_default()))
}

/// `over` on top of `below`.
pub(crate) fn merge(mut below: Dict, over: Dict, recursive: bool, lists: &str, depth: usize) -> R<Dict> {
    if depth > 200 {
        return Fail::python("dictionaries are nested too deeply");
    }
    if below.is_empty() {
        return Ok(over);
    }
    for (key, value) in over {
        let Some(old) = below.get(&key) else {
            below.insert(key, value);
            continue;
        };
        if !recursive && lists == "replace" {
            below.insert(key, value);
            continue;
        }
        let (old, value) = (old.force()?, value.force()?);
        let merged = match (&old, &value) {
            (V::Dict(a), V::Dict(b)) if recursive => {
                let (a, b) = (a.borrow().as_ref().clone(), b.borrow().as_ref().clone());
                V::dict(merge(a, b, recursive, lists, depth + 1)?)
            }
            (V::List(a), V::List(b)) => merge_lists(&a.borrow(), &b.borrow(), lists)?,
            _ => value,
        };
        below.insert(key, merged);
    }
    Ok(below)
}

fn merge_lists(old: &[V], new: &[V], how: &str) -> R<V> {
    let without = |items: &[V], others: &[V]| -> R<Vec<V>> {
        let mut out = Vec::new();
        for item in items {
            if !ops::contains(&V::list(others.to_vec()), item)? {
                out.push(item.clone());
            }
        }
        Ok(out)
    };
    Ok(V::list(match how {
        "keep" => old.to_vec(),
        "append" => [old, new].concat(),
        "prepend" => [new, old].concat(),
        "append_rp" => [without(old, new)?, new.to_vec()].concat(),
        "prepend_rp" => [new.to_vec(), without(old, new)?].concat(),
        _ => new.to_vec(),
    }))
}

fn dict2items(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("dict_to_list_of_dict_key_value_elements", ["key_name", "value_name"], 0)?;
    let (key_name, value_name) = (b.string(0, "key")?, b.string(1, "value")?);
    let Some(entries) = iterate::entries(&value)? else {
        return Fail::python(format!(
            "dict2items requires a dictionary, got {} instead.",
            shown_type(&value)
        ));
    };
    let items = entries.into_iter().map(|(key, value)| {
        V::dict(
            [(Key::from(key_name.as_str()), ops::from_key(&key)), (Key::from(value_name.as_str()), value)]
                .into_iter()
                .collect(),
        )
    });
    Ok(V::list(items.collect()))
}

fn shown_type(value: &V) -> String {
    format!("<class '{}'>", value.type_name())
}

fn items2dict(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("list_of_dict_key_value_elements_to_dict", ["key_name", "value_name"], 0)?;
    let (key_name, value_name) = (b.string(0, "key")?, b.string(1, "value")?);
    let Some(items) = iterate::as_list(&value)? else {
        return Fail::python(format!("items2dict requires a list, got {} instead.", shown_type(&value)));
    };
    let mut out = Dict::new();
    for item in items {
        let member = |name: &str| -> R<V> {
            match iterate::as_dict(&item)? {
                Some(map) => match map.borrow().get(name) {
                    Some(v) => Ok(v.clone()),
                    None => Fail::python(format!(
                        "items2dict requires each dictionary in the list to contain the keys '{key_name}' and '{value_name}', got {} instead.",
                        repr::repr(&value)?
                    )),
                },
                None => Fail::python(format!(
                    "items2dict requires a list of dictionaries, got {} instead.",
                    repr::repr(&value)?
                )),
            }
        };
        out.insert(ops::to_key(&member(&key_name)?)?, member(&value_name)?);
    }
    Ok(V::dict(out))
}

fn extract(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("extract", ["container", "morekeys"], 1)?;
    let mut keys = vec![value];
    if let Some(more) = b.some(1) {
        match iterate::as_list(&more)? {
            Some(items) => keys.extend(items),
            None => keys.push(more),
        }
    }
    let mut at = b.value(0);
    for key in keys {
        at = attributes::get_item(&at, &key)?;
    }
    Ok(at)
}

fn subelements(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("subelements", ["subelements", "skip_missing"], 1)?;
    let path: Vec<String> = match b.value(0) {
        V::Str(text) => text.as_str().split('.').map(str::to_string).collect(),
        other => match iterate::as_list(&other)? {
            Some(items) => items.iter().map(ops::to_str).collect::<R<_>>()?,
            None => return Fail::python("subelements must be a list or a string"),
        },
    };
    let skip = b.bool(1, false)?;
    subelement_pairs(&value, &path, skip).map(V::list)
}

/// Each element with each member of the list found under `path` in it.
fn subelement_pairs(value: &V, path: &[String], skip_missing: bool) -> R<Vec<V>> {
    let elements = match iterate::as_dict(value)? {
        Some(map) => map.borrow().values().cloned().collect(),
        None => match iterate::as_list(value)? {
            Some(items) => items,
            None => {
                return Fail::python("obj must be a list of dicts or a nested dict");
            }
        },
    };
    let mut out = Vec::new();
    'elements: for element in elements {
        let mut at = element.need()?;
        for key in path {
            let Some(map) = iterate::as_dict(&at)? else {
                return Fail::python(format!(
                    "the key {key} should point to a dictionary, got '{}'",
                    repr::repr(&at)?
                ));
            };
            let found = map.borrow().get(key.as_str()).cloned();
            at = match found {
                Some(found) => found.need()?,
                None if skip_missing => continue 'elements,
                None => {
                    return Fail::python(format!(
                        "could not find {} key in iterated item {}",
                        repr::quoted(key),
                        repr::repr(&element)?
                    ));
                }
            };
        }
        let Some(items) = iterate::as_list(&at)? else {
            return Fail::python(format!(
                "the key {} should point to a list, got '{}'",
                path.last().map_or("", |s| s),
                repr::repr(&at)?
            ));
        };
        for item in items {
            out.push(V::tuple(vec![element.clone(), item]));
        }
    }
    Ok(out)
}

fn rekey_on_member(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("rekey_on_member", ["key", "duplicates"], 1)?;
    let key = b.value(0);
    let duplicates = b.string(1, "error")?;
    if !matches!(duplicates.as_str(), "error" | "overwrite") {
        return Fail::python(format!(
            "duplicates parameter to rekey_on_member has unknown value {}",
            repr::quoted(&duplicates)
        ));
    }
    let elements = match iterate::as_dict(&value)? {
        Some(map) => map.borrow().values().cloned().collect(),
        None => match iterate::as_list(&value)? {
            Some(items) => items,
            None => return Fail::python("Type is not a valid list, set, or dict"),
        },
    };
    let mut out = Dict::new();
    for element in elements {
        let Some(map) = iterate::as_dict(&element)? else {
            return Fail::python("List item is not a valid dict");
        };
        let found = map.borrow().get(&ops::to_key(&key)?).cloned();
        let Some(found) = found else {
            return Fail::python(format!("Key {} was not found.", repr::repr(&key)?));
        };
        let member = ops::to_key(&found)?;
        if duplicates == "error" && out.contains_key(&member) {
            return Fail::python(format!(
                "Key {} is not unique, cannot convert to dict.",
                repr::repr(&found)?
            ));
        }
        out.insert(member, element.clone());
    }
    Ok(V::dict(out))
}

fn zip_lists(value: V, args: Args, fill: Option<V>) -> R<V> {
    let mut lists = vec![iterate::items_of(&value)?];
    for other in &args.pos {
        lists.push(iterate::items_of(other)?);
    }
    let lengths = lists.iter().map(Vec::len);
    let len = if fill.is_some() { lengths.max() } else { lengths.min() }.unwrap_or(0);
    let none = fill.unwrap_or(V::None);
    let rows = (0..len)
        .map(|i| V::tuple(lists.iter().map(|l| l.get(i).cloned().unwrap_or_else(|| none.clone())).collect()));
    Ok(V::list(rows.collect()))
}

fn zip(_: &Rc<Env>, value: V, mut args: Args) -> R<V> {
    args.take("strict")?;
    zip_lists(value, args, None)
}

fn zip_longest(_: &Rc<Env>, value: V, mut args: Args) -> R<V> {
    let fill = args.take("fillvalue")?.unwrap_or(V::None);
    zip_lists(value, args, Some(fill))
}

fn python_error(error: Error) -> Fail {
    Fail::Python(error.to_string().into())
}

fn from_yaml(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("from_yaml")?;
    match &value {
        V::None => Ok(V::None),
        V::Str(text) => Ok(V::lazy(&yaml::from_yaml(text.as_str()).map_err(python_error)?, env)),
        _ => Ok(value),
    }
}

fn from_yaml_all(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    args.none("from_yaml_all")?;
    match &value {
        V::None => Ok(V::list(Vec::new())),
        V::Str(text) => {
            let documents = yaml::from_yaml_all(text.as_str()).map_err(python_error)?;
            Ok(V::list(documents.iter().map(|v| V::lazy(v, env)).collect()))
        }
        _ => Ok(value),
    }
}

fn to_yaml(value: V, args: Args, nice: bool) -> R<V> {
    let name = if nice { "to_nice_yaml" } else { "to_yaml" };
    let mut options = if nice { yaml::DumpOptions::to_nice_yaml() } else { yaml::DumpOptions::to_yaml() };
    let mut kw = args.kw;
    for (i, given) in args.pos.into_iter().enumerate() {
        let names: &[&str] = if nice { &["indent"] } else { &["default_flow_style"] };
        match names.get(i) {
            Some(n) => kw.push(((*n).into(), given)),
            None => return Fail::python(format!("{name}() takes too many positional arguments")),
        }
    }
    for (key, given) in kw {
        dump_option(&mut options, &key, &given.need()?)?;
    }
    yaml::to_yaml(&finalize(&value)?, &options).map(V::str).map_err(python_error)
}

/// A keyword argument of PyYAML's `dump`.
fn dump_option(options: &mut yaml::DumpOptions, key: &str, given: &V) -> R<()> {
    let whole = || -> R<Option<i64>> {
        match given {
            V::None => Ok(None),
            V::Int(n) => Ok(Some(i64::try_from(*n).unwrap_or(i64::MAX))),
            V::Bool(b) => Ok(Some(i64::from(*b))),
            V::Float(f) if f.is_infinite() => Ok(Some(i64::MAX)),
            V::Float(f) => Ok(Some(*f as i64)),
            V::Str(text) if text.as_str().parse::<i64>().is_ok() => Ok(text.as_str().parse().ok()),
            other => {
                Fail::python(format!("'{}' object cannot be interpreted as an integer", other.type_name()))
            }
        }
    };
    match key {
        "indent" => options.indent = whole()?,
        "width" => options.width = whole()?,
        "sort_keys" => options.sort_keys = ops::truth(given)?,
        "allow_unicode" => options.allow_unicode = ops::truth(given)?,
        "canonical" => options.canonical = ops::truth(given)?,
        "explicit_start" => options.explicit_start = ops::truth(given)?,
        "explicit_end" => options.explicit_end = ops::truth(given)?,
        "default_flow_style" => {
            options.default_flow_style =
                if matches!(given, V::None) { None } else { Some(ops::truth(given)?) };
        }
        "default_style" => {
            use yaml::ScalarQuotes as Q;
            options.default_style = match given {
                V::None => Q::Any,
                other => match ops::to_str(other)?.as_str() {
                    "" => Q::Any,
                    "'" => Q::Single,
                    "\"" => Q::Double,
                    "|" => Q::Literal,
                    ">" => Q::Folded,
                    _ => return Fail::python("default_style must be one of ', \", | and >"),
                },
            };
        }
        "vault_to_text" | "dump_vault_tags" | "encoding" | "line_break" | "version" | "tags" => {}
        other => return Fail::python(format!("dump_all() got an unexpected keyword argument '{other}'")),
    }
    Ok(())
}

fn strftime(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("strftime", ["second", "utc"], 0)?;
    let format = ops::to_str(&value)?;
    let utc = b.bool(1, false)?;
    let second = match b.some(0) {
        None => None,
        Some(V::Int(i)) => Some(i as f64),
        Some(V::Float(f)) => Some(f),
        Some(other) => match super::jinja::parse_float(&ops::to_str(&other)?) {
            Some(f) => Some(f),
            None => return Fail::python(format!("Invalid value for epoch value ({})", ops::to_str(&other)?)),
        },
    };
    let micros = match second {
        Some(s) => (s * 1e6) as i64,
        None => chrono::Utc::now().timestamp_micros(),
    };
    let Some(at) = chrono::DateTime::from_timestamp_micros(micros) else {
        return Fail::python("timestamp out of range for platform time_t");
    };
    let zone =
        if utc { chrono::FixedOffset::east_opt(0) } else { Some(*at.with_timezone(&chrono::Local).offset()) };
    let local = match zone {
        Some(zone) => at.with_timezone(&zone).naive_local(),
        None => at.naive_utc(),
    };
    time::strftime(&local, zone.as_ref(), &format).map(V::str)
}

fn to_datetime(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("to_datetime", ["format"], 0)?;
    let format = b.string(0, "%Y-%m-%d %H:%M:%S")?;
    let text = ops::to_str(&value)?;
    time::parse(&text, &format)
}

#[allow(dead_code)]
fn path_of(value: &V, path: &V) -> R<(V, Value)> {
    let found = attribute_path(value, path)?;
    let value = finalize(&found)?;
    Ok((found, value))
}
