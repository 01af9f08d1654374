//! The key that is added.

use std::path::{Path, PathBuf};

use crate::cli::Failure;

/// Names in ~/.ssh that are tried, as ssh-copy-id's usual result: the strongest first.
const USUAL: [&str; 3] = ["id_ed25519", "id_ecdsa", "id_rsa"];

/// A public key, and what to log in with to see whether it works.
#[derive(Clone, Debug)]
pub struct RootKey {
    /// One line as in `authorized_keys`.
    pub line: String,
    /// The private key's file, or the public one when the private half is in an ssh-agent.
    pub identity: PathBuf,
}

impl RootKey {
    pub fn shown(&self) -> String {
        self.identity.display().to_string()
    }
}

/// The key of the option, or the user's first usual one.
pub fn find(given: Option<&Path>) -> Result<RootKey, Failure> {
    if let Some(given) = given {
        return read(&crate::config::expand(&given.to_string_lossy()));
    }
    for name in USUAL {
        let path = crate::config::expand(&format!("~/.ssh/{name}"));
        if with_pub(&path).exists() {
            return read(&path);
        }
    }
    Err(Failure::new(format!(
        "There is no key to add: none of {} is in ~/.ssh. Make one with `ssh-keygen -t ed25519`, or name one with --key",
        USUAL.map(|name| format!("{name}.pub")).join(", ")
    )))
}

fn with_pub(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

/// `path` is a public key's file, or a private one's with the public one beside it.
fn read(path: &Path) -> Result<RootKey, Failure> {
    let is_public = path.extension().is_some_and(|e| e == "pub");
    let (public, private) = match is_public {
        true => (path.to_owned(), path.with_extension("")),
        false => (with_pub(path), path.to_owned()),
    };
    let text = std::fs::read_to_string(&public)
        .map_err(|e| Failure::new(format!("Could not read the public key {}: {e}", public.display())))?;
    let line = single_line(&text).ok_or_else(|| {
        Failure::new(format!("{} is not a public key in OpenSSH's format", public.display()))
    })?;
    let identity = if private.exists() { private } else { public };
    Ok(RootKey { line, identity })
}

/// The only key in a file: type, base64, comment. Options have no place in a public key's file.
fn single_line(text: &str) -> Option<String> {
    let mut lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let (line, None) = (lines.next()?, lines.next()) else { return None };
    let mut words = line.split_whitespace();
    let (kind, body) = (words.next()?, words.next()?);
    let kinds = ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"];
    let is_base64 = body.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/=".contains(&b));
    // The base64 of every key begins with the length of its type's name.
    let fits = kinds.iter().any(|k| kind.starts_with(k)) && body.starts_with("AAAA") && is_base64;
    (fits && !line.contains(char::is_control)).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_public_key_and_nothing_else() {
        let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDbWNsG0dpOQHfXfPyX6l6mNrb2mN9g0g2p0uY4O9xJ2 me@here";
        assert_eq!(single_line(&format!("# mine\n\n{key}\n")).as_deref(), Some(key));
        for bad in [
            "",
            "ssh-ed25519",
            &format!("{key}\n{key}"),
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
            "ssh-ed25519 $(id)",
        ] {
            assert_eq!(single_line(bad), None, "{bad:?}");
        }
    }
}
