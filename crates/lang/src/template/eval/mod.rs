//! Evaluation: walks the tree of a template with Python's semantics.

pub(crate) mod args;
pub(crate) mod attributes;
pub(crate) mod call;
pub(crate) mod finalize;
pub(crate) mod frame;
pub(crate) mod iterate;
pub(crate) mod ops;
pub(crate) mod output;
pub(crate) mod statements;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use crate::template::env::Env;
use crate::template::object::{Dict, Fail, Obj, R, Undef, V};
use crate::template::syntax::ast::{Const, Expr, UnaryOp};
use crate::template::{filters, functions, repr, tests};
use crate::value::VaultText;
use crate::{Error, Pos, Str};

use args::Args;
use frame::{Context, Frame};
use output::Output;

/// Render one string of a playbook that may be a template. An undefined result is a value here, not an error.
pub(crate) fn render_text(env: &Rc<Env>, text: &Str) -> R<V> {
    if !text.has_template() {
        return Ok(V::Str(text.clone()));
    }
    let template = env.templar.compile(text.as_str(), text.pos())?;
    let context = Rc::new(Context::new(env.clone(), None, env.templar.syntax.clone()));
    let frame = Frame::root(context.clone());
    let result = env.limits.deeper(|| {
        let mut out = Output::default();
        statements::run_template(&template, &frame, &mut out)?;
        Ok(out.finish())
    });
    match result {
        Ok(V::Str(result)) => Ok(V::Str(restore_newlines(text.as_str(), result))),
        Ok(value) => Ok(value),
        Err(fail) => Err(locate(fail, text.pos(), context.line.get())),
    }
}

/// Jinja drops one newline at the end of a template; Ansible puts it back when the result is text.
pub(crate) fn restore_newlines(source: &str, result: Str) -> Str {
    let count = |s: &str| s.bytes().rev().take_while(|b| *b == b'\n').count();
    let (wanted, have) = (count(source), count(result.as_str()));
    if wanted <= have {
        return result;
    }
    Str::plain(format!("{}{}", result.as_str(), "\n".repeat(wanted - have)))
}

/// Give a failure its place: the position of the text plus the line inside it.
pub(crate) fn locate(fail: Fail, pos: Option<&Pos>, line: u32) -> Fail {
    let at = pos.map(|p| Pos { line: p.line.saturating_add(line.saturating_sub(1)), ..p.clone() });
    match fail {
        Fail::Python(message) => {
            Fail::Error(Error::new(format!("Error rendering template: {message}")).at(at.as_ref()))
        }
        Fail::Error(error) => Fail::Error(error.at(at.as_ref())),
        Fail::Undefined(undef) if undef.pos.is_none() && at.is_some() => Fail::Undefined(Rc::new(Undef {
            message: undef.message.clone(),
            name: undef.name.clone(),
            pos: at,
        })),
        other => other,
    }
}

fn is_vault_test(name: &str) -> bool {
    matches!(name, "vault_encrypted" | "ansible.builtin.vault_encrypted")
}

/// Is the operand a variable, or a member of one, that is an encrypted text as it was written?
fn still_encrypted(operand: &Expr, frame: &Rc<Frame>) -> R<Option<Arc<VaultText>>> {
    let Expr::Name(name) = operand else { return Ok(None) };
    if frame.get(name).is_some() {
        return Ok(None);
    }
    Ok(match frame.env().scope.get(name)? {
        Some(crate::Value::Vault(text)) => Some(text),
        _ => None,
    })
}

/// Filters that take an encrypted text as it was written.
fn is_vault_filter(name: &str) -> bool {
    matches!(name, "unvault" | "ansible.builtin.unvault")
}

