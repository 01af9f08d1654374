//! Values of INI inventories: what Python's `ast.literal_eval` makes of a text, and otherwise the text itself.

use crate::{Key, Map, Pos, Str, Value};
use std::sync::Arc;

const MAX_DEPTH: usize = 64;

/// The value of `name=text`. Strings, also those inside of lists and dictionaries, are templates.
pub(crate) fn parse_value(text: &str, pos: Option<&Arc<Pos>>) -> Value {
    let string = |text: &str| Value::Str(Str::template(text, pos.cloned()));
    literal(text, pos).unwrap_or_else(|| string(text))
}

/// A text as a Python literal; its strings are only text.
pub(crate) fn python_literal(text: &str) -> Option<Value> {
    literal(text, None).map(Value::untrusted)
}

/// A text as a Python literal, or `None` if it is not one.
fn literal(text: &str, pos: Option<&Arc<Pos>>) -> Option<Value> {
    let text = text.trim_start_matches([' ', '\t']);
    let mut parser = Parser { text, at: 0, pos, nested: 0 };
    let value = parser.tuple_or_value()?;
    parser.space();
    // A comment may follow, as in Python.
    (parser.rest().is_empty() || parser.rest().starts_with('#')).then_some(value)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    pos: Option<&'a Arc<Pos>>,
    nested: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        let trimmed = if self.nested > 0 {
            self.rest().trim_start_matches([' ', '\t', '\n', '\r', '\u{c}'])
        } else {
            self.rest().trim_start_matches([' ', '\t', '\u{c}'])
        };
        self.at = self.text.len() - trimmed.len();
    }

    fn eat(&mut self, token: &str) -> bool {
        self.space();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// `1, 2` without parentheses is a tuple too.
    fn tuple_or_value(&mut self) -> Option<Value> {
        let first = self.value()?;
        if !self.eat(",") {
            return Some(first);
        }
        let mut items = vec![first];
        loop {
            self.space();
            if self.rest().is_empty() || self.rest().starts_with('#') {
                return Some(Value::list(items));
            }
            items.push(self.value()?);
            if !self.eat(",") {
                return Some(Value::list(items));
            }
        }
    }

    fn value(&mut self) -> Option<Value> {
        self.space();
        let next = self.rest().chars().next()?;
        match next {
            '[' | '(' | '{' => {
                self.nested += 1;
                let value = if self.nested > MAX_DEPTH {
                    None
                } else {
                    match next {
                        '[' => self.items("[", "]").map(|(items, _)| Value::list(items)),
                        '(' => self.items("(", ")").and_then(|(mut items, comma)| match items.len() {
                            1 if !comma => items.pop(),
                            _ => Some(Value::list(items)),
                        }),
                        _ => self.braces(),
                    }
                };
                self.nested -= 1;
                value
            }
            '+' | '-' => {
                self.at += 1;
                self.space();
                let negative = next == '-';
                match self.number()? {
                    Value::Int(i) if negative => Some(i.checked_neg().map_or(Value::Null, Value::Int)),
                    Value::Float(f) if negative => Some(Value::Float(-f)),
                    Value::BigInt(digits) if negative => {
                        if digits.as_ref() == "9223372036854775808" {
                            return Some(Value::Int(i64::MIN));
                        }
                        Some(Value::BigInt(format!("-{digits}").into()))
                    }
                    other => Some(other),
                }
            }
            '.' if self.rest().starts_with("...") => {
                self.at += 3;
                Some(self.text_value("..."))
            }
            '0'..='9' | '.' => self.number(),
            _ => self.word_or_string(),
        }
    }

    fn items(&mut self, open: &str, close: &str) -> Option<(Vec<Value>, bool)> {
        self.eat(open).then_some(())?;
        let mut items = Vec::new();
        let mut comma = false;
        loop {
            if self.eat(close) {
                return Some((items, comma));
            }
            if !items.is_empty() && !comma {
                return None;
            }
            items.push(self.value()?);
            comma = self.eat(",");
        }
    }

    /// A dictionary or a set; a set becomes a list.
    fn braces(&mut self) -> Option<Value> {
        self.eat("{").then_some(())?;
        if self.eat("}") {
            return Some(Value::map(Map::new()));
        }
        let first = self.value()?;
        if !self.eat(":") {
            let mut items = vec![first];
            loop {
                let comma = self.eat(",");
                if self.eat("}") {
                    return Some(Value::list(items));
                }
                comma.then_some(())?;
                let item = self.value()?;
                if !items.contains(&item) {
                    items.push(item);
                }
            }
        }
        let mut map = Map::new();
        let mut name = key(first)?;
        loop {
            map.insert(name, self.value()?);
            let comma = self.eat(",");
            if self.eat("}") {
                return Some(Value::map(map));
            }
            comma.then_some(())?;
            name = key(self.value()?)?;
            self.eat(":").then_some(())?;
        }
    }

    fn word_or_string(&mut self) -> Option<Value> {
        let word: &str = {
            let rest = self.rest();
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            &rest[..end]
        };
        let known = match word {
            "True" => Some(Value::Bool(true)),
            "False" => Some(Value::Bool(false)),
            "None" => Some(Value::Null),
            _ => None,
        };
        if let Some(value) = known {
            self.at += word.len();
            return Some(value);
        }
        if self.rest().starts_with("set()") {
            self.at += "set()".len();
            return Some(Value::list(Vec::new()));
        }
        let mut text = self.string()?;
        // Strings beside each other are one string.
        loop {
            self.space();
            if !matches!(self.rest().chars().next(), Some('\'' | '"' | 'r' | 'R' | 'u' | 'U' | 'b' | 'B')) {
                break;
            }
            text.push_str(&self.string()?);
        }
        Some(Value::Str(Str::template(text, self.pos.cloned())))
    }

    fn string(&mut self) -> Option<String> {
        let rest = self.rest();
        let (raw, prefix) = match rest.as_bytes() {
            [b'r' | b'R', b'\'' | b'"', ..] => (true, 1),
            // Bytes are text, too.
            [b'u' | b'U' | b'b' | b'B', b'\'' | b'"', ..] => (false, 1),
            [b'\'' | b'"', ..] => (false, 0),
            _ => return None,
        };
        let quote = &rest[prefix..=prefix];
        let triple = quote.repeat(3);
        let quote = if rest[prefix..].starts_with(&triple) { triple.as_str() } else { quote };
        let mut body = &rest[prefix + quote.len()..];
        let mut text = String::new();
        loop {
            if let Some(after) = body.strip_prefix(quote) {
                self.at = self.text.len() - after.len();
                return Some(text);
            }
            let mut chars = body.chars();
            match chars.next()? {
                '\n' if quote.len() == 1 => return None,
                '\\' if raw => {
                    text.push('\\');
                    text.push(chars.next()?);
                    body = chars.as_str();
                }
                '\\' => body = escape(chars.as_str(), &mut text)?,
                c => {
                    text.push(c);
                    body = chars.as_str();
                }
            }
        }
    }

    fn text_value(&self, text: &str) -> Value {
        Value::Str(Str::template(text, self.pos.cloned()))
    }

    fn number(&mut self) -> Option<Value> {
        let rest = self.rest();
        let end = number_end(rest);
        let token = &rest[..end];
        self.at += end;
        let lower = token.to_ascii_lowercase();
        // Complex numbers have no type here: their text is the value.
        if let Some(imaginary) = lower.strip_suffix('j')
            && !lower.starts_with("0x")
            && imaginary.parse::<f64>().is_ok()
        {
            return Some(self.text_value(&lower));
        }
        for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
            if let Some(digits) = lower.strip_prefix(prefix) {
                let digits = without_underscores(digits.strip_prefix('_').unwrap_or(digits))?;
                return big(&digits, base);
            }
        }
        if lower.contains(['.', 'e']) {
            let (mantissa, exponent) =
                lower.split_once('e').map_or((lower.as_str(), None), |(m, e)| (m, Some(e)));
            let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
            let part = |digits: &str| {
                if digits.is_empty() { Some(String::new()) } else { without_underscores(digits) }
            };
            let (whole, fraction) = (part(whole)?, part(fraction)?);
            if whole.is_empty() && fraction.is_empty() {
                return None;
            }
            let exponent = match exponent {
                Some(e) => {
                    let digits = without_underscores(e.strip_prefix(['+', '-']).unwrap_or(e))?;
                    format!("e{}{digits}", if e.starts_with('-') { "-" } else { "" })
                }
                None => String::new(),
            };
            return format!("{whole}.{fraction}0{exponent}").parse().ok().map(Value::Float);
        }
        let digits = without_underscores(&lower)?;
        if digits.len() > 1 && digits.starts_with('0') && digits.bytes().any(|b| b != b'0') {
            return None;
        }
        big(&digits, 10)
    }
}

