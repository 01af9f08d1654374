//! Jinja2's tests.

use std::rc::Rc;

use super::Entry;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::{iterate, ops};
use crate::template::object::{Fail, Func, R, V};
use crate::template::syntax::ast::{BinOp, CmpOp};
use crate::template::{filters, tests};

pub(super) const TESTS: &[Entry] = &[
    ("!=", |e, v, a| compare(e, v, a, CmpOp::Ne)),
    ("<", |e, v, a| compare(e, v, a, CmpOp::Lt)),
    ("<=", |e, v, a| compare(e, v, a, CmpOp::Le)),
    ("==", |e, v, a| compare(e, v, a, CmpOp::Eq)),
    (">", |e, v, a| compare(e, v, a, CmpOp::Gt)),
    (">=", |e, v, a| compare(e, v, a, CmpOp::Ge)),
    ("boolean", |_, v, a| kind(a, matches!(v, V::Bool(_)))),
    ("callable", |_, v, a| kind(a, matches!(v, V::Func(_)))),
    ("defined", |_, v, a| kind(a, !matches!(v, V::Undef(_) | V::Blank))),
    ("divisibleby", divisible),
    ("eq", |e, v, a| compare(e, v, a, CmpOp::Eq)),
    ("equalto", |e, v, a| compare(e, v, a, CmpOp::Eq)),
    ("escaped", |_, _, a| kind(a, false)),
    ("even", |_, v, a| parity(v, a, 0)),
    ("false", |_, v, a| kind(a, matches!(v, V::Bool(false)))),
    ("filter", |_, v, a| kind(a, filters::names().contains(&ops::to_str(&v)?.as_str()))),
    ("float", |_, v, a| kind(a, matches!(v, V::Float(_)))),
    ("ge", |e, v, a| compare(e, v, a, CmpOp::Ge)),
    ("greaterthan", |e, v, a| compare(e, v, a, CmpOp::Gt)),
    ("gt", |e, v, a| compare(e, v, a, CmpOp::Gt)),
    ("in", |e, v, a| compare(e, v, a, CmpOp::In)),
    ("integer", |_, v, a| kind(a, matches!(v, V::Int(_)))),
    ("iterable", |_, v, a| kind(a, iterable(&v)?)),
    ("le", |e, v, a| compare(e, v, a, CmpOp::Le)),
    ("lessthan", |e, v, a| compare(e, v, a, CmpOp::Lt)),
    ("lower", |_, v, a| {
        let text = ops::to_str(&v)?;
        kind(a, text.chars().any(char::is_lowercase) && !text.chars().any(char::is_uppercase))
    }),
    ("lt", |e, v, a| compare(e, v, a, CmpOp::Lt)),
    ("mapping", |_, v, a| kind(a, iterate::as_dict(&v)?.is_some())),
    ("ne", |e, v, a| compare(e, v, a, CmpOp::Ne)),
    ("none", |_, v, a| kind(a, matches!(v, V::None))),
    ("number", |_, v, a| kind(a, matches!(v, V::Int(_) | V::Float(_) | V::Bool(_)))),
    ("odd", |_, v, a| parity(v, a, 1)),
    ("sameas", same),
    ("sequence", |_, v, a| kind(a, sequence(&v)?)),
    ("string", |_, v, a| kind(a, matches!(v, V::Str(_)))),
    ("test", |_, v, a| kind(a, tests::names().contains(&ops::to_str(&v)?.as_str()))),
    ("true", |_, v, a| kind(a, matches!(v, V::Bool(true)))),
    ("undefined", |_, v, a| kind(a, matches!(v, V::Undef(_) | V::Blank))),
    ("upper", |_, v, a| {
        let text = ops::to_str(&v)?;
        kind(a, text.chars().any(char::is_uppercase) && !text.chars().any(char::is_lowercase))
    }),
];

fn kind(args: Args, result: bool) -> R<bool> {
    args.none("test")?;
    Ok(result)
}

fn iterable(value: &V) -> R<bool> {
    Ok(match value {
        V::None | V::Bool(_) | V::Int(_) | V::Float(_) | V::Func(_) | V::Omit => false,
        V::Obj(_) => iterate::try_items(value)?.is_some(),
        _ => true,
    })
}

fn sequence(value: &V) -> R<bool> {
    Ok(match value {
        V::Str(_) | V::List(_) | V::Tuple(_) | V::Dict(_) | V::Bytes(_) => true,
        V::Obj(_) => iterate::length(value)?.is_some(),
        _ => false,
    })
}

fn compare(_: &Rc<Env>, value: V, args: Args, op: CmpOp) -> R<bool> {
    let b = args.bind("test", ["b"], 1)?;
    ops::compare(op, &value, &b.value(0))
}

fn divisible(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    let b = args.bind("test_divisibleby", ["num"], 1)?;
    let rest = ops::binary(BinOp::Mod, &value, &b.value(0))?;
    ops::equal(&rest, &V::Int(0))
}

fn parity(value: V, args: Args, wanted: i128) -> R<bool> {
    args.none("test")?;
    let rest = ops::binary(BinOp::Mod, &value, &V::Int(2))?;
    ops::equal(&rest, &V::Int(wanted))
}

/// Python's `is`, as far as values here have an identity.
fn same(_: &Rc<Env>, value: V, args: Args) -> R<bool> {
    let b = args.bind("test_sameas", ["other"], 1)?;
    Ok(match (&value, &b.value(0)) {
        (V::None, V::None) => true,
        (V::Bool(a), V::Bool(b)) => a == b,
        (V::Int(a), V::Int(b)) => a == b,
        (V::Float(a), V::Float(b)) => a == b,
        (V::Str(a), V::Str(b)) => a == b,
        (V::List(a), V::List(b)) => Rc::ptr_eq(a, b),
        (V::Dict(a), V::Dict(b)) => Rc::ptr_eq(a, b),
        (V::Tuple(a), V::Tuple(b)) => Rc::ptr_eq(a, b),
        (V::Obj(a), V::Obj(b)) => Rc::ptr_eq(a, b),
        (V::Func(a), V::Func(b)) => match (a.as_ref(), b.as_ref()) {
            (Func::Global(a), Func::Global(b)) => a == b,
            _ => Rc::ptr_eq(a, b),
        },
        _ => false,
    })
}

#[allow(dead_code)]
fn never() -> R<bool> {
    Fail::python("never")
}
