//! Points in time and durations: what `now()`, `to_datetime` and their differences give.

use std::sync::Arc;

use chrono::{Datelike, FixedOffset, NaiveDateTime, TimeDelta, TimeZone, Timelike};

use crate::template::eval::args::Args;
use crate::template::object::{Fail, Obj, R, V};
use crate::template::syntax::ast::BinOp;

pub(crate) const METHODS: &[&str] = &[
    "strftime",
    "isoformat",
    "timestamp",
    "weekday",
    "isoweekday",
    "date",
    "time",
    "replace",
    "utcnow",
    "now",
    "ctime",
];

pub(crate) fn show(at: &NaiveDateTime, zone: Option<&FixedOffset>) -> String {
    let mut out = at.format("%Y-%m-%d %H:%M:%S").to_string();
    if at.nanosecond() / 1000 != 0 {
        out.push_str(&format!(".{:06}", at.nanosecond() / 1000));
    }
    if let Some(zone) = zone {
        out.push_str(&zone.to_string());
    }
    out
}

/// A duration as Python prints it: `1 day, 2:03:04.5`.
pub(crate) fn show_delta(micros: i128) -> String {
    let (days, rest) = (micros.div_euclid(86_400_000_000), micros.rem_euclid(86_400_000_000));
    let (seconds, micros) = (rest / 1_000_000, rest % 1_000_000);
    let mut out = String::new();
    if days != 0 {
        out.push_str(&format!("{days} day{}, ", if days.abs() == 1 { "" } else { "s" }));
    }
    out.push_str(&format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60));
    if micros != 0 {
        out.push_str(&format!(".{micros:06}"));
    }
    out
}

pub(crate) fn attribute(at: &NaiveDateTime, zone: Option<&FixedOffset>, name: &str) -> Option<V> {
    Some(match name {
        "year" => V::int(at.year()),
        "month" => V::int(at.month()),
        "day" => V::int(at.day()),
        "hour" => V::int(at.hour()),
        "minute" => V::int(at.minute()),
        "second" => V::int(at.second()),
        "microsecond" => V::int(at.nanosecond() / 1000),
        "tzinfo" => zone.map_or(V::None, |z| V::str(z.to_string())),
        _ => return None,
    })
}

pub(crate) fn delta_attribute(micros: i128, name: &str) -> Option<V> {
    Some(match name {
        "days" => V::Int(micros.div_euclid(86_400_000_000)),
        "seconds" => V::Int(micros.rem_euclid(86_400_000_000) / 1_000_000),
        "microseconds" => V::Int(micros.rem_euclid(1_000_000)),
        _ => return None,
    })
}

pub(crate) fn method(at: &NaiveDateTime, zone: Option<&FixedOffset>, name: &str, args: Args) -> R<V> {
    match name {
        "strftime" => {
            let b = args.bind("strftime", ["format"], 1)?;
            strftime(at, zone, &b.string(0, "")?).map(V::str)
        }
        "isoformat" => {
            let b = args.bind("isoformat", ["sep", "timespec"], 0)?;
            Ok(V::str(show(at, zone).replacen(' ', &b.string(0, "T")?, 1)))
        }
        "timestamp" => Ok(V::Float(timestamp(at, zone))),
        "weekday" => Ok(V::int(at.weekday().num_days_from_monday())),
        "isoweekday" => Ok(V::int(at.weekday().number_from_monday())),
        "date" => Ok(V::str(at.format("%Y-%m-%d").to_string())),
        "time" => Ok(V::str(at.format("%H:%M:%S").to_string())),
        "ctime" => Ok(V::str(at.format("%a %b %e %H:%M:%S %Y").to_string())),
        "replace" => {
            let b = args.bind(
                "replace",
                ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"],
                0,
            )?;
            let field = |i: usize, old: u32| -> R<u32> {
                Ok(u32::try_from(b.int(i, i128::from(old))?).unwrap_or(u32::MAX))
            };
            let year = i32::try_from(b.int(0, i128::from(at.year()))?).unwrap_or(i32::MAX);
            let date = chrono::NaiveDate::from_ymd_opt(year, field(1, at.month())?, field(2, at.day())?);
            let time = chrono::NaiveTime::from_hms_micro_opt(
                field(3, at.hour())?,
                field(4, at.minute())?,
                field(5, at.second())?,
                field(6, at.nanosecond() / 1000)?,
            );
            match (date, time) {
                (Some(date), Some(time)) => {
                    let zone = if matches!(b.get(7), Some(V::None)) { None } else { zone.copied() };
                    Ok(V::obj(Obj::DateTime(date.and_time(time), zone)))
                }
                _ => Fail::python("day is out of range for month"),
            }
        }
        _ => Fail::python(format!("method '{name}' of datetime is not supported")),
    }
}

fn timestamp(at: &NaiveDateTime, zone: Option<&FixedOffset>) -> f64 {
    let micros = match zone {
        Some(zone) => at.and_utc().timestamp_micros() - i64::from(zone.local_minus_utc()) * 1_000_000,
        None => chrono::Local
            .from_local_datetime(at)
            .earliest()
            .map_or_else(|| at.and_utc().timestamp_micros(), |t| t.timestamp_micros()),
    };
    micros as f64 / 1e6
}

