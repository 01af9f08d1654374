//! Python's regular expressions: patterns, matching and replacement templates of the module `re`.
//!
//! The matching is fancy-regex's, which has lookaround and backreferences; what is written differently in
//! Python is translated before. Where a module of Ansible matches bytes, [`Kind::Bytes`] gives those rules (only
//! ASCII letters are `\w`): the text then has one character for each byte, see [`from_bytes`].

mod template;
mod translate;

use fancy_regex::{Regex, RegexBuilder};

/// A match with its groups.
pub type Captures<'t> = fancy_regex::Captures<'t, str>;

/// What is matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `str`: Unicode.
    Text,
    /// `bytes`, each as the character of the same number.
    Bytes,
}

/// The flags of `re.compile`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flags {
    pub ignore_case: bool,
    pub multi_line: bool,
    pub dot_all: bool,
}

/// A compiled pattern.
pub struct PythonRegex {
    regex: Regex,
    /// The same, at the start of the text only (`re.match`).
    anchored: Regex,
}

/// An error of `re` as a task shows it whose module let it through.
pub fn uncaught(error: impl std::fmt::Display) -> crate::ModuleError {
    crate::fail!("Task failed: Module failed: {error}")
}

/// Steps of backtracking after which a pattern is given up: against patterns that take for ever.
const LIMIT: usize = 10_000_000;

impl PythonRegex {
    /// Compile; the error is a sentence about the pattern.
    pub fn new(pattern: &str, flags: Flags, kind: Kind) -> Result<Self, String> {
        let translated = translate::translate(pattern, flags, kind)?;
        let compile = |text: &str| {
            let built = RegexBuilder::new(text).backtrack_limit(LIMIT).build();
            built.map_err(|e| format!("invalid regular expression '{pattern}': {e}"))
        };
        Ok(Self { regex: compile(&translated)?, anchored: compile(&format!("\\A(?:{translated})"))? })
    }

    /// `search`: the first match anywhere.
    pub fn search<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.regex.captures(text).ok().flatten()
    }

    /// `search` from a byte position.
    pub fn search_from<'t>(&self, text: &'t str, at: usize) -> Option<Captures<'t>> {
        self.regex.captures_from_pos(text, at).ok().flatten()
    }

    /// `match`: at the start.
    pub fn matches_start<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.anchored.captures(text).ok().flatten()
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text).unwrap_or(false)
    }

    /// Names of the groups that have one.
    pub fn group_names(&self) -> impl Iterator<Item = &str> {
        self.regex.capture_names().flatten()
    }

    /// `Match.expand`: fill a template (`\1`, `\g<name>`, `\n`) from a match.
    pub fn expand(&self, captures: &Captures<'_>, template: &str) -> Result<String, String> {
        template::expand(&self.regex, Some(captures), template)
    }

    /// `subn`: replace every match by the filled template; gives the text and the number of replacements.
    pub fn sub(&self, text: &str, template: &str) -> Result<(String, usize), String> {
        // Python reads the template first, whether it is needed or not.
        template::expand(&self.regex, None, template)?;
        let mut out = String::with_capacity(text.len());
        let (mut done, mut at, mut count) = (0, 0, 0);
        while at <= text.len() {
            let found = self.regex.captures_from_pos(text, at).map_err(|e| e.to_string())?;
            let Some((captures, whole)) =
                found.and_then(|c| c.get(0).map(|m| (m.start(), m.end())).map(|m| (c, m)))
            else {
                break;
            };
            out.push_str(&text[done..whole.0]);
            out.push_str(&self.expand(&captures, template)?);
            count += 1;
            done = whole.1;
            at = whole.1;
            if whole.0 == whole.1 {
                // After an empty match go on one character further, which stays.
                let Some(next) = text[at..].chars().next() else { break };
                at += next.len_utf8();
            }
        }
        out.push_str(text.get(done..).unwrap_or_default());
        Ok((out, count))
    }
}

