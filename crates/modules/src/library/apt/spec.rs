//! What a user writes for a package: `nginx`, `nginx=1.2*`, `nginx>=1.2`, `libc6:i386`.

use std::cmp::Ordering;

use crate::system::version;
use crate::{Result, fail};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    pub name: String,
    pub version: Version,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    Any,
    /// Exactly this one.
    Is(String),
    /// One that fits the pattern.
    Like(String),
    /// This one or a newer one.
    AtLeast(String),
}

impl Spec {
    /// Has the name a wildcard?
    pub fn is_pattern(&self) -> bool {
        has_wildcard(&self.name)
    }

    /// As the user wrote it.
    pub fn text(&self) -> String {
        match &self.version {
            Version::Any => self.name.clone(),
            Version::Is(v) | Version::Like(v) => format!("{}={v}", self.name),
            Version::AtLeast(v) => format!("{}>={v}", self.name),
        }
    }
}

impl Version {
    pub fn fits(&self, version: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Is(wanted) => wanted == version,
            Self::Like(pattern) => fnmatch(pattern, version),
            Self::AtLeast(least) => version::compare(version, least) != Ordering::Less,
        }
    }
}

pub fn parse(text: &str) -> Result<Spec> {
    let text = text.trim();
    let (name, version) = match text.split_once('=') {
        None => (text, Version::Any),
        Some((name, version)) if name.ends_with('>') => {
            (name.trim_end_matches('>'), Version::AtLeast(version.trim().into()))
        }
        Some((name, version)) if has_wildcard(version) => (name, Version::Like(version.trim().into())),
        Some((name, version)) => (name, Version::Is(version.trim().into())),
    };
    if text.starts_with('-') {
        return Err(fail!("No package matching '{text}' is available"));
    }
    Ok(Spec { name: name.trim().into(), version })
}

fn has_wildcard(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Shell wildcards as Python's `fnmatch` has them: `*`, `?`, `[seq]`, `[!seq]`.
pub fn fnmatch(pattern: &str, text: &str) -> bool {
    glob::Pattern::new(pattern).is_ok_and(|p| p.matches(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions_are_told_apart() {
        let parsed = |text| parse(text).map(|s| (s.name, s.version)).unwrap();
        assert_eq!(parsed("nginx"), ("nginx".into(), Version::Any));
        assert_eq!(parsed("nginx=1.2-3"), ("nginx".into(), Version::Is("1.2-3".into())));
        assert_eq!(parsed("nginx=1.2*"), ("nginx".into(), Version::Like("1.2*".into())));
        assert_eq!(parsed("nginx>=1.2"), ("nginx".into(), Version::AtLeast("1.2".into())));
        assert!(Version::AtLeast("1.9".into()).fits("1.10"));
        assert!(!Version::Like("1.2*".into()).fits("1.10"));
        assert!(parse("--purge").is_err());
    }
}
