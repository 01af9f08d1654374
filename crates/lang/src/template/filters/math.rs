//! Ansible's filters on numbers and sizes, and those that arrange items.

use std::rc::Rc;

use super::Entry;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::object::{Fail, R, V};

pub(super) const FILTERS: &[Entry] = &[
    ("combinations", combinations),
    ("human_readable", human_readable),
    ("human_to_bytes", human_to_bytes),
    ("log", log),
    ("permutations", permutations),
    ("pow", pow),
    ("product", product),
    ("root", root),
];

/// Rows that one filter may make.
const MAX_ROWS: usize = 10_000_000;

/// What Python's `math` takes.
fn real(value: &V, filter: &str) -> R<f64> {
    match value.need()? {
        V::Int(i) => Ok(i as f64),
        V::Bool(b) => Ok(f64::from(u8::from(b))),
        V::Float(f) => Ok(f),
        other => Fail::python(format!(
            "{filter}() can only be used on numbers: must be real number, not {}",
            other.type_name()
        )),
    }
}

fn log(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("logarithm", ["base"], 0)?;
    let x = real(&value, "log")?;
    let base = b.get(0).map(|base| real(base, "log")).transpose()?;
    if x <= 0.0 || base.is_some_and(|base| base <= 0.0) {
        return Fail::python("math domain error");
    }
    match base {
        None => Ok(V::Float(x.ln())),
        Some(1.0) => Fail::python("float division by zero"),
        Some(10.0) => Ok(V::Float(x.log10())),
        Some(base) => Ok(V::Float(x.ln() / base.ln())),
    }
}

fn pow(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("power", ["y"], 1)?;
    power(real(&value, "pow")?, real(&b.value(0), "pow")?, "").map(V::Float)
}

/// `math.pow`, with what stands before its complaints.
fn power(x: f64, y: f64, start: &str) -> R<f64> {
    let out = x.powf(y);
    let outside = (out.is_nan() && !x.is_nan() && !y.is_nan()) || (x == 0.0 && y < 0.0);
    if outside {
        return Fail::python(format!("{start}math domain error"));
    }
    if out.is_infinite() && x.is_finite() && y.is_finite() {
        return Fail::python("math range error");
    }
    Ok(out)
}

fn root(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("inversepower", ["base"], 0)?;
    const START: &str = "root() can only be used on numbers: ";
    let base = match b.get(0) {
        None => 2.0,
        Some(V::Str(text)) => match super::jinja::parse_float(text.as_str()) {
            Some(base) => base,
            None => {
                let shown = crate::template::repr::quoted(text.as_str());
                return Fail::python(format!("{START}could not convert string to float: {shown}"));
            }
        },
        Some(base) => real(base, "root")?,
    };
    let x = real(&value, "root")?;
    if base == 2.0 {
        return match x < 0.0 {
            true => Fail::python(format!("{START}math domain error")),
            false => Ok(V::Float(x.sqrt())),
        };
    }
    if base == 0.0 {
        return Fail::python("float division by zero");
    }
    power(x, 1.0 / base, START).map(V::Float)
}

/// Letters of the sizes and the powers of 1024 that they stand for.
const UNITS: [(char, u32); 8] =
    [('Y', 8), ('Z', 7), ('E', 6), ('P', 5), ('T', 4), ('G', 3), ('M', 2), ('K', 1)];

fn human_readable(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("human_readable", ["isbits", "unit"], 0)?;
    let bits = b.bool(0, false)?;
    let unit = b.some(1).map(|unit| ops::to_str(&unit)).transpose()?.map(|unit| unit.to_uppercase());
    let size = match value {
        V::Int(i) => i as f64,
        V::Bool(flag) => f64::from(u8::from(flag)),
        V::Float(f) => f,
        other => {
            return Fail::python(format!(
                "human_readable() failed on bad input: '>=' not supported between instances of '{}' and 'int'",
                other.type_name()
            ));
        }
    };
    let (base, letter) = if bits { ("bits", "b") } else { ("Bytes", "B") };
    let fits = |letter: char, limit: f64| match &unit {
        None => size >= limit,
        Some(unit) => *unit == letter.to_string(),
    };
    let found = UNITS.iter().map(|(c, power)| (*c, 1024f64.powi(*power as i32))).find(|(c, l)| fits(*c, *l));
    Ok(V::str(match found {
        Some((c, limit)) => format!("{:.2} {c}{letter}", size / limit),
        None => format!("{size:.2} {base}"),
    }))
}

fn human_to_bytes(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("human_to_bytes", ["default_unit", "isbits"], 0)?;
    let default_unit = b.some(0).map(|unit| ops::to_str(&unit)).transpose()?;
    match bytes_of_size(&ops::to_str(&value)?, default_unit.as_deref(), b.bool(1, false)?) {
        Ok(bytes) => Ok(V::Int(bytes)),
        Err(message) => Fail::python(format!("human_to_bytes() can't interpret the input: {message}")),
    }
}

