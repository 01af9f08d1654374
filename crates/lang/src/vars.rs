//! Variables of a task on a host: the 22 levels of precedence, looked up one name at a time.
//!
//! Nothing is merged per task. [`TaskScope`] knows the places where a name can be defined, from the strongest to
//! the weakest, and asks them in turn. Values come back as written; the templar renders them.
//!
//! The parts by owner: [`RunVars`] is the same for the whole run, [`PlayVars`] for a play, [`HostVars`] for a host.
//! What changes while the run goes on reaches a scope as a snapshot through [`RunState`].

mod files;
mod host;
mod include;
mod magic;
mod play;
mod reserved;
mod restricted;
mod run;
mod scope;

pub use files::read_vars_files;
pub use host::HostVars;
pub use include::{IncludedVars, VarsInclusion, include_vars};
pub use play::{PlayHosts, PlayVars};
pub use reserved::{check_name, reserved_names};
pub use restricted::is_restricted_fact;
pub use run::{RunState, RunVars};
pub use scope::TaskScope;
