//! `date_time`: the host's clock, local time and UTC.

use std::time::{SystemTime, UNIX_EPOCH};

use nix::libc::{localtime_r, time_t, tm};
use serde_json::json;

use super::Facts;

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Local time. libc reads `/etc/localtime` or `TZ` itself, without its name service.
fn local(seconds: i64) -> Option<tm> {
    // SAFETY: `tm` is plain data that localtime_r fills in; it only fails on years beyond all reason.
    unsafe {
        let mut parts: tm = std::mem::zeroed();
        let seconds = seconds as time_t;
        (!localtime_r(&raw const seconds, &raw mut parts).is_null()).then_some(parts)
    }
}

fn zone(parts: &tm) -> String {
    if parts.tm_zone.is_null() {
        return String::new();
    }
    // SAFETY: libc keeps the names of zones for ever.
    unsafe { std::ffi::CStr::from_ptr(parts.tm_zone) }.to_string_lossy().into_owned()
}

/// Year, month, day of a number of days since 1970 (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

pub fn collect(facts: &mut Facts<'_>) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = now.as_secs() as i64;
    let Some(t) = local(seconds) else { return };
    let (year, month, day) = (i64::from(t.tm_year) + 1900, t.tm_mon + 1, t.tm_mday);
    let (hour, minute, second) = (t.tm_hour, t.tm_min, t.tm_sec);
    let offset = t.tm_gmtoff / 60;
    let sign = if offset < 0 { '-' } else { '+' };
    let (utc_year, utc_month, utc_day) = civil(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let utc = format!(
        "{utc_year:04}-{utc_month:02}-{utc_day:02}T{:02}:{:02}:{:02}",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    );
    let basic = format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}");
    let micros = now.subsec_micros();
    // %W: weeks begin on Monday, days before the first one are week 0.
    let week = (t.tm_yday + 7 - (t.tm_wday + 6) % 7) / 7;
    facts.add(
        "date_time",
        json!({
            "year": year.to_string(),
            "month": format!("{month:02}"),
            "weekday": DAYS[t.tm_wday as usize % 7],
            "weekday_number": t.tm_wday.to_string(),
            "weeknumber": format!("{week:02}"),
            "day": format!("{day:02}"),
            "hour": format!("{hour:02}"),
            "minute": format!("{minute:02}"),
            "second": format!("{second:02}"),
            "epoch": seconds.to_string(),
            "epoch_int": seconds.to_string(),
            "date": format!("{year:04}-{month:02}-{day:02}"),
            "time": format!("{hour:02}:{minute:02}:{second:02}"),
            "iso8601_micro": format!("{utc}.{micros:06}Z"),
            "iso8601": format!("{utc}Z"),
            "iso8601_basic": format!("{basic}{micros:06}"),
            "iso8601_basic_short": basic,
            "tz": zone(&t),
            "tz_dst": summer_zone(seconds, year),
            "tz_offset": format!("{sign}{:02}{:02}", offset.abs() / 60, offset.abs() % 60),
        }),
    );
}

/// The name of summer time, Python's `time.tzname[1]`: of January and July, the zone that is further east.
fn summer_zone(now: i64, year: i64) -> String {
    let days_before = (year - 1970) * 365 + (year - 1969) / 4 - (year - 1901) / 100 + (year - 1601) / 400;
    let january = days_before * 86_400 + 43_200;
    let (january, july) = (local(january), local(january + 182 * 86_400));
    match (january, july) {
        (Some(january), Some(july)) if january.tm_gmtoff > july.tm_gmtoff => zone(&january),
        (_, Some(july)) => zone(&july),
        _ => local(now).map(|t| zone(&t)).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::civil;

    #[test]
    fn days_are_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(-1), (1969, 12, 31));
        assert_eq!(civil(20_778), (2026, 11, 21));
    }
}
