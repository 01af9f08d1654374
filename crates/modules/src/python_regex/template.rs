//! Replacement templates: `\1`, `\g<name>` and the escapes of `re.sub`.

use fancy_regex::Regex;

use super::Captures;

/// Fill a template from a match, or find what is wrong with it if there is none.
pub(super) fn expand(regex: &Regex, found: Option<&Captures<'_>>, template: &str) -> Result<String, String> {
    let mut out = String::with_capacity(template.len());
    let chars: Vec<char> = template.chars().collect();
    let mut i = 0;
    while i < chars.len() {
        if chars[i] != '\\' {
            out.push(chars[i]);
            i += 1;
            continue;
        }
        let start = i;
        let Some(&c) = chars.get(i + 1) else {
            return Err(format!("bad escape (end of pattern) at position {start}"));
        };
        i += 2;
        let group = |number: usize, out: &mut String| -> Result<(), String> {
            if number >= regex.captures_len() {
                return Err(format!("invalid group reference {number} at position {}", start + 1));
            }
            out.push_str(found.and_then(|c| c.get(number)).map_or("", |m| m.as_str()));
            Ok(())
        };
        match c {
            'g' => {
                let end = (i..chars.len()).find(|j| chars[*j] == '>');
                let (Some('<'), Some(end)) = (chars.get(i), end) else {
                    return Err(format!("missing < at position {i}"));
                };
                let name: String = chars[i + 1..end].iter().collect();
                i = end + 1;
                match name.parse() {
                    Ok(number) => group(number, &mut out)?,
                    Err(_) if regex.capture_names().flatten().any(|n| n == name) => {
                        out.push_str(found.and_then(|c| c.name(&name)).map_or("", |m| m.as_str()));
                    }
                    Err(_) => return Err(format!("unknown group name '{name}' at position {}", start + 3)),
                }
            }
            '0'..='9' => {
                let digit = |j: usize| chars.get(j).and_then(|c| c.to_digit(10)).map(|d| d as usize);
                let (first, second, third) = (digit(i - 1).unwrap_or(0), digit(i), digit(i + 1));
                match (first, second, third) {
                    // Three octal digits, or up to two more after a zero, are a character.
                    (0, _, _) | (1..=3, Some(0..=7), Some(0..=7)) => {
                        let mut value = first;
                        for _ in 0..2 {
                            if let Some(d @ 0..=7) = digit(i) {
                                value = value * 8 + d;
                                i += 1;
                            }
                        }
                        out.extend(char::from_u32((value & 0xff) as u32));
                    }
                    (first, Some(second), _) => {
                        i += 1;
                        group(first * 10 + second, &mut out)?;
                    }
                    (first, None, _) => group(first, &mut out)?,
                }
            }
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' => out.push('\x07'),
            'b' => out.push('\x08'),
            'f' => out.push('\x0c'),
            'v' => out.push('\x0b'),
            '\\' => out.push('\\'),
            c if c.is_ascii_alphabetic() => return Err(format!("bad escape \\{c} at position {start}")),
            c => out.extend(['\\', c]),
        }
    }
    Ok(out)
}