/// Bytes as text for [`Kind::Bytes`].
pub fn from_bytes(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}

/// Back to bytes.
pub fn to_bytes(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn regex(pattern: &str) -> PythonRegex {
        PythonRegex::new(pattern, Flags::default(), Kind::Text).unwrap()
    }

    fn sub(pattern: &str, template: &str, text: &str) -> String {
        regex(pattern).sub(text, template).unwrap().0
    }

    // Every expectation is what Python 3.11 gives.
    #[test]
    fn replacing() {
        assert_eq!(sub(r"a(\d)", r"b\1", "a1 a2"), "b1 b2");
        assert_eq!(sub(r"(?P<k>\w)=(?P<v>\w)", r"\g<v>=\g<k>\g<0>", "k=v"), "v=kk=v");
        assert_eq!(sub("x*", "-", "abxd"), "-a-b--d-");
        assert_eq!(sub("x*", "-", "abc"), "-a-b-c-");
        assert_eq!(sub(r"(a)|b", r"[\1]", "ab"), "[a][]");
        assert_eq!(sub(",", r"\n", "a,b"), "a\nb");
        assert_eq!(sub("(?i)abc", "x", "ABC abc"), "x x");
        assert_eq!(sub(r"(?<=a)b", "X", "ab cb"), "aX cb");
        assert_eq!(sub("a", "$1 & $0", "a"), "$1 & $0");
        assert_eq!(sub("(a)(b)?", r"\2\1", "a"), "a");
    }

    #[test]
    fn ends() {
        assert!(regex("a$").is_match("a\n"));
        assert!(!regex(r"a\Z").is_match("a\n"));
        assert!(!regex("a$").is_match("a\n\n"));
        assert!(regex("(?m)a$").is_match("a\nb"));
    }

    #[test]
    fn what_only_python_writes_so() {
        assert!(regex("[[]x").is_match("[x"));
        assert!(regex("[]a]").is_match("]"));
        assert!(regex("[^]a]").is_match("b"));
        assert!(regex("a{").is_match("a{"));
        assert!(regex("{{ x }}").is_match("{{ x }}"));
        assert!(regex("^a{,2}$").is_match("aa"));
        assert!(regex(r"\<a\>").is_match("<a>"));
        assert!(regex(r#"\"\'\/\-\_"#.trim_end_matches(r"\_")).is_match(r#""'/-"#));
        assert!(regex(r"[a&&b]").is_match("&"));
        assert!(regex(r"[\w.-]+").is_match("a-b.c"));
        assert!(regex(r"\101\x42\u0043").is_match("ABC"));
        assert!(regex(r"(?P<q>['x]).*(?P=q)").is_match("'a'"));
        assert!(regex(r"(a)(?(1)b|c)").is_match("ab"));
        assert!(regex(r"a(?#comment)b").is_match("ab"));
    }

    #[test]
    fn bytes_know_only_ascii() {
        let bytes =
            |p: &str| PythonRegex::new(&from_bytes(p.as_bytes()), Flags::default(), Kind::Bytes).unwrap();
        let text = from_bytes("ä=1".as_bytes());
        assert!(bytes("^ä=").is_match(&text));
        assert!(!bytes(r"^\w").is_match(&text));
        assert!(bytes(r"\b1\b").is_match(&text));
        assert_eq!(to_bytes(&text), "ä=1".as_bytes());
    }

    #[test]
    fn errors_name_what_is_wrong() {
        let error = |t: &str| regex("(a)").sub("a", t).unwrap_err();
        assert_eq!(error(r"\3"), "invalid group reference 3 at position 1");
        assert_eq!(error(r"\q"), r"bad escape \q at position 0");
        assert!(PythonRegex::new("(", Flags::default(), Kind::Text).is_err());
        assert!(PythonRegex::new(r"\y", Flags::default(), Kind::Text).is_err());
    }
}
