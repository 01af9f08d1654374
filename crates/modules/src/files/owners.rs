//! Names and numbers of users and groups.
//!
//! From the files first, which costs nothing; `getent` (the host's own, with its LDAP or SSSD) only for what
//! is not there, and only if the host is set up to know more than its files.

use crate::{Host, Process};

#[derive(Clone, Copy)]
enum Kind {
    User,
    Group,
}

impl Kind {
    fn database(self) -> &'static str {
        match self {
            Self::User => "passwd",
            Self::Group => "group",
        }
    }
}

/// Number of a user.
pub fn user_id(host: &Host, name: &str) -> Option<u32> {
    number(&lookup(host, Kind::User, name, 0)?)
}

/// Number of a group.
pub fn group_id(host: &Host, name: &str) -> Option<u32> {
    number(&lookup(host, Kind::Group, name, 0)?)
}

/// Name of a user; the number itself if there is none, as Ansible shows it.
pub fn user_name(host: &Host, id: u32) -> String {
    name(host, Kind::User, id)
}

/// Name of a group; the number itself if there is none.
pub fn group_name(host: &Host, id: u32) -> String {
    name(host, Kind::Group, id)
}

fn name(host: &Host, kind: Kind, id: u32) -> String {
    let id = id.to_string();
    lookup(host, kind, &id, 2).and_then(|fields| fields.into_iter().next()).unwrap_or(id)
}

fn number(fields: &[String]) -> Option<u32> {
    fields.get(2)?.parse().ok()
}

/// The entry whose field number `at` is `key`.
fn lookup(host: &Host, kind: Kind, key: &str, at: usize) -> Option<Vec<String>> {
    let split = |line: &str| line.split(':').map(str::to_owned).collect::<Vec<_>>();
    let file = host.path(format!("/etc/{}", kind.database()));
    let text =
        std::fs::read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    if let Some(line) = text.lines().find(|l| l.split(':').nth(at) == Some(key)) {
        return Some(split(line));
    }
    if !host.is_real() || !knows_more_than_files(host, kind) {
        return None;
    }
    let found =
        Process::new("getent").arg(kind.database()).arg(key).run(host).ok().filter(|o| o.success())?;
    found.out().lines().next().map(split)
}

/// Does `/etc/nsswitch.conf` name other sources than the files?
fn knows_more_than_files(host: &Host, kind: Kind) -> bool {
    let text = std::fs::read_to_string(host.path("/etc/nsswitch.conf")).unwrap_or_default();
    text.lines()
        .filter_map(|l| l.trim().split_once(':'))
        .filter(|(database, _)| *database == kind.database())
        .any(|(_, sources)| sources.split_whitespace().any(|s| s != "files" && !s.starts_with('[')))
}
