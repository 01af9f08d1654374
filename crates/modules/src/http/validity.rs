//! From when until when a certificate is valid (RFC 5280, 4.1.2.5), for those that are trusted by themselves.

use rustls::{CertificateError, Error};

use crate::time;

/// Is `now` (seconds since 1970) within the certificate's time?
pub fn check(certificate: &[u8], now: u64) -> Result<(), Error> {
    let bad = |why| Error::InvalidCertificate(why);
    let (from, until) = period(certificate).ok_or(bad(CertificateError::BadEncoding))?;
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    if now < from {
        return Err(bad(CertificateError::NotValidYet));
    }
    if now > until { Err(bad(CertificateError::Expired)) } else { Ok(()) }
}

fn period(certificate: &[u8]) -> Option<(i64, i64)> {
    let (_, certificate, _) = element(certificate)?;
    let (_, mut rest, _) = element(certificate)?;
    // The version is optional; serial number, algorithm and issuer come before the validity.
    let mut skip = if rest.first() == Some(&0xa0) { 4 } else { 3 };
    while skip > 0 {
        rest = element(rest)?.2;
        skip -= 1;
    }
    let (_, validity, _) = element(rest)?;
    let (kind, from, rest) = element(validity)?;
    let from = instant(kind, from)?;
    let (kind, until, _) = element(rest)?;
    Some((from, instant(kind, until)?))
}

/// Tag, content and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let count = usize::from(first & 0x7f);
        let bytes = rest.get(..count).filter(|b| b.len() <= 4)?;
        length = bytes.iter().fold(0, |sum, b| sum << 8 | usize::from(*b));
        rest = &rest[count..];
    }
    Some((tag, rest.get(..length)?, &rest[length..]))
}

/// UTCTime or GeneralizedTime.
fn instant(kind: u8, text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let full = match kind {
        // Two digits of the year: 1950 to 2049.
        0x17 => format!("{}{text}", if text.get(..2)?.parse::<u8>().ok()? >= 50 { "19" } else { "20" }),
        0x18 => text.to_owned(),
        _ => return None,
    };
    time::parse_utc(&full, "%Y%m%d%H%M%SZ")
}
