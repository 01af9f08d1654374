//! Templates: from text with `{{ }}` to values, as ansible-core 2.19 does it.
//!
//! [`Templar`] is the way in. Its one important decision: minijinja's tokenizer reads the text, but a tree of our
//! own is evaluated with Python's values and operators, because playbooks depend on them: native results, lists
//! changed in place, `%` on strings, tuples, exact messages. Variables come from a [`Scope`] and are rendered
//! only when a template touches them, and only if the user wrote them: what came from a host or out of a
//! template is never rendered again.

mod circles;
mod env;
mod eval;
mod file;
mod filters;
mod functions;
mod loader;
mod lookups;
mod methods;
mod mutable;
mod object;
mod printf;
mod random;
mod regex;
mod repr;
mod scope;
mod suggest;
mod syntax;
mod templar;
mod tests;
mod time;
mod tuple;

pub use filters::expandvars as expand_variables;
pub(crate) use filters::json_error;
pub(crate) use repr::quoted;
pub use repr::{python_repr, python_str};
pub use scope::{EmptyScope, MapScope, Outside, Overlay, Scope};
pub use templar::{Templar, TemplarOptions, TemplateOptions};
