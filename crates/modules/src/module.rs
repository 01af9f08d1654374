//! The contract of a module.

use std::fmt;

use protocol::{Diff, Map, Outcome};
use serde_json::Value;

use crate::{Args, Effects, Host, Share, words};

pub type Result<T, E = ModuleError> = std::result::Result<T, E>;

/// The change itself. It runs at most once, after its plan was allowed to.
pub type Apply = Box<dyn FnOnce(&Host) -> Result<Applied> + Send>;

/// An idempotent module.
pub trait Module {
    /// Its arguments, made with [`crate::args!`].
    type Args: Args;
    /// Short name: `file`.
    const NAME: &'static str;
    /// Collection it belongs to: `ansible.builtin`; empty for our own.
    const COLLECTION: &'static str;
    /// Other names it answers to (`systemd_service` for `systemd`), short, of the same collection.
    const ALIASES: &'static [&'static str] = &[];
    /// One paragraph for `provision doc`.
    const DOC: &'static str;

    /// What a call with these arguments reads and writes.
    fn effects(args: &Self::Args) -> Effects;

    /// What calls have to have in common so that several, one behind the other, can be one transaction
    /// ([`crate::Transaction`]); `None` if a call like this is always made by itself.
    fn transaction(_args: &Self::Args) -> Option<String> {
        None
    }

    /// Work out what would change, without touching the host.
    fn plan(args: Self::Args, host: &Host) -> Result<Plan>;
}

/// What a module would do to this host, worked out without touching it.
#[derive(Default)]
pub struct Plan {
    /// Before and after, for `--diff`. Only made when [`Host::diff`] asks for it.
    pub diff: Vec<Diff>,
    /// What the task's result shows whether or not the plan is carried out.
    pub result: Map,
    /// The change itself; `None` when the host is already as described (or the module only looks).
    pub apply: Option<Apply>,
    /// What check mode reports instead of `result` with `changed: true` (`command` is skipped there).
    pub check: Option<Map>,
    /// The same as a part of a transaction, if it can be one.
    pub share: Option<Share>,
}

/// What applying a plan adds to the result.
#[derive(Default)]
pub struct Applied {
    /// Merged over the plan's result. `changed: true` is implied unless it says otherwise.
    pub result: Map,
    /// More differences, for what could not be known before.
    pub diff: Vec<Diff>,
    /// All differences anew, where what was done says more than the plan could.
    pub final_diff: Option<Vec<Diff>>,
}

impl Plan {
    /// Nothing to do.
    pub fn unchanged(result: Map) -> Self {
        Self { result, ..Self::default() }
    }

    /// Something to do.
    pub fn change(result: Map, apply: impl FnOnce(&Host) -> Result<Applied> + Send + 'static) -> Self {
        Self { result, apply: Some(Box::new(apply)), ..Self::default() }
    }

    pub fn with_diff(mut self, diff: Diff) -> Self {
        self.diff.push(diff);
        self
    }

    /// Would it change anything?
    pub fn changes(&self) -> bool {
        self.apply.is_some()
    }

    /// The outcome without carrying the plan out: the final one if there is nothing to do, what check mode
    /// shows otherwise.
    pub fn outcome(&self) -> Outcome {
        let mut result = match (&self.check, self.changes()) {
            (Some(check), true) => check.clone(),
            _ => self.result.clone(),
        };
        if !result.contains_key("changed") {
            result.insert("changed".into(), self.changes().into());
        }
        add_lines(&mut result);
        Outcome { result, diff: self.diff.clone(), elapsed_us: 0 }
    }

    /// Carry the plan out.
    pub fn carry_out(self, host: &Host) -> Outcome {
        let Self { mut diff, mut result, apply, check: _, share: _ } = self;
        let Some(apply) = apply else {
            return Self { diff, result, ..Self::default() }.outcome();
        };
        result.insert("changed".into(), true.into());
        match apply(host) {
            Ok(applied) => {
                result.extend(applied.result);
                diff = applied.final_diff.unwrap_or(diff);
                diff.extend(applied.diff);
                add_lines(&mut result);
                Outcome { result, diff, elapsed_us: 0 }
            }
            Err(error) => error.into_outcome(),
        }
    }
}

/// Every result with `stdout` or `stderr` has them as lines, too.
fn add_lines(result: &mut Map) {
    for (text, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        if let Some(Value::String(text)) = result.get(text)
            && !result.contains_key(lines)
        {
            let split: Value = words::lines(text).into();
            result.insert(lines.into(), split);
        }
    }
}

impl Applied {
    /// Changed, with nothing to add to the plan's result.
    pub fn done() -> Result<Self> {
        Ok(Self::default())
    }

    /// Changed, with more to say.
    pub fn with(result: Map) -> Result<Self> {
        Ok(Self { result, ..Self::default() })
    }
}

/// Why a module failed: `fail_json` of Ansible. The message becomes `msg`.
#[derive(Clone, Debug)]
pub struct ModuleError {
    pub msg: String,
    /// More keys of the result: `rc`, `stdout`, `stderr`, `path` ...
    pub result: Map,
}

impl ModuleError {
    pub fn new(msg: impl Into<String>) -> Self {
        Self { msg: msg.into(), result: Map::new() }
    }

    /// Add a key to the result.
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.result.insert(key.into(), value.into());
        self
    }

    pub fn into_outcome(self) -> Outcome {
        let mut outcome = Outcome::failure(self.msg);
        outcome.result.extend(self.result);
        add_lines(&mut outcome.result);
        outcome
    }
}

impl fmt::Display for ModuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.msg)
    }
}

impl std::error::Error for ModuleError {}

/// `return Err(fail!("no such user: {name}"))`.
#[macro_export]
macro_rules! fail {
    ($($arg:tt)*) => { $crate::ModuleError::new(format!($($arg)*)) };
}

/// An object in a few words: `result!{"path": path, "state": "file"}`.
#[macro_export]
macro_rules! result {
    ($($key:literal : $value:expr),* $(,)?) => {{
        #[allow(unused_mut)]
        let mut map = $crate::Map::new();
        $(map.insert($key.to_string(), $crate::json!($value));)*
        map
    }};
}
