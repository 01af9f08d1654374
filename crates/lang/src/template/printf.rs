//! `'...' % values` and `'...'.format(...)`: Python's two ways to format text.

use crate::template::eval::args::Args;
use crate::template::eval::{attributes, iterate, ops};
use crate::template::object::{Fail, R, V};
use crate::template::repr;

/// Widths beyond this are refused.
const MAX_WIDTH: usize = 1_000_000;

#[derive(Default)]
struct Spec {
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// `template % values`.
pub(crate) fn format(template: &str, values: &V) -> R<String> {
    let values = values.need()?;
    let items: Vec<V> = match &values {
        V::Tuple(items) => items.to_vec(),
        other => vec![other.clone()],
    };
    let mapping = iterate::as_dict(&values)?;
    let mut used = 0;
    let mut named = false;
    let mut next = || -> R<V> {
        used += 1;
        match items.get(used - 1) {
            Some(value) => value.need(),
            None => Fail::python("not enough arguments for format string"),
        }
    };
    let mut out = String::new();
    let mut chars = template.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut spec = Spec::default();
        let mut value = None;
        if chars.peek() == Some(&'(') {
            chars.next();
            let mut key = String::new();
            let mut depth = 1;
            for c in chars.by_ref() {
                match c {
                    '(' => depth += 1,
                    ')' => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                key.push(c);
            }
            let Some(map) = &mapping else { return Fail::python("format requires a mapping") };
            let found = map.borrow().get(key.as_str()).cloned();
            value = Some(found.map_or_else(|| Fail::python(repr::quoted(&key)), |v| v.need())?);
            named = true;
        }
        while let Some(flag) = chars.next_if(|c| "-+ #0".contains(*c)) {
            match flag {
                '-' => spec.left = true,
                '+' => spec.plus = true,
                ' ' => spec.space = true,
                '#' => spec.alternate = true,
                _ => spec.zero = true,
            }
        }
        let mut number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| -> R<(usize, bool)> {
            if chars.next_if_eq(&'*').is_some() {
                return match next()? {
                    V::Int(i) => Ok((usize::try_from(i.unsigned_abs()).unwrap_or(usize::MAX), i < 0)),
                    _ => Fail::python("* wants int"),
                };
            }
            let mut n = 0usize;
            while let Some(d) = chars.next_if(char::is_ascii_digit) {
                n = n.saturating_mul(10).saturating_add(d.to_digit(10).unwrap_or(0) as usize);
            }
            Ok((n, false))
        };
        let (width, negative) = number(&mut chars)?;
        spec.width = width;
        spec.left |= negative;
        if chars.next_if_eq(&'.').is_some() {
            spec.precision = Some(number(&mut chars)?.0);
        }
        if spec.width > MAX_WIDTH || spec.precision.is_some_and(|p| p > MAX_WIDTH) {
            return Fail::python("width too big");
        }
        while chars.next_if(|c| "hlL".contains(*c)).is_some() {}
        let Some(kind) = chars.next() else { return Fail::python("incomplete format") };
        if kind == '%' {
            out.push('%');
            continue;
        }
        if !"diouxXeEfFgGcrsa".contains(kind) {
            let at = template.chars().count() - chars.count() - 1;
            return Fail::python(format!(
                "unsupported format character '{kind}' (0x{:x}) at index {at}",
                kind as u32
            ));
        }
        let value = match value {
            Some(value) => value,
            None => next()?,
        };
        out.push_str(&one(kind, &value, &spec)?);
        if out.len() > ops::MAX_SIZE {
            return Fail::python("formatted text is too long");
        }
    }
    if !named && used < items.len() && mapping.is_none() && !matches!(values, V::List(_)) {
        return Fail::python("not all arguments converted during string formatting");
    }
    if !named && used == 0 && matches!(values, V::List(_)) {
        return Ok(out);
    }
    Ok(out)
}

fn one(kind: char, value: &V, spec: &Spec) -> R<String> {
    match kind {
        's' | 'r' | 'a' => {
            let mut text = if kind == 's' { ops::to_str(value)? } else { repr::repr(value)? };
            if let Some(precision) = spec.precision {
                text = text.chars().take(precision).collect();
            }
            Ok(pad(&text, spec, false))
        }
        'c' => match value {
            V::Int(i) => match u32::try_from(*i).ok().and_then(char::from_u32) {
                Some(c) => Ok(pad(&c.to_string(), spec, false)),
                None => Fail::python("%c arg not in range(0x110000)"),
            },
            V::Str(text) if text.as_str().chars().count() == 1 => Ok(pad(text.as_str(), spec, false)),
            _ => Fail::python("%c requires int or char"),
        },
        'd' | 'i' | 'u' | 'o' | 'x' | 'X' => {
            let i = match value {
                V::Int(i) => *i,
                V::Bool(b) => i128::from(*b),
                V::Float(f) if "diu".contains(kind) => *f as i128,
                other => {
                    let what = if "diu".contains(kind) { "a real number" } else { "an integer" };
                    return Fail::python(format!(
                        "%{kind} format: {what} is required, not {}",
                        other.type_name()
                    ));
                }
            };
            let digits = match kind {
                'o' => format!("{:o}", i.unsigned_abs()),
                'x' => format!("{:x}", i.unsigned_abs()),
                'X' => format!("{:X}", i.unsigned_abs()),
                _ => i.unsigned_abs().to_string(),
            };
            let digits = format!("{digits:0>width$}", width = spec.precision.unwrap_or(0));
            let prefix = match kind {
                'o' if spec.alternate => "0o",
                'x' if spec.alternate => "0x",
                'X' if spec.alternate => "0X",
                _ => "",
            };
            Ok(pad(&format!("{}{prefix}{digits}", sign(i < 0, spec)), spec, true))
        }
        _ => {
            let f = match value {
                V::Int(i) => *i as f64,
                V::Bool(b) => f64::from(u8::from(*b)),
                V::Float(f) => *f,
                other => return Fail::python(format!("must be real number, not {}", other.type_name())),
            };
            let text = float(f.abs(), kind, spec.precision, spec.alternate);
            Ok(pad(&format!("{}{text}", sign(f.is_sign_negative() && !f.is_nan(), spec)), spec, true))
        }
    }
}

fn sign(negative: bool, spec: &Spec) -> &'static str {
    match (negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

fn pad(text: &str, spec: &Spec, number: bool) -> String {
    let len = text.chars().count();
    if len >= spec.width {
        return text.to_string();
    }
    let fill = spec.width - len;
    if spec.left {
        return format!("{text}{}", " ".repeat(fill));
    }
    if spec.zero && number {
        let sign_len = usize::from(text.starts_with(['-', '+', ' ']));
        let (sign, digits) = text.split_at(sign_len);
        return format!("{sign}{}{digits}", "0".repeat(fill));
    }
    format!("{}{text}", " ".repeat(fill))
}

/// A non-negative float by one of C's conversions.
fn float(f: f64, kind: char, precision: Option<usize>, alternate: bool) -> String {
    let precision = precision.unwrap_or(6);
    if !f.is_finite() {
        let text = if f.is_nan() { "nan" } else { "inf" };
        return if kind.is_uppercase() { text.to_uppercase() } else { text.to_string() };
    }
    let text = match kind.to_ascii_lowercase() {
        'f' => format!("{f:.precision$}"),
        'e' => exponent_form(f, precision),
        _ => general(f, precision.max(1), alternate),
    };
    if kind.is_uppercase() { text.to_uppercase() } else { text }
}

fn exponent_form(f: f64, precision: usize) -> String {
    let text = format!("{f:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

fn general(f: f64, precision: usize, alternate: bool) -> String {
    let scientific = format!("{f:.p$e}", p = precision - 1);
    let exponent: i32 = scientific.split_once('e').and_then(|(_, e)| e.parse().ok()).unwrap_or(0);
    let text = if exponent < -4 || exponent >= precision as i32 {
        exponent_form(f, precision - 1)
    } else {
        let places = usize::try_from(precision as i32 - 1 - exponent).unwrap_or(0);
        format!("{f:.places$}")
    };
    if alternate || !text.contains('.') {
        return text;
    }
    match text.split_once('e') {
        Some((mantissa, exponent)) => {
            format!("{}e{exponent}", mantissa.trim_end_matches('0').trim_end_matches('.'))
        }
        None => text.trim_end_matches('0').trim_end_matches('.').to_string(),
    }
}

/// `template.format(*args, **kwargs)`.
pub(crate) fn str_format(template: &str, args: &Args) -> R<String> {
    let mut auto = 0usize;
    format_fields(template, args, &mut auto, 0)
}

fn format_fields(template: &str, args: &Args, auto: &mut usize, depth: usize) -> R<String> {
    if depth > 2 {
        return Fail::python("Max string recursion exceeded");
    }
    let mut out = String::new();
    let chars: Vec<char> = template.chars().collect();
    let mut i = 0;
    while i < chars.len() {
        match chars[i] {
            '{' if chars.get(i + 1) == Some(&'{') => {
                out.push('{');
                i += 2;
            }
            '}' if chars.get(i + 1) == Some(&'}') => {
                out.push('}');
                i += 2;
            }
            '}' => return Fail::python("Single '}' encountered in format string"),
            '{' => {
                let mut level = 1;
                let start = i + 1;
                i = start;
                while i < chars.len() && level > 0 {
                    match chars[i] {
                        '{' => level += 1,
                        '}' => level -= 1,
                        _ => {}
                    }
                    i += 1;
                }
                if level > 0 {
                    let message = if start >= chars.len() {
                        "Single '{' encountered in format string"
                    } else {
                        "expected '}' before end of string"
                    };
                    return Fail::python(message);
                }
                let field: String = chars[start..i - 1].iter().collect();
                out.push_str(&format_field(&field, args, auto, depth)?);
            }
            c => {
                out.push(c);
                i += 1;
            }
        }
        if out.len() > ops::MAX_SIZE {
            return Fail::python("formatted text is too long");
        }
    }
    Ok(out)
}

fn format_field(field: &str, args: &Args, auto: &mut usize, depth: usize) -> R<String> {
    let (head, spec) = split_spec(field);
    let (name, conversion) = match head.split_once('!') {
        Some((name, conversion)) => (name, Some(conversion)),
        None => (head, None),
    };
    let mut value = field_value(name, args, auto)?;
    match conversion {
        None => {}
        Some("s") => value = V::str(ops::to_str(&value)?),
        Some("r" | "a") => value = V::str(repr::repr(&value)?),
        Some(other) => return Fail::python(format!("Unknown conversion specifier {}", repr::quoted(other))),
    }
    let spec = format_fields(spec, args, auto, depth + 1)?;
    format_spec(&value, &spec)
}

/// At the first colon outside of brackets.
fn split_spec(field: &str) -> (&str, &str) {
    let mut bracket = false;
    for (i, c) in field.char_indices() {
        match c {
            '[' => bracket = true,
            ']' => bracket = false,
            ':' if !bracket => return (&field[..i], &field[i + 1..]),
            _ => {}
        }
    }
    (field, "")
}

fn field_value(name: &str, args: &Args, auto: &mut usize) -> R<V> {
    let end = name.find(['.', '[']).unwrap_or(name.len());
    let (first, mut rest) = name.split_at(end);
    let mut value = if first.is_empty() || first.bytes().all(|b| b.is_ascii_digit()) {
        let index = if first.is_empty() {
            *auto += 1;
            *auto - 1
        } else {
            first.parse().unwrap_or(usize::MAX)
        };
        match args.pos.get(index) {
            Some(value) => value.need()?,
            None => {
                return Fail::python(format!(
                    "Replacement index {index} out of range for positional args tuple"
                ));
            }
        }
    } else {
        match args.kw.iter().find(|(n, _)| n.as_ref() == first) {
            Some((_, value)) => value.need()?,
            None => return Fail::python(repr::quoted(first)),
        }
    };
    while !rest.is_empty() {
        if let Some(tail) = rest.strip_prefix('.') {
            let end = tail.find(['.', '[']).unwrap_or(tail.len());
            value = attributes::get_attr(&value, &tail[..end].into())?.need()?;
            rest = &tail[end..];
        } else if let Some(tail) = rest.strip_prefix('[') {
            let Some(end) = tail.find(']') else { return Fail::python("Missing ']' in format string") };
            let key = &tail[..end];
            let index = key.parse::<i128>().map_or_else(|_| V::str(key), V::Int);
            value = attributes::get_item(&value, &index)?.need()?;
            rest = &tail[end + 1..];
        } else {
            return Fail::python("Only '.' or '[' may follow ']' in format field specifier");
        }
    }
    Ok(value)
}

/// Python's format specification: `[[fill]align][sign][#][0][width][,][.precision][type]`.
pub(crate) fn format_spec(value: &V, spec: &str) -> R<String> {
    if spec.is_empty() {
        return ops::to_str(value);
    }
    if let V::Obj(obj) = value
        && let crate::template::object::Obj::DateTime(at, zone) = obj.as_ref()
    {
        return crate::template::time::strftime(at, zone.as_ref(), spec);
    }
    let chars: Vec<char> = spec.chars().collect();
    let mut i = 0;
    let (mut fill, mut align) = (' ', None);
    if chars.get(1).is_some_and(|c| "<>=^".contains(*c)) {
        fill = chars[0];
        align = chars.get(1).copied();
        i = 2;
    } else if chars.first().is_some_and(|c| "<>=^".contains(*c)) {
        align = chars.first().copied();
        i = 1;
    }
    let mut parsed = Spec::default();
    match chars.get(i) {
        Some('+') => {
            parsed.plus = true;
            i += 1;
        }
        Some(' ') => {
            parsed.space = true;
            i += 1;
        }
        Some('-') => i += 1,
        _ => {}
    }
    if chars.get(i) == Some(&'#') {
        parsed.alternate = true;
        i += 1;
    }
    if chars.get(i) == Some(&'0') && align.is_none() {
        fill = '0';
        align = Some('=');
        i += 1;
    }
    let digits = |i: &mut usize| {
        let mut n = None;
        while let Some(d) = chars.get(*i).and_then(|c| c.to_digit(10)) {
            n = Some(n.unwrap_or(0usize).saturating_mul(10).saturating_add(d as usize));
            *i += 1;
        }
        n
    };
    let width = digits(&mut i).unwrap_or(0);
    let mut group = None;
    if let Some(c @ (',' | '_')) = chars.get(i) {
        group = Some(*c);
        i += 1;
    }
    let mut precision = None;
    if chars.get(i) == Some(&'.') {
        i += 1;
        precision = digits(&mut i);
        if precision.is_none() {
            return Fail::python("Format specifier missing precision");
        }
    }
    if width > MAX_WIDTH || precision.is_some_and(|p| p > MAX_WIDTH) {
        return Fail::python("width too big");
    }
    let kind = chars.get(i).copied();
    let invalid = || {
        Fail::python(format!("Invalid format specifier '{spec}' for object of type '{}'", value.type_name()))
    };
    if chars.len() > i + 1 {
        return invalid();
    }
    let unknown = |kind: char| {
        Fail::python(format!("Unknown format code '{kind}' for object of type '{}'", value.type_name()))
    };
    let (sign_text, body, numeric) = match (value, kind) {
        (V::Str(text), None | Some('s')) => {
            let text: String = text.as_str().chars().take(precision.unwrap_or(usize::MAX)).collect();
            ("", text, false)
        }
        (V::Str(_), Some(kind)) => return unknown(kind),
        (V::Int(_) | V::Bool(_), None | Some('d' | 'b' | 'o' | 'x' | 'X' | 'c' | 'n')) => {
            let n = match value {
                V::Int(n) => *n,
                V::Bool(b) => i128::from(*b),
                _ => 0,
            };
            let magnitude = n.unsigned_abs();
            let text = match kind {
                Some('b') => format!("{}{magnitude:b}", if parsed.alternate { "0b" } else { "" }),
                Some('o') => format!("{}{magnitude:o}", if parsed.alternate { "0o" } else { "" }),
                Some('x') => format!("{}{magnitude:x}", if parsed.alternate { "0x" } else { "" }),
                Some('X') => format!("{}{magnitude:X}", if parsed.alternate { "0X" } else { "" }),
                Some('c') => {
                    u32::try_from(n).ok().and_then(char::from_u32).map(String::from).unwrap_or_default()
                }
                _ => grouped(&magnitude.to_string(), group),
            };
            (sign(n < 0, &parsed), text, true)
        }
        (
            V::Int(_) | V::Bool(_) | V::Float(_),
            None | Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' | 'n'),
        ) => {
            let f = match value {
                V::Int(n) => *n as f64,
                V::Bool(b) => f64::from(u8::from(*b)),
                V::Float(f) => *f,
                _ => 0.0,
            };
            let magnitude = f.abs();
            let text = match (kind, precision) {
                (Some('%'), p) => format!("{}%", float(magnitude * 100.0, 'f', p, false)),
                (Some(kind), p) => {
                    float(magnitude, if kind == 'n' { 'g' } else { kind }, p, parsed.alternate)
                }
                (None, Some(p)) => float(magnitude, 'g', Some(p), false),
                (None, None) => repr::float(magnitude),
            };
            (sign(f.is_sign_negative(), &parsed), grouped(&text, group), true)
        }
        (V::Int(_) | V::Bool(_) | V::Float(_), Some(kind)) => return unknown(kind),
        (other, _) => {
            return Fail::python(format!(
                "unsupported format string passed to {}.__format__",
                other.type_name()
            ));
        }
    };
    let len = sign_text.chars().count() + body.chars().count();
    let missing = width.saturating_sub(len);
    let fills = |n: usize| fill.to_string().repeat(n);
    Ok(match align.unwrap_or(if numeric { '>' } else { '<' }) {
        '<' => format!("{sign_text}{body}{}", fills(missing)),
        '^' => format!("{}{sign_text}{body}{}", fills(missing / 2), fills(missing - missing / 2)),
        '=' if numeric => format!("{sign_text}{}{body}", fills(missing)),
        '=' => return Fail::python("'=' alignment not allowed in string format specifier"),
        _ => format!("{}{sign_text}{body}", fills(missing)),
    })
}

/// Thousands separated in the part before the point.
fn grouped(text: &str, group: Option<char>) -> String {
    let Some(separator) = group else { return text.to_string() };
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, rest) = text.split_at(end);
    let mut out = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i) % 3 == 0 {
            out.push(separator);
        }
        out.push(c);
    }
    out + rest
}
