use aes::Aes256;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{Error, Result};

const ROUNDS: u32 = 10_000;
/// The block of AES, to whose multiples texts are padded (PKCS 7).
const BLOCK: usize = 16;
const SALT: usize = 32;

/// What a password and a salt give: a key to encrypt, one to sign, and the first counter.
#[derive(Clone)]
pub(super) struct Keys {
    cipher: [u8; 32],
    hmac: [u8; 32],
    counter: [u8; BLOCK],
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl Keys {
    pub fn derive(password: &[u8], salt: &[u8]) -> Self {
        let mut all = [0; 80];
        pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, ROUNDS, &mut all);
        let mut keys = Self { cipher: [0; 32], hmac: [0; 32], counter: [0; BLOCK] };
        keys.cipher.copy_from_slice(&all[..32]);
        keys.hmac.copy_from_slice(&all[32..64]);
        keys.counter.copy_from_slice(&all[64..]);
        keys
    }

    /// The text, or `None` if these are not the keys it was encrypted with.
    pub fn decrypt(&self, hmac: &[u8], ciphertext: &[u8]) -> Result<Option<Vec<u8>>> {
        if self.mac(ciphertext)?.verify_slice(hmac).is_err() {
            return Ok(None);
        }
        let mut text = ciphertext.to_vec();
        self.apply(&mut text);
        let padding = usize::from(text.last().copied().unwrap_or(0));
        if padding == 0 || padding > BLOCK || padding > text.len() {
            return Err(Error::new("Vault format error: the padding of the decrypted text is wrong"));
        }
        text.truncate(text.len() - padding);
        Ok(Some(text))
    }

    /// Signature and encrypted text.
    pub fn encrypt(&self, text: &[u8]) -> Result<(Vec<u8>, Vec<u8>)> {
        let padding = BLOCK - text.len() % BLOCK;
        let mut padded = text.to_vec();
        padded.extend(std::iter::repeat_n(u8::try_from(padding).unwrap_or(16), padding));
        self.apply(&mut padded);
        let hmac = self.mac(&padded)?.finalize().into_bytes().to_vec();
        Ok((hmac, padded))
    }

    fn apply(&self, text: &mut [u8]) {
        ctr::Ctr128BE::<Aes256>::new(&self.cipher.into(), &self.counter.into()).apply_keystream(text);
    }

    fn mac(&self, text: &[u8]) -> Result<Hmac<Sha256>> {
        let mut mac =
            <Hmac<Sha256> as Mac>::new_from_slice(&self.hmac).map_err(|e| Error::new(e.to_string()))?;
        mac.update(text);
        Ok(mac)
    }
}

pub(super) fn random_salt() -> Result<[u8; SALT]> {
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt)
        .map_err(|error| Error::new(format!("no random bytes for the salt: {error}")))?;
    Ok(salt)
}
