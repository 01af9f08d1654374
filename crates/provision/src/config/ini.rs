//! The INI dialect of `ansible.cfg`: Python's configparser, with inline comments behind `;`.

use std::collections::BTreeMap;

/// Values by section and key. Keys are in lower case.
pub fn parse(text: &str) -> Result<BTreeMap<(String, String), String>, String> {
    let mut entries: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut section: Option<String> = None;
    let mut last: Option<(String, String)> = None;
    for (number, line) in text.lines().enumerate() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') || trimmed.starts_with(';') {
            continue;
        }
        if line.starts_with([' ', '\t'])
            && let Some(key) = &last
            && let Some(value) = entries.get_mut(key)
        {
            // A continued value.
            value.push('\n');
            value.push_str(without_comment(trimmed));
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|t| t.find(']').map(|end| &t[..end])) {
            section = Some(name.to_owned());
            last = None;
            continue;
        }
        let Some(section) = &section else {
            return Err(format!("line {}: a setting before any [section]: {trimmed}", number + 1));
        };
        let Some((key, value)) = split(trimmed) else {
            return Err(format!("line {}: neither a [section] nor a setting: {trimmed}", number + 1));
        };
        let key = (section.clone(), key.trim().to_lowercase());
        entries.insert(key.clone(), without_comment(value.trim()).to_owned());
        last = Some(key);
    }
    Ok(entries)
}

/// `key = value` or `key: value`.
fn split(line: &str) -> Option<(&str, &str)> {
    let at = line.find(['=', ':'])?;
    Some((&line[..at], &line[at + 1..]))
}

/// Inline comments begin with `;` behind a blank.
fn without_comment(value: &str) -> &str {
    let mut end = value.len();
    for (at, c) in value.char_indices() {
        if c == ';' && value[..at].ends_with([' ', '\t']) {
            end = at;
            break;
        }
    }
    value[..end].trim_end()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn sections_comments_and_continued_values() {
        let text =
            "# c\n[defaults]\nForks = 10 ; more\nroles_path: a:b\n  c\n[ssh_connection]\nssh_args=-o A=b\n";
        let entries = parse(text).unwrap();
        let get = |s: &str, k: &str| entries.get(&(s.to_owned(), k.to_owned())).map(String::as_str);
        assert_eq!(get("defaults", "forks"), Some("10"));
        assert_eq!(get("defaults", "roles_path"), Some("a:b\nc"));
        assert_eq!(get("ssh_connection", "ssh_args"), Some("-o A=b"));
        assert!(parse("forks = 1").is_err());
    }
}
