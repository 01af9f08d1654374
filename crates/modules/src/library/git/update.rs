//! Making the clone, and bringing it to the version.

use std::fs;

use super::remote::{Kind, kind};
use super::{Git, GitArgs, changed};
use crate::files::strerror;
use crate::{Applied, Host, Result, Value, fail, result};

pub fn clone(git: &Git, args: &GitArgs, host: &Host) -> Result<Applied> {
    let dest = git.dest().to_string_lossy().into_owned();
    if let Some(parent) = git.dest().parent() {
        fs::create_dir_all(parent)
            .map_err(|e| fail!("could not make {}: {}", parent.display(), strerror(&e)))?;
    }
    let named = if args.version == "HEAD" { Kind::Unknown } else { kind(git, &args.version, host)? };
    let depth = args.depth.map(|depth| depth.to_string());
    let mut line = vec!["clone"];
    match args.bare {
        true => line.push("--bare"),
        false => line.extend(["--origin", &args.remote]),
    }
    if let Some(depth) = &depth
        && (named != Kind::Unknown || args.version == "HEAD" || args.refspec.is_some())
    {
        line.extend(["--depth", depth]);
    }
    if named != Kind::Unknown && (depth.is_some() || args.single_branch) {
        line.extend(["--branch", &args.version]);
    }
    if args.single_branch {
        line.push("--single-branch");
    }
    if let Some(reference) = &args.reference {
        line.extend(["--reference", reference]);
    }
    let apart;
    if let Some(dir) = &args.separate_git_dir {
        apart = format!("--separate-git-dir={}", dir.0);
        line.push(&apart);
    }
    line.extend(["--", &git.repo, &dest]);
    git.check(host, &line, None)?;
    if args.bare && args.remote != "origin" {
        git.check(host, &["remote", "add", "--", &args.remote, &git.repo], None)?;
    }
    if let Some(refspec) = &args.refspec {
        git.check(host, &["fetch", &args.remote, refspec], None)?;
    }
    finish(git, args, named, host)?;
    let after = git.head(host)?;
    Applied::with(result! {"before": Value::Null, "after": after})
}

pub fn update(
    git: &Git,
    args: &GitArgs,
    before: String,
    dirty: bool,
    moved: bool,
    host: &Host,
) -> Result<Applied> {
    if dirty {
        git.check(host, &["reset", "--hard", "HEAD"], None)?;
    }
    if moved {
        git.check(host, &["remote", "set-url", "--", &args.remote, &git.repo], None)?;
    }
    let named = match args.version.as_str() {
        "HEAD" => Kind::Unknown,
        version => kind(git, version, host)?,
    };
    fetch(git, args, named, host)?;
    let submodules = finish(git, args, named, host)?;
    let after = git.head(host)?;
    let mut result = changed(&before, &after, dirty || moved || submodules);
    result.insert("remote_url_changed".into(), moved.into());
    Applied::with(result)
}

fn fetch(git: &Git, args: &GitArgs, named: Kind, host: &Host) -> Result<()> {
    let (remote, version) = (&args.remote, &args.version);
    let depth = args.depth.map(|depth| format!("--depth={depth}"));
    let mut specs = Vec::new();
    if args.bare {
        specs.extend(["+refs/heads/*:refs/heads/*".to_owned(), "+refs/tags/*:refs/tags/*".to_owned()]);
    } else {
        match named {
            // In a clone of one branch the others are asked for by name.
            Kind::Branch => specs.push(format!("+refs/heads/{version}:refs/remotes/{remote}/{version}")),
            Kind::Tag => specs.push(format!("+refs/tags/{version}:refs/tags/{version}")),
            Kind::Unknown => {}
        }
    }
    specs.extend(args.refspec.clone());
    let mut line = vec!["fetch", "--tags"];
    if args.force {
        line.push("--force");
    }
    line.extend(depth.as_deref());
    line.push(remote);
    // What is named only adds to what is always fetched.
    if depth.is_none() && !args.bare {
        git.check(host, &line, Some("Failed to download remote objects and refs"))?;
        if specs.is_empty() {
            return Ok(());
        }
    }
    line.extend(specs.iter().map(String::as_str));
    git.check(host, &line, Some("Failed to download remote objects and refs")).map(drop)
}

/// Check out the version, with its submodules. Have those changed?
fn finish(git: &Git, args: &GitArgs, named: Kind, host: &Host) -> Result<bool> {
    if args.bare {
        return Ok(false);
    }
    let version = args.version.as_str();
    let branch = match named {
        Kind::Branch => Some(version.to_owned()),
        _ if version == "HEAD" => git.default_branch(host)?,
        _ => None,
    };
    match &branch {
        Some(branch) => {
            let failed = format!("Failed to checkout branch {branch}");
            let tracked = format!("{}/{branch}", args.remote);
            let local =
                git.run(host, &["show-ref", "--verify", "--quiet", &format!("refs/heads/{branch}")])?;
            if local.success() {
                git.check(host, &["checkout", "--force", branch], Some(&failed))?;
            } else {
                git.check(host, &["checkout", "--track", "-b", branch, &tracked], Some(&failed))?;
            }
            git.check(host, &["reset", "--hard", &tracked], Some(&format!("Failed to reset to {tracked}")))?;
        }
        None if version == "HEAD" => {}
        None => {
            git.check(
                host,
                &["checkout", "--force", version],
                Some(&format!("Failed to checkout {version}")),
            )?;
        }
    }
    if args.verify_commit {
        let kind = if named == Kind::Tag { "verify-tag" } else { "verify-commit" };
        let failed = format!("Failed to verify GPG signature of commit/tag \"{version}\"");
        git.check(host, &[kind, version], Some(&failed))?;
    }
    submodules(git, args, host)
}

fn submodules(git: &Git, args: &GitArgs, host: &Host) -> Result<bool> {
    if !args.recursive || !git.dest().join(".gitmodules").exists() {
        return Ok(false);
    }
    let status = ["submodule", "status", "--recursive"];
    let before = git.run(host, &status)?.out();
    git.check(host, &["submodule", "sync", "--recursive"], None)?;
    let mut line = vec!["submodule", "update", "--init", "--recursive"];
    if args.track_submodules {
        line.push("--remote");
    }
    if args.force {
        line.push("--force");
    }
    git.check(host, &line, Some("Failed to init/update submodules"))?;
    Ok(git.run(host, &status)?.out() != before)
}
