//! Hashes of passwords, as web servers know them.

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use md5::Md5;
use sha1::{Digest, Sha1};

use crate::{Result, fail};

/// How a new password is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Iterated MD5 with this mark: `$apr1$` of Apache, `$1$` of crypt(3).
    Md5(&'static str),
    Sha1,
    Plain,
}

const APR: &str = "$apr1$";
const CRYPT: &str = "$1$";
const SHA: &str = "{SHA}";

impl Scheme {
    pub fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "apr_md5_crypt" => Self::Md5(APR),
            "md5_crypt" => Self::Md5(CRYPT),
            "ldap_sha1" => Self::Sha1,
            "plaintext" => Self::Plain,
            other => {
                return Err(fail!(
                    "argument 'hash_scheme' is not supported: '{other}' is not built in; apr_md5_crypt, md5_crypt, \
                     ldap_sha1 and plaintext are"
                ));
            }
        })
    }

    pub fn hash(self, password: &str) -> Result<String> {
        Ok(match self {
            Self::Md5(mark) => {
                let mut bytes = [0u8; 8];
                std::fs::File::open("/dev/urandom")
                    .and_then(|mut source| source.read_exact(&mut bytes))
                    .map_err(|e| fail!("could not read /dev/urandom: {e}"))?;
                let salt: String =
                    bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 63)])).collect();
                md5_crypt(mark, &salt, password.as_bytes())
            }
            Self::Sha1 => format!("{SHA}{}", BASE64.encode(Sha1::digest(password))),
            Self::Plain => password.to_owned(),
        })
    }
}

/// Is this the hash of the password? What cannot be checked is an error, not a no.
pub fn verify(hash: &str, password: &str) -> Result<bool> {
    for mark in [APR, CRYPT] {
        if let Some(rest) = hash.strip_prefix(mark) {
            let salt = rest.split('$').next().unwrap_or_default();
            return Ok(md5_crypt(mark, salt, password.as_bytes()) == hash);
        }
    }
    if hash.starts_with(SHA) {
        return Ok(hash == format!("{SHA}{}", BASE64.encode(Sha1::digest(password))));
    }
    let others = [("$2", "bcrypt"), ("$5$", "sha256_crypt"), ("$6$", "sha512_crypt")];
    let mut other = others.iter().find(|(mark, _)| hash.starts_with(mark)).map(|(_, name)| *name);
    if hash.len() == 13 && hash.bytes().all(|byte| LETTERS.contains(&byte)) {
        other = Some("des_crypt");
    }
    match other {
        Some(name) => Err(fail!("an entry of the file is hashed by {name}, which is not built in")),
        None => Ok(hash == password),
    }
}

const LETTERS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The algorithm of FreeBSD's crypt(3) of 1994, which Apache took over with another mark.
fn md5_crypt(mark: &str, salt: &str, password: &[u8]) -> String {
    let salt = salt.get(..8).unwrap_or(salt);
    let both = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut first = Md5::new().chain_update(password).chain_update(mark).chain_update(salt);
    for at in 0..password.len() {
        first.update([both[at % 16]]);
    }
    let mut bits = password.len();
    while bits > 0 {
        first.update(if bits & 1 == 1 { &[0][..] } else { &password[..1] });
        bits >>= 1;
    }
    let mut sum = first.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        let (odd, third, seventh) = (round & 1 == 1, round % 3 != 0, round % 7 != 0);
        next.update(if odd { password } else { &sum[..] });
        if third {
            next.update(salt);
        }
        if seventh {
            next.update(password);
        }
        next.update(if odd { &sum[..] } else { password });
        sum = next.finalize();
    }
    let mut text = format!("{mark}{salt}$");
    let mut add = |value: u32, letters: u32| {
        for at in 0..letters {
            text.push(char::from(LETTERS[(value >> (6 * at) & 63) as usize]));
        }
    };
    for [a, b, c] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        add(u32::from(sum[a]) << 16 | u32::from(sum[b]) << 8 | u32::from(sum[c]), 4);
    }
    add(u32::from(sum[11]), 2);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `openssl passwd` has them.
    #[test]
    fn passwords_are_checked() {
        for hash in [
            "$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/",
            "$1$abc$slWW57FRrAoZ7sZIQUP4N/",
            "{SHA}VBPuJHI7uixaa6LQGWx4s+5GKNE=",
            "myPassword",
        ] {
            assert!(verify(hash, "myPassword").unwrap(), "{hash}");
            assert!(!verify(hash, "other").unwrap(), "{hash}");
        }
        assert!(
            verify("$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC", "myPassword").is_err()
        );
        let made = Scheme::named("apr_md5_crypt").unwrap().hash("x").unwrap();
        assert!(verify(&made, "x").unwrap());
        assert!(Scheme::named("des_crypt").is_err());
    }
}
