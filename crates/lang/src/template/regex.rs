//! Python's regular expressions on top of fancy-regex: the pattern is translated where the dialects differ.

use std::sync::{Arc, PoisonError};

use fancy_regex::{Captures, Regex, RegexBuilder};

use crate::template::object::{Fail, R};
use crate::template::templar::Shared;

/// Steps of backtracking after which a search is given up.
const BACKTRACK: usize = 1_000_000;
const CACHE: usize = 1000;

#[derive(Clone, Copy, Default)]
pub(crate) struct Flags {
    pub ignore_case: bool,
    pub multi_line: bool,
    pub dot_all: bool,
}

/// Compile a pattern, once.
pub(crate) fn compile(shared: &Shared, pattern: &str, flags: Flags) -> R<Arc<Regex>> {
    let key = format!(
        "{}{}{}{pattern}",
        u8::from(flags.ignore_case),
        u8::from(flags.multi_line),
        u8::from(flags.dot_all)
    );
    let mut cache = shared.regexes.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = cache.get(&key) {
        return Ok(known.clone());
    }
    let translated = translate(pattern);
    let built = RegexBuilder::new(&translated)
        .case_insensitive(flags.ignore_case)
        .multi_line(flags.multi_line)
        .dot_matches_new_line(flags.dot_all)
        .backtrack_limit(BACKTRACK)
        .build();
    let regex = match built {
        Ok(regex) => Arc::new(regex),
        Err(error) => return Fail::python(format!("Invalid regular expression {pattern:?}: {error}")),
    };
    if cache.len() >= CACHE {
        cache.clear();
    }
    cache.insert(key, regex.clone());
    Ok(regex)
}

/// Python's syntax to fancy-regex's: `\Z` is the very end, `(?P=name)` a reference, `$` also matches before a
/// final newline, escapes of characters that need none are allowed, `[` inside a class stands for itself.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let chars: Vec<char> = pattern.chars().collect();
    let mut i = 0;
    let mut in_class = false;
    while i < chars.len() {
        let c = chars[i];
        match c {
            '\\' => {
                let Some(next) = chars.get(i + 1).copied() else {
                    out.push('\\');
                    break;
                };
                i += 2;
                match next {
                    'Z' if !in_class => out.push_str("\\z"),
                    // Punctuation that needs no escape; some of these escapes mean something else here.
                    p if p.is_ascii_punctuation() && !"\\.^$*+?{}[]|()-&~#".contains(p) => out.push(p),
                    _ => {
                        out.push('\\');
                        out.push(next);
                    }
                }
                continue;
            }
            '[' if in_class => {
                out.push_str("\\[");
            }
            '[' => {
                in_class = true;
                out.push('[');
                if chars.get(i + 1) == Some(&'^') {
                    out.push('^');
                    i += 1;
                }
                // A bracket right after the opening stands for itself.
                if chars.get(i + 1) == Some(&']') {
                    out.push_str("\\]");
                    i += 1;
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class && chars.get(i + 1) == Some(&c) => {
                out.push('\\');
                out.push(c);
            }
            '(' if !in_class && chars[i..].starts_with(&['(', '?', 'P', '=']) => {
                let name: String = chars[i + 4..].iter().take_while(|c| **c != ')').collect();
                out.push_str(&format!("\\k<{name}>"));
                i += 4 + name.chars().count();
            }
            '(' if !in_class && chars[i..].starts_with(&['(', '?', '#']) => {
                while i < chars.len() && chars[i] != ')' {
                    i += 1;
                }
            }
            '$' if !in_class => out.push_str("(?:$|(?=\\n\\z))"),
            '{' if !in_class && !is_repetition(&chars[i..]) => out.push_str("\\{"),
            '}' if !in_class && !closes_repetition(&out) => out.push_str("\\}"),
            c => out.push(c),
        }
        i += 1;
    }
    out
}

/// `{2}`, `{2,}`, `{,3}` or `{2,3}`.
fn is_repetition(rest: &[char]) -> bool {
    let Some(end) = rest.iter().position(|c| *c == '}') else { return false };
    let inside = &rest[1..end];
    !inside.is_empty()
        && inside.iter().all(|c| c.is_ascii_digit() || *c == ',')
        && inside.iter().any(char::is_ascii_digit)
}

fn closes_repetition(out: &str) -> bool {
    match out.rfind('{') {
        Some(at) => {
            !out[..at].ends_with('\\') && out[at + 1..].chars().all(|c| c.is_ascii_digit() || c == ',')
        }
        None => false,
    }
}

/// The first match from a byte offset on.
pub(crate) fn captures_at<'t>(regex: &Regex, text: &'t str, at: usize) -> R<Option<Captures<'t, str>>> {
    match regex.captures_from_pos(text, at) {
        Ok(found) => Ok(found),
        Err(error) => Fail::python(format!("regular expression gives up: {error}")),
    }
}

