//! What `--list-tasks`, `--list-tags`, `--list-hosts` and `--syntax-check` print, and which tasks tags select.

mod plays;
mod tags;

pub(crate) use plays::tag_names;
pub use plays::{Listing, check, list};
pub use tags::TagSelection;
