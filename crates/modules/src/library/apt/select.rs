//! Which packages have to be installed or removed.

use std::cmp::Ordering;
use std::collections::HashMap;

use crate::system::{dpkg, version};
use crate::{Host, Result, fail};

use super::policy::{self, Offer};
use super::spec::{Spec, Version, fnmatch};
use super::{AptArgs, cache};

pub enum Selection {
    Nothing,
    /// As `apt-get install` takes them.
    Install(Vec<String>),
    Remove(Vec<String>),
}

/// Packages that are not as `present`, `latest` or `fixed` want them.
pub fn to_install(args: &AptArgs, packages: &[Spec], host: &Host) -> Result<Selection> {
    let status = dpkg::status(host)?;
    let latest = args.state == "latest";
    let mut open = Vec::new();
    for package in expand(packages, host)? {
        let installed = status.find(&package.name).filter(|p| p.installed());
        let satisfied = match (&package.version, installed) {
            (_, None) => false,
            (Version::Like(_), Some(_)) => false,
            (wanted, Some(p)) => !latest && wanted.fits(&p.version),
        };
        if !satisfied {
            open.push((package, installed.map(|p| p.version.clone())));
        }
    }
    if open.is_empty() {
        return Ok(Selection::Nothing);
    }
    let names: Vec<String> = open.iter().map(|(p, _)| p.name.clone()).collect();
    let offers =
        policy::ask(args, &names.iter().filter(|n| !n.is_empty()).cloned().collect::<Vec<_>>(), host)?;
    let mut install = Vec::new();
    for (package, installed) in open {
        let wanted = choose(args, &package, installed.as_deref(), &offers, host)?;
        install.extend(wanted.filter(|w| !install.contains(w)).into_iter().collect::<Vec<_>>());
    }
    Ok(if install.is_empty() { Selection::Nothing } else { Selection::Install(install) })
}

/// What to hand to `apt-get install` for one package; `None` if it is as wanted after all.
fn choose(
    args: &AptArgs,
    package: &Spec,
    installed: Option<&str>,
    offers: &HashMap<String, Offer>,
    host: &Host,
) -> Result<Option<String>> {
    let bare = package.name.split(':').next().unwrap_or_default();
    let Some(offer) = offers.get(&package.name).or_else(|| offers.get(bare)) else {
        if installed.is_some_and(|v| package.version.fits(v)) {
            return Ok(None);
        }
        return Err(fail!("No package matching '{}' is available", package.name));
    };
    if offer.is_virtual() {
        let providers = policy::providers(&package.name, host)?;
        let status = dpkg::status(host)?;
        if providers.is_empty() {
            return Err(fail!("No package matching '{}' is available", package.name));
        }
        if providers.iter().any(|p| status.find(p).is_some_and(dpkg::Package::installed)) {
            return Ok(None);
        }
        if args.only_upgrade {
            return Ok(None);
        }
        // Which of several to take is not ours to say: apt-get lists them and refuses.
        return Ok(Some(if let [only] = &providers[..] { only.clone() } else { package.name.clone() }));
    }
    if installed.is_none() && args.only_upgrade {
        return Ok(None);
    }
    let best = match &package.version {
        Version::Any => offer.candidate.clone(),
        wanted => offer.candidate.clone().filter(|c| wanted.fits(c)).or_else(|| {
            let fitting = offer.versions.iter().filter(|(v, _)| wanted.fits(v));
            fitting.max_by(|a, b| a.1.cmp(&b.1).then(version::compare(&a.0, &b.0))).map(|(v, _)| v.clone())
        }),
    };
    let Some(best) = best else {
        if matches!(package.version, Version::Any) && installed.is_some() {
            return Ok(None);
        }
        let mut error = fail!("no available installation candidate for {}", package.text());
        error.result = cache::keys(host, false);
        return Err(error);
    };
    let enough = match (&package.version, installed) {
        (_, None) => false,
        (Version::Any | Version::AtLeast(_), Some(now)) => version::compare(now, &best) != Ordering::Less,
        (_, Some(now)) => now == best,
    };
    Ok((!enough).then(|| format!("{}={best}", package.name)))
}

/// Packages that are there and should not be.
pub fn to_remove(args: &AptArgs, packages: &[Spec], host: &Host) -> Result<Selection> {
    let status = dpkg::status(host)?;
    let mut names = Vec::new();
    let there = |p: &dpkg::Package| p.unpacked() || (args.purge && p.has_files());
    for package in packages {
        if package.is_pattern() {
            let fits = |p: &&dpkg::Package| there(p) && fnmatch(&package.name, &p.name);
            names.extend(status.packages.iter().filter(fits).map(|p| p.name.clone()));
        } else if let Some(found) = status.find(&package.name).filter(|p| there(p))
            && package.version.fits(&found.version)
        {
            names.push(package.name.clone());
        }
    }
    names.dedup();
    Ok(if names.is_empty() { Selection::Nothing } else { Selection::Remove(names) })
}

/// Replace names with wildcards by all names that fit.
fn expand(packages: &[Spec], host: &Host) -> Result<Vec<Spec>> {
    let mut all = None;
    let mut out = Vec::new();
    for package in packages {
        if !package.is_pattern() {
            out.push(package.clone());
            continue;
        }
        let names = match &mut all {
            Some(names) => names,
            None => all.insert(policy::all_names(host)?),
        };
        let mut fitting: Vec<&String> = names.iter().filter(|n| fnmatch(&package.name, n)).collect();
        if fitting.is_empty() {
            return Err(fail!("No package(s) matching '{}' available", package.name));
        }
        fitting.sort();
        out.extend(fitting.into_iter().map(|n| Spec { name: n.clone(), version: package.version.clone() }));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::apt::spec::parse;
    use crate::{Args, result};

    #[test]
    fn a_converged_host_needs_no_process() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("var/lib/dpkg")).unwrap();
        std::fs::write(
            dir.path().join("var/lib/dpkg/status"),
            "Package: nginx\nStatus: install ok installed\nVersion: 1.22-1\nArchitecture: all\n\n\
             Package: old\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n",
        )
        .unwrap();
        // A PATH without programs: starting any would be an error.
        let host = Host::at(dir.path(), dir.path());
        let args = AptArgs::parse(&result! {}).unwrap();
        let specs = |names: &[&str]| names.iter().map(|n| parse(n).unwrap()).collect::<Vec<_>>();
        let same = to_install(&args, &specs(&["nginx", "nginx=1.22-1", "nginx>=1.9"]), &host).unwrap();
        assert!(matches!(same, Selection::Nothing));
        let gone = to_remove(&args, &specs(&["old", "never", "nginx=2"]), &host).unwrap();
        assert!(matches!(gone, Selection::Nothing));
        let purge = AptArgs::parse(&result! {"purge": true}).unwrap();
        let Selection::Remove(names) = to_remove(&purge, &specs(&["ol*"]), &host).unwrap() else { panic!() };
        assert_eq!(names, ["old"]);
    }
}
