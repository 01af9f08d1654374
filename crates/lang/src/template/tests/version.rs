//! The `version` test: loose and strict versions of distutils, semantic versions, PEP 440.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::ops;
use crate::template::object::{Fail, R, V};
use crate::template::repr;

pub(super) fn test(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    let b = args.bind("version_compare", ["version", "operator", "strict", "version_type"], 1)?;
    let operator = b.string(1, "eq")?;
    let kind = b.some(3).map(|v| ops::to_str(&v)).transpose()?;
    if b.some(2).is_some() && kind.is_some() {
        return Fail::python("Cannot specify both 'strict' and 'version_type'");
    }
    let (left, right) = (ops::to_str(&value)?, b.string(0, "")?);
    if left.is_empty() {
        return Fail::python("Input version value cannot be empty");
    }
    if right.is_empty() {
        return Fail::python("Version parameter to compare against cannot be empty");
    }
    const OPERATORS: [&str; 14] =
        ["==", "=", "eq", "<", "lt", "<=", "le", ">", "gt", ">=", "ge", "!=", "<>", "ne"];
    let holds: fn(Ordering) -> bool = match operator.as_str() {
        "==" | "=" | "eq" => |o| o == Ordering::Equal,
        "<" | "lt" => |o| o == Ordering::Less,
        "<=" | "le" => |o| o != Ordering::Greater,
        ">" | "gt" => |o| o == Ordering::Greater,
        ">=" | "ge" => |o| o != Ordering::Less,
        "!=" | "<>" | "ne" => |o| o != Ordering::Equal,
        other => {
            let known: Vec<String> = OPERATORS.iter().map(|o| repr::quoted(o)).collect();
            return Fail::python(format!(
                "Invalid operator type ({other}). Must be one of {}",
                known.join(", ")
            ));
        }
    };
    let kind = match kind.as_deref() {
        Some(kind) => kind.to_string(),
        None if b.bool(2, false)? => "strict".to_string(),
        None => "loose".to_string(),
    };
    let order = match kind.as_str() {
        "loose" => compare_loose(&left, &right),
        "strict" => compare_with(&left, &right, strict),
        "semver" | "semantic" => compare_with(&left, &right, semantic),
        "pep440" => compare_with(&left, &right, pep440),
        other => {
            return Fail::python(format!(
                "Invalid version type ({other}). Must be one of 'loose', 'strict', 'semver', 'semantic', 'pep440'"
            ));
        }
    };
    match order {
        Ok(order) => Ok(holds(order)),
        Err(message) => Fail::python(format!("Version comparison failed: {message}")),
    }
}

/// A part of a loose version: numbers do not compare with words.
#[derive(PartialEq, Debug)]
enum Part {
    Number(u128),
    Word(String),
}

fn parts(version: &str) -> Vec<Part> {
    let mut out: Vec<String> = Vec::new();
    let mut last = ' ';
    for c in version.chars() {
        let class = |c: char| {
            if c.is_ascii_digit() {
                'd'
            } else if c.is_ascii_lowercase() {
                'a'
            } else if c == '.' {
                '.'
            } else {
                'o'
            }
        };
        match out.last_mut() {
            Some(part) if class(c) == class(last) && c != '.' => part.push(c),
            _ => out.push(c.to_string()),
        }
        last = c;
    }
    out.retain(|p| p != ".");
    out.into_iter().map(|p| p.parse().map_or(Part::Word(p), Part::Number)).collect()
}

pub(crate) fn compare_loose(left: &str, right: &str) -> Result<Ordering, String> {
    let (a, b) = (parts(left), parts(right));
    for (x, y) in a.iter().zip(&b) {
        let order = match (x, y) {
            (Part::Number(x), Part::Number(y)) => x.cmp(y),
            (Part::Word(x), Part::Word(y)) => x.cmp(y),
            (Part::Number(_), Part::Word(_)) => {
                return Err("'<' not supported between instances of 'int' and 'str'".to_string());
            }
            (Part::Word(_), Part::Number(_)) => {
                return Err("'<' not supported between instances of 'str' and 'int'".to_string());
            }
        };
        if order != Ordering::Equal {
            return Ok(order);
        }
    }
    Ok(a.len().cmp(&b.len()))
}

fn compare_with<T: PartialOrd>(
    left: &str,
    right: &str,
    parse: fn(&str) -> Result<T, String>,
) -> Result<Ordering, String> {
    Ok(parse(left)?.partial_cmp(&parse(right)?).unwrap_or(Ordering::Equal))
}

