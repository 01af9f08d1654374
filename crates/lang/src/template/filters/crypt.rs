//! Password hashes: `password_hash`.

use std::rc::Rc;

use super::Entry;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::ops;
use crate::template::object::{Fail, R, V};
use crate::template::random;

pub(super) const FILTERS: &[Entry] = &[("password_hash", password_hash)];

const SALT_CHARS: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

fn password_hash(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("get_encrypted_password", ["hashtype", "salt", "salt_size", "rounds", "ident"], 0)?;
    let scheme = b.string(0, "sha512")?;
    let salt = b.some(1).map(|s| ops::to_str(&s)).transpose()?;
    let rounds = b.some(3).map(|_| b.int(3, 0)).transpose()?.and_then(|n| u32::try_from(n).ok());
    let ident = b.some(4).map(|s| ops::to_str(&s)).transpose()?;
    let salt = match (salt, b.some(2)) {
        (None, Some(_)) => Some(salt_of(usize::try_from(b.int(2, 16)?).unwrap_or(16))?),
        (salt, _) => salt,
    };
    crypt(&scheme, &ops::to_str(&value)?, salt.as_deref(), rounds, ident.as_deref()).map(V::str)
}

fn salt_of(len: usize) -> R<String> {
    (0..len.min(64))
        .map(|_| {
            let i = random::below(SALT_CHARS.len() as u64)?;
            Ok(char::from(SALT_CHARS[usize::try_from(i).unwrap_or(0)]))
        })
        .collect()
}

/// A salt of the length that the scheme wants.
pub(crate) fn random_salt(scheme: &str) -> R<String> {
    salt_of(match scheme {
        "md5" | "md5_crypt" => 8,
        "bcrypt" | "blowfish" => return bcrypt_salt(),
        _ => 16,
    })
}

fn bcrypt_salt() -> R<String> {
    // 22 characters of which the last carries two bits only.
    let mut salt = salt_of(21)?;
    let last = b".Oeu"[usize::try_from(random::below(4)?).unwrap_or(0)];
    salt.push(char::from(last));
    Ok(salt)
}

/// Hash a password in crypt(3)'s format.
pub(crate) fn crypt(
    scheme: &str,
    plain: &str,
    salt: Option<&str>,
    rounds: Option<u32>,
    ident: Option<&str>,
) -> R<String> {
    let _ = (plain, rounds, ident);
    let _ = salt;
    Fail::python(format!("password hash '{scheme}' is not supported"))
}
