//! Lookups that rearrange lists: what `with_items`, `with_nested`, `with_together` and the like go over.

use std::rc::Rc;

use super::{Entry, flattened_terms};
use crate::Key;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::object::{Dict, Fail, R, V};
use crate::template::{printf, random, repr};

pub(super) const LOOKUPS: &[Entry] = &[
    ("cartesian", |e, a| nested(e, a, false)),
    ("dict", dict),
    ("flattened", flattened),
    ("indexed_items", indexed_items),
    ("items", items),
    ("list", |_, a| Ok(a.pos)),
    ("nested", |e, a| nested(e, a, true)),
    ("random_choice", random_choice),
    ("sequence", sequence),
    ("subelements", subelements),
    ("together", together),
];

fn items(_: &Rc<Env>, args: Args) -> R<Vec<V>> {
    flattened_terms(&args)
}

fn indexed_items(_: &Rc<Env>, args: Args) -> R<Vec<V>> {
    let items = flattened_terms(&args)?;
    Ok(items.into_iter().enumerate().map(|(i, v)| V::tuple(vec![V::int(i as u64), v])).collect())
}

fn flattened(_: &Rc<Env>, args: Args) -> R<Vec<V>> {
    fn walk(value: &V, out: &mut Vec<V>, depth: usize) -> R<()> {
        if depth > 200 {
            return Fail::python("lists are nested too deeply");
        }
        let value = value.need()?;
        match iterate::as_list(&value)? {
            Some(items) => items.iter().try_for_each(|v| walk(v, out, depth + 1)),
            None if matches!(value, V::None) => Ok(()),
            None => {
                out.push(value);
                Ok(())
            }
        }
    }
    let mut out = Vec::new();
    for term in &args.pos {
        walk(term, &mut out, 0)?;
    }
    Ok(out)
}

fn dict(_: &Rc<Env>, args: Args) -> R<Vec<V>> {
    let mut out = Vec::new();
    for term in &args.pos {
        let Some(entries) = iterate::entries(term)? else {
            let (shown, kind) = (ops::text_of(term)?, term.type_name());
            return Fail::python(format!(
                "the 'dict' lookup plugin expects a dictionary, got '{}' of type <class '{kind}'>)",
                shown.as_str()
            ));
        };
        for (key, value) in entries {
            let item: Dict =
                [(Key::from("key"), ops::from_key(&key)), (Key::from("value"), value)].into_iter().collect();
            out.push(V::dict(item));
        }
    }
    Ok(out)
}

fn together(_: &Rc<Env>, args: Args) -> R<Vec<V>> {
    if args.pos.is_empty() {
        return Fail::python("with_together requires at least one element in each list");
    }
    let lists: Vec<Vec<V>> = args.pos.iter().map(listify).collect::<R<_>>()?;
    let len = lists.iter().map(Vec::len).max().unwrap_or(0);
    Ok((0..len)
        .map(|i| V::list(lists.iter().map(|l| l.get(i).cloned().unwrap_or(V::None)).collect()))
        .collect())
}

/// A term as a list: a single value is a list of one.
fn listify(term: &V) -> R<Vec<V>> {
    Ok(match iterate::as_list(term)? {
        Some(items) => items,
        None => match iterate::entries(term)? {
            Some(entries) => entries.into_iter().map(|(k, _)| ops::from_key(&k)).collect(),
            None => vec![term.need()?],
        },
    })
}

fn nested(env: &Rc<Env>, args: Args, is_nested: bool) -> R<Vec<V>> {
    let lists: Vec<Vec<V>> = args.pos.iter().map(listify).collect::<R<_>>()?;
    if lists.is_empty() {
        return if is_nested {
            Fail::python("with_nested requires at least one element in the nested list")
        } else {
            Fail::python("with_cartesian requires at least one element in each list")
        };
    }
    let mut rows: Vec<Vec<V>> = vec![Vec::new()];
    for list in lists {
        let count = rows.len().saturating_mul(list.len());
        if count > 10_000_000 {
            return Fail::python("the product of the lists is too large");
        }
        env.limits.spend(count as u64)?;
        rows = rows
            .iter()
            .flat_map(|row| {
                list.iter().map(move |item| {
                    let mut row = row.clone();
                    match item {
                        V::Tuple(parts) if is_nested => row.extend(parts.iter().cloned()),
                        item => row.push(item.clone()),
                    }
                    row
                })
            })
            .collect();
    }
    // Members that are lists themselves are flattened into the row.
    rows.into_iter()
        .map(|row| {
            let mut flat = Vec::new();
            for item in row {
                match iterate::as_list(&item)? {
                    Some(items) => flat.extend(items),
                    None => flat.push(item),
                }
            }
            Ok(V::list(flat))
        })
        .collect()
}

