//! The patterns of `ssh_config` and `known_hosts`: `*`, `?`, and `!` in lists (ssh_config(5), PATTERNS).

/// Does `pattern` match all of `text`? `*` stands for any characters, `?` for one.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((star_p, star_t)) => {
                    star = Some((star_p, star_t + 1));
                    p = star_p + 1;
                    t = star_t + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Does a list match: one pattern does, and none of those with `!`?
pub fn list_matches<'a>(patterns: impl IntoIterator<Item = &'a str>, text: &str) -> bool {
    let mut found = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(negated) if matches(negated, text) => return false,
            Some(_) => {}
            None => found |= matches(pattern, text),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*.example.org", "a.example.org", true),
            ("*.example.org", "example.org", false),
            ("192.168.0.?", "192.168.0.12", false),
            ("192.168.0.??", "192.168.0.12", true),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXbXbd", false),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern:?} {text:?}");
        }
    }

    #[test]
    fn a_negated_match_wins_and_negation_alone_matches_nothing() {
        assert!(list_matches(["*.org", "!x.org"], "y.org"));
        assert!(!list_matches(["*.org", "!x.org"], "x.org"));
        assert!(!list_matches(["!x.org"], "y.org"));
    }
}
