//! Several calls that install packages, as one run of `apt-get`.
//!
//! `apt-get` itself says, once for all of them, what installing everything together does, and [`shares`] whose of that
//! each package is. Calls are kept together only as far as they are sure to come to what they would come to one after
//! the other, and nothing is removed.

use protocol::Outcome;

use crate::system::{dpkg, program};
use crate::{Diff, Host, Map, Plan, Result, fail};

use super::AptArgs;
use super::command::{Apt, PolicyRcD, environment};
use super::shares::{self, Wish};
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
    ended: Option<End>,
}

struct Member {
    /// As its plan has them.
    names: Vec<String>,
    /// The user has chosen versions.
    pinned: bool,
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
        let args = first.args.clone();
        Self { args, members: vec![Member::of(first)], names: Vec::new(), ended: None }
    }

    /// Take in a plan of the same [`transaction`](crate::Module::transaction), made without any of the others being
    /// carried out.
    pub fn add(&mut self, share: Share) {
        self.members.push(Member::of(share));
    }

    /// How many of the plans, from the first on, are sure to come to the same together as one after the other. The
    /// rest is forgotten.
    pub fn agree(&mut self, host: &Host) -> usize {
        let mut count = self.members.len();
        loop {
            self.members.truncate(count);
            if self.members.iter().filter(|member| !member.names.is_empty()).count() < 2 {
                return count;
            }
            count = match self.simulate(host) {
                Ok(sure) if sure == count => return count,
                Ok(sure) => sure.max(1),
                Err(_) => count.div_ceil(2),
            };
        }
    }

    /// Find out what each plan brings; the number of those of which that is sure.
    fn simulate(&mut self, host: &Host) -> Result<usize> {
        let mut names: Vec<String> = Vec::new();
        for name in self.members.iter().flat_map(|member| &member.names) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        let all = Simulation::ask(&self.args, &names, host)?;
        let idle = self.members.iter().any(|member| member.names.is_empty());
        // What is there and wanted could be replaced.
        if all.removes || (idle && all.replaces()) {
            return Err(fail!("it would not only install"));
        }
        let wishes: Vec<Wish<'_>> =
            self.members.iter().map(|m| Wish { names: &m.names, pinned: m.pinned }).collect();
        let brings = match shares::split(&self.args, &wishes, &all.installs, host)? {
            Ok(brings) => brings,
            Err(unsure) => return Ok(unsure),
        };
        let mut own: Vec<String> = Vec::new();
        for (member, brings) in self.members.iter_mut().zip(brings) {
            // What another one brings as a dependency stays one.
            own.extend(member.names.iter().filter(|name| brings.iter().any(|i| i.is(name))).cloned());
            member.diff = (!brings.is_empty()).then(|| in_words(&brings, &member.names, &all));
            member.brings = brings;
        }
        self.names = own;
        Ok(self.members.len())
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

impl Member {
    fn of(share: Share) -> Self {
        let Share { args, names, result } = share;
        let pinned = args.package.iter().any(|package| package.contains('='));
        Self { names, pinned, result, brings: Vec::new(), diff: None }
    }
}

impl Install {
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
