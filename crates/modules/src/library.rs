//! The modules themselves, a file each.

pub mod async_status;
mod file;
mod group;
mod ping;
mod user;

use crate::registry::{Entry, of};

/// One line for each module.
pub(crate) fn entries() -> Vec<Entry> {
    vec![
        of::<async_status::AsyncStatus>(),
        of::<file::File>(),
        of::<group::Group>(),
        of::<ping::Ping>(),
        of::<user::User>(),
    ]
}
