//! The functions of JMESPath.

use std::cmp::Ordering;

use jmespath::ast::Ast;

use super::{Query, list};
use crate::Key;
use crate::template::eval::{iterate, ops};
use crate::template::filters::json::{DumpOptions, dump_value};
use crate::template::object::{Dict, Fail, R, V};
use crate::template::repr;

/// What an argument may be; several in a row are alternatives.
type Kinds = &'static [&'static str];

const ANY: Kinds = &[];
const EXPRESSION: Kinds = &["expref"];
const NUMBER: Kinds = &["number"];
const STRING: Kinds = &["string"];
const ARRAY: Kinds = &["array"];
const OBJECT: Kinds = &["object"];
const NUMBERS: Kinds = &["array-number"];
const STRINGS: Kinds = &["array-string"];
const SORTABLE: Kinds = &["array-string", "array-number"];

/// A function's parameters; whether it takes more of the last.
fn signature(name: &str) -> Option<(&'static [Kinds], bool)> {
    Some(match name {
        "abs" | "ceil" | "floor" => (&[NUMBER], false),
        "avg" | "sum" => (&[NUMBERS], false),
        "contains" => (&[&["array", "string"], ANY], false),
        "ends_with" | "starts_with" => (&[STRING, STRING], false),
        "join" => (&[STRING, STRINGS], false),
        "keys" | "values" => (&[OBJECT], false),
        "length" => (&[&["string", "array", "object"]], false),
        "map" => (&[EXPRESSION, ARRAY], false),
        "max" | "min" | "sort" => (&[SORTABLE], false),
        "max_by" | "min_by" | "sort_by" => (&[ARRAY, EXPRESSION], false),
        "merge" => (&[OBJECT], true),
        "not_null" => (&[ANY], true),
        "reverse" => (&[&["array", "string"]], false),
        "to_array" | "to_number" | "to_string" | "type" => (&[ANY], false),
        _ => return None,
    })
}

pub(super) fn call(query: &Query<'_>, name: &str, args: &[Ast], value: &V) -> R<V> {
    let Some((parameters, more)) = signature(name) else {
        return Fail::python(format!("Unknown function: {name}()"));
    };
    let (wanted, given) = (parameters.len(), args.len());
    if given < wanted || (given > wanted && !more) {
        let least = if more { "at least " } else { "" };
        let plural = if wanted == 1 { "" } else { "s" };
        return Fail::python(format!(
            "Expected {least}{wanted} argument{plural} for function {name}(), received {given}"
        ));
    }
    let mut values = Vec::with_capacity(given);
    let mut expression = None;
    for (at, arg) in args.iter().enumerate() {
        let kinds = parameters[at.min(wanted - 1)];
        if let Ast::Expref { ast, .. } = arg {
            if kinds != EXPRESSION {
                return Fail::python(format!(
                    "In function {name}(), invalid type for value: &, expected one of: {}, received: \"expref\"",
                    listed(kinds)
                ));
            }
            expression = Some(&**ast);
            values.push(V::None);
            continue;
        }
        let value = query.eval(arg, value)?;
        check(name, &value, kinds)?;
        values.push(value);
    }
    let mut values = values.into_iter();
    let mut next = || values.next().unwrap_or(V::None);
    Ok(match name {
        "abs" => match next() {
            V::Int(i) => V::Int(i.saturating_abs()),
            V::Float(f) => V::Float(f.abs()),
            other => other,
        },
        "ceil" => rounded(&next(), f64::ceil),
        "floor" => rounded(&next(), f64::floor),
        "sum" => sum(&next())?,
        "avg" => {
            let items = next();
            match iterate::items_of(&items)?.len() {
                0 => V::None,
                count => V::Float(float(&sum(&items)?) / count as f64),
            }
        }
        "contains" => {
            let (all, one) = (next(), next());
            match &all {
                V::Str(text) => V::Bool(one.as_str().is_some_and(|part| text.as_str().contains(part))),
                _ => V::Bool(ops::contains(&all, &one)?),
            }
        }
        "starts_with" => V::Bool(ops::to_str(&next())?.starts_with(&ops::to_str(&next())?)),
        "ends_with" => V::Bool(ops::to_str(&next())?.ends_with(&ops::to_str(&next())?)),
        "join" => {
            let between = ops::to_str(&next())?;
            let parts = iterate::items_of(&next())?.iter().map(ops::to_str).collect::<R<Vec<_>>>()?;
            V::str(parts.join(&between))
        }
        "keys" => V::list(entries(&next())?.into_iter().map(|(key, _)| ops::from_key(&key)).collect()),
        "values" => V::list(entries(&next())?.into_iter().map(|(_, value)| value).collect()),
        "length" => match next() {
            V::Str(text) => V::int(text.as_str().chars().count() as u64),
            other => V::int(iterate::length(&other)?.unwrap_or(0) as u64),
        },
        "map" => {
            next();
            let items = iterate::items_of(&next())?;
            V::list(items.iter().map(|item| by(query, expression, item)).collect::<R<_>>()?)
        }
        "max" | "min" => extreme(iterate::items_of(&next())?.into_iter().map(|v| (v.clone(), v)), name)?,
        "max_by" | "min_by" => {
            let keyed = keyed(query, name, expression, &next())?;
            extreme(keyed.into_iter(), &name[..3])?
        }
        "sort" => {
            let mut items = iterate::items_of(&next())?;
            sort(&mut items, |item| item)?;
            V::list(items)
        }
        "sort_by" => {
            let mut items = keyed(query, name, expression, &next())?;
            sort(&mut items, |(key, _)| key)?;
            V::list(items.into_iter().map(|(_, item)| item).collect())
        }
        "merge" => {
            let mut all = Dict::new();
            for map in values {
                all.extend(entries(&map)?);
            }
            V::dict(all)
        }
        "not_null" => values.find(|value| !matches!(value, V::None)).unwrap_or(V::None),
        "reverse" => match next() {
            V::Str(text) => V::str(text.as_str().chars().rev().collect::<String>()),
            other => V::list(iterate::items_of(&other)?.into_iter().rev().collect()),
        },
        "to_array" => {
            let value = next();
            if list(&value)?.is_some() { value } else { V::list(vec![value]) }
        }
        "to_number" => match next() {
            V::Str(text) => number(text.as_str()),
            value @ (V::Int(_) | V::Float(_)) => value,
            _ => V::None,
        },
        "to_string" => match next() {
            value @ V::Str(_) => value,
            other => {
                let compact = DumpOptions {
                    item_separator: ",".into(),
                    key_separator: ":".into(),
                    ..DumpOptions::default()
                };
                V::str(dump_value(&other, &compact)?)
            }
        },
        _ => V::str(kind_of(&next())?),
    })
}