fn random_choice(_: &Rc<Env>, args: Args) -> R<Vec<V>> {
    let terms = flattened_terms(&args)?;
    if terms.is_empty() {
        return Ok(terms);
    }
    let chosen = random::below(terms.len() as u64)?;
    Ok(terms.get(usize::try_from(chosen).unwrap_or(0)).cloned().into_iter().collect())
}

fn subelements(_: &Rc<Env>, args: Args) -> R<Vec<V>> {
    const START: &str = "subelements lookup expects a list of two or three items, ";
    let mut terms = args.pos.clone();
    if terms.len() == 1
        && let Some(inner) = iterate::as_list(&terms[0])?
    {
        terms = inner;
    }
    if !(2..=3).contains(&terms.len()) {
        return Fail::python(START.trim_end());
    }
    let elements = terms[0].need()?;
    // The result of a task that was skipped.
    if let Some(flag) = iterate::member(&elements, "skipped")?
        && ops::truth(&flag)?
    {
        return Ok(Vec::new());
    }
    let elements = match iterate::entries(&elements)? {
        Some(entries) => Some(entries.into_iter().map(|(_, v)| v).collect()),
        None => iterate::as_list(&elements)?,
    };
    let (Some(elements), V::Str(path)) = (elements, terms[1].need()?) else {
        return Fail::python(format!(
            "{START}first a dict or a list, second a string pointing to the subkey"
        ));
    };
    let path: Vec<&str> = path.as_str().split('.').collect();
    let skip = match terms.get(2).map(V::need).transpose()? {
        None => false,
        Some(flags) if iterate::as_dict(&flags)?.is_none() => {
            return Fail::python(format!(
                "{START}the optional third item must be a dict with flags skip_missing"
            ));
        }
        Some(flags) => match iterate::member(&flags, "skip_missing")? {
            Some(flag) => word_is_true(&flag)?,
            None => false,
        },
    };
    let mut out = Vec::new();
    for element in elements {
        let element = element.need()?;
        if iterate::as_dict(&element)?.is_none() {
            let shown = repr::repr(&element)?;
            return Fail::python(format!("subelements lookup expects a dictionary, got '{shown}'"));
        }
        // What a loop skipped has no sub-elements.
        if let Some(flag) = iterate::member(&element, "skipped")?
            && ops::truth(&flag)?
        {
            continue;
        }
        for item in below(&element, &path, skip)? {
            out.push(V::tuple(vec![element.clone(), item]));
        }
    }
    Ok(out)
}

/// The list at the end of a path of keys; nothing if it may be missing and is.
fn below(element: &V, path: &[&str], skip_missing: bool) -> R<Vec<V>> {
    let mut at = element.clone();
    for (i, key) in path.iter().enumerate() {
        let Some(found) = iterate::member(&at, key)? else {
            if skip_missing {
                return Ok(Vec::new());
            }
            return Fail::python(format!(
                "could not find {} key in iterated item '{}'",
                repr::quoted(key),
                repr::repr(&at)?
            ));
        };
        at = found.need()?;
        let last = i + 1 == path.len();
        let wanted = match last {
            true if iterate::as_list(&at)?.is_none() => "list",
            false if iterate::as_dict(&at)?.is_none() => "dictionary",
            _ => continue,
        };
        if skip_missing && !last {
            return Ok(Vec::new());
        }
        let shown = repr::repr(&at)?;
        return Fail::python(format!("the key {key} should point to a {wanted}, got '{shown}'"));
    }
    iterate::items_of(&at)
}

fn word_is_true(value: &V) -> R<bool> {
    match value.as_str() {
        Some(word) => Ok(matches!(word.to_lowercase().as_str(), "yes" | "on" | "1" | "true" | "y" | "t")),
        None => ops::truth(value),
    }
}

