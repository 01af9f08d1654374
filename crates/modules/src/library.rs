//! The modules themselves, a file each.

mod ping;

use crate::registry::{Entry, of};

/// One line for each module.
pub(crate) fn entries() -> Vec<Entry> {
    vec![of::<ping::Ping>()]
}
