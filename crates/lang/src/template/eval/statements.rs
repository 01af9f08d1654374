//! Statements.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::Key;
use crate::template::eval::args::Args;
use crate::template::eval::frame::{Context, Frame};
use crate::template::eval::output::Output;
use crate::template::eval::{call, eval, eval_args, iterate, ops};
use crate::template::loader;
use crate::template::object::{Dict, Fail, Func, LoopState, MacroObj, Obj, R, V};
use crate::template::syntax::ast::{Expr, For, Stmt, StmtKind, Target, Template};
use crate::template::{filters, repr};

/// How a run of statements ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    Next,
    Break,
    Continue,
}

/// A whole template, with the templates it extends.
pub(crate) fn run_template(template: &Arc<Template>, frame: &Rc<Frame>, out: &mut Output) -> R<()> {
    let mut template = template.clone();
    loop {
        if template.has_blocks {
            collect_blocks(&template.body, &mut frame.context.blocks.borrow_mut());
        }
        run(&template.body, frame, out)?;
        let Some(parent) = frame.context.parent.take() else { return Ok(()) };
        frame.env().limits.spend(1000)?;
        template = parent;
    }
}

fn collect_blocks(body: &[Stmt], blocks: &mut HashMap<Arc<str>, Vec<Arc<Vec<Stmt>>>>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::Block { name, body, .. } => {
                blocks.entry(name.clone()).or_default().push(body.clone());
                collect_blocks(body, blocks);
            }
            StmtKind::If { branches, otherwise } => {
                branches.iter().for_each(|(_, body)| collect_blocks(body, blocks));
                collect_blocks(otherwise, blocks);
            }
            StmtKind::For(f) => collect_blocks(&f.body, blocks),
            StmtKind::With { body, .. } | StmtKind::Scoped(body) | StmtKind::FilterBlock { body, .. } => {
                collect_blocks(body, blocks);
            }
            _ => {}
        }
    }
}

pub(crate) fn run(body: &[Stmt], frame: &Rc<Frame>, out: &mut Output) -> R<Flow> {
    for stmt in body {
        frame.context.line.set(stmt.line);
        let flow = run_one(stmt, frame, out)?;
        if flow != Flow::Next {
            return Ok(flow);
        }
    }
    Ok(Flow::Next)
}

/// After `{% extends %}` only definitions count.
fn silenced(frame: &Rc<Frame>) -> bool {
    frame.parent.is_none() && frame.context.parent.borrow().is_some()
}

