//! From Python's syntax to fancy-regex'.

use super::{Flags, Kind};

const ASCII_WORD: &str = "A-Za-z0-9_";
const ASCII_SPACE: &str = r" \t\n\r\x0b\x0c";

struct Translator<'a> {
    chars: Vec<char>,
    at: usize,
    out: String,
    /// Is `^` and `$` about lines? One entry for each open group.
    multi_line: Vec<bool>,
    /// Where the open groups begin.
    open: Vec<usize>,
    kind: Kind,
    pattern: &'a str,
}

pub(super) fn translate(pattern: &str, flags: Flags, kind: Kind) -> Result<String, String> {
    let mut out = String::new();
    for (flag, letter) in [(flags.ignore_case, "(?i)"), (flags.multi_line, "(?m)"), (flags.dot_all, "(?s)")] {
        if flag {
            out.push_str(letter);
        }
    }
    let mut translator = Translator {
        chars: pattern.chars().collect(),
        at: 0,
        out,
        multi_line: vec![flags.multi_line],
        open: Vec::new(),
        kind,
        pattern,
    };
    translator.run()?;
    if let Some(start) = translator.open.last() {
        return Err(format!("missing ), unterminated subpattern at position {start}"));
    }
    Ok(translator.out)
}

impl Translator<'_> {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn rest_starts(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(i, c)| self.peek(i) == Some(c))
    }

    fn bad(&self, why: &str) -> String {
        format!("{why} at position {} of '{}'", self.at, self.pattern)
    }

    fn run(&mut self) -> Result<(), String> {
        while let Some(c) = self.peek(0) {
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '(' => self.group()?,
                ')' => {
                    if self.open.pop().is_none() {
                        return Err(format!("unbalanced parenthesis at position {}", self.at));
                    }
                    self.multi_line.pop();
                    self.push_char(c);
                }
                '$' if !self.multi_line.last().copied().unwrap_or(false) => {
                    self.at += 1;
                    self.out.push_str(r"(?=\n?\z)");
                }
                '{' => self.brace(),
                // Python: a quantifier takes no second one, but `}` and `]` alone are themselves.
                ']' | '}' => {
                    self.at += 1;
                    self.out.push('\\');
                    self.out.push(c);
                }
                c => self.push_char(c),
            }
        }
        Ok(())
    }

    fn push_char(&mut self, c: char) {
        self.at += 1;
        self.out.push(c);
    }

    /// `{` is a quantifier only if it looks like one.
    fn brace(&mut self) {
        let end = (self.at..self.chars.len()).find(|i| self.chars[*i] == '}');
        let inner: Option<String> = end.map(|end| self.chars[self.at + 1..end].iter().collect());
        let digits = |t: &str| t.chars().all(|c| c.is_ascii_digit());
        let quantifier = inner.as_deref().and_then(|inner| match inner.split_once(',') {
            None if !inner.is_empty() && digits(inner) => Some(inner.to_owned()),
            Some(("", "")) | None => None,
            Some((low, high)) if digits(low) && digits(high) => {
                Some(format!("{},{high}", if low.is_empty() { "0" } else { low }))
            }
            Some(_) => None,
        });
        match (quantifier, end) {
            (Some(quantifier), Some(end)) => {
                self.out.push_str(&format!("{{{quantifier}}}"));
                self.at = end + 1;
            }
            _ => {
                self.out.push_str("\\{");
                self.at += 1;
            }
        }
    }

    fn group(&mut self) -> Result<(), String> {
        let current = self.multi_line.last().copied().unwrap_or(false);
        if self.rest_starts("(?#") {
            while self.peek(0).is_some_and(|c| c != ')') {
                self.at += 1;
            }
            self.at += 1;
            return Ok(());
        }
        // A name's group, or a reference to one.
        if self.rest_starts("(?P=") {
            let end = (self.at..self.chars.len()).find(|i| self.chars[*i] == ')');
            let end = end.ok_or_else(|| self.bad("missing ), unterminated name"))?;
            let name: String = self.chars[self.at + 4..end].iter().collect();
            self.out.push_str(&format!("\\k<{name}>"));
            self.at = end + 1;
            return Ok(());
        }
        let flags_end = if self.rest_starts("(?") {
            let is_flag = |c: char| c.is_ascii_alphabetic() || c == '-';
            let end = (self.at + 2..self.chars.len()).find(|i| !is_flag(self.chars[*i]));
            end.filter(|end| *end > self.at + 2 && matches!(self.chars[*end], ')' | ':'))
        } else {
            None
        };
        let Some(end) = flags_end else {
            self.multi_line.push(current);
            self.open.push(self.at);
            self.push_char('(');
            return Ok(());
        };
        let flags: String = self.chars[self.at + 2..end].iter().collect();
        let (on, off) = flags.split_once('-').unwrap_or((&flags, ""));
        let multi_line = (current || on.contains('m')) && !off.contains('m');
        // ASCII, Unicode and locale are decided by the kind.
        let known = |flags: &str| flags.chars().filter(|c| !matches!(c, 'a' | 'u' | 'L')).collect::<String>();
        let (on, off) = (known(on), known(off));
        let flags = if off.is_empty() { on } else { format!("{on}-{off}") };
        if self.chars[end] == ')' {
            if let Some(last) = self.multi_line.last_mut() {
                *last = multi_line;
            }
            if !flags.is_empty() {
                self.out.push_str(&format!("(?{flags})"));
            }
        } else {
            self.multi_line.push(multi_line);
            self.open.push(self.at);
            self.out.push_str(&format!("(?{flags}:"));
        }
        self.at = end + 1;
        Ok(())
    }

    fn class(&mut self) -> Result<(), String> {
        self.push_char('[');
        if self.peek(0) == Some('^') {
            self.push_char('^');
        }
        if self.peek(0) == Some(']') {
            self.at += 1;
            self.out.push_str("\\]");
        }
        loop {
            match self.peek(0) {
                None => return Err(self.bad("unterminated character set")),
                Some(']') => {
                    self.push_char(']');
                    return Ok(());
                }
                Some('\\') => self.escape(true)?,
                // Nested classes and set operations are not Python's.
                Some(c @ ('[' | '&' | '~')) => {
                    self.at += 1;
                    self.out.push('\\');
                    self.out.push(c);
                }
                Some('-') if self.peek(1) == Some('-') => {
                    self.at += 1;
                    self.out.push_str("\\-");
                }
                Some(c) => self.push_char(c),
            }
        }
    }

    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let Some(c) = self.peek(1) else { return Err(self.bad("bad escape (end of pattern)")) };
        let bytes = self.kind == Kind::Bytes;
        let wrap = |inner: &str| if in_class { inner.to_owned() } else { format!("[{inner}]") };
        let text = match c {
            'w' if bytes => wrap(ASCII_WORD),
            'd' if bytes => wrap("0-9"),
            's' if bytes => wrap(ASCII_SPACE),
            'W' if bytes && !in_class => format!("[^{ASCII_WORD}]"),
            'D' if bytes && !in_class => "[^0-9]".to_owned(),
            'S' if bytes && !in_class => format!("[^{ASCII_SPACE}]"),
            'W' | 'D' | 'S' if bytes => format!(
                "[^{}]",
                match c {
                    'W' => ASCII_WORD,
                    'D' => "0-9",
                    _ => ASCII_SPACE,
                }
            ),
            'b' if in_class => r"\x08".to_owned(),
            'b' if bytes => {
                format!("(?:(?<![{ASCII_WORD}])(?=[{ASCII_WORD}])|(?<=[{ASCII_WORD}])(?![{ASCII_WORD}]))")
            }
            'B' if bytes => {
                format!("(?:(?<![{ASCII_WORD}])(?![{ASCII_WORD}])|(?<=[{ASCII_WORD}])(?=[{ASCII_WORD}]))")
            }
            'w' | 'd' | 's' | 'W' | 'D' | 'S' | 'n' | 't' | 'r' => format!("\\{c}"),
            'b' | 'B' | 'A' if !in_class => format!("\\{c}"),
            'Z' if !in_class => r"\z".to_owned(),
            'a' => r"\x07".to_owned(),
            'f' => r"\x0c".to_owned(),
            'v' => r"\x0b".to_owned(),
            'x' | 'u' | 'U' => return self.hexadecimal(c),
            '0' => return self.octal(3),
            '1'..='9' => {
                let octal = |i: usize| self.peek(i).is_some_and(|c| ('0'..='7').contains(&c));
                if in_class || (octal(1) && octal(2) && octal(3)) {
                    return self.octal(3);
                }
                let mut number = String::from(c);
                if let Some(next) = self.peek(2).filter(char::is_ascii_digit) {
                    number.push(next);
                }
                self.at += 1 + number.len();
                self.out.push_str(&format!("(?:\\{number})"));
                return Ok(());
            }
            c if c.is_ascii_alphabetic() => return Err(self.bad(&format!("bad escape \\{c}"))),
            c if c.is_ascii_whitespace() || c == '#' => format!("\\x{:02x}", u32::from(c)),
            c if c.is_ascii_punctuation()
                && !matches!(
                    c,
                    '<' | '>' | '_' | '\'' | '"' | '/' | '%' | '@' | ',' | ';' | ':' | '!' | '=' | '`'
                ) =>
            {
                format!("\\{c}")
            }
            c => c.to_string(),
        };
        self.at += 2;
        self.out.push_str(&text);
        Ok(())
    }

    fn hexadecimal(&mut self, letter: char) -> Result<(), String> {
        let length = match letter {
            'x' => 2,
            'u' => 4,
            _ => 8,
        };
        let digits: String = (2..2 + length).filter_map(|i| self.peek(i)).collect();
        let code = u32::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == length);
        let code = code.ok_or_else(|| self.bad(&format!("incomplete escape \\{letter}{digits}")))?;
        self.at += 2 + length;
        self.out.push_str(&format!("\\x{{{code:x}}}"));
        Ok(())
    }

    fn octal(&mut self, most: usize) -> Result<(), String> {
        let digits: String =
            (1..=most).map_while(|i| self.peek(i).filter(|c| ('0'..='7').contains(c))).collect();
        let code = u32::from_str_radix(&digits, 8).map_err(|_| self.bad("bad escape"))?;
        self.at += 1 + digits.len();
        self.out.push_str(&format!("\\x{{{code:x}}}"));
        Ok(())
    }
}
