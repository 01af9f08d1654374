//! The program on the host: receives steps, works through them in order, answers.
//!
//! Four things run at the same time, and only the first of them decides anything:
//!
//! - the *worker* ([`serve`]) takes one step after the other from the queue, plans it, waits for permission if
//!   it has to, carries it out and answers. All changes to the host happen here, one after the other. Only when
//!   steps say which others they have to follow (strategy `graph`) are there several workers, and steps that are done
//!   [`together`];
//! - a *reader* puts what the controller sends where the worker finds it: steps into the queue, contents of
//!   files into the [`store`], `Go`, `Flush` and `Cancel` into the [`desk`];
//! - a *writer* sends answers, as many at a time as there are;
//! - for every other user that steps become, a *child*: the same program under another identity, to which the
//!   worker hands such a step and whose messages it passes on ([`become`](crate::identity)).
//!
//! The rules about order, permission and dropped steps are part of the protocol: see
//! [`protocol::ToAgent`] and [`protocol::FromAgent`].

mod child;
mod desk;
mod escalate;
mod identity;
mod job;
mod outbox;
mod panics;
mod relay;
mod serve;
mod start;
mod step;
mod store;
mod tmp;
mod together;

pub use serve::{ServeError, serve};
pub use start::{Program, main};