/// C's `strftime`, as Python passes it on.
pub(crate) fn strftime(at: &NaiveDateTime, zone: Option<&FixedOffset>, format: &str) -> R<String> {
    use std::fmt::Write as _;
    let micros = format!("{:06}", at.nanosecond() / 1000);
    let epoch = (timestamp(at, zone).floor() as i64).to_string();
    let format = replace_directive(&replace_directive(format, 'f', &micros), 's', &epoch);
    let mut out = String::new();
    let result = match zone {
        Some(zone) => match zone.from_local_datetime(at).single() {
            Some(full) => write!(out, "{}", full.format(&format)),
            None => write!(out, "{}", at.format(&format)),
        },
        // Without a zone %z and %Z are empty, as in Python.
        None => {
            let format = replace_directive(&replace_directive(&format, 'z', ""), 'Z', "");
            write!(out, "{}", at.format(&format))
        }
    };
    if result.is_err() {
        return Fail::python(format!("Invalid format string '{format}'"));
    }
    Ok(out)
}

fn replace_directive(format: &str, directive: char, value: &str) -> String {
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some(d) if d == directive => out.push_str(value),
            Some(d) => {
                out.push('%');
                out.push(d);
            }
            None => out.push('%'),
        }
    }
    out
}

/// `+` and `-` of points in time and durations, `None` when the operands are not that.
pub(crate) fn arithmetic(op: BinOp, left: &V, right: &V) -> Option<R<V>> {
    let (V::Obj(a), V::Obj(b)) = (left, right) else { return None };
    let micros = |t: &NaiveDateTime, z: &Option<FixedOffset>| {
        i128::from(t.and_utc().timestamp_micros())
            - z.map_or(0, |z| i128::from(z.local_minus_utc()) * 1_000_000)
    };
    let shifted = |t: &NaiveDateTime, z: Option<FixedOffset>, by: i128| -> R<V> {
        let by = i64::try_from(by).map(TimeDelta::microseconds);
        match by.ok().and_then(|by| t.checked_add_signed(by)) {
            Some(t) => Ok(V::obj(Obj::DateTime(t, z))),
            None => Fail::python("date value out of range"),
        }
    };
    Some(match (op, a.as_ref(), b.as_ref()) {
        (BinOp::Sub, Obj::DateTime(a, za), Obj::DateTime(b, zb)) => {
            Ok(V::obj(Obj::TimeDelta(micros(a, za) - micros(b, zb))))
        }
        (BinOp::Sub, Obj::DateTime(a, z), Obj::TimeDelta(d)) => shifted(a, *z, -d),
        (BinOp::Add, Obj::DateTime(a, z), Obj::TimeDelta(d))
        | (BinOp::Add, Obj::TimeDelta(d), Obj::DateTime(a, z)) => shifted(a, *z, *d),
        (BinOp::Add, Obj::TimeDelta(a), Obj::TimeDelta(b)) => Ok(V::obj(Obj::TimeDelta(a + b))),
        (BinOp::Sub, Obj::TimeDelta(a), Obj::TimeDelta(b)) => Ok(V::obj(Obj::TimeDelta(a - b))),
        _ => return None,
    })
}

/// `now(utc, fmt)`.
pub(crate) fn now(utc: bool, format: Option<Arc<str>>) -> R<V> {
    let at = if utc { chrono::Utc::now().naive_utc() } else { chrono::Local::now().naive_local() };
    match format {
        Some(format) if !format.is_empty() => strftime(&at, None, &format).map(V::str),
        _ => Ok(V::obj(Obj::DateTime(at, None))),
    }
}

/// Python's `datetime.strptime`.
pub(crate) fn parse(text: &str, format: &str) -> R<V> {
    let mismatch = || {
        Fail::python(format!(
            "time data {} does not match format {}",
            crate::template::repr::quoted(text),
            crate::template::repr::quoted(format)
        ))
    };
    // %f stands for the digits alone, without the point that chrono's %.f includes.
    let chrono_format = format.replace(".%f", "%.f");
    let mut parsed = chrono::format::Parsed::new();
    let items = chrono::format::StrftimeItems::new(&chrono_format);
    if chrono::format::parse(&mut parsed, text, items).is_err() {
        return mismatch();
    }
    let zone = parsed.to_fixed_offset().ok();
    let date = match parsed.to_naive_date() {
        Ok(date) => date,
        Err(_) => {
            let year = parsed.year().or(Some(1900)).unwrap_or(1900);
            let (month, day) = (parsed.month().unwrap_or(1), parsed.day().unwrap_or(1));
            match chrono::NaiveDate::from_ymd_opt(year, month, day) {
                Some(date) => date,
                None => return mismatch(),
            }
        }
    };
    let time = parsed.to_naive_time().or_else(|_| {
        let hour = parsed.hour_mod_12().unwrap_or(0) + 12 * parsed.hour_div_12().unwrap_or(0);
        chrono::NaiveTime::from_hms_opt(hour, parsed.minute().unwrap_or(0), 0)
            .ok_or(chrono::format::ParseErrorKind::OutOfRange)
    });
    match time {
        Ok(time) => Ok(V::obj(Obj::DateTime(date.and_time(time), zone))),
        Err(_) => mismatch(),
    }
}
