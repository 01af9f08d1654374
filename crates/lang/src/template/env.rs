//! One call of the templar: the scope, what was already rendered of it, and the limits.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use crate::template::circles::{Call, Circles};
use crate::template::eval;
use crate::template::object::{Fail, R, Undef, V};
use crate::template::scope::{Overlay, Scope};
use crate::template::templar::Shared;
use crate::{Error, Map, Str};

/// Rendering a variable may need another one, and so on; a chain longer than this is a loop in disguise.
const MAX_NESTING: usize = 400;

/// What one call may use up. A template that needs more is refused.
pub(crate) struct Limits {
    fuel: Cell<u64>,
    bytes: Cell<u64>,
    depth: Cell<usize>,
    pub embedded_warned: Cell<bool>,
}

impl Limits {
    pub fn new(fuel: u64, bytes: u64) -> Rc<Self> {
        Rc::new(Self {
            fuel: Cell::new(fuel),
            bytes: Cell::new(bytes),
            depth: Cell::new(0),
            embedded_warned: Cell::new(false),
        })
    }

    /// One step, or several.
    pub fn spend(&self, steps: u64) -> R<()> {
        match self.fuel.get().checked_sub(steps) {
            Some(left) => {
                self.fuel.set(left);
                Ok(())
            }
            None => Err(Error::new("template takes too many steps; it was stopped").into()),
        }
    }

    /// Memory for a text or list about to be made, in bytes.
    pub fn allocate(&self, bytes: usize) -> R<()> {
        match self.bytes.get().checked_sub(bytes as u64) {
            Some(left) => {
                self.bytes.set(left);
                Ok(())
            }
            None => Err(Error::new("template produces too much output; it was stopped").into()),
        }
    }

    /// Go one level deeper while `run` runs.
    pub fn deeper<T>(&self, run: impl FnOnce() -> R<T>) -> R<T> {
        let depth = self.depth.get();
        if depth >= MAX_NESTING {
            return Err(
                Error::new("Recursive loop detected in template: variables are nested too deeply").into()
            );
        }
        self.depth.set(depth + 1);
        let result = stacker::maybe_grow(256 * 1024, 4 * 1024 * 1024, run);
        self.depth.set(depth);
        result
    }
}

/// A scope during one call.
pub(crate) struct Env {
    pub templar: Arc<Shared>,
    pub scope: Arc<dyn Scope>,
    pub limits: Rc<Limits>,
    /// Names being rendered, for the report of a cycle; shared between the environments of one call.
    pub chain: Rc<RefCell<Vec<Arc<str>>>>,
    /// The directory of the template file being rendered, searched last for what it includes.
    pub template_dir: Option<std::path::PathBuf>,
    /// What is to be let go when the call ends; shared as well.
    pub circles: Rc<Circles>,
    names: RefCell<HashMap<Arc<str>, Option<V>>>,
    hosts: RefCell<HashMap<String, Option<Rc<Env>>>>,
}

impl Env {
    /// The outermost environment of a new call.
    pub fn begin(templar: Arc<Shared>, scope: Arc<dyn Scope>, limits: Rc<Limits>) -> Call {
        Call::new(Self::noted(Self {
            templar,
            scope,
            limits,
            chain: Rc::default(),
            template_dir: None,
            circles: Rc::default(),
            names: RefCell::default(),
            hosts: RefCell::default(),
        }))
    }

    fn noted(env: Self) -> Rc<Self> {
        let env = Rc::new(env);
        env.circles.note_env(&env);
        env
    }

    /// The same call with another scope, for the templates in `template_dir`.
    fn with_scope(&self, scope: Arc<dyn Scope>, template_dir: Option<std::path::PathBuf>) -> Rc<Self> {
        Self::noted(Self {
            templar: self.templar.clone(),
            scope,
            limits: self.limits.clone(),
            chain: self.chain.clone(),
            template_dir,
            circles: self.circles.clone(),
            names: RefCell::default(),
            hosts: RefCell::default(),
        })
    }

    /// Let go of everything that was read.
    pub fn forget(&self) {
        self.names.take();
        self.hosts.take();
    }

    /// The same call, for the templates beside a template file.
    pub fn for_template(env: &Rc<Self>, file: &std::path::Path, vars: &Map) -> Rc<Self> {
        let template_dir = crate::template::templar::template_dir(file);
        let scope = match vars.is_empty() {
            true => env.scope.clone(),
            false => Arc::new(Overlay { vars: vars.clone(), below: env.scope.clone() }),
        };
        env.with_scope(scope, template_dir)
    }

    /// A variable as it was written, or what has become of it.
    fn written(self: &Rc<Self>, name: &Arc<str>) -> R<Option<V>> {
        if let Some(known) = self.names.borrow().get(name) {
            return Ok(known.clone());
        }
        let value = self.scope.get(name)?.map(|value| V::lazy(&value, self));
        self.names.borrow_mut().insert(name.clone(), value.clone());
        Ok(value)
    }

    /// A variable of which only a member is wanted: a dictionary stays packed.
    pub fn packed(self: &Rc<Self>, name: &Arc<str>) -> R<Option<V>> {
        match self.written(name)? {
            Some(V::Lazy(lazy)) if lazy.is_packed() => Ok(Some(V::Lazy(lazy))),
            _ => self.variable(name),
        }
    }

    /// A variable, one level rendered; `None` when nothing has that name.
    pub fn variable(self: &Rc<Self>, name: &Arc<str>) -> R<Option<V>> {
        match self.written(name)? {
            Some(V::Lazy(lazy)) => {
                self.chain.borrow_mut().push(name.clone());
                let result = V::Lazy(lazy).force();
                self.chain.borrow_mut().pop();
                let forced = result?;
                self.names.borrow_mut().insert(name.clone(), Some(forced.clone()));
                Ok(Some(forced))
            }
            other => Ok(other),
        }
    }

    /// The variables of another host.
    pub fn host(self: &Rc<Self>, host: &str) -> R<Option<Rc<Env>>> {
        if let Some(known) = self.hosts.borrow().get(host) {
            return Ok(known.clone());
        }
        let env = self.scope.hostvars(host)?.map(|scope| self.with_scope(scope, None));
        self.hosts.borrow_mut().insert(host.to_string(), env.clone());
        Ok(env)
    }

    /// Render a member of a variable. What is undefined in it makes it undefined, not an error, so that
    /// `default` and `is defined` see it.
    pub fn render_nested(self: &Rc<Self>, text: &Str, busy: &Cell<bool>) -> R<V> {
        if busy.replace(true) {
            return Err(self.cycle().at(text.pos()).into());
        }
        let result = self.limits.deeper(|| eval::render_text(self, text));
        busy.set(false);
        match result {
            Err(Fail::Undefined(undef)) => Ok(V::Undef(undef)),
            other => other,
        }
    }

    fn cycle(&self) -> Error {
        let chain = self.chain.borrow();
        let names = match chain.last() {
            Some(last) => {
                let start = chain.iter().position(|n| n == last).unwrap_or(0);
                let names: Vec<String> = chain[start..].iter().map(|n| format!("'{n}'")).collect();
                if names.len() > 1 { names.join(" -> ") } else { format!("{0} -> {0}", names.join("")) }
            }
            None => "the template contains itself".to_string(),
        };
        Error::new(format!("Recursive loop detected in template: {names}"))
    }

    /// The undefined value for a name that nothing has.
    pub fn undefined_name(&self, name: &Arc<str>) -> V {
        V::Undef(Undef::name(name))
    }
}
