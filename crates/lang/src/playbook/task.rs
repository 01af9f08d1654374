use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::keywords::{Keyword, Place};
use crate::role::Role;
use crate::template::python_str;
use crate::{Map, Pos, Str, Value};

use super::{Attrs, Frame, Include, Loop, LoopControl, ModuleRef};

/// A number that no other task or block of the process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TaskId(pub u32);

/// A task or handler as written.
///
/// Keywords are reached through [`keyword`](Self::keyword) (what overrides), [`keywords`](Self::keywords) (what
/// adds up) and [`own`](Self::own) (what is not inherited); the methods below name the usual ones.
#[derive(Clone, Debug)]
pub struct Task {
    pub id: TaskId,
    pub name: Option<Value>,
    pub attrs: Attrs,
    pub vars: Map,
    /// The module as written: `copy`, `ansible.builtin.copy`, `foo.bar.baz`.
    pub action: Str,
    pub module: ModuleRef,
    /// Arguments, `key=value` taken apart; free-form text is under `_raw_params`. `args:` that is a template
    /// is under `_variable_params`.
    pub args: Map,
    pub loop_: Option<Loop>,
    pub loop_control: LoopControl,
    /// For `include_tasks` and `include_role`, the parts of `args`.
    pub include: Option<Include>,
    /// Other names of a handler; templates are not rendered in it.
    pub listen: Vec<Arc<str>>,
    pub place: Place,
    /// Made by the loader (`meta: role_complete`, validation of role arguments), not written by anybody.
    pub implicit: bool,
    /// The chain of what is around it.
    pub frame: Arc<Frame>,
    pub pos: Pos,
}

impl TaskId {
    /// The next number.
    pub fn next() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl Task {
    /// What is written on the task itself.
    pub fn own(&self, keyword: Keyword) -> Option<&Value> {
        self.attrs.get(keyword)
    }

    /// The value that counts: the task's own or the innermost one around it.
    pub fn keyword(&self, keyword: Keyword) -> Option<&Value> {
        self.attrs.get(keyword).or_else(|| self.frame.keyword(keyword))
    }

    /// What is written of a keyword on the task and around it, the innermost first.
    pub fn written(&self, keyword: Keyword) -> impl Iterator<Item = &Value> {
        self.attrs.get(keyword).into_iter().chain(self.frame.written(keyword))
    }

    /// All values of a keyword that adds up (`when`, `tags`, `environment`, `module_defaults`), in the order in
    /// which they count.
    pub fn keywords(&self, keyword: Keyword) -> Vec<&Value> {
        self.frame.inherited(keyword, self.attrs.get(keyword))
    }

    /// The conditions of the task and of everything around it, the outermost first.
    pub fn when(&self) -> Vec<&Value> {
        flatten(self.keywords(Keyword::When))
    }

    pub fn changed_when(&self) -> Vec<&Value> {
        flatten(self.own(Keyword::ChangedWhen).into_iter().collect())
    }

    pub fn failed_when(&self) -> Vec<&Value> {
        flatten(self.own(Keyword::FailedWhen).into_iter().collect())
    }

    pub fn until(&self) -> Vec<&Value> {
        flatten(self.own(Keyword::Until).into_iter().collect())
    }

    /// Handlers to notify; an entry may be a template for a list.
    pub fn notify(&self) -> Vec<&Value> {
        flatten(self.keyword(Keyword::Notify).into_iter().collect())
    }

    /// The variable that takes the result.
    pub fn register(&self) -> Option<&str> {
        self.own(Keyword::Register).and_then(Value::as_str)
    }

    /// The role the task belongs to.
    pub fn role(&self) -> Option<&Arc<Role>> {
        self.frame.role()
    }

    pub fn is_handler(&self) -> bool {
        self.place == Place::Handler
    }

    /// Does it run `include_role`?
    pub fn is_include_role(&self) -> bool {
        self.module.is_builtin("include_role")
    }

    /// The name as written, or the module if there is none, with the role in front: `web : install nginx`. As in
    /// ansible-core, an `include_role` has no role in front.
    pub fn title(&self) -> String {
        let title = match self.name.as_ref().filter(|name| name.is_truthy()) {
            Some(name) => python_str(name),
            None => self.action.as_str().to_owned(),
        };
        self.titled(title)
    }

    /// A name for it, with the role in front.
    pub fn titled(&self, name: String) -> String {
        match self.role() {
            Some(role) if !self.is_include_role() => format!("{} : {name}", role.full_name()),
            _ => name,
        }
    }
}

/// Lists in a list of values, one level.
fn flatten(values: Vec<&Value>) -> Vec<&Value> {
    values
        .into_iter()
        .flat_map(|value| match value {
            Value::List(items) => items.iter().collect(),
            other => vec![other],
        })
        .collect()
}

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
