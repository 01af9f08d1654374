//! What the controller and the agent on a host say to each other.
//!
//! The controller sends [`ToAgent`], the agent answers with [`FromAgent`]; both travel as length-prefixed
//! MessagePack frames (see [`frame`]). The one important decision: a *step* (one module with its final
//! arguments) is sent ahead of its turn whenever its arguments are known, and the agent works through the
//! queue of steps in order. A step whose plan is empty is answered at once; a step that would change the
//! host is carried out only with permission, otherwise the agent answers [`FromAgent::Ready`] and waits.
//! So a converged host costs one exchange of messages, however many tasks a play has.
//!
//! Files travel by content hash ([`Hash`]): the agent asks for what it does not have ([`FromAgent::Want`]).

mod cksum;
pub mod frame;
mod hash;
mod message;
mod step;

pub use cksum::posix_checksum;
pub use hash::Hash;
pub use message::{AgentHello, FactsRequest, FromAgent, Start, ToAgent};
pub use step::{Become, Diff, Outcome, Permission, Secret, Step};

/// Version of this protocol; both sides must have the same one. The agent's file name contains a hash of
/// its content, so a mismatch only happens when something is damaged.
pub const VERSION: u32 = 1;

/// A JSON object: module arguments and results, in the order they were written.
pub type Map = serde_json::Map<String, serde_json::Value>;
