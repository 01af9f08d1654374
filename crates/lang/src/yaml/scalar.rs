//! What a plain scalar is: the rules of YAML 1.1 as PyYAML has them.
//!
//! Source: PyYAML's documentation of the standard tags and its observable behaviour, recorded in
//! `tests/recorded/yaml.json`. They differ from YAML 1.2: `yes` is true, `0644` is octal, `1:30` is ninety, `1e3`
//! is text because a float needs a dot and a signed exponent.

use std::sync::Arc;

/// Python's own limit for integers written in decimal.
const MAX_DIGITS: usize = 4300;

/// What a plain scalar stands for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Plain {
    Null,
    Bool(bool),
    Int(i64),
    /// Digits of an integer beyond 64 bits, with its sign.
    BigInt(Arc<str>),
    Float(f64),
    /// A date or a moment, in ISO 8601 as Ansible shows it.
    Timestamp(String),
    /// `<<`
    Merge,
    /// `=`, which has a tag of its own that nothing understands.
    Value,
    Str,
}

/// Resolve a plain scalar. An error is a text that looks like a number or a date and is none (`0x_`, `2001-02-30`).
pub(crate) fn resolve(text: &str) -> Result<Plain, String> {
    let Some(&first) = text.as_bytes().first() else { return Ok(Plain::Null) };
    match first {
        b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' => Ok(match text {
            _ if parse_bool(text).is_some() && is_exact_bool(text) => {
                Plain::Bool(parse_bool(text) == Some(true))
            }
            "null" | "Null" | "NULL" => Plain::Null,
            _ => Plain::Str,
        }),
        b'~' if text == "~" => Ok(Plain::Null),
        b'<' if text == "<<" => Ok(Plain::Merge),
        b'=' if text == "=" => Ok(Plain::Value),
        b'0'..=b'9' | b'+' | b'-' | b'.' => {
            if is_float(text) {
                return parse_float(text).map(Plain::Float);
            }
            if is_int(text) {
                return parse_int(text);
            }
            if first.is_ascii_digit() && is_timestamp(text) {
                return parse_timestamp(text).map(Plain::Timestamp);
            }
            Ok(Plain::Str)
        }
        _ => Ok(Plain::Str),
    }
}

/// The short name of the tag that a plain scalar resolves to.
pub(crate) fn tag_of(text: &str) -> &'static str {
    match resolve(text) {
        Ok(Plain::Null) => "null",
        Ok(Plain::Bool(_)) => "bool",
        Ok(Plain::Int(_) | Plain::BigInt(_)) => "int",
        Ok(Plain::Float(_)) => "float",
        Ok(Plain::Merge) => "merge",
        Ok(Plain::Value) => "value",
        Ok(Plain::Str) => "str",
        // A number or date that is wrong still looks like one.
        Ok(Plain::Timestamp(_)) | Err(_) => "timestamp",
    }
}

/// The words for true and false, whatever their case.
pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" => Some(true),
        "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

/// `yes`, `Yes` or `YES`, but not `yEs`.
fn is_exact_bool(text: &str) -> bool {
    let rest = &text[1..];
    let lower = rest.bytes().all(|b| b.is_ascii_lowercase());
    let upper = text.bytes().all(|b| b.is_ascii_uppercase());
    lower || upper
}

fn strip_sign(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

fn all(text: &str, allowed: impl Fn(u8) -> bool) -> bool {
    text.bytes().all(allowed)
}

fn digits(text: &str) -> bool {
    all(text, |b| b.is_ascii_digit() || b == b'_')
}

/// `:[0-5]?[0-9]` any number of times, at least once.
fn is_sexagesimal_tail(parts: &mut std::str::Split<'_, char>) -> bool {
    let mut count = 0;
    for part in parts {
        count += 1;
        let ok = match part.as_bytes() {
            [d] => d.is_ascii_digit(),
            [t, d] => (b'0'..=b'5').contains(t) && d.is_ascii_digit(),
            _ => false,
        };
        if !ok {
            return false;
        }
    }
    count > 0
}

fn is_int(text: &str) -> bool {
    let body = strip_sign(text);
    if let Some(rest) = body.strip_prefix("0b") {
        return !rest.is_empty() && all(rest, |b| matches!(b, b'0' | b'1' | b'_'));
    }
    if let Some(rest) = body.strip_prefix("0x") {
        return !rest.is_empty() && all(rest, |b| b.is_ascii_hexdigit() || b == b'_');
    }
    if let Some(rest) = body.strip_prefix('0') {
        return all(rest, |b| matches!(b, b'0'..=b'7' | b'_'));
    }
    if !body.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let mut parts = body.split(':');
    let head = parts.next().unwrap_or_default();
    digits(head) && (head.len() == body.len() || is_sexagesimal_tail(&mut parts))
}

fn is_float(text: &str) -> bool {
    let body = strip_sign(text);
    if matches!(body, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let Some((whole, rest)) = body.split_once('.') else { return false };
    if whole.contains(':') {
        let mut parts = whole.split(':');
        let head = parts.next().unwrap_or_default();
        return head.starts_with(|c: char| c.is_ascii_digit())
            && digits(head)
            && is_sexagesimal_tail(&mut parts)
            && digits(rest);
    }
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], Some(&rest[at + 1..])),
        None => (rest, None),
    };
    let exponent_ok = exponent.is_none_or(|e| {
        let unsigned = strip_sign(e);
        unsigned.len() + 1 == e.len() && !unsigned.is_empty() && all(unsigned, |b| b.is_ascii_digit())
    });
    let whole_ok = if whole.is_empty() {
        // `.5` but neither `-.5` nor `.`
        body.len() == text.len() && fraction.starts_with(|c: char| c.is_ascii_digit())
    } else {
        whole.starts_with(|c: char| c.is_ascii_digit()) && digits(whole)
    };
    whole_ok && digits(fraction) && exponent_ok
}

