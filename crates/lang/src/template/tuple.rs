//! Python's tuple.

use std::ops::Deref;

use super::mutable::on_a_stack_that_grows;
use super::object::V;

/// Values in a row that do not change.
pub(crate) struct Tuple(Vec<V>);

impl Tuple {
    pub fn new(items: Vec<V>) -> Self {
        Self(items)
    }
}

impl Deref for Tuple {
    type Target = [V];

    fn deref(&self) -> &[V] {
        &self.0
    }
}

impl Drop for Tuple {
    /// A template can make a tuple whose nesting would overflow the stack here.
    fn drop(&mut self) {
        let items = std::mem::take(&mut self.0);
        on_a_stack_that_grows(move || drop(items));
    }
}
