//! Patterns that choose hosts: `web:&prod:!db3`, `~regex`, `group[0]`, `@file`.
//!
//! Source: "Patterns: targeting hosts and groups" in Ansible's documentation; the order of hosts and the odd cases
//! are recorded in `tests/recorded/patterns.json`.

use std::path::Path;

use fancy_regex::Regex;
use indexmap::IndexSet;

use crate::error::ErrorKind;
use crate::inventory::{ALL, Host, Inventory, is_localhost, parse_address};
use crate::{Error, Result};

/// The hosts that a pattern chose, and what was odd about it.
#[derive(Clone, Debug, Default)]
pub struct Matched {
    /// Names of hosts in Ansible's order, each once.
    pub hosts: Vec<String>,
    /// "Could not match supplied host pattern, ignoring: x".
    pub warnings: Vec<Error>,
}

/// `order:` of a play.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    Inventory,
    ReverseInventory,
    Sorted,
    ReverseSorted,
    Shuffle,
}

impl Order {
    pub fn parse(text: &str) -> Result<Self> {
        Ok(match text {
            "inventory" => Self::Inventory,
            "reverse_inventory" => Self::ReverseInventory,
            "sorted" => Self::Sorted,
            "reverse_sorted" => Self::ReverseSorted,
            "shuffle" => Self::Shuffle,
            _ => {
                return Err(Error::new(format!("Invalid 'order' specified for inventory hosts: {text}"))
                    .with_help("one of inventory, reverse_inventory, sorted, reverse_sorted, shuffle"));
            }
        })
    }

    /// Put hosts in this order.
    pub fn apply(self, hosts: &mut [String]) {
        match self {
            Self::Inventory => {}
            Self::ReverseInventory => hosts.reverse(),
            Self::Sorted => hosts.sort(),
            Self::ReverseSorted => hosts.sort_by(|a, b| b.cmp(a)),
            Self::Shuffle => shuffle(hosts),
        }
    }
}

fn shuffle(hosts: &mut [String]) {
    for end in (1..hosts.len()).rev() {
        let mut bytes = [0; 8];
        // Without random bytes the order stays: nothing depends on it.
        if getrandom::fill(&mut bytes).is_ok() {
            let bound = u64::try_from(end + 1).unwrap_or(u64::MAX);
            hosts.swap(end, usize::try_from(u64::from_le_bytes(bytes) % bound).unwrap_or(0));
        }
    }
}

impl Inventory {
    /// The hosts that a pattern chooses, in Ansible's order.
    pub fn list_hosts(&self, pattern: &str) -> Result<Matched> {
        self.list_hosts_of(&split(pattern))
    }

    /// The hosts that a list of patterns chooses (`hosts:` as a list), each of which may be several itself.
    pub fn list_hosts_in(&self, patterns: &[String]) -> Result<Matched> {
        self.list_hosts_of(&patterns.iter().flat_map(|pattern| split(pattern)).collect::<Vec<_>>())
    }

    /// The hosts of `matched` that the limit (`--limit`) chooses as well.
    pub fn limit(&self, mut matched: Matched, limit: &[String]) -> Result<Matched> {
        let chosen = self.list_hosts_of(limit)?;
        let chosen_hosts: IndexSet<&String> = chosen.hosts.iter().collect();
        matched.hosts.retain(|host| chosen_hosts.contains(host));
        matched.warnings.extend(chosen.warnings);
        Ok(matched)
    }

    fn list_hosts_of(&self, patterns: &[String]) -> Result<Matched> {
        let mut warnings = Vec::new();
        let mut hosts: IndexSet<&str> = IndexSet::new();
        for pattern in ordered(patterns) {
            if let Some(host) = self.hosts.get(pattern) {
                hosts.insert(&host.name);
                continue;
            }
            let names = self.match_one(pattern.trim_start_matches(['!', '&']), &mut warnings)?;
            match pattern.as_bytes().first() {
                Some(b'!') => hosts.retain(|host| !names.contains(host)),
                Some(b'&') => hosts.retain(|host| names.contains(host)),
                _ => hosts.extend(names),
            }
        }
        Ok(Matched { hosts: hosts.into_iter().map(str::to_owned).collect(), warnings })
    }

