//! `git`: a clone of a repository at a version.
//!
//! Planning asks the remote what the version is there; only where that is not what is checked out, something is fetched.

mod remote;
mod run;
mod update;

use run::Git;

use crate::args::{Expanded, Raw};
use crate::files::Mode;
use crate::system::program::refuse;
use crate::{Effects, Host, Map, Module, ModuleError, Plan, Resource, Result, Value, args, fail, result};

args! {
    pub struct GitArgs {
        /// Where the repository is.
        repo: String = required(), aliases(&["name"]);
        /// Where the clone shall be.
        dest: Expanded = required();
        /// Branch, tag or hash.
        version: String = default("HEAD");
        /// Name of the remote.
        remote: String = default("origin");
        /// What else is fetched.
        refspec: Option<String>;
        /// Throw away what was changed locally.
        force: bool = default("no");
        /// How many commits of history.
        depth: Option<i64>;
        /// Clone if it is not there.
        clone: bool = default("yes");
        /// Fetch what is new.
        update: bool = default("yes");
        /// Without a working tree.
        bare: bool = default("no");
        /// Only the history of the version.
        single_branch: bool = default("no");
        /// With submodules.
        recursive: bool = default("yes");
        /// Submodules at their branches' newest commits.
        track_submodules: bool = default("no");
        /// A repository whose objects are borrowed.
        reference: Option<String>;
        /// Where the repository itself is, apart from the working tree.
        separate_git_dir: Option<Expanded>;
        /// Check the signature of the commit.
        verify_commit: bool = default("no");
        /// Fingerprints of keys that may sign.
        gpg_allowlist: Vec<String> = aliases(&["gpg_whitelist"]);
        /// An archive of the tree.
        archive: Option<Expanded>;
        /// Prefix of the paths in the archive.
        archive_prefix: Option<String>;
        /// Accept any key of an SSH server.
        accept_hostkey: bool = default("no");
        /// Accept the key of an SSH server that is not known.
        accept_newhostkey: bool = default("no");
        /// Private key for SSH.
        key_file: Option<Expanded>;
        /// Options for SSH.
        ssh_opts: Option<String>;
        /// Which git.
        executable: Option<Expanded>;
        /// umask while files are made.
        umask: Option<Raw>;
    }
    checks {
        mutually_exclusive(&["separate_git_dir", "bare"]),
        mutually_exclusive(&["accept_hostkey", "accept_newhostkey"]),
        required_by("archive_prefix", &["archive"]),
    }
}

pub struct GitModule;

impl Module for GitModule {
    type Args = GitArgs;
    const NAME: &'static str = "git";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Clone a repository and keep it at a version.";

    fn effects(args: &GitArgs) -> Effects {
        Effects::writes([Resource::Path(args.dest.trim_end_matches('/').to_owned())]).outside()
    }

    fn plan(args: GitArgs, host: &Host) -> Result<Plan> {
        if args.archive.is_some() {
            return Err(refuse("archive", "use a command after the clone"));
        }
        if !args.gpg_allowlist.is_empty() {
            return Err(refuse("gpg_allowlist", "verify_commit trusts the keyring"));
        }
        for (name, word) in [("repo", &args.repo), ("version", &args.version), ("remote", &args.remote)] {
            // It would be taken for an option.
            if word.starts_with('-') {
                return Err(fail!("{name} may not begin with a hyphen: {word}"));
            }
        }
        let git = Git::new(&args, host)?;
        if !git.is_there(host) {
            return plan_clone(git, args, host);
        }
        let before = git.head(host)?;
        if !args.update {
            return Ok(Plan::unchanged(result! {"before": before, "after": before}));
        }
        plan_update(git, args, before, host)
    }
}

fn plan_clone(git: Git, args: GitArgs, host: &Host) -> Result<Plan> {
    let head = remote::head(&git, &args.version, None, host)?;
    let result = result! {"before": Value::Null, "after": head};
    if !args.clone {
        // Said to be a change, although nothing is done.
        let mut plan = Plan::unchanged(result);
        plan.result.insert("changed".into(), true.into());
        return Ok(plan);
    }
    Ok(Plan::change(result, move |host| update::clone(&git, &args, host)))
}

fn plan_update(git: Git, args: GitArgs, before: String, host: &Host) -> Result<Plan> {
    let dirty = !args.bare && git.has_changes(host)?;
    let mut result = result! {"before": before};
    if dirty && !args.force {
        let msg = format!("Local modifications exist in the destination: {} (force=no).", args.dest.0);
        return Err(ModuleError::new(msg).with("before", before));
    }
    if dirty {
        let msg = format!("Local modifications exist in the destination: {}", args.dest.0);
        result.insert("msg".into(), msg.into());
    }
    let url = git.run(host, &["remote", "get-url", "--", args.remote.as_str()])?;
    let moved = !url.success() || git.url(url.out().trim_end_matches('\n')) != git.repo;
    result.insert("remote_url_changed".into(), moved.into());
    let branch = if args.version == "HEAD" { git.default_branch(host)? } else { None };
    let head = remote::head(&git, &args.version, branch.as_deref(), host)?;
    result.insert("after".into(), head.clone().into());
    let stale = args.recursive && !args.bare && git.stale_submodules(host)?;
    if head == before && !dirty && !moved && !stale && !args.verify_commit {
        return Ok(Plan::unchanged(result));
    }
    let check = result.clone();
    let mut plan = Plan::change(result, move |host| update::update(&git, &args, before, dirty, moved, host));
    plan.check = Some(check);
    Ok(plan)
}

/// The result of an update that was carried out.
fn changed(before: &str, after: &str, more: bool) -> Map {
    result! {"before": before, "after": after, "changed": more || before != after}
}

/// The umask that was asked for.
fn umask(value: Option<&Raw>) -> Result<Option<u32>> {
    let Some(value) = value else { return Ok(None) };
    Mode::from_value(&value.0).resolve(0, true).map(Some).map_err(|_| fail!("umask must be an octal integer"))
}
