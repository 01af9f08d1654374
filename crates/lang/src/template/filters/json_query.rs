//! `json_query`: JMESPath (<https://jmespath.org/specification.html>), with the messages of Python's implementation.
//!
//! The crate `jmespath` reads expressions. They are evaluated here: on templates' own values, which keep the order of
//! keys and tell whole numbers from others.

mod functions;

use std::rc::Rc;

use jmespath::ast::{Ast, Comparator};

use super::Entry;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::object::{Dict, Fail, R, V};
use crate::{Key, Value};

pub(super) const FILTERS: &[Entry] = &[("json_query", json_query)];

/// What the parser recurses over, and operators in all: nobody writes more.
const DEEPEST: usize = 200;
const LONGEST: usize = 5000;

fn json_query(env: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("json_query", ["expr"], 1)?;
    let expression = b.string(0, "")?;
    let ast = parse(&expression)
        .or_else(|reason| Fail::python(format!("JMESPathError in json_query filter plugin:\n{reason}")))?;
    match (Query { env }).eval(&ast, &value) {
        Err(Fail::Python(reason)) => {
            Fail::python(format!("JMESPathError in json_query filter plugin:\n{reason}"))
        }
        other => other,
    }
}

fn parse(expression: &str) -> Result<Ast, String> {
    let count = |signs: &str| expression.chars().filter(|c| signs.contains(*c)).count();
    if count("([{!&*") > DEEPEST || count(".|,<>=") > LONGEST {
        return Err("Invalid jmespath expression: it is too large".into());
    }
    jmespath::parse(expression).map_err(|e| {
        let text = e.to_string();
        format!("Invalid jmespath expression: {}", text.trim_end())
    })
}

struct Query<'a> {
    env: &'a Rc<Env>,
}

impl Query<'_> {
    fn eval(&self, ast: &Ast, value: &V) -> R<V> {
        self.env.limits.spend(1)?;
        self.env.limits.deeper(|| self.node(ast, value))
    }

    fn node(&self, ast: &Ast, value: &V) -> R<V> {
        Ok(match ast {
            Ast::Identity { .. } => value.force()?,
            Ast::Field { name, .. } => match iterate::as_dict(value)? {
                Some(map) => {
                    let found = map.borrow().get(&Key::from(name.as_str())).cloned();
                    found.map_or(Ok(V::None), |v| v.force())?
                }
                None => V::None,
            },
            Ast::Index { idx, .. } => match list(value)? {
                Some(items) => place(items.len(), *idx).map_or(Ok(V::None), |at| items[at].force())?,
                None => V::None,
            },
            Ast::Slice { start, stop, step, .. } => match list(value)? {
                Some(items) => V::list(slice(&items, *start, *stop, *step)?),
                None => V::None,
            },
            Ast::Literal { value, .. } => match serde_json::to_value(&**value) {
                Ok(json) => V::lazy(&Value::from_json(&json), self.env),
                Err(_) => V::None,
            },
            Ast::Subexpr { lhs, rhs, .. } => self.eval(rhs, &self.eval(lhs, value)?)?,
            Ast::Or { lhs, rhs, .. } => {
                let left = self.eval(lhs, value)?;
                if is_true(&left)? { left } else { self.eval(rhs, value)? }
            }
            Ast::And { lhs, rhs, .. } => {
                let left = self.eval(lhs, value)?;
                if is_true(&left)? { self.eval(rhs, value)? } else { left }
            }
            Ast::Not { node, .. } => V::Bool(!is_true(&self.eval(node, value)?)?),
            Ast::Condition { predicate, then, .. } => {
                if is_true(&self.eval(predicate, value)?)? {
                    self.eval(then, value)?
                } else {
                    V::None
                }
            }
            Ast::Comparison { comparator, lhs, rhs, .. } => {
                compare(comparator, &self.eval(lhs, value)?, &self.eval(rhs, value)?)?
            }
            Ast::ObjectValues { node, .. } => match iterate::as_dict(&self.eval(node, value)?)? {
                Some(map) => V::list(map.borrow().values().cloned().collect()),
                None => V::None,
            },
            Ast::Projection { lhs, rhs, .. } => match list(&self.eval(lhs, value)?)? {
                Some(items) => {
                    let mut kept = Vec::new();
                    for item in items {
                        let found = self.eval(rhs, &item)?;
                        if !matches!(found, V::None) {
                            kept.push(found);
                        }
                    }
                    V::list(kept)
                }
                None => V::None,
            },
            Ast::Flatten { node, .. } => match list(&self.eval(node, value)?)? {
                Some(items) => {
                    let mut flat = Vec::new();
                    for item in items {
                        match list(&item)? {
                            Some(inner) => flat.extend(inner),
                            None => flat.push(item),
                        }
                    }
                    V::list(flat)
                }
                None => V::None,
            },
            Ast::MultiList { elements, .. } => match value.force()? {
                V::None => V::None,
                value => V::list(elements.iter().map(|e| self.eval(e, &value)).collect::<R<_>>()?),
            },
            Ast::MultiHash { elements, .. } => match value.force()? {
                V::None => V::None,
                value => {
                    let mut map = Dict::new();
                    for pair in elements {
                        map.insert(Key::from(pair.key.as_str()), self.eval(&pair.value, &value)?);
                    }
                    V::dict(map)
                }
            },
            Ast::Function { name, args, .. } => functions::call(self, name, args, value)?,
            // Only functions have a use for it, and they look at the expression itself.
            Ast::Expref { .. } => V::None,
        })
    }
}

