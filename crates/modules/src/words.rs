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

#[cfg(test)]
mod tests {
    use super::split;

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
}
