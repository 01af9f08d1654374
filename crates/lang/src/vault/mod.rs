//! ansible-vault: files and strings encrypted with a password.
//!
//! Formats 1.1 and 1.2 (the second names its vault id) with AES256: the key comes from the password by
//! PBKDF2-HMAC-SHA256 with 10,000 rounds, the text is encrypted with AES-256 in counter mode and signed with
//! HMAC-SHA256. Source: "Ansible Vault payload format" in Ansible's documentation of the vault.
//!
//! Secrets are kept in [`VaultSecret`], which cannot be printed. Deriving a key takes milliseconds, so keys are
//! remembered for each pair of salt and secret.

mod cipher;
pub mod command;
mod envelope;
mod secret;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

pub use envelope::is_encrypted;
pub use secret::{VaultSecret, VaultSource, secret_from_file, secret_from_file_with};

use crate::error::ErrorKind;
use crate::value::VaultText;
use crate::{Error, Result, Str};
use cipher::Keys;
use envelope::Envelope;

/// The vault id of a password that was given without one.
pub const DEFAULT_ID: &str = "default";

/// The passwords of a run, in the order they were given, each with its vault id.
#[derive(Debug, Default)]
pub struct VaultSecrets {
    secrets: Vec<(String, VaultSecret)>,
    /// Try only the secrets of the id that the text names (`vault_id_match`).
    match_ids: bool,
    /// A salt for every envelope, so that equal texts give equal ones (`VAULT_ENCRYPT_SALT`).
    salt: Option<Vec<u8>>,
    keys: Mutex<HashMap<(Vec<u8>, usize), Keys>>,
}

/// A decrypted text and the secret that opened it.
pub struct Decrypted {
    pub text: Vec<u8>,
    /// The vault id of the secret.
    pub id: String,
    /// The vault id that the envelope names, if it does.
    pub label: Option<String>,
    /// Which secret it was.
    secret: usize,
}

impl VaultSecrets {
    pub fn new(secrets: Vec<(String, VaultSecret)>) -> Self {
        Self { secrets, match_ids: false, salt: None, keys: Mutex::default() }
    }

    /// Try only secrets whose id is the one that a text names.
    pub fn matching_ids(mut self, only: bool) -> Self {
        self.match_ids = only;
        self
    }

