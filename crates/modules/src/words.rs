//! A command line in words, the way Python's `shlex.split` takes it apart.

/// Quotes group, a backslash takes the next character as it is (within double quotes only before `"` and `\`).
/// The error is Python's.
pub fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\\' => match chars.next() {
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("No escaped character".to_owned()),
            },
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        None => return Err("No closing quotation".to_owned()),
                        Some(end) if end == c => break,
                        Some('\\') if c == '"' => match chars.next() {
                            None => return Err("No escaped character".to_owned()),
                            Some(next @ ('"' | '\\')) => word.push(next),
                            Some(next) => word.extend(['\\', next]),
                        },
                        Some(other) => word.push(other),
                    }
                }
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

/// Lines as Python's `str.splitlines` makes them: carriage returns, form feeds and Unicode's separators end one.
pub fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\x0b' | '\x0c' | '\x1c'..='\x1e' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                lines.push(std::mem::take(&mut line));
            }
            c => line.push(c),
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// A word as `shlex.quote` writes it for a shell.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\"'\"'"))
}

#[cfg(test)]
mod tests {
    use super::{lines, quote, split};

    // Recorded from Python's shlex.split.
    #[test]
    fn words_are_those_of_shlex() {
        let ok = |text: &str| split(text).unwrap();
        assert_eq!(ok(r#"echo 'a  b' "c d" e\ f"#), ["echo", "a  b", "c d", "e f"]);
        assert_eq!(ok(r#"a"b"'c' '' "" "#), ["abc", "", ""]);
        assert_eq!(ok(r#""a\"b\\c\d$e" '\'"#), [r#"a"b\c\d$e"#, r"\"]);
        assert_eq!(ok("a\nb\tc # d"), ["a", "b", "c", "#", "d"]);
        assert_eq!(split("echo 'a").unwrap_err(), "No closing quotation");
        assert_eq!(split("a\\").unwrap_err(), "No escaped character");
    }

    // Recorded from Python.
    #[test]
    fn lines_are_those_of_splitlines() {
        assert_eq!(lines("a\r\nb\rc\n\nd\x0be"), ["a", "b", "c", "", "d", "e"]);
        assert_eq!(lines("a\n"), ["a"]);
        assert!(lines("").is_empty());
        assert_eq!(lines("\n"), [""]);
    }

    #[test]
    fn quoting_is_that_of_shlex() {
        assert_eq!(quote("a/b-c"), "a/b-c");
        assert_eq!(quote("a b"), "'a b'");
        assert_eq!(quote("it's"), "'it'\"'\"'s'");
        assert_eq!(quote(""), "''");
    }
}
