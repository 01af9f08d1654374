//! Tests of ansible.builtin: results of tasks, regular expressions, files, sets.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::rc::Rc;

use super::{Entry, version};
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::filters::Seen;
use crate::template::lookups;
use crate::template::object::{Fail, R, V};
use crate::template::regex::{self, Flags};
use crate::template::repr;

pub(super) const TESTS: &[Entry] = &[
    ("abs", |e, v, a| file(e, v, a, |p| p.is_absolute())),
    ("all", |_, v, a| every(v, a, true)),
    ("any", |_, v, a| every(v, a, false)),
    ("change", changed),
    ("changed", changed),
    ("contains", contains),
    ("directory", |e, v, a| file(e, v, a, |p| p.is_dir())),
    ("exists", |e, v, a| file(e, v, a, |p| p.exists())),
    ("failed", |_, v, a| flag(v, a, "failed", "failed")),
    ("failure", |_, v, a| flag(v, a, "failed", "failed")),
    ("falsy", |e, v, a| truthy(e, v, a).map(|t| !t)),
    ("file", |e, v, a| file(e, v, a, |p| p.is_file())),
    ("finished", finished),
    ("is_abs", |e, v, a| file(e, v, a, |p| p.is_absolute())),
    ("is_dir", |e, v, a| file(e, v, a, |p| p.is_dir())),
    ("is_file", |e, v, a| file(e, v, a, |p| p.is_file())),
    ("is_link", |e, v, a| file(e, v, a, |p| p.is_symlink())),
    ("is_mount", |e, v, a| file(e, v, a, is_mount)),
    ("is_same_file", same_file),
    ("isnan", nan),
    ("issubset", |_, v, a| subset(v, a, false)),
    ("issuperset", |_, v, a| subset(v, a, true)),
    ("link", |e, v, a| file(e, v, a, |p| p.is_symlink())),
    ("link_exists", |e, v, a| file(e, v, a, |p| p.symlink_metadata().is_ok())),
    ("match", |e, v, a| regex_test(e, v, a, Some("match"))),
    ("mount", |e, v, a| file(e, v, a, is_mount)),
    ("nan", nan),
    ("reachable", |_, v, a| flag(v, a, "reachable", "unreachable").map(|r| !r)),
    ("regex", |e, v, a| regex_test(e, v, a, None)),
    ("same_file", same_file),
    ("search", |e, v, a| regex_test(e, v, a, Some("search"))),
    ("skip", |_, v, a| flag(v, a, "skipped", "skipped")),
    ("skipped", |_, v, a| flag(v, a, "skipped", "skipped")),
    ("started", started),
    ("subset", |_, v, a| subset(v, a, false)),
    ("succeeded", |_, v, a| flag(v, a, "success", "failed").map(|f| !f)),
    ("success", |_, v, a| flag(v, a, "success", "failed").map(|f| !f)),
    ("successful", |_, v, a| flag(v, a, "success", "failed").map(|f| !f)),
    ("superset", |_, v, a| subset(v, a, true)),
    ("tagged_with", tagged_with),
    ("timedout", timed_out),
    ("truthy", truthy),
    ("unreachable", |_, v, a| flag(v, a, "unreachable", "unreachable")),
    ("uri", |_, v, a| uri(v, a, has_scheme)),
    ("url", |_, v, a| uri(v, a, |s| has_scheme(s) && s.contains("://"))),
    ("urn", |_, v, a| uri(v, a, |s| s.to_lowercase().starts_with("urn:"))),
    // Variables that are still encrypted never come here: see `still_encrypted`.
    ("vault_encrypted", |_, v, a| simple(a, v.as_str().is_some_and(|s| s.starts_with("$ANSIBLE_VAULT")))),
    ("vaulted_file", vaulted_file),
    ("version", version::test),
    ("version_compare", version::test),
];

fn simple(args: Args, result: bool) -> R<bool> {
    args.none("test")?;
    Ok(result)
}

/// A member of a task's result, as a truth value.
fn member(result: &V, key: &str) -> R<Option<V>> {
    iterate::member(result, key)
}

fn need_result(value: &V, test: &str) -> R<()> {
    match iterate::as_dict(value)? {
        Some(_) => Ok(()),
        None => {
            let shown = value.type_name();
            Fail::python(format!("The '{test}' test expects a dictionary, got {shown}"))
        }
    }
}

fn flag(value: V, args: Args, test: &str, key: &str) -> R<bool> {
    args.none(test)?;
    need_result(&value, test)?;
    member(&value, key)?.map_or(Ok(false), |v| ops::truth(&v))
}

