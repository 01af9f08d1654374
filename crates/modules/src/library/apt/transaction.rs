//! Several calls that install packages, as one run of `apt-get`.
//!
//! A call is admitted only if `apt-get` itself says that installing everything together does all that the calls before
//! it would do, in the same versions, and removes nothing. So what each brings is what it would have brought by
//! itself, behind the others.

use protocol::Outcome;

use crate::system::{dpkg, program};
use crate::{Diff, Host, Map, Plan, Result};

use super::AptArgs;
use super::command::{Apt, PolicyRcD, difference, environment};
use super::simulation::{Install, Simulation};

/// What calls of one transaction have in common: every option that `apt-get` sees.
pub fn in_common(args: &AptArgs) -> Option<String> {
    let simple = args.state == "present"
        && args.deb.is_none()
        && args.upgrade == "no"
        && !(args.autoremove || args.fail_on_autoremove || args.autoclean || args.clean || args.only_upgrade)
        && !args.package.is_empty()
        && !args.package.iter().any(|name| name == "*");
    // The index would be refreshed in between.
    let refreshes = args.update_cache == Some(true) && args.cache_valid_time == 0;
    (simple && !refreshes).then(|| {
        let trust =
            (args.force, args.allow_unauthenticated, args.allow_downgrade, args.allow_change_held_packages);
        let choice = (&args.default_release, args.install_recommends);
        let work = (&args.dpkg_options, args.policy_rc_d, args.lock_timeout);
        format!("apt {trust:?} {choice:?} {work:?}")
    })
}

/// What a plan has to install: its part in a transaction.
pub struct Share {
    args: AptArgs,
    /// As `apt-get install` takes them; none if all of it is there.
    names: Vec<String>,
    /// What its result has beside what `apt-get` says.
    result: Map,
}

impl Share {
    pub(super) fn new(args: AptArgs, names: Vec<String>, result: Map) -> Self {
        Self { args, names, result }
    }
}

/// Plans that are carried out as one.
pub struct Transaction {
    args: AptArgs,
    members: Vec<Member>,
    /// For `apt-get install`.
    names: Vec<String>,
    /// What it does, once that has been asked.
    all: Option<Simulation>,
    ended: Option<End>,
}

struct Member {
    result: Map,
    brings: Vec<Install>,
    diff: Option<String>,
}

/// How `apt-get` ended.
struct End {
    success: bool,
    /// `stdout` and `stderr`.
    said: Map,
}

/// What became of one plan's part.
pub enum Made {
    /// All of it.
    All(Outcome),
    /// Some of it.
    Part,
    /// Nothing, or there was nothing to do: what its own plan says now is what counts.
    Nothing,
}

impl Transaction {
    /// It begins with one plan.
    pub fn new(first: Share) -> Self {
        let Share { args, names, result } = first;
        let member = Member { result, brings: Vec::new(), diff: None };
        Self { args, members: vec![member], names, all: None, ended: None }
    }

    /// Take in a plan of the same [`transaction`](crate::Module::transaction), made without any of the others being
    /// carried out. False, with nothing changed, if it is not sure to come to the same.
    pub fn admit(&mut self, share: Share, host: &Host) -> bool {
        let Share { args: _, names, result } = share;
        let mut member = Member { result, brings: Vec::new(), diff: None };
        if !names.is_empty() && !self.simulate_first(host) {
            return false;
        }
        let installs = self.all.as_ref().map_or(&[][..], |all| &all.installs);
        let open: Vec<String> =
            names.iter().filter(|name| !installs.iter().any(|i| i.is(name))).cloned().collect();
        let Some(before) = self.all.as_ref().filter(|_| !open.is_empty()) else {
            // It has nothing to do, unless something that is there is replaced.
            let replaces = self.all.as_ref().is_some_and(Simulation::replaces);
            if !replaces {
                self.members.push(member);
            }
            return !replaces;
        };
        let all = [self.names.clone(), open].concat();
        let Ok(with) = Simulation::ask(&self.args, &all, host) else { return false };
        let Some(brings) = with.beyond(before).filter(|_| !with.removes) else { return false };
        member.diff = Some(in_words(&brings, &names, &with));
        member.brings = brings;
        self.members.push(member);
        self.names = all;
        self.all = Some(with);
        true
    }

    /// What the first plan does alone. False if nothing can be done together with it.
    fn simulate_first(&mut self, host: &Host) -> bool {
        if self.all.is_some() {
            return true;
        }
        let Ok(first) = Simulation::ask(&self.args, &self.names, host) else { return false };
        if first.removes || (first.replaces() && self.members.len() > 1) {
            return false;
        }
        if let Some(member) = self.members.first_mut() {
            member.brings = first.installs.clone();
            member.diff = difference(&first.said);
        }
        self.all = Some(first);
        true
    }

