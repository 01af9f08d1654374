//! The text of an INI file, line by line: everything that is not meant stays as it is.

use std::ops::Range;

/// What an option shall have.
pub struct Wanted {
    /// `None`: there without a value.
    pub values: Vec<Option<String>>,
    /// Only these.
    pub exclusive: bool,
    /// Blanks around the equals sign.
    pub spaces: bool,
    /// Blanks make no difference.
    pub ignore_spaces: bool,
    /// Lines that are commented out may be taken.
    pub inactive: bool,
}

/// An option and the values that tell a section apart.
pub type Condition = (String, Vec<String>);

pub struct Ini {
    lines: Vec<String>,
}

/// A line that is about an option.
struct Found {
    active: bool,
    value: Option<String>,
}

/// Look whether a line is about an option, be it commented out.
fn option_of(line: &str, option: &str) -> Option<Found> {
    let blank = [' ', '\t'];
    let text = line.trim_start_matches(blank);
    let bare = text.strip_prefix(['#', ';']);
    let rest = bare.unwrap_or(text).trim_start_matches(blank).strip_prefix(option)?;
    let rest = rest.trim_start_matches(blank);
    let value = match rest.strip_prefix('=') {
        Some(value) => Some(value.trim_start_matches(blank).to_owned()),
        None if rest.is_empty() => None,
        None => return None,
    };
    Some(Found { active: bare.is_none(), value })
}

fn is_header(line: &str) -> bool {
    line.trim_start().starts_with('[')
}

fn names(line: &str, section: &str) -> bool {
    let line = line.trim();
    line.strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .is_some_and(|(name, _)| name.trim() == section)
}

fn is_content(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with(['#', ';'])
}

impl Ini {
    pub fn new(text: &str) -> Self {
        // An empty file has an empty line, as far as Ansible is concerned.
        let text = if text.is_empty() { "\n" } else { text };
        let lines = text.strip_suffix('\n').unwrap_or(text).split('\n');
        Self { lines: lines.map(str::to_owned).collect() }
    }

    pub fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    /// The lines of a section behind its header; `None` if there is none.
    fn section(&self, section: Option<&str>, conditions: &[Condition]) -> Option<Range<usize>> {
        let Some(section) = section else {
            let end = self.lines.iter().position(|line| is_header(line)).unwrap_or(self.lines.len());
            return Some(0..end);
        };
        let mut from = 0;
        while let Some(at) = self.lines[from..].iter().position(|line| names(line, section)) {
            let start = from + at + 1;
            let length = self.lines[start..].iter().position(|line| is_header(line));
            let range = start..length.map_or(self.lines.len(), |length| start + length);
            let has = |(option, values): &Condition| {
                let found: Vec<Option<String>> = self.lines[range.clone()]
                    .iter()
                    .filter_map(|line| option_of(line, option).filter(|found| found.active))
                    .map(|found| found.value.map(|value| value.trim_end().to_owned()))
                    .collect();
                match values.is_empty() {
                    true => found.contains(&None),
                    false => values.iter().all(|value| found.contains(&Some(value.clone()))),
                }
            };
            if conditions.iter().all(has) {
                return Some(range);
            }
            from = start;
        }
        None
    }

    /// Have the option; tells what was done.
    pub fn set(
        &mut self,
        section: Option<&str>,
        conditions: &[Condition],
        option: &str,
        wanted: &Wanted,
    ) -> &'static str {
        let equals = if wanted.spaces { " = " } else { "=" };
        let line_of = |value: &Option<String>| match value {
            Some(value) => format!("{option}{equals}{value}"),
            None => option.to_owned(),
        };
        let Some(mut range) = self.section(section, conditions) else {
            self.add_section(section, conditions);
            self.lines.extend(wanted.values.iter().map(line_of));
            return "section and option added";
        };
        let mut msg = "OK";
        let mut left = wanted.values.clone();
        let mut done = Vec::new();
        let about = |line: &str| option_of(line, option).filter(|found| found.active || wanted.inactive);
        // Lines that have one of the values.
        for at in range.clone() {
            let Some(found) = about(&self.lines[at]) else { continue };
            let same = |value: &Option<String>| match (value, &found.value) {
                (Some(value), Some(now)) if wanted.ignore_spaces => value.trim() == now.trim(),
                (value, now) => value == now,
            };
            let Some(place) = left.iter().position(same) else { continue };
            let line = line_of(&left.remove(place));
            done.push(at);
            if self.lines[at] != line && !(wanted.ignore_spaces && found.active) {
                self.lines[at] = line;
                msg = "option changed";
            }
        }
        if wanted.exclusive {
            let others: Vec<usize> =
                range.clone().filter(|at| !done.contains(at) && about(&self.lines[*at]).is_some()).collect();
            let mut gone = Vec::new();
            for at in others {
                if !left.is_empty() {
                    self.lines[at] = line_of(&left.remove(0));
                    msg = "option changed";
                } else if about(&self.lines[at]).is_some_and(|found| found.active) {
                    gone.push(at);
                }
            }
            if !gone.is_empty() {
                msg = "option changed";
            }
            range.end -= gone.len();
            for at in gone.into_iter().rev() {
                self.lines.remove(at);
            }
        }
        if !left.is_empty() {
            let last = range.clone().rev().find(|at| is_content(&self.lines[*at]));
            let place = last.map_or(range.start, |at| at + 1);
            self.lines.splice(place..place, left.iter().map(line_of));
            msg = "option added";
        }
        msg
    }

    /// Have the section, with what tells it apart.
    pub fn add_section(&mut self, section: Option<&str>, conditions: &[Condition]) -> &'static str {
        let Some(name) = section.filter(|_| self.section(section, conditions).is_none()) else { return "OK" };
        self.lines.push(format!("[{name}]"));
        for (option, values) in conditions {
            match values.is_empty() {
                true => self.lines.push(option.clone()),
                false => self.lines.extend(values.iter().map(|value| format!("{option} = {value}"))),
            }
        }
        "only section added"
    }

    /// Remove the option, or only some of its values.
    pub fn remove(
        &mut self,
        section: Option<&str>,
        conditions: &[Condition],
        option: &str,
        wanted: &Wanted,
    ) -> &'static str {
        let Some(range) = self.section(section, conditions) else { return "OK" };
        let goes = |line: &str| {
            option_of(line, option)
                .filter(|found| found.active)
                .is_some_and(|found| wanted.exclusive || wanted.values.contains(&found.value))
        };
        let gone: Vec<usize> = range.filter(|at| goes(&self.lines[*at])).collect();
        for at in gone.iter().rev() {
            self.lines.remove(*at);
        }
        if gone.is_empty() { "OK" } else { "option changed" }
    }

    /// Remove the section with its header.
    pub fn remove_section(&mut self, section: Option<&str>, conditions: &[Condition]) -> &'static str {
        let Some(range) = self.section(section, conditions).filter(|_| section.is_some()) else {
            return "OK";
        };
        self.lines.drain(range.start - 1..range.end);
        "section removed"
    }
}
