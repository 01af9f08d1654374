//! Signing with a key file, whose passphrase is only asked for once the server wants that key.

use russh::Signer;
use russh::keys::agent::AgentIdentity;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{HashAlg, PrivateKey};

use super::keys::{KeyFile, Passphrases};

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    #[error("its passphrase is not known")]
    NoPassphrase,
    #[error("{0}")]
    Sign(String),
    #[error("the connection was lost")]
    Lost(#[from] russh::SendError),
}

pub struct FileSigner<'a> {
    pub file: &'a KeyFile,
    pub passphrases: Passphrases<'a>,
}

impl Signer for FileSigner<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        let key = self.file.open(&self.passphrases).await.ok_or(SignError::NoPassphrase)?;
        let signature = sign(&key, hash, &to_sign).map_err(|e| SignError::Sign(e.to_string()))?;
        signature.encode(&mut to_sign).map_err(|e| SignError::Sign(e.to_string()))?;
        Ok(to_sign)
    }
}

fn sign(
    key: &PrivateKey,
    hash: Option<HashAlg>,
    data: &[u8],
) -> Result<Vec<u8>, russh::keys::ssh_key::Error> {
    let signature = match key.key_data() {
        KeypairData::Rsa(rsa) => (rsa, hash).try_sign(data)?,
        other => other.try_sign(data)?,
    };
    let mut bytes = Vec::new();
    signature.encode(&mut bytes)?;
    Ok(bytes)
}