/// `10.5 MB` as a number of bytes (or bits).
fn bytes_of_size(text: &str, default_unit: Option<&str>, bits: bool) -> Result<i128, String> {
    let trimmed = text.trim_start();
    let digits = trimmed.len() - trimmed.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (number, rest) = trimmed.split_at(digits);
    let rest = rest.trim_start();
    let word: String = rest.chars().take_while(|c| c.is_ascii_alphabetic()).collect();
    let unreadable = || format!("human_to_bytes() can't interpret following string: {text}");
    if !number.starts_with(|c: char| c.is_ascii_digit()) || !rest[word.len()..].trim().is_empty() {
        return Err(unreadable());
    }
    let amount: f64 = number.parse().map_err(|_| {
        format!("human_to_bytes() can't interpret following number: {number} (original input string: {text})")
    })?;
    let unit = if word.is_empty() { default_unit.unwrap_or_default() } else { word.as_str() };
    let Some(first) = unit.chars().next() else { return Ok(round_half_even(amount)) };
    let key = first.to_ascii_uppercase();
    let power = match UNITS.iter().find(|(letter, _)| *letter == key) {
        Some((_, power)) => *power,
        None if key == 'B' => 0,
        None => {
            return Err(format!(
                "human_to_bytes() failed to convert {text} (unit = {unit}). The suffix must be one of Y, Z, E, P, T, G, M, K, B"
            ));
        }
    };
    let (letter, name) = if bits { ("b", "bit") } else { ("B", "byte") };
    if unit.len() > 1 {
        // A unit of several letters says bits or bytes, and has to say what was asked for.
        let (short, long) = match power {
            0 => (letter.to_string(), name.to_string()),
            _ => (format!("{key}{letter}"), format!("{}{name}", prefix_name(key))),
        };
        let same = unit == short || unit.to_lowercase() == long;
        if !same {
            let wanted = if power == 0 { format!("{letter} or {name}") } else { format!("{short} or {key}") };
            return Err(format!(
                "human_to_bytes() failed to convert {text}. Value is not a valid string (expect {wanted})"
            ));
        }
    }
    Ok(round_half_even(amount * 1024f64.powi(power as i32)))
}

fn prefix_name(letter: char) -> &'static str {
    match letter {
        'Y' => "yotta",
        'Z' => "zetta",
        'E' => "exa",
        'P' => "peta",
        'T' => "tera",
        'G' => "giga",
        'M' => "mega",
        _ => "kilo",
    }
}

fn round_half_even(x: f64) -> i128 {
    x.round_ties_even() as i128
}

/// May there be as many rows of that width?
fn within_limits(env: &Rc<Env>, rows: usize, width: usize) -> R<()> {
    if rows > MAX_ROWS {
        return Fail::python("there are too many rows");
    }
    env.limits.spend(1)?;
    env.limits.allocate(size_of::<V>().saturating_mul(width.saturating_add(2)))
}

fn combinations(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("combinations", ["r"], 1)?;
    let pool = iterate::items_of(&value)?;
    let Ok(size) = usize::try_from(b.int(0, 0)?) else { return Fail::python("r must be non-negative") };
    let mut rows = Vec::new();
    let mut chosen: Vec<usize> = (0..size).collect();
    while size <= pool.len() {
        within_limits(env, rows.len(), size)?;
        rows.push(V::tuple(chosen.iter().map(|i| pool[*i].clone()).collect()));
        // The last place that can still move on; the places after it follow it.
        let Some(place) = (0..size).rev().find(|i| chosen[*i] != i + pool.len() - size) else { break };
        chosen[place] += 1;
        for i in place + 1..size {
            chosen[i] = chosen[i - 1] + 1;
        }
    }
    Ok(V::list(rows))
}

fn permutations(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    fn go(env: &Rc<Env>, pool: &[V], size: usize, row: &mut Vec<usize>, rows: &mut Vec<V>) -> R<()> {
        if row.len() == size {
            within_limits(env, rows.len(), size)?;
            rows.push(V::tuple(row.iter().map(|i| pool[*i].clone()).collect()));
            return Ok(());
        }
        for i in 0..pool.len() {
            if !row.contains(&i) {
                row.push(i);
                go(env, pool, size, row, rows)?;
                row.pop();
            }
        }
        Ok(())
    }
    let b = args.bind("permutations", ["r"], 0)?;
    let pool = iterate::items_of(&value)?;
    let Ok(size) = usize::try_from(b.int(0, pool.len() as i128)?) else {
        return Fail::python("r must be non-negative");
    };
    let mut rows = Vec::new();
    if size <= pool.len() {
        go(env, &pool, size, &mut Vec::new(), &mut rows)?;
    }
    Ok(V::list(rows))
}

fn product(env: &Rc<Env>, value: V, mut args: Args) -> R<V> {
    let repeat = match args.take("repeat")? {
        None => 1,
        Some(V::Int(n)) if n >= 0 => usize::try_from(n).unwrap_or(usize::MAX),
        Some(V::Int(_)) => return Fail::python("repeat argument cannot be negative"),
        Some(other) => {
            let name = other.type_name();
            return Fail::python(format!("'{name}' object cannot be interpreted as an integer"));
        }
    };
    if let Some((name, _)) = args.kw.first() {
        return Fail::python(format!("'{name}' is an invalid keyword argument for product()"));
    }
    let lists: Vec<Vec<V>> =
        std::iter::once(&value).chain(&args.pos).map(iterate::items_of).collect::<R<_>>()?;
    let mut rows: Vec<Vec<V>> = vec![Vec::new()];
    for list in std::iter::repeat_n(&lists, repeat).flatten() {
        let more = rows.len().saturating_mul(list.len());
        let width = rows.first().map_or(0, Vec::len) + 1;
        within_limits(env, more, more.saturating_mul(width))?;
        rows = rows
            .iter()
            .flat_map(|row| list.iter().map(move |item| row.iter().cloned().chain([item.clone()]).collect()))
            .collect();
    }
    Ok(V::list(rows.into_iter().map(V::tuple).collect()))
}
