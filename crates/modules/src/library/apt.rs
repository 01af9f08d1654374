//! `apt`: packages of Debian and its children.
//!
//! Whether a package is there is read from dpkg's status file, and the age of the index from the times of
//! files: a converged task starts no process. `apt-cache policy` is asked, once for all packages, only when
//! a candidate version matters (`state: latest`, a version with a wildcard, something to install);
//! `apt-get` does the changes, and its simulation answers in check mode.

mod cache;
mod command;
mod debfile;
mod policy;
mod select;
mod shares;
mod simulation;
mod spec;
mod transaction;

use crate::args::Expanded;
use crate::system::{dpkg, program};
use crate::{Applied, Effects, Host, Map, Module, Plan, Resource, Result, args, fail, result};

pub(crate) use cache::refresh;
use command::{Answer, Apt};
use select::Selection;
pub(crate) use spec::fnmatch;
pub use transaction::{Made, Share, Transaction};

args! {
    // What only matters to Python's apt is accepted and means nothing here.
    #[allow(dead_code)]
    pub struct AptArgs {
        /// Packages: `name`, `name=version`, `name>=version`, with wildcards in either.
        package: Vec<String> = aliases(&["pkg", "name"]), elements("str");
        /// What should be: installed, newest, gone, its build dependencies installed, or broken ones repaired.
        state: String = choices(&["absent", "build-dep", "fixed", "latest", "present"]), default("present");
        /// Refresh the index of packages first.
        update_cache: Option<bool> = aliases(&["update-cache"]);
        /// How often to try to refresh the index.
        update_cache_retries: i64 = default("5");
        /// Longest pause between two tries, in seconds.
        update_cache_retry_max_delay: i64 = default("12");
        /// Refresh the index only when it is older than this many seconds.
        cache_valid_time: i64 = default("0");
        /// Delete configuration files, too.
        purge: bool = default("no");
        /// Release to install from (`-t`).
        default_release: Option<String> = aliases(&["default-release"]);
        /// Install what packages recommend; the host's own setting if not given.
        install_recommends: Option<bool> = aliases(&["install-recommends"]);
        /// `--force-yes`: neither signatures nor downgrades are checked.
        force: bool = default("no");
        /// Install also what cannot be authenticated.
        allow_unauthenticated: bool = default("no"), aliases(&["allow-unauthenticated"]);
        /// Replace a newer version by an older one.
        allow_downgrade: bool = default("no"),
            aliases(&["allow-downgrade", "allow-downgrades", "allow_downgrades"]);
        /// Change packages that are on hold.
        allow_change_held_packages: bool = default("no");
        /// Upgrade all packages.
        upgrade: String = choices(&["dist", "full", "no", "safe", "yes"]), default("no");
        /// Options of dpkg, separated by commas.
        dpkg_options: String = default("force-confdef,force-confold");
        /// A file of a package on the host.
        deb: Option<Expanded>;
        /// Remove packages that nothing needs any more.
        autoremove: bool = default("no");
        /// Fail rather than remove a package.
        fail_on_autoremove: bool = default("no");
        /// Delete files of packages that cannot be downloaded any more.
        autoclean: bool = default("no");
        /// Exit code of `/usr/sbin/policy-rc.d` while installing: 101 keeps services from starting.
        policy_rc_d: Option<i64>;
        /// Upgrade packages that are installed, install no others.
        only_upgrade: bool = default("no");
        /// Always `apt-get`; it is never anything else here.
        force_apt_get: bool = default("no");
        /// Delete all downloaded files of packages.
        clean: bool = default("no");
        /// Seconds to wait for the lock of dpkg.
        lock_timeout: i64 = default("60");
        /// Needs nothing to be installed here.
        auto_install_module_deps: bool = default("yes");
    }
    checks { mutually_exclusive(&["deb", "package", "upgrade"]) }
}

pub struct AptModule;

impl Module for AptModule {
    type Args = AptArgs;
    const NAME: &'static str = "apt";
    const COLLECTION: &'static str = "ansible.builtin";
    const DOC: &'static str = "Manage packages of Debian and its derivatives with apt.";

