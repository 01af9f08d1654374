//! Which algorithms are offered: russh's, in the order and selection that the settings ask for.

use std::borrow::Cow;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Preferred, cipher, compression, kex, mac};

use super::config::{Settings, pattern};
use crate::error::{ConfigError, SshError};

/// mlkem768x25519 withstands quantum computers and costs a fraction of a millisecond here, unlike the
/// sntrup761 that older OpenSSH prefers; then come the cheapest.
const KEX: &[&str] = &[
    "mlkem768x25519-sha256",
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
    "diffie-hellman-group14-sha256",
];
const KEX_ON_REQUEST: &[&str] =
    &["diffie-hellman-group14-sha1", "diffie-hellman-group-exchange-sha1", "diffie-hellman-group1-sha1"];
/// Not algorithms but announcements that travel in the same list.
const KEX_MARKS: &[kex::Name] =
    &[kex::EXTENSION_SUPPORT_AS_CLIENT, kex::EXTENSION_OPENSSH_STRICT_KEX_AS_CLIENT];

/// AES-GCM first: with AES instructions it is several times faster than ChaCha20.
const CIPHERS: &[&str] = &[
    "aes256-gcm@openssh.com",
    "aes128-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes256-ctr",
    "aes192-ctr",
    "aes128-ctr",
];
const CIPHERS_ON_REQUEST: &[&str] = &["aes128-cbc", "aes192-cbc", "aes256-cbc"];

const MACS: &[&str] = &[
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
    "hmac-sha1-etm@openssh.com",
    "hmac-sha1",
];

/// Algorithms of host keys and of users' keys.
const KEYS: &[&str] = &[
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];
const KEYS_ON_REQUEST: &[&str] = &["ssh-rsa"];
/// Users' keys may also live in hardware, behind an ssh-agent.
const HARDWARE_KEYS: &[&str] = &["sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com"];

const CERTIFICATE: &str = "-cert-v01@openssh.com";

/// Apply a list of ssh_config(5) to the default: a new order, `+` more, `-` less, `^` first.
fn select(list: Option<&str>, default: &[&'static str], on_request: &[&'static str]) -> Vec<&'static str> {
    let Some(list) = list else { return default.to_vec() };
    let known = |wanted: &str| default.iter().chain(on_request).copied().find(|k| *k == wanted);
    let (sign, names) = match list.split_at_checked(1) {
        Some((sign @ ("+" | "-" | "^"), rest)) => (sign, rest),
        _ => ("", list),
    };
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    let mut named: Vec<&'static str> = Vec::new();
    for name in names.iter().filter_map(|name| known(name)) {
        if !named.contains(&name) {
            named.push(name);
        }
    }
    let others = default.iter().copied().filter(|k| !named.contains(k));
    match sign {
        "-" => default.iter().copied().filter(|k| !names.iter().any(|p| pattern::matches(p, k))).collect(),
        "+" => others.chain(named.iter().copied()).collect(),
        "^" => named.iter().copied().chain(others).collect(),
        _ => named,
    }
}

