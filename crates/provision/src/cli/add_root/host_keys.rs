//! Fingerprints of host keys that the user knows from elsewhere.

use crate::cli::{Exit, Failure};

/// What `--fingerprint` says, by host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprints {
    only: Option<String>,
    by_host: Vec<(String, String)>,
}

impl Fingerprints {
    pub fn parse(given: &[String]) -> Result<Self, Failure> {
        let mut all = Self::default();
        for text in given {
            match text.split_once('=').filter(|(host, _)| !host.starts_with("SHA256:")) {
                Some((host, fingerprint)) => all.by_host.push((host.to_owned(), sha256(fingerprint)?)),
                None if all.only.is_some() => {
                    return Err(wrong(
                        "several fingerprints need their hosts: --fingerprint HOST=SHA256:...".into(),
                    ));
                }
                None => all.only = Some(sha256(text)?),
            }
        }
        Ok(all)
    }

    /// The fingerprint for each host; one without a host is for the only one there is.
    pub fn check(&self, hosts: &[String]) -> Result<(), Failure> {
        if self.only.is_some() && hosts.len() != 1 {
            let text = format!(
                "a fingerprint without a host is for one host, but there are {}: --fingerprint HOST=SHA256:...",
                hosts.len()
            );
            return Err(wrong(text));
        }
        for (host, _) in &self.by_host {
            if !hosts.contains(host) {
                return Err(wrong(format!("there is a fingerprint for {host}, which is none of the hosts")));
            }
        }
        Ok(())
    }

    pub fn of(&self, host: &str) -> Option<String> {
        let named = self.by_host.iter().find(|(name, _)| name == host).map(|(_, f)| f);
        named.or(self.only.as_ref()).cloned()
    }
}

/// `SHA256:` and the base64 of 32 bytes, as ssh-keygen -l shows it.
fn sha256(text: &str) -> Result<String, Failure> {
    let body = text.strip_prefix("SHA256:").unwrap_or(text).trim_end_matches('=');
    let fits = body.len() == 43 && body.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/".contains(&b));
    if !fits {
        return Err(wrong(format!(
            "{text:?} is not a fingerprint; `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` on the host shows one (SHA256:...)"
        )));
    }
    Ok(format!("SHA256:{body}"))
}

fn wrong(text: String) -> Failure {
    Failure::with(Exit::Options, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(given: &[&str]) -> Result<Fingerprints, Failure> {
        Fingerprints::parse(&given.iter().map(|g| (*g).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn for_one_host_or_by_name() {
        let (a, b) = (format!("SHA256:{}", "A".repeat(43)), format!("SHA256:{}", "b".repeat(43)));
        let hosts = ["web".to_owned(), "db".to_owned()];
        let one = parse(&[&format!("{a}=")]).unwrap();
        assert_eq!(one.of("web"), Some(a.clone()));
        assert!(one.check(&hosts).is_err());
        let both = parse(&[&format!("web={a}"), &format!("db={b}")]).unwrap();
        assert!(both.check(&hosts).is_ok());
        assert_eq!((both.of("web"), both.of("db"), both.of("x")), (Some(a.clone()), Some(b.clone()), None));
        assert!(both.check(&hosts[..1]).is_err());
        for bad in [vec!["MD5:00:11"], vec!["SHA256:short"], vec![&a[..], &b[..]]] {
            assert!(parse(&bad).is_err(), "{bad:?}");
        }
    }
}