/// The value of an expression. What it names but nothing defines is an undefined value, not an error.
pub(crate) fn eval(expr: &Expr, frame: &Rc<Frame>) -> R<V> {
    frame.env().limits.spend(1)?;
    match expr {
        Expr::Const(constant) => Ok(match constant {
            Const::None => V::None,
            Const::Bool(b) => V::Bool(*b),
            Const::Int(i) => V::Int(*i),
            Const::Float(f) => V::Float(*f),
            Const::Str(text) if frame.context.render_constants && crate::value::may_be_template(text) => {
                warn_embedded(frame.env());
                return render_text(frame.env(), &Str::template(text.clone(), None));
            }
            // Lookups render templates in constants, with a warning.
            Const::Str(text) if crate::value::may_be_template(text) => {
                V::Str(Str::template(text.clone(), None))
            }
            Const::Str(text) => V::str(text.clone()),
        }),
        Expr::Name(name) => name_value(name, frame),
        Expr::List(items) => Ok(V::list(eval_all(items, frame)?)),
        Expr::Tuple(items) => Ok(V::tuple(eval_all(items, frame)?)),
        Expr::Dict(items) => {
            let mut map = Dict::new();
            for (key, value) in items {
                let key = ops::to_key(&deeper(key, frame)?)?;
                map.insert(key, deeper(value, frame)?);
            }
            Ok(V::dict(map))
        }
        Expr::Attr(object, name) => attributes::get_attr(&holder(object, frame)?, name),
        Expr::Item(object, index) => match index.as_ref() {
            Expr::Slice(start, stop, step) => {
                let object = deeper(object, frame)?;
                let bound = |e: &Option<Box<Expr>>| e.as_ref().map_or(Ok(V::None), |e| deeper(e, frame));
                attributes::slice(&object, &bound(start)?, &bound(stop)?, &bound(step)?)
            }
            index => {
                let object = holder(object, frame)?;
                attributes::get_item(&object, &deeper(index, frame)?)
            }
        },
        Expr::Slice(..) => Fail::python("a slice is not a value"),
        Expr::Call(callee, call_args) => {
            let callee = deeper(callee, frame)?;
            let args = eval_args(call_args, frame)?;
            call::call(&callee, args, frame.env())
        }
        Expr::Filter(operand, name, call_args) => {
            let operand = match operand {
                Some(operand) if is_vault_filter(name) => match still_encrypted(operand, frame)? {
                    Some(envelope) => V::str(envelope.text.as_str()),
                    None => deeper(operand, frame)?,
                },
                Some(operand) => deeper(operand, frame)?,
                None => V::None,
            };
            let args = eval_args(call_args, frame)?;
            filters::apply(name, operand, args, frame.env())
        }
        Expr::Test(operand, name, call_args) => {
            if is_vault_test(name) && still_encrypted(operand, frame)?.is_some() {
                return Ok(V::Bool(true));
            }
            let operand = deeper(operand, frame)?;
            let args = eval_args(call_args, frame)?;
            tests::apply(name, operand, args, frame.env())
        }
        Expr::Unary(op, operand) => {
            let value = deeper(operand, frame)?;
            match op {
                UnaryOp::Not => Ok(V::Bool(!ops::truth(&value)?)),
                UnaryOp::Neg => ops::negate(&value),
                UnaryOp::Pos => ops::positive(&value),
            }
        }
        Expr::Bin(op, left, right) => {
            let left = deeper(left, frame)?;
            let right = deeper(right, frame)?;
            let result = ops::binary(*op, &left, &right)?;
            account(&result, frame)?;
            Ok(result)
        }
        Expr::Compare(first, rest) => {
            let mut left = deeper(first, frame)?;
            for (op, right) in rest {
                let right = deeper(right, frame)?;
                if !ops::compare(*op, &left, &right)? {
                    return Ok(V::Bool(false));
                }
                left = right;
            }
            Ok(V::Bool(true))
        }
        Expr::Concat(parts) => {
            let mut text = String::new();
            for part in parts {
                let value = deeper(part, frame)?;
                text.push_str(&ops::to_str(&value)?);
            }
            frame.env().limits.allocate(text.len())?;
            Ok(V::str(text))
        }
        Expr::And(left, right) => {
            let value = deeper(left, frame)?;
            if ops::truth(&value)? { deeper(right, frame) } else { Ok(value) }
        }
        Expr::Or(left, right) => {
            let value = deeper(left, frame)?;
            if ops::truth(&value)? { Ok(value) } else { deeper(right, frame) }
        }
        Expr::Cond { test, then, otherwise } => {
            if ops::truth(&deeper(test, frame)?)? {
                deeper(then, frame)
            } else {
                match otherwise {
                    Some(otherwise) => deeper(otherwise, frame),
                    None => Ok(V::Blank),
                }
            }
        }
    }
}

/// Templates inside constants work, for now, but should not be relied on.
pub(crate) fn warn_embedded(env: &Rc<Env>) {
    if !env.limits.embedded_warned.replace(true) {
        env.templar.warn("Jinja constant strings should not contain embedded templates.", None);
    }
}

