//! `%h` and its like, `~` and `${VARIABLE}` in values (ssh_config(5), TOKENS).

use std::path::{Path, PathBuf};

/// Replace `%x` by its value; `%%` is `%`. A token that is not in `values` is an error, as it is for ssh.
pub fn expand(text: &str, values: &[(char, &str)]) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('%') => out.push('%'),
            Some(token) => match values.iter().find(|(name, _)| *name == token) {
                Some((_, value)) => out.push_str(value),
                None => return Err(format!("unknown key %{token} in {text:?}")),
            },
            None => return Err(format!("incomplete % at the end of {text:?}")),
        }
    }
    Ok(out)
}

/// Replace `${NAME}` by the environment's value; a variable that is not set is an error, as it is for ssh.
pub fn environment(text: &str) -> Result<String, String> {
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let (name, after) =
            after.split_once('}').ok_or_else(|| format!("environment variable {text:?} is missing '}}'"))?;
        let value = std::env::var(name).map_err(|_| format!("env var ${{{name}}} has no value"))?;
        out.push_str(before);
        out.push_str(&value);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// Replace a leading `~/` or `~user/` by the home directory.
pub fn tilde(text: &str, home: &Path) -> PathBuf {
    let Some(rest) = text.strip_prefix('~') else { return PathBuf::from(text) };
    let (user, path) = rest.split_once('/').unwrap_or((rest, ""));
    let home = match user {
        "" => home.to_owned(),
        user => match nix::unistd::User::from_name(user) {
            Ok(Some(found)) => found.dir,
            _ => return PathBuf::from(text),
        },
    };
    if path.is_empty() { home } else { home.join(path) }
}

/// Name of this machine.
pub fn local_host() -> String {
    nix::unistd::gethostname().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens() {
        let values = [('h', "host"), ('p', "22")];
        assert_eq!(expand("nc %h %p 100%%", &values).unwrap(), "nc host 22 100%");
        assert!(expand("%x", &values).is_err());
        assert!(expand("50%", &values).is_err());
    }

    #[test]
    fn tildes() {
        let home = Path::new("/home/u");
        assert_eq!(tilde("~/.ssh/id", home), Path::new("/home/u/.ssh/id"));
        assert_eq!(tilde("~", home), Path::new("/home/u"));
        assert_eq!(tilde("/a/~", home), Path::new("/a/~"));
        assert_eq!(tilde("~root/x", home), Path::new("/root/x"));
    }
}