fn run_one(stmt: &Stmt, frame: &Rc<Frame>, out: &mut Output) -> R<Flow> {
    frame.env().limits.spend(1)?;
    match &stmt.kind {
        StmtKind::Text(text) => {
            if !silenced(frame) {
                frame.env().limits.allocate(text.len())?;
                out.push(V::str(text.clone()))?;
            }
        }
        StmtKind::Output(expr) => {
            if !silenced(frame) {
                let value = eval(expr, frame)?;
                super::account(&value, frame)?;
                out.push(value)?;
            }
        }
        StmtKind::If { branches, otherwise } => {
            for (test, body) in branches {
                if ops::truth(&eval(test, frame)?)? {
                    return deeper(body, frame, out);
                }
            }
            return deeper(otherwise, frame, out);
        }
        StmtKind::For(f) => {
            let items = eval(&f.iter, frame)?;
            run_for(f, &items, frame, 0, out)?;
        }
        StmtKind::Set(target, expr) => {
            let value = eval(expr, frame)?;
            assign(target, value, frame)?;
        }
        StmtKind::SetBlock { target, filter, body } => {
            let mut inner = Output::default();
            deeper(body, &frame.child(), &mut inner)?;
            let mut value = inner.finish();
            if let Some(filter) = filter {
                value = apply_chain(filter, value, frame)?;
            }
            assign(target, value, frame)?;
        }
        StmtKind::FilterBlock { filter, body } => {
            let mut inner = Output::default();
            deeper(body, &frame.child(), &mut inner)?;
            out.push(apply_chain(filter, inner.finish(), frame)?)?;
        }
        StmtKind::With { bindings, body } => {
            let inner = frame.child();
            for (target, expr) in bindings {
                // Each value is computed outside of the block, as in Jinja since 2.9.
                let value = eval(expr, frame)?;
                assign(target, value, &inner)?;
            }
            return deeper(body, &inner, out);
        }
        StmtKind::Scoped(body) => return deeper(body, &frame.child(), out),
        StmtKind::Block { name, scoped, required, .. } => {
            if !silenced(frame) {
                let levels = frame.context.blocks.borrow().get(name).map_or(0, Vec::len);
                if *required && levels <= 1 {
                    return Fail::python(format!("Required block '{name}' not found"));
                }
                run_block(name, 0, frame, *scoped, out)?;
            }
        }
        StmtKind::Extends(name) => {
            let name = eval(name, frame)?;
            if frame.context.parent.borrow().is_some() {
                return Fail::python("extended multiple times");
            }
            let (template, _) = loader::load(&name, frame)?;
            *frame.context.parent.borrow_mut() = Some(template);
        }
        StmtKind::Include { name, ignore_missing, with_context } => {
            include(name, *ignore_missing, *with_context, frame, out)?;
        }
        StmtKind::Import { name, target, with_context } => {
            let module = import(name, *with_context, frame)?;
            frame.set(target, module);
        }
        StmtKind::FromImport { name, names, with_context } => {
            let module = import(name, *with_context, frame)?;
            for (what, alias) in names {
                let value = match super::attributes::attribute(&module, what)? {
                    Some(value) => value,
                    None => {
                        let shown = shown_name(name, frame);
                        V::undef(format!(
                            "the template {shown} (imported on line {}) does not export the requested name {}",
                            stmt.line,
                            repr::quoted(what)
                        ))
                    }
                };
                frame.set(alias, value);
            }
        }
        StmtKind::Macro(decl) => {
            let object = MacroObj { decl: decl.clone(), frame: frame.clone() };
            frame.set(&decl.name, V::Func(Rc::new(Func::Macro(Rc::new(object)))));
        }
        StmtKind::Call { call: Expr::Call(callee, call_args), caller } => {
            let callee = eval(callee, frame)?;
            let mut args: Args = eval_args(call_args, frame)?;
            let object = MacroObj { decl: caller.clone(), frame: frame.clone() };
            args.kw.push(("caller".into(), V::Func(Rc::new(Func::Macro(Rc::new(object))))));
            out.push(call::call(&callee, args, frame.env())?)?;
        }
        StmtKind::Call { .. } => return Fail::python("expected call"),
        StmtKind::Do(expr) => {
            eval(expr, frame)?;
        }
        StmtKind::Break => return Ok(Flow::Break),
        StmtKind::Continue => return Ok(Flow::Continue),
    }
    Ok(Flow::Next)
}

fn shown_name(name: &Expr, frame: &Rc<Frame>) -> String {
    eval(name, frame).and_then(|v| repr::repr(&v)).unwrap_or_default()
}

fn deeper(body: &[Stmt], frame: &Rc<Frame>, out: &mut Output) -> R<Flow> {
    stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, || run(body, frame, out))
}

/// The filters of `{% filter %}` on the text of the block.
fn apply_chain(chain: &Expr, value: V, frame: &Rc<Frame>) -> R<V> {
    match chain {
        Expr::Filter(inner, name, call_args) => {
            let value = match inner {
                Some(inner) => apply_chain(inner, value, frame)?,
                None => value,
            };
            let args = eval_args(call_args, frame)?;
            filters::apply(name, value, args, frame.env())
        }
        Expr::Test(inner, name, call_args) => {
            let value = apply_chain(inner, value, frame)?;
            let args = eval_args(call_args, frame)?;
            crate::template::tests::apply(name, value, args, frame.env())
        }
        other => eval(other, frame),
    }
}

pub(crate) fn assign(target: &Target, value: V, frame: &Rc<Frame>) -> R<()> {
    match target {
        Target::Name(name) => frame.set(name, value),
        Target::Member(name, attr) => match frame.get(name) {
            Some(V::Obj(obj)) if matches!(obj.as_ref(), Obj::Namespace(_)) => {
                if let Obj::Namespace(map) = obj.as_ref() {
                    map.edit(|m| m.insert(Key::Str(attr.clone()), value));
                }
            }
            _ => return Fail::python("cannot assign attribute on non-namespace object"),
        },
        Target::Tuple(targets) => {
            let items = iterate::items_of(&value)?;
            if items.len() < targets.len() {
                let (want, got) = (targets.len(), items.len());
                return Fail::python(format!("not enough values to unpack (expected {want}, got {got})"));
            }
            if items.len() > targets.len() {
                return Fail::python(format!("too many values to unpack (expected {})", targets.len()));
            }
            for (target, item) in targets.iter().zip(items) {
                assign(target, item, frame)?;
            }
        }
    }
    Ok(())
}