/// A whole number as YAML 1.1 writes it; also for `!!int "..."`.
pub(crate) fn parse_int(text: &str) -> Result<Plain, String> {
    let cleaned = text.replace('_', "");
    let (negative, body) = match cleaned.as_bytes().first() {
        Some(b'-') => (true, &cleaned[1..]),
        Some(b'+') => (false, &cleaned[1..]),
        _ => (false, cleaned.as_str()),
    };
    let wrong = |base: u32, body: &str| format!("invalid literal for int() with base {base}: '{body}'");
    let (base, number) = if body == "0" {
        return Ok(Plain::Int(0));
    } else if let Some(rest) = body.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = body.strip_prefix("0x") {
        (16, rest)
    } else if body.starts_with('0') {
        (8, body)
    } else if body.contains(':') {
        return parse_sexagesimal(body, negative).ok_or_else(|| wrong(10, body));
    } else {
        (10, body)
    };
    if number.len() > MAX_DIGITS {
        return Err(format!("Exceeds the limit ({MAX_DIGITS} digits) for integer string conversion"));
    }
    if number.is_empty() || !number.chars().all(|c| c.is_digit(base)) {
        return Err(wrong(base, number));
    }
    Ok(integer(number, base, negative))
}

/// Digits of a base, as an integer of any size.
pub(crate) fn integer(digits: &str, base: u32, negative: bool) -> Plain {
    if let Ok(value) = i128::from_str_radix(digits, base) {
        let value = if negative { -value } else { value };
        return match i64::try_from(value) {
            Ok(small) => Plain::Int(small),
            Err(_) => Plain::BigInt(value.to_string().into()),
        };
    }
    let sign = if negative { "-" } else { "" };
    let decimal =
        if base == 10 { digits.trim_start_matches('0').to_owned() } else { to_decimal(digits, base) };
    Plain::BigInt(format!("{sign}{decimal}").into())
}

