//! Lookups: data from the controller, for templates and `with_NAME` loops.

mod csv;
mod files;
mod ini;
mod lists;
mod values;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::Error;
use crate::error::ErrorKind;
use crate::template::env::Env;
use crate::template::eval;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::object::{Fail, R, V};
use crate::template::suggest;

/// A lookup: terms and options in, a list out.
pub(crate) type LookupFn = fn(&Rc<Env>, Args) -> R<Vec<V>>;
pub(crate) type Entry = (&'static str, LookupFn);

const GROUPS: &[&[Entry]] = &[lists::LOOKUPS, files::LOOKUPS, values::LOOKUPS];

fn find(name: &str) -> Option<LookupFn> {
    let short = match name.rsplit_once('.') {
        Some((collection, short)) if collection.contains('.') => short,
        Some(_) => return None,
        None => name,
    };
    GROUPS.iter().flat_map(|g| g.iter()).find(|(n, _)| *n == short).map(|(_, f)| *f)
}

pub(crate) fn is_known(name: &str) -> bool {
    find(name).is_some()
}

pub(crate) fn names() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = GROUPS.iter().flat_map(|g| g.iter()).map(|(n, _)| *n).collect();
    names.sort_unstable();
    names
}

/// Lookups that decide themselves what an undefined term means, where a loop (`with_first_found`) calls them.
const TAKES_UNDEFINED: &[&str] = &["first_found"];

/// Run a lookup.
pub(crate) fn run(name: &str, mut args: Args, env: &Rc<Env>) -> R<Vec<V>> {
    env.limits.spend(10)?;
    let Some(lookup) = find(name) else {
        let mut error =
            Error::new(format!("The lookup plugin '{name}' was not found.")).with_kind(ErrorKind::NotFound);
        if let Some(best) = suggest::nearest(name, names()) {
            error = error.with_help(format!("did you mean `{best}`?"));
        }
        return Err(error.into());
    };
    let short = name.rsplit('.').next().unwrap_or(name);
    let of_loop = args.kw.iter().any(|(option, _)| option.as_ref() == "_subdir");
    let lenient = of_loop && TAKES_UNDEFINED.contains(&short);
    for value in &mut args.pos {
        *value = embedded(value, env)?;
        if let V::Undef(undef) = value
            && !lenient
        {
            return Err(Fail::Undefined(undef.clone()));
        }
    }
    for (option, value) in &mut args.kw {
        *value = embedded(value, env)?;
        if let V::Undef(undef) = value
            && !lenient
            // A default may be undefined: it is an error only where it is needed.
            && !(option.as_ref() == "default" && matches!(short, "env" | "vars"))
        {
            return Err(Fail::Undefined(undef.clone()));
        }
    }
    let result = env.limits.deeper(|| lookup(env, args));
    result.map_err(|fail| match fail {
        Fail::Python(message) => {
            let cause = Error::new(message.into_string());
            Fail::Error(Error::new(format!("The lookup plugin '{name}' failed")).caused_by(cause))
        }
        other => other,
    })
}

/// A term, with the templates in its constants rendered.
fn embedded(value: &V, env: &Rc<Env>) -> R<V> {
    match value.force()? {
        V::Str(text) if text.has_template() => {
            eval::warn_embedded(env);
            eval::render_text(env, &text)
        }
        V::List(items) if has_embedded(&items.borrow()) => {
            let items = items.borrow();
            Ok(V::list(items.iter().map(|v| embedded(v, env)).collect::<R<_>>()?))
        }
        other => Ok(other),
    }
}

fn has_embedded(items: &[V]) -> bool {
    items.iter().any(|v| match v {
        V::Str(text) => text.has_template(),
        V::List(inner) => has_embedded(&inner.borrow()),
        _ => false,
    })
}

/// Reading the controller's world has to wait while an unfinished task changes it.
pub(crate) fn controller(env: &Rc<Env>, what: &str) -> R<()> {
    if env.scope.controller_busy() {
        return Err(Error::pending(what).into());
    }
    Ok(())
}

/// A file of the search path: in `subdir` of each directory, then in the directory itself.
pub(crate) fn find_file(env: &Rc<Env>, subdir: &str, name: &str) -> Option<PathBuf> {
    let name = crate::template::filters::expand_user(name);
    let path = Path::new(&name);
    if path.is_absolute() {
        return path.exists().then(|| path.to_path_buf());
    }
    candidates(env, subdir, &name).into_iter().find(|p| p.exists())
}

pub(crate) fn candidates(env: &Rc<Env>, subdir: &str, name: &str) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for dir in env.scope.search_path() {
        if !subdir.is_empty() && !name.starts_with(&format!("{subdir}/")) {
            out.push(dir.join(subdir).join(name));
        }
        out.push(dir.join(name));
    }
    out
}

/// The terms as text.
pub(crate) fn texts(args: &Args) -> R<Vec<String>> {
    args.pos.iter().map(ops::to_str).collect()
}

/// Terms that are lists, one level flattened.
pub(crate) fn flattened_terms(args: &Args) -> R<Vec<V>> {
    let mut out = Vec::new();
    for term in &args.pos {
        match iterate::as_list(term)? {
            Some(items) => out.extend(items),
            None => out.push(term.clone()),
        }
    }
    Ok(out)
}
