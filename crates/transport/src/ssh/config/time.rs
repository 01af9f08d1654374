//! Times of ssh_config(5): `90`, `90s`, `1h30m`, `2w` (sshd_config(5), TIME FORMATS).

/// The time in seconds; `None` when it is not one.
pub fn seconds(text: &str) -> Option<u64> {
    let (mut total, mut digits) = (0u64, String::new());
    for c in text.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        let unit = match c.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
        digits.clear();
    }
    match digits.is_empty() {
        true if text.is_empty() => None,
        true => Some(total),
        false => total.checked_add(digits.parse().ok()?),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn times() {
        // The examples of sshd_config(5).
        for (text, expected) in [
            ("600", Some(600)),
            ("10m", Some(600)),
            ("1h30m", Some(5400)),
            ("2w", Some(1_209_600)),
            ("", None),
            ("x", None),
            ("1x", None),
        ] {
            assert_eq!(super::seconds(text), expected, "{text}");
        }
    }
}
