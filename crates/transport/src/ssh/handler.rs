//! What the server says on its own: its key, banners, its reason to hang up, requests for the ssh-agent.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use russh::client::{self, DisconnectReason, Session};
use russh::keys::ssh_key::certificate::CertType;
use russh::keys::{HashAlg, PublicKey, PublicKeyOrCertificate};

use super::config::{AgentSocket, Settings, Strict, pattern};
use super::known_hosts::{self, KnownHosts, Verdict};
use crate::clock::Clock;
use crate::error::SshError;
use crate::prompt::{Prompter, UnknownHostKey};

/// Errors inside the russh session.
#[derive(Debug, thiserror::Error)]
pub enum HandlerError {
    #[error("{0}")]
    Ssh(#[from] SshError),
    #[error("{0}")]
    Russh(#[from] russh::Error),
}

/// Things the session finds out that outlive it.
#[derive(Debug, Default)]
pub struct Findings {
    /// Why the connection ended, in the server's words if it gave any.
    pub ended: Mutex<Option<String>>,
    /// The host's key is not the one on file (and the person wants to connect anyway): no password for it.
    pub key_changed: std::sync::atomic::AtomicBool,
}

impl Findings {
    pub fn reason(&self) -> Option<String> {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

pub struct Handler {
    pub settings: Arc<Settings>,
    pub known: Arc<KnownHosts>,
    pub expected_fingerprint: Option<String>,
    pub prompter: Arc<dyn Prompter>,
    pub findings: Arc<Findings>,
    pub clock: Clock,
}

impl client::Handler for Handler {
    type Error = HandlerError;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        match shown.certificate() {
            Some(certificate) => self.check_certificate(certificate)?,
            None => self.check_key(&shown.public_key()).await?,
        }
        Ok(true)
    }

    async fn auth_banner(&mut self, banner: &str, _session: &mut Session) -> Result<(), Self::Error> {
        self.prompter.banner(&self.settings.original, banner);
        Ok(())
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Self::Error>) -> Result<(), Self::Error> {
        let text = match &reason {
            DisconnectReason::ReceivedDisconnect(info) => info.message.clone(),
            DisconnectReason::Error(HandlerError::Russh(russh::Error::Disconnect)) => {
                format!("Connection closed by {}", self.settings.host)
            }
            DisconnectReason::Error(HandlerError::Russh(russh::Error::KeepaliveTimeout)) => {
                format!("Timeout, server {} not responding", self.settings.host)
            }
            DisconnectReason::Error(error) => error.to_string(),
        };
        *self.findings.ended.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        Ok(())
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        channel: russh::Channel<client::Msg>,
        reply: client::ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        let path = match &self.settings.forward_agent {
            Some(AgentSocket::Path(path)) => Some(path.clone()),
            Some(AgentSocket::Environment) => std::env::var_os("SSH_AUTH_SOCK").map(PathBuf::from),
            _ => None,
        };
        // Not asked for, or no agent: dropping `reply` refuses.
        let Some(path) = path else { return Ok(()) };
        tokio::spawn(async move {
            let Ok(mut socket) = tokio::net::UnixStream::connect(&path).await else { return };
            reply.accept().await;
            let mut stream = channel.into_stream();
            let _ = tokio::io::copy_bidirectional(&mut socket, &mut stream).await;
        });
        Ok(())
    }
}

impl Handler {
    async fn check_key(&self, key: &PublicKey) -> Result<(), SshError> {
        let settings = &self.settings;
        let shown = key.fingerprint(HashAlg::Sha256).to_string();
        let name = settings.known_name();
        if let Some(expected) = &self.expected_fingerprint {
            if same_fingerprint(expected, &shown) {
                return self.remember(key);
            }
            return Err(SshError::HostKeyMismatch { host: name, shown, expected: expected.clone() });
        }
        if settings.skip_for_localhost && is_loopback(&settings.host) {
            return Ok(());
        }
        if let Some(bits) = rsa_bits(key).filter(|bits| *bits < settings.required_rsa_bits) {
            let reason = format!("Invalid key length: its RSA key has {bits} bits");
            return Err(SshError::Handshake { host: settings.host.clone(), reason });
        }
        match self.known.check(key) {
            Verdict::Known => Ok(()),
            Verdict::Revoked(entry) => Err(SshError::HostKeyRevoked {
                host: name,
                key_type: key.algorithm().to_string(),
                fingerprint: shown,
                file: entry.file.clone(),
                line: entry.line,
            }),
            Verdict::Changed(entry) if settings.strict != Strict::No => Err(SshError::HostKeyChanged {
                host: name,
                key_type: key.algorithm().to_string(),
                file: entry.file.clone(),
                line: entry.line,
                expected: entry.key.fingerprint(HashAlg::Sha256).to_string(),
                shown,
            }),
            Verdict::Changed(entry) => {
                tracing::warn!(host = name, file = %entry.file.display(), line = entry.line, "host key has changed");
                self.findings.key_changed.store(true, std::sync::atomic::Ordering::Relaxed);
                Ok(())
            }
            Verdict::Unknown if self.known_without_port(key) => Ok(()),
            Verdict::Unknown => self.decide_unknown(key, name, shown).await,
        }
    }

    async fn decide_unknown(
        &self,
        key: &PublicKey,
        host: String,
        fingerprint: String,
    ) -> Result<(), SshError> {
        let question = UnknownHostKey { host, key_type: key.algorithm().to_string(), fingerprint };
        let accepted = match self.settings.strict {
            Strict::No | Strict::AcceptNew => true,
            Strict::Yes => false,
            Strict::Ask => {
                let _paused = self.clock.pause();
                self.prompter.accept_host_key(&question).await
            }
        };
        if accepted {
            return self.remember(key);
        }
        let file = self.settings.user_known_hosts.first();
        Err(SshError::HostKeyUnknown {
            host: question.host,
            key_type: question.key_type,
            fingerprint: question.fingerprint,
            file: file.map_or_else(|| "known_hosts".into(), |f| f.display().to_string()),
        })
    }

    /// A host on another port than 22 may be on file without it (ssh looks there, too).
    fn known_without_port(&self, key: &PublicKey) -> bool {
        if self.settings.host_key_alias.is_some() || self.settings.port == 22 {
            return false;
        }
        let settings = &self.settings;
        let files: Vec<PathBuf> =
            settings.user_known_hosts.iter().chain(&settings.global_known_hosts).cloned().collect();
        matches!(KnownHosts::read(&files, &settings.host).check(key), Verdict::Known)
    }

    fn remember(&self, key: &PublicKey) -> Result<(), SshError> {
        let settings = &self.settings;
        if matches!(self.known.check(key), Verdict::Known) {
            return Ok(());
        }
        let Some(file) = settings.user_known_hosts.first() else { return Ok(()) };
        let added = known_hosts::add(file, &settings.known_name(), key, settings.hash_known_hosts);
        // As ssh: a file that cannot be written costs the remembering, not the connection.
        if let Err(error) = added {
            tracing::warn!(file = %file.display(), %error, "failed to add the host to the list of known hosts");
        }
        Ok(())
    }

    fn check_certificate(&self, certificate: &russh::keys::Certificate) -> Result<(), SshError> {
        let name = self.settings.host_key_alias.clone().unwrap_or_else(|| self.settings.host.clone());
        let bad = |reason: String| SshError::HostCertificate { host: name.clone(), reason };
        let shown = PublicKey::from(certificate.public_key().clone());
        let fingerprint = shown.fingerprint(HashAlg::Sha256).to_string();
        if let Some(expected) = &self.expected_fingerprint
            && !same_fingerprint(expected, &fingerprint)
        {
            return Err(SshError::HostKeyMismatch {
                host: name,
                shown: fingerprint,
                expected: expected.clone(),
            });
        }
        for key in [certificate.public_key(), certificate.signature_key()] {
            if let Some(entry) = self.known.revoked(key) {
                return Err(SshError::HostKeyRevoked {
                    host: name,
                    key_type: shown.algorithm().to_string(),
                    fingerprint,
                    file: entry.file.clone(),
                    line: entry.line,
                });
            }
        }
        if certificate.cert_type() != CertType::Host {
            return Err(bad("it is for a user, not for a host".into()));
        }
        let authority = self.known.authority(certificate.signature_key()).ok_or_else(|| {
            let signer = PublicKey::from(certificate.signature_key().clone());
            bad(format!(
                "no @cert-authority line has the key {} that signed it",
                signer.fingerprint(HashAlg::Sha256)
            ))
        })?;
        let trusted = authority.key.fingerprint(HashAlg::Sha256);
        certificate
            .validate([&trusted])
            .map_err(|e| bad(format!("{e} (expired, not yet valid, or a wrong signature)")))?;
        if !certificate.critical_options().is_empty() {
            return Err(bad("it has critical options".into()));
        }
        // An empty list is for no host (OpenSSH's rule for host certificates).
        if !certificate.valid_principals().iter().any(|p| pattern::matches(&p.to_ascii_lowercase(), &name)) {
            let principals = certificate.valid_principals().join(", ");
            return Err(bad(format!(
                "it is for {}",
                if principals.is_empty() { "nobody".into() } else { principals }
            )));
        }
        Ok(())
    }
}

/// `SHA256:x` with or without the prefix and base64's padding.
fn same_fingerprint(expected: &str, shown: &str) -> bool {
    let bare = |text: &str| text.trim().trim_start_matches("SHA256:").trim_end_matches('=').to_owned();
    bare(expected) == bare(shown)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn rsa_bits(key: &PublicKey) -> Option<u32> {
    let modulus = key.key_data().rsa()?.n().as_positive_bytes()?;
    let leading = modulus.first()?.leading_zeros();
    Some((modulus.len() as u32 * 8).saturating_sub(leading))
}