    fn match_one(&self, pattern: &str, warnings: &mut Vec<Error>) -> Result<IndexSet<&str>> {
        let (expression, subscript) = split_subscript(pattern);
        let hosts = self.enumerate(expression, warnings)?;
        match subscript {
            None => Ok(hosts),
            Some(subscript) if hosts.is_empty() => {
                let _ = subscript;
                Ok(hosts)
            }
            Some(Subscript::One(index)) => {
                let length = i64::try_from(hosts.len()).unwrap_or(i64::MAX);
                let index = if index < 0 { index + length } else { index };
                let host = usize::try_from(index).ok().and_then(|index| hosts.get_index(index)).copied();
                let missing = || Error::new(format!("No hosts matched the subscripted pattern '{pattern}'"));
                Ok([host.ok_or_else(missing)?].into_iter().collect())
            }
            Some(Subscript::Range(from, to)) => {
                let to = to.map_or(hosts.len(), |to| to.saturating_add(1)).min(hosts.len());
                Ok(hosts.into_iter().take(to).skip(from).collect())
            }
        }
    }

    /// The hosts of all groups and the hosts whose names match.
    fn enumerate(&self, pattern: &str, warnings: &mut Vec<Error>) -> Result<IndexSet<&str>> {
        let mut found: IndexSet<&str> = IndexSet::new();
        let matches = matcher(pattern)?;
        let groups: Vec<&str> = self.groups.keys().map(String::as_str).filter(|g| matches(g)).collect();
        for group in &groups {
            found.extend(self.hosts_in(group).into_iter().map(|host| host.name.as_str()));
        }
        if groups.is_empty() || pattern.starts_with('~') || pattern.contains(['.', '?', '*', '[']) {
            found.extend(self.hosts.keys().map(String::as_str).filter(|host| matches(host)));
        }
        if found.is_empty() && is_localhost(pattern) {
            found.extend(self.host(pattern).map(|host: &Host| host.name.as_str()));
        }
        if found.is_empty() && groups.is_empty() && pattern != ALL {
            warnings.push(
                Error::new(format!("Could not match supplied host pattern, ignoring: {pattern}"))
                    .with_kind(ErrorKind::NotFound),
            );
        }
        Ok(found)
    }
}

/// Plain patterns first, then intersections, then exclusions; all hosts if there is no plain one.
fn ordered(patterns: &[String]) -> Vec<&str> {
    let patterns = || patterns.iter().map(String::as_str).filter(|p| !p.is_empty());
    let plain = patterns().filter(|p| !p.starts_with(['!', '&']));
    let mut result: Vec<&str> = plain.collect();
    if result.is_empty() {
        result.push(ALL);
    }
    result.extend(patterns().filter(|p| p.starts_with('&')));
    result.extend(patterns().filter(|p| p.starts_with('!')));
    result
}

/// The parts of `a:b`, `a,b`; addresses and ranges keep their colons.
pub fn split(pattern: &str) -> Vec<String> {
    let parts: Vec<String> = if pattern.contains(',') {
        pattern.split(',').map(str::to_owned).collect()
    } else if parse_address(pattern).is_some() {
        vec![pattern.to_owned()]
    } else {
        split_at_colons(pattern)
    };
    parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Runs of what is neither space nor colon; brackets are kept whole.
fn split_at_colons(pattern: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        if c == '['
            && let Some(close) = rest.find(']')
        {
            if let Some(part) = parts.last_mut() {
                part.push_str(&rest[..=close]);
            }
            rest = &rest[close + 1..];
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            ':' | '[' | ']' => parts.push(String::new()),
            c if c.is_whitespace() => parts.push(String::new()),
            c => {
                if let Some(part) = parts.last_mut() {
                    part.push(c);
                }
            }
        }
    }
    parts
}

/// The patterns of `--limit`; `@file` stands for the lines of a file.
pub fn limit_patterns(limit: &str) -> Result<Vec<String>> {
    let mut patterns = Vec::new();
    for part in split(limit) {
        let Some(file) = part.strip_prefix('@') else {
            patterns.push(part);
            continue;
        };
        let path = Path::new(file);
        if path.is_dir() {
            let message = format!("Limit starting with \"@\" must be a file, not a directory: {file}");
            return Err(Error::new(message));
        }
        let text = std::fs::read_to_string(path).map_err(|_| {
            Error::new(format!("Unable to find limit file {file}")).with_kind(ErrorKind::NotFound)
        })?;
        patterns.extend(text.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()));
    }
    Ok(patterns)
}

