//! Arguments as one line of text: `src=a dest="b c" mode=0644`, and free-form commands.
//!
//! Words end at blanks and line ends, but not inside quotes or Jinja braces. The rules are those that Ansible has
//! grown, oddities included; the table of tests was recorded from it.

use crate::{Error, Key, Map, Value};

/// Options that a free-form module takes as `key=value`; all else belongs to the command.
const COMMAND_OPTIONS: &[&str] =
    &["creates", "removes", "chdir", "executable", "warn", "stdin", "stdin_add_newline", "strip_empty_ends"];

/// The arguments in a line of text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// `key=value` in order, quotes taken off.
    pub options: Vec<(String, String)>,
    /// What is not `key=value`, as one line.
    pub raw: Option<String>,
}

/// Take `text` apart. For a free-form module (`command`) only known options are options.
pub fn parse(text: &str, free_form: bool) -> Result<Words, Error> {
    let mut words = Words::default();
    let mut raw = Vec::new();
    for word in split(text)? {
        let decoded = decode_escapes(&word);
        match decoded.contains('=').then(|| equals_sign(&decoded)) {
            Some(Some(at)) => {
                let (key, value) = (&decoded[..at], &decoded[at + 1..]);
                if free_form && !COMMAND_OPTIONS.contains(&key) {
                    raw.push(word);
                } else {
                    let (key, value) = (key.trim().to_owned(), unquote(value.trim()).to_owned());
                    words.options.retain(|(k, _)| *k != key);
                    words.options.push((key, value));
                }
            }
            // All equals signs are escaped.
            Some(None) => raw.push(decoded.replace("\\=", "=")),
            None => raw.push(word),
        }
    }
    if !raw.is_empty() {
        words.raw = Some(join(&raw));
    }
    Ok(words)
}

/// `key=value` pairs of a line; what is no pair is under `_raw_params`. The user wrote it: strings are templates.
pub fn parse_key_values(text: &str) -> Result<Map, Error> {
    let words = parse(text, false)?;
    let pairs = words.options.into_iter().chain(words.raw.map(|raw| ("_raw_params".to_owned(), raw)));
    Ok(pairs.map(|(key, value)| (Key::from(key), Value::template(value))).collect())
}

/// The first word of an action line and the rest: `copy` and `src=a`.
pub fn split_action(text: &str) -> Result<(String, String), Error> {
    let mut words = split(text)?;
    if words.len() < 2 {
        return Ok((text.trim().to_owned(), String::new()));
    }
    let name = words.remove(0).trim_end().to_owned();
    Ok((name, join(&words)))
}

/// The first equals sign that is neither at the start nor escaped.
fn equals_sign(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    (1..bytes.len()).find(|&i| bytes[i] == b'=' && bytes[i - 1] != b'\\')
}

/// Words that keep the line ends behind them, joined with single blanks where there is none.
fn join(words: &[String]) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}

/// Take a pair of equal quotes off, unless the closing one is escaped.
fn unquote(text: &str) -> &str {
    let bytes = text.as_bytes();
    match bytes {
        [first @ (b'"' | b'\''), .., before, last] if first == last && *before != b'\\' => {
            &text[1..text.len() - 1]
        }
        [first @ (b'"' | b'\''), last] if first == last => "",
        _ => text,
    }
}

/// Where a piece of the text is: in quotes, in how many Jinja braces.
#[derive(Default)]
struct State {
    quote: Option<char>,
    print: usize,
    block: usize,
    comment: usize,
}

impl State {
    fn in_braces(&self) -> bool {
        self.print > 0 || self.block > 0 || self.comment > 0
    }

    fn open(&self) -> bool {
        self.quote.is_some() || self.in_braces()
    }

    /// The state behind a piece without blanks.
    fn read(&mut self, piece: &str) {
        let mut before = None;
        for c in piece.chars() {
            if matches!(c, '"' | '\'') && before != Some('\\') {
                match self.quote {
                    None => self.quote = Some(c),
                    Some(quote) if quote == c => self.quote = None,
                    Some(_) => {}
                }
            }
            before = Some(c);
        }
    }

    fn count(&mut self, piece: &str) {
        for (depth, open, close) in
            [(&mut self.print, "{{", "}}"), (&mut self.block, "{%", "%}"), (&mut self.comment, "{#", "#}")]
        {
            *depth = (*depth + piece.matches(open).count()).saturating_sub(piece.matches(close).count());
        }
    }
}

