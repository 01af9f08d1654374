use serde::{Deserialize, Serialize};

use crate::{Hash, Map, Outcome, Step};

/// Messages from the controller to an agent.
///
/// The rules of the queue, which both sides rely on:
///
/// 1. Steps are worked through one after the other, in the order in which they arrive, unless their `after` allows
///    more: then up to [`Start::parallel`] of them are in hand at the same time, and answered as they end. Of steps
///    that have nothing to wait for, the one that was sent first is taken first. A step with permission may be taken
///    together with one that it has to follow, if its `together` names that: both are in hand then, and are answered
///    in the order in which they were sent. Each step that was sent is either answered with exactly one
///    [`FromAgent::Outcome`] or named in the `dropped` of exactly one [`FromAgent::Flushed`].
/// 2. A step *has permission* when it was sent with [`crate::Permission::Granted`] or a `Go` for it has arrived. A
///    `Go` may come at any time after its step: before its turn, while it is planned, or after `Ready`; it never
///    has to wait for `Ready`. A `Go` for a step that is not there (any more) means nothing.
/// 3. When a step fails without `continue_on_failure`, or one that is named in the `unless_changed` of the next
///    step has changed or failed, the agent drops the whole queue (in the second case with that next step),
///    answers `Flushed { token: 0 }` (after the answers of other steps in hand that have permission; the others are
///    dropped with the queue) and *discards every step that arrives from then on, until a `Flush`*. So the
///    controller sees `Flushed { token: 0 }` after every such failure, also when nothing was queued, and sends a
///    `Flush` with a token of its own before new steps. Steps that were still on their way are named in the
///    answer to that `Flush`. If the `Flush` comes before `Flushed { token: 0 }` was said, its own answer names
///    everything.
/// 4. `Flush` drops the queued steps, and the step in hand if it has no permission yet (it may be
///    planned, or waiting after `Ready`). A step in hand that has permission is finished and answered after the
///    `Flushed`. If it then fails, rule 3 applies to whatever was sent after the `Flush`.
/// 5. At the end of its input the agent finishes the step in hand, if it has permission, and leaves; what is queued
///    is not answered. So the controller keeps its side open until it has its answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToAgent {
    /// The first message.
    Start(Start),
    /// Append a step to the queue.
    Step(Box<Step>),
    /// The step may change the host now: it gets permission if it did not have it (rule 2).
    Go { id: u64 },
    /// Drop all steps that have no hand on the host yet (rule 4) and end the discarding of rule 3; the agent answers
    /// [`FromAgent::Flushed`] with the same token, which must not be 0.
    Flush { token: u64 },
    /// A piece of a file's content. `offset` counts bytes before compression; the last piece has `last`. A piece
    /// holds at most [`crate::frame::BLOB_PIECE`] bytes before compression. Content that nobody asked for is
    /// kept as well, and content that is there already is ignored.
    Blob {
        hash: Hash,
        offset: u64,
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
        /// `data` is compressed with zlib, each piece by itself.
        compressed: bool,
        last: bool,
    },
    /// The controller has no content of this hash any more.
    NoBlob { hash: Hash, reason: String },
    /// Stop the step as soon as possible; it answers with a failure (a queued one at its turn). Rule 3 applies
    /// to that failure as to any other.
    Cancel { id: u64 },
}

/// How the agent is to work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// [`crate::VERSION`].
    pub version: u32,
    /// Gather facts at once and put them into the hello.
    pub facts: Option<FactsRequest>,
    /// Directory for temporary files (`remote_tmp`), `~` allowed; made when missing. Where that cannot be done, the
    /// agent warns and takes a directory of the system; it does so silently when this is `None`.
    pub remote_tmp: Option<String>,
    /// How many steps may be in hand at the same time; 0 counts as 1.
    pub parallel: u16,
    /// Answer `NeedBlob` messages of earlier connections may be kept for this many bytes; 0 keeps nothing.
    pub blob_cache: u64,
}

/// Which facts to gather: the arguments of `setup`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FactsRequest {
    /// `gather_subset`; empty means all.
    pub subset: Vec<String>,
    /// `filter`; empty means everything.
    pub filter: Vec<String>,
    /// `fact_path`, the directory of local facts.
    pub fact_path: Option<String>,
    /// `gather_timeout` in seconds.
    pub timeout: Option<u64>,
}

/// Messages from an agent to the controller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromAgent {
    /// The answer to `Start`.
    Hello(AgentHello),
    /// The step's plan contains changes and it has no permission: waiting for `Go`. `result` is what check
    /// mode would report.
    Ready { id: u64 },
    /// The step is done (or failed, or had nothing to do).
    Outcome { id: u64, outcome: Outcome },
    /// The agent needs these contents to go on: each is answered with its pieces or with `NoBlob`.
    Want { id: u64, hashes: Vec<Hash> },
    /// The queue is empty after `Flush { token }`, or after a failure or a violated `unless_changed` dropped
    /// it (`token` 0; see the rules at [`ToAgent`]). `dropped` names, in the order they were sent, the steps that
    /// will not be answered and were not named before.
    Flushed { token: u64, dropped: Vec<u64> },
    /// Something to show to the user at once (a warning that belongs to no result).
    Warning { text: String },
}

/// Who answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct AgentHello {
    /// [`crate::VERSION`] of the agent.
    pub version: u32,
    /// Process id, for the user's own inspection.
    pub pid: u32,
    /// Name of the user it runs as.
    pub user: String,
    /// `uname -m`.
    pub machine: String,
    /// Facts, when `Start` asked for them.
    pub facts: Option<Map>,
}