/// Where the token of a number ends: letters and digits, dots, and signs after an exponent.
fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let hex = text.len() > 1 && matches!(bytes[1], b'x' | b'X');
    let mut end = 0;
    while let Some(byte) = bytes.get(end) {
        let sign_of_exponent =
            matches!(byte, b'+' | b'-') && end > 0 && matches!(bytes[end - 1], b'e' | b'E') && !hex;
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.') || sign_of_exponent {
            end += 1;
        } else {
            break;
        }
    }
    end
}

/// Digits with single underscores between them.
fn without_underscores(digits: &str) -> Option<String> {
    if digits.is_empty() || digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    let plain: String = digits.chars().filter(|c| *c != '_').collect();
    plain.bytes().all(|b| b.is_ascii_hexdigit()).then_some(plain)
}

fn big(digits: &str, base: u32) -> Option<Value> {
    if digits.len() > 4300 || !digits.chars().all(|c| c.is_digit(base)) {
        return None;
    }
    match i128::from_str_radix(digits, base) {
        Ok(value) => Some(match i64::try_from(value) {
            Ok(small) => Value::Int(small),
            Err(_) => Value::BigInt(value.to_string().into()),
        }),
        Err(_) if base == 10 => Some(Value::BigInt(digits.trim_start_matches('0').into())),
        Err(_) => None,
    }
}

