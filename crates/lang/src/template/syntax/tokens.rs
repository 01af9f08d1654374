//! From text to tokens: minijinja's tokenizer, with Jinja2's messages and Ansible's string constants.
//!
//! The tokenizer decides what is text and what is code (delimiters, raw blocks, comments, white space control).
//! Only its tokens are used: minijinja's virtual machine has values and operators of its own, while playbooks
//! rely on Python's (lists changed in place, `%` on strings, tuples, exact error texts).

use std::borrow::Cow;

use minijinja::machinery::{Token, Tokenizer};
use minijinja::syntax::SyntaxConfig;

/// A token of Jinja2.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tok {
    Text(String),
    VarBegin,
    VarEnd,
    BlockBegin,
    BlockEnd,
    Name(String),
    Str(String),
    Int(i128),
    Float(f64),
    Op(&'static str),
    Eof,
}

impl Tok {
    /// As Jinja2's messages show a token.
    pub fn describe(&self) -> String {
        match self {
            Tok::Text(_) => "template data / text".into(),
            Tok::VarBegin => "begin of print statement".into(),
            Tok::VarEnd => "end of print statement".into(),
            Tok::BlockBegin => "begin of statement block".into(),
            Tok::BlockEnd => "end of statement block".into(),
            Tok::Name(name) => name.clone(),
            Tok::Str(_) => "string".into(),
            Tok::Int(_) => "integer".into(),
            Tok::Float(_) => "float".into(),
            Tok::Op(op) => (*op).into(),
            Tok::Eof => "end of template".into(),
        }
    }
}

/// A syntax error: the message and the line inside the template.
#[derive(Clone, Debug)]
pub(crate) struct SyntaxError {
    pub message: String,
    pub line: u32,
}

impl SyntaxError {
    pub fn new(message: impl Into<String>, line: u32) -> Self {
        Self { message: message.into(), line }
    }
}

/// How the text is to be read.
#[derive(Clone, Debug)]
pub(crate) struct Syntax {
    pub config: SyntaxConfig,
    /// Are backslashes in string constants of `{{ }}` escapes? In template files yes; in playbooks they stand for
    /// themselves. In statements and in bare expressions they are escapes everywhere.
    pub escapes: bool,
    /// Is the whole text one expression, without delimiters?
    pub expression: bool,
}

/// More tokens than this in one template is not a template but an attack or a mistake.
const MAX_TOKENS: usize = 4_000_000;

pub(crate) fn tokenize(source: &str, syntax: &Syntax) -> Result<Vec<(Tok, u32)>, SyntaxError> {
    let readable = readable(source);
    let mut lexer = Tokenizer::new(&readable, "", syntax.expression, syntax.config.clone());
    let mut tokens = Vec::new();
    let mut open: Vec<&'static str> = Vec::new();
    let mut lines = LineCounter::new(source);
    let mut last = 0usize;
    let mut in_variable = false;
    loop {
        match lexer.next_token() {
            Ok(None) => break,
            Ok(Some((token, span))) => {
                let start = span.start_offset as usize;
                let line = lines.at(start);
                last = span.end_offset as usize;
                let token = match token {
                    Token::TemplateData(text) => {
                        let offset = (text.as_ptr() as usize).wrapping_sub(readable.as_ptr() as usize);
                        let text = offset.checked_add(text.len()).and_then(|end| source.get(offset..end));
                        Token::TemplateData(raw_text(source, start, text.unwrap_or_default()))
                    }
                    other => other,
                };
                match token {
                    Token::VariableStart => in_variable = true,
                    Token::VariableEnd => in_variable = false,
                    _ => {}
                }
                let escapes = syntax.escapes || !in_variable;
                let tok = convert(token, source.get(start..last).unwrap_or(""), escapes, line)?;
                if let Tok::Op(op) = tok {
                    balance(&mut open, op, line)?;
                }
                if tokens.len() >= MAX_TOKENS {
                    return Err(SyntaxError::new("template is too large", line));
                }
                tokens.push((tok, line));
            }
            Err(error) => {
                let at = error.range().map_or(last, |r| r.start);
                let line = lines.at(at);
                return Err(lexer_error(&error, source, last, at, &open, line));
            }
        }
    }
    let line = lines.at(source.len());
    tokens.push((Tok::Eof, line));
    Ok(tokens)
}