/// `1.2.3a4`: distutils' strict version.
fn strict(version: &str) -> Result<(Vec<u128>, (u8, char, u128)), String> {
    let bad = || format!("invalid version number '{version}'");
    let at = version.find(['a', 'b']);
    let (numbers, pre) = match at {
        Some(at) => version.split_at(at),
        None => (version, ""),
    };
    let mut out: Vec<u128> =
        numbers.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| bad())?;
    if !(2..=3).contains(&out.len()) {
        return Err(bad());
    }
    out.resize(3, 0);
    let pre = match pre.chars().next() {
        Some(c) => (0, c, pre[1..].parse().map_err(|_| bad())?),
        None => (1, ' ', 0),
    };
    Ok((out, pre))
}

#[derive(PartialEq, PartialOrd)]
enum Ident {
    Number(u128),
    Word(String),
}

type Semantic = (u128, u128, u128, bool, Vec<Ident>);

/// Semantic versions (semver.org), without build data.
fn semantic(version: &str) -> Result<Semantic, String> {
    let bad = || format!("invalid semantic version '{version}'");
    let core = version.split('+').next().unwrap_or("");
    let (numbers, pre) = core.split_once('-').map_or((core, None), |(n, p)| (n, Some(p)));
    let mut parts = numbers.split('.').map(|n| {
        let leading_zero = n.len() > 1 && n.starts_with('0');
        if leading_zero || !n.bytes().all(|b| b.is_ascii_digit()) { None } else { n.parse::<u128>().ok() }
    });
    let mut next = || parts.next().flatten().ok_or_else(bad);
    let (major, minor, patch) = (next()?, next()?, next()?);
    if numbers.split('.').count() != 3 {
        return Err(bad());
    }
    let idents = match pre {
        None => Vec::new(),
        Some(pre) => pre
            .split('.')
            .map(|i| {
                let valid = !i.is_empty() && i.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
                if !valid {
                    return Err(bad());
                }
                Ok(i.parse().map_or_else(|_| Ident::Word(i.to_string()), Ident::Number))
            })
            .collect::<Result<_, _>>()?,
    };
    Ok((major, minor, patch, pre.is_none(), idents))
}

type Pep = (u128, Vec<u128>, (i8, u128), (i8, u128), (i8, u128), Vec<(u8, u128, String)>);

/// PEP 440.
fn pep440(version: &str) -> Result<Pep, String> {
    let bad = || format!("Invalid version: {}", repr::quoted(version));
    let text = version.trim().to_lowercase();
    let text = text.strip_prefix('v').unwrap_or(&text);
    let (public, local) = text.split_once('+').map_or((text, None), |(p, l)| (p, Some(l)));
    let (epoch, rest) = match public.split_once('!') {
        Some((epoch, rest)) => (epoch.parse().map_err(|_| bad())?, rest),
        None => (0, public),
    };
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
    let numbers = rest[..end].trim_end_matches('.');
    let mut suffix = &rest[numbers.len()..];
    let mut release: Vec<u128> =
        numbers.split('.').map(str::parse).collect::<Result<_, _>>().map_err(|_| bad())?;
    while release.len() > 1 && release.last() == Some(&0) {
        release.pop();
    }
    let (mut pre, mut post, mut dev) = (None, None, None);
    while !suffix.is_empty() {
        let trimmed = suffix.trim_start_matches(['.', '-', '_']);
        let dashed = suffix.starts_with('-');
        let word_end = trimmed.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(trimmed.len());
        let (word, tail) = trimmed.split_at(word_end);
        let tail_digits = tail.trim_start_matches(['.', '-', '_']);
        let number_end = tail_digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(tail_digits.len());
        let number = tail_digits[..number_end].parse().unwrap_or(0);
        let has_number = number_end > 0;
        match word {
            "a" | "alpha" if pre.is_none() => pre = Some((0i8, number)),
            "b" | "beta" if pre.is_none() => pre = Some((1, number)),
            "c" | "rc" | "pre" | "preview" if pre.is_none() => pre = Some((2, number)),
            "post" | "rev" | "r" if post.is_none() => post = Some(number),
            "" if dashed && has_number && post.is_none() => post = Some(number),
            "dev" if dev.is_none() => dev = Some(number),
            _ => return Err(bad()),
        }
        suffix = if has_number { &tail_digits[number_end..] } else { tail };
        if !has_number && suffix == tail && !tail.is_empty() && word.is_empty() {
            return Err(bad());
        }
    }
    let pre_key = match (pre, post, dev) {
        (Some(pre), ..) => pre,
        (None, None, Some(_)) => (-1, 0),
        _ => (3, 0),
    };
    let post_key = post.map_or((-1, 0), |n| (0, n));
    let dev_key = dev.map_or((1, 0), |n| (0, n));
    let local = local.map_or(Vec::new(), |l| {
        l.split(['.', '-', '_'])
            .map(|p| p.parse().map_or((0, 0, p.to_string()), |n| (1, n, String::new())))
            .collect()
    });
    Ok((epoch, release, pre_key, post_key, dev_key, local))
}
