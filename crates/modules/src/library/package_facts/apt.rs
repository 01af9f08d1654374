//! Packages of dpkg, with the origin that apt knows for them.

use std::collections::HashMap;

use super::Trouble;
use crate::process::find_program;
use crate::system::dpkg;
use crate::system::program::{process, run};
use crate::{Host, Map, result};

pub fn installed(host: &Host) -> Result<Vec<Map>, Trouble> {
    if !dpkg::is_here(host) {
        let found = ["apt", "apt-get", "aptitude"].iter().find_map(|name| find_program(host, name));
        let found = found.map(|path| format!("Found executable at {}. ", path.display()));
        let found = found.unwrap_or_default();
        return Err(Trouble::Unusable(format!("{found}/var/lib/dpkg/status is missing")));
    }
    let status = dpkg::status(host).map_err(|e| Trouble::Asking(e.msg))?;
    let native = |architecture: &str| architecture == status.architecture || architecture == "all";
    let packages: Vec<(String, &dpkg::Package)> = status
        .packages
        .iter()
        .filter(|package| package.unpacked())
        .map(|package| match native(&package.architecture) {
            true => (package.name.clone(), package),
            false => (format!("{}:{}", package.name, package.architecture), package),
        })
        .collect();
    let known = known(host, &packages)?;
    let one = |(name, package): (String, &dpkg::Package)| {
        let known = known.get(&name).cloned().unwrap_or_default();
        let category = known.section.unwrap_or_else(|| package.section.clone());
        result! {
            "name": name, "version": package.version, "arch": package.architecture,
            "category": category, "origin": known.origin
        }
    };
    Ok(packages.into_iter().map(one).collect())
}

/// What the first index that has the installed version says. A version that is only on the host has none.
#[derive(Clone, Debug, Default)]
struct Known {
    origin: String,
    section: Option<String>,
}

fn known(host: &Host, packages: &[(String, &dpkg::Package)]) -> Result<HashMap<String, Known>, Trouble> {
    let mut known = HashMap::new();
    if find_program(host, "apt-cache").is_none() {
        return Ok(known);
    }
    let indexes = indexes(&ask(host, "policy", &[])?);
    if indexes.is_empty() {
        return Ok(known);
    }
    // A command line has its limits.
    for packages in packages.chunks(1000) {
        let names: Vec<String> = packages.iter().map(|(name, _)| name.clone()).collect();
        let origins = firsts(&ask(host, "policy", &names)?, &indexes);
        let exact = |(name, package): &(String, &dpkg::Package)| match origins.contains_key(name) {
            true => Some(format!("{name}={}", package.version)),
            false => None,
        };
        let exact: Vec<String> = packages.iter().filter_map(exact).collect();
        let mut sections = match exact.is_empty() {
            true => HashMap::new(),
            false => sections(&ask(host, "show", &exact)?),
        };
        for (name, package) in packages {
            let Some(origin) = origins.get(name) else { continue };
            let section = sections.remove(&(package.name.clone(), package.architecture.clone()));
            known.insert(name.clone(), Known { origin: origin.clone(), section });
        }
    }
    Ok(known)
}

fn ask(host: &Host, what: &str, names: &[String]) -> Result<String, Trouble> {
    let asked = process(host, "apt-cache").map(|p| p.arg(what).arg("--").args(names));
    let said = asked.and_then(|p| run(host, &p)).map_err(|e| Trouble::Asking(e.msg))?;
    match said.success() {
        true => Ok(said.out()),
        false => Err(Trouble::Asking(said.err().trim().to_owned())),
    }
}

/// `apt-cache show`: sections by name and architecture.
fn sections(text: &str) -> HashMap<(String, String), String> {
    let section = |record: &str| {
        let field = |name: &str| {
            record.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned())
        };
        Some(((field("Package:")?, field("Architecture:")?), field("Section:").unwrap_or_default()))
    };
    text.split("\n\n").filter_map(section).collect()
}

const STATUS: &str = "/var/lib/dpkg/status";

/// `apt-cache policy`: the origins of all indexes, by the line that names them; dpkg's own list is none.
fn indexes(text: &str) -> HashMap<String, String> {
    let mut indexes = HashMap::new();
    let mut index = None;
    for line in text.lines().take_while(|line| !line.starts_with("Pinned packages")) {
        let line = line.trim_start();
        let (priority, rest) = line.split_once(' ').unwrap_or((line, ""));
        if priority.parse::<i32>().is_ok() {
            index = Some(rest.to_owned());
        } else if priority == "release"
            && let Some(index) = index.as_ref().filter(|index| *index != STATUS)
        {
            let origin = rest.split(',').find_map(|field| field.trim().strip_prefix("o="));
            indexes.insert(index.clone(), origin.unwrap_or_default().to_owned());
        }
    }
    indexes
}

/// `apt-cache policy PACKAGE...`: of each package the origin of the first index below the installed version.
fn firsts(text: &str, indexes: &HashMap<String, String>) -> HashMap<String, String> {
    let mut found = HashMap::new();
    let mut name = "";
    let mut wanted = false;
    for line in text.lines() {
        if !line.starts_with(' ') {
            (name, wanted) = (line.trim_end().trim_end_matches(':'), false);
        } else if line.starts_with(" *** ") {
            wanted = true;
        } else if std::mem::take(&mut wanted)
            && let Some((_, index)) = line.trim_start().split_once(' ')
            && let Some(origin) = indexes.get(index)
        {
            found.insert(name.to_owned(), origin.clone());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As apt 2.6.1 answers.
    #[test]
    fn origins_are_those_of_the_first_index() {
        let indexes = indexes(
            "Package files:\n 100 /var/lib/dpkg/status\n     release a=now\n 500 http://deb.debian.org/debian \
             bookworm/main amd64 Packages\n     release v=12.5,o=Debian,a=stable,n=bookworm,l=Debian,c=main,b=amd64\n     \
             origin deb.debian.org\nPinned packages:\n     zalpha -> 1.0 with priority 500\n",
        );
        let found = firsts(
            "bash:\n  Installed: 5.2\n  Candidate: 5.2\n  Version table:\n *** 5.2 500\n        500 \
             http://deb.debian.org/debian bookworm/main amd64 Packages\n        100 /var/lib/dpkg/status\nmine:\n  \
             Installed: 1\n  Version table:\n     2 500\n        500 http://deb.debian.org/debian bookworm/main amd64 \
             Packages\n *** 1 100\n        100 /var/lib/dpkg/status\n",
            &indexes,
        );
        assert_eq!((found["bash"].as_str(), found.get("mine")), ("Debian", None));
    }
}
