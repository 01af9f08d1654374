use serde::{Deserialize, Serialize};

use crate::{Hash, Map, Outcome, Step};

/// Messages from the controller to an agent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToAgent {
    /// The first message.
    Start(Start),
    /// Append a step to the queue.
    Step(Box<Step>),
    /// The step that was answered with `Ready` may change the host now.
    Go { id: u64 },
    /// Drop all queued steps that have not begun; the agent answers [`FromAgent::Flushed`]. A step that is
    /// waiting for `Go` is dropped as well.
    Flush { token: u64 },
    /// A piece of a file's content. `offset` counts bytes before compression; the last piece has `last`.
    Blob {
        hash: Hash,
        offset: u64,
        #[serde(with = "serde_bytes")]
        data: Vec<u8>,
        /// `data` is compressed with zlib.
        compressed: bool,
        last: bool,
    },
    /// The controller has no content of this hash any more.
    NoBlob { hash: Hash, reason: String },
    /// Stop the running step as soon as possible; it answers with a failure.
    Cancel { id: u64 },
}

/// How the agent is to work.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// [`crate::VERSION`].
    pub version: u32,
    /// Gather facts at once and put them into the hello.
    pub facts: Option<FactsRequest>,
    /// Directory for temporary files (`remote_tmp`), `~` allowed; made when missing.
    pub remote_tmp: Option<String>,
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
    /// The agent needs these contents to go on.
    Want { id: u64, hashes: Vec<Hash> },
    /// The queue is empty after `Flush { token }`, or after a failure or a violated `unless_changed` dropped
    /// it (`token` 0). `dropped` names the steps that will not be answered.
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
