//! Tests: `x is name(...)`, those of Jinja2, of ansible.builtin, and of common collections.

mod addresses;
mod builtin;
mod jinja;
mod version;

pub(crate) use version::compare_loose;

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::OnceLock;

use crate::Error;
use crate::error::ErrorKind;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::object::{Fail, R, V};
use crate::template::suggest;

pub(crate) type TestFn = fn(&Rc<Env>, V, Args) -> R<bool>;
pub(crate) type Entry = (&'static str, TestFn);

const TAKES_UNDEFINED: &[&str] = &["defined", "undefined"];

struct Known {
    run: TestFn,
    collection: &'static str,
    name: &'static str,
}

fn table() -> &'static HashMap<&'static str, Known> {
    static TABLE: OnceLock<HashMap<&'static str, Known>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table = HashMap::new();
        let groups: &[(&'static str, &[Entry])] = &[
            ("ansible.builtin", jinja::TESTS),
            ("ansible.builtin", builtin::TESTS),
            ("ansible.utils", addresses::TESTS),
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

fn find(name: &str) -> Option<&'static Known> {
    if let Some(known) = table().get(name) {
        return Some(known);
    }
    let (collection, short) = name.rsplit_once('.')?;
    let known = table().get(short)?;
    let builtin = matches!(collection, "ansible.builtin" | "ansible.legacy" | "ansible._protomatter");
    (builtin == (known.collection == "ansible.builtin") && collection.contains('.')).then_some(known)
}

pub(crate) fn apply(name: &str, operand: V, args: Args, env: &Rc<Env>) -> R<V> {
    let Some(known) = find(name) else {
        let message = format!("Syntax error in template: No test named '{name}'.");
        let mut error = Error::new(message).with_kind(ErrorKind::Syntax);
        if let Some(best) = suggest::nearest(name, names()) {
            error = error.with_help(format!("did you mean `{best}`?"));
        }
        return Err(error.into());
    };
    run(known, operand, args, env)
}

/// Apply a test that a filter names (`select('name')`).
pub(crate) fn apply_named(name: &str, operand: V, args: Args, env: &Rc<Env>) -> R<V> {
    match find(name) {
        Some(known) => run(known, operand, args, env),
        None => Fail::python(format!("No test named '{name}'.")),
    }
}

fn run(known: &'static Known, operand: V, mut args: Args, env: &Rc<Env>) -> R<V> {
    env.limits.spend(2)?;
    let operand = operand.force()?;
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
    }
    match env.limits.deeper(|| (known.run)(env, operand, args)) {
        Ok(result) => Ok(V::Bool(result)),
        Err(Fail::Python(message)) => {
            let plugin = format!("{}.{}", known.collection, known.name);
            let cause = Error::new(message.into_string());
            Err(Error::new(format!("The test plugin '{plugin}' failed")).caused_by(cause).into())
        }
        Err(Fail::Undefined(undef)) => Ok(V::Undef(undef)),
        Err(other) => Err(other),
    }
}
