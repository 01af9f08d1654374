//! Durations in words (`1h 30m`) as numbers.

use std::rc::Rc;

use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::ops;
use crate::template::object::{Fail, R, V};
use crate::template::repr;

/// Milliseconds in a unit; days of years and months can be chosen.
fn factor(unit: &str, year: f64, month: f64) -> Option<f64> {
    const SECOND: f64 = 1000.0;
    const DAY: f64 = 86_400.0 * SECOND;
    // The long names have a plural; the short ones do not.
    Some(match (unit, unit.strip_suffix('s').unwrap_or(unit)) {
        ("ms", _) | (_, "millisecond" | "msec" | "msecond") => 1.0,
        ("s", _) | (_, "sec" | "second") => SECOND,
        ("m", _) | (_, "min" | "minute") => 60.0 * SECOND,
        ("h", _) | (_, "hour") => 3600.0 * SECOND,
        ("d", _) | (_, "day") => DAY,
        ("w", _) | (_, "week") => 7.0 * DAY,
        ("mo", _) | (_, "month") => month * DAY,
        ("y", _) | (_, "year") => year * DAY,
        _ => return None,
    })
}

pub(super) fn to_time_unit(_: &Rc<Env>, value: V, mut args: Args) -> R<V> {
    let unit = if args.pos.is_empty() { args.take("unit")? } else { Some(args.pos.remove(0)) };
    let unit = unit.map_or(Ok("ms".to_owned()), |unit| ops::to_str(&unit))?;
    to_unit(value, args, &unit)
}

pub(super) fn to_unit(value: V, mut args: Args, unit: &str) -> R<V> {
    let mut days = |name: &str, default: f64| -> R<f64> {
        let Some(given) = args.take(name)? else { return Ok(default) };
        match given {
            V::Int(n) => Ok(n as f64),
            V::Float(f) => Ok(f),
            other => ops::to_str(&other)?.trim().parse().or_else(|_| {
                Fail::python(format!("could not convert string to float: {}", repr::repr(&other)?))
            }),
        }
    };
    let (year, month) = (days("year", 365.0)?, days("month", 30.0)?);
    if let Some((unknown, _)) = args.kw.first() {
        return Fail::python(format!("to_time_unit() got unknown keyword arguments: {unknown}"));
    }
    let Some(divisor) = factor(unit, year, month) else {
        return Fail::python(format!(
            "to_time_unit() can not convert to the following unit: {unit}. Available units (singular or plural): \
             millisecond, msec, msecond, sec, second, hour, min, minute, day, week, month, year. Available short units: \
             ms, s, m, h, d, w, mo, y"
        ));
    };
    let V::Str(text) = &value else {
        return Fail::python(format!("'{}' object has no attribute 'split'", value.type_name()));
    };
    let text = text.as_str();
    let mut all = 0.0;
    for word in text.split_whitespace() {
        let digits =
            word.find(|c: char| !c.is_ascii_digit() && !matches!(c, '+' | '-')).unwrap_or(word.len());
        let (number, unit) = word.split_at(digits);
        let number = number.parse::<i64>().ok().filter(|_| unit.chars().all(|c| c.is_ascii_alphabetic()));
        let Some(number) = number.filter(|_| !unit.is_empty()) else {
            return Fail::python(format!("to_time_unit() can not interpret following string: {text}"));
        };
        let Some(factor) = factor(unit, year, month) else {
            return Fail::python(format!("to_time_unit() can not interpret following string: {text}"));
        };
        all += number as f64 * factor;
    }
    // Twelve digits behind the point are enough to hide how it was reckoned.
    Ok(V::Float((all / divisor * 1e12).round() / 1e12))
}
