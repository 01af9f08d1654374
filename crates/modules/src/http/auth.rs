//! Answers to `401`: Basic (RFC 7617) and Digest (RFC 7616), and credentials from `netrc`.

use std::io::Read;

use md5::{Digest, Md5};
use sha1::Sha1;
use sha2::Sha256;

use super::wire::basic;
use crate::Host;

/// Random letters that nobody can guess.
pub fn nonce() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// The `Authorization` that answers a challenge, the strongest first; `None` for what is not understood.
pub fn answer(challenges: &[&str], user: &str, password: &str, method: &str, target: &str) -> Option<String> {
    let of = |scheme: &str| {
        challenges.iter().find_map(|c| {
            let (name, rest) = c.trim().split_once(' ').unwrap_or((c.trim(), ""));
            name.eq_ignore_ascii_case(scheme).then(|| rest.to_owned())
        })
    };
    match of("digest") {
        Some(challenge) => digest(&challenge, user, password, method, target),
        None => of("basic").map(|_| basic(user, password)),
    }
}

fn digest(challenge: &str, user: &str, password: &str, method: &str, target: &str) -> Option<String> {
    let fields = fields(challenge);
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let (realm, server) = (field("realm")?, field("nonce")?);
    let algorithm = field("algorithm").unwrap_or("MD5");
    let hash = |text: String| -> Option<String> {
        Some(match algorithm.to_uppercase().as_str() {
            "MD5" => hex::encode(Md5::digest(text)),
            "SHA" => hex::encode(Sha1::digest(text)),
            "SHA-256" => hex::encode(Sha256::digest(text)),
            _ => return None,
        })
    };
    let secret = hash(format!("{user}:{realm}:{password}"))?;
    let request = hash(format!("{method}:{target}"))?;
    let client = nonce().ok()?;
    let with_qop = match field("qop") {
        None => false,
        Some(qop) if qop.split(',').any(|q| q.trim() == "auth") => true,
        Some(_) => return None,
    };
    let response = match with_qop {
        true => hash(format!("{secret}:{server}:00000001:{client}:auth:{request}"))?,
        false => hash(format!("{secret}:{server}:{request}"))?,
    };
    let mut said = format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{server}\", uri=\"{target}\", \
         response=\"{response}\", algorithm=\"{algorithm}\""
    );
    if let Some(opaque) = field("opaque") {
        said.push_str(&format!(", opaque=\"{opaque}\""));
    }
    if with_qop {
        said.push_str(&format!(", qop=auth, nc=00000001, cnonce=\"{client}\""));
    }
    Some(said)
}

/// `a=b, c="d, e"`.
fn fields(text: &str) -> Vec<(String, String)> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let last = parts.len() - 1;
        match c {
            '"' => quoted = !quoted,
            '\\' if quoted => parts[last].extend(chars.next()),
            ',' if !quoted => parts.push(String::new()),
            c => parts[last].push(c),
        }
    }
    let pair =
        |part: String| part.split_once('=').map(|(k, v)| (k.trim().to_lowercase(), v.trim().to_owned()));
    parts.into_iter().filter_map(pair).collect()
}

/// User and password for a machine in `$NETRC` or `~/.netrc`.
pub fn netrc(host: &Host, machine: &str) -> Option<(String, String)> {
    let path = match host.env("NETRC").filter(|p| !p.is_empty()) {
        Some(path) => path,
        None => format!("{}/.netrc", host.env("HOME").filter(|h| !h.is_empty())?),
    };
    let text = std::fs::read_to_string(host.path(path)).ok()?;
    let mut words = text
        .lines()
        .filter(|l| !l.trim_start().starts_with('#'))
        .flat_map(str::split_ascii_whitespace)
        .map(|w| w.trim_matches('"'));
    let (mut here, mut user, mut password) = (false, None, None);
    while let Some(word) = words.next() {
        match word {
            "machine" | "default" => {
                if here && password.is_some() {
                    break;
                }
                here = word == "default" || words.next() == Some(machine);
            }
            "login" | "user" => user = words.next().filter(|_| here).or(user),
            "password" => password = words.next().filter(|_| here).or(password),
            "account" => drop(words.next()),
            _ => {}
        }
    }
    Some((user?.to_owned(), password?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn netrc_of_a_machine() {
        let dir = tempfile::tempdir().unwrap();
        let file = "# none\nmachine a.b login joe password x\nmachine c login eve\n  password y\ndefault login d password z\n";
        std::fs::write(dir.path().join("n"), file).unwrap();
        let environment = [("NETRC".to_owned(), "/n".to_owned())].into();
        let host = Host::at(dir.path(), dir.path()).with_environment(environment);
        let of = |name| netrc(&host, name).unwrap();
        assert_eq!(of("a.b"), ("joe".into(), "x".into()));
        assert_eq!(of("c"), ("eve".into(), "y".into()));
        assert_eq!(of("else"), ("d".into(), "z".into()));
    }

    // RFC 2617, 3.5, without the client's nonce, which is our own: the older form of RFC 2069 with these values.
    #[test]
    fn digest_without_quality() {
        let challenge = "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
        let said = answer(&[challenge], "Mufasa", "Circle Of Life", "GET", "/dir/index.html").unwrap();
        // echo -n of the three parts through md5sum.
        assert!(said.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""), "{said}");
    }
}
