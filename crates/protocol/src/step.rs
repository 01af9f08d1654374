use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Map;

/// One module call with its final arguments: what the agent plans and, if allowed, applies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Number of the step on this connection, ascending in the order of the queue.
    pub id: u64,
    /// Canonical short name of the module (`file`, `postgresql_db`), as the registry has it.
    pub module: String,
    /// Arguments, already templated. A value `{"$blob": "<sha256 hex>"}` stands for file content that
    /// travels separately (see `modules::Blob`).
    pub args: Map,
    /// Whom to become for this step; `None` for the user that is connected.
    pub r#become: Option<Become>,
    /// `ansible_python_interpreter`, when the host is configured with a certain one.
    pub python: Option<String>,
    /// Environment variables added to the processes that the module starts.
    pub environment: BTreeMap<String, String>,
    /// Plan only, and report what would be changed.
    pub check: bool,
    /// Report before and after of each change.
    pub diff: bool,
    /// May the step change the host as soon as its plan is known?
    pub permission: Permission,
    /// Go on with the queue when this step fails (`ignore_errors`); otherwise the rest is dropped.
    pub continue_on_failure: bool,
    /// Steps that must not have changed anything for this one to be valid: a handler may come between.
    /// If one of them has, the agent drops this step and everything after it.
    pub unless_changed: Vec<u64>,
    /// `None`: the step is done alone, behind all that were sent before and before all that are sent behind it.
    /// Otherwise the steps that have to be answered or dropped before it begins; it may be done at the same time as
    /// others that allow the same.
    pub after: Option<Vec<u64>>,
    /// Those of `after` that it may also be done together with, in one transaction, if the agent finds that this
    /// comes to the same.
    pub together: Vec<u64>,
    /// Seconds after which the step is stopped and failed (`timeout`); 0 for no limit.
    pub timeout: u64,
    /// Run in the background for at most this many seconds (`async`); 0 to wait for the result. The step needs
    /// permission without being planned, and answers at once with `ansible_job_id`; module `async_status` tells
    /// how the job is doing. In check mode it is an ordinary step.
    pub background: u64,
}

/// Whether a step with a plan is carried out at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Permission {
    /// Yes: nothing else has to happen first.
    Granted,
    /// Not before the controller says so: answer `Ready` and wait.
    Ask,
}

/// Whom to become, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Become {
    /// `sudo`, `su` or `doas`.
    pub method: String,
    /// The user to become.
    pub user: String,
    /// `become_exe`: the program to use instead of the method's own.
    pub exe: Option<String>,
    /// `become_flags`: options for it, split as a shell would.
    pub flags: Option<Vec<String>>,
    /// Sent over the program's standard input, never as an argument.
    pub password: Option<Secret>,
}

/// Text that must not be printed: neither `Debug` nor `Display` shows it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(String);

impl Secret {
    /// Keep `text` from being printed by accident.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; whoever calls this must not log it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What became of a step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The task's result with Ansible's keys: `changed`, `failed`, `msg`, `rc`, `stdout` ...
    pub result: Map,
    /// Before and after, when asked for.
    pub diff: Vec<Diff>,
    /// Time the host spent on it, in microseconds.
    pub elapsed_us: u64,
}

impl Outcome {
    /// A failure with a message, as a module's `fail_json(msg=...)`.
    pub fn failure(msg: impl Into<String>) -> Self {
        let mut result = Map::new();
        result.insert("failed".into(), true.into());
        result.insert("changed".into(), false.into());
        result.insert("msg".into(), msg.into().into());
        Self { result, ..Self::default() }
    }

    /// Did the step fail (`failed: true` in its result)?
    pub fn failed(&self) -> bool {
        self.flag("failed")
    }

    /// Did the step change the host (or would it, in check mode)?
    pub fn changed(&self) -> bool {
        self.flag("changed")
    }

    fn flag(&self, key: &str) -> bool {
        self.result.get(key).and_then(serde_json::Value::as_bool).unwrap_or(false)
    }
}

/// One entry of a result's `diff`, with Ansible's keys: text with headers, or a prepared difference.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Diff {
    /// Text (or a JSON object, printed as such) before the change.
    pub before: Option<serde_json::Value>,
    /// The same after the change.
    pub after: Option<serde_json::Value>,
    /// Shown after `---`.
    pub before_header: Option<String>,
    /// Shown after `+++`.
    pub after_header: Option<String>,
    /// A difference that is printed as it is instead of before and after.
    pub prepared: Option<String>,
    /// Why there is no text: `src_binary`, `dst_binary`, `src_larger`, `dst_larger` with their values.
    #[serde(default)]
    pub notes: Map,
}
