//! What is asked of pip: `name[extras]<specifiers>; marker` (PEP 508).

use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};

/// A requirement that is a name with versions, not an address or a path.
pub struct Requirement {
    pub name: String,
    extras: String,
    specifiers: VersionSpecifiers,
    /// As written, without spaces, sorted.
    written: Vec<String>,
    pub marker: Option<String>,
}

/// Names are the same that differ in case or in `-`, `_`, `.` (PEP 503).
pub fn normal(name: &str) -> String {
    let mut normal = String::new();
    for c in name.trim().chars() {
        match c {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            c => normal.push(c.to_ascii_lowercase()),
        }
    }
    normal
}

impl Requirement {
    pub fn parse(text: &str) -> Option<Self> {
        let (text, marker) = match text.split_once(';') {
            Some((text, marker)) => (text, Some(marker.trim().replace('\'', "\""))),
            None => (text, None),
        };
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let outer = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        if !outer(name.chars().next()) || !outer(name.chars().last()) {
            return None;
        }
        let rest = rest.trim();
        let (extras, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map(|(e, rest)| (format!("[{e}]"), rest.trim()))?,
            None => (String::new(), rest),
        };
        let rest = rest.strip_prefix('(').and_then(|r| r.strip_suffix(')')).unwrap_or(rest);
        let specifiers = VersionSpecifiers::from_str(rest).ok()?;
        let mut written: Vec<String> = rest
            .split(',')
            .map(|s| s.split_whitespace().collect::<String>())
            .filter(|s| !s.is_empty())
            .collect();
        written.sort();
        Some(Self { name: name.to_owned(), extras, specifiers, written, marker })
    }

    /// The same with these versions: `1.0` means `==1.0`. What is no version is left out, as Ansible does.
    pub fn with_version(&self, version: &str) -> Self {
        let version = version.trim();
        let specifiers = if version.starts_with(['<', '>', '=', '!', '~']) {
            version.to_owned()
        } else {
            format!("=={version}")
        };
        let base = format!("{}{}", self.name, self.extras);
        let parsed = Self::parse(&format!("{base}{specifiers}")).or_else(|| Self::parse(&base));
        let mut new = parsed.unwrap_or_else(|| Self {
            name: self.name.clone(),
            extras: self.extras.clone(),
            specifiers: VersionSpecifiers::default(),
            written: Vec::new(),
            marker: None,
        });
        new.marker = self.marker.clone();
        new
    }

    pub fn has_versions(&self) -> bool {
        !self.written.is_empty()
    }

    pub fn has_extras(&self) -> bool {
        !self.extras.is_empty()
    }

    /// Does this version satisfy it? What is installed may be a pre-release.
    pub fn accepts(&self, version: &str) -> bool {
        Version::from_str(version).is_ok_and(|v| self.specifiers.contains(&v))
    }

    /// As it is handed to pip.
    pub fn text(&self) -> String {
        let marker = self.marker.as_ref().map(|m| format!("; {m}")).unwrap_or_default();
        format!("{}{}{}{marker}", self.name, self.extras, self.written.join(","))
    }
}