/// Memory that a result takes, counted against the limit of the call.
pub(crate) fn account(value: &V, frame: &Rc<Frame>) -> R<()> {
    let bytes = match value {
        V::Str(text) => text.as_str().len(),
        V::List(items) => items.borrow().len() * 16,
        V::Tuple(items) => items.len() * 16,
        _ => return Ok(()),
    };
    frame.env().limits.allocate(bytes)
}

fn deeper(expr: &Expr, frame: &Rc<Frame>) -> R<V> {
    match expr {
        Expr::Const(_) | Expr::Name(_) => eval(expr, frame),
        _ => stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || eval(expr, frame)),
    }
}

fn eval_all(items: &[Expr], frame: &Rc<Frame>) -> R<Vec<V>> {
    items.iter().map(|item| deeper(item, frame)).collect()
}

pub(crate) fn eval_args(call: &crate::template::syntax::ast::CallArgs, frame: &Rc<Frame>) -> R<Args> {
    let mut args = Args { pos: eval_all(&call.args, frame)?, kw: Vec::new() };
    for (i, (name, value)) in call.kwargs.iter().enumerate() {
        if call.kwargs[..i].iter().any(|(before, _)| before == name) {
            return Fail::python(format!("keyword argument repeated: {name}"));
        }
        args.kw.push((name.clone(), deeper(value, frame)?));
    }
    if let Some(star) = &call.star {
        args.pos.extend(iterate::items_of(&deeper(star, frame)?)?);
    }
    if let Some(star_star) = &call.star_star {
        let value = deeper(star_star, frame)?;
        match iterate::entries(&value)? {
            Some(entries) => {
                for (key, value) in entries {
                    match key.as_str() {
                        Some(name) => args.kw.push((name.into(), value)),
                        None => return Fail::python("keywords must be strings"),
                    }
                }
            }
            None => {
                return Fail::python(format!(
                    "argument after ** must be a mapping, not {}",
                    value.type_name()
                ));
            }
        }
    }
    Ok(args)
}

/// The value of an expression of which only a member is wanted: a dictionary stays packed.
fn holder(expr: &Expr, frame: &Rc<Frame>) -> R<V> {
    let env = frame.env();
    match expr {
        Expr::Name(name) if frame.context.use_vars && frame.get(name).is_none() => {
            env.limits.spend(1)?;
            env.packed(name)?.map_or_else(|| name_value(name, frame), Ok)
        }
        Expr::Attr(object, name) => {
            env.limits.spend(1)?;
            let object = env.limits.deeper(|| holder(object, frame))?;
            attributes::find_attr(&object, name)
        }
        Expr::Item(object, index) if !matches!(index.as_ref(), Expr::Slice(..)) => {
            env.limits.spend(1)?;
            let object = env.limits.deeper(|| holder(object, frame))?;
            attributes::find_item(&object, &deeper(index, frame)?)
        }
        _ => deeper(expr, frame),
    }
}

fn name_value(name: &Arc<str>, frame: &Rc<Frame>) -> R<V> {
    if let Some(value) = frame.get(name) {
        return value.force();
    }
    let env = frame.env();
    if frame.context.use_vars
        && let Some(value) = env.variable(name)?
    {
        return Ok(value);
    }
    match name.as_ref() {
        "omit" => return Ok(V::Omit),
        "vars" if frame.context.use_vars => return Ok(V::obj(Obj::Vars(env.clone()))),
        "hostvars" if frame.context.use_vars && env.scope.has_hostvars() => {
            return Ok(V::obj(Obj::HostVars(env.clone())));
        }
        "self" if frame.context.has_blocks() => return Ok(V::obj(Obj::SelfBlocks(frame.clone()))),
        _ => {}
    }
    Ok(functions::global(name).unwrap_or_else(|| env.undefined_name(name)))
}

impl Context {
    pub fn new(
        env: Rc<Env>,
        file: Option<std::path::PathBuf>,
        syntax: Arc<crate::template::syntax::Syntax>,
    ) -> Self {
        Self {
            env,
            use_vars: true,
            render_constants: false,
            file,
            syntax,
            blocks: RefCell::default(),
            parent: RefCell::default(),
            line: std::cell::Cell::new(1),
        }
    }

    pub fn has_blocks(&self) -> bool {
        !self.blocks.borrow().is_empty()
    }
}

/// A short description of a value for messages.
#[allow(dead_code)]
pub(crate) fn describe(value: &V) -> String {
    repr::repr(value).unwrap_or_else(|_| value.type_name().to_string())
}