/// The name that JMESPath has for the type of a value.
fn kind_of(value: &V) -> R<&'static str> {
    Ok(match value.force()? {
        V::None => "null",
        V::Bool(_) => "boolean",
        V::Int(_) | V::Float(_) => "number",
        V::Str(_) => "string",
        other if list(&other)?.is_some() => "array",
        _ => "object",
    })
}

fn check(function: &str, value: &V, kinds: Kinds) -> R<()> {
    if kinds.is_empty() {
        return Ok(());
    }
    let kind = kind_of(value)?;
    let members: Vec<&str> = kinds.iter().filter_map(|kind| kind.strip_prefix("array-")).collect();
    if kinds.contains(&kind) {
        return Ok(());
    }
    let wrong = |value: &V, kind: &str| -> R<()> {
        Fail::python(format!(
            "In function {function}(), invalid type for value: {}, expected one of: {}, received: \"{kind}\"",
            ops::to_str(value)?,
            listed(kinds)
        ))
    };
    if members.is_empty() || kind != "array" {
        return wrong(value, kind);
    }
    // All members are what the first one is.
    let mut first = None;
    for item in iterate::items_of(value)? {
        let kind = kind_of(&item)?;
        if !members.contains(&kind) || *first.get_or_insert(kind) != kind {
            return wrong(&item, item.force()?.type_name());
        }
    }
    Ok(())
}

fn listed(kinds: Kinds) -> String {
    let quoted: Vec<String> = kinds.iter().map(|kind| repr::quoted(kind)).collect();
    format!("[{}]", quoted.join(", "))
}

fn entries(value: &V) -> R<Vec<(Key, V)>> {
    Ok(iterate::entries(value)?.unwrap_or_default())
}

fn by(query: &Query<'_>, expression: Option<&Ast>, item: &V) -> R<V> {
    expression.map_or(Ok(V::None), |ast| query.eval(ast, item))
}

/// Each item with what the expression gives for it: numbers or text, the same for all.
fn keyed(query: &Query<'_>, name: &str, expression: Option<&Ast>, items: &V) -> R<Vec<(V, V)>> {
    let mut out = Vec::new();
    let mut first = None;
    for item in iterate::items_of(items)? {
        let key = by(query, expression, &item)?;
        let kind = kind_of(&key)?;
        let wanted = *first.get_or_insert(kind);
        if !matches!(kind, "number" | "string") || kind != wanted {
            let kinds: Kinds = match wanted {
                "number" => NUMBER,
                "string" => STRING,
                _ => &["number", "string"],
            };
            check(name, &key, kinds)?;
        }
        out.push((key, item));
    }
    Ok(out)
}

fn extreme(items: impl Iterator<Item = (V, V)>, name: &str) -> R<V> {
    let wanted = if name == "max" { Ordering::Greater } else { Ordering::Less };
    let mut best: Option<(V, V)> = None;
    for (key, item) in items {
        let better = match &best {
            None => true,
            Some((known, _)) => ops::order(&key, known, "<")? == Some(wanted),
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map_or(V::None, |(_, item)| item))
}

fn sort<T>(items: &mut [T], key: impl Fn(&T) -> &V) -> R<()> {
    let mut failed = None;
    items.sort_by(|a, b| match ops::order(key(a), key(b), "<") {
        Ok(order) => order.unwrap_or(Ordering::Equal),
        Err(e) => {
            failed.get_or_insert(e);
            Ordering::Equal
        }
    });
    failed.map_or(Ok(()), Err)
}

fn float(value: &V) -> f64 {
    match value {
        V::Int(i) => *i as f64,
        V::Float(f) => *f,
        _ => 0.0,
    }
}

fn sum(items: &V) -> R<V> {
    let mut all = V::Int(0);
    for item in iterate::items_of(items)? {
        all = match (&all, &item.force()?) {
            (V::Int(a), V::Int(b)) => {
                a.checked_add(*b).map_or_else(|| V::Float(*a as f64 + *b as f64), V::Int)
            }
            (a, b) => V::Float(float(a) + float(b)),
        };
    }
    Ok(all)
}

fn rounded(value: &V, how: fn(f64) -> f64) -> V {
    match value {
        V::Float(f) if f.is_finite() => V::Int(how(*f) as i128),
        other => other.clone(),
    }
}

fn number(text: &str) -> V {
    let text = text.trim();
    match (text.parse::<i128>(), text.parse::<f64>()) {
        (Ok(i), _) => V::Int(i),
        (_, Ok(f)) => V::Float(f),
        _ => V::None,
    }
}
