//! Filters: those of Jinja2, of ansible.builtin, and of the collections that public playbooks use.

mod crypt;
mod data;
mod general;
mod hashes;
mod ip;
mod jinja;
mod json;
mod json_query;
mod math;
mod paths;
mod sequences;
mod strings;
mod urls;
mod vault;

pub use paths::expandvars;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::OnceLock;

use crate::Error;
use crate::error::ErrorKind;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::object::{Fail, R, V};
use crate::template::suggest;

pub(crate) use crypt::{crypt, random_salt};
pub(crate) use hashes::decode;
pub(crate) use ip::{address::Address, is_hardware_address};
#[allow(unused_imports)]
pub(crate) use json::{DumpOptions, dump_value, json_error};
pub(crate) use paths::{expanduser as expand_user, glob_files};
pub(crate) use sequences::Seen;

/// A filter: environment, operand, arguments.
pub(crate) type FilterFn = fn(&Rc<Env>, V, Args) -> R<V>;

/// A name, its collection, and the function.
pub(crate) type Entry = (&'static str, FilterFn);

struct Known {
    run: FilterFn,
    collection: &'static str,
    name: &'static str,
}

/// Filters that are handed undefined values; all others pass an undefined operand or argument through.
const TAKES_UNDEFINED: &[&str] = &["default", "d", "mandatory", "type_debug", "ternary"];

fn table() -> &'static HashMap<&'static str, Known> {
    static TABLE: OnceLock<HashMap<&'static str, Known>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = HashMap::new();
        let groups: &[(&'static str, &[Entry])] = &[
            ("ansible.builtin", jinja::FILTERS),
            ("ansible.builtin", sequences::FILTERS),
            ("ansible.builtin", strings::FILTERS),
            ("ansible.builtin", data::FILTERS),
            ("ansible.builtin", json::FILTERS),
            ("ansible.builtin", paths::FILTERS),
            ("ansible.builtin", hashes::FILTERS),
            ("ansible.builtin", crypt::FILTERS),
            ("ansible.builtin", math::FILTERS),
            ("ansible.builtin", urls::FILTERS),
            ("ansible.builtin", vault::FILTERS),
            ("ansible.utils", ip::FILTERS),
            ("community.general", general::FILTERS),
            ("community.general", json_query::FILTERS),
        ];
        for (collection, entries) in groups {
            for (name, run) in *entries {
                table.insert(*name, Known { run: *run, collection, name });
            }
        }
        table
    })
}

pub(crate) fn names() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = table().keys().copied().collect();
    names.sort_unstable();
    names
}

/// The filter of that name, with or without its collection in front.
fn find(name: &str) -> Option<&'static Known> {
    if let Some(known) = table().get(name) {
        return Some(known);
    }
    let (collection, short) = name.rsplit_once('.')?;
    let known = table().get(short)?;
    let builtin = matches!(collection, "ansible.builtin" | "ansible.legacy" | "ansible._protomatter");
    // Filters moved between collections over the years; the name decides.
    (builtin == (known.collection == "ansible.builtin") && collection.contains('.')).then_some(known)
}

fn unknown(name: &str) -> String {
    format!("No filter named '{name}'.")
}

/// Apply the filter `name`.
pub(crate) fn apply(name: &str, operand: V, args: Args, env: &Rc<Env>) -> R<V> {
    let Some(known) = find(name) else {
        let mut error =
            Error::new(format!("Syntax error in template: {}", unknown(name))).with_kind(ErrorKind::Syntax);
        if let Some(best) = suggest::nearest(name, names()) {
            error = error.with_help(format!("did you mean `{best}`?"));
        }
        return Err(error.into());
    };
    run(known, operand, args, env)
}

/// Apply a filter that another filter names (`map('name')`): a failure to find it is that filter's failure.
pub(crate) fn apply_named(name: &str, operand: V, args: Args, env: &Rc<Env>) -> R<V> {
    match find(name) {
        Some(known) => run(known, operand, args, env),
        None => Fail::python(unknown(name)),
    }
}

fn run(known: &'static Known, operand: V, mut args: Args, env: &Rc<Env>) -> R<V> {
    env.limits.spend(2)?;
    let mut operand = operand.force()?;
    if !TAKES_UNDEFINED.contains(&known.name) {
        if operand.is_undef() {
            return Ok(operand);
        }
        for value in args.pos.iter_mut().chain(args.kw.iter_mut().map(|(_, v)| v)) {
            *value = value.force()?;
            if value.is_undef() {
                return Ok(value.clone());
            }
        }
    } else if let V::Undef(_) = &operand {
        operand = operand.clone();
    }
    match env.limits.deeper(|| (known.run)(env, operand, args)) {
        Err(Fail::Python(message)) => {
            let plugin = format!("{}.{}", known.collection, known.name);
            let cause = Error::new(message.into_string());
            Err(Error::new(format!("The filter plugin '{plugin}' failed")).caused_by(cause).into())
        }
        Err(Fail::Undefined(undef)) => Ok(V::Undef(undef)),
        other => other,
    }
}
