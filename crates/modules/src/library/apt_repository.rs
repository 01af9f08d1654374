//! `apt_repository`: one-line sources of apt.

mod sources;

use std::fs;

use crate::args::Raw;
use crate::files::Mode;
use crate::system::program;
use crate::system::textfile::{self, Rights};
use crate::{Applied, Effects, Host, Module, Plan, Resource, Result, args, fail, result};

use super::apt::refresh;
use sources::{Change, Sources};

args! {
    // What only matters to Python's apt is accepted and means nothing here.
    #[allow(dead_code)]
    pub struct AptRepositoryArgs {
        /// The line of the source.
        repo: String = required();
        /// Whether the source should be there.
        state: String = choices(&["absent", "present"]), default("present");
        /// Mode of a new file.
        mode: Option<Raw>;
        /// Refresh the index of packages after a change.
        update_cache: bool = default("yes"), aliases(&["update-cache"]);
        /// How often to try to refresh the index.
        update_cache_retries: i64 = default("5");
        /// Longest pause between two tries, in seconds.
        update_cache_retry_max_delay: i64 = default("12");
        /// Name of the file in `sources.list.d`, without `.list`; made from the address if not given.
        filename: Option<String>;
        /// Code name of the release for a PPA; not supported.
        codename: Option<String>;
        /// Needs nothing to be installed here.
        install_python_apt: bool = default("yes");
        /// Only for PPAs, which are not supported.
        validate_certs: bool = default("yes");
    }
}

pub struct AptRepository;

impl Module for AptRepository {
    type Args = AptRepositoryArgs;
    const NAME: &'static str = "apt_repository";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Add and remove sources of packages of apt.";

    fn effects(_: &AptRepositoryArgs) -> Effects {
        Effects::writes([Resource::Path("/etc/apt".into())])
    }

    fn plan(args: AptRepositoryArgs, host: &Host) -> Result<Plan> {
        if args.repo.trim().is_empty() {
            return Err(fail!("Please set argument 'repo' to a non-empty value"));
        }
        if args.repo.trim_start().starts_with("ppa:") {
            return Err(program::refuse("repo", "PPAs are not looked up; give the whole line of the source"));
        }
        let sources = Sources::read(host)?;
        let changes = if args.state == "present" {
            let Some(source) = sources::parse(&args.repo) else {
                return Err(fail!("Invalid repository string: {}", args.repo));
            };
            sources.with(&source, args.filename.as_deref())
        } else {
            let wanted = sources::parse(&args.repo);
            let wanted = wanted.ok_or_else(|| fail!("Invalid repository string: {}", args.repo))?;
            sources.without(&wanted)
        };
        let paths = |wanted: fn(&Change) -> bool| -> Vec<String> {
            changes.iter().filter(|c| wanted(c)).map(|c| c.path.clone()).collect()
        };
        let result = result! {
            "repo": args.repo, "state": args.state,
            "sources_added": paths(|c| c.before.is_none()), "sources_removed": paths(|c| c.after.is_none())
        };
        if changes.is_empty() {
            return Ok(Plan::unchanged(result));
        }
        let diff = if host.diff() { changes.iter().map(Change::diff).collect() } else { Vec::new() };
        let mode = args.mode.as_ref().map(|m| Mode::from_value(&m.0));
        let mode = match mode {
            None => 0o644,
            Some(mode) => mode.resolve(0o644, false).map_err(|e| fail!("{e}"))?,
        };
        let plan = Plan::change(result, move |host| {
            carry_out(&changes, mode, host)?;
            if !args.update_cache {
                return Applied::done();
            }
            let refreshed = refresh(args.update_cache_retries, args.update_cache_retry_max_delay, 60, host);
            if let Err(error) = refreshed {
                // A source that cannot be read would break every later task: put back what was.
                let back: Vec<Change> = changes.into_iter().map(Change::reversed).collect();
                carry_out(&back, mode, host)?;
                return Err(error);
            }
            Applied::done()
        });
        Ok(Plan { diff, ..plan })
    }
}

fn carry_out(changes: &[Change], mode: u32, host: &Host) -> Result<()> {
    for change in changes {
        match &change.after {
            Some(text) => {
                textfile::write(
                    host,
                    &change.path,
                    text.as_bytes(),
                    Rights { mode: Some(mode), ..Rights::default() },
                )?;
            }
            None => fs::remove_file(host.path(&change.path))
                .map_err(|e| fail!("could not remove {}: {e}", change.path))?,
        }
    }
    Ok(())
}
