//! A container that several names share and that changes in place.

use std::cell::RefCell;
use std::rc::Rc;

/// Readers get a snapshot that costs nothing, writers change the container itself: reading never holds a lock, so
/// rendering a member while going over the container cannot fail, whatever that member does.
///
/// The contents are there until the container is dropped.
#[derive(Default)]
pub(crate) struct Mutable<T>(RefCell<Option<Rc<T>>>);

impl<T: Clone + Default> Mutable<T> {
    pub fn new(value: T) -> Self {
        Self(RefCell::new(Some(Rc::new(value))))
    }

    /// The contents as they are now.
    pub fn borrow(&self) -> Rc<T> {
        self.0.borrow().clone().unwrap_or_default()
    }

    /// A container of its own with the same contents.
    pub fn snapshot(&self) -> Rc<Self> {
        Rc::new(Self(RefCell::new(Some(self.borrow()))))
    }

    /// Change the contents. Nothing may be evaluated inside of `change`.
    pub fn edit<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(Rc::make_mut(self.0.borrow_mut().get_or_insert_default()))
    }
}

impl<T> Drop for Mutable<T> {
    /// A template can make a container whose nesting would overflow the stack here.
    fn drop(&mut self) {
        let contents = self.0.get_mut().take();
        on_a_stack_that_grows(move || drop(contents));
    }
}

/// Call something that may recurse as deep as values nest.
pub(crate) fn on_a_stack_that_grows<R>(call: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(128 * 1024, 2 * 1024 * 1024, call)
}