/// The source with other escapes of the same length in place of those that name half of a surrogate pair: Python has
/// strings with such in them, and the tokenizer refuses them. What is in a string is taken from the source itself.
fn readable(source: &str) -> Cow<'_, str> {
    let mut out = Cow::Borrowed(source);
    for (at, _) in source.match_indices("\\u") {
        let digits = source.get(at + 2..at + 6).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if digits.is_some_and(|code| (0xD800..0xE000).contains(&code)) {
            out.to_mut().replace_range(at + 2..at + 6, "0041");
        }
    }
    out
}

/// Jinja2 keeps the newline after `{% raw %}`, whatever `trim_blocks` says; the tokenizer drops it.
fn raw_text<'s>(source: &'s str, start: usize, text: &'s str) -> &'s str {
    let offset = (text.as_ptr() as usize).wrapping_sub(source.as_ptr() as usize);
    let dropped = source.get(start..offset).unwrap_or("");
    let explicit = source.get(..start).is_some_and(|head| head.trim_end_matches(['%', '}']).ends_with('-'));
    if matches!(dropped, "\n" | "\r\n") && !explicit {
        return source.get(start..offset + text.len()).unwrap_or(text);
    }
    text
}

fn balance(open: &mut Vec<&'static str>, op: &'static str, line: u32) -> Result<(), SyntaxError> {
    match op {
        "(" => open.push(")"),
        "[" => open.push("]"),
        "{" => open.push("}"),
        ")" | "]" | "}" => match open.pop() {
            None => return Err(SyntaxError::new(format!("unexpected '{op}'"), line)),
            Some(expected) if expected != op => {
                return Err(SyntaxError::new(format!("unexpected '{op}', expected '{expected}'"), line));
            }
            Some(_) => {}
        },
        _ => {}
    }
    Ok(())
}

fn lexer_error(
    error: &minijinja::Error,
    source: &str,
    last: usize,
    at: usize,
    _open: &[&str],
    line: u32,
) -> SyntaxError {
    let detail = error.detail().unwrap_or_default().to_string();
    let message = match detail.as_str() {
        "unexpected end of comment" => "Missing end of comment tag".to_string(),
        "unexpected end of raw block" => "Missing end of raw directive".to_string(),
        "unexpected end of string" => {
            let rest = source.get(last..).unwrap_or("");
            let offset = rest.find(['\'', '"']).map_or(last, |i| last + i);
            unexpected_char(source, offset)
        }
        "unexpected character" => unexpected_char(source, at),
        "" => error.kind().to_string(),
        other => other.to_string(),
    };
    SyntaxError::new(message, line)
}

fn unexpected_char(source: &str, offset: usize) -> String {
    let c = source.get(offset..).and_then(|rest| rest.chars().next()).unwrap_or(' ');
    let index = source.get(..offset).map_or(0, |head| head.chars().count());
    let shown = if c == '\'' { format!("\"{c}\"") } else { format!("'{c}'") };
    format!("unexpected char {shown} at {index}")
}

