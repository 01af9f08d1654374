//! What the index offers, asked of `apt-cache`.

use std::collections::HashMap;

use crate::system::program;
use crate::{Host, Result, fail};

use super::AptArgs;

/// One package of `apt-cache policy`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    pub candidate: Option<String>,
    /// Versions with the priority of their pin, as listed: newest first.
    pub versions: Vec<(String, i64)>,
}

impl Offer {
    /// A name that other packages provide and that has no version of its own.
    pub fn is_virtual(&self) -> bool {
        self.versions.is_empty()
    }
}

/// Ask for all names at once. A name that the index does not know is not in the answer.
pub fn ask(args: &AptArgs, names: &[String], host: &Host) -> Result<HashMap<String, Offer>> {
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let mut process = program::process(host, "apt-cache")?;
    if let Some(release) = &args.default_release {
        process = process.args(["-o", &format!("APT::Default-Release={release}")]);
    }
    let output = program::run(host, &process.arg("policy").arg("--").args(names))?;
    if !output.success() {
        let said = output.err();
        let first = said.lines().next().unwrap_or("apt-cache failed").replacen("E: ", "E:", 1);
        return Err(fail!("{first}"));
    }
    Ok(parse(&output.out()))
}

fn parse(text: &str) -> HashMap<String, Offer> {
    let mut offers: HashMap<String, Offer> = HashMap::new();
    let mut name = String::new();
    for line in text.lines() {
        if !line.starts_with(' ') {
            name = line.trim_end().trim_end_matches(':').to_owned();
            offers.insert(name.clone(), Offer::default());
            continue;
        }
        let Some(offer) = offers.get_mut(&name) else { continue };
        if let Some(candidate) = line.strip_prefix("  Candidate: ") {
            offer.candidate = (candidate != "(none)").then(|| candidate.to_owned());
        } else if let Some(entry) = line.strip_prefix(" *** ").or_else(|| line.strip_prefix("     "))
            && !entry.starts_with(' ')
            && let Some((version, priority)) = entry.split_once(' ')
        {
            offer.versions.push((version.to_owned(), priority.trim().parse().unwrap_or(0)));
        }
    }
    offers
}

/// Packages that provide a virtual one.
pub fn providers(name: &str, host: &Host) -> Result<Vec<String>> {
    let process = program::process(host, "apt-cache")?.args(["showpkg", "--", name]);
    let output = program::run(host, &process)?;
    let text = output.out();
    let lines = text.lines().skip_while(|l| !l.starts_with("Reverse Provides:")).skip(1);
    let mut names: Vec<String> =
        lines.filter_map(|l| l.split(' ').next()).filter(|n| !n.is_empty()).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

/// Names of all packages that the index has.
pub fn all_names(host: &Host) -> Result<Vec<String>> {
    let process = program::process(host, "apt-cache")?.arg("pkgnames");
    Ok(process.check(host)?.out().lines().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_of_apt_cache_is_understood() {
        // Recorded from apt 2.6.1.
        let offers = parse(
            "zalpha:\n  Installed: 1.0\n  Candidate: 2.0\n  Version table:\n     2.0 500\n        500 file:/srv/repo ./ \
             Packages\n *** 1.0 500\n        500 file:/srv/repo ./ Packages\n        100 /var/lib/dpkg/status\n\
             zmta:\n  Installed: (none)\n  Candidate: (none)\n  Version table:\n",
        );
        let alpha = &offers["zalpha"];
        assert_eq!(alpha.candidate.as_deref(), Some("2.0"));
        assert_eq!(alpha.versions, [("2.0".to_owned(), 500), ("1.0".to_owned(), 500)]);
        assert!(offers["zmta"].is_virtual());
    }
}
