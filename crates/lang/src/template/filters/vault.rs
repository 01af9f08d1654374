//! `vault` and `unvault`: texts encrypted with a password that the template gives.

use std::rc::Rc;

use super::Entry;
use crate::template::env::Env;
use crate::template::eval::args::Args;
use crate::template::eval::ops;
use crate::template::object::{Fail, R, V};
use crate::vault::{VaultSecret, VaultSecrets, is_encrypted};

pub(super) const FILTERS: &[Entry] = &[("unvault", unvault), ("vault", vault)];

/// The vault id that Ansible's filter writes when it is given none.
const FILTER_ID: &str = "filter_default";

fn text_argument(value: &V, complaint: &str) -> R<String> {
    match value.need()? {
        V::Str(text) => Ok(text.as_str().to_string()),
        other => Fail::python(format!("{complaint}, instead we got <class '{}'>.", other.type_name())),
    }
}

fn vault(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_vault", ["secret", "salt", "vault_id", "wrap_object", "vaultid"], 1)?;
    let secret = text_argument(&b.value(0), "Secret passed is required to be a string")?;
    let text = text_argument(&value, "Can only vault strings")?;
    let salt = b.some(1).map(|salt| ops::to_str(&salt)).transpose()?;
    let id = match b.some(2).or_else(|| b.some(4)) {
        Some(id) => ops::to_str(&id)?,
        None => FILTER_ID.to_string(),
    };
    if b.bool(3, false)? {
        // An object that decrypts itself where it is read: nothing else than the text, here.
        return Ok(V::str(text));
    }
    let secrets = VaultSecrets::new(vec![(id.clone(), VaultSecret::new(secret.into_bytes()))]);
    let envelope = match salt.filter(|salt| !salt.is_empty()) {
        Some(salt) => secrets.encrypt_salted(text.as_bytes(), Some(&id), salt.as_bytes()),
        None => secrets.encrypt(text.as_bytes(), Some(&id)),
    };
    match envelope {
        Ok(envelope) => Ok(V::str(envelope)),
        Err(error) => Fail::python(format!("Unable to encrypt: {error}.")),
    }
}

fn unvault(_: &Rc<Env>, value: V, args: Args) -> R<V> {
    let b = args.bind("do_unvault", ["secret", "vault_id", "vaultid"], 1)?;
    let secret = text_argument(&b.value(0), "Secret passed is required to be as string")?;
    let text = text_argument(&value, "Vault should be in the form of a string")?;
    let id = match b.some(1).or_else(|| b.some(2)) {
        Some(id) => ops::to_str(&id)?,
        None => FILTER_ID.to_string(),
    };
    if !is_encrypted(text.as_bytes()) {
        return Ok(V::str(text));
    }
    let secrets = VaultSecrets::new(vec![(id, VaultSecret::new(secret.into_bytes()))]);
    match secrets.decrypt(text.trim().as_bytes()) {
        Ok(plain) => Ok(V::str(String::from_utf8_lossy(&plain).into_owned())),
        Err(error) => Fail::python(format!("Unable to decrypt: {error}.")),
    }
}
