//! Permissions as users write them: octal (`0644`, `"644"`, the number 420) or symbolic (`u=rwX,go-w`).

use serde_json::Value;

const ALL: u32 = 0o7777;

/// A mode argument, before it is known what it applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    Octal(u32),
    Symbolic(String),
}

impl Mode {
    /// From an argument: YAML made `0644` the number 420 already, a string is octal or symbolic.
    pub fn from_value(value: &Value) -> Self {
        match value {
            Value::Number(n) if n.as_u64().is_some() => {
                Self::Octal(n.as_u64().unwrap_or_default() as u32 & ALL)
            }
            Value::String(text) => Self::from_text(text),
            other => Self::Symbolic(crate::args::python_repr(other)),
        }
    }

    pub fn from_text(text: &str) -> Self {
        let digits = text.trim().replace('_', "");
        let digits = digits.strip_prefix("0o").unwrap_or(&digits);
        match u32::from_str_radix(digits, 8) {
            Ok(mode) => Self::Octal(mode & ALL),
            Err(_) => Self::Symbolic(text.to_owned()),
        }
    }

    /// The permissions for something that has `current` ones now. The error is the detail of Ansible's
    /// "mode must be in octal or symbolic form".
    pub fn resolve(&self, current: u32, is_dir: bool) -> Result<u32, String> {
        match self {
            Self::Octal(mode) => Ok(*mode),
            Self::Symbolic(text) => symbolic(text, current & ALL, is_dir),
        }
    }
}

/// The process' file mode creation mask, without changing it (other threads create files, too).
pub fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|l| l.strip_prefix("Umask:"));
    found.and_then(|text| u32::from_str_radix(text.trim(), 8).ok()).unwrap_or(0o022)
}

fn symbolic(text: &str, current: u32, is_dir: bool) -> Result<u32, String> {
    let bad = || format!("bad symbolic permission for mode: {text}");
    let is_operator = |c: char| matches!(c, '+' | '-' | '=');
    let mut mode = current;
    for clause in text.split(',') {
        let start = clause.find(is_operator).ok_or_else(bad)?;
        let (users, mut rest) = clause.split_at(start);
        // Without users the umask limits what is given to all.
        let limit = if users.is_empty() { !umask() & 0o777 } else { 0o777 };
        let users = if matches!(users, "" | "a") { "ugo" } else { users };
        if users.contains(|c| !matches!(c, 'u' | 'g' | 'o')) {
            return Err(bad());
        }
        while let Some(operator) = rest.chars().next() {
            let end = rest[1..].find(is_operator).map_or(rest.len(), |i| i + 1);
            let perms = &rest[1..end];
            rest = &rest[end..];
            for user in users.chars() {
                let bits = bits(user, perms, mode, limit, is_dir).ok_or_else(bad)?;
                let (own, special) = of(user);
                mode = match operator {
                    '=' => (mode & ALL & !(own | special)) | bits,
                    '+' => mode | bits,
                    _ => mode & !bits,
                };
            }
        }
    }
    Ok(mode)
}

/// The bits of a class of users: its three permissions, and setuid, setgid or sticky.
fn of(user: char) -> (u32, u32) {
    match user {
        'u' => (0o700, 0o4000),
        'g' => (0o070, 0o2000),
        _ => (0o007, 0o1000),
    }
}

fn bits(user: char, perms: &str, mode: u32, limit: u32, is_dir: bool) -> Option<u32> {
    let (own, special) = of(user);
    // The three bits of each class, moved to this one's place.
    let placed = |three: u32| (three * 0o111) & own;
    let mut bits = 0;
    for perm in perms.chars() {
        bits |= match perm {
            'r' => placed(0o4) & limit,
            'w' => placed(0o2) & limit,
            'x' => placed(0o1) & limit,
            'X' if is_dir || mode & 0o111 != 0 => placed(0o1),
            'X' => 0,
            's' if user != 'o' => special,
            't' if user == 'o' => special,
            's' | 't' => 0,
            'u' => placed(mode >> 6 & 7),
            'g' => placed(mode >> 3 & 7),
            'o' => placed(mode & 7),
            _ => return None,
        };
    }
    Some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, current: u32, is_dir: bool) -> String {
        Mode::from_text(text).resolve(current, is_dir).map_or_else(|e| e, |m| format!("{m:04o}"))
    }

    // chmod(1) of coreutils gives the same.
    #[test]
    fn symbolic_modes_are_those_of_chmod() {
        assert_eq!(check("u+x,g-r,o=", 0o644, false), "0700");
        assert_eq!(check("a=rX", 0o644, false), "0444");
        assert_eq!(check("a=rX", 0o644, true), "0555");
        assert_eq!(check("u=rwX,g=rX,o=", 0o755, false), "0750");
        assert_eq!(check("g=u", 0o740, false), "0770");
        assert_eq!(check("o=u-w", 0o740, false), "0745");
        assert_eq!(check("ug+s,o+t", 0o755, true), "7755");
        assert_eq!(check("u=rw", 0o4755, false), "0655");
    }

    #[test]
    fn octal_in_every_spelling() {
        for text in ["0644", "644", "0o644", " 0644 "] {
            assert_eq!(Mode::from_text(text), Mode::Octal(0o644), "{text}");
        }
        assert_eq!(Mode::from_value(&serde_json::json!(420)), Mode::Octal(0o644));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["0999", "u+z", "q+r", "rwx", "u+r,"] {
            assert!(check(text, 0, false).starts_with("bad symbolic"), "{text}");
        }
    }
}
