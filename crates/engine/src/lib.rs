//! Running plays: from a loaded playbook and inventory to results, as a stream of events.
//!
//! The engine decides what each host does next ([`cursor`]), works out a task's final arguments
//! ([`evaluate`]), sends them ahead of their turn wherever that cannot be observed ([`ahead`]), and turns
//! outcomes into results ([`verdict`]). It never prints: everything a run does is an [`event::Event`].
//!
//! One thread owns the run: hosts are futures on it, so their state needs no locks. The work of connections
//! (encryption, compression) is done by the runtime's other threads.

pub mod action;
pub mod ahead;
mod collect;
pub mod connector;
pub mod cursor;
mod debugger;
mod delegation;
pub mod evaluate;
pub mod event;
pub mod execute;
mod facts;
mod fetch;
mod free;
pub mod graph;
mod groups;
pub mod host;
mod include;
mod linear;
pub mod link;
mod local;
mod meta;
mod notify;
pub mod options;
pub mod play;
mod plays;
pub mod profile;
pub mod program;
mod remote;
pub mod results;
pub mod run;
pub mod scope;
pub mod select;
pub mod settings;
pub mod timings;
pub mod user;
pub mod verdict;
pub mod world;

pub use options::Options;
pub use plays::{batches, patterns};
pub use run::{Run, RunInput, Verdict};
