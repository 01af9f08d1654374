//! `gather_subset` and `filter`.

use std::collections::BTreeSet;

use protocol::Map;

use super::{Facts, PARTS};
use crate::{Result, fail};

/// Facts that are gathered together.
pub struct Subset {
    pub name: &'static str,
    /// Names of facts in it, which may be asked for as well.
    pub facts: &'static [&'static str],
    /// `None`: it belongs to the minimum. `Some("all")`: only to `all`.
    pub group: Option<&'static str>,
    /// Parts whose facts this one uses.
    pub needs: &'static [&'static str],
    pub collect: fn(&mut Facts<'_>),
}

impl Subset {
    fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.facts.contains(&name)
    }
}

/// The parts to gather, in their order.
///
/// The rules, as ansible-core 2.19 shows them: nothing asked for at all is `all`; otherwise the minimum and what is
/// asked for, without what is excluded. What is asked for by its own name stays, whatever excludes it. Only names of
/// subsets exclude: `!mounts` leaves `hardware` as it is. Unknown names are errors only when asked for.
pub fn resolve(asked: &[String]) -> Result<Vec<&'static Subset>> {
    let all = 0..PARTS.len();
    let minimum = || all.clone().filter(|i| PARTS[*i].group.is_none());
    let (mut wanted, mut excluded, mut by_name) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    if asked.is_empty() {
        wanted.extend(all.clone());
    }
    wanted.extend(minimum());
    for name in asked.iter().map(|n| n.trim()) {
        match name.strip_prefix('!') {
            Some("all") => excluded.extend(all.clone().filter(|i| PARTS[*i].group.is_some())),
            Some("min") => excluded.extend(minimum()),
            Some(name) => excluded.extend(all.clone().filter(|i| PARTS[*i].name == name)),
            None if name == "all" => wanted.extend(all.clone()),
            None if name == "min" => {}
            None => {
                let before = by_name.len();
                by_name.extend(all.clone().filter(|i| PARTS[*i].answers_to(name)));
                if by_name.len() == before && !PARTS.iter().any(|p| p.answers_to(name)) {
                    return Err(unknown(name));
                }
            }
        }
    }
    wanted.retain(|i| !excluded.contains(i));
    wanted.extend(by_name);
    for i in wanted.clone() {
        for need in PARTS[i].needs {
            wanted.extend(all.clone().filter(|i| PARTS[*i].name == *need));
        }
    }
    Ok(wanted.into_iter().map(|i| &PARTS[i]).collect())
}

fn unknown(name: &str) -> crate::ModuleError {
    let names = PARTS.iter().flat_map(|p| std::iter::once(&p.name).chain(p.facts)).copied();
    let known: BTreeSet<&str> = names.chain(["all"]).collect();
    let known: Vec<&str> = known.into_iter().collect();
    fail!("Bad subset '{name}' given to Ansible. gather_subset options allowed: {}", known.join(", "))
}

/// Keep the facts that match one of the patterns (fnmatch, with or without `ansible_`).
pub fn filter(map: &mut Map, patterns: &[String]) {
    let patterns: Vec<glob::Pattern> = patterns
        .iter()
        .filter(|p| !p.is_empty())
        .flat_map(|p| [p.clone(), format!("ansible_{p}")])
        .filter_map(|p| glob::Pattern::new(&p).ok())
        .collect();
    if patterns.is_empty() {
        return;
    }
    let options = glob::MatchOptions { require_literal_separator: false, ..Default::default() };
    map.retain(|key, _| patterns.iter().any(|p| p.matches_with(key, options)));
}