/// The words of a text, each with the line end behind it.
fn split(text: &str) -> Result<Vec<String>, Error> {
    let mut words: Vec<String> = Vec::new();
    let mut state = State::default();
    let lines: Vec<&str> = text.split('\n').collect();
    let last = lines.len() - 1;
    for (number, line) in lines.iter().enumerate() {
        let mut continued = false;
        let pieces: Vec<&str> = line.split(' ').collect();
        for (i, piece) in pieces.iter().enumerate() {
            let was_quoted = state.quote.is_some();
            if *piece == "\\" && !was_quoted {
                continued = true;
                continue;
            }
            let was_open = state.open();
            let was_in_braces = state.in_braces();
            state.read(piece);
            let opens_quote = state.quote.is_some() && !was_quoted;
            if was_open && (was_in_braces || !opens_quote) {
                append(&mut words, piece, i > 0);
                state.count(piece);
                continue;
            }
            state.count(piece);
            match words.last_mut() {
                // Several blanks in a row.
                Some(word) if piece.is_empty() => word.push_str(if i > 0 { " " } else { "" }),
                _ => words.push((*piece).to_owned()),
            }
        }
        if number < last
            && !continued
            && let Some(word) = words.last_mut()
        {
            word.push('\n');
        }
    }
    if state.open() {
        return Err(Error::new(format!(
            "failed at splitting arguments, either an unbalanced jinja2 block or quotes: {text}"
        )));
    }
    words.retain(|word| !word.is_empty());
    Ok(words)
}

/// Go on with the word that is open.
fn append(words: &mut Vec<String>, piece: &str, blank: bool) {
    match words.last_mut() {
        Some(word) => {
            if blank {
                word.push(' ');
            }
            word.push_str(piece);
        }
        None => words.push(piece.to_owned()),
    }
}

/// Python's escapes but for octal numbers: `\n`, `\x41`, `\u00e4`, `\\`. What is none stays as it is.
fn decode_escapes(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < chars.len() {
        match escape(&chars[i..]) {
            Some((c, length)) => {
                out.push(c);
                i += length;
            }
            None => {
                out.push(chars[i]);
                i += 1;
            }
        }
    }
    out
}

/// The character that the escape at the start stands for, and the length of the escape.
fn escape(chars: &[char]) -> Option<(char, usize)> {
    let [first, second, ..] = chars else { return None };
    if *first != '\\' {
        return None;
    }
    let number = |radix: u32, from: usize, length: usize| {
        let digits: String = chars.get(from..from + length)?.iter().collect();
        let code = u32::from_str_radix(&digits, radix).ok()?;
        Some((char::from_u32(code)?, from + length))
    };
    match second {
        'U' => number(16, 2, 8),
        'u' => number(16, 2, 4),
        'x' => number(16, 2, 2),
        '\\' | '\'' | '"' => Some((*second, 2)),
        'a' => Some(('\x07', 2)),
        'b' => Some(('\x08', 2)),
        'f' => Some(('\x0c', 2)),
        'n' => Some(('\n', 2)),
        'r' => Some(('\r', 2)),
        't' => Some(('\t', 2)),
        'v' => Some(('\x0b', 2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_lines_apart_as_ansible() {
        let rows: Vec<(String, serde_json::Value, serde_json::Value)> =
            serde_json::from_str(include_str!("../../tests/recorded/playbook_words.json")).unwrap();
        let mut wrong = Vec::new();
        for (text, plain, free) in &rows {
            for (expected, free_form) in [(plain, false), (free, true)] {
                let found = match parse(text, free_form) {
                    Err(_) => serde_json::json!("AnsibleParserError"),
                    Ok(words) => {
                        let raw = words.raw.map(|raw| ("_raw_params".to_owned(), raw));
                        words
                            .options
                            .into_iter()
                            .chain(raw)
                            .map(|(k, v)| (k, serde_json::Value::from(v)))
                            .collect()
                    }
                };
                if &found != expected {
                    wrong.push(format!("{text:?} {free_form}\n  is     {found}\n  wanted {expected}"));
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "{} of {}:\n{}",
            wrong.len(),
            2 * rows.len(),
            wrong[..wrong.len().min(25)].join("\n")
        );
    }
}
