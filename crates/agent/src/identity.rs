//! Users, without libc's name service: a static program must not load its plugins. Files first, `getent` for
//! what comes from elsewhere (LDAP, systemd).

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Gid, Uid, geteuid};

/// A line of `passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: Uid,
    pub gid: Gid,
    pub home: PathBuf,
    pub shell: PathBuf,
}

impl User {
    /// The user that this process runs as.
    pub fn current() -> Self {
        let uid = geteuid();
        Self::find(&uid.to_string(), |user| user.uid == uid).unwrap_or_else(|| Self {
            name: uid.to_string(),
            uid,
            gid: nix::unistd::getegid(),
            home: std::env::var_os("HOME").map_or_else(|| "/".into(), PathBuf::from),
            shell: "/bin/sh".into(),
        })
    }

    /// The user with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::find(name, |user| user.name == name)
    }

    fn find(key: &str, wanted: impl Fn(&Self) -> bool) -> Option<Self> {
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        passwd
            .lines()
            .filter_map(Self::parse)
            .find(&wanted)
            .or_else(|| getent("passwd", key)?.lines().filter_map(Self::parse).find(&wanted))
    }

    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.split(':').collect();
        let [name, _, uid, gid, _, home, shell] = fields[..] else { return None };
        Some(Self {
            name: name.to_owned(),
            uid: Uid::from_raw(uid.parse().ok()?),
            gid: Gid::from_raw(gid.parse().ok()?),
            home: home.into(),
            shell: if shell.is_empty() { "/bin/sh".into() } else { shell.into() },
        })
    }

    /// All groups of the user, the primary one first.
    pub fn groups(&self) -> Vec<Gid> {
        let mut groups = BTreeSet::new();
        let file = std::fs::read_to_string("/etc/group").unwrap_or_default();
        for line in file.lines() {
            let fields: Vec<&str> = line.split(':').collect();
            if let [_, _, gid, members] = fields[..]
                && members.split(',').any(|m| m == self.name)
                && let Ok(gid) = gid.parse()
            {
                groups.insert(gid);
            }
        }
        if has_other_sources("group")
            && let Some(line) = getent("initgroups", &self.name)
        {
            groups.extend(line.split_whitespace().skip(1).filter_map(|g| g.parse::<u32>().ok()));
        }
        groups.remove(&self.gid.as_raw());
        std::iter::once(self.gid).chain(groups.into_iter().map(Gid::from_raw)).collect()
    }
}

/// Does `nsswitch.conf` name sources of a database beyond the files?
fn has_other_sources(database: &str) -> bool {
    let config = std::fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
    config
        .lines()
        .filter_map(|line| line.split('#').next()?.trim().strip_prefix(database)?.strip_prefix(':'))
        .flat_map(str::split_whitespace)
        .any(|source| !source.starts_with('[') && !["files", "compat", "systemd"].contains(&source))
}

/// Ask `getent`; only where there is something to ask beyond the files.
fn getent(database: &str, key: &str) -> Option<String> {
    if key.is_empty() || key.starts_with('-') {
        return None;
    }
    let source = if database == "initgroups" { "group" } else { database };
    if !has_other_sources(source) && !Path::new("/run/systemd/userdb").exists() {
        return None;
    }
    let output = Command::new("getent").args([database, key]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The home of this user: `HOME`, else what `passwd` says.
pub fn home() -> PathBuf {
    match std::env::var_os("HOME") {
        Some(home) if !home.is_empty() => home.into(),
        _ => User::current().home,
    }
}
