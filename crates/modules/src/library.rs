//! The modules themselves, a file each.

pub mod async_status;
mod apt;
mod command;
mod copy;
mod file;
mod group;
mod package;
mod ping;
mod run;
mod script;
mod service;
mod setup;
mod shell;
mod stat;
mod systemd;
mod user;

use crate::registry::{Entry, of};

/// One line for each module.
pub(crate) fn entries() -> Vec<Entry> {
    vec![
        of::<apt::AptModule>(),
        of::<async_status::AsyncStatus>(),
        of::<command::Command>(),
        of::<copy::Copy>(),
        of::<file::File>(),
        of::<group::Group>(),
        of::<package::Package>(),
        of::<ping::Ping>(),
        of::<script::Script>(),
        of::<service::Service>(),
        of::<setup::Setup>(),
        of::<shell::Shell>(),
        of::<stat::Stat>(),
        of::<systemd::Systemd>(),
        of::<user::User>(),
    ]
}
