//! Logging in with a key in one round trip: signed at once, without asking first whether the server wants it.
//!
//! Asking first (RFC 4252, section 7) saves a signature that may cost a person's attention. Where it costs
//! microseconds, the round trip is the dearer one.

use std::fmt::Display;

use russh::Signer;
use russh::client::{AuthResult, Handle};
use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_encoding::Encode;
use russh::keys::{Algorithm, HashAlg};

use super::handler::Handler;
use super::identities::{Identity, Source};

/// SSH_MSG_USERAUTH_REQUEST
const USERAUTH_REQUEST: u8 = 50;

/// Does signing with this key ask nobody? Keys of an ssh-agent may want to be confirmed: only the one that is
/// named is used before the server has said that it wants it. Keys in hardware want to be touched.
pub fn is_cheap(identity: &Identity) -> bool {
    let in_hardware = identity.key.as_ref().is_some_and(|key| {
        matches!(key.public_key().algorithm(), Algorithm::SkEd25519 | Algorithm::SkEcdsaSha2NistP256)
    });
    match &identity.source {
        Source::File(file) => file.is_open(),
        Source::Agent => identity.named && !in_hardware,
    }
}

/// Log in with a plain key (no certificate). `Err` is why it was given up.
pub async fn authenticate<S>(
    handle: &mut Handle<Handler>,
    user: &str,
    key: &AgentIdentity,
    hash: Option<HashAlg>,
    signer: &mut S,
) -> Result<AuthResult, String>
where
    S: Signer,
    S::Error: Display,
{
    let text = |e: &dyn Display| e.to_string();
    let binding = handle.agent_session_binding().ok_or("the session has no id")?;
    let session: &[u8] = binding.session_id();
    let mut data = Vec::new();
    session.encode(&mut data).map_err(|e| text(&e))?;
    let before_request = data.len();
    data.push(USERAUTH_REQUEST);
    user.encode(&mut data).map_err(|e| text(&e))?;
    "ssh-connection".encode(&mut data).map_err(|e| text(&e))?;
    "publickey".encode(&mut data).map_err(|e| text(&e))?;
    data.push(1);
    let public = key.public_key();
    let algorithm = match public.algorithm() {
        Algorithm::Rsa { .. } => Algorithm::Rsa { hash },
        other => other,
    };
    algorithm.as_str().encode(&mut data).map_err(|e| text(&e))?;
    public.to_bytes().map_err(|e| text(&e))?.encode(&mut data).map_err(|e| text(&e))?;
    let length = data.len();
    let signed = signer.auth_sign(key, hash, data).await.map_err(|e| text(&e))?;
    if signed.len() <= length {
        return Err("nothing was signed".into());
    }
    handle.authenticate_prepared(user, signed[before_request..].to_vec()).await.map_err(|e| text(&e))
}