enum Subscript {
    One(i64),
    /// From and, if given, to, both included.
    Range(usize, Option<usize>),
}

/// `web[0]`, `web[-1]`, `web[1:3]`, `web[1:]`: the pattern before and which of its hosts.
fn split_subscript(pattern: &str) -> (&str, Option<Subscript>) {
    if pattern.starts_with('~') {
        return (pattern, None);
    }
    let parsed = pattern.strip_suffix(']').and_then(|p| p.rsplit_once('[')).and_then(|(base, inside)| {
        if base.is_empty() {
            return None;
        }
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if digits(inside.strip_prefix('-').unwrap_or(inside)) {
            return Some((base, Subscript::One(inside.parse().ok()?)));
        }
        let (from, to) = inside.split_once([':', '-'])?;
        if !digits(from) || !(to.is_empty() || digits(to)) {
            return None;
        }
        let (from, to): (usize, Option<usize>) = (from.parse().ok()?, to.parse().ok());
        // Ansible takes an end of 0 for none: the single host at the start.
        Some(match to {
            Some(0) => (base, Subscript::One(i64::try_from(from).ok()?)),
            to => (base, Subscript::Range(from, to)),
        })
    });
    match parsed {
        Some((base, subscript)) => (base, Some(subscript)),
        None => (pattern, None),
    }
}

/// Tells whether a name matches a shell pattern or, after `~`, a regular expression at its start.
fn matcher(pattern: &str) -> Result<Box<dyn Fn(&str) -> bool>> {
    if let Some(expression) = pattern.strip_prefix('~') {
        let regex = Regex::new(&format!("^(?:{expression})")).map_err(|error| {
            Error::new(format!("Invalid host list pattern: {pattern}")).with_help(error.to_string())
        })?;
        return Ok(Box::new(move |name| regex.is_match(name).unwrap_or(false)));
    }
    if !pattern.contains(['*', '?', '[']) {
        let pattern = pattern.to_owned();
        return Ok(Box::new(move |name| name == pattern));
    }
    let glob: Vec<char> = pattern.chars().collect();
    Ok(Box::new(move |name| glob_match(&glob, &name.chars().collect::<Vec<_>>())))
}

/// Python's `fnmatch`: `*`, `?`, `[seq]`, `[!seq]`; in time proportional to the product of the lengths.
fn glob_match(glob: &[char], name: &[char]) -> bool {
    let (mut g, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match glob.get(g) {
            Some('*') => {
                star = Some((g, n));
                g += 1;
                continue;
            }
            Some('?') => Some(1),
            Some('[') => match class_end(glob, g) {
                Some(end) => in_class(&glob[g + 1..end], name[n]).then_some(end + 1 - g),
                None => (name[n] == '[').then_some(1),
            },
            Some(c) => (*c == name[n]).then_some(1),
            None => None,
        };
        match (step, star) {
            (Some(step), _) => {
                g += step;
                n += 1;
            }
            (None, Some((star_g, star_n))) => {
                g = star_g + 1;
                n = star_n + 1;
                star = Some((star_g, n));
            }
            (None, None) => return false,
        }
    }
    glob[g..].iter().all(|c| *c == '*')
}

/// Where the `]` of a class that starts at `open` is.
fn class_end(glob: &[char], open: usize) -> Option<usize> {
    let mut at = open + 1;
    if glob.get(at) == Some(&'!') {
        at += 1;
    }
    if glob.get(at) == Some(&']') {
        at += 1;
    }
    (at..glob.len()).find(|i| glob[*i] == ']')
}

fn in_class(class: &[char], c: char) -> bool {
    let (negated, class) = match class {
        ['!', rest @ ..] => (true, rest),
        class => (false, class),
    };
    let mut at = 0;
    let mut found = false;
    while at < class.len() {
        if at + 2 < class.len() && class[at + 1] == '-' {
            found |= class[at] <= c && c <= class[at + 2];
            at += 3;
        } else {
            found |= class[at] == c;
            at += 1;
        }
    }
    found != negated
}