fn escape<'a>(text: &'a str, out: &mut String) -> Option<&'a str> {
    let mut chars = text.chars();
    let simple = match chars.next()? {
        '\n' => return Some(chars.as_str()),
        '\\' => '\\',
        '\'' => '\'',
        '"' => '"',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' => return code(chars.as_str(), 2, 16, out),
        'u' => return code(chars.as_str(), 4, 16, out),
        'U' => return code(chars.as_str(), 8, 16, out),
        '0'..='7' => {
            let length = text.bytes().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
            return code(text, length, 8, out);
        }
        'N' => return None,
        other => {
            // Python keeps the backslash of an escape it does not know.
            out.push('\\');
            other
        }
    };
    out.push(simple);
    Some(chars.as_str())
}

fn code<'a>(text: &'a str, length: usize, base: u32, out: &mut String) -> Option<&'a str> {
    let digits = text.get(..length)?;
    out.push(char::from_u32(u32::from_str_radix(digits, base).ok()?)?);
    text.get(length..)
}

fn key(value: Value) -> Option<Key> {
    Some(match value {
        Value::Null => Key::Null,
        Value::Bool(b) => Key::Bool(b),
        Value::Int(i) => Key::Int(i),
        Value::Float(f) => Key::Float(crate::yaml::python_float(f).into()),
        Value::BigInt(digits) => Key::Float(digits),
        Value::Str(text) => Key::Str(text.shared()),
        _ => return None,
    })
}
