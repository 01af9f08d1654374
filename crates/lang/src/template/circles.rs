//! What refers to itself while a call of the templar lasts, and is let go when it ends.
//!
//! A variable that was read stays in its environment, and its members know the environment, to be rendered there. A macro
//! stays in the frame that defines it, and knows the frame. Counted references alone would never free such circles.

use std::cell::RefCell;
use std::ops::Deref;
use std::rc::{Rc, Weak};

use crate::template::env::Env;
use crate::template::eval::frame::Frame;

/// The environments and frames of one call that may be part of a circle.
#[derive(Default)]
pub(crate) struct Circles {
    envs: RefCell<Vec<Weak<Env>>>,
    frames: RefCell<Vec<Weak<Frame>>>,
}

impl Circles {
    /// An environment of the call.
    pub fn note_env(&self, env: &Rc<Env>) {
        self.envs.borrow_mut().push(Rc::downgrade(env));
    }

    /// A frame with something in it that knows a frame.
    pub fn note_frame(&self, frame: &Rc<Frame>) {
        self.frames.borrow_mut().push(Rc::downgrade(frame));
    }

    fn cut(&self) {
        for env in self.envs.take().iter().filter_map(Weak::upgrade) {
            env.forget();
        }
        for frame in self.frames.take().iter().filter_map(Weak::upgrade) {
            frame.forget();
        }
    }
}

/// A call of the templar: its outermost environment. What it has computed must be finished before it ends.
pub(crate) struct Call(Rc<Env>);

impl Call {
    pub fn new(env: Rc<Env>) -> Self {
        Self(env)
    }
}

impl Deref for Call {
    type Target = Rc<Env>;

    fn deref(&self) -> &Rc<Env> {
        &self.0
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.0.circles.cut();
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use crate::template::{MapScope, Scope, Templar, TemplateOptions};
    use crate::{Key, Map, Value};

    /// Is nothing left of the scope when the calls are over?
    fn is_freed(calls: impl FnOnce(&Templar, &Arc<dyn Scope>)) -> bool {
        let entries: Map =
            [("name", Value::template("{{ 'x' * 3 }}")), ("parts", vec![Value::Int(1)].into())]
                .map(|(key, value)| (Key::from(key), value))
                .into_iter()
                .collect();
        let vars = [(Key::from("app"), Value::map(entries))].into_iter().collect();
        let scope: Arc<dyn Scope> = Arc::new(MapScope { vars, ..MapScope::default() });
        calls(&Templar::default(), &scope);
        Arc::strong_count(&scope) == 1
    }

    #[test]
    fn variables_that_were_read_are_freed() {
        assert!(is_freed(|templar, scope| {
            let text =
                Value::template("{{ app.name }}{{ app.parts | length }}{{ lookup('vars', 'app').name }}");
            assert_eq!(templar.render(&text, scope).unwrap(), Value::str("xxx1xxx"));
            assert!(templar.condition(&Value::template("app.name == 'xxx'"), scope).unwrap());
            assert!(templar.evaluate("app.nothing.more", scope, None).is_err());
        }));
    }

    #[test]
    fn macros_and_blocks_are_freed() {
        assert!(is_freed(|templar, scope| {
            let source = "{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{% set me = self %}\
                          {% for part in [[1]] recursive %}{% set again = loop %}{{ twice(app.name) }}{% endfor %}\
                          {% block end %}{% set more = super %}.{% endblock %}";
            let options = TemplateOptions::default();
            let text = templar.render_template(source, Path::new("t.j2"), &options, scope).unwrap();
            assert_eq!(text, "xxxxxx.");
        }));
    }
}
