//! Which package of a transaction is whose.
//!
//! `apt-get` says what installing everything would do. What each plan would have brought by itself follows from the
//! dependencies of these packages, as long as they leave no choice: the first of several alternatives is taken, or one
//! that is there already. Where it could be otherwise, this says so.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use crate::system::{dpkg, program, version};
use crate::{Host, Result};

use super::simulation::Install;
use super::{AptArgs, policy};

/// What a plan asks for.
pub struct Wish<'a> {
    /// As `apt-get install` takes them.
    pub names: &'a [String],
    /// Versions are the user's choice.
    pub pinned: bool,
}

/// The fields of a package that say what else it needs.
#[derive(Default)]
struct Needs {
    depends: Vec<Vec<Relation>>,
    recommends: Vec<Vec<Relation>>,
}

/// `name (>= version)`
struct Relation {
    name: String,
    version: Option<(String, String)>,
}

/// The packages that each plan brings behind those before it; the number of the first of which this is not sure.
pub fn split(
    args: &AptArgs,
    wishes: &[Wish<'_>],
    installs: &[Install],
    host: &Host,
) -> Result<Result<Vec<Vec<Install>>, usize>> {
    let (recommends, suggests) = follows(args, host)?;
    if suggests {
        return Ok(Err(0));
    }
    let needs = ask(installs, host)?;
    let left_out = if recommends { Some(left_out(args, &needs, installs, host)?) } else { None };
    let status = dpkg::status(host)?;
    let taken = vec![None; installs.len()];
    let mut split = Split { wishes, installs, needs, status: &status, left_out, taken };
    for number in 0..wishes.len() {
        if split.take(number).is_none() {
            return Ok(Err(number));
        }
    }
    if split.taken.contains(&None) {
        return Ok(Err(0));
    }
    let mut brings = vec![Vec::new(); wishes.len()];
    for (install, taken) in installs.iter().zip(&split.taken) {
        if let Some(number) = taken {
            brings[*number].push(install.clone());
        }
    }
    Ok(Ok(brings))
}

struct Split<'a> {
    wishes: &'a [Wish<'a>],
    installs: &'a [Install],
    needs: HashMap<String, Needs>,
    status: &'a dpkg::Status,
    /// Recommended packages that do not come along although there are such; `None` if recommendations are not
    /// followed.
    left_out: Option<HashSet<String>>,
    /// The plan that brings each of the packages.
    taken: Vec<Option<usize>>,
}

impl Split<'_> {
    /// What a plan brings; `None` if that is not sure.
    fn take(&mut self, number: usize) -> Option<()> {
        let mut open: Vec<usize> = Vec::new();
        for name in self.wishes[number].names {
            open.push(self.installs.iter().position(|install| install.is(name))?);
        }
        while let Some(at) = open.pop() {
            if self.taken[at].is_some() {
                continue;
            }
            self.taken[at] = Some(number);
            let install = &self.installs[at];
            let needs = self.needs.get(&install.name)?;
            for group in &needs.depends {
                if !self.is_there(group, number) {
                    open.push(self.first(group, number)?);
                }
            }
            let Some(left_out) = &self.left_out else { continue };
            for group in &needs.recommends {
                if self.is_there(group, number) {
                    continue;
                }
                if group.iter().any(|relation| self.find(relation).is_some()) {
                    // Of a package that is replaced, only what it did not recommend before comes along.
                    if install.old.is_some() {
                        return None;
                    }
                    open.push(self.first(group, number)?);
                } else if group.iter().any(|relation| left_out.contains(&relation.name)) {
                    // It may be another plan that keeps it out.
                    return None;
                }
            }
        }
        Some(())
    }

    /// Is one of the alternatives there when the plan's turn comes?
    fn is_there(&self, group: &[Relation], number: usize) -> bool {
        group.iter().any(|relation| {
            let installed = self.status.find(&relation.name).filter(|p| p.installed());
            installed.is_some_and(|p| relation.fits(&p.version))
                || (relation.version.is_none() && self.status.providers(&relation.name).next().is_some())
                || self.find(relation).is_some_and(|at| self.taken[at].is_some_and(|taken| taken < number))
        })
    }

    /// The first alternative, if it is what would be taken without the other plans.
    fn first(&self, group: &[Relation], number: usize) -> Option<usize> {
        let at = self.find(group.first()?)?;
        let others = self.wishes.iter().enumerate().filter(|(other, wish)| *other != number && wish.pinned);
        let chosen = others.flat_map(|(_, wish)| wish.names).any(|name| self.installs[at].is(name));
        (!chosen).then_some(at)
    }

    fn find(&self, relation: &Relation) -> Option<usize> {
        self.installs.iter().position(|i| i.name == relation.name && relation.fits(&i.version))
    }
}

impl Relation {
    fn fits(&self, version: &str) -> bool {
        let Some((operator, wanted)) = &self.version else { return true };
        let order = version::compare(version, wanted);
        match operator.as_str() {
            "<<" => order == Ordering::Less,
            "<=" => order != Ordering::Greater,
            ">=" => order != Ordering::Less,
            ">>" => order == Ordering::Greater,
            _ => order == Ordering::Equal,
        }
    }
}