/// Digits of a base below 16 and beyond 128 bits in decimal. Quadratic, hence [`MAX_DIGITS`].
fn to_decimal(digits: &str, base: u32) -> String {
    const LIMB: u64 = 1_000_000_000;
    let mut limbs: Vec<u64> = vec![0];
    for digit in digits.chars().filter_map(|c| c.to_digit(base)) {
        let mut carry = u64::from(digit);
        for limb in &mut limbs {
            let value = *limb * u64::from(base) + carry;
            *limb = value % LIMB;
            carry = value / LIMB;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let mut text = limbs.last().map(u64::to_string).unwrap_or_default();
    for limb in limbs.iter().rev().skip(1) {
        text.push_str(&format!("{limb:09}"));
    }
    text
}

fn parse_sexagesimal(body: &str, negative: bool) -> Option<Plain> {
    let mut total: i128 = 0;
    for part in body.split(':') {
        total = total.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    let total = if negative { -total } else { total };
    Some(i64::try_from(total).map_or_else(|_| Plain::BigInt(total.to_string().into()), Plain::Int))
}

/// A number with a fraction as YAML 1.1 writes it; also for `!!float "..."`.
pub(crate) fn parse_float(text: &str) -> Result<f64, String> {
    let cleaned = text.replace('_', "").to_ascii_lowercase();
    let (sign, body) = match cleaned.as_bytes().first() {
        Some(b'-') => (-1.0, &cleaned[1..]),
        Some(b'+') => (1.0, &cleaned[1..]),
        _ => (1.0, cleaned.as_str()),
    };
    let wrong = || format!("could not convert string to float: '{body}'");
    match body {
        ".inf" => Ok(sign * f64::INFINITY),
        ".nan" => Ok(f64::NAN),
        _ if body.contains(':') => {
            let mut value = 0.0;
            for part in body.split(':') {
                value = value * 60.0 + part.parse::<f64>().map_err(|_| wrong())?;
            }
            Ok(sign * value)
        }
        _ => body.parse::<f64>().map(|v| sign * v).map_err(|_| wrong()),
    }
}

/// `2001-12-14`, or a date of looser digits with a time.
fn is_timestamp(text: &str) -> bool {
    split_timestamp(text).is_some()
}

struct Moment<'a> {
    date: [u32; 3],
    time: Option<[u32; 3]>,
    fraction: Option<&'a str>,
    /// `Z`, `+1`, `-05:00` ...
    zone: Option<&'a str>,
}

/// Take between `min` and `max` digits off the front.
fn take_digits(text: &str, min: usize, max: usize) -> Option<(u32, &str)> {
    let n = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    if n < min {
        return None;
    }
    Some((text[..n].parse().ok()?, &text[n..]))
}

fn split_timestamp(text: &str) -> Option<Moment<'_>> {
    let (year, rest) = take_digits(text, 4, 4)?;
    let (month, rest) = take_digits(rest.strip_prefix('-')?, 1, 2)?;
    let rest = rest.strip_prefix('-')?;
    let (day, rest) = take_digits(rest, 1, 2)?;
    if rest.is_empty() {
        // A date alone has exactly two digits each.
        return (text.len() == 10).then_some(Moment {
            date: [year, month, day],
            time: None,
            fraction: None,
            zone: None,
        });
    }
    let rest = match rest.strip_prefix(['T', 't']) {
        Some(rest) => rest,
        None => {
            let trimmed = rest.trim_start_matches([' ', '\t']);
            (trimmed.len() < rest.len()).then_some(trimmed)?
        }
    };
    let (hour, rest) = take_digits(rest, 1, 2)?;
    let (minute, rest) = take_digits(rest.strip_prefix(':')?, 2, 2)?;
    let (second, rest) = take_digits(rest.strip_prefix(':')?, 2, 2)?;
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => {
            let n = rest.bytes().take_while(u8::is_ascii_digit).count();
            (Some(&rest[..n]), &rest[n..])
        }
        None => (None, rest),
    };
    let moment =
        |zone| Some(Moment { date: [year, month, day], time: Some([hour, minute, second]), fraction, zone });
    if rest.is_empty() {
        return moment(None);
    }
    let zone = rest.trim_start_matches([' ', '\t']);
    if zone == "Z" {
        return moment(Some(zone));
    }
    let (_, tail) = take_digits(zone.strip_prefix(['+', '-'])?, 1, 2)?;
    if !tail.is_empty() {
        let (_, tail) = take_digits(tail.strip_prefix(':')?, 2, 2)?;
        tail.is_empty().then_some(())?;
    }
    moment(Some(zone))
}

/// A date or moment in ISO 8601, or what is wrong with it in Python's words.
pub(crate) fn parse_timestamp(text: &str) -> Result<String, String> {
    let Some(moment) = split_timestamp(text) else { return Err(format!("'{text}' is not a timestamp")) };
    let [year, month, day] = moment.date;
    if year == 0 {
        return Err("year 0 is out of range".into());
    }
    if !(1..=12).contains(&month) {
        return Err("month must be in 1..12".into());
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=last).contains(&day) {
        return Err("day is out of range for month".into());
    }
    let mut iso = format!("{year:04}-{month:02}-{day:02}");
    let Some([hour, minute, second]) = moment.time else { return Ok(iso) };
    if hour > 23 {
        return Err("hour must be in 0..23".into());
    }
    if minute > 59 {
        return Err("minute must be in 0..59".into());
    }
    if second > 59 {
        return Err("second must be in 0..59".into());
    }
    iso.push_str(&format!("T{hour:02}:{minute:02}:{second:02}"));
    if let Some(fraction) = moment.fraction {
        let micros: String = fraction.chars().chain("000000".chars()).take(6).collect();
        if micros.bytes().any(|b| b != b'0') {
            iso.push('.');
            iso.push_str(&micros);
        }
    }
    match moment.zone {
        None => {}
        Some("Z") => iso.push_str("+00:00"),
        Some(zone) => {
            let (hours, minutes) = zone[1..].split_once(':').unwrap_or((&zone[1..], "0"));
            let (hours, minutes) = (hours.parse::<u32>().unwrap_or(0), minutes.parse::<u32>().unwrap_or(0));
            if hours * 60 + minutes >= 24 * 60 {
                return Err("offset must be a timedelta strictly between -24 and 24 hours".into());
            }
            let sign = if hours * 60 + minutes == 0 { "+" } else { &zone[..1] };
            let (hours, minutes) = (hours + minutes / 60, minutes % 60);
            iso.push_str(&format!("{sign}{hours:02}:{minutes:02}"));
        }
    }
    Ok(iso)
}