    /// How many of the plans bring something.
    pub fn bringing(&self) -> usize {
        self.members.iter().filter(|member| !member.brings.is_empty()).count()
    }

    /// Install everything. False if that failed: then [`Transaction::made`] says how far it came.
    pub fn carry_out(&mut self, host: &Host) -> bool {
        let answer = Apt::new("install", self.names.clone()).run(&self.args, host, false);
        let success = answer.is_ok();
        let mut said = match answer {
            Ok(answer) => answer.result,
            Err(error) => error.result,
        };
        said.retain(|key, _| key == "stdout" || key == "stderr");
        self.ended = Some(End { success, said });
        success
    }

    /// What became of a plan's part; asked in the order of the plans. What was only unpacked is configured.
    pub fn made(&self, number: usize, host: &Host) -> Made {
        let (Some(member), Some(end)) = (self.members.get(number), &self.ended) else { return Made::Nothing };
        if member.brings.is_empty() {
            return Made::Nothing;
        }
        if !end.success {
            match self.far(member, host) {
                Ok(Far::Installed) => {}
                Ok(Far::Untouched) => return Made::Nothing,
                Ok(Far::Between) | Err(_) => return Made::Part,
            }
        }
        let mut result = member.result.clone();
        result.insert("changed".into(), true.into());
        result.extend(end.said.clone());
        let text = member.diff.clone().filter(|_| host.diff());
        let diff = text.map(|text| Diff { prepared: Some(text), ..Diff::default() }).into_iter().collect();
        Made::All(Plan { diff, ..Plan::unchanged(result) }.outcome())
    }

    /// How far a plan's part came; what is only unpacked is configured first.
    fn far(&self, member: &Member, host: &Host) -> Result<Far> {
        let status = dpkg::status(host)?;
        let between = member.brings.iter().filter(|install| install.far(&status) == Far::Between);
        let between: Vec<&str> = between.map(|install| install.name.as_str()).collect();
        if !between.is_empty() {
            // By itself: `apt-get` would try again what failed for another one.
            let options = self.args.dpkg_options.split(',').map(str::trim).filter(|o| !o.is_empty());
            let process = environment(program::process(host, "dpkg")?);
            let process = process.args(options.map(|o| format!("--{o}"))).arg("--configure").args(between);
            let policy = PolicyRcD::set(&self.args, host)?;
            let ran = program::run(host, &process);
            if let Some(policy) = policy {
                policy.restore(host)?;
            }
            ran?;
        }
        let status = dpkg::status(host)?;
        let all_are = |far| member.brings.iter().all(|install| install.far(&status) == far);
        Ok(if all_are(Far::Installed) {
            Far::Installed
        } else if all_are(Far::Untouched) {
            Far::Untouched
        } else {
            Far::Between
        })
    }
}

/// How far something came.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Far {
    Untouched,
    Between,
    Installed,
}

impl Install {
    /// Is it what `apt-get install` is asked for with this word?
    fn is(&self, word: &str) -> bool {
        word.split_once('=') == Some((&self.name, &self.version))
    }

    fn far(&self, status: &dpkg::Status) -> Far {
        match status.find(&self.name) {
            Some(package) if package.version != self.version || !package.unpacked() => Far::Untouched,
            Some(package) if package.installed() => Far::Installed,
            Some(_) => Far::Between,
            None => Far::Untouched,
        }
    }
}

/// Packages that one plan brings, in the words of `apt-get`.
fn in_words(brings: &[Install], names: &[String], all: &Simulation) -> String {
    let mut lines = Vec::new();
    let mut list = |head: &str, fits: &dyn Fn(&&Install) -> bool| {
        let mut fitting: Vec<&str> = brings.iter().filter(fits).map(|i| i.name.as_str()).collect();
        fitting.sort_unstable();
        if !fitting.is_empty() {
            lines.extend([head.to_owned(), format!("  {}", fitting.join(" "))]);
        }
        fitting.len()
    };
    let asked = |i: &Install| names.iter().any(|name| i.is(name) || *name == i.name);
    list("The following additional packages will be installed:", &|i| !asked(i));
    let new = list("The following NEW packages will be installed:", &|i| i.old.is_none());
    let replaced = list("The following packages will be upgraded:", &|i| i.old.is_some());
    let rest = all
        .said
        .lines()
        .find_map(|line| line.split_once(" to remove and "))
        .map_or("0 not upgraded.", |r| r.1);
    lines.push(format!("{replaced} upgraded, {new} newly installed, 0 to remove and {rest}"));
    lines.join("\n")
}