/// The items of a list; text and dictionaries are none.
fn list(value: &V) -> R<Option<Vec<V>>> {
    let value = value.force()?;
    if matches!(value, V::Str(_)) { Ok(None) } else { iterate::as_list(&value) }
}

/// An index from the front or, if it is negative, from the end.
fn place(len: usize, index: i32) -> Option<usize> {
    let at = if index < 0 { i64::try_from(len).ok()? + i64::from(index) } else { index.into() };
    usize::try_from(at).ok().filter(|at| *at < len)
}

fn slice(items: &[V], start: Option<i32>, stop: Option<i32>, step: i32) -> R<Vec<V>> {
    if step == 0 {
        return Fail::python("Invalid slice, step cannot be 0");
    }
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let (lowest, highest) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let bound = |given: Option<i32>, default: i64| match given.map(i64::from) {
        None => default,
        Some(at) if at < 0 => (at + len).max(lowest),
        Some(at) => at.min(highest),
    };
    let (mut at, end) =
        if step > 0 { (bound(start, 0), bound(stop, len)) } else { (bound(start, len - 1), bound(stop, -1)) };
    let mut out = Vec::new();
    while (step > 0 && at < end) || (step < 0 && at > end) {
        if let Some(item) = usize::try_from(at).ok().and_then(|at| items.get(at)) {
            out.push(item.clone());
        }
        at += i64::from(step);
    }
    Ok(out)
}

/// What the specification calls true: everything but null, false, and what is empty.
fn is_true(value: &V) -> R<bool> {
    Ok(match value.force()? {
        V::None | V::Bool(false) => false,
        V::Int(_) | V::Float(_) => true,
        other => ops::truth(&other)?,
    })
}

fn compare(comparator: &Comparator, left: &V, right: &V) -> R<V> {
    let same_kind = |a: &V, b: &V| matches!(a, V::Bool(_)) == matches!(b, V::Bool(_));
    let equal = || -> R<bool> { Ok(same_kind(left, right) && ops::equal(left, right)?) };
    let comparable = |v: &V| matches!(v, V::Int(_) | V::Float(_) | V::Str(_));
    Ok(match comparator {
        Comparator::Equal => V::Bool(equal()?),
        Comparator::NotEqual => V::Bool(!equal()?),
        order => {
            let both = comparable(left)
                && comparable(right)
                && matches!(left, V::Str(_)) == matches!(right, V::Str(_));
            if !both {
                return Ok(V::None);
            }
            use std::cmp::Ordering::{Equal, Greater, Less};
            let found = ops::order(left, right, "<")?;
            V::Bool(match order {
                Comparator::LessThan => found == Some(Less),
                Comparator::LessThanEqual => matches!(found, Some(Less | Equal)),
                Comparator::GreaterThan => found == Some(Greater),
                _ => matches!(found, Some(Greater | Equal)),
            })
        }
    })
}
