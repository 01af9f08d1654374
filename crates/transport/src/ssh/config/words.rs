//! Splitting lines of `ssh_config` into words, as OpenSSH does it.

/// Split a line into its keyword (in lower case) and the rest, without the one `=` that may stand between.
/// `None` for empty lines and comments.
pub fn keyword(line: &str) -> Option<(String, &str)> {
    let line = line.trim_matches([' ', '\t', '\r', '\n', '\x0c']);
    if line.is_empty() || line.starts_with('#') {
        return None;
    }
    let end = line.find([' ', '\t', '=']).unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    let rest = rest.trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start_matches([' ', '\t']);
    Some((word.trim_matches('"').to_ascii_lowercase(), rest))
}

/// Split into words at blanks. Quotes of both kinds group; a backslash protects a quote, a backslash, or
/// (outside quotes) a blank. A `#` at the start of a word begins a comment. `None`: a quote is not closed.
pub fn split(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        match chars.peek() {
            None | Some('#') => return Some(words),
            Some(_) => words.push(word(&mut chars)?),
        }
    }
}

fn word(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    let mut word = String::new();
    let mut quote = None;
    while let Some(&c) = chars.peek() {
        if quote.is_none() && matches!(c, ' ' | '\t') {
            break;
        }
        chars.next();
        match c {
            '\\' => {
                let protects = |n: &char| matches!(n, '\'' | '"' | '\\') || (quote.is_none() && *n == ' ');
                word.push(chars.next_if(protects).unwrap_or('\\'));
            }
            '\'' | '"' if quote.is_none() => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            _ => word.push(c),
        }
    }
    quote.is_none().then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_and_the_equals_sign() {
        for (line, expected) in [
            ("Port 22", Some(("port", "22"))),
            ("  Port=22  ", Some(("port", "22"))),
            ("\tport = 22 # x", Some(("port", "22 # x"))),
            ("ProxyCommand = =x", Some(("proxycommand", "=x"))),
            ("User", Some(("user", ""))),
            ("# Port 22", None),
            ("", None),
        ] {
            let got = keyword(line);
            assert_eq!(got.as_ref().map(|(k, r)| (k.as_str(), *r)), expected, "{line:?}");
        }
    }

    #[test]
    fn words_and_quotes() {
        for (text, expected) in [
            ("a b\tc", Some(vec!["a", "b", "c"])),
            ("\"a b\" 'c d'", Some(vec!["a b", "c d"])),
            ("a\\ b", Some(vec!["a b"])),
            ("\"a\\\"b\"", Some(vec!["a\"b"])),
            ("a\\nb", Some(vec!["a\\nb"])),
            ("a#b # c", Some(vec!["a#b"])),
            ("\"open", None),
            ("", Some(vec![])),
        ] {
            assert_eq!(split(text), expected.map(|v| v.into_iter().map(String::from).collect()), "{text:?}");
        }
    }
}
