//! `sources.list` and `sources.list.d/*.list` (sources.list(5)).

use std::fs;

use crate::system::textfile;
use crate::{Diff, Host, Result};

const MAIN: &str = "/etc/apt/sources.list";
const PARTS: &str = "/etc/apt/sources.list.d";

/// A line that names a source, whether it counts or is commented out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub enabled: bool,
    /// With single blanks between its words.
    pub text: String,
    pub comment: String,
}

/// `None` when the line names no source.
pub fn parse(line: &str) -> Option<Source> {
    let line = line.trim();
    let (enabled, rest) = match line.strip_prefix('#') {
        Some(rest) => (false, rest.trim_start_matches('#').trim()),
        None => (true, line),
    };
    let (source, comment) = match rest.split_once('#') {
        Some((source, comment)) => (source, comment.trim()),
        None => (rest, ""),
    };
    let words: Vec<&str> = source.split_whitespace().collect();
    if !matches!(words.first(), Some(&("deb" | "deb-src"))) || words.len() < 3 {
        return None;
    }
    Some(Source { enabled, text: words.join(" "), comment: comment.into() })
}

impl Source {
    fn line(&self) -> String {
        let comment = if self.comment.is_empty() { String::new() } else { format!(" # {}", self.comment) };
        format!("{}{comment}", self.text)
    }

    /// The name that its file gets: the address with `_` for all that is neither letter nor digit.
    fn file_name(&self) -> String {
        let mut text = self.text.clone();
        if let (Some(open), Some(close)) = (text.find('['), text.find(']'))
            && open < close
        {
            text.replace_range(open..=close, "");
        }
        let address = text.split_whitespace().nth(1).unwrap_or_default().to_owned();
        let address = address.split_once("://").map_or(address.as_str(), |(_, rest)| rest);
        let address = address.rsplit_once('@').map_or(address, |(_, rest)| rest);
        let words = address.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
        words.collect::<Vec<_>>().join("_")
    }
}

/// What happens to one file; `None` is a file that is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub path: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Change {
    pub fn reversed(self) -> Self {
        Self { path: self.path, before: self.after, after: self.before }
    }

    pub fn diff(&self) -> Diff {
        let header = |text: &Option<String>| if text.is_some() { self.path.as_str() } else { "/dev/null" };
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        textfile::diff(&text(&self.before), &text(&self.after), header(&self.before), header(&self.after))
    }
}

/// All files with their contents.
pub struct Sources {
    files: Vec<(String, String)>,
}

impl Sources {
    pub fn read(host: &Host) -> Result<Self> {
        let mut paths = vec![MAIN.to_owned()];
        let entries = fs::read_dir(host.path(PARTS)).into_iter().flatten().flatten();
        let mut parts: Vec<String> = entries
            .map(|e| format!("{PARTS}/{}", e.file_name().to_string_lossy()))
            .filter(|p| p.ends_with(".list"))
            .collect();
        parts.sort();
        paths.extend(parts);
        let mut files = Vec::new();
        for path in paths {
            if let Some(text) = textfile::read(host, &path)? {
                files.push((path, text));
            }
        }
        Ok(Self { files })
    }

    /// The change that makes the source count: a commented line is taken in, else a line is added.
    pub fn with(&self, wanted: &Source, filename: Option<&str>) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut known = false;
        for (path, text) in &self.files {
            let line = |line: &str| match parse(line).filter(|s| s.text == wanted.text) {
                Some(found) if !found.enabled => format!("{}\n", Source { enabled: true, ..found }.line()),
                _ => format!("{line}\n"),
            };
            known |= text.lines().any(|l| parse(l).is_some_and(|s| s.text == wanted.text));
            let after: String = text.lines().map(line).collect();
            if after.trim_end() != text.trim_end() {
                changes.push(Change { path: path.clone(), before: Some(text.clone()), after: Some(after) });
            }
        }
        if known {
            return changes;
        }
        let path = match filename {
            Some(name) if name.starts_with('/') => name.to_owned(),
            Some(name) => format!("{PARTS}/{}.list", name.trim_end_matches(".list")),
            None => format!("{PARTS}/{}.list", wanted.file_name()),
        };
        let before = self.files.iter().find(|(p, _)| *p == path).map(|(_, text)| text.clone());
        let mut after = before.clone().unwrap_or_default();
        if !after.is_empty() && !after.ends_with('\n') {
            after.push('\n');
        }
        after += &format!("{}\n", wanted.line());
        vec![Change { path, before, after: Some(after) }]
    }

    /// The change after which no file names the source; a file that has nothing else is removed.
    pub fn without(&self, wanted: &Source) -> Vec<Change> {
        let mut changes = Vec::new();
        for (path, text) in &self.files {
            let other = |l: &&str| parse(l).is_none_or(|s| !s.enabled || s.text != wanted.text);
            let after: String = text.lines().filter(other).map(|l| format!("{l}\n")).collect();
            if after.lines().count() == text.lines().count() {
                continue;
            }
            let after = (!after.trim().is_empty() || path == MAIN).then_some(after);
            changes.push(Change { path: path.clone(), before: Some(text.clone()), after });
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_from_comments() {
        let found = parse("# deb  http://x/y   stable main # why").unwrap();
        assert_eq!((found.enabled, found.text.as_str()), (false, "deb http://x/y stable main"));
        assert_eq!(parse("# a remark about deb"), None);
        assert_eq!(parse("rubbish"), None);
        let named = parse("deb [arch=amd64] https://me:pw@apt.example.org:8/a/b stable main").unwrap();
        assert_eq!(named.file_name(), "apt_example_org_8_a_b");
    }
}