    /// Encrypt with this salt rather than with random ones.
    pub fn with_salt(mut self, salt: Option<Vec<u8>>) -> Self {
        self.salt = salt;
        self
    }

    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty()
    }

    /// The vault ids in the order they were given.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.secrets.iter().map(|(id, _)| id.as_str())
    }

    /// The text behind an envelope.
    pub fn decrypt(&self, envelope: &[u8]) -> Result<Vec<u8>> {
        self.open(envelope).map(|decrypted| decrypted.text)
    }

    /// The text behind an envelope, and whose secret opened it. The secrets of the id that the envelope names are
    /// tried first, then the others.
    pub fn open(&self, envelope: &[u8]) -> Result<Decrypted> {
        if self.secrets.is_empty() {
            return Err(Error::new("Attempting to decrypt but no vault secrets found")
                .with_kind(ErrorKind::NoSecrets)
                .with_help("give the password with --vault-password-file, --vault-id or --ask-vault-pass"));
        }
        let envelope = Envelope::parse(envelope)?;
        let label = envelope.id.clone();
        let named = |id: &str| label.as_deref() == Some(id);
        let indexes = 0..self.secrets.len();
        let (first, then): (Vec<_>, Vec<_>) = indexes.partition(|i| named(&self.secrets[*i].0));
        let then = if self.match_ids && label.is_some() { Vec::new() } else { then };
        for index in first.into_iter().chain(then) {
            let keys = self.keys(index, &envelope.salt);
            if let Some(text) = keys.decrypt(&envelope.hmac, &envelope.ciphertext)? {
                return Ok(Decrypted { text, id: self.secrets[index].0.clone(), label, secret: index });
            }
        }
        Err(Error::new("Decryption failed (no vault secrets were found that could decrypt)"))
    }

    /// A `!vault` string. The result is text that is never rendered, as in Ansible 2.19.
    pub fn decrypt_str(&self, vault: &VaultText) -> Result<Str> {
        let text =
            self.decrypt(vault.text.trim().as_bytes()).map_err(|error| error.at(vault.pos.as_ref()))?;
        let text = String::from_utf8(text)
            .map_err(|_| Error::new("The encrypted string is not UTF-8 text").at(vault.pos.as_ref()))?;
        Ok(Str::plain(text))
    }

    /// The content of a file: decrypted if it is an envelope, otherwise as it is.
    pub fn decrypt_if_encrypted(&self, text: Vec<u8>) -> Result<Vec<u8>> {
        if is_encrypted(&text) { self.decrypt(&text) } else { Ok(text) }
    }

    /// An envelope for a text, by the secret of `id`, or by the only one there is.
    pub fn encrypt(&self, text: &[u8], id: Option<&str>) -> Result<String> {
        let index = self.secret_to_encrypt(id)?;
        self.encrypt_with(index, &self.salt()?, text)
    }

    /// Another text under the secret and the vault id of the one that was opened.
    pub fn encrypt_again(&self, opened: &Decrypted, text: &[u8]) -> Result<String> {
        self.seal(opened.secret, opened.label.as_deref(), &self.salt()?, text)
    }

    fn salt(&self) -> Result<Vec<u8>> {
        match &self.salt {
            Some(salt) => Ok(salt.clone()),
            None => Ok(cipher::random_salt()?.to_vec()),
        }
    }

    /// As [`encrypt`](Self::encrypt), with a salt of the caller's, for envelopes that come out the same each time.
    pub fn encrypt_salted(&self, text: &[u8], id: Option<&str>, salt: &[u8]) -> Result<String> {
        self.encrypt_with(self.secret_to_encrypt(id)?, salt, text)
    }

    fn encrypt_with(&self, index: usize, salt: &[u8], text: &[u8]) -> Result<String> {
        self.seal(index, Some(&self.secrets[index].0), salt, text)
    }

    fn seal(&self, index: usize, label: Option<&str>, salt: &[u8], text: &[u8]) -> Result<String> {
        let (hmac, ciphertext) = self.keys(index, salt).encrypt(text)?;
        let id = label.filter(|id| *id != DEFAULT_ID).map(str::to_owned);
        Ok(Envelope { id, salt: salt.to_vec(), hmac, ciphertext }.write())
    }

    fn secret_to_encrypt(&self, id: Option<&str>) -> Result<usize> {
        match id {
            Some(id) => self.secrets.iter().position(|(own, _)| own == id).ok_or_else(|| {
                let mut ids: Vec<&str> = self.ids().collect();
                ids.dedup();
                let ids: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
                Error::new(format!(
                    "Did not find a match for --encrypt-vault-id={id} in the known vault-ids [{}]",
                    ids.join(", ")
                ))
            }),
            None => match self.secrets.as_slice() {
                [] => Err(Error::new("A vault password is required to use Ansible's Vault")),
                [first, rest @ ..] if rest.iter().all(|(id, _)| *id == first.0) => Ok(0),
                _ => {
                    let mut ids: Vec<&str> = self.ids().collect();
                    ids.sort_unstable();
                    ids.dedup();
                    Err(Error::new(format!(
                        "The vault-ids {} are available to encrypt. Specify the vault-id to encrypt with \
                         --encrypt-vault-id",
                        ids.join(",")
                    )))
                }
            },
        }
    }

    fn keys(&self, index: usize, salt: &[u8]) -> Keys {
        let mut known = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let secret = &self.secrets[index].1;
        known.entry((salt.to_vec(), index)).or_insert_with(|| Keys::derive(secret.expose(), salt)).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secrets(list: &[(&str, &str)]) -> VaultSecrets {
        VaultSecrets::new(list.iter().map(|(id, s)| ((*id).into(), VaultSecret::new(s.as_bytes()))).collect())
    }

    #[test]
    fn what_is_encrypted_can_be_decrypted() {
        let ours = secrets(&[("default", "a"), ("default", "b")]);
        for text in ["", "x", "exactly sixteen.", &"long ".repeat(1000)] {
            let envelope = ours.encrypt(text.as_bytes(), None).unwrap();
            assert!(envelope.starts_with("$ANSIBLE_VAULT;1.1;AES256\n"));
            assert!(envelope.lines().all(|line| line.len() <= 80));
            assert_eq!(ours.decrypt(envelope.as_bytes()).unwrap(), text.as_bytes());
        }
    }

    #[test]
    fn the_id_is_in_the_header_and_its_secret_is_tried_first() {
        let ours = secrets(&[("default", "a"), ("dev", "b")]);
        let envelope = ours.encrypt(b"x", Some("dev")).unwrap();
        assert!(envelope.starts_with("$ANSIBLE_VAULT;1.2;AES256;dev\n"));
        assert_eq!(ours.open(envelope.as_bytes()).unwrap().id, "dev");
        let strict = secrets(&[("other", "b")]).matching_ids(true);
        assert!(strict.decrypt(envelope.as_bytes()).is_err());
        assert!(secrets(&[("other", "b")]).decrypt(envelope.as_bytes()).is_ok());
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert!(!format!("{:?}", secrets(&[("a", "hunter2")])).contains("hunter2"));
    }
}