pub(crate) fn is_match(regex: &Regex, text: &str) -> R<bool> {
    Ok(captures_at(regex, text, 0)?.is_some())
}

/// All matches, left to right, as Python's `finditer` (empty ones included).
pub(crate) fn all<'t>(regex: &Regex, text: &'t str) -> R<Vec<Captures<'t, str>>> {
    let mut out = Vec::new();
    let mut at = 0;
    let mut last_end = None;
    while at <= text.len() {
        let Some(found) = captures_at(regex, text, at)? else { break };
        let Some((start, end)) = found.get(0).map(|m| (m.start(), m.end())) else { break };
        if start == end {
            // An empty match directly after another match counts, since Python 3.7, unless it is the same place.
            let step = text[end..].chars().next().map_or(1, char::len_utf8);
            at = end + step;
            if last_end == Some((start, end)) {
                continue;
            }
        } else {
            at = end;
        }
        last_end = Some((start, end));
        out.push(found);
    }
    Ok(out)
}

/// Python's `expand`: `\1`, `\g<1>`, `\g<name>` and escapes in a replacement.
pub(crate) fn expand(template: &str, regex: &Regex, captures: &Captures<'_, str>) -> R<String> {
    let mut out = String::new();
    let chars: Vec<char> = template.chars().collect();
    let group = |name: &str| -> R<String> {
        let found = match name.parse::<usize>() {
            Ok(index) if index < captures.len() => captures.get(index),
            Ok(index) => return Fail::python(format!("invalid group reference {index}")),
            Err(_) if regex.capture_names().flatten().any(|n| n == name) => captures.name(name),
            Err(_) => return Fail::python(format!("unknown group name '{name}'")),
        };
        Ok(found.map_or("", |m| m.as_str()).to_string())
    };
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        i += 1;
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(next) = chars.get(i).copied() else { return Fail::python("bad escape (end of pattern)") };
        i += 1;
        match next {
            'g' if chars.get(i) == Some(&'<') => {
                let name: String = chars[i + 1..].iter().take_while(|c| **c != '>').collect();
                i += name.chars().count() + 2;
                out.push_str(&group(&name)?);
            }
            'g' => return Fail::python("missing <"),
            '0' => {
                let digits: String = chars[i..].iter().take(2).take_while(|c| c.is_digit(8)).collect();
                i += digits.len();
                out.extend(u32::from_str_radix(&format!("0{digits}"), 8).ok().and_then(char::from_u32));
            }
            d if d.is_ascii_digit() => {
                let mut name = d.to_string();
                if let Some(second) = chars.get(i).filter(|c| c.is_ascii_digit()) {
                    name.push(*second);
                    i += 1;
                }
                out.push_str(&group(&name)?);
            }
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'v' => out.push('\x0b'),
            '\\' => out.push('\\'),
            letter if letter.is_ascii_alphabetic() => return Fail::python(format!("bad escape \\{letter}")),
            other => {
                out.push('\\');
                out.push(other);
            }
        }
    }
    Ok(out)
}

/// Python's `re.sub`; the text and the number of replacements made.
pub(crate) fn substitute(regex: &Regex, text: &str, replacement: &str, count: usize) -> R<(String, usize)> {
    let mut out = String::new();
    let mut at = 0;
    let mut n = 0;
    for found in all(regex, text)? {
        if count > 0 && n >= count {
            break;
        }
        let Some(whole) = found.get(0) else { continue };
        out.push_str(text.get(at..whole.start()).unwrap_or(""));
        out.push_str(&expand(replacement, regex, &found)?);
        at = whole.end();
        n += 1;
        if out.len() > crate::template::eval::ops::MAX_SIZE {
            return Fail::python("replaced text is too long");
        }
    }
    out.push_str(text.get(at..).unwrap_or(""));
    Ok((out, n))
}
