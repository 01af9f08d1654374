//! What a run does, as data. Reporters turn events into a terminal picture, JSON, JUnit or a page.

use std::sync::Arc;
use std::time::Duration;

use lang::{Map, Value};
use protocol::Diff;

use crate::profile::Profile;

/// Takes events in the order they happen. Called from one thread.
pub trait Reporter {
    fn event(&mut self, event: &Event);
}

/// A task as events show it. Shared by all events about it.
#[derive(Debug, Default)]
pub struct TaskInfo {
    /// Unique in the run.
    pub id: u64,
    /// `role : name` with templates rendered for the first host; the action when it has no name.
    pub title: String,
    /// The task's own name, rendered; empty if it has none.
    pub name: String,
    /// The action as written.
    pub action: String,
    /// The action's canonical name.
    pub resolved: String,
    pub is_handler: bool,
    /// `file:line` of the task.
    pub path: String,
    /// File, line and column, for errors.
    pub pos: Option<lang::Pos>,
    /// Arguments as written; what `display_args_to_stdout` shows.
    pub args: Map,
    /// Arguments and results must not be shown.
    pub no_log: bool,
    pub check_mode: bool,
    pub diff: bool,
    pub tags: Vec<String>,
}

/// How a task, or one item of its loop, ended on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    Ok,
    Changed,
    Skipped,
    Failed,
    Unreachable,
}

/// A result of a task (or of an item) on a host.
#[derive(Clone, Debug)]
pub struct TaskResult {
    pub task: Arc<TaskInfo>,
    /// Inventory name of the host the task was for.
    pub host: String,
    /// Host it was delegated to, by name, when it was.
    pub delegated_to: Option<String>,
    pub status: Status,
    /// With all keys; hiding for `no_log` is already done.
    pub result: Map,
    pub diff: Vec<Diff>,
    /// A failure that does not count (`ignore_errors`, `ignore_unreachable`).
    pub ignored: bool,
    /// The item's label, when this is one item of a loop.
    pub item_label: Option<Value>,
    /// The result stands for a whole loop, whose items were already reported.
    pub is_loop: bool,
    /// How long it took, all attempts.
    pub elapsed: Duration,
    /// The hidden flags of Ansible's results that reporters need: `_ansible_verbose_always`,
    /// `_ansible_verbose_override`.
    pub verbose_always: bool,
    pub verbose_override: bool,
    /// What a failure was about, with the places that led to it.
    pub error: Option<lang::Error>,
}

/// The numbers of the recap for one host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStats {
    pub ok: u32,
    pub changed: u32,
    pub unreachable: u32,
    pub failed: u32,
    pub skipped: u32,
    pub rescued: u32,
    pub ignored: u32,
}

/// Everything that can be observed of a run.
#[derive(Clone, Debug)]
pub enum Event {
    /// A playbook begins: its path as given.
    PlaybookStart {
        /// How many plays it has.
        plays: usize,
        path: String,
    },
    PlayStart {
        name: String,
        /// The hosts pattern as text, and the hosts of all batches.
        pattern: String,
        hosts: Vec<String>,
        strategy: String,
        check_mode: bool,
    },
    /// The pattern matched no host.
    NoHostsMatched,
    /// All hosts have failed before the play's end.
    NoHostsRemaining,
    /// A task begins on its first host.
    TaskStart {
        task: Arc<TaskInfo>,
    },
    /// A handler begins on its first host.
    HandlerStart {
        task: Arc<TaskInfo>,
    },
    /// A task (or one of its items) has been handed to a host: what the live line shows.
    HostStart {
        task: Arc<TaskInfo>,
        host: String,
    },
    /// One item of a loop is done.
    ItemResult(TaskResult),
    /// A task is done on a host.
    HostResult(TaskResult),
    /// `until` was not met: another attempt follows.
    Retry {
        result: TaskResult,
        retries: u32,
        attempts: u32,
    },
    /// A background job was asked for its state.
    AsyncPoll {
        result: TaskResult,
        started: bool,
        finished: bool,
    },
    AsyncOk(TaskResult),
    AsyncFailed(TaskResult),
    /// `include_tasks`/`include_role` put more tasks in.
    Included {
        file: String,
        hosts: Vec<String>,
        item_label: Option<Value>,
        task: Arc<TaskInfo>,
    },
    /// What a meta action did (shown with `-vv`).
    Meta {
        text: String,
        /// The engine's own, which only `ANSIBLE_DEBUG` shows.
        implicit: bool,
    },
    /// A task has notified a handler, which is looked for when handlers run (shown with `-vv`).
    NotificationSaved {
        handler: String,
    },
    /// A handler is going to run (shown with `-vv`).
    Notified {
        handler: String,
        host: String,
    },
    /// A connection was made, and what it took.
    Connected {
        host: String,
        elapsed: Duration,
        agent_uploaded: bool,
    },
    /// `[WARNING]: text`.
    Warning {
        text: String,
    },
    /// `[DEPRECATION WARNING]: text`.
    Deprecated {
        text: String,
    },
    /// `[ERROR]: text` of an error that ends no task.
    Error {
        text: String,
    },
    /// Text that a task shows by itself (`pause`), or that `-v` shows about the run.
    Message {
        text: String,
        verbosity: u8,
    },
    /// The run is over.
    Stats {
        hosts: Vec<(String, HostStats)>,
        custom: Map,
        custom_per_host: Vec<(String, Map)>,
        /// With `--profile`.
        profile: Option<Arc<Profile>>,
    },
}