/// `start=1 end=5 stride=2 format=x%02d`, or `1-5/2:x%02d`, or options; a term's own settings are stronger.
fn sequence(env: &Rc<Env>, args: Args) -> R<Vec<V>> {
    let mut out = Vec::new();
    let terms = flattened_terms(&args)?;
    let mut options = Vec::new();
    for (key, value) in &args.kw {
        options.push((key.to_string(), ops::to_str(value)?));
    }
    if terms.is_empty() && !options.is_empty() {
        Sequence::read(&options)?.run(env, &mut out)?;
    }
    for term in terms {
        let text = ops::to_str(&term)?;
        let mut settings = options.clone();
        match Sequence::shortcut(&text) {
            Some(short) => settings.extend(short),
            None => {
                for word in text.split_whitespace() {
                    settings.push(match word.split_once('=') {
                        Some((key, value)) => (key.to_string(), value.to_string()),
                        None => ("_raw_params".to_string(), word.to_string()),
                    });
                }
            }
        }
        Sequence::read(&settings)?.run(env, &mut out)?;
    }
    Ok(out)
}

struct Sequence {
    start: i128,
    end: Option<i128>,
    count: Option<i128>,
    stride: i128,
    format: String,
}

impl Default for Sequence {
    fn default() -> Self {
        Self { start: 1, end: None, count: None, stride: 1, format: "%d".into() }
    }
}

impl Sequence {
    fn read(settings: &[(String, String)]) -> R<Self> {
        let mut sequence = Self::default();
        for (key, value) in settings {
            let number = || -> R<i128> {
                value.trim().parse().or_else(|_| {
                    Fail::python(format!(
                        "Config '{key}' for 'sequence' lookup plugin from 'Direct' has an invalid value: Invalid value provided for 'integer': {}",
                        repr::quoted(value)
                    ))
                })
            };
            match key.as_str() {
                "start" => sequence.start = number()?,
                "end" => sequence.end = Some(number()?),
                "count" => sequence.count = Some(number()?),
                "stride" => sequence.stride = number()?,
                "format" => sequence.format = value.clone(),
                other => {
                    return Fail::python(format!(
                        "unrecognized arguments to with_sequence: [{}]",
                        repr::quoted(other)
                    ));
                }
            }
        }
        Ok(sequence)
    }

    /// `[start-]end[/stride][:format]`; numbers are looked at later.
    fn shortcut(text: &str) -> Option<Vec<(String, String)>> {
        let (numbers, format) = match text.split_once(':') {
            Some((numbers, format)) => (numbers, Some(format)),
            None => (text, None),
        };
        let (range, stride) = match numbers.split_once('/') {
            Some((range, stride)) => (range, Some(stride)),
            None => (numbers, None),
        };
        let (start, end) = match range.split_once('-') {
            Some((start, end)) => (Some(start), end),
            None => (None, range),
        };
        let word = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_alphanumeric());
        let plain = end.starts_with(|c: char| c.is_ascii_digit());
        let shortcut = word(end) && start.is_none_or(word) && stride.is_none_or(word);
        // A single word is a number or not meant for this.
        if !shortcut || (start.is_none() && stride.is_none() && !plain) {
            return None;
        }
        let named = [("start", start), ("end", Some(end)), ("stride", stride), ("format", format)];
        Some(named.iter().filter_map(|(k, v)| Some((k.to_string(), (*v)?.to_string()))).collect())
    }

    fn run(mut self, env: &Rc<Env>, out: &mut Vec<V>) -> R<()> {
        if let Some(count) = self.count {
            if self.end.is_some() {
                return Fail::python("can't specify both count and end in with_sequence");
            }
            if count == 0 {
                return Ok(());
            }
            // One short of the next step, whatever the direction.
            self.end = Some(self.start + count * self.stride - 1);
        }
        let Some(end) = self.end else {
            return Fail::python("must specify count or end in with_sequence");
        };
        if self.stride == 0 {
            return Ok(());
        }
        if self.stride > 0 && end < self.start {
            return Fail::python("to count backwards make stride negative");
        }
        if self.stride < 0 && end > self.start {
            return Fail::python("to count forward don't make stride negative");
        }
        if self.format.matches('%').count() != 1 {
            return Fail::python(format!("bad formatting string: {}", self.format));
        }
        let step = if self.stride > 0 { 1 } else { -1 };
        let len = ops::range_len(self.start, end + step, self.stride);
        if len > 10_000_000 {
            return Fail::python("the sequence is too long");
        }
        env.limits.spend(u64::try_from(len).unwrap_or(u64::MAX))?;
        for i in 0..len {
            let n = V::Int(self.start + i * self.stride);
            match printf::format(&self.format, &n) {
                Ok(text) => out.push(V::str(text)),
                Err(_) => {
                    return Fail::python(format!("problem formatting {} with '{}'", self.start, self.format));
                }
            }
        }
        Ok(())
    }
}