    fn effects(args: &AptArgs) -> Effects {
        let names = args.package.iter().map(|p| Resource::Package(p.clone()));
        let mut effects = Effects::writes(names);
        if args.package.is_empty() {
            effects = effects.and_writes(Resource::Path("/var/lib/dpkg".into()));
        }
        // A refresh that is due asks servers, but its plan only reads times of files: nothing is asked then.
        effects.and_reads(Resource::Path("/etc/apt".into()))
    }

    fn transaction(args: &AptArgs) -> Option<String> {
        transaction::in_common(args)
    }

    fn plan(args: AptArgs, host: &Host) -> Result<Plan> {
        plan(args, host)
    }
}

/// The plan; `package` asks for it, too.
pub fn plan(mut args: AptArgs, host: &Host) -> Result<Plan> {
    if !dpkg::is_here(host) {
        return Err(fail!("apt needs a host with dpkg: there is no /var/lib/dpkg/status"));
    }
    if args.package.iter().any(|p| p == "*") {
        if args.state != "latest" {
            return Err(fail!("unable to install additional packages when upgrading all installed packages"));
        }
        if args.package.len() > 1 {
            return Err(fail!("unable to install additional packages when upgrading all installed packages"));
        }
        args.package.clear();
        args.upgrade = "yes".into();
    }
    let due = cache::is_due(&args, host);
    let refreshes = args.update_cache == Some(true) || args.cache_valid_time > 0;
    if due && !host.check() {
        // What there is to do can only be known with a fresh index, unless everything is as it should be.
        return Ok(after_update(args, host));
    }
    let mut decided = decide(&args, host, due)?;
    if due {
        decided.result.insert("cache_updated".into(), true.into());
        if nothing_else(&args) {
            decided.result.insert("changed".into(), true.into());
            return Ok(Plan::change(decided.result, |_| Applied::done()));
        }
    } else if refreshes && nothing_else(&args) {
        decided.result.insert("changed".into(), false.into());
    }
    let share = decided.share(&args);
    Ok(Plan { share, ..decided.into_plan(args) })
}

/// Only the index is of interest.
fn nothing_else(args: &AptArgs) -> bool {
    args.package.is_empty()
        && args.deb.is_none()
        && args.upgrade == "no"
        && !args.autoremove
        && !args.autoclean
}

fn after_update(args: AptArgs, host: &Host) -> Plan {
    let result = cache::keys(host, false);
    Plan::change(result, move |host| {
        cache::update(&args, host)?;
        let mut decided = decide(&args, host, true)?;
        if nothing_else(&args) && !args.clean {
            decided.result.insert("changed".into(), true.into());
        }
        let plan = decided.into_plan(args);
        let changes = plan.changes();
        let outcome = plan.carry_out(host);
        if outcome.failed() {
            let mut error =
                fail!("{}", outcome.result.get("msg").and_then(|m| m.as_str()).unwrap_or_default());
            error.result = outcome.result;
            return Err(error);
        }
        let mut result = outcome.result;
        result.entry("changed").or_insert_with(|| changes.into());
        Ok(Applied { result, diff: outcome.diff, ..Applied::default() })
    })
}

/// What is to be done with the index as it is.
struct Decision {
    result: Map,
    /// What `apt-get` said when it was asked to simulate.
    simulated: Option<Answer>,
    work: Option<Work>,
    clean: bool,
}

enum Work {
    Command(Apt),
    Deb(debfile::Install),
    Clean,
}

impl Decision {
    fn nothing(result: Map) -> Self {
        Self { result, simulated: None, work: None, clean: false }
    }

    /// The part it would have in a transaction.
    fn share(&self, args: &AptArgs) -> Option<Share> {
        transaction::in_common(args)?;
        let names = match &self.work {
            None => Vec::new(),
            Some(Work::Command(apt)) => apt.names().to_vec(),
            Some(Work::Deb(_) | Work::Clean) => return None,
        };
        Some(Share::new(args.clone(), names, self.result.clone()))
    }

