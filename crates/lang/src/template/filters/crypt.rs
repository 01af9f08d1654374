//! Password hashes: `password_hash`, and what `password` lookups and `vars_prompt` encrypt with.
//!
//! Formats, limits and numbers of rounds are those of passlib, which Ansible hands the work to: SHA-crypt
//! (<https://www.akkadia.org/drepper/SHA-crypt.txt>), bcrypt, and the MD5 scheme of FreeBSD's crypt(3).

mod md5;

use std::rc::Rc;

use super::Entry;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::ops;
use crate::template::object::{Fail, R, V};
use crate::template::random;

pub(super) const FILTERS: &[Entry] = &[("password_hash", password_hash)];

const SALT_CHARS: &[u8] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Scheme {
    Md5,
    Bcrypt,
    Sha256,
    Sha512,
}

impl Scheme {
    /// By Ansible's short name or passlib's.
    fn find(name: &str) -> R<Self> {
        Ok(match name {
            "md5" | "md5_crypt" => Self::Md5,
            "blowfish" | "bcrypt" => Self::Bcrypt,
            "sha256" | "sha256_crypt" => Self::Sha256,
            "sha512" | "sha512_crypt" => Self::Sha512,
            other => {
                return Fail::python(format!(
                    "{other} is not in the list of supported passlib algorithms: md5, blowfish, sha256, sha512"
                ));
            }
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "md5_crypt",
            Self::Bcrypt => "bcrypt",
            Self::Sha256 => "sha256_crypt",
            Self::Sha512 => "sha512_crypt",
        }
    }

    /// Characters of the longest salt, which is also what a random one gets.
    fn salt_size(self) -> usize {
        match self {
            Self::Md5 => 8,
            Self::Bcrypt => 22,
            Self::Sha256 | Self::Sha512 => 16,
        }
    }

    /// The most rounds that end within seconds; bcrypt's are a power of two.
    fn bearable(self) -> u32 {
        match self {
            Self::Bcrypt => 17,
            _ => 20_000_000,
        }
    }

    /// passlib's rounds when none are asked for.
    fn rounds(self) -> u32 {
        match self {
            Self::Md5 => 0,
            Self::Bcrypt => 12,
            Self::Sha256 => 535_000,
            Self::Sha512 => 656_000,
        }
    }

    fn limits(self) -> (u32, u32) {
        match self {
            Self::Bcrypt => (4, 31),
            _ => (1000, 999_999_999),
        }
    }
}

fn password_hash(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("get_encrypted_password", ["hashtype", "salt", "salt_size", "rounds", "ident"], 0)?;
    let scheme = b.string(0, "sha512")?;
    let salt = b.some(1).map(|s| ops::to_str(&s)).transpose()?.filter(|salt| !salt.is_empty());
    let rounds = b.some(3).map(|_| b.int(3, 0)).transpose()?.and_then(|n| u32::try_from(n).ok());
    let ident = b.some(4).map(|s| ops::to_str(&s)).transpose()?;
    let salt_size = match b.some(2) {
        None => None,
        Some(V::Int(n)) => usize::try_from(n).ok(),
        Some(_) => return Fail::python("salt_size must be an integer"),
    };
    let plain = match &value {
        V::Str(text) => text.as_str(),
        V::None => return Fail::python("secret must be unicode or bytes, not None"),
        other => {
            return Fail::python(format!("secret must be unicode or bytes, not {}", other.type_name()));
        }
    };
    let salt = match (salt, salt_size) {
        (None, Some(size)) if Scheme::find(&scheme)? != Scheme::Bcrypt => Some(salt_of(size)?),
        (salt, _) => salt,
    };
    crypt(&scheme, plain, salt.as_deref(), rounds, ident.as_deref()).map(V::str)
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
    match Scheme::find(scheme)? {
        Scheme::Bcrypt => {
            // 22 characters of which the last carries two bits only.
            let mut salt = salt_of(21)?;
            let last = b".Oeu"[usize::try_from(random::below(4)?).unwrap_or(0)];
            salt.push(char::from(last));
            Ok(salt)
        }
        scheme => salt_of(scheme.salt_size()),
    }
}

fn failed<T>(message: &str) -> R<T> {
    Fail::python(format!("Could not hash the secret: {message}"))
}

/// Hash a password in crypt(3)'s format.
pub(crate) fn crypt(
    scheme: &str,
    plain: &str,
    salt: Option<&str>,
    rounds: Option<u32>,
    ident: Option<&str>,
) -> R<String> {
    let kind = Scheme::find(scheme)?;
    let name = kind.name();
    let salt = match salt {
        Some(salt) => salt.to_string(),
        None => random_salt(scheme)?,
    };
    if !salt.bytes().all(|b| SALT_CHARS.contains(&b)) {
        return failed(&format!("invalid characters in {name} salt"));
    }
    let max = kind.salt_size();
    if salt.len() > max && kind != Scheme::Bcrypt {
        return failed(&format!("salt too large ({name} requires <= {max} chars)"));
    }
    let (least, most) = kind.limits();
    let rounds = rounds.unwrap_or(kind.rounds());
    if kind != Scheme::Md5 && rounds < least {
        return failed(&format!(
            "{name}: min_desired_rounds ({rounds}) is too low, must be at least {least}"
        ));
    }
    if kind != Scheme::Md5 && rounds > most {
        return failed(&format!("{name}: max_desired_rounds ({rounds}) is too high, must be at most {most}"));
    }
    if rounds > kind.bearable() {
        return failed(&format!(
            "{name}: {rounds} rounds would take minutes; at most {} are supported",
            kind.bearable()
        ));
    }
    if plain.contains('\0') {
        return failed(&format!("{name} does not allow NULL bytes in password"));
    }
    match kind {
        Scheme::Md5 => Ok(md5::md5_crypt(plain.as_bytes(), salt.as_bytes())),
        Scheme::Bcrypt => bcrypt(plain, &salt, rounds, ident.unwrap_or("2b")),
        Scheme::Sha256 => {
            let params = sha_crypt::Sha256Params::new(rounds as usize);
            let hash =
                params.and_then(|p| sha_crypt::sha256_crypt_b64(plain.as_bytes(), salt.as_bytes(), &p));
            sha(hash, '5', rounds, &salt)
        }
        Scheme::Sha512 => {
            let params = sha_crypt::Sha512Params::new(rounds as usize);
            let hash =
                params.and_then(|p| sha_crypt::sha512_crypt_b64(plain.as_bytes(), salt.as_bytes(), &p));
            sha(hash, '6', rounds, &salt)
        }
    }
}

fn sha(hash: Result<String, sha_crypt::CryptError>, ident: char, rounds: u32, salt: &str) -> R<String> {
    let Ok(hash) = hash else { return failed("the text cannot be hashed") };
    // 5000 rounds are the format's default, and are not written.
    let rounds = if rounds == 5000 { String::new() } else { format!("rounds={rounds}$") };
    Ok(format!("${ident}${rounds}{salt}${hash}"))
}

/// bcrypt's own alphabet for base64.
const BCRYPT64: base64::engine::GeneralPurpose = base64::engine::GeneralPurpose::new(
    &base64::alphabet::BCRYPT,
    base64::engine::GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

fn bcrypt(plain: &str, salt: &str, rounds: u32, ident: &str) -> R<String> {
    use base64::Engine as _;
    let ident = ident.trim_matches('$');
    if !matches!(ident, "2" | "2a" | "2b" | "2y") {
        return failed(&format!("bcrypt: unknown ident {ident}"));
    }
    if salt.len() < 22 {
        return failed("salt too small (bcrypt requires exactly 22 chars)");
    }
    if salt.len() > 22 {
        return failed("salt too large (bcrypt requires exactly 22 chars)");
    }
    let Ok(Ok(raw)) = BCRYPT64.decode(salt).map(<[u8; 16]>::try_from) else {
        return failed("invalid characters in bcrypt salt");
    };
    // bcrypt reads the text with its final zero, and 72 bytes at most.
    let mut bytes = plain.as_bytes().to_vec();
    bytes.push(0);
    bytes.truncate(72);
    let hash = bcrypt::bcrypt(rounds, raw, &bytes);
    let (salt, hash) = (BCRYPT64.encode(raw), BCRYPT64.encode(&hash[..23]));
    Ok(format!("${ident}${rounds:02}${salt}{hash}"))
}
