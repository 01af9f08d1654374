//! Calls: global functions, methods, macros, blocks.

use std::rc::Rc;
use std::sync::Arc;

use crate::Key;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::output::Output;
use crate::template::eval::{eval, statements};
use crate::template::object::{Dict, Fail, Func, MacroObj, Obj, R, V};
use crate::template::{functions, methods};

pub(crate) fn call(callee: &V, args: Args, env: &Rc<Env>) -> R<V> {
    env.limits.spend(1)?;
    match callee.force()? {
        V::Undef(undef) => Err(Fail::Undefined(undef)),
        V::Func(func) => match func.as_ref() {
            Func::Global(name) => functions::call(name, args, env),
            Func::Method(object, name) => {
                // An undefined argument makes the result undefined where Python would only store it.
                methods::call(object, name, args, env)
            }
            Func::Macro(object) => call_macro(object, args, env),
            Func::Block(name, level, frame) => env.limits.deeper(|| {
                let mut out = Output::default();
                statements::run_block(name, *level, frame, false, &mut out)?;
                Ok(out.finish())
            }),
        },
        V::Obj(obj) => match obj.as_ref() {
            Obj::Joiner { sep, used } => Ok(if used.replace(true) { sep.clone() } else { V::str("") }),
            Obj::Loop(state) => recurse(state, args, env),
            _ => Fail::python(format!("'{}' object is not callable", V::Obj(obj.clone()).type_name())),
        },
        other => Fail::python(format!("'{}' object is not callable", other.type_name())),
    }
}

fn recurse(state: &Rc<crate::template::object::LoopState>, args: Args, env: &Rc<Env>) -> R<V> {
    let Some((body, frame)) = &state.recurse else {
        return Fail::python("The loop must have the 'recursive' marker to be called recursively.");
    };
    let bound = args.bind("loop", ["iterable"], 1)?;
    env.limits.deeper(|| {
        let mut out = Output::default();
        statements::run_for(body, &bound.value(0), frame, state.depth0 + 1, &mut out)?;
        Ok(out.finish())
    })
}

fn call_macro(object: &Rc<MacroObj>, mut args: Args, env: &Rc<Env>) -> R<V> {
    let decl = &object.decl;
    let frame = object.frame.child();
    let given = args.pos.len();
    let mut positional = std::mem::take(&mut args.pos).into_iter();
    let mut unset = Vec::new();
    for (name, default) in &decl.params {
        if let Some(value) = positional.next() {
            frame.set(name, value);
        } else if let Some(i) = args.kw.iter().position(|(n, _)| n == name) {
            frame.set(name, args.kw.remove(i).1);
        } else {
            unset.push((name, default));
        }
    }
    for (name, default) in unset {
        let value = match default {
            Some(default) => eval(default, &frame)?,
            None => V::undef(format!("parameter '{name}' was not provided")),
        };
        frame.set(name, value);
    }
    let rest: Vec<V> = positional.collect();
    if decl.uses_varargs {
        frame.set(&"varargs".into(), V::tuple(rest));
    } else if !rest.is_empty() {
        let most = decl.params.len();
        return Fail::python(format!("macro '{}' takes not more than {most} argument(s)", decl.name));
    }
    let _ = given;
    let caller: Arc<str> = "caller".into();
    if let Some(i) = args.kw.iter().position(|(n, _)| n.as_ref() == "caller") {
        let value = args.kw.remove(i).1;
        if !decl.uses_caller {
            let name = &decl.name;
            return Fail::python(format!(
                "macro '{name}' was invoked with two values for the special caller argument. This is most likely a bug."
            ));
        }
        frame.set(&caller, value);
    } else if decl.uses_caller && decl.params.iter().all(|(n, _)| n.as_ref() != "caller") {
        frame.set(&caller, V::undef("No caller defined"));
    }
    if decl.uses_kwargs {
        let map: Dict = args.kw.into_iter().map(|(k, v)| (Key::Str(k), v)).collect();
        frame.set(&"kwargs".into(), V::dict(map));
    } else if let Some((name, _)) = args.kw.first() {
        return Fail::python(format!("macro '{}' takes no keyword argument '{name}'", decl.name));
    }
    env.limits.deeper(|| {
        let mut out = Output::default();
        statements::run(&decl.body, &frame, &mut out)?;
        Ok(out.finish())
    })
}
