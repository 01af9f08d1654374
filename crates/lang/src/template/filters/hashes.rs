//! Encodings and digests.

use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use super::Entry;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::ops;
use crate::template::object::{Fail, R, V};

pub(super) const FILTERS: &[Entry] = &[
    ("b64decode", b64decode),
    ("b64encode", b64encode),
    ("checksum", |_, v, a| digest0(v, a, "sha1")),
    ("hash", hash),
    ("md5", |_, v, a| digest0(v, a, "md5")),
    ("sha1", |_, v, a| digest0(v, a, "sha1")),
    ("to_uuid", to_uuid),
];

/// The hexadecimal digest, `None` for an algorithm that is not known.
pub(crate) fn digest(algorithm: &str, data: &[u8]) -> Option<String> {
    Some(match algorithm {
        "md5" => hex::encode(Md5::digest(data)),
        "sha1" => hex::encode(Sha1::digest(data)),
        "sha224" => hex::encode(Sha224::digest(data)),
        "sha256" => hex::encode(Sha256::digest(data)),
        "sha384" => hex::encode(Sha384::digest(data)),
        "sha512" => hex::encode(Sha512::digest(data)),
        _ => return None,
    })
}

pub(crate) fn bytes_of(value: &V) -> R<Vec<u8>> {
    match value.need()? {
        V::Bytes(bytes) => Ok(bytes.to_vec()),
        other => Ok(ops::to_str(&other)?.into_bytes()),
    }
}

fn digest0(value: V, args: Args, algorithm: &str) -> R<V> {
    args.none(algorithm)?;
    Ok(digest(algorithm, &bytes_of(&value)?).map_or(V::None, V::str))
}

fn hash(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("get_hash", ["hashtype"], 0)?;
    let kind = b.string(0, "sha1")?;
    match digest(&kind, &bytes_of(&value)?) {
        Some(text) => Ok(V::str(text)),
        None => Fail::python(format!("unsupported hash type {kind}")),
    }
}

fn b64encode(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("b64encode", ["encoding", "urlsafe"], 0)?;
    let data = encode(&bytes_of(&value)?, &b.string(0, "utf-8")?)?;
    Ok(V::str(if b.bool(1, false)? { URL_SAFE.encode(data) } else { STANDARD.encode(data) }))
}

/// Text (UTF-8 bytes) in another encoding.
fn encode(data: &[u8], encoding: &str) -> R<Vec<u8>> {
    let text = String::from_utf8_lossy(data);
    Ok(match encoding.to_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" | "ascii" => data.to_vec(),
        "utf-16-le" => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        "utf-16-be" => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        "utf-16" => [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect(),
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" => {
            text.chars().map(|c| u8::try_from(c as u32).unwrap_or(b'?')).collect()
        }
        other => return Fail::python(format!("unknown encoding: {other}")),
    })
}

/// Bytes of an encoding as text.
pub(crate) fn decode(data: &[u8], encoding: &str) -> R<String> {
    let units = |to: fn([u8; 2]) -> u16| data.chunks_exact(2).map(|c| to([c[0], c[1]])).collect::<Vec<u16>>();
    Ok(match encoding.to_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" | "ascii" => String::from_utf8_lossy(data).into_owned(),
        "utf-16-le" => String::from_utf16_lossy(&units(u16::from_le_bytes)),
        "utf-16-be" => String::from_utf16_lossy(&units(u16::from_be_bytes)),
        "utf-16" => {
            String::from_utf16_lossy(&units(u16::from_le_bytes)).trim_start_matches('\u{feff}').to_string()
        }
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" => data.iter().map(|b| char::from(*b)).collect(),
        other => return Fail::python(format!("unknown encoding: {other}")),
    })
}

fn b64decode(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("b64decode", ["encoding", "urlsafe"], 0)?;
    let text: String = bytes_of(&value)?.iter().map(|b| char::from(*b)).collect();
    // Python ignores everything that is not of the alphabet.
    let url = b.bool(1, false)?;
    let keep = |c: &char| {
        c.is_ascii_alphanumeric() || if url { matches!(c, '-' | '_') } else { matches!(c, '+' | '/') }
    };
    let clean: String = text.chars().filter(keep).collect();
    let padding = text.chars().filter(|c| *c == '=').count();
    if clean.len() % 4 == 1 {
        return Fail::python(format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a multiple of 4",
            clean.len()
        ));
    }
    let missing = (4 - clean.len() % 4) % 4;
    if padding < missing {
        return Fail::python("Incorrect padding");
    }
    let padded = clean + &"=".repeat(missing);
    let engine = base64::engine::GeneralPurpose::new(
        if url { &base64::alphabet::URL_SAFE } else { &base64::alphabet::STANDARD },
        base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    match engine.decode(padded) {
        Ok(data) => decode(&data, &b.string(0, "utf-8")?).map(V::str),
        Err(error) => Fail::python(error.to_string()),
    }
}

/// Ansible's namespace for `to_uuid`.
const NAMESPACE: &str = "361E6D51-FAEC-444A-9079-341386DA8E2E";

fn to_uuid(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("to_uuid", ["namespace"], 0)?;
    let namespace = b.string(0, NAMESPACE)?;
    let digits: String = namespace.chars().filter(|c| !matches!(c, '-' | '{' | '}')).collect();
    let space = match hex::decode(&digits) {
        Ok(bytes) if bytes.len() == 16 => bytes,
        _ => {
            return Fail::python(format!(
                "Invalid value '{namespace}' for 'namespace': badly formed hexadecimal UUID string"
            ));
        }
    };
    let mut hasher = Sha1::new();
    hasher.update(&space);
    hasher.update(bytes_of(&value)?);
    let mut bytes = hasher.finalize()[..16].to_vec();
    bytes[6] = bytes[6] & 0x0f | 0x50;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(bytes);
    Ok(V::str(format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])))
}
