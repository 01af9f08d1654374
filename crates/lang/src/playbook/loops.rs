use std::sync::Arc;

use crate::{Pos, Value};

/// What a task repeats over.
#[derive(Clone, Debug)]
pub struct Loop {
    pub with: LoopWith,
    /// As written: a list, a template, or (old form, only `with_*`) the bare name of a variable, which was made a
    /// template already.
    pub value: Value,
    pub pos: Pos,
}

/// Where the elements of a loop come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LoopWith {
    /// `loop:`: the value is the list.
    Loop,
    /// `with_NAME:`: the value is what the lookup takes.
    Lookup(Arc<str>),
}

/// `loop_control`; what is not written is `None`. All but `label` and `break_when` are rendered before the loop.
#[derive(Clone, Debug, Default)]
pub struct LoopControl {
    /// `item` when not written.
    pub loop_var: Option<Value>,
    pub index_var: Option<Value>,
    /// Rendered for every element.
    pub label: Option<Value>,
    /// Seconds.
    pub pause: Option<Value>,
    pub extended: Option<Value>,
    pub extended_allitems: Option<Value>,
    /// Conditions, looked at after every element.
    pub break_when: Vec<Value>,
}
