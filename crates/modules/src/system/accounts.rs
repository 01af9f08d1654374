//! Users and groups of the host: `passwd(5)`, `group(5)` and `shadow(5)`, read as files.
//!
//! `getent` is asked only where `nsswitch.conf` names a source beyond the files and the name is not in them.

use crate::process::find_program;
use crate::{Host, Process, Result};

use super::textfile;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: String,
    pub uid: u32,
    pub gid: u32,
    pub comment: String,
    pub home: String,
    pub shell: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub name: String,
    pub gid: u32,
    pub members: Vec<String>,
}

/// A line of `shadow(5)`; what is empty there is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shadow {
    pub password: String,
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub warn: Option<i64>,
    pub inactive: Option<i64>,
    /// Day since 1970 on which the account ends.
    pub expires: Option<i64>,
}

fn user(line: &str) -> Option<User> {
    let f: Vec<&str> = line.split(':').collect();
    let [name, _, uid, gid, comment, home, shell] = f[..] else { return None };
    Some(User {
        name: name.into(),
        uid: uid.parse().ok()?,
        gid: gid.parse().ok()?,
        comment: comment.into(),
        home: home.into(),
        shell: shell.into(),
    })
}

fn group(line: &str) -> Option<Group> {
    let f: Vec<&str> = line.split(':').collect();
    let [name, _, gid, members] = f[..] else { return None };
    let members = members.split(',').filter(|m| !m.is_empty()).map(str::to_owned).collect();
    Some(Group { name: name.into(), gid: gid.parse().ok()?, members })
}

/// All users of `/etc/passwd`.
pub fn users(host: &Host) -> Result<Vec<User>> {
    Ok(textfile::read(host, "/etc/passwd")?.unwrap_or_default().lines().filter_map(user).collect())
}

/// All groups of `/etc/group`.
pub fn groups(host: &Host) -> Result<Vec<Group>> {
    Ok(textfile::read(host, "/etc/group")?.unwrap_or_default().lines().filter_map(group).collect())
}

/// The user of this name, from the files or the directory that the host uses.
pub fn find_user(host: &Host, name: &str) -> Result<Option<User>> {
    if let Some(found) = users(host)?.into_iter().find(|u| u.name == name) {
        return Ok(Some(found));
    }
    Ok(getent(host, "passwd", name)?.and_then(|line| user(line.trim_end())))
}

/// The group with this name.
pub fn find_group(host: &Host, name: &str) -> Result<Option<Group>> {
    if let Some(found) = groups(host)?.into_iter().find(|g| g.name == name) {
        return Ok(Some(found));
    }
    Ok(getent(host, "group", name)?.and_then(|line| group(line.trim_end())))
}

/// The group with this name or number.
pub fn find_group_or_gid(host: &Host, word: &str) -> Result<Option<Group>> {
    if let Ok(gid) = word.parse::<u32>()
        && let Some(found) = groups(host)?.into_iter().find(|g| g.gid == gid)
    {
        return Ok(Some(found));
    }
    find_group(host, word)
}

/// The user's line of `/etc/shadow`; `None` when there is none or it may not be read.
pub fn shadow(host: &Host, name: &str) -> Option<Shadow> {
    let text = textfile::read(host, "/etc/shadow").ok()??;
    let line = text.lines().find(|l| l.split(':').next() == Some(name))?;
    let f: Vec<&str> = line.split(':').collect();
    let number = |i: usize| f.get(i).and_then(|v| v.parse().ok());
    Some(Shadow {
        password: f.get(1).copied().unwrap_or_default().into(),
        min: number(3),
        max: number(4),
        warn: number(5),
        inactive: number(6),
        expires: number(7),
    })
}

fn getent(host: &Host, database: &str, name: &str) -> Result<Option<String>> {
    if !host.is_real() || name.starts_with('-') || !has_directory(host, database)? {
        return Ok(None);
    }
    let Some(program) = find_program(host, "getent") else { return Ok(None) };
    match Process::new(program).arg(database).arg(name).run(host) {
        Ok(output) if output.success() => Ok(Some(output.out())),
        _ => Ok(None),
    }
}

/// Does `nsswitch.conf` name a source that is neither the files nor systemd's own dynamic users?
fn has_directory(host: &Host, database: &str) -> Result<bool> {
    let text = textfile::read(host, "/etc/nsswitch.conf")?.unwrap_or_default();
    let sources = text.lines().find_map(|l| l.trim().strip_prefix(database)?.trim_start().strip_prefix(':'));
    let own = ["files", "compat", "systemd", "db", "altfiles", "extrausers"];
    Ok(sources
        .is_some_and(|s| s.split_whitespace().any(|w| !w.starts_with(['[', '#', '!']) && !own.contains(&w))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_and_broken_lines_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("etc")).unwrap();
        let put = |name: &str, text: &str| std::fs::write(dir.path().join("etc").join(name), text).unwrap();
        put("passwd", "root:x:0:0:root:/root:/bin/bash\n+::::::\nada:x:1000:1001:A,,:/home/ada:/bin/sh\n");
        put("group", "ada:x:1001:\nadm:x:4:ada,bob\n");
        put("shadow", "ada:$6$x$y:19000:0:99999:7:30:21915:\n");
        put("nsswitch.conf", "passwd: files systemd\ngroup: files [SUCCESS=merge] sss\n");
        let host = Host::at(dir.path(), dir.path());
        assert_eq!(users(&host).unwrap().len(), 2);
        assert_eq!(find_user(&host, "ada").unwrap().unwrap().gid, 1001);
        assert_eq!(find_group_or_gid(&host, "4").unwrap().unwrap().members, ["ada", "bob"]);
        let shadow = shadow(&host, "ada").unwrap();
        assert_eq!((shadow.inactive, shadow.expires), (Some(30), Some(21915)));
        assert!(!has_directory(&host, "passwd").unwrap());
        assert!(has_directory(&host, "group").unwrap());
    }
}
