//! Python's operators and conversions on the values of expressions, with Python's messages.

use std::cmp::Ordering;
use std::rc::Rc;

use crate::template::eval::iterate::{as_dict, items_of};
use crate::template::mutable::on_a_stack_that_grows;
use crate::template::object::{Dict, Fail, Obj, R, V};
use crate::template::syntax::ast::{BinOp, CmpOp};
use crate::template::{printf, repr};
use crate::{Key, Str};

/// Repetition (`'x' * n`, `[0] * n`) and other single steps make at most this many bytes or items.
pub(crate) const MAX_SIZE: usize = 64 * 1024 * 1024;

/// Python's truth value.
pub(crate) fn truth(value: &V) -> R<bool> {
    Ok(match value.need()? {
        V::None | V::Blank => false,
        V::Bool(b) => b,
        V::Int(i) => i != 0,
        V::Float(f) => f != 0.0,
        V::Str(text) => !text.as_str().is_empty(),
        V::Bytes(bytes) => !bytes.is_empty(),
        V::List(items) => !items.borrow().is_empty(),
        V::Tuple(items) => !items.is_empty(),
        V::Dict(map) => !map.borrow().is_empty(),
        V::Obj(obj) => match obj.as_ref() {
            Obj::Range { start, stop, step } => range_len(*start, *stop, *step) > 0,
            Obj::TimeDelta(micros) => *micros != 0,
            _ => true,
        },
        _ => true,
    })
}

pub(crate) fn range_len(start: i128, stop: i128, step: i128) -> i128 {
    match step.cmp(&0) {
        Ordering::Greater if stop > start => (stop - start - 1) / step + 1,
        Ordering::Less if stop < start => (start - stop - 1) / -step + 1,
        _ => 0,
    }
}

/// A number for arithmetic.
#[derive(Clone, Copy)]
enum Num {
    Int(i128),
    Float(f64),
}

fn number(value: &V) -> Option<Num> {
    match value {
        V::Bool(b) => Some(Num::Int(i128::from(*b))),
        V::Int(i) => Some(Num::Int(*i)),
        V::Float(f) => Some(Num::Float(*f)),
        _ => None,
    }
}

impl Num {
    fn float(self) -> f64 {
        match self {
            Num::Int(i) => i as f64,
            Num::Float(f) => f,
        }
    }
}

fn symbol(op: BinOp) -> &'static str {
    match op {
        BinOp::Add => "+",
        BinOp::Sub => "-",
        BinOp::Mul => "*",
        BinOp::Div => "/",
        BinOp::FloorDiv => "//",
        BinOp::Mod => "%",
        BinOp::Pow => "** or pow()",
    }
}

pub(crate) fn binary(op: BinOp, left: &V, right: &V) -> R<V> {
    let (left, right) = (left.need()?, right.need()?);
    if let (Some(a), Some(b)) = (number(&left), number(&right)) {
        return arithmetic(op, a, b);
    }
    match (op, &left, &right) {
        (BinOp::Add, V::Str(a), V::Str(b)) => joined(a.as_str(), b.as_str()),
        (BinOp::Add, V::List(a), V::List(b)) => {
            let mut items = a.borrow().as_ref().clone();
            items.extend(b.borrow().iter().cloned());
            Ok(V::list(items))
        }
        (BinOp::Add, V::Tuple(a), V::Tuple(b)) => Ok(V::tuple(a.iter().chain(b.iter()).cloned().collect())),
        (BinOp::Add, V::Str(_) | V::List(_) | V::Tuple(_), _) => {
            let (a, b) = (left.type_name(), right.type_name());
            Fail::python(format!("can only concatenate {a} (not \"{b}\") to {a}"))
        }
        (BinOp::Mod, V::Str(text), _) => printf::format(text.as_str(), &right).map(V::str),
        (BinOp::Mul, V::Str(_) | V::List(_) | V::Tuple(_), _) => repeat(&left, &right),
        (BinOp::Mul, _, V::Str(_) | V::List(_) | V::Tuple(_)) => repeat(&right, &left),
        (BinOp::Add | BinOp::Sub, V::Obj(_), V::Obj(_)) => {
            crate::template::time::arithmetic(op, &left, &right)
                .unwrap_or_else(|| unsupported(op, &left, &right))
        }
        _ => unsupported(op, &left, &right),
    }
}