pub(crate) fn run_for(f: &Arc<For>, items: &V, frame: &Rc<Frame>, depth0: usize, out: &mut Output) -> R<()> {
    let mut items = iterate::items_of(items)?;
    if let Some(filter) = &f.filter {
        let mut kept = Vec::new();
        for item in items {
            let inner = frame.child();
            assign(&f.target, item.clone(), &inner)?;
            if ops::truth(&eval(filter, &inner)?)? {
                kept.push(item);
            }
        }
        items = kept;
    }
    if items.is_empty() {
        deeper(&f.otherwise, &frame.child(), out)?;
        return Ok(());
    }
    let count = items.len();
    let state = Rc::new(LoopState {
        index0: Cell::new(0),
        items,
        depth0,
        changed: RefCell::new(None),
        recurse: f.recursive.then(|| (f.clone(), frame.clone())),
    });
    let loop_name: Arc<str> = "loop".into();
    for i in 0..count {
        frame.env().limits.spend(1)?;
        state.index0.set(i);
        let Some(item) = state.items.get(i).cloned() else { break };
        let inner = frame.child();
        inner.set(&loop_name, V::obj(Obj::Loop(state.clone())));
        assign(&f.target, item, &inner)?;
        if deeper(&f.body, &inner, out)? == Flow::Break {
            break;
        }
    }
    Ok(())
}

/// The body of a block, from the given level of inheritance on.
pub(crate) fn run_block(
    name: &Arc<str>,
    level: usize,
    frame: &Rc<Frame>,
    scoped: bool,
    out: &mut Output,
) -> R<()> {
    let body = frame.context.blocks.borrow().get(name).and_then(|levels| levels.get(level)).cloned();
    let Some(body) = body else {
        return Fail::undefined(format!("there is no parent block called {}.", repr::quoted(name)));
    };
    let inner = if scoped { frame.child() } else { frame.top().child() };
    inner.set(&"super".into(), V::Func(Rc::new(Func::Block(name.clone(), level + 1, frame.clone()))));
    deeper(&body, &inner, out)?;
    Ok(())
}

fn include(
    name: &Expr,
    ignore_missing: bool,
    with_context: bool,
    frame: &Rc<Frame>,
    out: &mut Output,
) -> R<()> {
    let name = eval(name, frame)?;
    let (template, file) = match loader::load(&name, frame) {
        Ok(found) => found,
        Err(Fail::Error(error)) if ignore_missing && error.kind() == crate::error::ErrorKind::NotFound => {
            return Ok(());
        }
        Err(other) => return Err(other),
    };
    let inner = subframe(with_context, Some(file), frame);
    frame.env().limits.deeper(|| {
        let mut text = Output::default();
        let result = run_template(&template, &inner, &mut text);
        result.map_err(|fail| loader::in_file(fail, &inner))?;
        match text {
            Output::Empty => {}
            other => out.push(other.finish())?,
        }
        Ok(())
    })
}

fn subframe(with_context: bool, file: Option<std::path::PathBuf>, frame: &Rc<Frame>) -> Rc<Frame> {
    let mut context = Context::new(frame.env().clone(), file, frame.context.syntax.clone());
    context.use_vars = with_context && frame.context.use_vars;
    let inner = Frame::root(Rc::new(context));
    if with_context {
        inner.vars.borrow_mut().extend(frame.locals());
    }
    inner
}

fn import(name: &Expr, with_context: bool, frame: &Rc<Frame>) -> R<V> {
    let name = eval(name, frame)?;
    let (template, file) = loader::load(&name, frame)?;
    let shown = file.display().to_string();
    let inner = subframe(with_context, Some(file), frame);
    frame.env().limits.deeper(|| {
        run_template(&template, &inner, &mut Output::default())
            .map_err(|fail| loader::in_file(fail, &inner))?;
        Ok(V::obj(Obj::Module { name: shown, frame: inner.clone() }))
    })
}

#[allow(dead_code)]
pub(crate) fn kwargs_of(map: &Dict) -> Vec<(Arc<str>, V)> {
    map.iter().filter_map(|(k, v)| Some((k.as_str()?.into(), v.clone()))).collect()
}