fn chosen(
    what: &str,
    list: Option<&str>,
    default: &[&'static str],
    on_request: &[&'static str],
) -> Result<Vec<&'static str>, SshError> {
    let names = select(list, default, on_request);
    if names.is_empty() {
        let reason = format!("none of the {what} {} is supported", list.unwrap_or_default());
        return Err(ConfigError { place: what.into(), reason }.into());
    }
    Ok(names)
}

/// What to offer to the host whose keys of the types `known` are on file. Certificates are asked for when
/// an authority is known for the host.
pub fn preferred(settings: &Settings, known: &[Algorithm], authority: bool) -> Result<Preferred, SshError> {
    let kex_names = chosen("KexAlgorithms", settings.kex.as_deref(), KEX, KEX_ON_REQUEST)?;
    let ciphers = chosen("Ciphers", settings.ciphers.as_deref(), CIPHERS, CIPHERS_ON_REQUEST)?;
    let macs = chosen("MACs", settings.macs.as_deref(), MACS, &[])?;
    let plain = settings.host_key_algorithms.as_deref().map(without_certificates);
    let mut keys = algorithms(&chosen("HostKeyAlgorithms", plain.as_deref(), KEYS, KEYS_ON_REQUEST)?);
    if settings.host_key_algorithms.is_none() {
        // A host has keys of several types: ask for one that can be checked.
        keys.sort_by_key(|algorithm| !known.iter().any(|k| same_type(k, algorithm)));
    }
    let compressions = match settings.compression {
        true => vec![compression::ZLIB_LEGACY, compression::ZLIB, compression::NONE],
        false => vec![compression::NONE],
    };
    Ok(Preferred {
        kex: kex_names
            .iter()
            .filter_map(|n| kex::Name::try_from(*n).ok())
            .chain(KEX_MARKS.iter().copied())
            .collect::<Vec<_>>()
            .into(),
        host_key_certificates: if authority { Cow::Owned(keys.clone()) } else { Cow::Borrowed(&[]) },
        key: keys.into(),
        cipher: ciphers.iter().filter_map(|n| cipher::Name::try_from(*n).ok()).collect::<Vec<_>>().into(),
        mac: macs.iter().filter_map(|n| mac::Name::try_from(*n).ok()).collect::<Vec<_>>().into(),
        compression: compressions.into(),
    })
}

/// May a user's key of this algorithm be offered (`PubkeyAcceptedAlgorithms`)?
pub fn accepted_for_login(settings: &Settings) -> Vec<&'static str> {
    let default: Vec<&'static str> = KEYS.iter().chain(HARDWARE_KEYS).copied().collect();
    let list = settings.pubkey_algorithms.as_deref().map(without_certificates);
    select(list.as_deref(), &default, KEYS_ON_REQUEST)
}

/// The hash for an RSA signature that both sides have: `server` is what the server said, if it did.
pub fn rsa_hash(accepted: &[&str], server: Option<Option<HashAlg>>) -> Option<Option<HashAlg>> {
    let mine = |hash: Option<HashAlg>| {
        let name = match hash {
            Some(HashAlg::Sha512) => "rsa-sha2-512",
            Some(_) => "rsa-sha2-256",
            None => "ssh-rsa",
        };
        accepted.contains(&name)
    };
    match server {
        Some(best) if mine(best) => Some(best),
        _ => [Some(HashAlg::Sha512), Some(HashAlg::Sha256), None].into_iter().find(|hash| mine(*hash)),
    }
}

/// `ssh-ed25519-cert-v01@openssh.com` as `ssh-ed25519`: certificates have a list of their own here.
fn without_certificates(list: &str) -> String {
    list.replace(CERTIFICATE, "")
}

fn algorithms(names: &[&str]) -> Vec<Algorithm> {
    names
        .iter()
        .filter_map(|name| {
            Some(match *name {
                "ssh-ed25519" => Algorithm::Ed25519,
                "ecdsa-sha2-nistp256" => Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
                "ecdsa-sha2-nistp384" => Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
                "ecdsa-sha2-nistp521" => Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
                "rsa-sha2-512" => Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
                "rsa-sha2-256" => Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
                "ssh-rsa" => Algorithm::Rsa { hash: None },
                _ => return None,
            })
        })
        .collect()
}

/// Are these algorithms of the same kind of key? (RSA has one key for all hashes.)
pub fn same_type(a: &Algorithm, b: &Algorithm) -> bool {
    matches!((a, b), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. })) || a == b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_as_ssh_config_has_them() {
        let default = &["a1", "a2", "b1"];
        let more = &["old"];
        for (list, expected) in [
            (None, vec!["a1", "a2", "b1"]),
            (Some("b1,unknown,a1"), vec!["b1", "a1"]),
            (Some("+old"), vec!["a1", "a2", "b1", "old"]),
            (Some("-a*"), vec!["b1"]),
            (Some("^b1"), vec!["b1", "a1", "a2"]),
            (Some("unknown"), vec![]),
        ] {
            assert_eq!(select(list, default, more), expected, "{list:?}");
        }
    }
}