fn unsupported(op: BinOp, left: &V, right: &V) -> R<V> {
    let (a, b) = (operand_type(left), operand_type(right));
    Fail::python(format!("unsupported operand type(s) for {}: '{a}' and '{b}'", symbol(op)))
}

fn operand_type(value: &V) -> &'static str {
    value.type_name()
}

fn joined(a: &str, b: &str) -> R<V> {
    if a.len() + b.len() > MAX_SIZE {
        return Fail::python("string is too long");
    }
    Ok(V::str(format!("{a}{b}")))
}

fn repeat(value: &V, count: &V) -> R<V> {
    let count = match number(count) {
        Some(Num::Int(n)) => usize::try_from(n.max(0)).unwrap_or(usize::MAX),
        _ => {
            return Fail::python(format!(
                "can't multiply sequence by non-int of type '{}'",
                count.type_name()
            ));
        }
    };
    let too_big = |len: usize| len.checked_mul(count).is_none_or(|n| n > MAX_SIZE);
    match value {
        V::Str(text) if !too_big(text.as_str().len()) => Ok(V::str(text.as_str().repeat(count))),
        V::List(items) if !too_big(items.borrow().len().saturating_mul(32)) => {
            Ok(V::list(cycle(&items.borrow(), count)))
        }
        V::Tuple(items) if !too_big(items.len().saturating_mul(32)) => Ok(V::tuple(cycle(items, count))),
        _ => Fail::python("the result of the repetition is too large"),
    }
}

fn cycle(items: &[V], count: usize) -> Vec<V> {
    std::iter::repeat_n(items, count).flatten().cloned().collect()
}

fn arithmetic(op: BinOp, a: Num, b: Num) -> R<V> {
    let overflow = || Fail::python("integer is too large");
    if let (Num::Int(a), Num::Int(b)) = (a, b) {
        let checked = |result: Option<i128>| result.map_or_else(overflow, |i| Ok(V::Int(i)));
        return match op {
            BinOp::Add => checked(a.checked_add(b)),
            BinOp::Sub => checked(a.checked_sub(b)),
            BinOp::Mul => checked(a.checked_mul(b)),
            BinOp::Div if b == 0 => Fail::python("division by zero"),
            BinOp::Div => Ok(V::Float(a as f64 / b as f64)),
            BinOp::FloorDiv if b == 0 => Fail::python("integer division or modulo by zero"),
            BinOp::Mod if b == 0 => Fail::python("integer modulo by zero"),
            BinOp::FloorDiv => checked(floor_div(a, b)),
            BinOp::Mod => {
                checked(a.checked_rem(b).map(|r| if r != 0 && (r < 0) != (b < 0) { r + b } else { r }))
            }
            BinOp::Pow if b < 0 && a == 0 => Fail::python("0.0 cannot be raised to a negative power"),
            BinOp::Pow if b < 0 => Ok(V::Float((a as f64).powf(b as f64))),
            BinOp::Pow => checked(u32::try_from(b).ok().and_then(|b| a.checked_pow(b))),
        };
    }
    let (a, b) = (a.float(), b.float());
    Ok(V::Float(match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::Div if b == 0.0 => return Fail::python("float division by zero"),
        BinOp::FloorDiv if b == 0.0 => return Fail::python("float floor division by zero"),
        BinOp::Mod if b == 0.0 => return Fail::python("float modulo"),
        BinOp::Div => a / b,
        BinOp::FloorDiv => ((a - py_fmod(a, b)) / b).round(),
        BinOp::Mod => py_fmod(a, b),
        BinOp::Pow if a == 0.0 && b < 0.0 => return Fail::python("0.0 cannot be raised to a negative power"),
        BinOp::Pow => a.powf(b),
    }))
}

fn py_fmod(a: f64, b: f64) -> f64 {
    let r = a % b;
    if r != 0.0 && (r < 0.0) != (b < 0.0) { r + b } else { r }
}

fn floor_div(a: i128, b: i128) -> Option<i128> {
    let quotient = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}

pub(crate) fn negate(value: &V) -> R<V> {
    let value = value.need()?;
    match number(&value) {
        Some(Num::Int(i)) => {
            i.checked_neg().map_or_else(|| Fail::python("integer is too large"), |i| Ok(V::Int(i)))
        }
        Some(Num::Float(f)) => Ok(V::Float(-f)),
        None => Fail::python(format!("bad operand type for unary -: '{}'", value.type_name())),
    }
}