#[cfg(test)]
mod recorded {
    //! Against ansible-vault itself (`tests/record/record_vault.py`).

    use super::*;
    use serde_json::Value as Json;

    fn table() -> Json {
        serde_json::from_str(include_str!("../../tests/recorded/vault.json")).unwrap()
    }

    fn secrets(table: &Json, names: Option<&Json>) -> VaultSecrets {
        let wanted = |id: &str| names.is_none_or(|names| names.as_array().unwrap().iter().any(|n| n == id));
        let secrets = table["secrets"].as_array().unwrap().iter().filter_map(|pair| {
            let (id, text) = (pair[0].as_str()?, pair[1].as_str()?);
            wanted(id).then(|| (id.to_owned(), VaultSecret::new(text.as_bytes())))
        });
        VaultSecrets::new(secrets.collect())
    }

    #[test]
    fn reads_and_writes_the_same_envelopes() {
        let table = table();
        let secrets = secrets(&table, None);
        for case in table["cases"].as_array().unwrap() {
            let (text, envelope) = (case["text"].as_str().unwrap(), case["envelope"].as_str().unwrap());
            let id = case["id"].as_str().unwrap();
            let opened = secrets.open(envelope.as_bytes()).unwrap();
            assert_eq!((opened.text.as_slice(), opened.id.as_str()), (text.as_bytes(), id));
            let index = secrets.ids().position(|own| own == id).unwrap();
            let salt = case["salt"].as_str().unwrap().as_bytes();
            assert_eq!(secrets.encrypt_with(index, salt, text.as_bytes()).unwrap(), envelope);
        }
    }

    #[test]
    fn refuses_with_the_same_words() {
        let table = table();
        for case in table["errors"].as_array().unwrap() {
            let secrets = secrets(&table, case.get("secrets"));
            let error = secrets.decrypt(case["text"].as_str().unwrap().as_bytes()).unwrap_err().to_string();
            let expected = case["error"].as_str().unwrap().trim_end_matches('.');
            // Python's own words about tuples are not ours.
            let same = |text: &str| text.split(": not enough").next().unwrap_or_default().to_owned();
            let got = error.replace(": salt, signature and text were expected", "");
            assert_eq!(got, same(expected), "{}", case["what"]);
        }
    }
}