fn convert(token: Token<'_>, raw: &str, escapes: bool, line: u32) -> Result<Tok, SyntaxError> {
    Ok(match token {
        Token::TemplateData(text) => Tok::Text(text.to_string()),
        Token::VariableStart => Tok::VarBegin,
        Token::VariableEnd => Tok::VarEnd,
        Token::BlockStart => Tok::BlockBegin,
        Token::BlockEnd => Tok::BlockEnd,
        Token::Ident(name) => Tok::Name(name.to_string()),
        Token::Str(text) => Tok::Str(text.to_string()),
        Token::String(text) => {
            let inner = raw.get(1..raw.len().saturating_sub(1));
            match inner {
                Some(inner) if escapes => Tok::Str(unescape(inner)),
                Some(inner) => Tok::Str(inner.to_string()),
                None => Tok::Str(text.to_string()),
            }
        }
        Token::Int(i) => Tok::Int(i128::from(i)),
        Token::Int128(i) => {
            Tok::Int(i128::try_from(*i).map_err(|_| SyntaxError::new("integer is too large", line))?)
        }
        Token::Float(f) => Tok::Float(f),
        Token::Plus => Tok::Op("+"),
        Token::Minus => Tok::Op("-"),
        Token::Mul => Tok::Op("*"),
        Token::Div => Tok::Op("/"),
        Token::FloorDiv => Tok::Op("//"),
        Token::Pow => Tok::Op("**"),
        Token::Mod => Tok::Op("%"),
        Token::Dot => Tok::Op("."),
        Token::Comma => Tok::Op(","),
        Token::Colon => Tok::Op(":"),
        Token::Tilde => Tok::Op("~"),
        Token::Assign => Tok::Op("="),
        Token::Pipe => Tok::Op("|"),
        Token::Eq => Tok::Op("=="),
        Token::Ne => Tok::Op("!="),
        Token::Gt => Tok::Op(">"),
        Token::Gte => Tok::Op(">="),
        Token::Lt => Tok::Op("<"),
        Token::Lte => Tok::Op("<="),
        Token::BracketOpen => Tok::Op("["),
        Token::BracketClose => Tok::Op("]"),
        Token::ParenOpen => Tok::Op("("),
        Token::ParenClose => Tok::Op(")"),
        Token::BraceOpen => Tok::Op("{"),
        Token::BraceClose => Tok::Op("}"),
    })
}

/// Python's `unicode_escape` as Jinja2 applies it: unknown escapes keep their backslash.
pub(crate) fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let chars: Vec<char> = text.chars().collect();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        i += 1;
        if c != '\\' || i >= chars.len() {
            out.push(c);
            continue;
        }
        let escape = chars[i];
        i += 1;
        match escape {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(escape),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'v' => out.push('\x0b'),
            'x' => i = hex(&chars, i, 2, &mut out, escape),
            'u' => i = hex(&chars, i, 4, &mut out, escape),
            'U' => i = hex(&chars, i, 8, &mut out, escape),
            '0'..='7' => {
                let mut code = escape.to_digit(8).unwrap_or(0);
                let mut n = 1;
                while n < 3 && i < chars.len() {
                    let Some(digit) = chars[i].to_digit(8) else { break };
                    code = code * 8 + digit;
                    i += 1;
                    n += 1;
                }
                out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    out
}

fn hex(chars: &[char], start: usize, len: usize, out: &mut String, escape: char) -> usize {
    let digits: String = chars.iter().skip(start).take(len).collect();
    match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
        Some(c) if digits.chars().count() == len => {
            out.push(c);
            start + len
        }
        _ => {
            out.push('\\');
            out.push(escape);
            start
        }
    }
}

/// Offsets to lines, for offsets that only grow (minijinja counts lines in 16 bits).
struct LineCounter<'a> {
    bytes: &'a [u8],
    offset: usize,
    line: u32,
}

impl<'a> LineCounter<'a> {
    fn new(source: &'a str) -> Self {
        Self { bytes: source.as_bytes(), offset: 0, line: 1 }
    }

    fn at(&mut self, offset: usize) -> u32 {
        let offset = offset.min(self.bytes.len());
        if offset > self.offset {
            let newlines = self.bytes[self.offset..offset].iter().filter(|b| **b == b'\n').count();
            self.line = self.line.saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
            self.offset = offset;
        }
        self.line
    }
}