    fn into_plan(self, args: AptArgs) -> Plan {
        let Self { mut result, simulated, work, clean } = self;
        let diff: Vec<_> = simulated.iter().filter_map(|a| a.diff()).collect();
        let Some(work) = work else {
            if let Some(answer) = simulated {
                result.extend(answer.result);
            }
            return match clean {
                false => Plan { diff, ..Plan::unchanged(result) },
                true => {
                    let changed = result.entry("changed").or_insert(false.into()).clone();
                    let check = Some(result.clone());
                    let plan = Plan::change(result, move |host| {
                        command::clean(&args, host)?;
                        Applied::with(result! {"changed": changed})
                    });
                    Plan { check, ..plan }
                }
            };
        };
        // Check mode reports what the simulation said.
        let check = simulated.map(|answer| {
            let mut check = result.clone();
            check.extend(answer.result);
            check
        });
        let keys = result.clone();
        let plan = Plan::change(result, move |host| {
            if clean {
                command::clean(&args, host)?;
            }
            let answer = match work {
                Work::Command(apt) => apt.run(&args, host, false).map_err(|e| with_keys(e, &keys))?,
                Work::Deb(install) => install.run(&args, host)?,
                Work::Clean => command::clean(&args, host)?,
            };
            let diff = answer.diff().into_iter().collect();
            Ok(Applied { result: answer.result, diff, ..Applied::default() })
        });
        Plan { diff, check, ..plan }
    }
}

fn decide(args: &AptArgs, host: &Host, updated: bool) -> Result<Decision> {
    let keys = cache::keys(host, updated);
    let clean = args.clean && command::has_archives(host);
    if args.clean && nothing_else(args) && args.update_cache != Some(true) && args.cache_valid_time == 0 {
        let answer = result! {"changed": true, "msg": "", "stdout": "", "stderr": ""};
        return Ok(Decision { work: Some(Work::Clean), ..Decision::nothing(answer) });
    }
    if args.upgrade != "no" {
        return simulated(args, host, Map::new(), Apt::upgrade(&args.upgrade), clean);
    }
    if let Some(deb) = &args.deb {
        if args.state != "present" {
            return Err(fail!("deb only supports state=present"));
        }
        let (install, answer) = debfile::plan(args, deb, host)?;
        let work = install.map(Work::Deb);
        return Ok(Decision { result: Map::new(), simulated: Some(answer), work, clean });
    }
    if args.package.is_empty() {
        if args.autoclean && !args.autoremove {
            return simulated(args, host, Map::new(), Apt::bare("autoclean"), clean);
        }
        if args.autoremove {
            return simulated(args, host, Map::new(), Apt::bare("autoremove"), clean);
        }
        let result = if args.state == "absent" { Map::new() } else { keys };
        return Ok(Decision { clean, ..Decision::nothing(result) });
    }
    let packages = args.package.iter().map(|p| spec::parse(p)).collect::<Result<Vec<_>>>()?;
    if args.state == "build-dep" {
        let names = packages.iter().map(|p| p.name.clone()).collect();
        return simulated(args, host, keys, Apt::new("build-dep", names), clean);
    }
    let keys = if args.state == "absent" { Map::new() } else { keys };
    let selection = if args.state == "absent" {
        select::to_remove(args, &packages, host)?
    } else {
        select::to_install(args, &packages, host)?
    };
    let work = match selection {
        Selection::Nothing => return Ok(Decision { clean, ..Decision::nothing(keys) }),
        Selection::Install(names) => Apt::new("install", names),
        Selection::Remove(names) => Apt::new("remove", names),
    };
    let answer = match host.check() {
        true => Some(work.run(args, host, true).map_err(|e| with_keys(e, &keys))?),
        false => None,
    };
    Ok(Decision { result: keys, simulated: answer, work: Some(Work::Command(work)), clean })
}

fn with_keys(mut error: crate::ModuleError, keys: &Map) -> crate::ModuleError {
    error.result.extend(keys.clone());
    error
}

/// Work of which only a simulation can say whether there is any.
fn simulated(args: &AptArgs, host: &Host, result: Map, apt: Apt, clean: bool) -> Result<Decision> {
    if !host.is_real() {
        return Err(program::refuse("upgrade", "a scratch root has no apt-get"));
    }
    let answer = apt.run(args, host, true).map_err(|e| with_keys(e, &result))?;
    let work = answer.changed.then_some(Work::Command(apt));
    Ok(Decision { result, simulated: Some(answer), work, clean })
}
