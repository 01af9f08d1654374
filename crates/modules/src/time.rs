//! Local time as `strftime` prints it and `strptime` reads it, by the C library and the host's time zone.

use std::ffi::CString;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::libc;

/// Now, in local time.
pub fn local(format: &str) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64);
    local_at(now, format)
}

/// Seconds since 1970 in local time.
pub fn local_at(seconds: i64, format: &str) -> String {
    // SAFETY: a zeroed tm is valid and localtime_r fills it.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    unsafe { libc::localtime_r(&seconds, &mut parts) };
    print(&parts, format)
}

/// Seconds since 1970 in UTC.
pub fn utc_at(seconds: i64, format: &str) -> String {
    // SAFETY: as above.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    unsafe { libc::gmtime_r(&seconds, &mut parts) };
    print(&parts, format)
}

fn print(parts: &libc::tm, format: &str) -> String {
    let Ok(format) = CString::new(format) else { return String::new() };
    let mut buffer = vec![0u8; 256];
    // SAFETY: the buffer is as long as said and both other pointers are valid.
    let length = unsafe { libc::strftime(buffer.as_mut_ptr().cast(), buffer.len(), format.as_ptr(), parts) };
    buffer.truncate(length);
    String::from_utf8_lossy(&buffer).into_owned()
}

/// Read a local time; `None` if the text does not have this format from end to end.
pub fn parse_local(text: &str, format: &str) -> Option<i64> {
    let mut parts = parse(text, format)?;
    parts.tm_isdst = -1;
    // SAFETY: the tm is initialised.
    Some(unsafe { libc::mktime(&mut parts) })
}

/// Read a time in UTC.
pub fn parse_utc(text: &str, format: &str) -> Option<i64> {
    let mut parts = parse(text, format)?;
    // SAFETY: the tm is initialised.
    Some(unsafe { libc::timegm(&mut parts) })
}

fn parse(text: &str, format: &str) -> Option<libc::tm> {
    let (text, format) = (CString::new(text).ok()?, CString::new(format).ok()?);
    // SAFETY: a zeroed tm is valid; strptime reads both strings and gives a pointer into the first.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    // Python begins at the first of January 1900.
    parts.tm_mday = 1;
    let end = unsafe { libc::strptime(text.as_ptr(), format.as_ptr(), &mut parts) };
    // SAFETY: what is not null points into the string or at its end.
    (!end.is_null() && unsafe { *end } == 0).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_there_and_back() {
        assert_eq!(
            parse_utc("Sun, 06 Nov 1994 08:49:37 GMT", "%a, %d %b %Y %H:%M:%S GMT"),
            Some(784_111_777)
        );
        assert_eq!(utc_at(784_111_777, "%a, %d %b %Y %H:%M:%S GMT"), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(parse_utc("yesterday", "%Y"), None);
        assert_eq!(parse_utc("2020x", "%Y"), None);
    }
}
