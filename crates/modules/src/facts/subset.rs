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
/// The rules, as ansible-core 2.19 shows them: nothing asked for is `all`; the minimum is always part of it unless `!min`
/// or `!all` with `!min`; what is excluded by name goes, unless it is asked for by the same name; `!all` leaves the
/// minimum. What is only excluded excludes from everything.
pub fn resolve(asked: &[String]) -> Result<Vec<&'static Subset>> {
    let mut wanted: BTreeSet<usize> = BTreeSet::new();
    let mut excluded: BTreeSet<usize> = BTreeSet::new();
    let mut by_name: BTreeSet<usize> = BTreeSet::new();
    let find = |name: &str| -> Result<Vec<usize>> {
        let all = 0..PARTS.len();
        let found: Vec<usize> = match name {
            "all" => all.collect(),
            "min" => all.filter(|i| PARTS[*i].group.is_none()).collect(),
            name => all.filter(|i| PARTS[*i].answers_to(name)).collect(),
        };
        if found.is_empty() { Err(unknown(name)) } else { Ok(found) }
    };
    let (mut positive, mut without_min) = (false, false);
    for name in asked.iter().map(|n| n.trim()) {
        match name.strip_prefix('!') {
            Some("all") => excluded.extend((0..PARTS.len()).filter(|i| PARTS[*i].group.is_some())),
            Some("min") => {
                without_min = true;
                excluded.extend(find("min")?);
            }
            Some(name) => excluded.extend(find(name)?),
            None => {
                positive = true;
                let found = find(name)?;
                if !["all", "min"].contains(&name) {
                    by_name.extend(&found);
                }
                wanted.extend(found);
            }
        }
    }
    if !positive && !asked.iter().any(|n| n.trim() == "!all") {
        wanted.extend(0..PARTS.len());
    }
    if !without_min {
        wanted.extend(find("min")?);
    }
    wanted.retain(|i| !excluded.contains(i) || by_name.contains(i));
    for i in wanted.clone() {
        for need in PARTS[i].needs {
            wanted.extend(find(need)?);
        }
    }
    Ok(wanted.into_iter().map(|i| &PARTS[i]).collect())
}

fn unknown(name: &str) -> crate::ModuleError {
    let mut known: Vec<&str> = PARTS
        .iter()
        .flat_map(|p| std::iter::once(&p.name).chain(p.facts))
        .copied()
        .chain(["all", "min"])
        .collect();
    known.sort_unstable();
    fail!(
        "Bad subset '{name}' given to Ansible. gather_subset options allowed: all, {}",
        known.iter().filter(|k| **k != "all").copied().collect::<Vec<_>>().join(", ")
    )
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