/// Does `apt-get` install what packages recommend, and what they suggest?
fn follows(args: &AptArgs, host: &Host) -> Result<(bool, bool)> {
    let asked = ["shell", "RECOMMENDS", "APT::Install-Recommends/b", "SUGGESTS", "APT::Install-Suggests/b"];
    let said = program::process(host, "apt-config")?.args(asked).check(host)?.out();
    let recommends = args.install_recommends.unwrap_or(!said.contains("RECOMMENDS='false'"));
    Ok((recommends, said.contains("SUGGESTS='true'")))
}

/// Which recommended packages do not come along although the index has them.
fn left_out(
    args: &AptArgs,
    needs: &HashMap<String, Needs>,
    installs: &[Install],
    host: &Host,
) -> Result<HashSet<String>> {
    let names = needs.values().flat_map(|needs| needs.recommends.iter().flatten()).map(|r| r.name.clone());
    let absent: HashSet<String> = names.filter(|name| !installs.iter().any(|i| i.name == *name)).collect();
    let offers = policy::ask(args, &absent.into_iter().collect::<Vec<_>>(), host)?;
    Ok(offers.into_iter().filter(|(_, offer)| offer.candidate.is_some()).map(|(name, _)| name).collect())
}

/// Ask the index for what packages need.
fn ask(installs: &[Install], host: &Host) -> Result<HashMap<String, Needs>> {
    let words = installs.iter().map(|i| format!("{}={}", i.name, i.version));
    let process = program::process(host, "apt-cache")?.args(["show", "--no-all-versions", "--"]).args(words);
    let text = process.check(host)?.out();
    Ok(text.split("\n\n").filter_map(stanza).collect())
}

fn stanza(text: &str) -> Option<(String, Needs)> {
    let mut name = None;
    let mut needs = Needs::default();
    for line in text.lines() {
        match line.split_once(": ") {
            Some(("Package", value)) => name = Some(value.trim().to_owned()),
            Some(("Depends" | "Pre-Depends", value)) => needs.depends.extend(relations(value)),
            Some(("Recommends", value)) => needs.recommends.extend(relations(value)),
            _ => {}
        }
    }
    Some((name?, needs))
}

fn relations(text: &str) -> Vec<Vec<Relation>> {
    text.split(',').map(|group| group.split('|').map(relation).collect()).collect()
}

fn relation(text: &str) -> Relation {
    let (name, version) = match text.split_once('(') {
        Some((name, version)) => (name, version.trim().trim_end_matches(')').split_once(' ')),
        None => (text, None),
    };
    let name = name.trim().trim_end_matches(":any").to_owned();
    Relation { name, version: version.map(|(o, v)| (o.to_owned(), v.trim().to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(name: &str) -> Install {
        Install { name: name.into(), version: "1.0".into(), old: None }
    }

    /// Whose each of the packages a, b, c ... is, or which plan is not sure.
    fn whose(fields: &[&str], wishes: &[&[String]], recommends: bool) -> Result<Vec<Option<usize>>, usize> {
        let needs: HashMap<String, Needs> = fields.iter().filter_map(|text| stanza(text)).collect();
        let mut names: Vec<&String> = needs.keys().collect();
        names.sort();
        let installs: Vec<Install> = names.into_iter().map(|name| install(name)).collect();
        let wishes: Vec<Wish<'_>> = wishes.iter().map(|names| Wish { names, pinned: false }).collect();
        let status = dpkg::Status::default();
        let left_out = recommends.then(|| HashSet::from(["left-out".to_owned()]));
        let taken = vec![None; installs.len()];
        let mut split =
            Split { wishes: &wishes, installs: &installs, needs, status: &status, left_out, taken };
        for number in 0..wishes.len() {
            split.take(number).ok_or(number)?;
        }
        Ok(split.taken)
    }

    #[test]
    fn what_is_needed_belongs_to_the_first_that_needs_it() {
        let fields =
            ["Package: a\nDepends: c (>= 0.9), d:any", "Package: b\nDepends: c", "Package: c", "Package: d"];
        let (a, b) = (["a=1.0".to_owned()], ["b=1.0".to_owned()]);
        assert_eq!(whose(&fields, &[&a, &b], true), Ok(vec![Some(0), Some(1), Some(0), Some(0)]));
        assert_eq!(whose(&fields, &[&b, &a], true), Ok(vec![Some(1), Some(0), Some(0), Some(1)]));
    }

    #[test]
    fn a_second_alternative_is_not_sure() {
        let fields = ["Package: a\nDepends: x | b", "Package: b"];
        let (a, b) = (["a=1.0".to_owned()], ["b=1.0".to_owned()]);
        assert_eq!(whose(&fields, &[&a, &b], true), Err(0));
        assert_eq!(whose(&fields, &[&b, &a], true), Ok(vec![Some(1), Some(0)]));
    }

    #[test]
    fn recommendations_count_where_they_are_followed() {
        let fields = ["Package: a\nRecommends: b, nothing", "Package: b"];
        let (a, b) = (["a=1.0".to_owned()], ["b=1.0".to_owned()]);
        assert_eq!(whose(&fields, &[&a, &b], true), Ok(vec![Some(0), Some(0)]));
        assert_eq!(whose(&fields, &[&a, &b], false), Ok(vec![Some(0), Some(1)]));
        // Without the other, it might come along.
        let fields = ["Package: a\nRecommends: left-out", "Package: b"];
        assert_eq!(whose(&fields, &[&a, &b], true), Err(0));
    }
}
