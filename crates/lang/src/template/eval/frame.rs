//! Names that a template itself defines, in nested blocks.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use crate::template::env::Env;
use crate::template::object::V;
use crate::template::syntax::Syntax;
use crate::template::syntax::ast::{Stmt, Template};

/// One template being rendered.
pub(crate) struct Context {
    pub env: Rc<Env>,
    /// Are the variables of the task visible? Not in a template imported without context.
    pub use_vars: bool,
    /// Are templates inside string constants rendered? In conditions, for the sake of old playbooks.
    pub render_constants: bool,
    /// The template file, for relative includes and messages.
    pub file: Option<PathBuf>,
    pub syntax: Arc<Syntax>,
    /// The bodies of each `{% block %}`, the most derived template's first.
    pub blocks: RefCell<HashMap<Arc<str>, Vec<Arc<Vec<Stmt>>>>>,
    /// The template that `{% extends %}` named, to be rendered instead of the rest.
    pub parent: RefCell<Option<Arc<Template>>>,
    /// The line being rendered, for messages.
    pub line: Cell<u32>,
}

pub(crate) struct Frame {
    pub context: Rc<Context>,
    pub vars: RefCell<HashMap<Arc<str>, V>>,
    pub parent: Option<Rc<Frame>>,
}

impl Frame {
    pub fn root(context: Rc<Context>) -> Rc<Self> {
        Rc::new(Self { context, vars: RefCell::default(), parent: None })
    }

    pub fn child(self: &Rc<Self>) -> Rc<Self> {
        Rc::new(Self { context: self.context.clone(), vars: RefCell::default(), parent: Some(self.clone()) })
    }

    pub fn env(&self) -> &Rc<Env> {
        &self.context.env
    }

    pub fn get(&self, name: &str) -> Option<V> {
        let mut frame = self;
        loop {
            if let Some(value) = frame.vars.borrow().get(name) {
                return Some(value.clone());
            }
            frame = frame.parent.as_ref()?;
        }
    }

    pub fn set(self: &Rc<Self>, name: &Arc<str>, value: V) {
        if value.knows_frame() {
            self.env().circles.note_frame(self);
        }
        self.vars.borrow_mut().insert(name.clone(), value);
    }

    /// Let go of all names.
    pub fn forget(&self) {
        self.vars.take();
    }

    /// The outermost frame: the top level of the template.
    pub fn top(self: &Rc<Self>) -> Rc<Self> {
        let mut frame = self.clone();
        while let Some(parent) = frame.parent.clone() {
            frame = parent;
        }
        frame
    }

    /// All names defined in this frame and around it, for includes with context.
    pub fn locals(&self) -> HashMap<Arc<str>, V> {
        let mut all = match &self.parent {
            Some(parent) => parent.locals(),
            None => HashMap::new(),
        };
        all.extend(self.vars.borrow().iter().map(|(k, v)| (k.clone(), v.clone())));
        all
    }
}
