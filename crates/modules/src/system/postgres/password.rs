//! Is a password the one whose hash the server has?

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha2::{Digest, Sha256};

const BLOCK: usize = 64;

/// Already in the form that the server stores?
pub fn is_hashed(password: &str) -> bool {
    let md5 = |p: &str| p.len() == 35 && p[3..].bytes().all(|b| b.is_ascii_hexdigit());
    password.starts_with("SCRAM-SHA-256$") || (password.starts_with("md5") && md5(password))
}

/// Would setting `password` for this role leave what is stored as it is?
pub fn matches(stored: &str, role: &str, password: &str) -> bool {
    if is_hashed(password) {
        return stored == password;
    }
    if let Some(stored) = stored.strip_prefix("md5") {
        let digest = Md5::new().chain_update(password).chain_update(role).finalize();
        return stored == hex::encode(digest);
    }
    scram_matches(stored, password).unwrap_or(stored == password)
}

/// `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey` (RFC 5802, RFC 7677).
fn scram_matches(stored: &str, password: &str) -> Option<bool> {
    let rest = stored.strip_prefix("SCRAM-SHA-256$")?;
    let (head, keys) = rest.split_once('$')?;
    let (iterations, salt) = head.split_once(':')?;
    let (_, server_key) = keys.split_once(':')?;
    let iterations: u32 = iterations.parse().ok()?;
    let salted = pbkdf2(password.as_bytes(), &STANDARD.decode(salt).ok()?, iterations);
    Some(hmac(&salted, &[b"Server Key"]) == *STANDARD.decode(server_key).ok()?)
}

/// One block of PBKDF2 with HMAC-SHA-256 (RFC 8018).
fn pbkdf2(password: &[u8], salt: &[u8], iterations: u32) -> [u8; 32] {
    let mut last = hmac(password, &[salt, &1_u32.to_be_bytes()]);
    let mut out = last;
    for _ in 1..iterations {
        last = hmac(password, &[&last]);
        out.iter_mut().zip(last).for_each(|(o, l)| *o ^= l);
    }
    out
}

/// RFC 2104.
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0_u8; BLOCK];
    if key.len() > BLOCK {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |byte: u8| block.map(|b| b ^ byte);
    let mut inner = Sha256::new().chain_update(pad(0x36));
    for part in parts {
        inner.update(part);
    }
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner.finalize()).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standards() {
        // RFC 7677: user "user", password "pencil".
        let salt = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let key = hmac(&pbkdf2(b"pencil", &salt, 4096), &[b"Server Key"]);
        let nonces = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let message = format!(
            "n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonces},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonces}"
        );
        let signature = hmac(&key, &[message.as_bytes()]);
        assert_eq!(STANDARD.encode(signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        // md5("passworduser"), calculated with md5sum.
        assert!(matches("md54d45974e13472b5a0be3533de4666414", "user", "password"));
        assert!(!matches("md54d45974e13472b5a0be3533de4666414", "user", "Password"));
    }
}