fn changed(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    args.none("changed")?;
    need_result(&value, "changed")?;
    if let Some(changed) = member(&value, "changed")? {
        return ops::truth(&changed);
    }
    if let Some(results) = member(&value, "results")? {
        for item in iterate::items_of(&results)? {
            if let Some(changed) = member(&item, "changed")?
                && ops::truth(&changed)?
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn finished(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    args.none("finished")?;
    need_result(&value, "finished")?;
    member(&value, "finished")?.map_or(Ok(true), |v| ops::truth(&v))
}

fn started(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    args.none("started")?;
    need_result(&value, "started")?;
    member(&value, "started")?.map_or(Ok(true), |v| ops::truth(&v))
}

fn timed_out(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    args.none("timedout")?;
    need_result(&value, "timedout")?;
    let Some(inner) = member(&value, "timedout")? else { return Ok(false) };
    member(&inner, "period")?.map_or(Ok(false), |v| ops::truth(&v))
}

fn nan(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    args.none("nan")?;
    match &value {
        V::Float(f) => Ok(f.is_nan()),
        // Python's `math.isnan` refuses other things; the test says no.
        _ => Ok(false),
    }
}

fn every(value: V, args: Args, all: bool) -> R<bool> {
    args.none(if all { "all" } else { "any" })?;
    for item in iterate::items_of(&value)? {
        if ops::truth(&item)? != all {
            return Ok(!all);
        }
    }
    Ok(all)
}

fn contains(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    let b = args.bind("contains", ["value"], 1)?;
    ops::contains(&value, &b.value(0))
}

fn truthy(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    let b = args.bind("truthy", ["convert_bool"], 0)?;
    if b.bool(0, false)? {
        let word = match &value {
            V::Str(text) => match text.as_str().to_lowercase().as_str() {
                "yes" | "on" | "1" | "true" | "y" | "t" | "1.0" => Some(true),
                "no" | "off" | "0" | "false" | "n" | "f" | "0.0" => Some(false),
                _ => None,
            },
            _ => None,
        };
        if let Some(word) = word {
            return Ok(word);
        }
    }
    ops::truth(&value)
}

fn subset(value: V, args: Args, swapped: bool) -> R<bool> {
    let b = args.bind("issubset", ["b"], 1)?;
    let other = b.value(0);
    let (small, large) = if swapped { (&other, &value) } else { (&value, &other) };
    let mut seen = Seen::default();
    for item in iterate::items_of(large)? {
        seen.insert(&item)?;
    }
    for item in iterate::items_of(small)? {
        if !seen.contains(&item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn regex_test(env: &Rc<Env>, value: V, args: Args, fixed: Option<&str>) -> R<bool> {
    let names = ["pattern", "ignorecase", "multiline", "match_type"];
    let b = args.bind("regex", names, 0)?;
    let kind = match fixed {
        Some(kind) => kind.to_string(),
        None => b.string(3, "search")?,
    };
    let text = ops::to_str(&value)?;
    let pattern = b.string(0, "")?;
    let flags = Flags { ignore_case: b.bool(1, false)?, multi_line: b.bool(2, false)?, dot_all: false };
    let pattern = match kind.as_str() {
        "match" => format!("\\A(?:{pattern})"),
        "fullmatch" => format!("\\A(?:{pattern})\\Z"),
        "search" => pattern,
        other => return Fail::python(format!("Invalid match type {}", repr::quoted(other))),
    };
    regex::is_match(&*regex::compile(&env.templar, &pattern, flags)?, &text)
}

fn file(env: &Rc<Env>, value: V, args: Args, test: fn(&Path) -> bool) -> R<bool> {
    args.none("test")?;
    lookups::controller(env, "file test")?;
    Ok(test(Path::new(&ops::to_str(&value)?)))
}

fn is_mount(path: &Path) -> bool {
    let (Ok(here), Ok(above)) = (path.symlink_metadata(), path.join("..").metadata()) else { return false };
    !path.is_symlink() && (here.dev() != above.dev() || here.ino() == above.ino())
}

/// `ansible._protomatter.tagged_with('TrustedAsTemplate')`: the one tag that there is here.
fn tagged_with(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    let b = args.bind("tagged_with", ["name"], 1)?;
    match b.string(0, "")?.as_str() {
        "TrustedAsTemplate" => Ok(matches!(&value, V::Str(text) if text.is_template())),
        other => Fail::python(format!("tag {} is not known", repr::quoted(other))),
    }
}

fn same_file(env: &Rc<Env>, value: V, args: Args) -> R<bool> {
    let b = args.bind("samefile", ["other"], 1)?;
    lookups::controller(env, "file test")?;
    let id = |v: &V| -> R<Option<(u64, u64)>> {
        let path = ops::to_str(v)?;
        Ok(std::fs::metadata(&path).ok().map(|m| (m.dev(), m.ino())))
    };
    match (id(&value)?, id(&b.value(0))?) {
        (Some(a), Some(b)) => Ok(a == b),
        _ => Fail::python("No such file or directory"),
    }
}

fn vaulted_file(env: &Rc<Env>, value: V, args: Args) -> R<bool> {
    args.none("vaulted_file")?;
    lookups::controller(env, "file test")?;
    let path = ops::to_str(&value)?;
    match std::fs::read(&path) {
        Ok(data) => Ok(data.starts_with(b"$ANSIBLE_VAULT")),
        Err(error) => Fail::python(format!("Cannot test if the file {path} is a vault: {error}")),
    }
}

fn uri(value: V, args: Args, test: fn(&str) -> bool) -> R<bool> {
    let b = args.bind("uri", ["schemes"], 0)?;
    let text = ops::to_str(&value)?;
    if !test(&text) {
        return Ok(false);
    }
    let Some(schemes) = b.some(0) else { return Ok(true) };
    let scheme = text.split(':').next().unwrap_or("").to_lowercase();
    for allowed in iterate::items_of(&schemes)? {
        if ops::to_str(&allowed)? == scheme {
            return Ok(true);
        }
    }
    Ok(false)
}

fn has_scheme(text: &str) -> bool {
    match text.split_once(':') {
        Some((scheme, rest)) => {
            !rest.is_empty()
                && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        }
        None => false,
    }
}
