//! The idempotent modules: what runs on a host.
//!
//! A module first works out, read-only, what it would change ([`Module::plan`]); only then, and only if that is
//! something, it changes it ([`Plan::apply`]). Check mode, `--diff` and running ahead of the other hosts all
//! come from that one rule, so a plan must never touch the host.
//!
//! A module is one file below [`library`]: its arguments (the `args!` macro, the single source for checking,
//! aliases, defaults and documentation), its effects, plan, apply and tests. Adding one is adding that file
//! and one line in [`registry`]. Names, arguments and result keys are Ansible's.
//!
//! Modules know nothing of SSH, playbooks or templates: their arguments arrive final.

pub mod args;
pub mod blob;
pub mod effects;
pub mod facts;
pub mod files;
pub mod foreign;
pub mod host;
pub mod http;
pub mod library;
pub mod module;
pub mod process;
pub mod python_regex;
pub mod registry;
pub mod secrets;
pub mod system;
pub mod time;
pub mod words;

pub use args::{ArgError, ArgSpec, ArgType, Args, Spec, python_repr as args_repr, python_text};
pub use blob::{Blob, Blobs};
pub use effects::{Effects, Resource};
pub use host::Host;
pub use library::{Made, Share, Transaction};
pub use module::{Applied, Apply, Module, ModuleError, Plan, Result};
pub use process::{Process, ProcessOutput};
pub use protocol::{Diff, Map};
pub use registry::{Entry, find, names};
pub use serde_json::{Value, json};
