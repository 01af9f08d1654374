//! A container that several names share and that changes in place.

use std::cell::RefCell;
use std::rc::Rc;

/// Readers get a snapshot that costs nothing, writers change the container itself: reading never holds a lock, so
/// rendering a member while going over the container cannot fail, whatever that member does.
#[derive(Default)]
pub(crate) struct Mutable<T>(RefCell<Rc<T>>);

impl<T: Clone> Mutable<T> {
    pub fn new(value: T) -> Self {
        Self(RefCell::new(Rc::new(value)))
    }

    /// The contents as they are now.
    pub fn borrow(&self) -> Rc<T> {
        self.0.borrow().clone()
    }

    /// A container of its own with the same contents.
    pub fn snapshot(&self) -> Rc<Self> {
        Rc::new(Self(RefCell::new(self.borrow())))
    }

    /// Change the contents. Nothing may be evaluated inside of `change`.
    pub fn edit<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(Rc::make_mut(&mut self.0.borrow_mut()))
    }
}