pub(crate) fn positive(value: &V) -> R<V> {
    let value = value.need()?;
    match number(&value) {
        Some(Num::Int(i)) => Ok(V::Int(i)),
        Some(Num::Float(f)) => Ok(V::Float(f)),
        None => Fail::python(format!("bad operand type for unary +: '{}'", value.type_name())),
    }
}

/// Values that one comparison may look at: containers can hold the same one many times over.
const MAX_COMPARED: u64 = 50_000_000;

/// Python's `==`; what is undefined inside is an error.
pub(crate) fn equal(left: &V, right: &V) -> R<bool> {
    Equality { left: MAX_COMPARED }.equal(left, right)
}

/// One comparison, with what it may still look at.
struct Equality {
    left: u64,
}

impl Equality {
    fn equal(&mut self, left: &V, right: &V) -> R<bool> {
        let (left, right) = (left.need()?, right.need()?);
        if let (Some(a), Some(b)) = (number(&left), number(&right)) {
            return Ok(match (a, b) {
                (Num::Int(a), Num::Int(b)) => a == b,
                (a, b) => a.float() == b.float(),
            });
        }
        Ok(match (&left, &right) {
            (V::None, V::None) | (V::Omit, V::Omit) | (V::Blank, V::Blank) => true,
            (V::Str(a), V::Str(b)) => a == b,
            (V::Bytes(a), V::Bytes(b)) => a == b,
            (V::List(a), V::List(b)) => Rc::ptr_eq(a, b) || self.items(&a.borrow(), &b.borrow())?,
            (V::Tuple(a), V::Tuple(b)) => Rc::ptr_eq(a, b) || self.items(a, b)?,
            (V::Obj(a), V::Obj(b)) => match (a.as_ref(), b.as_ref()) {
                (Obj::DateTime(x, _), Obj::DateTime(y, _)) => x == y,
                (Obj::TimeDelta(x), Obj::TimeDelta(y)) => x == y,
                _ => Rc::ptr_eq(a, b),
            },
            (V::Func(a), V::Func(b)) => Rc::ptr_eq(a, b),
            _ => match (as_dict(&left)?, as_dict(&right)?) {
                (Some(a), Some(b)) => Rc::ptr_eq(&a, &b) || self.members(&a.borrow(), &b.borrow())?,
                _ => false,
            },
        })
    }

