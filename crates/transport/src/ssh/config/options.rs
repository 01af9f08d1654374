//! Options as they were obtained: the first value of each, where it came from, and the lists that add up.

use std::collections::HashMap;

use super::keywords::{self, Fate, Kind};
use super::{pattern, time, words};
use crate::error::ConfigError;

/// The value of one option.
#[derive(Clone, Debug)]
pub struct Value {
    pub words: Vec<String>,
    /// `file line 3` or `command-line`.
    pub place: String,
}

/// All options obtained so far.
#[derive(Clone, Debug, Default)]
pub struct Options {
    first: HashMap<&'static str, Value>,
    added: HashMap<&'static str, Vec<Value>>,
    unknown: Vec<String>,
}

impl Options {
    /// Take one option. `active`: the block it stands in matches; its value is checked either way.
    pub fn set(&mut self, name: &str, rest: &str, place: &str, active: bool) -> Result<(), ConfigError> {
        let bad = |reason: String| ConfigError { place: place.to_owned(), reason };
        let Some((name, kind, fate)) = keywords::find(name) else {
            let ignored = pattern::list_matches(self.unknown.iter().map(String::as_str), name);
            return if ignored { Ok(()) } else { Err(bad(format!("Bad configuration option: {name}"))) };
        };
        let words = match kind {
            Kind::Line => vec![rest.to_owned()],
            _ => {
                words::split(rest).ok_or_else(|| bad(format!("unbalanced quotes in the value of {name}")))?
            }
        };
        if words.iter().all(String::is_empty) {
            return Err(bad(format!("missing argument of {name}")));
        }
        if !matches!(kind, Kind::Line | Kind::Words) && words.len() > 1 {
            return Err(bad(format!("keyword {name} extra arguments at end of line")));
        }
        check(name, kind, &words[0]).map_err(bad)?;
        if !active {
            return Ok(());
        }
        let value = Value { words, place: place.to_owned() };
        match fate {
            Fate::Without => tracing::trace!(option = name, place, "not needed"),
            Fate::Refused(harmless) if harmless.contains(&value.words[0].as_str()) => {}
            Fate::Refused(_) => return Err(bad(format!("{name} is not supported"))),
            Fate::Added => self.added.entry(name).or_default().push(value),
            Fate::Used => self.keep(name, value),
        }
        Ok(())
    }

    fn keep(&mut self, name: &'static str, value: Value) {
        // A jump and a proxy command exclude each other: the first of the two wins.
        let other = match name {
            "proxyjump" => Some("proxycommand"),
            "proxycommand" => Some("proxyjump"),
            _ => None,
        };
        if other.is_some_and(|other| self.first.contains_key(other)) {
            return;
        }
        if name == "ignoreunknown" && self.unknown.is_empty() {
            let patterns = value.words.iter().flat_map(|w| w.split(','));
            self.unknown = patterns.map(str::to_ascii_lowercase).collect();
        }
        self.first.entry(name).or_insert(value);
    }

    /// The value of an option that has one word.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.first.get(name)?.words.first().map(String::as_str)
    }

    /// The same, unless it is `none`.
    pub fn some(&self, name: &str) -> Option<&str> {
        self.text(name).filter(|text| !text.eq_ignore_ascii_case("none"))
    }

    /// The words of an option that has several.
    pub fn words(&self, name: &str) -> Option<&[String]> {
        Some(&self.first.get(name)?.words)
    }

    /// Where the option was set.
    pub fn place(&self, name: &str) -> String {
        self.first.get(name).map_or_else(String::new, |v| v.place.clone())
    }

    /// A yes-or-no option.
    pub fn flag(&self, name: &str, default: bool) -> bool {
        self.text(name).map_or(default, |text| matches!(text.to_ascii_lowercase().as_str(), "yes" | "true"))
    }

    pub fn number(&self, name: &str) -> Option<u32> {
        self.text(name)?.parse().ok()
    }

    /// Seconds.
    pub fn time(&self, name: &str) -> Option<u64> {
        time::seconds(self.some(name)?)
    }

    /// All values of an option whose lines add up.
    pub fn list(&self, name: &str) -> impl Iterator<Item = &str> {
        self.added.get(name).into_iter().flatten().flat_map(|v| v.words.iter().map(String::as_str))
    }
}

fn check(name: &str, kind: Kind, word: &str) -> Result<(), String> {
    let lower = word.to_ascii_lowercase();
    match kind {
        Kind::Flag if !["yes", "no", "true", "false"].contains(&lower.as_str()) => {
            Err(format!("Bad yes/no argument of {name}: {word:?}"))
        }
        Kind::Word(known) if !known.contains(&lower.as_str()) => {
            Err(format!("unsupported option {word:?} of {name}: expected {}", known.join(", ")))
        }
        Kind::Number if name == "port" && !word.parse::<u16>().is_ok_and(|p| p > 0) => {
            Err(format!("Bad number {word:?} of port"))
        }
        Kind::Number if word.parse::<u32>().is_err() => {
            Err(format!("integer value of {name} {word:?} invalid"))
        }
        Kind::Time if lower != "none" && time::seconds(word).is_none() => {
            Err(format!("invalid time value {word:?} of {name}"))
        }
        _ => Ok(()),
    }
}
