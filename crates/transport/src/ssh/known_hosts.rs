//! The files of known host keys (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT).

use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{Algorithm, PublicKey, PublicKeyBase64, parse_public_key_base64};
use sha1::{Digest, Sha1};

use super::algorithms::same_type;
use super::config::pattern;

/// What a line's marker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    Plain,
    Authority,
    Revoked,
}

/// A line about the host in question.
#[derive(Clone, Debug)]
pub struct Entry {
    pub marker: Marker,
    pub key: PublicKey,
    pub file: PathBuf,
    /// Counted from 1.
    pub line: usize,
}

/// What the files say about a key that a host shows.
#[derive(Debug)]
pub enum Verdict<'a> {
    Known,
    /// There is no key of this type for the host.
    Unknown,
    /// There is another one.
    Changed(&'a Entry),
    Revoked(&'a Entry),
}

/// All lines about one host.
#[derive(Clone, Debug, Default)]
pub struct KnownHosts {
    pub entries: Vec<Entry>,
}

impl KnownHosts {
    /// Read the lines for `name` (as [`super::config::Settings::known_name`] writes it) from `files`.
    /// Files that do not exist are empty; lines that cannot be read are passed over, as ssh does.
    pub fn read(files: &[PathBuf], name: &str) -> Self {
        let mut entries = Vec::new();
        for file in files {
            let Ok(bytes) = std::fs::read(file) else { continue };
            entries.extend(parse(&String::from_utf8_lossy(&bytes), file, name));
        }
        Self { entries }
    }

    /// Types of the keys on file, for asking the host for one of them.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let plain = self.entries.iter().filter(|e| e.marker == Marker::Plain);
        plain.map(|e| e.key.algorithm()).collect()
    }

    /// Is there an authority that may vouch for the host?
    pub fn has_authority(&self) -> bool {
        self.entries.iter().any(|e| e.marker == Marker::Authority)
    }

    /// The authority with this key.
    pub fn authority(&self, key: &KeyData) -> Option<&Entry> {
        self.entries.iter().find(|e| e.marker == Marker::Authority && e.key.key_data() == key)
    }

    /// The line that revokes this key.
    pub fn revoked(&self, key: &KeyData) -> Option<&Entry> {
        self.entries.iter().find(|e| e.marker == Marker::Revoked && e.key.key_data() == key)
    }

    /// Judge a key.
    pub fn check(&self, key: &PublicKey) -> Verdict<'_> {
        if let Some(entry) = self.revoked(key.key_data()) {
            return Verdict::Revoked(entry);
        }
        let mut changed = None;
        for entry in self.entries.iter().filter(|e| e.marker == Marker::Plain) {
            if entry.key.key_data() == key.key_data() {
                return Verdict::Known;
            }
            if same_kind(&entry.key.algorithm(), &key.algorithm()) {
                changed = changed.or(Some(entry));
            }
        }
        changed.map_or(Verdict::Unknown, Verdict::Changed)
    }
}

/// ssh counts the curves of ECDSA as one type.
fn same_kind(a: &Algorithm, b: &Algorithm) -> bool {
    same_type(a, b) || matches!((a, b), (Algorithm::Ecdsa { .. }, Algorithm::Ecdsa { .. }))
}

fn parse(text: &str, file: &Path, name: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut fields = line.split_ascii_whitespace();
        let Some(mut names) = fields.next() else { continue };
        let marker = match names {
            "@cert-authority" => Marker::Authority,
            "@revoked" => Marker::Revoked,
            other if other.starts_with('@') => continue,
            _ => Marker::Plain,
        };
        if marker != Marker::Plain {
            let Some(next) = fields.next() else { continue };
            names = next;
        }
        if !names_match(names, name) {
            continue;
        }
        let (Some(_), Some(blob)) = (fields.next(), fields.next()) else { continue };
        match parse_public_key_base64(blob) {
            Ok(key) => entries.push(Entry { marker, key, file: file.to_owned(), line: number + 1 }),
            Err(error) => tracing::debug!(file = %file.display(), line = number + 1, %error, "not a key"),
        }
    }
    entries
}

/// Does the first field of a line name this host?
pub fn names_match(field: &str, name: &str) -> bool {
    match field.strip_prefix("|1|") {
        Some(hashed) => hash_matches(hashed, name).unwrap_or(false),
        None => pattern::list_matches(field.to_ascii_lowercase().split(','), name),
    }
}

fn hash_matches(hashed: &str, name: &str) -> Option<bool> {
    let (salt, hash) = hashed.split_once('|')?;
    let (salt, hash) = (BASE64.decode(salt).ok()?, BASE64.decode(hash).ok()?);
    Some(hmac_sha1(&salt, name.as_bytes())[..] == hash[..])
}

/// RFC 2104.
fn hmac_sha1(key: &[u8], text: &[u8]) -> [u8; 20] {
    let mut block = [0u8; 64];
    match key.len() > block.len() {
        true => block[..20].copy_from_slice(&Sha1::digest(key)),
        false => block[..key.len()].copy_from_slice(key),
    }
    let pad = |byte: u8| block.map(|b| b ^ byte);
    let inner = Sha1::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha1::new().chain_update(pad(0x5c)).chain_update(inner).finalize().into()
}

fn hashed_name(name: &str) -> std::io::Result<String> {
    let mut salt = [0u8; 20];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut salt)?;
    Ok(format!("|1|{}|{}", BASE64.encode(salt), BASE64.encode(hmac_sha1(&salt, name.as_bytes()))))
}

/// Remember `key` for `name`: one line at the end of `file`, written at once and under a lock, so that runs
/// side by side neither tear lines nor write the same one twice. Makes the directory (0700) when missing.
pub fn add(file: &Path, name: &str, key: &PublicKey, hashed: bool) -> std::io::Result<()> {
    if let Some(directory) = file.parent().filter(|d| !d.as_os_str().is_empty() && !d.exists()) {
        std::fs::DirBuilder::new().mode(0o700).recursive(true).create(directory)?;
    }
    let mut out = std::fs::OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(file)?;
    if !out.metadata()?.is_file() {
        // /dev/null: the person wants nothing remembered.
        return Ok(());
    }
    out.lock()?;
    let mut text = String::new();
    // Through a second handle: the position of this one does not matter, as it appends.
    std::fs::File::open(file)?.read_to_string(&mut text).or_else(|e| match e.kind() {
        std::io::ErrorKind::InvalidData => Ok(0),
        _ => Err(e),
    })?;
    let there = parse(&text, file, name);
    if there.iter().any(|e| e.marker == Marker::Plain && e.key.key_data() == key.key_data()) {
        return Ok(());
    }
    let shown = if hashed { hashed_name(name)? } else { name.to_owned() };
    let separator = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let line = format!("{separator}{shown} {} {}\n", key.algorithm(), key.public_key_base64());
    out.write_all(line.as_bytes())
}
