//! What the remote has.

use super::Git;
use crate::{Host, Result};

/// What a version is at the remote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Branch,
    Tag,
    /// Nothing that has a name there: a hash, or wrong.
    Unknown,
}

pub fn kind(git: &Git, version: &str, host: &Host) -> Result<Kind> {
    if has(git, "-h", &format!("refs/heads/{version}"), host)? {
        return Ok(Kind::Branch);
    }
    if has(git, "-t", &format!("refs/tags/{version}"), host)? {
        return Ok(Kind::Tag);
    }
    Ok(Kind::Unknown)
}

fn has(git: &Git, which: &str, name: &str, host: &Host) -> Result<bool> {
    let said = git.check(host, &["ls-remote", &git.repo, which, name], None)?;
    Ok(said.contains(name))
}

/// The commit that a version is at the remote; a hash is that itself. `branch` is what HEAD is for a clone.
pub fn head(git: &Git, version: &str, branch: Option<&str>, host: &Host) -> Result<String> {
    let name = match (version, branch) {
        ("HEAD", Some(branch)) => format!("refs/heads/{branch}"),
        ("HEAD", None) => {
            // As for every name: is it there at all?
            has(git, "-h", "refs/heads/HEAD", host)?;
            "HEAD".to_owned()
        }
        _ => match kind(git, version, host)? {
            Kind::Branch => format!("refs/heads/{version}"),
            Kind::Tag => format!("refs/tags/{version}*"),
            Kind::Unknown => return Ok(version.to_owned()),
        },
    };
    let said = git.check(host, &["ls-remote", &git.repo, &name], None)?;
    let wanted = name.trim_end_matches('*');
    let peeled = format!("{wanted}^{{}}");
    let hash = |name: &str| {
        let line = said.lines().find(|line| line.split_once('\t').is_some_and(|(_, found)| found == name));
        line.and_then(|line| line.split_once('\t')).map(|(hash, _)| hash.to_owned())
    };
    // A tag with a message is another object than its commit.
    Ok(hash(&peeled).or_else(|| hash(wanted)).unwrap_or_default())
}