    fn items(&mut self, a: &[V], b: &[V]) -> R<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (x, y) in a.iter().zip(b) {
            if !self.inside(x, y)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn members(&mut self, a: &Dict, b: &Dict) -> R<bool> {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (key, value) in a {
            match b.get(key) {
                Some(other) if self.inside(value, other)? => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    fn inside(&mut self, a: &V, b: &V) -> R<bool> {
        let Some(left) = self.left.checked_sub(1) else {
            return Fail::python("the values are too large to be compared");
        };
        self.left = left;
        on_a_stack_that_grows(|| self.equal(a, b))
    }
}

/// Python's ordering; `op` is for the message.
pub(crate) fn order(left: &V, right: &V, op: &str) -> R<Option<Ordering>> {
    let (left, right) = (left.need()?, right.need()?);
    if let (Some(a), Some(b)) = (number(&left), number(&right)) {
        return Ok(match (a, b) {
            (Num::Int(a), Num::Int(b)) => Some(a.cmp(&b)),
            (a, b) => a.float().partial_cmp(&b.float()),
        });
    }
    match (&left, &right) {
        (V::Str(a), V::Str(b)) => Ok(Some(a.as_str().cmp(b.as_str()))),
        (V::List(a), V::List(b)) => order_items(&a.borrow(), &b.borrow(), op),
        (V::Tuple(a), V::Tuple(b)) => order_items(a, b, op),
        (V::Obj(a), V::Obj(b))
            if matches!((a.as_ref(), b.as_ref()), (Obj::DateTime(..), Obj::DateTime(..))) =>
        {
            match (a.as_ref(), b.as_ref()) {
                (Obj::DateTime(x, _), Obj::DateTime(y, _)) => Ok(Some(x.cmp(y))),
                _ => Ok(None),
            }
        }
        (V::Obj(a), V::Obj(b))
            if matches!((a.as_ref(), b.as_ref()), (Obj::TimeDelta(_), Obj::TimeDelta(_))) =>
        {
            match (a.as_ref(), b.as_ref()) {
                (Obj::TimeDelta(x), Obj::TimeDelta(y)) => Ok(Some(x.cmp(y))),
                _ => Ok(None),
            }
        }
        _ => {
            let (a, b) = (left.type_name(), right.type_name());
            Fail::python(format!("'{op}' not supported between instances of '{a}' and '{b}'"))
        }
    }
}

fn order_items(a: &[V], b: &[V], op: &str) -> R<Option<Ordering>> {
    for (x, y) in a.iter().zip(b) {
        if !equal(x, y)? {
            return order(x, y, op);
        }
    }
    Ok(Some(a.len().cmp(&b.len())))
}

pub(crate) fn compare(op: CmpOp, left: &V, right: &V) -> R<bool> {
    Ok(match op {
        CmpOp::Eq => equal(left, right)?,
        CmpOp::Ne => !equal(left, right)?,
        CmpOp::Lt => order(left, right, "<")? == Some(Ordering::Less),
        CmpOp::Le => matches!(order(left, right, "<=")?, Some(Ordering::Less | Ordering::Equal)),
        CmpOp::Gt => order(left, right, ">")? == Some(Ordering::Greater),
        CmpOp::Ge => matches!(order(left, right, ">=")?, Some(Ordering::Greater | Ordering::Equal)),
        CmpOp::In => contains(right, left)?,
        CmpOp::NotIn => !contains(right, left)?,
    })
}

/// Is `item` in `container`?
pub(crate) fn contains(container: &V, item: &V) -> R<bool> {
    let (container, item) = (container.need()?, item.need()?);
    match &container {
        V::Str(text) => match &item {
            V::Str(part) => Ok(text.as_str().contains(part.as_str())),
            other => Fail::python(format!(
                "'in <string>' requires string as left operand, not {}",
                other.type_name()
            )),
        },
        V::None | V::Bool(_) | V::Int(_) | V::Float(_) | V::Func(_) | V::Omit => {
            Fail::python(format!("argument of type '{}' is not iterable", container.type_name()))
        }
        V::Dict(map) => Ok(map.borrow().contains_key(&to_key(&item)?)),
        V::Obj(obj) => match obj.as_ref() {
            Obj::HostVars(env) => match item.as_str() {
                Some(host) => Ok(env.host(host)?.is_some()),
                None => Ok(false),
            },
            Obj::Vars(env) => match item.as_str() {
                Some(name) => Ok(env.scope.get(name)?.is_some()),
                None => Ok(false),
            },
            Obj::Range { start, stop, step } => match number(&item) {
                Some(Num::Int(i)) => {
                    let inside = if *step > 0 { *start <= i && i < *stop } else { *stop < i && i <= *start };
                    Ok(inside && (i - start) % step == 0)
                }
                _ => Ok(false),
            },
            _ => contains_item(&container, &item),
        },
        _ => contains_item(&container, &item),
    }
}

fn contains_item(container: &V, item: &V) -> R<bool> {
    for member in items_of(container)? {
        if equal(&member, item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A value as the key of a dictionary.
pub(crate) fn to_key(value: &V) -> R<Key> {
    Ok(match value.need()? {
        V::None => Key::Null,
        // Equal numbers are the same key.
        V::Bool(b) => Key::Bool(b),
        V::Int(i) => i64::try_from(i).map_or_else(|_| Key::Str(i.to_string().into()), Key::Int),
        V::Float(f) if f.fract() == 0.0 && f.abs() < 9e15 => Key::Int(f as i64),
        V::Float(f) => Key::Float(repr::float(f).into()),
        V::Str(text) => Key::Str(text.shared()),
        other @ (V::Tuple(_) | V::Obj(_)) => Key::Str(repr::repr(&other)?.into()),
        other => return Fail::python(format!("unhashable type: '{}'", other.type_name())),
    })
}

pub(crate) fn from_key(key: &Key) -> V {
    match key {
        Key::Null => V::None,
        Key::Bool(b) => V::Bool(*b),
        Key::Int(i) => V::Int(i128::from(*i)),
        Key::Float(text) => text.parse().map_or(V::None, V::Float),
        Key::Str(text) => V::Str(Str::plain(text.clone())),
    }
}

/// Python's `str(value)`.
pub(crate) fn to_str(value: &V) -> R<String> {
    match value.need()? {
        V::Str(text) => Ok(text.as_str().to_string()),
        other => repr::repr(&other),
    }
}

/// The text of a string, without copying; other values as `str()` shows them.
pub(crate) fn text_of(value: &V) -> R<Str> {
    match value.need()? {
        V::Str(text) => Ok(text),
        other => Ok(Str::plain(repr::repr(&other)?)),
    }
}
